"""What the visits of the three independent clients have in common: the job, the gateway, the report.

The first argument is a list of jobs in JSON, done one after the other. A job:

  link      tcp://host:port (wrapper), tcp+hdlc://host:port, or serial:///file (HDLC)
  eui64     of a device behind a hub: then the wrapper carries the DLMS gateway header, which no client but gurux-dlms
            knows; a relay in this process puts it in and takes it out
  client, server, physical   addresses
  auth      none, low or gmac; with password, or key, auth_key and title in hexadecimal
  counter   first invocation counter
  window, max_info           what HDLC asks for
  gbt       blocks taken in a row in a general block transfer, where one is asked for
  register, profile          OBIS codes

A report is one line for each job, REPORT and a JSON object; its rows are [time, value], the time as the client
says it.
"""

import json
import socket
import struct
import sys
import threading
from urllib.parse import urlsplit

CLOCK = "0.0.1.0.0.255"
SHIFT_TIME = 6


class Job:
    def __init__(self, said):
        self.client, self.server = said["client"], said.get("server", 1)
        self.physical = said.get("physical")
        self.auth, self.password = said["auth"], said.get("password", "")
        self.key, self.auth_key, self.title = (
            bytes.fromhex(said.get(name, "")) for name in ("key", "auth_key", "title"))
        self.counter = said.get("counter", 1)
        self.window, self.max_info = said.get("window", 1), said.get("max_info", 128)
        self.gbt = said.get("gbt")
        self.register, self.profile = said["register"], said["profile"]
        url = urlsplit(said["link"])
        self.hdlc, self.serial = url.scheme != "tcp", url.path if url.scheme == "serial" else None
        self.host, self.port = url.hostname, url.port
        if "eui64" in said:
            self.host, self.port = "127.0.0.1", relay(self.host, self.port, bytes.fromhex(said["eui64"]))


def relay(host, port, eui64):
    """A port that speaks the wrapper to a client, and the wrapper with the gateway header to the hub."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            near, _ = listener.accept()
            far = socket.create_connection((host, port), 20)
            header = bytes([0xE6, 0, len(eui64)]) + eui64
            threading.Thread(target=pump, args=(near, far, lambda apdu: header + apdu), daemon=True).start()
            threading.Thread(target=pump, args=(far, near, behind(eui64)), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def behind(eui64):
    """The APDU behind the header of this device; nothing for what another device, or an alert, says."""
    header = bytes([0xE7, 0, len(eui64)]) + eui64

    def of(message):
        apdu = message[len(header):]
        return apdu if message.startswith(header) and apdu[:1] not in (b"\xC2", b"\x0F") else None

    return of


def pump(source, sink, change):
    while True:
        header = exactly(source, 8)
        if header is None:
            sink.close()
            return
        version, one, other, length = struct.unpack(">4H", header)
        apdu = change(exactly(source, length))
        if apdu is not None:
            sink.sendall(struct.pack(">4H", version, one, other, len(apdu)) + apdu)


def exactly(stream, count):
    octets = b""
    while len(octets) < count:
        more = stream.recv(count - len(octets))
        if not more:
            return None
        octets += more
    return octets


def jobs():
    return [Job(said) for said in json.loads(sys.argv[1])]


def report(**said):
    print("REPORT " + json.dumps(said), flush=True)
