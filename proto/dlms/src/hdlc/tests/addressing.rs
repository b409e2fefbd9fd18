//! Whom a station on a shared line answers.

use std::time::Instant;

use proptest::prelude::*;

use super::super::*;

/// A meter with logical devices 1 and 16.
fn meter(physical_device: u16, address_size: Option<AddressSize>) -> Server {
    let logical_devices = vec![1, 16];
    Server::new(ServerSettings {
        logical_devices,
        physical_device,
        address_size,
        ..ServerSettings::default()
    })
}

/// Asks for a connection at an address; what the meter answers.
fn ask(meter: &mut Server, destination: Address, source: Address) -> Option<Frame> {
    let frame = Frame {
        destination,
        source,
        control: Control::unnumbered(Unnumbered::Connect),
        segmented: false,
        information: Information::default(),
    };
    meter.receive(&frame.encode(), Instant::now());
    let answer = meter.poll_transmit()?;
    // Without its flags.
    Some(Frame::decode(&answer[1..answer.len() - 1]).expect("a frame"))
}

fn client() -> Address {
    Address::client(16).expect("a client")
}

fn sized(upper: u16, lower: u16, size: AddressSize) -> Address {
    Address::sized(upper, lower, size).expect("an address")
}

#[test]
fn a_meter_answers_at_its_own_physical_address_and_no_other() {
    for size in [AddressSize::Two, AddressSize::Four] {
        let answer = ask(&mut meter(77, None), sized(16, 77, size), client()).expect("an answer");
        assert_eq!((answer.source, answer.destination), (sized(16, 77, size), client()));
        for (upper, lower) in [(16, 17), (16, 0), (2, 77), (77, 16)] {
            assert_eq!(
                ask(&mut meter(77, None), sized(upper, lower, size), client()),
                None,
                "{upper}/{lower}"
            );
        }
    }
}

#[test]
fn a_meter_of_one_address_size_hears_no_other() {
    let all = [AddressSize::One, AddressSize::Two, AddressSize::Four];
    for own in all {
        for size in all {
            let address = sized(1, if size == AddressSize::One { 0 } else { 77 }, size);
            let answered = ask(&mut meter(77, Some(own)), address, client()).is_some();
            assert_eq!(answered, own == size, "{own:?} asked in {size:?}");
        }
    }
}

#[test]
fn what_is_sent_to_all_stations_to_none_or_to_the_caller_is_never_answered() {
    let everyone = ServerSettings {
        logical_devices: (0..=0x3FFF).collect(),
        physical_device: 0x7F,
        ..ServerSettings::default()
    };
    for address in [
        sized(0x7F, 0, AddressSize::One),
        sized(1, 0x7F, AddressSize::Two),
        sized(0x7F, 17, AddressSize::Two),
        sized(1, 0x7E, AddressSize::Two),
        sized(1, 0x3FFF, AddressSize::Four),
        sized(0x3FFF, 17, AddressSize::Four),
        sized(1, 0x3FFE, AddressSize::Four),
        sized(0, 17, AddressSize::Two),
    ] {
        for physical_device in [17, 0x7E, 0x7F, 0x3FFE, 0x3FFF] {
            let mut meter = Server::new(ServerSettings { physical_device, ..everyone.clone() });
            assert_eq!(ask(&mut meter, address, client()), None, "{address} of {:?}", address.size());
            assert!(!meter.is_connected());
        }
    }
    // Of four octets 127 is an address like any other.
    assert!(ask(&mut Server::new(everyone), sized(1, 0x7F, AddressSize::Four), client()).is_some());
}

#[test]
fn nobody_is_answered_who_cannot_be() {
    for source in [0, 0x7F] {
        assert_eq!(
            ask(
                &mut meter(17, None),
                sized(1, 17, AddressSize::Two),
                Address::client(source).expect("a SAP")
            ),
            None
        );
    }
    let source = sized(16, 1, AddressSize::Two);
    assert_eq!(ask(&mut meter(17, None), sized(1, 17, AddressSize::Two), source), None);
}

proptest! {
    /// Two meters on one line: at most one answers, and it is the one that was asked.
    #[test]
    fn of_two_meters_on_a_line_only_the_one_asked_answers(
        one in 1u16..0x7E, other in 1u16..0x7E, asked in 0u16..=0x7F, logical in 0u16..=0x7F, wide in any::<bool>()
    ) {
        prop_assume!(one != other);
        let size = if wide { AddressSize::Four } else { AddressSize::Two };
        let answers = |physical| ask(&mut meter(physical, None), sized(logical, asked, size), client()).is_some();
        let known = [1, 16].contains(&logical);
        prop_assert_eq!(answers(one), known && asked == one);
        prop_assert_eq!(answers(other), known && asked == other);
    }
}
