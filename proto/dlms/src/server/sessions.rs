//! Several logical devices behind one address, each with sessions of its own.
//!
//! A physical device is one or more *logical devices*, told apart by the server's port in a wrapper or the upper part
//! of its HDLC address. Each client has an association with each of them. [`Sessions`] keeps those, by the link they
//! came in on, and hands each APDU to the right one; the object model is told the logical device with every access, in
//! [`Peer::server`]. An APDU for a logical device that is not there is not answered: that is what meters do, and an
//! address scan relies on it.

use std::collections::{BTreeMap, BTreeSet};

use super::{ObjectModel, Peer, ServerSession, ServerSettings};

/// Sessions kept; beyond them one that is not associated goes, else the first by link and peer.
const SESSIONS: usize = 64;

/// The sessions of a device, by link and peer.
#[derive(Debug)]
pub struct Sessions<Link> {
    settings: ServerSettings,
    devices: BTreeSet<u16>,
    sessions: BTreeMap<(Link, Peer), ServerSession>,
}

impl<Link: Ord + Copy> Sessions<Link> {
    /// No sessions yet, for these logical devices.
    pub fn new(settings: ServerSettings, devices: impl IntoIterator<Item = u16>) -> Self {
        Self { settings, devices: devices.into_iter().collect(), sessions: BTreeMap::new() }
    }

    /// Whether there is such a logical device.
    pub fn has(&self, server: u16) -> bool {
        self.devices.contains(&server)
    }

    /// Takes an APDU and gives the answer; `None` where none is due, or there is no such logical device.
    pub fn receive(
        &mut self,
        link: Link,
        peer: Peer,
        apdu: &[u8],
        model: &mut dyn ObjectModel,
    ) -> Option<Vec<u8>> {
        if !self.has(peer.server) {
            return None;
        }
        self.make_room((link, peer));
        let settings = self.settings;
        let session = self.sessions.entry((link, peer)).or_insert_with(|| ServerSession::new(peer, settings));
        session.receive(apdu, model)
    }

    /// The next APDU to send behind an answer (see [`ServerSession::poll_transmit`]).
    pub fn poll_transmit(&mut self, link: Link, peer: Peer) -> Option<Vec<u8>> {
        self.sessions.get_mut(&(link, peer))?.poll_transmit()
    }

    /// The session with a client, where there is one.
    pub fn session(&mut self, link: Link, peer: Peer) -> Option<&mut ServerSession> {
        self.sessions.get_mut(&(link, peer))
    }

    /// Who has an association over a link.
    pub fn associated(&self, link: Link) -> impl Iterator<Item = Peer> {
        let of = move |((over, peer), session): (&(Link, Peer), &ServerSession)| {
            (*over == link && session.is_associated()).then_some(*peer)
        };
        self.sessions.iter().filter_map(of)
    }

    /// The link is gone, and every association over it.
    pub fn link_lost(&mut self, link: Link) {
        self.sessions.retain(|(over, _), _| *over != link);
    }

    fn make_room(&mut self, key: (Link, Peer)) {
        if self.sessions.len() < SESSIONS || self.sessions.contains_key(&key) {
            return;
        }
        self.sessions.retain(|_, session| session.is_associated());
        if self.sessions.len() >= SESSIONS {
            self.sessions.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{ClientSession, ClientSettings, Request, Response, Step};
    use crate::data::Data;
    use crate::server::tests::IDENTITY;
    use crate::server::{ObjectTable, Rights};

    fn ask(sessions: &mut Sessions<u8>, link: u8, peer: Peer, request: Request) -> Option<Response> {
        let mut table = ObjectTable::new();
        table.insert(IDENTITY, Data::U8(1), Rights::ReadOnly);
        let mut client = ClientSession::new(ClientSettings::default());
        let apdu = client.start(request).unwrap();
        match client.receive(&sessions.receive(link, peer, &apdu, &mut table)?).unwrap() {
            Step::Done(response) => Some(response),
            step => panic!("{step:?}"),
        }
    }

    #[test]
    fn each_client_associates_with_each_logical_device_on_each_link() {
        let mut sessions = Sessions::new(ServerSettings::default(), [1, 17]);
        let get = Request::Get { attribute: IDENTITY, selective: None };
        let (management, measuring) = (Peer::new(16, 1), Peer::new(16, 17));
        assert!(ask(&mut sessions, 0, management, Request::Associate).is_some());
        let got = ask(&mut sessions, 0, management, get.clone());
        assert_eq!(got, Some(Response::Got(Ok(Data::U8(1)))));
        for (link, peer) in [(0, measuring), (0, Peer::new(17, 1)), (1, management)] {
            let refused = ask(&mut sessions, link, peer, get.clone());
            assert!(matches!(refused, Some(Response::Exception(_))), "{refused:?}");
        }
        assert_eq!(sessions.associated(0).collect::<Vec<_>>(), [management]);
        sessions.link_lost(0);
        assert_eq!(sessions.associated(0).count(), 0);
    }

    #[test]
    fn a_logical_device_that_is_not_there_says_nothing() {
        let mut sessions = Sessions::new(ServerSettings::default(), [1]);
        assert_eq!(ask(&mut sessions, 0, Peer::new(16, 2), Request::Associate), None);
    }

    #[test]
    fn a_thousand_clients_take_no_more_room_than_a_few() {
        let mut sessions = Sessions::new(ServerSettings::default(), [1]);
        for client in 0..1000 {
            ask(&mut sessions, 0, Peer::new(client, 1), Request::Associate);
        }
        assert!(sessions.sessions.len() <= SESSIONS);
    }
}
