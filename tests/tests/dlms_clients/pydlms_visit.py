"""Visits a meter with pydlms-client: one association, every operation, release."""

import datetime

from pydlms import DlmsClient, DlmsData, Mechanism, SecurityContext
from pydlms.apdu.xdlms import entry_descriptor, range_descriptor
from pydlms.cosem.time import CosemDateTime
from pydlms.hdlc.connection import HdlcParameters

from visit import CLOCK, SHIFT_TIME, jobs, report


def security(job):
    if job.auth == "none":
        return {}
    if job.auth == "low":
        return {"mechanism": Mechanism.LLS, "password": job.password.encode()}
    context = SecurityContext(job.key, job.auth_key, client_system_title=job.title, invocation_counter=job.counter)
    return {"mechanism": Mechanism.HLS_GMAC, "security": context}


def open_client(job):
    common = {"client_sap": job.client, "server_logical": job.server, **security(job)}
    if job.gbt:
        common |= {"propose_gbt": True, "gbt_window": job.gbt, "max_receive_pdu_size": 200}
    if not job.hdlc:
        return DlmsClient.tcp(job.host, job.port, **common)
    hdlc = HdlcParameters(job.max_info, job.max_info, job.window, job.window)
    common |= {"server_physical": job.physical, "hdlc_parameters": hdlc}
    if job.serial:
        return DlmsClient.serial(job.serial, **common)
    return DlmsClient.tcp(job.host, job.port, hdlc=True, **common)


def visit(job):
    with open_client(job) as client:
        uses_gbt = client.association.uses_gbt
        register = client.get_register(job.register)
        clock = client.get_clock().to_datetime()
        everything = client.read_profile(job.profile)
        by_entry = client.read_profile(job.profile, entry_descriptor(1, 3))
        first, last = (by_entry.cells[row][0] for row in (0, 2))
        by_range = client.read_profile(job.profile, range_descriptor(first, last))
        now = datetime.datetime.now(datetime.timezone.utc)
        client.set(CLOCK, 8, 2, DlmsData.octet_string(CosemDateTime.from_datetime(now).to_bytes()))
        client.action(CLOCK, 8, SHIFT_TIME, DlmsData.int16(0))
    report(register=float(register.value), unit=int(register.unit), clock=clock.timestamp(), rows=len(everything.rows),
           by_entry=plain(by_entry.rows), by_range=plain(by_range.rows), gbt=uses_gbt)


def plain(rows):
    return [[bytes(row[0]).hex(), row[1]] for row in rows]


for job in jobs():
    visit(job)
