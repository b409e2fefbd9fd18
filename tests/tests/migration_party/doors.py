"""The two ways of a party outside: a folder, and HTTPS with mutual TLS. Both hand what comes to `take`, which gives nothing or
raises Refused, and both tell `told` what became of what was sent."""

import http.client
import http.server
import os
import pathlib
import queue
import ssl
import threading
import time
import urllib.parse

from files import Refused


class Folder:
    """`in` is read here, `out` is written."""

    def __init__(self, folder):
        self.incoming, self.outgoing = pathlib.Path(folder, "in"), pathlib.Path(folder, "out")
        for place in (self.incoming, self.outgoing, self.incoming / "taken", self.incoming / "refused"):
            place.mkdir(parents=True, exist_ok=True)
        self.sent, self.last = {}, 0

    def send(self, name, octets, label):
        # Written whole or not at all, and each later than the one before.
        part = self.outgoing / (".%s.part" % name)
        part.write_bytes(octets)
        self.last = max(time.time_ns(), self.last + 1_000_000)
        os.utime(part, ns=(self.last, self.last))
        part.rename(self.outgoing / (name + ".xml"))
        self.sent[name] = label

    def serve(self, take, told, put_away):
        while True:
            waiting = [path for path in self.incoming.glob("*.xml") if path.is_file()]
            waiting.sort(key=lambda path: (path.stat().st_mtime_ns, path.name))
            for path in waiting:
                self.one(path, take, put_away)
            self.look(told)
            time.sleep(0.02)

    def one(self, path, take, put_away):
        try:
            take(path.read_bytes())
        except Refused as refused:
            code, _, reason = str(refused).partition(": ")
            words = "code:   %s\nreason: %s\n" % (code, reason)
            (self.incoming / "refused" / (path.name + ".txt")).write_text(words, encoding="utf-8")
            path.rename(self.incoming / "refused" / path.name)
            return
        put_away()
        path.rename(self.incoming / "taken" / path.name)

    def look(self, told):
        for name, label in list(self.sent.items()):
            if (self.outgoing / (name + ".xml")).exists():
                continue
            words = self.outgoing / "refused" / (name + ".xml.txt")
            if words.exists():
                lines = dict(line.split(":", 1) for line in words.read_text(encoding="utf-8").splitlines() if ":" in line)
                told(label, "%s: %s" % (lines["code"].strip(), lines["reason"].strip()))
            elif (self.outgoing / "taken" / (name + ".xml")).exists():
                told(label, "taken")
            else:
                continue
            del self.sent[name]


class Https:
    """A server for what comes, and a client for what goes, both showing `own` and believing ca.pem only."""

    TRIES = 300

    def __init__(self, keys, own, port, post):
        keys = pathlib.Path(keys)
        self.post, self.queue = urllib.parse.urlsplit(post), queue.Queue()
        pair = (keys / (own + ".pem"), keys / (own + ".key"))
        self.client = ssl.create_default_context(cafile=keys / "ca.pem")
        self.client.load_cert_chain(*pair)
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(*pair)
        serving.load_verify_locations(keys / "ca.pem")
        serving.verify_mode = ssl.CERT_REQUIRED
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self.handler())
        self.server.socket = serving.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port

    def handler(door):
        lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                octets = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    with lock:
                        door.take(octets)
                    self.answer(204, b"")
                    door.put_away()
                except Refused as refused:
                    self.answer(422, str(refused).encode())

            def answer(self, status, text):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        return Handler

    def send(self, name, octets, label):
        self.queue.put((octets, label))

    def serve(self, take, told, put_away):
        self.take, self.put_away = take, put_away
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        while True:
            octets, label = self.queue.get()
            told(label, self.posted(octets))

    def posted(self, octets):
        said = "never asked"
        for _ in range(self.TRIES):
            try:
                connection = http.client.HTTPSConnection(self.post.hostname, self.post.port, context=self.client, timeout=60)
                connection.request("POST", self.post.path, octets, {"Content-Type": "application/xml"})
                answer = connection.getresponse()
                text = answer.read().decode().strip()
                connection.close()
            except OSError as error:
                said = "not heard: %s" % error
            else:
                if answer.status == 204:
                    return "taken"
                if answer.status != 503:
                    return text
                said = "busy: %s" % text
            time.sleep(0.1)
        return said
