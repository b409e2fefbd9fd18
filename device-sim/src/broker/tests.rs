use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v4::{
    Connect, ConnectReturnCode, LastWill, Packet, PubRel, Publish, Subscribe, SubscribeReasonCode,
};
use tokio::sync::mpsc;

use super::exchange::hears;
use super::*;

fn exchange() -> Exchange {
    Exchange::new("lab", b"secret")
}

fn who(id: &str) -> Connect {
    let mut connect = Connect::new(id);
    connect.set_login("lab", "secret");
    connect
}

struct Guest {
    key: ClientKey,
    inbox: mpsc::Receiver<Packet>,
}

fn enter(exchange: &mut Exchange, connect: Connect) -> Guest {
    let (outbox, inbox) = mpsc::channel(8);
    Guest { key: exchange.enter(connect, outbox).expect("let in"), inbox }
}

impl Guest {
    fn subscribe(&mut self, exchange: &mut Exchange, filter: &str) -> SubscribeReasonCode {
        let subscribe = Subscribe::new(filter, QoS::ExactlyOnce);
        exchange.receive(self.key, Packet::Subscribe(subscribe)).expect("taken");
        match self.inbox.try_recv() {
            Ok(Packet::SubAck(acknowledged)) => acknowledged.return_codes[0],
            other => panic!("{other:?}"),
        }
    }

    /// What it heard: topic, payload, whether retained.
    fn heard(&mut self) -> Vec<(String, Bytes, bool)> {
        std::iter::from_fn(|| self.inbox.try_recv().ok())
            .filter_map(|packet| match packet {
                Packet::Publish(publish) => Some((publish.topic, publish.payload, publish.retain)),
                _ => None,
            })
            .collect()
    }
}

fn said(topic: &str, payload: &str, retain: bool, quality: QoS) -> Packet {
    let publish = Publish::new(topic, quality, payload);
    let pkid = if quality == QoS::AtMostOnce { 0 } else { 7 };
    Packet::Publish(Publish { retain, pkid, ..publish })
}

fn one(topic: &str, payload: &'static str, retained: bool) -> Vec<(String, Bytes, bool)> {
    vec![(topic.to_owned(), Bytes::from(payload), retained)]
}

#[test]
fn who_does_not_log_in_is_not_let_in() {
    let mut exchange = exchange();
    let mut wrong = Connect::new("a");
    wrong.set_login("lab", "secreT");
    for connect in [Connect::new("a"), wrong] {
        let (outbox, _) = mpsc::channel(1);
        let refused = exchange.enter(connect, outbox).expect_err("refused");
        assert_eq!(refused, Refused::Entry(ConnectReturnCode::BadUserNamePassword));
    }
}

#[test]
fn what_is_said_is_heard_by_those_who_subscribed() {
    let mut exchange = exchange();
    let (mut one_, mut other) = (enter(&mut exchange, who("a")), enter(&mut exchange, who("b")));
    one_.subscribe(&mut exchange, "rig/+/state");
    exchange.receive(other.key, said("rig/x/state", "on", false, QoS::AtLeastOnce)).expect("taken");
    exchange.receive(other.key, said("rig/x/command", "off", false, QoS::AtMostOnce)).expect("taken");
    assert_eq!(one_.heard(), one("rig/x/state", "on", false));
    assert!(matches!(other.inbox.try_recv(), Ok(Packet::PubAck(ack)) if ack.pkid == 7));
    assert_eq!(other.heard(), []);
}

#[test]
fn overlapping_filters_hear_once() {
    let mut exchange = exchange();
    let mut guest = enter(&mut exchange, who("a"));
    guest.subscribe(&mut exchange, "a/#");
    guest.subscribe(&mut exchange, "a/b");
    exchange.receive(guest.key, said("a/b", "x", false, QoS::AtMostOnce)).expect("taken");
    assert_eq!(guest.heard().len(), 1);
}

#[test]
fn the_last_retained_message_is_told_to_those_who_come_later_until_it_is_taken_away() {
    let mut exchange = exchange();
    let station = enter(&mut exchange, who("station"));
    for payload in ["off", "on"] {
        exchange.receive(station.key, said("state", payload, true, QoS::AtMostOnce)).expect("taken");
    }
    let mut late = enter(&mut exchange, who("late"));
    late.subscribe(&mut exchange, "#");
    assert_eq!(late.heard(), one("state", "on", true));
    exchange.receive(station.key, said("state", "", true, QoS::AtMostOnce)).expect("taken");
    let mut later = enter(&mut exchange, who("later"));
    later.subscribe(&mut exchange, "#");
    assert_eq!(later.heard(), []);
}

#[test]
fn a_will_is_told_unless_the_client_said_goodbye() {
    let mut exchange = exchange();
    let mut watcher = enter(&mut exchange, who("watcher"));
    watcher.subscribe(&mut exchange, "status");
    for goodbye in [true, false] {
        let will = LastWill::new("status", "gone", QoS::AtLeastOnce, true);
        let station = enter(&mut exchange, Connect { last_will: Some(will), ..who("station") });
        exchange.leave(station.key, goodbye);
        assert_eq!(watcher.heard().len(), usize::from(!goodbye));
    }
}

#[test]
fn a_second_client_of_a_name_takes_the_place_of_the_first() {
    let mut exchange = exchange();
    let mut first = enter(&mut exchange, who("a"));
    let second = enter(&mut exchange, who("a"));
    assert!(!exchange.has(first.key) && exchange.has(second.key));
    assert_eq!(first.inbox.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
}

#[test]
fn quality_two_is_passed_on_once_however_often_it_comes() {
    let mut exchange = exchange();
    let mut guest = enter(&mut exchange, who("a"));
    guest.subscribe(&mut exchange, "t");
    for _ in 0..3 {
        exchange.receive(guest.key, said("t", "x", false, QoS::ExactlyOnce)).expect("taken");
    }
    assert_eq!(guest.heard().len(), 1);
    exchange.receive(guest.key, Packet::PubRel(PubRel::new(7))).expect("released");
    exchange.receive(guest.key, said("t", "x", false, QoS::ExactlyOnce)).expect("taken");
    assert_eq!(guest.heard().len(), 1);
}

#[test]
fn who_takes_nothing_is_dropped_and_its_filters_with_it() {
    let mut exchange = exchange();
    let mut slow = enter(&mut exchange, who("slow"));
    slow.subscribe(&mut exchange, "t");
    let quick = enter(&mut exchange, who("quick"));
    for _ in 0..9 {
        exchange.receive(quick.key, said("t", "x", false, QoS::AtMostOnce)).expect("taken");
    }
    assert!(!exchange.has(slow.key));
}

#[test]
fn filters_hear_what_the_standard_says_they_hear() {
    for (filter, topic) in [("a/+/c", "a/b/c"), ("a/#", "a"), ("#", "é"), ("+/+", "/x"), ("$S/x", "$S/x")] {
        assert!(hears(filter, topic), "{filter} {topic}");
    }
    for (filter, topic) in [("a/+", "a"), ("a", "a/b"), ("#", "$SYS/x"), ("+/x", "$S/x"), ("+", "/x")] {
        assert!(!hears(filter, topic), "{filter} {topic}");
    }
}

#[test]
fn a_filter_that_makes_no_sense_is_refused() {
    let mut exchange = exchange();
    let mut guest = enter(&mut exchange, who("a"));
    assert_eq!(guest.subscribe(&mut exchange, "a/#/b"), SubscribeReasonCode::Failure);
}

proptest! {
    /// Octets as they come from any program that finds the port.
    #[test]
    fn no_octets_bring_the_broker_down(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut exchange = exchange();
        let mut guest = enter(&mut exchange, who("a"));
        guest.subscribe(&mut exchange, "#");
        let mut buffer = BytesMut::from(&octets[..]);
        while let Ok(packet) = Packet::read(&mut buffer, 1000) {
            if exchange.receive(guest.key, packet).is_err() {
                break;
            }
        }
    }

    /// Packets that are nearly right reach further than noise.
    #[test]
    fn no_damaged_packet_brings_the_broker_down(at in 0usize..40, byte: u8, which in 0usize..3) {
        let packets = [
            Packet::Connect(who("a")),
            said("rig/x/state", "on", true, QoS::AtLeastOnce),
            Packet::Subscribe(Subscribe::new("rig/#", QoS::AtLeastOnce)),
        ];
        let mut octets = BytesMut::new();
        let mut packet = packets[which].clone();
        if let Packet::Subscribe(subscribe) = &mut packet { subscribe.pkid = 1; }
        packet.write(&mut octets, 1000).expect("written");
        let at = at % octets.len();
        octets[at] = byte;
        let mut exchange = exchange();
        let guest = enter(&mut exchange, who("b"));
        while let Ok(packet) = Packet::read(&mut octets, 1000) {
            let _ = exchange.receive(guest.key, packet);
        }
    }
}
