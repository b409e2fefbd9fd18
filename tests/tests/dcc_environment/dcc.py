"""A DCC of somebody else's, of Python's standard library, xmlsec1 and xmllint: mutual TLS, every request held against the schema
and its signature, every message signed by xmlsec1.

What it does with the reads (4.1.1) that come to it, in order:
1. turns the first away with 429, takes it the second time, and answers: with a broken inner signature, with a broken outer one,
   without a client certificate, well, a second time, and to a request that nobody sent;
2. takes it, and answers when the next comes;
3. answers.

The first line printed is the port; each further one is a JSON object of what happened.
"""

import http.client
import http.server
import json
import os
import re
import ssl
import subprocess
import sys
import threading

folder, listener, schema, devices = sys.argv[1:]
listener = int(listener)
devices = dict(pair.split("=") for pair in devices.split(","))
SPACES = ('xmlns:sr="http://www.dccinterface.co.uk/ServiceUserGateway" '
          'xmlns:ra="http://www.dccinterface.co.uk/ResponseAndAlert" schemaVersion="5.4"')
TIME = "2026-11-21T09:30:00Z"


def path(name):
    return os.path.join(folder, name)


with open(path("template.ds")) as file:
    TEMPLATE = file.read()


def tell(**what):
    print(json.dumps(what), flush=True)


def sign(xml, party, number):
    """xmlsec1 fills in the signature that ends the root element."""
    at = xml.rindex("</")
    with open(path(f"to-sign-{number}.xml"), "w") as file:
        file.write(xml[:at] + TEMPLATE + xml[at:])
    key = f"{path(party + '.key')},{path(party + '.pem')}"
    where = "/*/*[local-name()='Signature']"
    command = ["xmlsec1", "--sign", "--privkey-pem", key, "--node-xpath", where, file.name]
    signed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return re.sub(r"^<\?xml[^>]*\?>\s*", "", signed).strip()


def is_sound(name):
    """What is wrong with a request, for xmlsec1 and xmllint; nothing for a good one."""
    command = ["xmlsec1", "--verify", "--enabled-key-data", "x509", "--trusted-pem", path("ca.pem")]
    for user in ["is", "gs", "ed", "ou"]:
        command += ["--untrusted-pem", path(user + ".pem")]
    if subprocess.run(command + [name], capture_output=True).returncode != 0:
        return "signature"
    if schema:
        command = ["xmllint", "--noout", "--nonet", "--schema", schema, name]
        checked = subprocess.run(command, capture_output=True, text=True)
        if checked.returncode != 0:
            return checked.stderr
    return None


class Dcc(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with turn:
            status, headers, said = take(self.path, body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(said.encode())
        self.close_connection = True

    def log_message(self, *_):
        pass


turn = threading.Lock()
numbers = {"message": 0, "read": 0, "throttled": False}
under_way = []
owed = []


def number():
    numbers["message"] += 1
    return numbers["message"]


def field(xml, name):
    return re.search(f"<(?:\\w+:)?{name}>([^<]*)<", xml).group(1)


def take(address, xml):
    name = path(f"request-{number()}.xml")
    with open(name, "w") as file:
        file.write(xml)
    fault = is_sound(name)
    request, srv = field(xml, "RequestID"), field(xml, "ServiceReferenceVariant")
    tell(request=request, srv=srv, address=address, fault=fault)
    if fault:
        return 400, {}, fault
    if srv == "8.2":
        return 200, {}, inventory(request)
    if numbers["read"] == 0 and not numbers["throttled"]:
        numbers["throttled"] = True
        return 429, {"Retry-After": "1"}, "asked too much"
    for thread in under_way:
        thread.join()
    while owed:
        post("late", owed.pop())
    numbers["read"] += 1
    begin(numbers["read"], request)
    return 200, {}, acknowledgement(request, srv)


def begin(read, request):
    """Answers from another thread, as a DCC does: the acknowledgement does not wait for it."""
    if read == 2:
        owed.append(answer(request))
        return
    messages = [("good", answer(request))]
    if read == 1:
        user, device, counter = request.split(":")
        nobodys = f"{user}:{device}:{int(counter) + 1000}"
        messages = [
            ("inner", answer(request, inner=lambda xml: xml.replace("123456", "123457"))),
            ("outer", answer(request).replace(TIME, "2026-11-21T09:30:01Z")),
            ("bare", answer(request)),
            messages[0],
            ("duplicate", answer(request)),
            ("unsolicited", answer(nobodys)),
        ]
    thread = threading.Thread(target=lambda: [post(*message) for message in messages])
    under_way.append(thread)
    thread.start()


def acknowledgement(request, srv):
    return sign(
        f"<sr:Response {SPACES}><sr:Header><sr:RequestID>{request}</sr:RequestID><sr:ResponseCode>I99</sr:ResponseCode>"
        f"<sr:ResponseDateTime>{TIME}</sr:ResponseDateTime></sr:Header><sr:Body><sr:ResponseMessage>"
        f"<sr:ServiceReference>4.1</sr:ServiceReference><sr:ServiceReferenceVariant>{srv}</sr:ServiceReferenceVariant>"
        f"</sr:ResponseMessage></sr:Body></sr:Response>",
        "dsp",
        number(),
    )


def inventory(request):
    each = "".join(
        f"<sr:Device><sr:DeviceID>{device}</sr:DeviceID><sr:DeviceType>{kind}</sr:DeviceType>"
        f"<sr:DeviceStatus>Commissioned</sr:DeviceStatus><sr:DeviceManufacturer>1052</sr:DeviceManufacturer>"
        f"<sr:DeviceModel>00A10001</sr:DeviceModel><sr:CSPRegion>SMETS1</sr:CSPRegion><sr:S1SP>S1SP</sr:S1SP></sr:Device>"
        for kind, device in devices.items()
    )
    return sign(
        f"<sr:Response {SPACES}><sr:Header><sr:RequestID>{request}</sr:RequestID><sr:ResponseCode>I0</sr:ResponseCode>"
        f"<sr:ResponseDateTime>{TIME}</sr:ResponseDateTime></sr:Header><sr:Body><sr:ResponseMessage>"
        f"<sr:ServiceReference>8.2</sr:ServiceReference><sr:ServiceReferenceVariant>8.2</sr:ServiceReferenceVariant>"
        f"<sr:DSPInventory>{each}</sr:DSPInventory></sr:ResponseMessage></sr:Body></sr:Response>",
        "dsp",
        number(),
    )


def answer(request, inner=lambda xml: xml):
    user, device, counter = request.split(":")
    signed = sign(
        f"<sr:SMETS1SignedResponse {SPACES}><sr:SMETS1Response><sr:Header>"
        f"<ra:BusinessOriginatorID>{device}</ra:BusinessOriginatorID><ra:BusinessTargetID>{user}</ra:BusinessTargetID>"
        f"<ra:OriginatorCounter>{counter}</ra:OriginatorCounter></sr:Header><sr:Body><sr:ResponseMessage><ra:SMETSData>"
        f'<ra:ReadInstantaneousImportRegistersRsp MessageSuccess="true"><ra:Electricity><ra:ActiveImportRegister>'
        f"<ra:Value>123456</ra:Value><ra:ActiveEnergyUnit>Wh</ra:ActiveEnergyUnit></ra:ActiveImportRegister></ra:Electricity>"
        f"</ra:ReadInstantaneousImportRegistersRsp></ra:SMETSData></sr:ResponseMessage></sr:Body></sr:SMETS1Response>"
        f"</sr:SMETS1SignedResponse>",
        "s1sp",
        number(),
    )
    return sign(
        f"<sr:Response {SPACES}><sr:Header><sr:RequestID>{request}</sr:RequestID>"
        f"<sr:ResponseID>{device}:{user}:{counter}</sr:ResponseID><sr:ResponseCode>I0</sr:ResponseCode>"
        f"<sr:ResponseDateTime>{TIME}</sr:ResponseDateTime></sr:Header><sr:Body><sr:SMETS1ResponseMessage>"
        f"<sr:ServiceReference>4.1</sr:ServiceReference><sr:ServiceReferenceVariant>4.1.1</sr:ServiceReferenceVariant>"
        f"{inner(signed)}</sr:SMETS1ResponseMessage></sr:Body></sr:Response>",
        "dsp",
        number(),
    )


def post(what, xml):
    """Hands a message over at the lab's listener, and tells what was said to it."""
    context = ssl.create_default_context(cafile=path("ca.pem"))
    if what != "bare":
        context.load_cert_chain(path("dcc.pem"), path("dcc.key"))
    try:
        connection = http.client.HTTPSConnection("127.0.0.1", listener, context=context, timeout=30)
        connection.request("POST", "/", xml.encode(), {"Content-Type": "application/xml"})
        reply = connection.getresponse()
        tell(posted=what, status=reply.status, said=reply.read().decode())
    except (OSError, http.client.HTTPException) as error:
        tell(posted=what, status=0, said=str(error))


class Server(http.server.ThreadingHTTPServer):
    """A client that shows no certificate takes nothing with it but its own connection."""

    def finish_request(self, request, client):
        try:
            request.do_handshake()
        except ssl.SSLError as error:
            tell(turned_away=str(error))
            return
        super().finish_request(request, client)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(path("dcc.pem"), path("dcc.key"))
context.load_verify_locations(path("ca.pem"))
context.verify_mode = ssl.CERT_REQUIRED
server = Server(("127.0.0.1", 0), Dcc)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
