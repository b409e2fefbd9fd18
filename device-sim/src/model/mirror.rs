//! The Gas Proxy Function: what the communications hub remembers of the gas meter between its wakes.
//!
//! The meter asks for its mirror (RequestMirror), then reports attributes whenever it wakes, and publishes a snapshot of
//! its register for each day that has ended. The mirror answers a report with what waits for the meter. It keeps logs of
//! its own, and knows how old what it shows is. Attributes of a meter that never asked for a mirror are refused.

use std::collections::VecDeque;

use proto_zigbee::aps::ApsFrame;

use proto_zigbee::metering::{
    self, CommandIds, Meaning, MirrorRemoved, MirrorReportAttributeResponse, PublishSnapshot,
    RequestMirrorResponse, SupplyStatus, ToClient, ToServer,
};
use proto_zigbee::zcl::{AttributeId, Command, Frame, FrameType, Status};
use proto_zigbee::{ToEnd, Value, prepayment, price};

use super::account::PaymentMode;
use super::core::Core;
use super::gsme::logs::{DAYS, DayEntry};
use super::money::Millipence;
use super::profile::Profile;
use super::time::{HALF_HOUR, MeterTime, Moment};

/// The endpoint the mirror is on.
pub const MIRROR_ENDPOINT: u16 = 0x000a;
/// No endpoint.
const NONE: u16 = 0xffff;
/// The predefined notification scheme of one flag (Smart Energy 1.4, D.3.4.4.3).
const SCHEME: u8 = 1;
/// Bit of its flag: a request waits for the meter.
pub const REQUEST_WAITS: u32 = 0x0000_0001;

/// The last values the gas meter reported, when, and the half hours they make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirror {
    litres: u64,
    supply: Option<SupplyStatus>,
    battery_percent: u8,
    flow: u32,
    mode: Option<PaymentMode>,
    balance: Millipence,
    unit_price: Millipence,
    standing_charge: Millipence,
    profile: Profile,
    days: VecDeque<DayEntry>,
    refreshed: Option<Moment>,
    refreshed_shown: Option<MeterTime>,
    /// Whether the meter has asked for its mirror.
    mirrors: bool,
    ids: CommandIds,
}

impl Mirror {
    /// A mirror that has followed its meter for as long as that has a profile, with the command identifiers its own
    /// stack has for snapshots.
    pub fn following<'d>(
        profile: &Profile,
        days: impl Iterator<Item = &'d DayEntry>,
        ids: CommandIds,
    ) -> Self {
        Self { profile: profile.clone(), days: days.copied().collect(), ids, ..Self::default() }
    }

    /// The meter was given another past: profile and days are those it has now. The rest it will report.
    pub fn follow<'d>(&mut self, profile: &Profile, days: impl Iterator<Item = &'d DayEntry>) {
        self.profile = profile.clone();
        self.days = days.copied().collect();
    }

    /// Takes a frame of the gas meter in, at the hub's time, while so many requests wait for the meter; the answer, where
    /// one is due. Octets that are no frame, and attributes it does not mirror, are passed over.
    pub fn receive(&mut self, hub: &Core, octets: &[u8], waiting: usize) -> Option<Vec<u8>> {
        let aps = ApsFrame::parse(octets).ok()?;
        let frame = Frame::parse(&aps.payload).ok()?;
        let answer = match frame.frame_type {
            FrameType::Foundation => self.foundation(hub, &aps, &frame, waiting)?,
            FrameType::Cluster => self.command(&aps, &frame)?,
        };
        Some(aps.reply(answer.to_bytes()).to_bytes())
    }

    fn foundation(&mut self, hub: &Core, aps: &ApsFrame, frame: &Frame, waiting: usize) -> Option<Frame> {
        let Ok(Command::ReportAttributes(report)) = frame.command() else { return None };
        if !self.mirrors {
            return Some(status(frame, Status::UNSUPPORTED_CLUSTER));
        }
        for (id, value) in &report {
            self.take(aps.cluster, *id, value);
        }
        self.capture(hub.shown());
        (self.refreshed, self.refreshed_shown) = (Some(hub.now()), Some(hub.shown()));
        let flags = ToEnd(vec![if waiting > 0 { REQUEST_WAITS } else { 0 }]);
        let answer = ToServer::from(MirrorReportAttributeResponse { scheme: SCHEME, flags });
        (aps.cluster == metering::CLUSTER).then(|| answer.frame(frame.sequence))
    }

    fn command(&mut self, aps: &ApsFrame, frame: &Frame) -> Option<Frame> {
        if aps.cluster != metering::CLUSTER {
            return Some(status(frame, Status::UNSUPPORTED_CLUSTER));
        }
        let answer = match self.ids.to_client(frame) {
            Ok(ToClient::RequestMirror(_)) => {
                self.mirrors = true;
                ToServer::from(RequestMirrorResponse { endpoint: MIRROR_ENDPOINT })
            }
            Ok(ToClient::RemoveMirror(_)) => {
                let had = std::mem::take(&mut self.mirrors);
                ToServer::from(MirrorRemoved { endpoint: if had { MIRROR_ENDPOINT } else { NONE } })
            }
            Ok(ToClient::PublishSnapshot(snapshot)) if self.mirrors => {
                return self.keep_day(frame, &snapshot);
            }
            Ok(_) => return Some(status(frame, Status::UNSUPPORTED_CLUSTER_COMMAND)),
            Err(_) => return Some(status(frame, Status::MALFORMED_COMMAND)),
        };
        Some(answer.frame(frame.sequence))
    }

    /// A snapshot is the register at the end of a day, as six octets; one that is known already is not kept twice.
    fn keep_day(&mut self, frame: &Frame, snapshot: &PublishSnapshot) -> Option<Frame> {
        let Ok(octets) = <[u8; 6]>::try_from(snapshot.payload.0.as_slice()) else {
            return Some(status(frame, Status::INVALID_FIELD));
        };
        let [a, b, c, d, e, f] = octets;
        let at = MeterTime::from_millis(snapshot.taken.to_unix() * 1000);
        if self.days.back().is_none_or(|last| last.at < at) {
            self.days.push_back(DayEntry { at, litres: u64::from_le_bytes([a, b, c, d, e, f, 0, 0]) });
            if self.days.len() > DAYS {
                self.days.pop_front();
            }
        }
        (!frame.disable_default_response).then(|| status(frame, Status::SUCCESS))
    }

    fn take(&mut self, cluster: u16, id: AttributeId, value: &Value) {
        let number = value.as_u64().unwrap_or_default();
        let octet = u8::try_from(number).unwrap_or_default();
        match (cluster, id) {
            (metering::CLUSTER, metering::CURRENT_SUMMATION_DELIVERED) => self.litres = number,
            (metering::CLUSTER, metering::SUPPLY_STATUS) => self.supply = SupplyStatus::from_octet(octet),
            (metering::CLUSTER, metering::REMAINING_BATTERY_LIFE) => self.battery_percent = octet,
            (metering::CLUSTER, metering::INSTANTANEOUS_DEMAND) => {
                self.flow = u32::try_from(number).unwrap_or_default();
            }
            (prepayment::CLUSTER, prepayment::CREDIT_REMAINING) => self.balance = money(value),
            (prepayment::CLUSTER, prepayment::PAYMENT_CONTROL_CONFIGURATION) => {
                self.mode = Some(mode(number))
            }
            (price::CLUSTER, price::NO_TIER_BLOCK_1_PRICE) => self.unit_price = money(value),
            (price::CLUSTER, price::STANDING_CHARGE) => self.standing_charge = money(value),
            _ => {}
        }
    }

    /// The first report in a half hour is the reading at its beginning, as near as a mirror can know it.
    fn capture(&mut self, shown: MeterTime) {
        let begun = shown.next(HALF_HOUR).plus(-HALF_HOUR);
        let known = self.profile.all().last().is_some_and(|last| last.at >= begun);
        if !known && self.litres > 0 {
            self.profile.capture(begun, self.litres, 0);
        }
    }

    /// Litres of gas.
    pub fn litres(&self) -> u64 {
        self.litres
    }

    /// State of the valve; unknown before the first report.
    pub fn supply(&self) -> Option<SupplyStatus> {
        self.supply
    }

    /// Battery left, percent.
    pub fn battery_percent(&self) -> u8 {
        self.battery_percent
    }

    /// Litres an hour at the time of the report.
    pub fn flow(&self) -> u32 {
        self.flow
    }

    /// How the customer pays; unknown before the first report.
    pub fn mode(&self) -> Option<PaymentMode> {
        self.mode
    }

    /// The customer's balance.
    pub fn balance(&self) -> Millipence {
        self.balance
    }

    /// Price of a kilowatt hour.
    pub fn unit_price(&self) -> Millipence {
        self.unit_price
    }

    /// Price of a day.
    pub fn standing_charge(&self) -> Millipence {
        self.standing_charge
    }

    /// The half hours.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The register at the end of each day the meter has told, oldest first.
    pub fn days(&self) -> impl ExactSizeIterator<Item = &DayEntry> {
        self.days.iter()
    }

    /// What the hub's clock showed when the gas meter last reported; none before the first report.
    pub fn refreshed_shown(&self) -> Option<MeterTime> {
        self.refreshed_shown
    }

    /// When the gas meter last reported; none before the first report.
    pub fn refreshed(&self) -> Option<Moment> {
        self.refreshed
    }
}

/// The identifiers of a stack that has these for snapshots.
pub fn snapshot_ids(get: u8, publish: u8) -> CommandIds {
    let departing = [(Meaning::GetSnapshot, get), (Meaning::PublishSnapshot, publish)];
    // They go different ways, so they may have one identifier.
    CommandIds::departing(departing).unwrap_or_default()
}

fn status(frame: &Frame, status: Status) -> Frame {
    frame.answer(&Command::DefaultResponse { command: frame.command, status })
}

fn mode(bits: u64) -> PaymentMode {
    if bits & u64::from(prepayment::PREPAYMENT_ENABLED) == 0 {
        PaymentMode::Credit
    } else {
        PaymentMode::Prepayment
    }
}

fn money(value: &Value) -> Millipence {
    match *value {
        Value::Signed { value, .. } => Millipence::new(value),
        ref other => Millipence::new(i64::try_from(other.as_u64().unwrap_or_default()).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proto_duis::DeviceKind;
    use proto_zigbee::UtcTime;
    use proto_zigbee::metering::{RemoveMirror, RequestMirror, SnapshotPayloadType};
    use proto_zigbee::zcl::Direction;

    use super::super::tests::{NOW, plate};
    use super::*;

    fn core() -> Core {
        Core::new(plate(DeviceKind::Gpf), NOW)
    }

    fn ask(mirror: &mut Mirror, command: impl Into<ToClient>, waiting: usize) -> Option<Frame> {
        let octets = command.into().smart_energy(3).to_bytes();
        let answer = mirror.receive(&core(), &octets, waiting)?;
        Some(Frame::parse(&ApsFrame::parse(&answer).unwrap().payload).unwrap())
    }

    fn report(mirror: &mut Mirror, litres: u64, waiting: usize) -> Option<Frame> {
        let values = vec![(metering::CURRENT_SUMMATION_DELIVERED, Value::unsigned(6, litres))];
        let frame = Frame::foundation(Direction::ToClient, 4, &Command::ReportAttributes(values));
        let octets = ApsFrame::smart_energy(metering::CLUSTER, 4, frame.to_bytes()).to_bytes();
        let answer = mirror.receive(&core(), &octets, waiting)?;
        Some(Frame::parse(&ApsFrame::parse(&answer).unwrap().payload).unwrap())
    }

    fn snapshot(day: u32, litres: u64) -> PublishSnapshot {
        let [a, b, c, d, e, f, ..] = litres.to_le_bytes();
        PublishSnapshot {
            snapshot: day,
            taken: UtcTime(day * 86_400),
            found: 1,
            index: 0,
            total: 1,
            cause: 1,
            payload_type: SnapshotPayloadType::TiersDeliveredNoBilling,
            payload: ToEnd(vec![a, b, c, d, e, f]),
        }
    }

    #[test]
    fn a_meter_asks_for_its_mirror_before_it_reports_and_hears_what_waits() {
        let mut mirror = Mirror::default();
        let refused = report(&mut mirror, 5, 0).unwrap();
        assert!(
            matches!(refused.command(), Ok(Command::DefaultResponse { status, .. }) if status != Status::SUCCESS)
        );
        assert_eq!((mirror.litres(), mirror.refreshed()), (0, None));
        let answer = ask(&mut mirror, RequestMirror {}, 0).unwrap();
        let endpoint = RequestMirrorResponse { endpoint: MIRROR_ENDPOINT };
        assert_eq!(ToServer::of(&answer), Ok(endpoint.into()));
        let flags = |frame: Option<Frame>| match ToServer::of(&frame.unwrap()) {
            Ok(ToServer::MirrorReportAttributeResponse(answer)) => answer.flags.0,
            other => panic!("{other:?}"),
        };
        assert_eq!(flags(report(&mut mirror, 5, 0)), [0]);
        assert_eq!(flags(report(&mut mirror, 6, 2)), [REQUEST_WAITS]);
        assert_eq!((mirror.litres(), mirror.refreshed()), (6, Some(NOW)));
        let gone = ask(&mut mirror, RemoveMirror {}, 0).unwrap();
        assert_eq!(ToServer::of(&gone), Ok(MirrorRemoved { endpoint: MIRROR_ENDPOINT }.into()));
        let gone = ask(&mut mirror, RemoveMirror {}, 0).unwrap();
        assert_eq!(ToServer::of(&gone), Ok(MirrorRemoved { endpoint: NONE }.into()));
    }

    #[test]
    fn snapshots_are_understood_under_the_identifier_of_the_stack_only() {
        let mut mirror = Mirror { ids: snapshot_ids(0x0c, 0x0c), mirrors: true, ..Mirror::default() };
        let mut publish = |id: u8| {
            let mut frame = ToClient::from(snapshot(9700, 1234)).frame(5);
            frame.command = id;
            let octets = ApsFrame::smart_energy(metering::CLUSTER, 5, frame.to_bytes()).to_bytes();
            let _ = mirror.receive(&core(), &octets, 0);
            mirror.days().len()
        };
        assert_eq!(publish(0x06), 0);
        assert_eq!(publish(0x0c), 1);
        assert_eq!(publish(0x0c), 1, "the same day");
        assert_eq!(mirror.days().next().unwrap().litres, 1234);
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..80), mirrors: bool) {
            let mut mirror = Mirror { mirrors, ..Mirror::default() };
            let _ = mirror.receive(&core(), &octets, 0);
            let aps = ApsFrame::smart_energy(metering::CLUSTER, 1, octets);
            let _ = mirror.receive(&core(), &aps.to_bytes(), 1);
            prop_assert!(mirror.days().len() <= DAYS);
        }
    }
}
