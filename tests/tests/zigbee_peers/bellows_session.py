"""An independent host, bellows with zigpy, against the dongle whose serial port is the argument.

Starts the co-processor, forms a network, lets devices join, asks them what they have, reads attributes of the meters, has
one report, asks for a profile, a snapshot, a price and a tunnel, and asks for what is not there. Says what it saw, a JSON object a line; any failure is an exception and exit
code 1. Everything on the wire is bellows' and zigpy's own.

zigpy's device objects pass over answers of the Smart Energy profile, so the packets are taken one step before them.
"""

import asyncio
import json
import os
import struct
import sys
import traceback

import bellows.zigbee.application
import zigpy.config
import zigpy.types as t
from zigpy.zcl import foundation
from zigpy.zcl.clusters.smartenergy import Metering
from zigpy.zcl.foundation import GeneralCommand

SMART_ENERGY = 0x0109
METERING = 0x0702
PRICE = 0x0700
TUNNELING = 0x0704
WAIT = 20


def say(what, **facts):
    print(json.dumps({"what": what, **facts}), flush=True)


class Application(bellows.zigbee.application.ControllerApplication):
    """bellows' controller, with the packets of the Smart Energy profile kept for us."""

    def __init__(self, config):
        super().__init__(config)
        self.packets = asyncio.Queue()

    def packet_received(self, packet):
        if packet.profile_id == SMART_ENERGY:
            self.packets.put_nowait(packet)
        super().packet_received(packet)


class Listener:
    """What the application tells of itself."""

    def __init__(self, wanted):
        self.joined = {}
        self.ready = asyncio.Event()
        self.wanted = wanted

    def device_joined(self, device):
        self.joined[str(device.ieee)] = device
        if len(self.joined) >= self.wanted:
            self.ready.set()


async def await_command(application, device, command, tsn=None):
    """The next foundation command of this kind from a device."""
    schema = foundation.GENERAL_COMMANDS[command].schema
    async with asyncio.timeout(WAIT):
        while True:
            packet = await application.packets.get()
            header, rest = foundation.ZCLHeader.deserialize(packet.data.serialize())
            ours = packet.src.address == device.nwk and packet.cluster_id == METERING
            if ours and header.command_id == command and tsn in (None, header.tsn):
                answer, left = schema.deserialize(rest)
                assert not left, left
                return answer


async def ask(application, device, tsn, command, reply, **fields):
    """A foundation command to a device's Metering cluster, and the answer to it."""
    header = foundation.ZCLHeader.general(tsn=tsn, command_id=command)
    payload = foundation.GENERAL_COMMANDS[command].schema(**fields).serialize()
    await application.send_packet(
        t.ZigbeePacket(
            src=t.AddrModeAddress(t.AddrMode.NWK, 0x0000),
            src_ep=1,
            dst=t.AddrModeAddress(t.AddrMode.NWK, device.nwk),
            dst_ep=1,
            tsn=tsn,
            profile_id=SMART_ENERGY,
            cluster_id=METERING,
            data=t.SerializableBytes(header.serialize() + payload),
            tx_options=t.TransmitOptions.ACK,
        )
    )
    return await await_command(application, device, reply, tsn)


async def cluster_command(application, device, tsn, cluster, command, payload, reply):
    """A command of a cluster to a device, and the payload of the command that answers it."""
    header = foundation.ZCLHeader.cluster(tsn=tsn, command_id=command)
    header.frame_control = header.frame_control.replace(disable_default_response=True)
    await application.send_packet(
        t.ZigbeePacket(
            src=t.AddrModeAddress(t.AddrMode.NWK, 0x0000),
            src_ep=1,
            dst=t.AddrModeAddress(t.AddrMode.NWK, device.nwk),
            dst_ep=1,
            tsn=tsn,
            profile_id=SMART_ENERGY,
            cluster_id=cluster,
            data=t.SerializableBytes(header.serialize() + payload),
            tx_options=t.TransmitOptions.ACK,
        )
    )
    async with asyncio.timeout(WAIT):
        while True:
            packet = await application.packets.get()
            header, rest = foundation.ZCLHeader.deserialize(packet.data.serialize())
            ours = packet.src.address == device.nwk and packet.cluster_id == cluster
            if ours and header.frame_control.is_cluster and header.command_id == reply:
                return rest


async def cluster_commands(application, meter):
    """What a meter is asked on the hub's network too; zigpy has the layouts of Metering, the others are the standard's."""
    commands, answers = Metering.ServerCommandDefs, Metering.ClientCommandDefs
    profile = commands.get_profile.schema(interval_channel=0, end_time=0, number_of_periods=3).serialize()
    answer = await cluster_command(
        application, meter, 0x60, METERING, commands.get_profile.id, profile, answers.get_profile_response.id
    )
    end, status, interval, count = struct.unpack_from("<IBBB", answer)
    intervals = [int.from_bytes(answer[7 + 3 * n : 10 + 3 * n], "little") for n in range(count)]
    say("profile", end=end, status=status, interval=interval, intervals=intervals, octets=len(answer))

    snapshot = commands.get_snapshot.schema(
        earliest_start_time=0, latest_end_time=0, snapshot_offset=0, snapshot_cause=1
    ).serialize()
    answer = await cluster_command(
        application, meter, 0x61, METERING, commands.get_snapshot.id, snapshot, answers.publish_snapshot.id
    )
    published, left = answers.publish_snapshot.schema.deserialize(answer)
    say(
        "snapshot",
        found=int(published.total_snapshots_found),
        sum=int.from_bytes(bytes(published.snapshot_payload)[:6], "little"),
        left=len(left),
    )

    # GetCurrentPrice and PublishPrice (Smart Energy 1.4, D.4.2.3.2 and D.4.2.4.1).
    answer = await cluster_command(application, meter, 0x62, PRICE, 0x00, b"\x00", 0x00)
    label = answer[5 : 5 + answer[4]]
    _, _, unit, currency, digits, _, _, _, price = struct.unpack_from("<IIBHBBIHI", answer, 5 + answer[4])
    say("price", label=label.decode(), unit=unit, currency=currency, digits=digits >> 4, price=price)

    # RequestTunnel for DLMS/COSEM (D.6.2.4.1), an AARQ of the public client in the wrapper, and CloseTunnel.
    answer = await cluster_command(
        application, meter, 0x63, TUNNELING, 0x00, struct.pack("<BHBH", 0, 0xFFFF, 0, 1500), 0x00
    )
    tunnel, status = struct.unpack_from("<HB", answer)
    aarq = bytes.fromhex("601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0")
    wrapped = struct.pack(">HHHH", 1, 16, 1, len(aarq)) + aarq
    answer = await cluster_command(
        application, meter, 0x64, TUNNELING, 0x02, struct.pack("<H", tunnel) + wrapped, 0x01
    )
    say("tunnel", status=status, apdu=answer[10:].hex(), source=int.from_bytes(answer[4:6], "big"))


async def read(application, device, tsn, ids):
    answer = await ask(
        application,
        device,
        tsn,
        GeneralCommand.Read_Attributes,
        GeneralCommand.Read_Attributes_rsp,
        attribute_ids=ids,
    )
    return answer.status_records


def reporting(attribute, data_type, minimum, maximum, change):
    record = foundation.AttributeReportingConfig()
    record.direction = foundation.ReportingDirection.SendReports
    record.attrid = attribute
    record.datatype = data_type
    record.min_interval = minimum
    record.max_interval = maximum
    record.reportable_change = change
    return record


async def main(port, devices):
    config = {
        zigpy.config.CONF_DEVICE: {
            zigpy.config.CONF_DEVICE_PATH: port,
            zigpy.config.CONF_DEVICE_BAUDRATE: 115200,
            zigpy.config.CONF_DEVICE_FLOW_CONTROL: "software",
        },
        zigpy.config.CONF_DATABASE: None,
        zigpy.config.CONF_NWK_BACKUP_ENABLED: False,
        zigpy.config.CONF_OTA: {zigpy.config.CONF_OTA_ENABLED: False},
        zigpy.config.CONF_TOPO_SCAN_ENABLED: False,
    }
    application = Application(config)
    listener = Listener(devices)
    application.add_listener(listener)
    await application.startup(auto_form=True)
    state = application.state
    say(
        "formed",
        ieee=str(state.node_info.ieee),
        board=state.node_info.model,
        version=state.node_info.version,
        channel=int(state.network_info.channel),
    )
    await application._ezsp.permitJoining(60)
    await asyncio.wait_for(listener.ready.wait(), WAIT)

    meters = []
    for ieee, device in sorted(listener.joined.items()):
        for _ in range(40):
            if 1 in device.endpoints and device.endpoints[1].in_clusters:
                break
            await asyncio.sleep(0.1)
        known = 1 in device.endpoints
        clusters = [int(cluster) for cluster in sorted(device.endpoints[1].in_clusters)] if known else []
        say("device", ieee=ieee, clusters=clusters)
        # A gas meter that has just joined is awake for a while only: no use to a test.
        if METERING in clusters and not device.node_desc.is_end_device:
            meters.append(device)

    for tsn, device in enumerate(meters, 0x40):
        records = await read(application, device, tsn, [0x0000, 0x0300, 0x0302, 0x7FFF])
        say(
            "read",
            ieee=str(device.ieee),
            statuses=[int(record.status) for record in records],
            values=[int(record.value.value) for record in records if record.status == 0],
        )

    meter = meters[-1]
    demand, summation = (
        reporting(0x0400, foundation.DataTypeId.int24, 1, 2, t.int24s(100_000)),
        reporting(0x0000, foundation.DataTypeId.uint8, 1, 2, t.uint8_t(1)),
    )
    answer = await ask(
        application,
        meter,
        0x50,
        GeneralCommand.Configure_Reporting,
        GeneralCommand.Configure_Reporting_rsp,
        config_records=[demand, summation],
    )
    say("configured", refused=[[int(record.status), int(record.attrid)] for record in answer.status_records])
    report = await await_command(application, meter, GeneralCommand.Report_Attributes)
    say(
        "report",
        ieee=str(meter.ieee),
        values={f"{record.attrid:04x}": int(record.value.value) for record in report.attribute_reports},
    )
    await cluster_commands(application, meter)
    counters = await application._ezsp.read_counters()
    say("counters", sent=int(counters[9]), failed=int(counters[11]), joined=int(counters[16]))
    await application.shutdown()
    say("done")


try:
    asyncio.run(asyncio.wait_for(main(sys.argv[1], int(sys.argv[2])), 150))
except BaseException:
    # bellows reads the port in a thread of its own, which would keep a failed session alive.
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)
