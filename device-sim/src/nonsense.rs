//! Any text and any octets into every part that takes them from a person, a socket or a line: nothing may panic, hang or
//! grow without bound, and what reads must read the same once it was written.
//!
//! The property tests and the fuzz targets come in through the same functions, so what one finds the other keeps.

use std::time::{Duration, Instant};

use lab_config::{DeviceKind, Document, Path};
use proto_zigbee::ash::{Event, Link, Role, Settings};
use proto_zigbee::zdo::Endpoint;
use proto_zigbee::{Eui64, SMART_ENERGY_PROFILE, basic, metering};

use crate::control::Command;
use crate::dongle::{Identity, InReach, Ncp, Radio};
use crate::fault::{Board, FaultPlan, From, Outbox, Placed};

/// A text as a fault, and as a fault file. What is wrong with it is at a character it has, or behind its last; what reads is
/// armed, and lets frames pass each way.
///
/// # Panics
/// When a fault reads otherwise once it was printed, or a complaint points past the end.
pub fn fault(text: &str) {
    let _ = FaultPlan::parse(&Document::new("faults.toml", text));
    match text.parse::<Placed>() {
        Ok(placed) => {
            assert_eq!(placed.to_string().parse().as_ref(), Ok(&placed), "a fault reads as it was printed");
            pass_frames(placed);
        }
        Err(error) => assert!((1..=text.chars().count() + 1).contains(&error.column), "{error}"),
    }
}

/// Some frames, each way, by every port there is, with time between.
fn pass_frames(placed: Placed) {
    let mut now = Instant::now();
    let (mut board, mut line, mut datagrams) = (Board::new(1), Outbox::default(), Outbox::of_datagrams());
    let Ok(id) = board.arm(placed, now) else { return };
    for number in 0..6_u8 {
        for kind in DeviceKind::ALL {
            for path in Path::ALL {
                let from = From { port: (*kind, *path), origin: None };
                for outbox in [&mut line, &mut datagrams] {
                    board.outward(from, vec![number; 20], outbox, now);
                    while outbox.poll(now).is_some() {}
                }
                let _ = board.inward((*kind, *path), &[number; 20], now);
            }
        }
        let _ = board.deeds(now);
        now += Duration::from_secs(1);
    }
    board.clear(id);
    let _ = board.deeds(now);
}

/// A text as a line at the control port: a command, or a refusal that says why.
///
/// # Panics
/// When a refusal says nothing.
pub fn control(line: &str) {
    if let Err(error) = line.parse::<Command>() {
        assert!(!error.to_string().is_empty());
    }
}

/// Octets as commands to a co-processor over a line that is up, and then as the line itself. The first octet says how long
/// each command is.
pub fn ncp(octets: &[u8]) {
    let Some((length, octets)) = octets.split_first() else { return };
    let mut now = Instant::now();
    let (mut host, mut radio) = (Link::new(Role::Host, Settings::default()), Repeater::default());
    let mut ncp = Ncp::new(Identity {
        eui64: Eui64([0, 0xdb, 0xd0, 0, 0, 0, 0, 1]),
        manufacturer: "maker".to_owned(),
        board: "board".to_owned(),
    });
    host.reset(now);
    carry(&mut host, &mut ncp, &mut radio, now);
    // What a host of version 8 says to begin with: the version, in the form of old and in its own.
    let begin: [&[u8]; 2] = [&[0, 0, 0, 8], &[0, 0, 1, 0, 0, 8]];
    let payloads = octets.chunks(usize::from(*length).clamp(1, 64));
    for payload in begin.into_iter().chain(payloads) {
        let _ = host.send(payload, now);
        carry(&mut host, &mut ncp, &mut radio, now);
        now += Duration::from_millis(200);
        ncp.handle_timeout(now, &mut radio);
    }
    ncp.receive(octets, now, &mut radio);
    now += Duration::from_secs(10);
    ncp.handle_timeout(now, &mut radio);
    while ncp.poll_transmit().is_some() {}
}

/// Moves octets both ways, until both are quiet or have talked for long: a reset each time one talks would go on for ever.
fn carry(host: &mut Link, ncp: &mut Ncp, radio: &mut Repeater, now: Instant) {
    for _ in 0..50 {
        let said = host.poll_transmit().map(|octets| ncp.receive(&octets, now, radio));
        let answered = ncp.poll_transmit().map(|octets| host.receive(&octets, now));
        while let Some(event) = host.poll_event() {
            if let Event::Down(_) = event {
                host.reset(now);
            }
        }
        if said.is_none() && answered.is_none() {
            return;
        }
    }
}

/// A device within reach that says whatever it is told, now and again later.
#[derive(Default)]
struct Repeater {
    later: Vec<(Eui64, Vec<u8>)>,
}

/// Its EUI-64.
const REPEATER: Eui64 = Eui64([0, 0xdb, 0xd0, 0, 0, 0, 0, 2]);

impl Radio for Repeater {
    fn in_reach(&self) -> Vec<InReach> {
        let endpoint = Endpoint {
            number: 1,
            profile: SMART_ENERGY_PROFILE,
            device: 0x0500,
            servers: vec![basic::CLUSTER, metering::CLUSTER],
            clients: Vec::new(),
        };
        vec![InReach { eui64: REPEATER, sleepy: false, manufacturer: 1, endpoints: vec![endpoint] }]
    }

    fn hears(&self, device: Eui64) -> bool {
        device == REPEATER
    }

    fn send(&mut self, device: Eui64, frame: &[u8]) -> Option<Vec<u8>> {
        if self.later.len() < 8 {
            self.later.push((device, frame.to_vec()));
        }
        Some(frame.to_vec())
    }

    fn overheard(&mut self) -> Vec<(Eui64, Vec<u8>)> {
        std::mem::take(&mut self.later)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use crate::fault::{CONDITIONS, KINDS};

    /// Words of the language, and what is none, in any order.
    fn words(known: &'static [&'static str]) -> impl Strategy<Value = String> {
        let word = prop_oneof![
            4 => proptest::sample::select(known).prop_map(str::to_owned),
            2 => proptest::sample::select([&KINDS[..], &CONDITIONS].concat()).prop_map(str::to_owned),
            1 => "[0-9]{1,12}(ms|s|h)?",
            1 => "\\PC{0,8}",
        ];
        vec(word, 0..9).prop_map(|words| words.join(" "))
    }

    const FAULT: &[&str] = &[
        "ESME/optical:",
        "CHF/wan:",
        "GSME:",
        "rig-1/ESME/wan:",
        "after",
        "octets",
        "octet",
        "bit",
        "inside",
        "1",
        "in",
        "as",
        "ppm",
        "at",
        "when",
        "asked",
        "1-0:1.8.0/2",
        "on",
        "frame",
        "frames",
        "for",
        "odds",
        "inward",
        "5s",
        "300",
        "9600",
    ];
    const CONTROL: &[&str] = &[
        "list",
        "state",
        "fault",
        "faults",
        "clear",
        "keys",
        "token",
        "load",
        "clock",
        "drift",
        "mains",
        "plug",
        "ESME",
        "rig-1/ESME",
        "ESME/optical",
        "ESME/optical:",
        "on",
        "off",
        "household",
        "-2h",
        "AB",
        "\n",
    ];

    proptest! {
        #[test]
        fn fault(text in words(FAULT), kept in 0usize..200) {
            super::fault(&text);
            let cut: String = text.chars().take(kept).collect();
            super::fault(&cut);
            super::fault(&format!("seed = 1\nfaults = [\"{cut}\"]\n"));
        }

        #[test]
        fn control(line in words(CONTROL)) {
            super::control(&line);
        }

        #[test]
        fn ncp(length in 1u8..40, octets in vec(prop_oneof![3 => 0u8..0x60, 1 => any::<u8>()], 0..300)) {
            super::ncp(&[&[length], octets.as_slice()].concat());
        }
    }
}
