//! Any octets into every part that takes octets from a wire: nothing may panic, hang or grow without bound, and what
//! reads must be written as it was read.
//!
//! The property tests and the fuzz targets come in through the same functions, so what one finds the other keeps.

use std::time::{Duration, Instant};

use crate::ezsp::commands::{Callback, GetNodeId};
use crate::ezsp::{Format, Host, HostSettings};
use crate::tunneling::{Client, ClientSettings, Server, ServerSettings};
use crate::zcl::{Direction, Frame, FrameType};
use crate::{
    aps::ApsFrame, ash, drlc, explain, ezsp, key_establishment, messaging, metering, prepayment, price,
    tunneling,
};

/// Octets as an APS frame, a ZCL frame and a foundation command.
pub fn zcl(octets: &[u8]) {
    if let Ok(aps) = ApsFrame::parse(octets) {
        assert_eq!(aps.to_bytes(), octets, "an APS frame is written as it was read");
    }
    let _ = explain::aps(octets);
    let Ok(frame) = Frame::parse(octets) else { return };
    if let Ok(command) = frame.command() {
        let again = Frame { payload: command.payload(), ..frame };
        assert_eq!(again.command().as_ref(), Ok(&command), "a command reads as it was written");
    }
}

/// Octets as a command of every cluster, each way: the first is its identifier.
pub fn clusters(octets: &[u8]) {
    let Some((id, payload)) = octets.split_first() else { return };
    macro_rules! every {
        ($($cluster:ident),*) => { $(
            if let Ok(command) = $cluster::ToServer::parse(*id, payload) {
                assert_eq!($cluster::ToServer::parse(*id, &command.payload()), Ok(command));
            }
            if let Ok(command) = $cluster::ToClient::parse(*id, payload) {
                assert_eq!($cluster::ToClient::parse(*id, &command.payload()), Ok(command));
            }
        )* };
    }
    every!(price, drlc, metering, messaging, tunneling, prepayment, key_establishment);
    let now = Instant::now();
    let mut client = Client::new(ClientSettings::default());
    let mut server = Server::new(ServerSettings::default());
    client.open(now);
    for direction in [Direction::ToServer, Direction::ToClient] {
        let mut frame = Frame::cluster(direction, 1, *id, payload.to_vec());
        let _ = key_establishment::Responder.answer(&frame);
        client.receive(&frame);
        server.receive([1; 8], &frame, now);
        frame.frame_type = FrameType::Foundation;
        client.receive(&frame);
        server.receive([1; 8], &frame, now);
    }
}

/// Octets as a line to both ends, `cut` at a time with a pause between.
pub fn ash(octets: &[u8], cut: usize) {
    explain_line(octets, cut);
    let mut now = Instant::now();
    let mut host = ash::Link::new(ash::Role::Host, ash::Settings::default());
    let mut ncp = ash::Link::new(ash::Role::Ncp, ash::Settings::default());
    host.reset(now);
    // A line that is up on both sides, so that what follows meets the states of one.
    while let Some(octets) = host.poll_transmit() {
        ncp.receive(&octets, now);
    }
    while let Some(octets) = ncp.poll_transmit() {
        host.receive(&octets, now);
    }
    for chunk in octets.chunks(cut.max(1)) {
        for link in [&mut host, &mut ncp] {
            let _ = link.send(chunk, now);
            link.receive(chunk, now);
        }
        now += Duration::from_millis(700);
        for link in [&mut host, &mut ncp] {
            link.handle_timeout(now);
            while link.poll_transmit().is_some() || link.poll_event().is_some() {}
        }
    }
}

/// Octets as a line to a dongle that is explained piece by piece, none of it lost.
fn explain_line(octets: &[u8], cut: usize) {
    let mut cutter = explain::AshCutter::default();
    let mut pieces: Vec<Vec<u8>> =
        octets.chunks(cut.max(1)).flat_map(|chunk| cutter.receive(chunk)).collect();
    pieces.extend(cutter.finish());
    assert_eq!(pieces.concat(), octets);
    for piece in &pieces {
        let _ = explain::ash(piece);
    }
}

/// Octets as frames of the protocol, to a session with a command on its way: the first says how long each is.
pub fn ezsp(octets: &[u8]) {
    assert_eq!(explain::ezsp(octets).length, octets.len());
    for format in [Format::Legacy, Format::Extended] {
        let Ok(frame) = ezsp::Frame::parse(format, octets) else { continue };
        if let Ok(callback) = Callback::parse(frame.id, &frame.parameters) {
            let _ = callback.to_bytes();
        }
    }
    let Some((length, octets)) = octets.split_first() else { return };
    let now = Instant::now();
    let mut host = Host::new(HostSettings::default());
    let mut ncp = ash::Link::new(ash::Role::Ncp, ash::Settings::default());
    host.start(now);
    // What a co-processor of version 8 says to begin with.
    let begin: [&[u8]; 2] = [&[1, 0x80, 0, 8, 2, 0, 0x67], &[2, 0x80, 1, 0, 0, 8, 2, 0, 0x67]];
    for payload in begin.into_iter().chain(octets.chunks(usize::from(*length).max(1))) {
        while let Some(octets) = host.poll_transmit() {
            ncp.receive(&octets, now);
        }
        let _ = ncp.send(payload, now);
        while let Some(octets) = ncp.poll_transmit() {
            host.receive(&octets, now);
        }
        let _ = host.send(&GetNodeId {}, now);
        while host.poll_event().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn octets() -> impl Strategy<Value = Vec<u8>> {
        vec(prop_oneof![3 => 0u8..0x20, 2 => any::<u8>()], 0..120)
    }

    proptest! {
        #[test]
        fn zcl(octets in octets()) {
            super::zcl(&octets);
        }

        #[test]
        fn clusters(octets in octets()) {
            super::clusters(&octets);
        }

        #[test]
        fn ash(octets in vec(prop_oneof![1 => Just(0x7e_u8), 1 => Just(0x7d), 4 => any::<u8>()], 0..300), cut in 1usize..40) {
            super::ash(&octets, cut);
        }

        #[test]
        fn ezsp(octets in octets()) {
            super::ezsp(&octets);
        }
    }
}
