//! An open port of a station: what comes from the controller goes out in its order, what comes in goes as far as credit lets it.

use std::time::Duration;

use lab_config::{Carries, Endpoint, LinkUrl};
use proto_lab::attach::flow::{OVERHEAD, Sending, WINDOW};
use proto_lab::attach::{Answer, Ask, Asked, Carried, Channel, Fault, FaultKind, Open, Says};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::link::{Link, LinkAddress, LinkError, LinkErrorKind, NoTap, Target, line_of_settings};

/// Messages that may wait for a port: as many as the credit of a stream can be in, grants, and what is asked.
const ORDERS: usize = (WINDOW / OVERHEAD) as usize + 16;
/// How long a port may take for what it is sent before the stream ends.
const TAKEN: Duration = Duration::from_secs(60);
/// How long one read waits; nothing happens when it ends.
const READ: Duration = Duration::from_secs(3600);
/// Most octets that one read of a stream, and one of datagrams, hands over.
const BURST: (usize, usize) = (4096, 65_535);

/// Something for a port.
#[derive(Debug)]
pub(super) enum Order {
    Data(Vec<u8>),
    Credit(u32),
    Ask(Ask),
}

/// Something from a port.
#[derive(Debug)]
pub(super) enum Said {
    /// So many octets went out.
    Taken(Channel, usize),
    Says(Channel, Says),
}

impl Said {
    pub(super) const fn channel(&self) -> Channel {
        match self {
            Said::Taken(channel, _) | Said::Says(channel, _) => *channel,
        }
    }
}

/// What opens ports.
#[derive(Debug)]
pub(super) struct Ports(mpsc::Sender<Said>);

impl Ports {
    pub(super) fn new(said: mpsc::Sender<Said>) -> Self {
        Self(said)
    }

    /// Begins to open a port; it says itself whether it is open. Dropped, the orders close it.
    ///
    /// # Errors
    /// A [`Fault`]: the port is of another kind than what is asked for, or more is granted than a stream may have.
    pub(super) fn open(
        &self,
        channel: Channel,
        link: &LinkUrl,
        open: Open,
    ) -> Result<mpsc::Sender<Order>, Fault> {
        let target = target(link, &open)?;
        let address = LinkAddress { name: open.port.to_string(), url: link.to_string(), target };
        let mut sending = Sending::default();
        sending.grant(open.credit).map_err(|error| Fault::new(FaultKind::CannotOpen, error))?;
        let (orders, ordered) = mpsc::channel(ORDERS);
        let burst = if open.carries == Carried::Datagrams { BURST.1 } else { BURST.0 };
        let port = Port { channel, said: self.0.clone(), sending, burst };
        tokio::spawn(port.run(address, open.within, ordered));
        Ok(orders)
    }
}

/// Where the port goes, set as the controller says.
fn target(link: &LinkUrl, open: &Open) -> Result<Target, Fault> {
    let (host, port) = match &link.endpoint {
        Endpoint::Tcp(at) | Endpoint::TcpHdlc(at) | Endpoint::Udp(at) | Endpoint::Rfc2217(at) => {
            (at.host().to_owned(), at.port())
        }
        _ => (String::new(), 0),
    };
    match (&link.endpoint, open.carries) {
        (Endpoint::Serial(path), Carried::Serial(line)) => {
            Ok(Target::Serial { path: path.as_str().to_owned(), line: line_of_settings(line) })
        }
        (Endpoint::Rfc2217(_), Carried::Serial(line)) => {
            Ok(Target::Rfc2217 { host, port, line: line_of_settings(line) })
        }
        (Endpoint::Tcp(_) | Endpoint::TcpHdlc(_), Carried::Stream) => Ok(Target::Tcp { host, port }),
        (Endpoint::Udp(_), Carried::Datagrams) => Ok(Target::Udp { host, port }),
        _ => {
            let is = match link.carries() {
                Carries::Serial => "a serial line: write station://",
                Carries::Tcp | Carries::TcpHdlc => {
                    "a TCP connection: write station+tcp:// or station+tcp+hdlc://"
                }
                Carries::Udp => "a UDP socket: write station+udp://",
            };
            Err(Fault::new(FaultKind::Setting, format!("port {} is {is}", open.port)))
        }
    }
}

fn fault(error: &LinkError) -> Fault {
    let kind = match error.kind {
        LinkErrorKind::CannotOpen => FaultKind::CannotOpen,
        LinkErrorKind::Busy => FaultKind::Busy,
        LinkErrorKind::NoAnswer => FaultKind::NoAnswer,
        LinkErrorKind::Gone => FaultKind::Gone,
        LinkErrorKind::Setting => FaultKind::Setting,
    };
    Fault::new(kind, format!("{} at the station: {}", error.url, error.found))
}

struct Port {
    channel: Channel,
    said: mpsc::Sender<Said>,
    sending: Sending,
    burst: usize,
}

impl Port {
    async fn run(mut self, address: LinkAddress, within: Duration, orders: mpsc::Receiver<Order>) {
        let served = match address.open(NoTap::shared(), within).await {
            Ok(link) => {
                self.say(Says::Opened(WINDOW)).await;
                self.serve(link, orders).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = served {
            self.say(Says::Close(Some(fault(&error)))).await;
        }
    }

    async fn say(&self, says: Says) {
        // Nobody hears it when the station is being stopped.
        let _ = self.said.send(Said::Says(self.channel, says)).await;
    }

    /// Until nobody has orders any more, or the port is gone.
    async fn serve(&mut self, mut link: Link, mut orders: mpsc::Receiver<Order>) -> Result<(), LinkError> {
        loop {
            let room = self.sending.room().is_some_and(|room| room >= self.burst);
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(order) => self.obey(&mut link, order).await?,
                    None => return Ok(()),
                },
                received = link.receive("octets", Instant::now() + READ), if room => {
                    let octets = match received {
                        Ok(octets) => octets.to_vec(),
                        Err(error) if error.kind == LinkErrorKind::NoAnswer => continue,
                        Err(error) => return Err(error),
                    };
                    self.pass_on(octets).await;
                }
            }
        }
    }

    async fn pass_on(&mut self, octets: Vec<u8>) {
        // There is room for a whole burst, which is why it was read.
        if self.sending.spend(octets.len()).is_ok() {
            self.say(Says::Data(octets)).await;
        }
    }

    async fn obey(&mut self, link: &mut Link, order: Order) -> Result<(), LinkError> {
        match order {
            Order::Data(octets) => {
                link.send(&octets, Instant::now() + TAKEN).await?;
                let _ = self.said.send(Said::Taken(self.channel, octets.len())).await;
            }
            Order::Credit(more) => {
                if let Err(overrun) = self.sending.grant(more) {
                    self.say(Says::Close(Some(Fault::new(FaultKind::Gone, overrun)))).await;
                }
            }
            Order::Ask(Ask { within, what }) => {
                let answer = answer(link, what, Instant::now() + within).await;
                self.say(Says::Answer(answer.map_err(|error| fault(&error)))).await;
            }
        }
        Ok(())
    }
}

async fn answer(link: &mut Link, what: Asked, until: Instant) -> Result<Answer, LinkError> {
    match what {
        Asked::SetLine(line) => link.set_line(line_of_settings(line), until).await?,
        Asked::Purge => link.discard().await?,
        Asked::Break(length) => link.send_break(length, until).await?,
        Asked::SetWires { dtr, rts } => link.set_wires(dtr, rts, until).await?,
        Asked::Modem => return Ok(Answer::Modem(link.modem(until).await?)),
    }
    Ok(Answer::Done)
}
