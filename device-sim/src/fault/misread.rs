//! What a receiver sees that listens at another speed than the sender sends at.

/// The longest run of octets that is worked out; a burst longer than this is cut there.
const LONGEST: usize = 4096;
/// Bits of a character on the line: start, eight of data, stop.
const BITS: usize = 10;

/// Octets sent at `sent` baud, eight data bits without parity, as a receiver takes them at `read` baud.
///
/// The line is worked out bit by bit: it is high at rest, a character begins where it falls, and the receiver looks at the
/// middle of each of its own bit times. A character whose stop bit is not there is taken all the same, as receivers
/// without parity do; the next begins at the next fall.
pub fn misread(octets: &[u8], sent: u32, read: u32) -> Vec<u8> {
    let (sent, read) = (u64::from(sent.max(1)), u64::from(read.max(1)));
    let line: Vec<bool> = octets.iter().take(LONGEST).flat_map(|octet| character(*octet)).collect();
    // Times are in half bit times of the receiver, multiplied by the sender's speed: all are whole.
    let level = |half_bits: u64| {
        let bit = usize::try_from(half_bits * sent / (2 * read)).unwrap_or(usize::MAX);
        line.get(bit).copied().unwrap_or(true)
    };
    let begins_at = |bit: usize| (bit as u64 * 2 * read).div_ceil(sent);
    let (mut taken, mut bit) = (Vec::new(), 0);
    while let Some(fall) = next_fall(&line, bit) {
        let start = begins_at(fall);
        let middle = |number: u64| level(start + 2 * number + 1);
        if middle(0) {
            // A spike shorter than half a bit is no start bit.
            bit = fall + 1;
            continue;
        }
        taken.push((1..=8).rev().fold(0, |octet, number| (octet << 1) | u8::from(middle(number))));
        let end = (start + 2 * (BITS as u64 - 1) + 1) * sent / (2 * read);
        bit = usize::try_from(end).unwrap_or(usize::MAX).max(fall + 1);
    }
    taken
}

fn character(octet: u8) -> [bool; BITS] {
    std::array::from_fn(|bit| match bit {
        0 => false,
        9 => true,
        bit => octet >> (bit - 1) & 1 == 1,
    })
}

/// The next bit, from this one on, at which the line is low and was high before.
fn next_fall(line: &[bool], from: usize) -> Option<usize> {
    let high_before = |bit: usize| bit == 0 || line.get(bit - 1).copied().unwrap_or(true);
    (from..line.len()).find(|bit| !line[*bit] && high_before(*bit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn worked_out_by_hand() {
        // 0x55 at 4800 is a square wave of 2 × 208 µs; at 9600 each bit is seen twice: 0 0 1 1 0 0 1 1 0 0 ...
        assert_eq!(misread(&[0x55], 4800, 9600)[0], 0x66);
        // 0x00 at 9600 is nine bits low: at 2400 that is 2.25 bits, so the start bit and one of the eight.
        assert_eq!(misread(&[0x00], 9600, 2400), [0xfe]);
        // One short start bit between rests is no character to a receiver eight times as slow.
        assert!(misread(&[0xff], 9600, 1200).is_empty());
    }

    proptest! {
        #[test]
        fn the_same_speed_changes_nothing(octets in proptest::collection::vec(any::<u8>(), 0..100), baud in 300u32..200_000) {
            prop_assert_eq!(misread(&octets, baud, baud), octets);
        }

        #[test]
        fn any_speeds_end_and_do_not_multiply_without_bound(
            octets in proptest::collection::vec(any::<u8>(), 0..100), sent in any::<u32>(), read in any::<u32>()
        ) {
            prop_assert!(misread(&octets, sent, read).len() <= octets.len() * BITS);
        }
    }
}
