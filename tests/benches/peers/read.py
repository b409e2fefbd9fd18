"""How fast independent DLMS/COSEM clients read one register over the wrapper, again and again in one association.

`read.py HOST PORT ROUND-TRIPS` prints one line for each client: `CLIENT ROUND-TRIPS-A-SECOND`.
"""

import socket
import sys
import time

HOST, PORT, ROUND_TRIPS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def rate(read):
    read()
    start = time.perf_counter()
    for _ in range(ROUND_TRIPS):
        read()
    return ROUND_TRIPS / (time.perf_counter() - start)


def pydlms():
    from pydlms.client import DlmsClient

    with DlmsClient.tcp(HOST, PORT, client_sap=16, server_logical=1) as client:
        return rate(lambda: client.get("0-0:96.1.0", 1, 2))


def gurux():
    from gurux_dlms.GXByteBuffer import GXByteBuffer
    from gurux_dlms.GXDLMSClient import GXDLMSClient
    from gurux_dlms.GXReplyData import GXReplyData
    from gurux_dlms.enums import Authentication, InterfaceType
    from gurux_dlms.objects import GXDLMSData

    client = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.WRAPPER)
    line = socket.create_connection((HOST, PORT))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(messages):
        reply = GXReplyData()
        for message in messages if isinstance(messages, list) else [messages]:
            line.sendall(message)
            received = GXByteBuffer()
            reply.clear()
            while not client.getData(received, reply, None):
                received.set(line.recv(65536))
        return reply

    client.parseAareResponse(ask(client.aarqRequest()).data)
    identity = GXDLMSData("0.0.96.1.0.255")
    return rate(lambda: client.updateValue(identity, 2, ask(client.read(identity, 2)).value))


for name, client in {"pydlms-client": pydlms, "gurux-dlms": gurux}.items():
    try:
        print(name, f"{client():.0f}")
    except Exception as error:
        print(name, "failed:", repr(error)[:200])
