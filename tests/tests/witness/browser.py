"""Chromium, driven over its DevTools protocol: one command a line of JSON on standard input, one answer a line on standard
output. It knows nothing of what it looks at; what must hold is said by whoever asks."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from websockets.sync.client import connect

# A machine under load is slow; what has not happened by then will not happen.
DEADLINE = 120.0
KEYS = {
    "Tab": (9, None), "Enter": (13, "\r"), "Escape": (27, None), "Space": (32, " "),
    "ArrowDown": (40, None), "ArrowUp": (38, None),
}


class Chromium:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="witness-")
        self.log = open(os.path.join(self.profile, "log"), "w+")
        program = shutil.which("chromium") or sys.exit("chromium is not on the PATH: install Debian's chromium")
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-extensions", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
             f"--user-data-dir={self.profile}", *sys.argv[1:], "about:blank"],
            stdout=subprocess.DEVNULL, stderr=self.log)
        self.number = 0
        self.requests = []
        self.errors = []
        self.socket = connect(self.address(), max_size=None, open_timeout=DEADLINE, ping_interval=None)
        target = next(t for t in self.ask("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attached = self.ask("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
        self.session = attached["sessionId"]
        for domain in ["Page", "Runtime", "Network", "Accessibility", "Log"]:
            self.ask(f"{domain}.enable")

    session = None

    def address(self):
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            self.log.seek(0)
            found = re.search(r"DevTools listening on (ws://\S+)", self.log.read())
            if found:
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.log.seek(0)
        sys.exit(f"chromium did not start:\n{self.log.read()}")

    def ask(self, method, parameters=None):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters or {}}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv(timeout=DEADLINE))
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.event(answer)

    def event(self, event):
        told = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Runtime.exceptionThrown":
                details = told["exceptionDetails"]
                self.errors.append(details.get("exception", {}).get("description", details["text"]))
            case "Log.entryAdded" if told["entry"]["level"] == "error" and told["entry"]["source"] != "network":
                self.errors.append(told["entry"]["text"])

    def evaluate(self, expression):
        told = self.ask("Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True})
        if "exceptionDetails" in told:
            raise RuntimeError(f"{expression}: {told['exceptionDetails']}")
        return told["result"].get("value")

    def until(self, expression):
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            try:
                found = self.evaluate(expression)
                if found:
                    return found
            except RuntimeError:
                # The page is being loaded; what it does not have yet it may have soon.
                pass
            time.sleep(0.02)
        raise RuntimeError(f"never true: {expression}; on the page: {self.evaluate('document.body.innerText')}; {self.errors}")

    def key(self, name):
        code, text = KEYS.get(name, (ord(name.upper()[0]), name))
        press = {"key": " " if name == "Space" else name, "windowsVirtualKeyCode": code}
        self.ask("Input.dispatchKeyEvent", {"type": "keyDown", **press, **({"text": text} if text else {})})
        self.ask("Input.dispatchKeyEvent", {"type": "keyUp", **press})

    def tree(self):
        nodes = self.ask("Accessibility.getFullAXTree")["nodes"]
        told = [{"role": n.get("role", {}).get("value"), "name": n.get("name", {}).get("value", "")} for n in nodes if not n.get("ignored")]
        return [n for n in told if n["role"] not in ("StaticText", "InlineTextBox", "none", "generic")]

    def screenshot(self, path, width, height, dark):
        self.ask("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.ask("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        time.sleep(0.3)
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)


def answer(browser, command):
    match command:
        case {"open": address}:
            browser.ask("Page.navigate", {"url": address})
            return None
        case {"eval": expression}:
            return browser.evaluate(expression)
        case {"until": expression}:
            return browser.until(expression)
        case {"key": name}:
            return browser.key(name)
        case {"tree": _}:
            return browser.tree()
        case {"requests": _}:
            return browser.requests
        case {"errors": _}:
            return browser.errors
        case {"scheme": scheme}:
            browser.ask("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            return None
        case {"size": [width, height]}:
            browser.ask("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
            return None
        case {"screenshot": path, "width": width, "height": height, "dark": dark}:
            return browser.screenshot(path, width, height, dark)


browser = Chromium()
try:
    for line in sys.stdin:
        try:
            told = {"ok": answer(browser, json.loads(line))}
        except Exception as error:  # whoever asked is told, and decides
            told = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(told), flush=True)
finally:
    browser.close()
