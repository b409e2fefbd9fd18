//! A small meter behind an optical port: sign-on, then HDLC, on a pseudo-terminal, with a hand on its faults.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lab_config::LinkUrl;
use proto_dlms::hdlc::{Server, ServerEvent, ServerSettings};
use proto_dlms::server::{Peer, ServerSession};
use proto_dlms::sign_on::{Baud, Identification, Meter, MeterSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::{SerialPort, SerialStream};

use super::meter::{Guarded, table};

/// What goes wrong on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineFault {
    None,
    /// Octets of nothing before each frame.
    Noise,
    /// Every octet garbled, as at a wrong baud rate.
    WrongBaud,
    /// Only the first half of each frame.
    HalfFrames,
    /// Every second frame is lost.
    LosesFrames,
    /// The head repeats what is sent through it.
    Echo,
    /// The meter is there no more.
    Silent,
    /// Noise without end from the next frame on.
    NeverQuiet,
    /// The pseudo-terminal's master closes at the next frame.
    Pulled,
}

pub(super) struct OpticalMeter {
    pub(super) url: LinkUrl,
    fault: Arc<Mutex<LineFault>>,
}

impl OpticalMeter {
    pub(super) fn start(query: &str) -> OpticalMeter {
        let (master, slave) = SerialStream::pair().unwrap();
        let url = format!("serial://{}{query}", slave.name().unwrap()).parse().unwrap();
        drop(slave);
        let fault = Arc::new(Mutex::new(LineFault::None));
        let signs_on = query.contains("sign-on=e");
        tokio::spawn(End::new(master, fault.clone(), signs_on).serve());
        OpticalMeter { url, fault }
    }

    pub(super) fn set(&self, fault: LineFault) {
        *self.fault.lock().unwrap() = fault;
    }
}

/// The meter's end of the line.
struct End {
    port: SerialStream,
    fault: Arc<Mutex<LineFault>>,
    sign_on: Option<Meter>,
    hdlc: Server,
    session: Option<ServerSession>,
    model: Guarded,
    sent: usize,
}

impl End {
    fn new(port: SerialStream, fault: Arc<Mutex<LineFault>>, signs_on: bool) -> End {
        let identification =
            Identification { manufacturer: *b"LAB", baud: Baud::B9600, mode_e: true, text: "METER1".into() };
        let settings =
            MeterSettings { reaction: Duration::from_millis(20), ..MeterSettings::new(identification) };
        End {
            port,
            fault,
            sign_on: signs_on.then(|| Meter::new(settings)),
            hdlc: Server::new(ServerSettings::default()),
            session: None,
            model: Guarded(table()),
            sent: 0,
        }
    }

    async fn serve(mut self) {
        let mut buffer = [0; 1024];
        loop {
            let due = self.sign_on.as_ref().and_then(Meter::poll_timeout);
            let due = due.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            // A master whose slave is closed reads an error: the next opener is waited for.
            let read = tokio::select! {
                read = self.port.read(&mut buffer) => read,
                () = tokio::time::sleep_until(due.into()) => Ok(0),
            };
            match read {
                Ok(count) => self.take(&buffer[..count]),
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
            if self.say().await.is_none() {
                return;
            }
        }
    }

    fn take(&mut self, octets: &[u8]) {
        let now = Instant::now();
        match &mut self.sign_on {
            Some(meter) if !meter.is_signed_on() => {
                meter.receive(octets, now);
                meter.handle_timeout(now);
            }
            _ => self.hdlc.receive(octets, now),
        }
        if self.fault() == LineFault::Echo {
            self.echo(octets);
        }
        while let Some(event) = self.hdlc.poll_event() {
            self.handle(event);
        }
    }

    fn echo(&mut self, octets: &[u8]) {
        let _ = std::io::Write::write_all(&mut self.port, octets);
    }

    fn handle(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::Connected { client, server, .. } => {
                self.session = Some(ServerSession::new(Peer::new(client, server), Default::default()));
            }
            ServerEvent::Received(apdu) => {
                let answer =
                    self.session.as_mut().and_then(|session| session.receive(&apdu, &mut self.model));
                if let Some(answer) = answer {
                    self.hdlc.send(&answer).unwrap();
                }
            }
            _ => {
                self.session = None;
                if let Some(meter) = &mut self.sign_on {
                    meter.restart();
                }
            }
        }
    }

    async fn say(&mut self) -> Option<()> {
        if let Some(meter) = &mut self.sign_on {
            loop {
                match (meter.poll_transmit(), meter.poll_event()) {
                    (None, None) => break,
                    (Some(octets), _) => self.port.write_all(&octets).await.ok()?,
                    (None, Some(_)) => {}
                }
            }
        }
        while let Some(frame) = self.hdlc.poll_transmit() {
            self.sent += 1;
            let frame = match self.fault() {
                LineFault::None | LineFault::Echo => frame,
                LineFault::Noise => [&[0xA5, 0x00, 0x7E, 0x11][..], &frame].concat(),
                LineFault::WrongBaud => frame.iter().map(|octet| octet ^ 0x5A).collect(),
                LineFault::HalfFrames => frame[..frame.len() / 2].to_vec(),
                LineFault::LosesFrames if self.sent.is_multiple_of(2) => continue,
                LineFault::LosesFrames => frame,
                LineFault::Silent => continue,
                LineFault::NeverQuiet => {
                    while self.port.write_all(&[0xA5; 64]).await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    return None;
                }
                LineFault::Pulled => return None,
            };
            self.port.write_all(&frame).await.ok()?;
        }
        Some(())
    }

    fn fault(&self) -> LineFault {
        *self.fault.lock().unwrap()
    }
}
