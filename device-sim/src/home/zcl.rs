//! What the devices of a home answer to ZCL frames of a radio that is not the hub's: the lab's own dongle.
//!
//! The meter and the gas proxy serve Basic, Metering and Prepayment attributes, read only, and take commands as they do on
//! the hub's network ([`super::commands`]); the display answers as it answers the hub. The gas meter itself sleeps and hears nothing between its wakes: its values are the proxy's.

use proto_dlms::server::Peer;
use proto_dlms::wrapper::Message;
use proto_duis::{DeviceKind, Eui64};
use proto_zigbee::aps::ApsFrame;
use proto_zigbee::metering::{self, SupplyStatus};
use proto_zigbee::zcl::foundation::{Discovered, WriteFailure};
use proto_zigbee::zcl::{AttributeId, Command, Direction, Frame, FrameType, ReadRecord, Status};
use proto_zigbee::{Value, basic, key_establishment, prepayment, price, tunneling};

use super::Home;
use super::commands::{MOST_PERIODS, status};
use super::station::Door;
use crate::model::account::PaymentMode;
use crate::model::money::Millipence;
use crate::model::plate::Plate;
use crate::objects::Device;

/// Clusters the gas proxy serves to a radio.
pub(crate) const PROXY_CLUSTERS: [u16; 5] =
    [basic::CLUSTER, metering::CLUSTER, prepayment::CLUSTER, price::CLUSTER, key_establishment::CLUSTER];
/// Clusters a meter serves to a radio: those, and a tunnel for DLMS/COSEM.
pub(crate) const METER_CLUSTERS: [u16; 6] = [
    basic::CLUSTER,
    metering::CLUSTER,
    prepayment::CLUSTER,
    price::CLUSTER,
    tunneling::CLUSTER,
    key_establishment::CLUSTER,
];
/// The endpoint of a device whose Device Model names none.
const USUAL_ENDPOINT: u8 = 1;
/// Frames kept for a radio that does not fetch them; the oldest is lost first.
const TO_RADIO: usize = 16;

/// Attributes asked one by one when somebody asks which there are.
const KNOWN: [(u16, &[AttributeId]); 3] = [
    (
        basic::CLUSTER,
        &[
            basic::ZCL_VERSION,
            basic::MANUFACTURER_NAME,
            basic::MODEL_IDENTIFIER,
            basic::POWER_SOURCE,
            basic::SOFTWARE_BUILD,
        ],
    ),
    (
        metering::CLUSTER,
        &[
            metering::CURRENT_SUMMATION_DELIVERED,
            metering::SUPPLY_STATUS,
            metering::REMAINING_BATTERY_LIFE,
            metering::AMBIENT_CONSUMPTION_INDICATOR,
            metering::UNIT_OF_MEASURE,
            metering::MULTIPLIER,
            metering::DIVISOR,
            metering::METERING_DEVICE_TYPE,
            metering::INSTANTANEOUS_DEMAND,
            metering::MAX_NUMBER_OF_PERIODS_DELIVERED,
        ],
    ),
    (prepayment::CLUSTER, &[prepayment::PAYMENT_CONTROL_CONFIGURATION, prepayment::CREDIT_REMAINING]),
];

impl Home {
    /// The devices a radio may meet: all but the hub, which has a radio of its own.
    pub(crate) fn radio_devices(&self) -> Vec<(DeviceKind, Eui64)> {
        self.plates().filter(|(kind, _)| *kind != DeviceKind::Chf).collect()
    }

    /// Whether a device hears a radio now: it has power, is not silenced and does not sleep.
    pub(crate) fn hears_radio(&self, kind: DeviceKind) -> bool {
        match kind {
            DeviceKind::Esme => self.esme.as_ref().is_some_and(super::Station::answers),
            DeviceKind::Gpf => {
                let hub_lives = self.hub.as_ref().is_none_or(super::Station::answers);
                hub_lives && self.proxy.as_ref().is_some_and(|proxy| !proxy.silent)
            }
            DeviceKind::Gsme => self
                .gsme
                .as_ref()
                .is_some_and(|gsme| !gsme.silent && gsme.device.is_alive() && gsme.device.is_awake()),
            DeviceKind::Ppmid | DeviceKind::Ihd => {
                self.display.as_ref().is_some_and(|display| !display.silent && display.has_mains)
            }
            DeviceKind::Chf => false,
        }
    }

    /// A frame of a radio for a device: its answer, where it hears the frame and owes one.
    pub(crate) fn hear_radio(&mut self, to: Eui64, octets: &[u8]) -> Option<Vec<u8>> {
        let kind = self.kind_of(to).filter(|kind| self.hears_radio(*kind))?;
        if let DeviceKind::Ppmid | DeviceKind::Ihd = kind {
            return self.display.as_mut()?.device.receive_by_radio(octets);
        }
        let aps = ApsFrame::parse(octets).ok()?;
        let frame = Frame::parse(&aps.payload).ok()?;
        if frame.frame_type == FrameType::Cluster && frame.manufacturer.is_none() && is_asked(&frame) {
            let answer = self.serve_command(kind, octets);
            // What was asked may have changed what others show.
            self.carry();
            return answer;
        }
        let answer = self.serve_zcl(kind, aps.cluster, &frame)?;
        Some(aps.reply(answer.to_bytes()).to_bytes())
    }

    /// The endpoint a device has its clusters on.
    pub(crate) fn endpoint(&self, kind: DeviceKind) -> u8 {
        self.endpoints.get(&kind).copied().unwrap_or(USUAL_ENDPOINT)
    }

    /// What a device answers to a message that came through the tunnel of a radio.
    pub(crate) fn hear_tunnel_of_radio(&mut self, kind: DeviceKind, message: &Message) -> Vec<Message> {
        let peer = Peer::new(message.source, message.destination);
        let apdus = match kind {
            DeviceKind::Esme => self.esme.as_mut().map(|esme| esme.serve(Door::Radio, peer, &message.apdu)),
            DeviceKind::Gsme => self.gsme.as_mut().map(|gsme| gsme.serve(Door::Radio, peer, &message.apdu)),
            _ => None,
        };
        self.carry();
        let answer = |apdu| Message { source: message.destination, destination: message.source, apdu };
        apdus.unwrap_or_default().into_iter().map(answer).collect()
    }

    /// The tunnel of a radio to a device is gone, and the associations in it.
    pub(crate) fn radio_tunnel_closed(&mut self, kind: DeviceKind) {
        match kind {
            DeviceKind::Esme => self.esme.iter_mut().for_each(|esme| esme.forget(Door::Radio)),
            DeviceKind::Gsme => self.gsme.iter_mut().for_each(|gsme| gsme.forget(Door::Radio)),
            _ => {}
        }
    }

    /// Keeps a frame of a device for the radio it is for.
    pub(super) fn keep_for_radio(&mut self, from: Eui64, octets: Vec<u8>) {
        self.for_radio.push_back((from, octets));
        if self.for_radio.len() > TO_RADIO {
            self.for_radio.pop_front();
        }
    }

    /// What devices have to say to a radio by themselves.
    pub(crate) fn take_for_radio(&mut self) -> Vec<(Eui64, Vec<u8>)> {
        self.for_radio.drain(..).collect()
    }

    fn serve_zcl(&self, kind: DeviceKind, cluster: u16, frame: &Frame) -> Option<Frame> {
        let command = match frame.command() {
            _ if frame.direction == Direction::ToClient => return None,
            Ok(command) if command.is_answer() => return None,
            Ok(command) if frame.manufacturer.is_none() => command,
            Ok(_) => return Some(status(frame, Status::UNSUPPORTED_GENERAL_COMMAND)),
            Err(_) if frame.frame_type == FrameType::Cluster => {
                return Some(status(frame, Status::UNSUPPORTED_CLUSTER_COMMAND));
            }
            Err(_) => return Some(status(frame, Status::MALFORMED_COMMAND)),
        };
        let answer = match command {
            Command::ReadAttributes(ids) => Command::ReadAttributesResponse(
                ids.iter().map(|id| self.record(kind, cluster, *id)).collect(),
            ),
            Command::WriteAttributes(pairs) | Command::WriteAttributesUndivided(pairs) => {
                let ids = pairs.iter().map(|(id, _)| *id);
                Command::WriteAttributesResponse(ids.map(|id| self.refusal(kind, cluster, id)).collect())
            }
            Command::DiscoverAttributes { start, most } => self.discover(kind, cluster, start, most),
            Command::WriteAttributesNoResponse(_) | Command::ReportAttributes(_) => return None,
            _ => return Some(status(frame, Status::UNSUPPORTED_GENERAL_COMMAND)),
        };
        Some(frame.answer(&answer))
    }

    fn record(&self, kind: DeviceKind, cluster: u16, id: AttributeId) -> ReadRecord {
        ReadRecord { id, value: self.zcl_attribute(kind, cluster, id).ok_or(Status::UNSUPPORTED_ATTRIBUTE) }
    }

    fn refusal(&self, kind: DeviceKind, cluster: u16, id: AttributeId) -> WriteFailure {
        let known = self.zcl_attribute(kind, cluster, id).is_some();
        WriteFailure { status: if known { Status::READ_ONLY } else { Status::UNSUPPORTED_ATTRIBUTE }, id }
    }

    fn discover(&self, kind: DeviceKind, cluster: u16, start: AttributeId, most: u8) -> Command {
        let ids = KNOWN.iter().filter(|(of, _)| *of == cluster).flat_map(|(_, ids)| ids.iter());
        let mut all = ids.filter(|id| **id >= start).filter_map(|id| {
            let value = self.zcl_attribute(kind, cluster, *id)?;
            Some(Discovered { id: *id, data_type: value.data_type(), access: None })
        });
        let attributes = all.by_ref().take(most.into()).collect();
        Command::DiscoverAttributesResponse { complete: all.next().is_none(), attributes }
    }

    /// The value of an attribute now; none where the device has not got it.
    pub(crate) fn zcl_attribute(&self, kind: DeviceKind, cluster: u16, id: AttributeId) -> Option<Value> {
        match (kind, cluster) {
            (DeviceKind::Ppmid | DeviceKind::Ihd, _) => None,
            (_, basic::CLUSTER) => of_plate(self.plate_of(kind)?, id),
            (DeviceKind::Esme, metering::CLUSTER) => self.electricity(id),
            (DeviceKind::Esme, prepayment::CLUSTER) => {
                let account = self.esme.as_ref()?.device.connection.account();
                of_account(account.mode(), account.balance(), id)
            }
            (DeviceKind::Gpf, metering::CLUSTER) => self.gas(id),
            (DeviceKind::Gpf, prepayment::CLUSTER) => {
                let mirror = &self.proxy.as_ref()?.device.mirror;
                of_account(mirror.mode()?, mirror.balance(), id)
            }
            _ => None,
        }
    }

    fn plate_of(&self, kind: DeviceKind) -> Option<&Plate> {
        match kind {
            DeviceKind::Esme => self.esme.as_ref().map(|esme| &esme.device.core().plate),
            DeviceKind::Gpf => self.proxy.as_ref().map(|proxy| &proxy.device.core.plate),
            DeviceKind::Gsme => self.gsme.as_ref().map(|gsme| &gsme.device.core().plate),
            _ => None,
        }
    }

    /// Watt hours and watts, so that a divisor of a thousand makes kilowatt hours and kilowatts of them.
    fn electricity(&self, id: AttributeId) -> Option<Value> {
        let esme = &self.esme.as_ref()?.device;
        Some(match id {
            metering::CURRENT_SUMMATION_DELIVERED => Value::unsigned(6, esme.import_wh()),
            metering::INSTANTANEOUS_DEMAND => Value::signed(3, esme.watts().into()),
            metering::SUPPLY_STATUS => Value::Enum8(supply_octet(esme.connection.supply().control_state())),
            metering::AMBIENT_CONSUMPTION_INDICATOR => Value::Enum8(esme.power_level() as u8),
            metering::UNIT_OF_MEASURE => Value::Enum8(0),
            metering::METERING_DEVICE_TYPE => Value::bitmap(1, metering::ELECTRIC_METERING.into()),
            metering::MAX_NUMBER_OF_PERIODS_DELIVERED => Value::unsigned(1, MOST_PERIODS.into()),
            _ => return scale(id),
        })
    }

    /// Litres and litres an hour, so that a divisor of a thousand makes cubic metres of them. Nothing before the gas
    /// meter's first report.
    fn gas(&self, id: AttributeId) -> Option<Value> {
        let mirror = &self.proxy.as_ref()?.device.mirror;
        mirror.refreshed()?;
        Some(match id {
            metering::CURRENT_SUMMATION_DELIVERED => Value::unsigned(6, mirror.litres()),
            metering::INSTANTANEOUS_DEMAND => Value::signed(3, mirror.flow().into()),
            metering::SUPPLY_STATUS => Value::Enum8(mirror.supply()?.octet()),
            metering::REMAINING_BATTERY_LIFE => Value::unsigned(1, mirror.battery_percent().into()),
            metering::UNIT_OF_MEASURE => Value::Enum8(1),
            metering::METERING_DEVICE_TYPE => Value::bitmap(1, metering::MIRRORED_GAS_METERING.into()),
            metering::MAX_NUMBER_OF_PERIODS_DELIVERED => Value::unsigned(1, MOST_PERIODS.into()),
            _ => return scale(id),
        })
    }
}

fn scale(id: AttributeId) -> Option<Value> {
    match id {
        metering::MULTIPLIER => Some(Value::unsigned(3, 1)),
        metering::DIVISOR => Some(Value::unsigned(3, 1000)),
        _ => None,
    }
}

/// The supply status of the load switch's control state.
fn supply_octet(control_state: u8) -> u8 {
    let status = match control_state {
        1 => SupplyStatus::On,
        2 => SupplyStatus::OffArmed,
        _ => SupplyStatus::Off,
    };
    status.octet()
}

fn of_plate(plate: &Plate, id: AttributeId) -> Option<Value> {
    Some(match id {
        basic::ZCL_VERSION => Value::unsigned(1, 1),
        basic::MANUFACTURER_NAME => Value::text(&plate.manufacturer),
        basic::MODEL_IDENTIFIER => Value::text(&plate.model),
        basic::POWER_SOURCE => Value::Enum8(if plate.kind == DeviceKind::Gsme { 3 } else { 1 }),
        basic::SOFTWARE_BUILD => Value::text(&plate.firmware),
        _ => return None,
    })
}

/// Credit in pence, as the display is told it.
fn of_account(mode: PaymentMode, balance: Millipence, id: AttributeId) -> Option<Value> {
    match id {
        prepayment::CREDIT_REMAINING => Some(Value::signed(4, balance.get() / 1000)),
        prepayment::PAYMENT_CONTROL_CONFIGURATION => {
            let bits = if mode == PaymentMode::Prepayment { prepayment::PREPAYMENT_ENABLED } else { 0 };
            Some(Value::bitmap(2, bits.into()))
        }
        _ => None,
    }
}

/// Whether a frame goes to the side that holds the attributes.
fn is_asked(frame: &Frame) -> bool {
    frame.direction == Direction::ToServer
}
