//! The check sequence of frame headers and frames: CRC-16/X-25, low octet first.

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u16;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x8408 } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

static TABLE: [u16; 256] = table();

/// The check sequence of `octets` as it goes on the wire.
pub(crate) fn check_sequence(octets: &[u8]) -> [u8; 2] {
    let step = |crc: u16, octet: &u8| {
        let [low, _] = (crc ^ u16::from(*octet)).to_le_bytes();
        (crc >> 8) ^ TABLE[usize::from(low)]
    };
    (!octets.iter().fold(0xFFFF, step)).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of CRC-16/X-25. If this fails, do not change the test.
    #[test]
    fn check_value() {
        assert_eq!(check_sequence(b"123456789"), 0x906E_u16.to_le_bytes());
    }
}
