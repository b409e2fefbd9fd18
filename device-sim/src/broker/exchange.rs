//! Who is there, who hears what, what is retained, whose will is told (MQTT 3.1.1, clauses 3 and 4).

use std::collections::{BTreeMap, BTreeSet};

use rumqttc::mqttbytes::v4::{
    Connect, ConnectReturnCode, LastWill, Packet, PubAck, PubComp, PubRec, Publish, SubAck, Subscribe,
    SubscribeReasonCode, UnsubAck, Unsubscribe,
};
use rumqttc::mqttbytes::{Protocol, QoS, valid_filter};
use tokio::sync::mpsc;

/// Clients at a time; a lab has a few.
const CLIENTS: usize = 64;
/// Filters one client may hold.
const FILTERS: usize = 128;
/// Topics whose last message is retained.
const RETAINED: usize = 4096;
/// Publications with quality of service 2 a client may have begun and not released.
const UNRELEASED: usize = 64;

/// One connection that was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientKey(u64);

/// Why a client is not let in, or not listened to any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not let in; the code says why.
    #[error("not let in: {0:?}")]
    Entry(ConnectReturnCode),
    /// It sent what no client may send now.
    #[error("it broke the protocol: {0}")]
    Protocol(&'static str),
    /// It takes its messages slower than they come.
    #[error("it does not take its messages")]
    Slow,
}

/// The broker's state.
#[derive(Debug)]
pub struct Exchange {
    user: String,
    password: Vec<u8>,
    next: u64,
    clients: BTreeMap<ClientKey, Client>,
    retained: BTreeMap<String, Publish>,
}

#[derive(Debug)]
struct Client {
    id: String,
    filters: BTreeMap<String, QoS>,
    will: Option<LastWill>,
    unreleased: BTreeSet<u16>,
    next_packet: u16,
    /// What waits to be written to it; its connection ends when this is full or dropped.
    outbox: mpsc::Sender<Packet>,
}

impl Exchange {
    /// An exchange that lets in who logs in so.
    pub fn new(user: &str, password: &[u8]) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_vec(),
            next: 0,
            clients: BTreeMap::new(),
            retained: BTreeMap::new(),
        }
    }

    /// Lets a client in; one of the same identifier that is there already leaves, as after a broken line (3.1.4).
    ///
    /// # Errors
    /// [`Refused::Entry`].
    pub fn enter(&mut self, connect: Connect, outbox: mpsc::Sender<Packet>) -> Result<ClientKey, Refused> {
        let login = connect.login.as_ref();
        let known = login.is_some_and(|login| {
            // Compared whole, so that the time taken tells nothing of where they differ.
            let wrong = |a: &[u8], b: &[u8]| {
                a.iter().zip(b).fold(a.len() ^ b.len(), |sum, (a, b)| sum | usize::from(a ^ b))
            };
            wrong(login.username.as_bytes(), self.user.as_bytes())
                | wrong(login.password.as_bytes(), &self.password)
                == 0
        });
        let code = match () {
            () if connect.protocol != Protocol::V4 => ConnectReturnCode::RefusedProtocolVersion,
            () if !known => ConnectReturnCode::BadUserNamePassword,
            () if connect.client_id.is_empty() && !connect.clean_session => ConnectReturnCode::BadClientId,
            () => ConnectReturnCode::Success,
        };
        if code != ConnectReturnCode::Success {
            return Err(Refused::Entry(code));
        }
        let before =
            self.clients.iter().find(|(_, client)| client.id == connect.client_id && !client.id.is_empty());
        if let Some(key) = before.map(|(key, _)| *key) {
            self.leave(key, false);
        }
        if self.clients.len() >= CLIENTS {
            return Err(Refused::Entry(ConnectReturnCode::ServiceUnavailable));
        }
        let key = ClientKey(self.next);
        self.next += 1;
        let client = Client {
            id: connect.client_id,
            filters: BTreeMap::new(),
            will: connect.last_will,
            unreleased: BTreeSet::new(),
            next_packet: 0,
            outbox,
        };
        self.clients.insert(key, client);
        Ok(key)
    }

    /// A client goes; unless it said goodbye its will is told (3.1.2.5).
    pub fn leave(&mut self, key: ClientKey, goodbye: bool) {
        let Some(client) = self.clients.remove(&key) else { return };
        if let Some(will) = client.will.filter(|_| !goodbye) {
            let said = Publish::from_bytes(will.topic, will.qos, will.message);
            self.publish(Publish { retain: will.retain, ..said });
        }
    }

    /// Whether the client is still there: another of its identifier may have taken its place.
    pub fn has(&self, key: ClientKey) -> bool {
        self.clients.contains_key(&key)
    }

    /// Takes a packet from a client that was let in.
    ///
    /// # Errors
    /// [`Refused`]: the client must go.
    pub fn receive(&mut self, key: ClientKey, packet: Packet) -> Result<(), Refused> {
        match packet {
            Packet::Publish(publish) => self.take(key, publish),
            Packet::PubRel(release) => {
                self.client(key)?.unreleased.remove(&release.pkid);
                self.send(key, Packet::PubComp(PubComp::new(release.pkid)))
            }
            Packet::Subscribe(subscribe) => self.subscribe(key, subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(key, &unsubscribe),
            Packet::PingReq => self.send(key, Packet::PingResp),
            // The line is a stream on one machine: what was written is delivered or the client is gone.
            Packet::PubAck(_) => Ok(()),
            Packet::Connect(_) => Err(Refused::Protocol("a second CONNECT")),
            _ => Err(Refused::Protocol("a packet that only a broker sends")),
        }
    }

    fn take(&mut self, key: ClientKey, publish: Publish) -> Result<(), Refused> {
        if !is_topic(&publish.topic) {
            return Err(Refused::Protocol("a publication without a topic, or to one with wildcards"));
        }
        let packet = publish.pkid;
        match publish.qos {
            QoS::AtMostOnce => self.publish(publish),
            QoS::AtLeastOnce => {
                self.publish(publish);
                self.send(key, Packet::PubAck(PubAck::new(packet)))?;
            }
            QoS::ExactlyOnce => {
                let begun = &mut self.client(key)?.unreleased;
                if begun.len() >= UNRELEASED && !begun.contains(&packet) {
                    return Err(Refused::Protocol("too many publications begun and not released"));
                }
                if begun.insert(packet) {
                    self.publish(publish);
                }
                self.send(key, Packet::PubRec(PubRec::new(packet)))?;
            }
        }
        Ok(())
    }

    /// To everybody who hears it. Who cannot take it is dropped, and hears nothing more.
    fn publish(&mut self, publish: Publish) {
        if publish.retain {
            self.retain(&publish);
        }
        let mut slow = Vec::new();
        for (key, client) in &mut self.clients {
            let heard = client.filters.iter().filter(|(filter, _)| matches(&publish.topic, filter));
            // By several filters it is heard once, with the best quality granted (3.3.5).
            let Some(granted) = heard.map(|(_, quality)| *quality as u8).max() else { continue };
            if !client.deliver(&publish, granted, false) {
                slow.push(*key);
            }
        }
        for key in slow {
            self.leave(key, false);
        }
    }

    /// The last message of a topic, kept for those who come later; an empty one takes it away (3.3.1.3).
    fn retain(&mut self, publish: &Publish) {
        if publish.payload.is_empty() {
            self.retained.remove(&publish.topic);
        } else if self.retained.len() < RETAINED || self.retained.contains_key(&publish.topic) {
            self.retained.insert(publish.topic.clone(), publish.clone());
        }
    }

    fn subscribe(&mut self, key: ClientKey, subscribe: Subscribe) -> Result<(), Refused> {
        let Self { clients, retained, .. } = self;
        let client = clients.get_mut(&key).ok_or(Refused::Slow)?;
        let mut codes = Vec::new();
        let mut granted = Vec::new();
        for filter in subscribe.filters {
            let room = client.filters.len() < FILTERS || client.filters.contains_key(&filter.path);
            if !room || !valid_filter(&filter.path) {
                codes.push(SubscribeReasonCode::Failure);
                continue;
            }
            let quality = if filter.qos == QoS::AtMostOnce { QoS::AtMostOnce } else { QoS::AtLeastOnce };
            codes.push(SubscribeReasonCode::Success(quality));
            client.filters.insert(filter.path.clone(), quality);
            granted.push((filter.path, quality));
        }
        let mut taken = client.outbox.try_send(Packet::SubAck(SubAck::new(subscribe.pkid, codes))).is_ok();
        for (filter, quality) in granted {
            for publish in retained.values().filter(|publish| matches(&publish.topic, &filter)) {
                taken = taken && client.deliver(publish, quality as u8, true);
            }
        }
        if taken { Ok(()) } else { Err(Refused::Slow) }
    }

    fn unsubscribe(&mut self, key: ClientKey, unsubscribe: &Unsubscribe) -> Result<(), Refused> {
        let client = self.client(key)?;
        for topic in &unsubscribe.topics {
            client.filters.remove(topic);
        }
        self.send(key, Packet::UnsubAck(UnsubAck::new(unsubscribe.pkid)))
    }

    fn client(&mut self, key: ClientKey) -> Result<&mut Client, Refused> {
        self.clients.get_mut(&key).ok_or(Refused::Slow)
    }

    fn send(&mut self, key: ClientKey, packet: Packet) -> Result<(), Refused> {
        self.client(key)?.outbox.try_send(packet).map_err(|_| Refused::Slow)
    }
}

impl Client {
    /// Whether there was room for it.
    fn deliver(&mut self, publish: &Publish, granted: u8, retained: bool) -> bool {
        let quality = granted.min(publish.qos as u8);
        let (qos, pkid) = match quality {
            0 => (QoS::AtMostOnce, 0),
            _ => (QoS::AtLeastOnce, self.packet_number()),
        };
        let copy = Publish { dup: false, qos, pkid, retain: retained, ..publish.clone() };
        self.outbox.try_send(Packet::Publish(copy)).is_ok()
    }

    /// 1 to 65535, round and round.
    fn packet_number(&mut self) -> u16 {
        self.next_packet = self.next_packet.checked_add(1).unwrap_or(1);
        self.next_packet
    }
}

fn is_topic(topic: &str) -> bool {
    !topic.is_empty() && !topic.contains(['+', '#', '\0'])
}

/// Whether a filter hears a topic (4.7). Wildcards at the first level hear no topic that begins with `$` (4.7.2).
fn matches(topic: &str, filter: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
pub(super) fn hears(filter: &str, topic: &str) -> bool {
    matches(topic, filter)
}
