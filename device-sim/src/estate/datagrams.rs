//! The hub's wide area network link over UDP: one wrapped message a datagram, at the port its TCP listener has.
//!
//! Whoever has sent a message counts as connected until it has been silent for long; an answer goes to where its request
//! came from. Nothing is sent twice: a datagram lost is the client's to notice.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proto_dlms::wrapper::Message;
use proto_duis::DeviceKind;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::site::{Site, now, reach};
use super::wan::{self, PORT};
use crate::fault::{Outbox, Outgoing};
use crate::home::WanId;

/// Clients at a time; the one longest silent makes room.
const CLIENTS: usize = 8;
/// A client silent for so long is forgotten.
const IDLE: Duration = Duration::from_secs(5 * 60);
/// The longest datagram there is.
const LONGEST: usize = 65_535;

struct Client {
    wan: WanId,
    outbox: Outbox,
    heard: Instant,
}

/// Serves until stopped; unplugged or out of power, the port is closed, and open again at the same address after.
pub(super) async fn serve(
    site: Arc<Site>,
    socket: UdpSocket,
    mut plugged: watch::Receiver<bool>,
    stop: CancellationToken,
) {
    let Ok(address) = socket.local_addr() else { return };
    let mut socket = Some(socket);
    loop {
        let open = match socket.take() {
            Some(socket) => Ok(socket),
            None => UdpSocket::bind(address).await,
        };
        match open {
            Ok(socket) => tokio::select! {
                () = stop.cancelled() => return,
                _ = plugged.wait_for(|plugged| !*plugged) => {}
                () = wan::darkness(&site) => {}
                error = converse(&site, &socket) => tracing::warn!(%address, %error, "datagrams: opening the port again"),
            },
            Err(error) => tracing::warn!(%address, %error, "datagrams: the port cannot be opened again yet"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wan::REBIND) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            back = wan::restored(&site, &mut plugged) => if !back { return },
        }
    }
}

/// The clients of one open port; those left are told to the site as gone.
struct Clients<'a> {
    site: &'a Site,
    by_address: BTreeMap<SocketAddr, Client>,
}

impl Drop for Clients<'_> {
    fn drop(&mut self) {
        self.forget_all();
    }
}

async fn converse(site: &Site, socket: &UdpSocket) -> io::Error {
    let mut clients = Clients { site, by_address: BTreeMap::new() };
    let mut stirred = site.stirring();
    let mut buffer = vec![0; LONGEST];
    loop {
        stirred.mark_unchanged();
        if let Err(error) = clients.send_due(socket).await {
            return error;
        }
        tokio::select! {
            _ = stirred.changed() => {}
            () = reach(clients.poll_timeout()) => {}
            received = socket.recv_from(&mut buffer) => match received {
                Ok((count, from)) => clients.take(from, buffer.get(..count).unwrap_or_default()),
                // A client that has gone away: its port says so when it is sent to.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return error,
            },
        }
    }
}

impl Clients<'_> {
    fn take(&mut self, from: SocketAddr, datagram: &[u8]) {
        for datagram in self.site.hear_datagram(PORT, datagram) {
            let Ok(message) = Message::decode(&datagram) else {
                tracing::info!(rig = self.site.name, %from, "datagram ignored: no wrapped message");
                continue;
            };
            let wan = self.client(from).wan;
            self.site.with(|home| home.receive_from_wan(wan, &message));
        }
    }

    fn client(&mut self, from: SocketAddr) -> &mut Client {
        self.make_room(from);
        let site = self.site;
        let client = self.by_address.entry(from).or_insert_with(|| {
            let wan = wan::next_id();
            site.with(|home| home.wan_opened(wan));
            Client { wan, outbox: Outbox::of_datagrams(), heard: now() }
        });
        client.heard = now();
        client
    }

    fn make_room(&mut self, from: SocketAddr) {
        let silent: Vec<SocketAddr> = self.silent().collect();
        silent.into_iter().for_each(|address| self.forget(address));
        if self.by_address.len() >= CLIENTS && !self.by_address.contains_key(&from) {
            let longest = self.by_address.iter().min_by_key(|(_, client)| client.heard);
            if let Some(address) = longest.map(|(address, _)| *address) {
                self.forget(address);
            }
        }
    }

    fn silent(&self) -> impl Iterator<Item = SocketAddr> {
        let now = now();
        let silent =
            self.by_address.iter().filter(move |(_, client)| now.duration_since(client.heard) > IDLE);
        silent.map(|(address, _)| *address)
    }

    fn forget(&mut self, address: SocketAddr) {
        if let Some(client) = self.by_address.remove(&address) {
            self.site.with(|home| home.wan_closed(client.wan));
        }
    }

    async fn send_due(&mut self, socket: &UdpSocket) -> io::Result<()> {
        let (site, mut restarted) = (self.site, false);
        for (address, client) in &mut self.by_address {
            wan::collect(site, client.wan, &mut client.outbox);
            while let Some(outgoing) = client.outbox.poll(now()) {
                match outgoing {
                    // A datagram the network does not take is lost, as datagrams are.
                    Outgoing::Octets(octets) => drop(socket.send_to(&octets, address).await),
                    Outgoing::Reset(device) => {
                        site.with(|home| home.restart(device));
                        restarted |= device == DeviceKind::Chf;
                    }
                }
            }
        }
        if restarted {
            self.forget_all();
        }
        Ok(())
    }

    /// A hub that has restarted knows none of its clients, and nobody tells them.
    fn forget_all(&mut self) {
        for (_, client) in std::mem::take(&mut self.by_address) {
            self.site.with(|home| home.wan_closed(client.wan));
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.by_address.values().filter_map(|client| client.outbox.poll_timeout()).min()
    }
}
