"""A party's own HTTPS server, from Python's standard library: busy for the first POST, refuses <bad/>, takes anything else.

usage: listener.py FOLDER    (with ca.pem, party.pem, party.key); prints its port
"""

import http.server
import pathlib
import ssl
import sys

FOLDER = pathlib.Path(sys.argv[1])
calls = 0


class Files(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global calls
        calls += 1
        octets = self.rfile.read(int(self.headers["Content-Length"]))
        if calls == 1:
            self.answer(503, b"busy", {"Retry-After": "0"})
        elif octets == b"<bad/>":
            self.answer(422, b"LAB-SCHEMA: no such element")
        else:
            self.answer(204, b"")

    def answer(self, status, text, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(FOLDER / "party.pem", FOLDER / "party.key")
context.load_verify_locations(FOLDER / "ca.pem")
context.verify_mode = ssl.CERT_REQUIRED
server = http.server.HTTPServer(("127.0.0.1", 0), Files)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
