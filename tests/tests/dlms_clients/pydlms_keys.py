"""Changes the keys of a client with pydlms-client: what it wraps is for the meter to unwrap. Reports what the register says with
the new keys, and whether the old ones and keys wrapped under another master key are refused."""

from pydlms import DlmsClient, Mechanism, SecurityContext
from pydlms.security.keywrap import KeyId, key_transfer_data

from visit import jobs, report

SETUP, SECURITY_SETUP, KEY_TRANSFER = "0.0.43.0.5.255", 64, 2
MASTER, OTHER = bytes(range(0xF0, 0x100)), bytes(16)
NEW, NEW_AUTH = bytes([0xE1] * 16), bytes([0xA1] * 16)


def associate(job, key, auth_key, counter):
    context = SecurityContext(key, auth_key, client_system_title=job.title, invocation_counter=counter)
    return DlmsClient.tcp(job.host, job.port, client_sap=job.client, mechanism=Mechanism.HLS_GMAC, security=context)


def transfer(client, master):
    keys = {KeyId.GLOBAL_UNICAST_ENCRYPTION: NEW, KeyId.AUTHENTICATION: NEW_AUTH}
    client.action(SETUP, SECURITY_SETUP, KEY_TRANSFER, key_transfer_data(master, keys))


def refused(attempt):
    try:
        attempt()
    except Exception as refusal:  # Whatever this client calls it.
        return str(refusal) or type(refusal).__name__
    return None


def change(job):
    with associate(job, job.key, job.auth_key, 1) as client:
        other_master = refused(lambda: transfer(client, OTHER))
        still = float(client.get_register(job.register).value)
    with associate(job, job.key, job.auth_key, 1000) as client:
        transfer(client, MASTER)
        # The old keys are gone, and with them the way to release.
        refused(client.association.release)
    with associate(job, NEW, NEW_AUTH, 1) as client:
        register = float(client.get_register(job.register).value)
    old = refused(lambda: associate(job, job.key, job.auth_key, 2000).__enter__())
    report(other_master=other_master, still=still, register=register, old=old)


for job in jobs():
    change(job)
