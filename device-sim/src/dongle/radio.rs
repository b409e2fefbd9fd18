//! What is within reach of the co-processor's radio.

use std::time::Instant;

use proto_duis::DeviceKind;
use proto_zigbee::aps::ApsFrame;
use proto_zigbee::zdo::{Endpoint, Node};
use proto_zigbee::{Eui64, SMART_ENERGY_PROFILE, basic, messaging, metering, prepayment, price};

use super::{Reports, Tunnels};
use crate::home::{Home, METER_CLUSTERS, PROXY_CLUSTERS};

/// A device within reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InReach {
    /// The device.
    pub eui64: Eui64,
    /// It sleeps, and its parent keeps frames for it.
    pub sleepy: bool,
    /// Manufacturer code.
    pub manufacturer: u16,
    /// What it has.
    pub endpoints: Vec<Endpoint>,
}

impl InReach {
    /// It as a node of a network, at a short address.
    pub(super) fn node(&self, address: u16) -> Node {
        Node {
            address,
            eui64: self.eui64,
            coordinator: false,
            sleepy: self.sleepy,
            manufacturer: self.manufacturer,
            endpoints: self.endpoints.clone(),
        }
    }
}

/// A radio's surroundings. APS frames go out, and come back as answers or by themselves.
pub trait Radio {
    /// The devices within reach.
    fn in_reach(&self) -> Vec<InReach>;

    /// Whether a device hears a frame now.
    fn hears(&self, device: Eui64) -> bool;

    /// Sends a device an APS frame; what it answers, where it does.
    fn send(&mut self, device: Eui64, frame: &[u8]) -> Option<Vec<u8>>;

    /// APS frames of devices that were told to report, which have come since this was last called.
    fn overheard(&mut self) -> Vec<(Eui64, Vec<u8>)>;
}

/// The devices of a home, as a radio of the lab's own meets them.
pub(crate) struct HomeRadio<'a> {
    pub(crate) home: &'a mut Home,
    pub(crate) reports: &'a mut Reports,
    pub(crate) tunnels: &'a mut Tunnels,
    pub(crate) now: Instant,
}

/// Manufacturer code of the simulated devices: none that was given to anybody.
const MANUFACTURER: u16 = 0x1ab0;

impl Radio for HomeRadio<'_> {
    fn in_reach(&self) -> Vec<InReach> {
        let devices = self.home.radio_devices().into_iter();
        devices
            .map(|(kind, eui64)| InReach {
                eui64: Eui64(eui64.octets()),
                sleepy: kind == DeviceKind::Gsme,
                manufacturer: MANUFACTURER,
                endpoints: vec![endpoint(kind, self.home.endpoint(kind))],
            })
            .collect()
    }

    fn hears(&self, device: Eui64) -> bool {
        self.home.kind_of(device.0.into()).is_some_and(|kind| self.home.hears_radio(kind))
    }

    fn send(&mut self, device: Eui64, frame: &[u8]) -> Option<Vec<u8>> {
        let kind = self.home.kind_of(device.0.into()).filter(|_| self.hears(device))?;
        let meant = ApsFrame::parse(frame).ok()?.destination_endpoint;
        if meant != self.home.endpoint(kind) && meant != EVERY_ENDPOINT {
            return None;
        }
        let has_tunnels = matches!(kind, DeviceKind::Esme | DeviceKind::Gsme);
        if has_tunnels && self.tunnels.receive(self.home, (device, kind), frame, self.now) {
            return None;
        }
        match self.reports.configure(self.home, device, frame) {
            Some(answer) => Some(answer),
            None => self.home.hear_radio(device.0.into(), frame),
        }
    }

    fn overheard(&mut self) -> Vec<(Eui64, Vec<u8>)> {
        let mut frames = self.tunnels.take(self.now);
        frames.extend(
            self.home.take_for_radio().into_iter().map(|(from, octets)| (Eui64(from.octets()), octets)),
        );
        frames.extend(self.reports.due(self.home));
        frames
    }
}

/// The endpoint that stands for all a device has.
const EVERY_ENDPOINT: u8 = 0xff;

fn endpoint(kind: DeviceKind, number: u8) -> Endpoint {
    let (device, servers, clients) = match kind {
        DeviceKind::Gpf => (0x0500, PROXY_CLUSTERS.to_vec(), vec![]),
        DeviceKind::Ppmid | DeviceKind::Ihd => {
            let clients = vec![price::CLUSTER, metering::CLUSTER, messaging::CLUSTER, prepayment::CLUSTER];
            (0x0502, vec![basic::CLUSTER], clients)
        }
        _ => (0x0501, METER_CLUSTERS.to_vec(), vec![]),
    };
    Endpoint { number, profile: SMART_ENERGY_PROFILE, device, servers, clients }
}
