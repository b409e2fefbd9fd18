//! Service Reference Variants: what can be asked, by whom, of what.
//!
//! The variants here are those the lab sends and serves. Names, roles and criticality are those of the DUIS Service
//! Reference Variant table; the columns wrapped in [`Unverified`] are general knowledge of the field that no
//! published document to hand confirms, kept in `table.rs` as data so that they can be corrected in one place.

use crate::vocabulary::{DeviceKind, UserRole};
use std::fmt;
use std::str::FromStr;

mod dating;
mod table;

pub use dating::FutureDating;
pub use table::Srv;

/// A value that no published source to hand confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unverified<T>(pub T);

/// How a variant is used with SMETS1 devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Smets1Use {
    /// The kinds of device the request may target; none when it is for the DCC itself.
    pub targets: &'static [DeviceKind],
    /// The command variant the request is sent as.
    pub command_variant: u8,
    /// Whether it is not sure that SMETS1 devices are sent it at all.
    pub doubtful: bool,
}

impl Srv {
    /// Whether the DCC answers the request itself, with no device involved.
    pub fn is_for_the_dcc(self) -> bool {
        self.smets1().0.targets.is_empty()
    }

    /// Whether it is not sure that SMETS1 devices are sent it at all: a DCC refuses it unless it is told to take such requests.
    pub const fn is_doubtful(self) -> bool {
        self.smets1().0.doubtful
    }

    /// The element of the answer inside `SMETSData`: the body element with `Rsp` after it, save for 6.2.3. None when the
    /// DCC answers.
    pub fn response_element(self) -> Option<String> {
        let name = match self {
            Srv::ReadDeviceConfigurationBillingCalendar => "ReadDeviceConfigurationDataBillingCalendar",
            other => other.body_element(),
        };
        (!self.is_for_the_dcc()).then(|| format!("{name}Rsp"))
    }

    /// The variant whose answers have this element inside `SMETSData`.
    pub fn from_response_element(element: &str) -> Option<Srv> {
        Srv::ALL.iter().copied().find(|srv| srv.response_element().as_deref() == Some(element))
    }

    /// The variant whose requests have this body element.
    pub fn from_body_element(element: &str) -> Option<Srv> {
        Srv::ALL.iter().copied().find(|srv| srv.body_element() == element)
    }
}

impl fmt::Display for Srv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Srv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Srv({self})")
    }
}

impl FromStr for Srv {
    type Err = crate::UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Srv::ALL.iter().copied().find(|srv| srv.as_str() == text).ok_or_else(|| {
            // Those of its group, where it has one: more than a hundred variants help nobody.
            let group = |srv: &str| srv.split('.').next() == text.split('.').next();
            let known = Srv::ALL.iter().map(|srv| srv.as_str());
            let near: Vec<&str> = known.clone().filter(|srv| group(srv)).collect();
            let known = if near.is_empty() { known.collect() } else { near };
            crate::UnknownWord::new("Service Reference Variant this lab speaks", text, known.into_iter())
        })
    }
}

serde_as_text!(Srv);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_read_back_and_belong_to_their_reference() {
        for srv in Srv::ALL {
            assert_eq!(srv.to_string().parse::<Srv>().unwrap(), *srv);
            assert!(srv.as_str().starts_with(srv.reference()));
            assert_eq!(Srv::from_body_element(srv.body_element()), Some(*srv));
        }
    }

    #[test]
    fn what_targets_no_device_is_the_dccs_own() {
        let own = Srv::ALL.iter().filter(|srv| srv.is_for_the_dcc()).map(|srv| srv.as_str());
        assert_eq!(own.collect::<Vec<_>>(), ["5.1", "5.2", "5.3", "8.2", "8.3", "8.4", "11.1", "12.2"]);
        assert_eq!(Srv::ReadInventory.response_element(), None);
        assert_eq!(Srv::ArmSupply.response_element().as_deref(), Some("ArmSupplyRsp"));
    }

    #[test]
    fn an_unknown_variant_is_refused_with_the_list() {
        let error = "4.99".parse::<Srv>().unwrap_err().to_string();
        assert!(error.contains("4.99") && error.contains("4.1.1"), "{error}");
    }
}
