"""Reads a device behind a hub with gurux-dlms, over TCP with the wrapper and the DLMS gateway header.

Arguments: host, port, password, EUI-64 of the device. Prints one JSON object.
"""

import json
import socket
import sys

from gurux_dlms import GXByteBuffer, GXDLMSClient, GXDLMSGateway, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType
from gurux_dlms.objects import GXDLMSClock, GXDLMSData, GXDLMSProfileGeneric, GXDLMSRegister


class Hub:
    def __init__(self, host, port, password, eui64):
        self.stream = socket.create_connection((host, port), 20)
        self.client = GXDLMSClient(True, 1, 1, Authentication.LOW, password, InterfaceType.WRAPPER)
        self.client.gateway = GXDLMSGateway()
        self.client.gateway.networkId = 0
        self.client.gateway.physicalDeviceAddress = bytearray.fromhex(eui64.replace("-", ""))

    def exchange(self, octets, reply):
        self.stream.sendall(bytes(octets))
        received, notice = GXByteBuffer(), GXReplyData()
        while not self.client.getData(received, reply, notice):
            if notice.data.size and not notice.isMoreData():
                notice.clear()  # An alert: not what was asked for.
                continue
            octets = self.stream.recv(4096)
            if not octets:
                raise EOFError("the hub closed the connection")
            received.set(octets)

    def ask(self, requests):
        reply = GXReplyData()
        for request in requests if isinstance(requests, list) else [requests]:
            reply.clear()
            self.exchange(request, reply)
            while reply.isMoreData():
                self.exchange(self.client.receiverReady(reply), reply)
        return reply

    def associate(self):
        self.client.parseAareResponse(self.ask(self.client.aarqRequest()).data)

    def read(self, thing, attribute):
        value = self.ask(self.client.read(thing, attribute)).value
        self.client.updateValue(thing, attribute, value)
        return thing


def main():
    host, port, password, eui64 = sys.argv[1:]
    hub = Hub(host, int(port), password, eui64)
    hub.associate()
    register = GXDLMSRegister("1.0.1.8.0.255")
    hub.read(register, 3)
    hub.read(register, 2)
    profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
    hub.read(profile, 3)
    hub.read(profile, 2)
    rows = [row[1:] for row in profile.buffer]
    entries = hub.ask(hub.client.readRowsByEntry(profile, 1, 3))
    profile.buffer = []
    hub.client.updateValue(profile, 2, entries.value)
    clock = hub.read(GXDLMSClock("0.0.1.0.0.255"), 2)
    identity = hub.read(GXDLMSData("0.0.96.1.0.255"), 2)
    print(json.dumps({
        "register": register.value * register.scaler,
        "unit": int(register.unit),
        "rows": rows,
        "entries": len(profile.buffer),
        "clock": clock.time.value.timestamp(),
        "identity": bytes(identity.value).decode(),
    }))


main()
