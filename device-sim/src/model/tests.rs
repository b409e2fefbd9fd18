//! What the tests of the models share.

use proto_duis::utrn::VendingKey;
use proto_duis::{DeviceKind, Eui64};

use super::account::{PaymentMode, Thresholds};
use super::connection::Contract;
use super::money::Millipence;
use super::plate::Plate;
use super::tariff::Prices;
use super::time::Moment;

/// 2026-05-28T20:26:40Z.
pub(crate) const NOW: Moment = Moment::from_millis(1_780_000_000_000);

pub(crate) fn key() -> VendingKey {
    VendingKey::new([3; 32])
}

pub(crate) fn plate(kind: DeviceKind) -> Plate {
    Plate {
        kind,
        eui64: Eui64::new([2; 8]),
        manufacturer: "Maker".into(),
        model: "M1".into(),
        hardware: "2".into(),
        firmware: "1.04".into(),
        configuration: "1".into(),
        configured: Vec::new(),
    }
}

pub(crate) fn contract(kind: DeviceKind) -> Contract {
    Contract {
        plate: plate(kind),
        mode: PaymentMode::Prepayment,
        opening: Millipence::pence(1000),
        thresholds: Thresholds::default(),
        prices: Prices::default(),
        vending_key: Some(key()),
    }
}
