//! The lab's vending: fresh top-up tokens under the meters' vending keys.

use std::collections::BTreeMap;

use lab_config::{DeviceKind, Rig, SecretError};
use proto_duis::utrn::{Utrn, VendingKey};
use scenarios::Vending;

/// A vending key that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum VendingError {
    /// The secret cannot be read.
    #[error("vending key of the {device}: {source}")]
    Secret {
        /// The meter.
        device: DeviceKind,
        /// Why.
        source: SecretError,
    },
    /// The secret is no key.
    #[error("vending key of the {device}: found {found} octets, expected 32: put the meter's own key there")]
    Length {
        /// The meter.
        device: DeviceKind,
        /// How many octets there are.
        found: usize,
    },
}

/// Vends for the prepayment meters of one rig. Sequence numbers rise from a start that the caller keeps across
/// restarts, because a meter refuses a token whose number it has seen.
#[derive(Debug)]
pub struct VendingDesk {
    keys: BTreeMap<DeviceKind, VendingKey>,
    next: u32,
}

impl VendingDesk {
    /// A desk with the keys the lab file names for this rig; the first token has the sequence number `first`.
    ///
    /// # Errors
    /// A key cannot be read.
    pub fn of(rig: &Rig, first: u32) -> Result<VendingDesk, VendingError> {
        let mut keys = BTreeMap::new();
        for device in rig.devices() {
            if let Some(source) = &device.credentials.vending_key {
                let device = device.kind;
                let secret = source.secret().map_err(|source| VendingError::Secret { device, source })?;
                let found = secret.expose().len();
                let octets =
                    secret.expose().try_into().map_err(|_| VendingError::Length { device, found })?;
                keys.insert(device, VendingKey::new(octets));
            }
        }
        Ok(VendingDesk::new(keys, first))
    }

    /// A desk with these keys.
    pub const fn new(keys: BTreeMap<DeviceKind, VendingKey>, first: u32) -> VendingDesk {
        VendingDesk { keys, next: first }
    }

    /// The sequence number of the next token, for the caller to keep.
    pub const fn next_sequence(&self) -> u32 {
        self.next
    }

    /// The meter whose tokens a request to this device carries: gas tokens go in by way of the mirror.
    fn meter(&self, device: DeviceKind) -> Option<&VendingKey> {
        let behind = (device == DeviceKind::Gpf).then_some(DeviceKind::Gsme);
        self.keys.get(&device).or_else(|| self.keys.get(&behind?))
    }
}

impl Vending for VendingDesk {
    fn utrn(&mut self, device: DeviceKind, pence: u32) -> Result<String, String> {
        let key = self.meter(device).ok_or_else(|| {
            let known = self.keys.keys().map(DeviceKind::to_string).collect::<Vec<_>>().join(", ");
            format!("the lab file has no vending-key for the {device}; it has one for: {known}")
        })?;
        let token = Utrn::make(key, self.next, pence).map_err(|error| error.to_string())?;
        self.next += 1;
        Ok(token.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: VendingKey = VendingKey::new([7; 32]);

    #[test]
    fn every_token_has_a_number_of_its_own() {
        let mut desk = VendingDesk::new([(DeviceKind::Esme, KEY)].into(), 41);
        let mut sequence = || {
            let token = desk.utrn(DeviceKind::Esme, 1000).unwrap();
            token.parse::<Utrn>().unwrap().open(&KEY).unwrap().sequence
        };
        assert_eq!((sequence(), sequence()), (41, 42));
        assert_eq!(desk.next_sequence(), 43);
    }

    #[test]
    fn gas_tokens_for_the_mirror_are_the_gas_meters() {
        let mut desk = VendingDesk::new([(DeviceKind::Gsme, KEY)].into(), 1);
        assert!(desk.utrn(DeviceKind::Gpf, 1).is_ok());
        let refused = desk.utrn(DeviceKind::Esme, 1).unwrap_err();
        assert!(refused.contains("ESME") && refused.contains("GSME"), "{refused}");
    }

    #[test]
    fn an_amount_that_does_not_fit_uses_up_no_number() {
        let mut desk = VendingDesk::new([(DeviceKind::Esme, KEY)].into(), 1);
        assert!(desk.utrn(DeviceKind::Esme, 100_000).unwrap_err().contains("100000"));
        assert_eq!(desk.next_sequence(), 1);
    }
}
