"""Visits a meter with dlms-cosem: one association, every operation, release.

What dlms-cosem 25.1.0 cannot do, so that nobody looks for it here: it negotiates nothing in its SNRM, so over HDLC it
always has window 1 and 128 octets; it cuts the line at every 7E, so it never sees the end of a frame whose check
sequence ends in one (mended here); of protections it knows only authentication with encryption; it cannot encode a selection by
entry, so its octets are written out here.
"""

import datetime

from dlms_cosem import cosem, dlms_data, enumerations, security, time, utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import RangeDescriptor
from dlms_cosem.io import BlockingTcpIO, HdlcTransport, SerialIO, TcpTransport

from visit import CLOCK, SHIFT_TIME, jobs, report

Interface = enumerations.CosemInterface


def authentication(job):
    return {
        "none": security.NoSecurityAuthentication,
        "low": lambda: security.LowLevelSecurityAuthentication(secret=job.password.encode()),
        "gmac": lambda: security.HighLevelSecurityGmacAuthentication(challenge_length=16),
    }[job.auth]()


def transport(job):
    line = SerialIO(job.serial, baud_rate=9600) if job.serial else BlockingTcpIO(job.host, job.port)
    if not job.hdlc:
        return TcpTransport(job.client, job.server, line)
    return Line(job.client, job.server, line, server_physical_address=job.physical)


def open_client(job):
    keys = {}
    if job.auth == "gmac":
        keys = {"encryption_key": job.key, "authentication_key": job.auth_key, "client_system_title": job.title,
                "client_initial_invocation_counter": job.counter}
    return DlmsClient(transport=transport(job), authentication=authentication(job), **keys)


def attribute(interface, obis, number):
    return cosem.CosemAttribute(interface=interface, instance=cosem.Obis.from_string(obis), attribute=number)


class Line(HdlcTransport):
    """HDLC that takes a frame by its length, as the standard has it."""

    # Octets 7E within the frame last read: the parser takes each for an end, and wants more.
    inner = 0

    def recv_frame(self):
        if self.inner > 0:
            self.inner -= 1
            return b""
        while self.octet() != b"\x7E":
            pass
        head = self.octet()
        while head == b"\x7E":
            head = self.octet()
        head += self.octet()
        length = int.from_bytes(head, "big") & 0x7FF
        rest = self.io.recv(length - 2 + 1)
        self.inner = (head + rest).count(0x7E) - 1
        return b"\x7E" + head + rest

    def octet(self):
        octet = self.io.recv(1)
        if not octet:
            raise EOFError("the meter says nothing")
        return octet


class Entries:
    """Selector 2: entries from one to another, all columns."""

    def __init__(self, first, last):
        self.first, self.last = first, last

    def to_bytes(self):
        numbers = b"".join(b"\x06" + number.to_bytes(4, "big") for number in (self.first, self.last))
        return b"\x02\x02\x04" + numbers + b"\x12\x00\x01\x12\x00\x00"


def value(octets):
    return utils.parse_as_dlms_data(octets)


def visit(job):
    with open_client(job).session() as client:
        register = value(client.get(attribute(Interface.REGISTER, job.register, 2)))
        _, unit = value(client.get(attribute(Interface.REGISTER, job.register, 3)))
        shown, _ = time.datetime_from_bytes(value(client.get(attribute(Interface.CLOCK, CLOCK, 2))))
        profile = attribute(Interface.PROFILE_GENERIC, job.profile, 2)
        everything = value(client.get(profile))
        by_entry = value(client.get(profile, Entries(1, 3)))
        first, last = (time.datetime_from_bytes(bytes(by_entry[row][0]))[0] for row in (0, 2))
        clock = cosem.CosemAttribute(interface=Interface.CLOCK, instance=cosem.Obis.from_string(CLOCK), attribute=2)
        between = RangeDescriptor(restricting_object=clock_column(clock), from_value=first, to_value=last)
        by_range = value(client.get(profile, between))
        now = datetime.datetime.now(datetime.timezone.utc)
        written = dlms_data.OctetStringData(time.datetime_to_bytes(now)).to_bytes()
        said = client.set(attribute(Interface.CLOCK, CLOCK, 2), written)
        if said.result != enumerations.DataAccessResult.SUCCESS:
            raise ValueError(f"the write was answered {said}")
        method = cosem.CosemMethod(Interface.CLOCK, cosem.Obis.from_string(CLOCK), SHIFT_TIME)
        client.action(method, dlms_data.LongData(0).to_bytes())
    report(register=register * 1.0, unit=unit, clock=shown.timestamp(), rows=len(everything),
           by_entry=plain(by_entry), by_range=plain(by_range))


def clock_column(clock):
    return CaptureObject(cosem_attribute=clock, data_index=0)


def plain(rows):
    return [[bytes(row[0]).hex(), row[1]] for row in rows]


for job in jobs():
    visit(job)
