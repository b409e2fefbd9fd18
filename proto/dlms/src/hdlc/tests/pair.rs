//! A client and a server on one line, in virtual time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::super::*;

/// What a line does to one frame.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    None,
    Drop,
    Twice,
    /// Flips one bit.
    Flip(usize),
    /// Loses everything from here on.
    Cut(usize),
    /// Puts noise before it.
    Noise(Vec<u8>),
}

impl Fault {
    fn apply(&self, frame: &[u8]) -> Vec<u8> {
        let mut octets = frame.to_vec();
        match self {
            Fault::None => octets,
            Fault::Drop => Vec::new(),
            Fault::Twice => [frame, frame].concat(),
            Fault::Flip(bit) => {
                let bit = bit % (octets.len() * 8);
                octets[bit / 8] ^= 1 << (bit % 8);
                octets
            }
            Fault::Cut(at) => {
                octets.truncate(at % frame.len());
                octets
            }
            Fault::Noise(noise) => [noise.as_slice(), frame].concat(),
        }
    }
}

/// Two stations, and a meter behind the server that answers each message with [`answer_to`].
pub(super) struct Pair {
    pub(super) client: Client,
    pub(super) server: Server,
    pub(super) now: Instant,
    /// Faults for the frames to come, either way; after these the line is good.
    pub(super) faults: VecDeque<Fault>,
    /// Octets handed over at a time.
    pub(super) chunk: usize,
    pub(super) heard_by_meter: Vec<Vec<u8>>,
    pub(super) client_events: Vec<ClientEvent>,
    pub(super) server_events: Vec<ServerEvent>,
    /// Whether the head repeats what the client sends.
    pub(super) echoes: bool,
    pub(super) frames: usize,
}

/// An answer as long as three questions, so that it takes more segments.
pub(super) fn answer_to(message: &[u8]) -> Vec<u8> {
    [message, message, message].concat()
}

pub(super) fn settings(parameters: Parameters, retries: u32) -> ClientSettings {
    let server = Address::server(1, Some(17)).unwrap();
    ClientSettings { parameters, retries, ..ClientSettings::new(Address::client(16).unwrap(), server) }
}

impl Pair {
    pub(super) fn new(client: ClientSettings, server: ServerSettings) -> Self {
        Self {
            client: Client::new(client),
            server: Server::new(server),
            now: Instant::now(),
            faults: VecDeque::new(),
            chunk: usize::MAX,
            heard_by_meter: Vec::new(),
            client_events: Vec::new(),
            server_events: Vec::new(),
            echoes: false,
            frames: 0,
        }
    }

    fn on_the_line(&mut self, frame: &[u8]) -> Vec<u8> {
        self.frames += 1;
        self.faults.pop_front().unwrap_or(Fault::None).apply(frame)
    }

    /// Moves what is to be sent; whether there was anything.
    fn exchange(&mut self) -> bool {
        let mut moved = false;
        while let Some(frame) = self.client.poll_transmit() {
            moved = true;
            if self.echoes {
                self.client.receive(&frame, self.now);
            }
            let octets = self.on_the_line(&frame);
            octets.chunks(self.chunk).for_each(|chunk| self.server.receive(chunk, self.now));
        }
        self.serve();
        while let Some(frame) = self.server.poll_transmit() {
            moved = true;
            let octets = self.on_the_line(&frame);
            octets.chunks(self.chunk).for_each(|chunk| self.client.receive(chunk, self.now));
        }
        while let Some(event) = self.client.poll_event() {
            self.client_events.push(event);
        }
        moved
    }

    fn serve(&mut self) {
        while let Some(event) = self.server.poll_event() {
            if let ServerEvent::Received(message) = &event {
                self.heard_by_meter.push(message.clone());
                let _ = self.server.send(&answer_to(message));
            }
            self.server_events.push(event);
        }
    }

    /// Runs until the client says something; panics where that never happens.
    pub(super) fn run(&mut self) -> ClientEvent {
        for _ in 0..100_000 {
            let moved = self.exchange();
            if !self.client_events.is_empty() {
                return self.client_events.remove(0);
            }
            if moved {
                self.now += Duration::from_millis(1);
                continue;
            }
            let due = self.client.poll_timeout().into_iter().chain(self.server.poll_timeout()).min();
            self.now = self.now.max(due.expect("nothing moves and nothing is due: the link hangs"));
            self.client.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
        }
        panic!("the client says nothing in 100000 steps");
    }

    pub(super) fn connect(&mut self) -> ClientEvent {
        self.client.connect(self.now);
        self.run()
    }

    pub(super) fn ask(&mut self, message: &[u8]) -> ClientEvent {
        self.client.send(message, self.now).unwrap();
        self.run()
    }
}
