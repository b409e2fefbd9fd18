//! Frames one after the other on a stream of octets, each behind its length in four octets, the highest first.

use prost::Message as _;

use super::{Frame, FrameError, StationFrame};

/// The longest frame: a whole datagram, or a hello of every port and actuator with its words.
pub const LONGEST_FRAME: usize = 512 * 1024;

/// Octets of the length.
const LENGTH: usize = 4;

/// A frame behind its length.
#[must_use]
pub fn to_octets(frame: Frame) -> Vec<u8> {
    let body = StationFrame::from(frame).encode_to_vec();
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&length[..], &body].concat()
}

/// What has come of the next frame. Holds less than one frame more than what was pushed last.
#[derive(Debug, Default)]
pub struct FrameReader {
    octets: Vec<u8>,
}

impl FrameReader {
    /// Takes what has come.
    pub fn push(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// The next whole frame, if there is one.
    ///
    /// # Errors
    /// [`FrameError`]: what came is no frame; nothing that comes after it can be read.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some((length, rest)) = self.octets.split_first_chunk::<LENGTH>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > LONGEST_FRAME {
            return Err(FrameError::TooLong { found: length });
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let frame = StationFrame::decode(body).map_err(|error| FrameError::NoFrame(error.to_string()))?;
        let frame = Frame::try_from(frame)?;
        self.octets.drain(..LENGTH + length);
        Ok(Some(frame))
    }
}
