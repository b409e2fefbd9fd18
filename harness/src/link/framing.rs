//! Where received octets are cut into packets of the capture: where the frames of the protocol end, so that a packet viewer
//! sees one frame in one packet however the line delivered it. Every octet goes into the capture once, in the order it came;
//! what makes no frame is a packet too.

use proto_dlms::{hdlc, wrapper};

/// Octets held at most for a frame that does not end: more than the longest of HDLC.
const MOST_HELD: usize = 4096;
/// The same for the wrapper, whose length field says up to 65,535.
const MOST_WRAPPED: usize = 65_543;

/// The frames of the protocol on a link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Framing {
    /// None known: each burst is a packet as it came.
    #[default]
    Bursts,
    /// HDLC frames, flags included.
    Hdlc,
    /// Wrapped APDUs.
    Wrapper,
    /// Lines of text, as in a sign-on.
    Lines,
}

/// Received octets that are not in the capture yet.
#[derive(Debug, Default)]
pub(super) struct Held {
    framing: Framing,
    octets: Vec<u8>,
    /// The last frame's closing flag may open the next.
    after_frame: bool,
}

impl Held {
    /// From now on the octets are cut like this; what is held is given back as one packet.
    pub(super) fn set(&mut self, framing: Framing) -> Vec<u8> {
        self.framing = framing;
        self.after_frame = false;
        self.rest()
    }

    pub(super) fn push(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// The next packet, none while a frame is under way.
    pub(super) fn next_packet(&mut self) -> Option<Vec<u8>> {
        let count = match (self.framing, self.octets.as_slice()) {
            (_, []) => return None,
            (Framing::Bursts, octets) => octets.len(),
            (Framing::Lines, octets) => octets.iter().position(|octet| *octet == b'\n')? + 1,
            (Framing::Hdlc, octets) => self.hdlc(octets)?,
            (Framing::Wrapper, octets) => wrapper::extent(octets)?,
        };
        let packet: Vec<u8> = self.octets.drain(..count).collect();
        self.after_frame = packet.len() > 2;
        Some(packet)
    }

    /// Whether so much is held that no frame can be so long.
    pub(super) fn is_too_long(&self) -> bool {
        let most = if self.framing == Framing::Wrapper { MOST_WRAPPED } else { MOST_HELD };
        self.octets.len() > most
    }

    /// What is held, whatever it is.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.octets)
    }

    fn hdlc(&self, octets: &[u8]) -> Option<usize> {
        match octets {
            [first, ..] if *first != hdlc::FLAG && self.after_frame => {
                hdlc::extent(&[&[hdlc::FLAG], octets].concat()).map(|count| count.saturating_sub(1).max(1))
            }
            _ => hdlc::extent(octets),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SNRM: &str = "7EA00A00020023219318717E";
    const UA: &str = "7EA023210002002373F6C58180140502008006020080070400000001080400000001CE6A7E";

    fn packets(framing: Framing, chunks: &[&[u8]]) -> Vec<String> {
        let mut held = Held::default();
        held.set(framing);
        let mut packets = Vec::new();
        for chunk in chunks {
            held.push(chunk);
            packets.extend(std::iter::from_fn(|| held.next_packet()));
        }
        packets.push(held.rest());
        packets.iter().filter(|packet| !packet.is_empty()).map(hex::encode_upper).collect()
    }

    #[test]
    fn one_frame_is_one_packet_however_it_comes() {
        let ua = hex::decode(UA).unwrap();
        let dribble: Vec<&[u8]> = ua.chunks(3).collect();
        assert_eq!(packets(Framing::Hdlc, &dribble), [UA]);
        let both = hex::decode(format!("{SNRM}{UA}")).unwrap();
        assert_eq!(packets(Framing::Hdlc, &[&both]), [SNRM, UA]);
    }

    #[test]
    fn a_flag_shared_by_two_frames_and_noise_between_frames_are_seen_as_they_came() {
        let shared = hex::decode(format!("{SNRM}{}", &UA[2..])).unwrap();
        assert_eq!(packets(Framing::Hdlc, &[&shared]), [SNRM, &UA[2..]]);
        let noisy = hex::decode(format!("A55A{SNRM}0011{UA}")).unwrap();
        assert_eq!(packets(Framing::Hdlc, &[&noisy]), ["A55A", SNRM, "0011", UA]);
    }

    #[test]
    fn wrapped_apdus_and_lines_are_cut_where_they_end() {
        let wrapped = hex::decode("0001001000010003C001810001000100100002C401").unwrap();
        let cut: Vec<&[u8]> = wrapped.chunks(5).collect();
        assert_eq!(packets(Framing::Wrapper, &cut), ["0001001000010003C00181", "0001000100100002C401"]);
        assert_eq!(packets(Framing::Lines, &[b"/LAB5", b"\\2X\r\n\x06"]), ["2F4C4142355C32580D0A", "06"]);
    }

    proptest! {
        #[test]
        fn no_octet_is_lost_or_moved(
            octets in proptest::collection::vec(prop_oneof![Just(0x7Eu8), Just(0xA0), Just(0), Just(1), any::<u8>()], 0..200),
            cut in 1usize..20, which in 0usize..4
        ) {
            let framing = [Framing::Bursts, Framing::Hdlc, Framing::Wrapper, Framing::Lines][which];
            let chunks: Vec<&[u8]> = octets.chunks(cut).collect();
            prop_assert_eq!(packets(framing, &chunks).concat(), hex::encode_upper(&octets));
        }
    }
}
