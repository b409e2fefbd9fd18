"""A User System's listener for answers and alerts: keeps each message in a file, prints its name and says 204.

Mutual TLS, Python's own. The first line printed is the port.
"""

import http.server
import itertools
import os
import ssl
import sys

folder, authority, certificate, key = sys.argv[1:]
numbers = itertools.count(1)


class Listener(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = os.path.join(folder, f"received-{next(numbers):03}.xml")
        with open(name, "wb") as file:
            file.write(body)
        print(name, flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
context.load_verify_locations(authority)
context.verify_mode = ssl.CERT_REQUIRED
server = http.server.HTTPServer(("127.0.0.1", 0), Listener)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
