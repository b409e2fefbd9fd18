//! New keys on their way to a meter: wrapped under the master key, as the security setup object takes them (class 64,
//! method 2; IEC 62056-6-2, 4.4.7; the wrapping is RFC 3394).
//!
//! ```
//! use proto_dlms::security::{Key, KeyId, key_transfer, transferred};
//!
//! let (master, new) = (Key::new([1; 16]), Key::new([2; 16]));
//! let parameter = key_transfer(&master, &[(KeyId::Encryption, &new)]);
//! assert_eq!(transferred(&master, &parameter), Ok(vec![(KeyId::Encryption, new)]));
//! assert!(transferred(&Key::new([3; 16]), &parameter).is_err(), "another master key");
//! ```

use aes_gcm::aes::cipher::consts::U16;
use aes_kw::{KeyInit as _, KwAes128};
use thiserror::Error;

use super::Key;
use crate::data::Data;

/// Octets of a wrapped key.
pub const WRAPPED: usize = 24;
/// Keys a transfer has at most: one of each kind.
const MOST: usize = 4;

/// Which key a transfer is of (IEC 62056-6-2, 4.4.7, `key_id`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyId {
    /// The global unicast encryption key (GUEK).
    Encryption,
    /// The global broadcast encryption key (GBEK).
    Broadcast,
    /// The authentication key (GAK).
    Authentication,
    /// The master key (KEK), which wraps the others.
    Master,
}

impl KeyId {
    const ALL: [Self; MOST] = [Self::Encryption, Self::Broadcast, Self::Authentication, Self::Master];

    /// Its number on the wire.
    pub fn code(self) -> u8 {
        match self {
            Self::Encryption => 0,
            Self::Broadcast => 1,
            Self::Authentication => 2,
            Self::Master => 3,
        }
    }

    fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|id| id.code() == code)
    }
}

/// Why a transfer is not accepted; none of its keys is then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyTransferError {
    /// The parameter is no list of keys.
    #[error("{found} where a list of one to {MOST} keys was expected, each an enum and {WRAPPED} octets")]
    NoKeys {
        /// What was found.
        found: &'static str,
    },
    /// A key was wrapped under another master key, or changed on the way.
    #[error("the key with number {} does not unwrap: another master key, or octets changed on the way", id.code())]
    Wrapping {
        /// Which.
        id: KeyId,
    },
    /// One key twice.
    #[error("the key with number {} stands twice in one transfer", id.code())]
    Twice {
        /// Which.
        id: KeyId,
    },
}

/// A key wrapped under the master key.
pub fn wrap_key(master: &Key, key: &Key) -> [u8; WRAPPED] {
    KwAes128::new(master.expose().into()).wrap_fixed_key::<U16>(key.expose().into()).into()
}

/// Reverses [`wrap_key`]; `None` for what was wrapped under another master key, or changed since.
pub fn unwrap_key(master: &Key, wrapped: &[u8]) -> Option<Key> {
    let wrapped = <&[u8; WRAPPED]>::try_from(wrapped).ok()?;
    let mut octets = [0; 16];
    KwAes128::new(master.expose().into()).unwrap_key(wrapped, &mut octets).ok()?;
    Some(Key::new(octets))
}

/// The parameter of the method that transfers keys.
pub fn key_transfer(master: &Key, keys: &[(KeyId, &Key)]) -> Data {
    let wrapped: Vec<_> = keys.iter().map(|(id, key)| (*id, wrap_key(master, key).to_vec())).collect();
    transfer_of(&wrapped)
}

/// The same of keys that whoever has the master key has wrapped.
pub fn transfer_of(wrapped: &[(KeyId, Vec<u8>)]) -> Data {
    let one = |(id, wrapped): &(KeyId, Vec<u8>)| {
        Data::Structure(vec![Data::Enum(id.code()), Data::Octets(wrapped.clone())])
    };
    Data::Array(wrapped.iter().map(one).collect())
}

/// The keys of such a parameter.
///
/// # Errors
/// Why none of them is accepted.
pub fn transferred(master: &Key, parameter: &Data) -> Result<Vec<(KeyId, Key)>, KeyTransferError> {
    let Data::Array(elements) = parameter else {
        return Err(KeyTransferError::NoKeys { found: "something else" });
    };
    if !(1..=MOST).contains(&elements.len()) {
        return Err(KeyTransferError::NoKeys { found: "a list of another length" });
    }
    let mut keys = Vec::new();
    for element in elements {
        let (id, wrapped) = element_of(element)?;
        if keys.iter().any(|(other, _)| *other == id) {
            return Err(KeyTransferError::Twice { id });
        }
        keys.push((id, unwrap_key(master, wrapped).ok_or(KeyTransferError::Wrapping { id })?));
    }
    Ok(keys)
}

fn element_of(element: &Data) -> Result<(KeyId, &[u8]), KeyTransferError> {
    let Some([Data::Enum(code), Data::Octets(wrapped)]) = element.elements() else {
        return Err(KeyTransferError::NoKeys { found: "an element that is no key" });
    };
    let id = KeyId::of_code(*code).ok_or(KeyTransferError::NoKeys { found: "a key of another number" })?;
    Ok((id, wrapped))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::apdu::{ActionRequestKind, Apdu};

    fn key(digits: &str) -> Key {
        Key::try_from(hex::decode(digits).unwrap().as_slice()).unwrap()
    }

    fn master() -> Key {
        key("000102030405060708090A0B0C0D0E0F")
    }

    /// The vector of RFC 3394, 4.1. If this fails, do not change the test.
    #[test]
    fn a_key_is_wrapped_as_the_rfc_has_it() {
        let wrapped = wrap_key(&master(), &key("00112233445566778899AABBCCDDEEFF"));
        assert_eq!(hex::encode_upper(wrapped), "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5");
        assert_eq!(unwrap_key(&master(), &wrapped), Some(key("00112233445566778899AABBCCDDEEFF")));
    }

    /// The ACTION request gurux-dlms makes of this transfer to 0-0:43.0.1. If this fails, do not change the test.
    #[test]
    fn a_transfer_is_what_an_independent_client_sends() {
        let theirs = "C301C1004000002B0001FF020101020202160009181FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5\
                      020216020918C498429FF0B8E698352B17AFFAC7CA6C708D61062E82B6D4";
        let Ok(Apdu::ActionRequest(request)) = Apdu::decode(&hex::decode(theirs).unwrap()) else {
            panic!("no ACTION request")
        };
        let ActionRequestKind::Normal { parameter: Some(parameter), .. } = request.kind else {
            panic!("no parameter")
        };
        let (encryption, authentication) =
            (key("00112233445566778899AABBCCDDEEFF"), key("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"));
        let keys = [(KeyId::Encryption, &encryption), (KeyId::Authentication, &authentication)];
        assert_eq!(parameter, key_transfer(&master(), &keys));
        let taken = transferred(&master(), &parameter).unwrap();
        assert_eq!(taken, [(KeyId::Encryption, encryption), (KeyId::Authentication, authentication)]);
    }

    #[test]
    fn a_transfer_with_one_bad_key_has_none() {
        let (good, id) = (wrap_key(&master(), &master()).to_vec(), KeyId::Authentication);
        let element =
            |code, wrapped: &[u8]| Data::Structure(vec![Data::Enum(code), Data::Octets(wrapped.to_vec())]);
        let bad = |elements| transferred(&master(), &Data::Array(elements)).unwrap_err();
        let mut changed = good.clone();
        changed[7] ^= 1;
        assert_eq!(bad(vec![element(0, &good), element(2, &changed)]), KeyTransferError::Wrapping { id });
        assert_eq!(bad(vec![element(2, &good[..16])]), KeyTransferError::Wrapping { id });
        assert_eq!(bad(vec![element(2, &good), element(2, &good)]), KeyTransferError::Twice { id });
        for elements in [vec![], vec![Data::Null], vec![element(4, &good)], vec![element(0, &good); 5]] {
            assert!(matches!(bad(elements), KeyTransferError::NoKeys { .. }));
        }
    }

    proptest! {
        #[test]
        fn what_was_wrapped_unwraps_under_the_same_master_key_alone(one: [u8; 16], other: [u8; 16], secret: [u8; 16]) {
            let wrapped = wrap_key(&Key::new(one), &Key::new(secret));
            prop_assert_eq!(unwrap_key(&Key::new(one), &wrapped), Some(Key::new(secret)));
            prop_assume!(one != other);
            prop_assert_eq!(unwrap_key(&Key::new(other), &wrapped), None);
        }

        #[test]
        fn no_octets_unwrap_by_chance_or_panic(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(unwrap_key(&Key::new([9; 16]), &octets), None);
        }
    }
}
