"""Visits a meter with gurux-dlms: one association, every operation, release.

What gurux-dlms 1.0.203 cannot do: HDLC windows of more than 1. Its check of a second frame without the poll bit reads a
variable that does not exist (UnboundLocalError in GXDLMSSettings.checkFrame). Frames larger than 128 octets it can.
"""

import datetime
import socket

import serial
from gurux_dlms import GXByteBuffer, GXDateTime, GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, DataType, InterfaceType, Security
from gurux_dlms.objects import GXDLMSClock, GXDLMSProfileGeneric, GXDLMSRegister
from gurux_dlms.secure import GXDLMSSecureClient

from visit import CLOCK, SHIFT_TIME, jobs, report


class Stream:
    def __init__(self, job):
        if job.serial:
            line = serial.Serial(job.serial, 9600, timeout=5)
            self.close = line.close
            self.send, self.receive = line.write, lambda: line.read(max(1, line.in_waiting))
        else:
            stream = socket.create_connection((job.host, job.port), 20)
            self.close = stream.close
            self.send, self.receive = stream.sendall, lambda: stream.recv(4096)


class Visit:
    def __init__(self, job):
        self.stream, self.received = Stream(job), GXByteBuffer()
        auth = {"none": Authentication.NONE, "low": Authentication.LOW, "gmac": Authentication.HIGH_GMAC}[job.auth]
        kind = InterfaceType.HDLC if job.hdlc else InterfaceType.WRAPPER
        server = job.server
        if job.hdlc and job.physical is not None:
            server = GXDLMSClient.getServerAddress(job.server, job.physical)
        self.client = GXDLMSSecureClient(True, job.client, server, auth, job.password or None, kind)
        self.hdlc = job.hdlc
        if job.hdlc:
            settings = self.client.hdlcSettings
            settings.windowSizeTX = settings.windowSizeRX = job.window
            settings.maxInfoTX = settings.maxInfoRX = job.max_info
        if job.auth == "gmac":
            ciphering = self.client.ciphering
            ciphering.security = Security.AUTHENTICATION_ENCRYPTION
            ciphering.systemTitle, ciphering.invocationCounter = job.title, job.counter
            ciphering.blockCipherKey, ciphering.authenticationKey = job.key, job.auth_key

    def exchange(self, octets, reply):
        self.stream.send(bytes(octets))
        notice = GXReplyData()
        while not self.client.getData(self.received, reply, notice):
            octets = self.stream.receive()
            if not octets:
                raise EOFError("the meter says nothing")
            self.received.set(octets)

    def ask(self, requests):
        reply = GXReplyData()
        for request in requests if isinstance(requests, list) else [requests]:
            reply.clear()
            self.exchange(request, reply)
            while reply.isMoreData():
                self.exchange(self.client.receiverReady(reply), reply)
        return reply

    def open(self):
        if self.hdlc:
            self.client.parseUAResponse(self.ask(self.client.snrmRequest()).data)
        self.client.parseAareResponse(self.ask(self.client.aarqRequest()).data)
        if self.client.authentication > Authentication.LOW:
            challenge = self.client.getApplicationAssociationRequest()
            self.client.parseApplicationAssociationResponse(self.ask(challenge).data)

    def read(self, thing, attribute):
        self.client.updateValue(thing, attribute, self.ask(self.client.read(thing, attribute)).value)
        return thing

    def rows(self, profile, request):
        profile.buffer = []
        self.client.updateValue(profile, 2, self.ask(request).value)
        return [[str(row[0].value), row[1]] for row in profile.buffer]

    def close(self):
        self.ask(self.client.releaseRequest())
        if self.hdlc:
            self.ask(self.client.disconnectRequest())
        self.stream.close()


def main(job):
    visit = Visit(job)
    client = visit.client
    visit.open()
    register = GXDLMSRegister(job.register)
    visit.read(register, 3)
    visit.read(register, 2)
    clock = visit.read(GXDLMSClock(CLOCK), 2)
    shown = clock.time.value
    profile = GXDLMSProfileGeneric(job.profile)
    visit.read(profile, 3)
    everything = visit.rows(profile, client.read(profile, 2))
    by_entry = visit.rows(profile, client.readRowsByEntry(profile, 1, 3))
    first, last = (profile.buffer[row][0].value for row in (0, 2))
    by_range = visit.rows(profile, client.readRowsByRange(profile, first, last))
    clock.time = GXDateTime(datetime.datetime.now(datetime.timezone.utc))
    visit.ask(client.write(clock, 2))
    visit.ask(client.method(clock, SHIFT_TIME, 0, DataType.INT16))
    visit.close()
    report(register=register.value * 1.0, unit=int(register.unit), clock=shown.timestamp(), rows=len(everything),
           by_entry=by_entry, by_range=by_range)


for job in jobs():
    main(job)
