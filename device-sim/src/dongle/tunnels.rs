//! Tunnels a dongle has open with meters: DLMS/COSEM messages, in the wrapper, over the home area network.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use proto_dlms::wrapper::Message;
use proto_duis::DeviceKind;
use proto_zigbee::Eui64;
use proto_zigbee::aps::ApsFrame;
use proto_zigbee::tunneling::{self, Server, ServerEvent, ServerSettings};
use proto_zigbee::zcl::{Direction, Frame, FrameType};

use crate::home::Home;

/// Octets of one transfer: what a frame without parts holds (82 octets) less the headers of cluster and tunnel.
const TRANSFER: usize = 77;
/// Octets of a message that is not whole yet; a longer one is dropped.
const LONGEST: usize = 4096;

/// The meters' ends of the tunnels of one dongle.
#[derive(Debug, Default)]
pub(crate) struct Tunnels {
    ends: BTreeMap<Eui64, End>,
}

/// One meter's end.
#[derive(Debug)]
struct End {
    server: Server,
    /// Octets of a message by tunnel, until it is whole.
    halves: BTreeMap<u16, Vec<u8>>,
    endpoints: (u8, u8),
    counter: u8,
}

impl End {
    fn new() -> Self {
        let server = Server::new(ServerSettings::default());
        Self { server, halves: BTreeMap::new(), endpoints: (1, 1), counter: 0 }
    }

    /// A message that is whole with these octets.
    fn collect(&mut self, tunnel: u16, octets: &[u8]) -> Option<Message> {
        let held = self.halves.entry(tunnel).or_default();
        held.extend_from_slice(octets);
        match Message::decode(held) {
            Ok(message) => {
                self.halves.remove(&tunnel);
                Some(message)
            }
            Err(_) => {
                if held.len() > LONGEST {
                    self.halves.remove(&tunnel);
                }
                None
            }
        }
    }
}

impl Tunnels {
    /// Takes a frame of the Tunneling cluster for a meter; whether it was one. What the meter says comes by
    /// [`Tunnels::take`].
    pub(super) fn receive(
        &mut self,
        home: &mut Home,
        meter: (Eui64, DeviceKind),
        octets: &[u8],
        now: Instant,
    ) -> bool {
        let Ok(aps) = ApsFrame::parse(octets) else { return false };
        let Ok(frame) = Frame::parse(&aps.payload) else { return false };
        let asked = frame.frame_type == FrameType::Cluster && frame.direction == Direction::ToServer;
        if aps.cluster != tunneling::CLUSTER || !asked {
            return false;
        }
        let end = self.ends.entry(meter.0).or_insert_with(End::new);
        end.endpoints = (aps.source_endpoint, aps.destination_endpoint);
        // Every frame comes by the one dongle there is.
        end.server.receive([0; 8], &frame, now);
        while let Some(event) = end.server.poll_event() {
            match event {
                ServerEvent::Opened { .. } => {}
                ServerEvent::Closed { tunnel } => {
                    end.halves.remove(&tunnel);
                    home.radio_tunnel_closed(meter.1);
                }
                ServerEvent::Data { tunnel, data } => end.hear(home, meter.1, (tunnel, &data), now),
            }
        }
        true
    }

    /// The frames that meters have for the dongle now.
    pub(super) fn take(&mut self, now: Instant) -> Vec<(Eui64, Vec<u8>)> {
        let mut frames = VecDeque::new();
        for (meter, end) in &mut self.ends {
            end.server.handle_timeout(now);
            while let Some((_, frame)) = end.server.poll_transmit() {
                end.counter = end.counter.wrapping_add(1);
                let mut aps = ApsFrame::smart_energy(tunneling::CLUSTER, end.counter, frame.to_bytes());
                (aps.destination_endpoint, aps.source_endpoint) = end.endpoints;
                frames.push_back((*meter, aps.to_bytes()));
            }
        }
        frames.into()
    }
}

impl End {
    fn hear(&mut self, home: &mut Home, kind: DeviceKind, (tunnel, data): (u16, &[u8]), now: Instant) {
        let Some(message) = self.collect(tunnel, data) else { return };
        let answers = home.hear_tunnel_of_radio(kind, &message);
        // An answer always fits the wrapper: it was made for it.
        let octets: Vec<u8> = answers.iter().filter_map(|answer| answer.encode().ok()).flatten().collect();
        for part in octets.chunks(TRANSFER) {
            if self.server.send(tunnel, part, now).is_err() {
                return;
            }
        }
    }
}
