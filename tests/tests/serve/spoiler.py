"""A caller that spoils what it says: octets where TLS, HTTP or gRPC should be, silence, and a word now and then.

Reads a plan {"target": "127.0.0.1:50051", "ca": FILE, "cert": FILE, "key": FILE} from standard input, does every case of CASES
at once, each on a connection of its own, and prints for each of them: its name, the port it came from, how many seconds the
server let it be, and what it was answered.
"""

import json
import socket
import ssl
import sys
import threading
import time

# Longer than any deadline of the server that is looked for here.
PATIENCE = 60
NOW_AND_THEN = 0.5

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


SETTINGS = PREFACE + frame(4, 0, 0)


def header(name, value):
    """A literal header field that is not indexed (RFC 7541, 6.2.2)."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def grpc(message, *more):
    """A call of a method that the caller has a right to, with these octets as its message (RFC 9113)."""
    fields = [
        (b":method", b"POST"),
        (b":scheme", b"https"),
        (b":path", b"/smets1.lab.v1.Queue/Join"),
        (b":authority", b"localhost"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
        *more,
    ]
    head = b"".join(header(name, value) for name, value in fields)
    return SETTINGS + frame(1, 4, 1, head) + frame(0, 1, 1, message)


def http(body, *more, length=None):
    lines = [b"POST /control/hold HTTP/1.1", b"Host: localhost", *more]
    if length is not None:
        lines.append(b"Content-Length: %d" % length)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


JSON = b"Content-Type: application/json"

# Of each: whether TLS is spoken, what is said at once, and whether an octet more is said now and then.
CASES = {
    "says nothing, not even TLS": (False, b"", None),
    "begins a handshake, an octet now and then": (False, b"\x16\x03\x01", b"\x02"),
    "HTTP where TLS should be": (False, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", None),
    "octets where TLS should be": (False, bytes(range(256)), None),
    "says nothing within TLS": (True, b"", None),
    "a head, an octet now and then": (True, b"GET / HTTP/1.1\r\nX: ", b"x"),
    "octets where HTTP should be": (True, bytes(range(128, 256)) * 2, None),
    "a head too long": (True, b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", None),
    "a method of no letters": (True, b"G\x01T / HTTP/1.1\r\nHost: localhost\r\n\r\n", None),
    "two lengths": (True, http(b"{}", JSON, b"Content-Length: 3", length=2), None),
    "a length of no number": (True, http(b"{}", JSON, b"Content-Length: -1"), None),
    "pieces of no length": (True, http(b"zz\r\n{}\r\n0\r\n\r\n", JSON, b"Transfer-Encoding: chunked"), None),
    "JSON that is cut": (True, http(b'{"rig":', JSON, length=7), None),
    "JSON that does not come": (True, http(b'{"rig":', JSON, length=100), None),
    "JSON, an octet now and then": (True, http(b"{", JSON, length=1000), b" "),
    "JSON too long": (True, http(b" " * 70_000, JSON, length=70_000), None),
    "JSON that is something else": (True, http(b"[]", JSON, length=2), None),
    "a form where JSON should be": (True, http(b"a=b", b"Content-Type: text/plain", length=3), None),
    "a preface that is spoilt": (True, PREFACE[:-6] + b"XX\r\n\r\n", None),
    "a preface, then nothing": (True, SETTINGS, None),
    "a preface, then octets": (True, SETTINGS + b"\xff" * 64, None),
    "settings of no length there is": (True, PREFACE + frame(4, 0, 0, b"12345"), None),
    "a head in no known code": (True, SETTINGS + frame(1, 4, 1, b"\xff" * 32), None),
    "a message shorter than it says": (True, grpc(b"\x00\x00\x00\x00\x64abc"), None),
    "a message too long": (True, grpc(b"\x00\x7f\xff\xff\xffabc"), None),
    "a message compressed for no reason": (True, grpc(b"\x01\x00\x00\x00\x00"), None),
    "a message compressed as nobody knows": (True, grpc(b"\x00\x00\x00\x00\x00", (b"grpc-encoding", b"none-such")), None),
    "a message of no such fields": (True, grpc(b"\x00\x00\x00\x00\x03\xff\xff\xff"), None),
}


def connect(plan, tls):
    host, port = plan["target"].rsplit(":", 1)
    plain = socket.create_connection((host, int(port)), timeout=PATIENCE)
    if not tls:
        return plain
    context = ssl.create_default_context(cafile=plan["ca"])
    context.load_cert_chain(plan["cert"], plan["key"])
    return context.wrap_socket(plain, server_hostname=host)


def is_answer(said):
    """Whether this is the head of an answer: of HTTP/1.1, or a frame that says how a call or a connection of HTTP/2 ends."""
    if said.startswith(b"HTTP/"):
        return b"\r\n\r\n" in said
    at = 0
    while at + 9 <= len(said):
        # HEADERS, RST_STREAM, GOAWAY
        if said[at + 3] in (1, 3, 7):
            return True
        at += 9 + int.from_bytes(said[at : at + 3], "big")
    return False


def answered(opened, more):
    """Everything that is answered, until the server closes the connection or there is an answer to HTTP/1.1 or gRPC."""
    opened.settimeout(NOW_AND_THEN)
    said, until = b"", time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            octets = opened.recv(65536)
            if not octets:
                return said, True
            said += octets
            if is_answer(said):
                return said, True
        except TimeoutError:
            if more:
                opened.sendall(more)
        except OSError:
            return said, True
    return said, False


def one(plan, name, told):
    tls, at_once, more = CASES[name]
    opened = connect(plan, tls)
    begun, port = time.monotonic(), opened.getsockname()[1]
    said, ended = b"", True
    try:
        opened.sendall(at_once)
    except OSError:
        pass
    try:
        said, ended = answered(opened, more)
    except OSError:
        pass
    told[name] = {
        "name": name,
        "port": port,
        "seconds": time.monotonic() - begun,
        "ended": ended,
        "said": said[:40].decode("ascii", "replace"),
    }
    opened.close()


def main():
    plan, told = json.load(sys.stdin), {}
    all_of_them = [threading.Thread(target=one, args=(plan, name, told)) for name in CASES]
    for thread in all_of_them:
        thread.start()
    for thread in all_of_them:
        thread.join()
    json.dump([told[name] for name in CASES], sys.stdout)


main()
