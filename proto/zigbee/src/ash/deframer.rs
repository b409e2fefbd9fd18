//! Frames in a stream of octets.

use super::{CANCEL, ESCAPE, FLAG, Frame, FrameError, MAX_PAYLOAD, SUBSTITUTE, XOFF, XON};

/// The longest frame without escapes: control octet, payload, check sequence.
const LONGEST: usize = MAX_PAYLOAD + 3;

/// Collects octets until a flag ends a frame. What is longer than any frame is dropped to the next flag.
#[derive(Debug, Default)]
pub struct Deframer {
    octets: Vec<u8>,
    escaped: bool,
    fault: Option<FrameError>,
}

impl Deframer {
    /// One with nothing begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes an octet; a frame, or why there is none, where it was the flag that ends one.
    pub fn receive(&mut self, octet: u8) -> Option<Result<Frame, FrameError>> {
        match octet {
            FLAG => return self.end(),
            CANCEL => self.clear(),
            SUBSTITUTE => self.fault = Some(FrameError::Substituted),
            // Flow control of the line that has come through.
            XON | XOFF => {}
            ESCAPE => self.escaped = true,
            _ => self.push(octet),
        }
        None
    }

    fn push(&mut self, octet: u8) {
        let plain = if std::mem::take(&mut self.escaped) { octet ^ 0x20 } else { octet };
        if self.octets.len() < LONGEST {
            self.octets.push(plain);
        } else {
            self.fault = Some(FrameError::Length { found: LONGEST + 1, expected: "at most 131" });
        }
    }

    fn end(&mut self) -> Option<Result<Frame, FrameError>> {
        let octets = std::mem::take(&mut self.octets);
        let fault = self.fault.take();
        self.clear();
        match fault {
            Some(fault) => Some(Err(fault)),
            // Flags one after the other have nothing between them.
            None if octets.is_empty() => None,
            None => Some(Frame::parse(&octets)),
        }
    }

    fn clear(&mut self) {
        self.octets.clear();
        self.escaped = false;
        self.fault = None;
    }
}
