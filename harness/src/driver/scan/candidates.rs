//! Where an unknown meter may be, the likeliest first.

use std::collections::BTreeSet;

use lab_config::AddressSize;

/// One HDLC address, and who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    /// Client SAP.
    pub(super) client: u8,
    /// Logical device address.
    pub(super) logical: u16,
    /// Physical device address, in addresses of two and four octets.
    pub(super) physical: Option<u16>,
    /// Octets of the address.
    pub(super) size: AddressSize,
}

/// Logical devices meters commonly have, the management logical device first (IEC 62056-46, 6.4.2.3).
pub(super) const LOGICAL: [u16; 8] = [1, 16, 17, 18, 2, 3, 32, 48];
/// Physical addresses meters commonly are delivered with; the last two are those every device hears.
const PHYSICAL: [u16; 9] = [17, 16, 1, 18, 32, 100, 0, 0x7F, 0x3FFF];
/// The public client, and the management client for meters that hear nobody else.
const CLIENTS: [u8; 2] = [16, 1];

/// Every address worth trying, each once: common ones of every size as either client; then all of one octet, all physical
/// addresses of two octets, all of four.
pub(super) fn candidates(clients: &[u8]) -> Vec<Candidate> {
    let clients = if clients.is_empty() { &CLIENTS[..] } else { clients };
    let mut all = Vec::new();
    for client in clients {
        common(*client, &mut all);
    }
    for client in clients {
        all.extend((1..=127).map(|logical| one(*client, logical)));
    }
    for client in clients {
        for logical in LOGICAL {
            all.extend((0..=127).map(|physical| two(*client, logical, physical)));
        }
    }
    // As one client: at a third of a second each, half of these are an hour and a half.
    for client in clients.iter().take(1) {
        for logical in [1, 16] {
            all.extend((0..=0x3FFF).map(|physical| four(*client, logical, physical)));
        }
    }
    let mut seen = BTreeSet::new();
    all.retain(|candidate| seen.insert(*candidate));
    all
}

fn common(client: u8, all: &mut Vec<Candidate>) {
    all.extend(LOGICAL.map(|logical| one(client, logical)));
    for logical in [1, 16] {
        for physical in PHYSICAL {
            if physical <= 127 {
                all.push(two(client, logical, physical));
            }
            all.push(four(client, logical, physical));
        }
    }
}

fn one(client: u8, logical: u16) -> Candidate {
    Candidate { client, logical, physical: None, size: AddressSize::One }
}

fn two(client: u8, logical: u16, physical: u16) -> Candidate {
    Candidate { client, logical, physical: Some(physical), size: AddressSize::Two }
}

fn four(client: u8, logical: u16, physical: u16) -> Candidate {
    Candidate { client, logical, physical: Some(physical), size: AddressSize::Four }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_come_first_and_each_comes_once() {
        let all = candidates(&[]);
        assert_eq!(all[0], one(16, 1));
        let place = |wanted: Candidate| all.iter().position(|found| *found == wanted).expect("tried");
        assert!(place(two(16, 1, 17)) < 40 && place(four(16, 1, 17)) < 40);
        assert!(place(one(16, 99)) < 250 && place(two(16, 18, 77)) < 3000);
        assert!(place(four(16, 1, 16_000)) < 40_000);
        let different: BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert!(candidates(&[33]).iter().all(|candidate| candidate.client == 33));
    }
}
