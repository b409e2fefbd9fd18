//! Response codes: how the DCC judged a request (DUIS type `ResponseCode`).
//!
//! `I` informs, `W` warns, `E` refuses. A code with six digits names the Service Reference and the number of the check
//! that failed. The list is closed by the schema: a code outside it makes a response invalid.

use std::fmt;
use std::str::FromStr;

/// One code of the schema's list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResponseCode(&'static str);

macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident = $code:literal, $meaning:literal;)+) => {
        impl ResponseCode {
            $($(#[$meta])* pub const $name: ResponseCode = ResponseCode($code);)+

            /// What the code says, where this crate knows it.
            pub fn meaning(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($meaning),)+
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// Success.
    SUCCESS = "I0", "success";
    /// Accepted: the answer follows to the user's listener.
    ACKNOWLEDGED = "I99", "accepted, the answer follows";
    /// The user is unknown or its role is not valid.
    INVALID_USER = "E1", "user or user role not valid";
    /// The role may not send this request.
    ROLE_NOT_ALLOWED = "E2", "the user role may not send this request";
    /// The status of the user forbids the request.
    USER_STATUS = "E3", "the status of the user forbids the request";
    /// The user is not responsible for the device on that date.
    NOT_RESPONSIBLE = "E4", "the user is not authorised for this device on this date";
    /// The status of the device forbids the request.
    DEVICE_STATUS = "E5", "the status of the device forbids the request";
    /// The request does not apply to this type of device.
    DEVICE_TYPE = "E11", "the request does not apply to this type of device";
    /// The command variant does not apply to the request.
    COMMAND_VARIANT = "E12", "the command variant does not apply to this request";
    /// The request was sent to the wrong address.
    WRONG_ADDRESS = "E13", "sent to the wrong web service address";
    /// The request has no local command.
    NO_LOCAL_COMMAND = "E17", "no local command for this request";
    /// The device is not in the inventory.
    UNKNOWN_DEVICE = "E19", "the device is not in the inventory";
    /// The device, or the S1SP, could not be reached.
    CANNOT_COMMUNICATE = "E20", "the device cannot be reached";
    /// The device did not answer in time.
    NO_RESPONSE = "E21", "the device did not answer in time";
    /// A future-dated request timed out.
    FUTURE_DATED_TIMEOUT = "E30", "the future-dated request timed out";
    /// 11.1 is not done for every device named: the answer lists the others and why.
    FIRMWARE_WARNING = "W110101", "the firmware is not sent to every device named";
}

impl ResponseCode {
    /// The code as it is written.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// Whether the DCC did what was asked, with something to say about it.
    pub fn is_warning(self) -> bool {
        self.0.starts_with('W')
    }

    /// Whether the DCC refused, or could not complete, the request.
    pub fn is_error(self) -> bool {
        self.0.starts_with('E')
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseCode({})", self.0)
    }
}

/// Text that is not a response code of DUIS 5.4.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a response code of DUIS 5.4; expected one such as I0, I99, E19 or E010101")]
pub struct ResponseCodeError {
    found: String,
}

impl FromStr for ResponseCode {
    type Err = ResponseCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = CODES.iter().find(|code| **code == text).map(|code| ResponseCode(code));
        known.ok_or_else(|| ResponseCodeError { found: text.chars().take(40).collect() })
    }
}

serde_as_text!(ResponseCode);

/// The list of the schema, in its order.
#[rustfmt::skip]
const CODES: &[&str] = &[
    "I0", "I99", "E1", "E2", "E3", "E4", "E5", "E11", "E12", "E13", "E17", "E19", "E20", "E21", "E30",
    "E31", "E40", "E41", "E42", "E43", "E44", "E45", "E46", "E47", "E48", "E49", "E50", "E51", "E52",
    "E53", "E54", "E55", "E56", "E57", "E58", "E59", "E60", "E61", "E62", "E63", "E64", "E65", "E66",
    "E67", "E68", "E69", "E70", "E71", "E100", "E1000", "E1001", "E1003", "E1004", "E1006", "E1007",
    "E1008", "E1010", "E1011", "E010101", "E010102", "E010201", "E030301", "E030302", "E040101",
    "E041701", "E050101", "E050102", "E050103", "E050105", "E050107", "E050108", "E050109", "E050110",
    "E050111", "E050112", "E050201", "E050202", "W050201", "E050301", "E050302", "W050301", "E060501",
    "E060502", "E060701", "E060801", "E060802", "E060803", "E061301", "E061304", "E061305", "E061501",
    "E061504", "E061505", "E061506", "E061507", "E061508", "E061509", "E061801", "E061802", "E061803",
    "E062101", "E062102", "E062103", "E062105", "E062201", "E062202", "E062203", "E062301", "E062302",
    "E062303", "E062304", "E062305", "E062306", "E062401", "E062402", "E062403", "E062801", "E062802",
    "E062803", "E080201", "E080202", "E080301", "E080302", "E080405", "E080406", "E080407", "E080408",
    "E080409", "E080410", "E080411", "E080412", "E080413", "E080414", "E080415", "E080501", "E080502",
    "E080503", "E080601", "E080602", "E080604", "E080606", "E080607", "E080702", "E080721", "E080722",
    "E080723", "E080801", "E080821", "E080822", "E080901", "E080902", "E080903", "E081101", "E081102",
    "E081104", "E081105", "E081106", "E081107", "E081108", "E081109", "E081110", "E081111", "E081202",
    "E081204", "E081205", "E081221", "E081222", "E081223", "E081301", "E081302", "E081303", "E081401",
    "E081402", "E081405", "E081406", "W081401", "E110101", "E110102", "E110103", "E110105", "E110106",
    "W110101", "E110401", "E110402", "E110403", "E110405", "W110401", "E120101", "E120102", "E120103",
    "E120201", "E120203", "E120204", "E120207",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_codes_are_in_the_list() {
        for code in CODES.iter().map(|code| code.parse::<ResponseCode>().unwrap()) {
            assert_eq!(code.as_str().parse(), Ok(code));
        }
        assert_eq!("E19".parse(), Ok(ResponseCode::UNKNOWN_DEVICE));
        assert!(ResponseCode::UNKNOWN_DEVICE.is_error() && !ResponseCode::ACKNOWLEDGED.is_error());
    }

    #[test]
    fn a_code_outside_the_list_is_refused() {
        for bad in ["", "I1", "e19", "E19 ", "E99999"] {
            assert!(bad.parse::<ResponseCode>().is_err(), "{bad:?}");
        }
    }
}
