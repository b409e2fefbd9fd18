"""How fast independent DLMS/COSEM libraries read and write the two answers a lab sees most.

Takes the answers as hex on standard input, one a line: `NAME HEX`. Prints one line for each library and answer:
`LIBRARY NAME decode-ns encode-ns`, the best of several rounds. Each library must give back the octets it was given,
or it is not measured but said to be wrong.
"""

import sys
import time

ROUNDS = 7
SECONDS = 0.25


def best(action):
    """Nanoseconds one call takes: the best of several rounds."""
    calls, spent = 1, 0.0
    while spent < SECONDS / 4:
        calls *= 2
        spent = clocked(action, calls)
    return min(clocked(action, calls) for _ in range(ROUNDS)) / calls * 1e9


def clocked(action, calls):
    start = time.perf_counter()
    for _ in range(calls):
        action()
    return time.perf_counter() - start


def pydlms():
    from pydlms.apdu.xdlms import decode_apdu

    return decode_apdu, lambda answer, _: answer.to_bytes()


def dlms_cosem():
    from dlms_cosem.protocol.xdlms.get import GetResponseFactory
    from dlms_cosem.utils import parse_as_dlms_data

    def decode(octets):
        answer = GetResponseFactory.from_bytes(octets)
        parse_as_dlms_data(answer.data)
        return answer

    # It keeps the value as octets and builds none from Python values, so only decoding is compared.
    return decode, None


def gurux():
    from gurux_dlms.GXByteBuffer import GXByteBuffer
    from gurux_dlms.GXDLMSClient import GXDLMSClient
    from gurux_dlms.GXReplyData import GXReplyData
    from gurux_dlms.enums import Authentication, DataType, InterfaceType
    from gurux_dlms.internal._GXCommon import _GXCommon

    client = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.PDU)

    def decode(octets):
        reply = GXReplyData()
        client.getData(octets, reply, None)
        return reply.value

    def encode(value, octets):
        # The library builds answers only inside its server: the head is copied, the value is its own work.
        buffer = GXByteBuffer(octets[:4])
        kind = DataType.ARRAY if isinstance(value, list) else DataType.UINT32
        _GXCommon.setData(client.settings, buffer, kind, value)
        return bytes(buffer.array())

    return decode, encode


def main():
    answers = [line.split() for line in sys.stdin if line.strip()]
    for library in (pydlms, dlms_cosem, gurux):
        try:
            decode, encode = library()
        except ImportError as error:
            print(f"{library.__name__} - absent: {error}", file=sys.stderr)
            continue
        for name, text in answers:
            octets = bytes.fromhex(text)
            value = decode(octets)
            reading = best(lambda: decode(octets))
            if encode is None:
                writing = "-"
            elif bytes(encode(value, octets)) != octets:
                print(f"{library.__name__} writes {name} otherwise than it read it", file=sys.stderr)
                writing = "-"
            else:
                writing = f"{best(lambda: encode(value, octets)):.0f}"
            print(library.__name__, name, f"{reading:.0f}", writing, flush=True)


main()
