//! The fixed words of DUIS: device kinds and statuses, user roles, alert codes.

use std::fmt;
use std::str::FromStr;

word_enum! {
    /// What a device is (the SMETS1 part of DUIS type `DeviceType`).
    DeviceKind, "device kind" {
        /// Communications Hub Function: the device with the wide area link.
        Chf = "CHF",
        /// Gas Proxy Function: the gas meter's mirror inside the communications hub.
        Gpf = "GPF",
        /// Electricity meter.
        Esme = "ESME",
        /// Gas meter, asleep most of the time.
        Gsme = "GSME",
        /// Prepayment Meter Interface Device.
        Ppmid = "PPMID",
        /// In-home display.
        Ihd = "IHD",
    }
}

word_enum! {
    /// Where a device stands in the Smart Metering Inventory (DUIS type `DeviceStatus`).
    DeviceStatus, "device status" {
        /// Notified, not yet expected on any network.
        Pending = "Pending",
        /// May join the network of its communications hub.
        Whitelisted = "Whitelisted",
        /// Joined, not commissioned.
        InstalledNotCommissioned = "InstalledNotCommissioned",
        /// In service.
        Commissioned = "Commissioned",
        /// Taken out of service.
        Decommissioned = "Decommissioned",
        /// Withdrawn from the DCC's services.
        Withdrawn = "Withdrawn",
        /// Its Device Model is no longer approved.
        Suspended = "Suspended",
        /// Its credentials are being recovered.
        Recovery = "Recovery",
        /// Its credentials have been recovered.
        Recovered = "Recovered",
    }
}

word_enum! {
    /// The capacity in which a DCC user sends a request (SEC Appendix E; abbreviations of DUIS).
    UserRole, "user role" {
        /// Import Supplier.
        ImportSupplier = "IS",
        /// Export Supplier.
        ExportSupplier = "ES",
        /// Gas Supplier.
        GasSupplier = "GS",
        /// Registered Supplier Agent.
        RegisteredSupplierAgent = "RSA",
        /// Electricity Distributor.
        ElectricityDistributor = "ED",
        /// Gas Transporter.
        GasTransporter = "GT",
        /// Other User.
        OtherUser = "OU",
    }
}

/// The code of a device alert, two octets written as four hexadecimal digits (`8F3F`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertCode(pub u16);

impl AlertCode {
    /// Unauthorised physical access, tamper.
    pub const TAMPER: AlertCode = AlertCode(0x8F3F);
    /// Supply armed.
    pub const SUPPLY_ARMED: AlertCode = AlertCode(0x8F32);
    /// Credit below the low credit threshold.
    pub const LOW_CREDIT: AlertCode = AlertCode(0x810D);
    /// Credit below the disablement threshold.
    pub const BELOW_DISABLEMENT: AlertCode = AlertCode(0x8F0F);
    /// A UTRN was entered twice.
    pub const DUPLICATE_UTRN: AlertCode = AlertCode(0x8F51);
    /// A future-dated command was carried out.
    pub const FUTURE_DATED_DONE: AlertCode = AlertCode(0x8F66);
    /// A future-dated command failed.
    pub const FUTURE_DATED_FAILED: AlertCode = AlertCode(0x8F67);
    /// A firmware image was verified.
    pub const FIRMWARE_VERIFIED: AlertCode = AlertCode(0x8F72);
    /// A firmware image was not verified.
    pub const FIRMWARE_NOT_VERIFIED: AlertCode = AlertCode(0x8F1C);
    /// A user interface or local port of the device was used.
    pub const LOCAL_PORT_USED: AlertCode = AlertCode(0x81A5);

    /// What the code says, where this crate knows it.
    pub fn meaning(self) -> Option<&'static str> {
        Some(match self {
            Self::TAMPER => "tamper",
            Self::SUPPLY_ARMED => "supply armed",
            Self::LOW_CREDIT => "credit below the low credit threshold",
            Self::BELOW_DISABLEMENT => "credit below the disablement threshold",
            Self::DUPLICATE_UTRN => "UTRN entered twice",
            Self::FUTURE_DATED_DONE => "future-dated command carried out",
            Self::FUTURE_DATED_FAILED => "future-dated command failed",
            Self::FIRMWARE_VERIFIED => "firmware image verified",
            Self::FIRMWARE_NOT_VERIFIED => "firmware image not verified",
            Self::LOCAL_PORT_USED => "local port used",
            AlertCode(0x8F35 | 0x8F36) => "supply restored after an outage",
            _ => return None,
        })
    }
}

impl fmt::Display for AlertCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Debug for AlertCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlertCode({self})")
    }
}

/// Text that is not an alert code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not an alert code; expected four hexadecimal digits, such as 8F3F")]
pub struct AlertCodeError {
    found: String,
}

impl FromStr for AlertCode {
    type Err = AlertCodeError;

    /// Reads `8F3F`, with or without a leading `0x`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let four = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let code = u16::from_str_radix(digits, 16).ok().filter(|_| four);
        code.map(AlertCode).ok_or_else(|| AlertCodeError { found: text.chars().take(40).collect() })
    }
}

serde_as_text!(AlertCode);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for kind in DeviceKind::ALL {
            assert_eq!(kind.to_string().parse::<DeviceKind>().unwrap(), *kind);
        }
        for role in UserRole::ALL {
            assert_eq!(role.to_string().parse::<UserRole>().unwrap(), *role);
        }
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_list() {
        let error = "METER".parse::<DeviceKind>().unwrap_err().to_string();
        assert_eq!(error, "\"METER\" is not a device kind; expected one of CHF, GPF, ESME, GSME, PPMID, IHD");
    }

    #[test]
    fn alert_codes_take_exactly_four_digits() {
        assert_eq!("0x8F3F".parse(), Ok(AlertCode::TAMPER));
        assert_eq!("8f3f".parse(), Ok(AlertCode::TAMPER));
        assert_eq!(AlertCode::TAMPER.to_string(), "8F3F");
        for bad in ["", "8F3", "8F3F0", "+F3F", "tamper"] {
            assert!(bad.parse::<AlertCode>().is_err(), "{bad}");
        }
    }
}
