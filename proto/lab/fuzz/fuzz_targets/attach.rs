//! Any octets as frames of a station that dials in, in pieces: read as frames that are written the same again, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto_lab::attach::{FrameReader, to_octets};

fuzz_target!(|said: (u8, &[u8])| {
    let (piece, octets) = said;
    let mut reader = FrameReader::default();
    for piece in octets.chunks(usize::from(piece).max(1)) {
        reader.push(piece);
        loop {
            match reader.next_frame() {
                Ok(None) => break,
                Err(_) => return,
                Ok(Some(frame)) => {
                    let mut again = FrameReader::default();
                    again.push(&to_octets(frame.clone()));
                    assert_eq!(again.next_frame().expect("read back"), Some(frame));
                }
            }
        }
    }
});
