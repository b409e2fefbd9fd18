//! Cluster commands that devices answer to whoever is on a network with them: profiles, snapshots and prices, which only read,
//! and after those what a display may ask of a meter.
//!
//! The hub's network and the lab's own dongle meet the same device here, so that it answers both alike.

use proto_duis::DeviceKind;
use proto_zigbee::aps::ApsFrame;
use proto_zigbee::metering::{
    self, CommandIds, GetProfile, GetProfileResponse, GetSnapshot, ProfileInterval, ProfileStatus,
    PublishSnapshot, SnapshotPayloadType, ToServer, snapshot_cause,
};
use proto_zigbee::zcl::{Command, Frame, Status};
use proto_zigbee::{Counted, ToEnd, U24, UtcTime, key_establishment, price};

use super::build::snapshots;
use super::{Home, display};
use crate::model::esme::Channel;
use crate::model::han::connection_command;
use crate::model::profile::{Capture, Profile};
use crate::model::time::MeterTime;
use crate::objects::Shell;

/// Intervals of one answer: as many as a frame without parts holds (82 octets, three an interval).
pub(super) const MOST_PERIODS: u8 = 22;
/// Registers of tiers in one snapshot, for the same reason.
const MOST_TIERS: usize = 9;

/// What a register showed at the end of a day: the sum, and each tier where there are tiers.
struct Snapshot {
    at: MeterTime,
    sum: u64,
    tiers: Vec<u64>,
}

impl Home {
    /// What a meter or the gas proxy answers to a command of a cluster; none where no answer is due.
    pub(super) fn serve_command(&mut self, kind: DeviceKind, octets: &[u8]) -> Option<Vec<u8>> {
        let aps = ApsFrame::parse(octets).ok()?;
        let frame = Frame::parse(&aps.payload).ok()?;
        if aps.cluster == key_establishment::CLUSTER {
            return answer(&aps, &key_establishment::Responder.answer(&frame)?);
        }
        let read = match aps.cluster {
            metering::CLUSTER => self.metering_command(kind, &frame),
            price::CLUSTER => self.price_command(kind, &frame),
            _ => None,
        };
        if let Some(read) = read {
            return answer(&aps, &read);
        }
        match kind {
            DeviceKind::Esme => connection_command(&mut self.esme.as_mut()?.device.connection, &aps, &frame),
            DeviceKind::Gsme => self.gsme.as_mut()?.device.receive(octets),
            _ => answer(&aps, &status(&frame, Status::UNSUPPORTED_CLUSTER_COMMAND)),
        }
    }

    fn metering_command(&self, kind: DeviceKind, frame: &Frame) -> Option<Frame> {
        let ids = self.snapshot_ids(kind)?;
        match ids.to_server(frame) {
            Ok(ToServer::GetProfile(asked)) => {
                Some(metering::ToClient::from(self.profile_answer(kind, &asked)).frame(frame.sequence))
            }
            Ok(ToServer::GetSnapshot(asked)) => Some(match self.snapshot_answer(kind, &asked) {
                Some(found) => ids.translate(metering::ToClient::from(found).frame(frame.sequence)),
                None => status(frame, Status::NOT_FOUND),
            }),
            _ => None,
        }
    }

    fn price_command(&self, kind: DeviceKind, frame: &Frame) -> Option<Frame> {
        let Ok(price::ToServer::GetCurrentPrice(_)) = price::ToServer::of(frame) else { return None };
        let published = match kind {
            DeviceKind::Esme => self.esme.as_ref().map(|esme| display::electricity_price(&esme.device)),
            DeviceKind::Gpf => self.proxy.as_ref().and_then(|proxy| {
                // Nothing before the gas meter's first report.
                proxy.device.mirror.refreshed()?;
                Some(display::gas_price(&proxy.device.mirror, proxy.device.core.shown()))
            }),
            _ => return None,
        };
        Some(match published {
            Some(published) => price::ToClient::from(published).frame(frame.sequence),
            None => status(frame, Status::NOT_FOUND),
        })
    }

    /// The same, for tests of what is on the wire.
    #[cfg(test)]
    pub(crate) fn snapshot_ids_of(&self, kind: DeviceKind) -> CommandIds {
        self.snapshot_ids(kind).unwrap_or_default()
    }

    /// The numbers of the stack of a device for snapshots.
    fn snapshot_ids(&self, kind: DeviceKind) -> Option<CommandIds> {
        let of = |shell: &Shell| snapshots(shell);
        match kind {
            DeviceKind::Esme => self.esme.as_ref().map(|esme| of(&esme.shell)),
            DeviceKind::Gpf => self.proxy.as_ref().map(|proxy| of(&proxy.shell)),
            _ => None,
        }
    }

    fn profile_answer(&self, kind: DeviceKind, asked: &GetProfile) -> GetProfileResponse {
        let received = self.esme.as_ref().map(|esme| esme.device.logs().profile(Channel::Export));
        let delivered = match kind {
            DeviceKind::Esme => self.esme.as_ref().map(|esme| esme.device.logs().profile(Channel::Import)),
            _ => self.proxy.as_ref().map(|proxy| proxy.device.mirror.profile()),
        };
        let found = match (asked.channel, kind) {
            (0, _) => delivered.ok_or(ProfileStatus::ChannelNotSupported),
            (1, DeviceKind::Esme) => received.ok_or(ProfileStatus::ChannelNotSupported),
            (1, _) => Err(ProfileStatus::ChannelNotSupported),
            _ => Err(ProfileStatus::UndefinedChannel),
        };
        match found {
            Ok(profile) => intervals(profile, asked, &|at| self.may_show(kind, at)),
            Err(status) => profile_response(status, &[]),
        }
    }

    fn snapshot_answer(&self, kind: DeviceKind, asked: &GetSnapshot) -> Option<PublishSnapshot> {
        if asked.cause & snapshot_cause::GENERAL == 0 {
            return None;
        }
        let latest = if asked.latest == UtcTime::NOW { UtcTime::UNKNOWN } else { asked.latest };
        let within = |at: MeterTime| utc(at).is_some_and(|at| at >= asked.earliest && at <= latest);
        let shown = |day: &Snapshot| within(day.at) && self.may_show(kind, day.at);
        let found: Vec<Snapshot> = self.snapshots(kind).into_iter().filter(shown).collect();
        publish(found.get(usize::from(asked.offset))?, found.len())
    }

    /// Whether what ended at a time is given to who is on the network: not from before a change of tenancy.
    fn may_show(&self, kind: DeviceKind, ended: MeterTime) -> bool {
        let customer = match kind {
            DeviceKind::Esme => self.esme.as_ref().map(|esme| &esme.device.connection.customer),
            _ => self.proxy.as_ref().map(|proxy| &proxy.device.customer),
        };
        customer.is_none_or(|customer| customer.may_show(ended))
    }

    /// The ends of days a device knows, oldest first.
    fn snapshots(&self, kind: DeviceKind) -> Vec<Snapshot> {
        match kind {
            DeviceKind::Esme => {
                let days = self.esme.iter().flat_map(|esme| esme.device.logs().daily().all());
                days.map(|day| Snapshot { at: day.at, sum: day.import, tiers: day.tiers.clone() }).collect()
            }
            _ => {
                let days = self.proxy.iter().flat_map(|proxy| proxy.device.mirror.days());
                days.map(|day| Snapshot { at: day.at, sum: day.litres, tiers: Vec::new() }).collect()
            }
        }
    }
}

/// The intervals before a time that may be shown, latest first.
fn intervals(
    profile: &Profile,
    asked: &GetProfile,
    may_show: &dyn Fn(MeterTime) -> bool,
) -> GetProfileResponse {
    let until =
        |capture: &&Capture| asked.end == UtcTime::NOW || utc(capture.at).is_some_and(|at| at <= asked.end);
    let wanted = usize::from(asked.periods);
    let found: Vec<Capture> = profile
        .all()
        .rev()
        .filter(until)
        .filter(|capture| may_show(capture.at))
        .take(wanted.min(MOST_PERIODS.into()))
        .copied()
        .collect();
    let status = match found.len() {
        0 => ProfileStatus::NoIntervals,
        enough if enough == wanted => ProfileStatus::Success,
        _ => ProfileStatus::MorePeriodsThanReturned,
    };
    profile_response(status, &found)
}

fn profile_response(status: ProfileStatus, captures: &[Capture]) -> GetProfileResponse {
    // What three octets do not hold is invalid.
    let amount = |capture: &Capture| u32::try_from(capture.interval).ok().and_then(U24::new);
    let invalid = U24::new(0x00ff_ffff).unwrap_or_default();
    GetProfileResponse {
        end: captures.first().and_then(|latest| utc(latest.at)).unwrap_or(UtcTime::UNKNOWN),
        status,
        interval: ProfileInterval::Minutes30,
        intervals: Counted(captures.iter().map(|capture| amount(capture).unwrap_or(invalid)).collect()),
    }
}

/// A snapshot as the standard lays it out: the sum, how many tiers there are, and each of them.
fn publish(day: &Snapshot, found: usize) -> Option<PublishSnapshot> {
    let taken = utc(day.at)?;
    let six = |register: u64| register.to_le_bytes().into_iter().take(6);
    let tiers = day.tiers.iter().take(MOST_TIERS);
    let count = u8::try_from(tiers.len()).unwrap_or(u8::MAX);
    let mut payload: Vec<u8> = six(day.sum).collect();
    payload.push(count);
    payload.extend(tiers.flat_map(|tier| six(*tier)));
    Some(PublishSnapshot {
        snapshot: taken.0 / 86_400,
        taken,
        found: u8::try_from(found).unwrap_or(u8::MAX),
        index: 0,
        total: 1,
        cause: snapshot_cause::GENERAL,
        payload_type: SnapshotPayloadType::TiersDeliveredNoBilling,
        payload: ToEnd(payload),
    })
}

fn utc(at: MeterTime) -> Option<UtcTime> {
    UtcTime::from_unix(at.millis().div_euclid(1000))
}

fn answer(aps: &ApsFrame, frame: &Frame) -> Option<Vec<u8>> {
    Some(aps.reply(frame.to_bytes()).to_bytes())
}

pub(super) fn status(frame: &Frame, status: Status) -> Frame {
    frame.answer(&Command::DefaultResponse { command: frame.command, status })
}
