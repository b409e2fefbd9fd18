//! The results a meter gives for access to one attribute or method (IEC 62056-5-3, 9.5).

use std::fmt;

/// Why an attribute could not be read or written (`Data-Access-Result` other than success).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DataAccessResult {
    /// 1: hardware fault.
    HardwareFault,
    /// 2: temporary failure; ask again later.
    TemporaryFailure,
    /// 3: this client may not read or write this attribute.
    ReadWriteDenied,
    /// 4: no such object.
    ObjectUndefined,
    /// 9: the object exists with another interface class.
    ObjectClassInconsistent,
    /// 11: the object exists but cannot be had now.
    ObjectUnavailable,
    /// 12: the value has the wrong type.
    TypeUnmatched,
    /// 13: the request reaches beyond what may be accessed.
    ScopeOfAccessViolated,
    /// 14: the block is not available.
    DataBlockUnavailable,
    /// 15: a long read was aborted.
    LongGetAborted,
    /// 16: there is no long read in progress.
    NoLongGetInProgress,
    /// 17: a long write was aborted.
    LongSetAborted,
    /// 18: there is no long write in progress.
    NoLongSetInProgress,
    /// 19: the block number is not the one expected.
    DataBlockNumberInvalid,
    /// 250: another reason.
    OtherReason,
    /// A code the standard does not list, kept as the meter sent it.
    Unlisted(u8),
}

const ACCESS: [(u8, DataAccessResult, &str); 15] = [
    (1, DataAccessResult::HardwareFault, "hardware fault"),
    (2, DataAccessResult::TemporaryFailure, "temporary failure"),
    (3, DataAccessResult::ReadWriteDenied, "read-write denied"),
    (4, DataAccessResult::ObjectUndefined, "object undefined"),
    (9, DataAccessResult::ObjectClassInconsistent, "object class inconsistent"),
    (11, DataAccessResult::ObjectUnavailable, "object unavailable"),
    (12, DataAccessResult::TypeUnmatched, "type unmatched"),
    (13, DataAccessResult::ScopeOfAccessViolated, "scope of access violated"),
    (14, DataAccessResult::DataBlockUnavailable, "data block unavailable"),
    (15, DataAccessResult::LongGetAborted, "long get aborted"),
    (16, DataAccessResult::NoLongGetInProgress, "no long get in progress"),
    (17, DataAccessResult::LongSetAborted, "long set aborted"),
    (18, DataAccessResult::NoLongSetInProgress, "no long set in progress"),
    (19, DataAccessResult::DataBlockNumberInvalid, "data block number invalid"),
    (250, DataAccessResult::OtherReason, "other reason"),
];

impl DataAccessResult {
    /// The code on the wire.
    pub fn code(self) -> u8 {
        match self {
            DataAccessResult::Unlisted(code) => code,
            listed => ACCESS.iter().find(|row| row.1 == listed).map_or(250, |row| row.0),
        }
    }

    /// The result for a code; `None` for 0, which is success.
    pub fn from_code(code: u8) -> Option<Self> {
        let listed = ACCESS.iter().find(|row| row.0 == code).map(|row| row.1);
        (code != 0).then(|| listed.unwrap_or(DataAccessResult::Unlisted(code)))
    }
}

impl fmt::Display for DataAccessResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ACCESS.iter().find(|row| row.1 == *self).map_or("unlisted", |row| row.2);
        write!(f, "{name} ({})", self.code())
    }
}

/// Why a method could not be invoked (`Action-Result` other than success).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ActionResult {
    /// 1: hardware fault.
    HardwareFault,
    /// 2: temporary failure; ask again later.
    TemporaryFailure,
    /// 3: this client may not invoke this method.
    ReadWriteDenied,
    /// 4: no such object.
    ObjectUndefined,
    /// 9: the object exists with another interface class.
    ObjectClassInconsistent,
    /// 11: the object exists but cannot be had now.
    ObjectUnavailable,
    /// 12: the parameters have the wrong type.
    TypeUnmatched,
    /// 13: the request reaches beyond what may be accessed.
    ScopeOfAccessViolated,
    /// 14: the block is not available.
    DataBlockUnavailable,
    /// 15: a long action was aborted.
    LongActionAborted,
    /// 16: there is no long action in progress.
    NoLongActionInProgress,
    /// 250: another reason.
    OtherReason,
    /// A code the standard does not list, kept as the meter sent it.
    Unlisted(u8),
}

const ACTION: [(u8, ActionResult, &str); 12] = [
    (1, ActionResult::HardwareFault, "hardware fault"),
    (2, ActionResult::TemporaryFailure, "temporary failure"),
    (3, ActionResult::ReadWriteDenied, "read-write denied"),
    (4, ActionResult::ObjectUndefined, "object undefined"),
    (9, ActionResult::ObjectClassInconsistent, "object class inconsistent"),
    (11, ActionResult::ObjectUnavailable, "object unavailable"),
    (12, ActionResult::TypeUnmatched, "type unmatched"),
    (13, ActionResult::ScopeOfAccessViolated, "scope of access violated"),
    (14, ActionResult::DataBlockUnavailable, "data block unavailable"),
    (15, ActionResult::LongActionAborted, "long action aborted"),
    (16, ActionResult::NoLongActionInProgress, "no long action in progress"),
    (250, ActionResult::OtherReason, "other reason"),
];

impl ActionResult {
    /// The code on the wire.
    pub fn code(self) -> u8 {
        match self {
            ActionResult::Unlisted(code) => code,
            listed => ACTION.iter().find(|row| row.1 == listed).map_or(250, |row| row.0),
        }
    }

    /// The result for a code; `None` for 0, which is success.
    pub fn from_code(code: u8) -> Option<Self> {
        let listed = ACTION.iter().find(|row| row.0 == code).map(|row| row.1);
        (code != 0).then(|| listed.unwrap_or(ActionResult::Unlisted(code)))
    }
}

impl fmt::Display for ActionResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ACTION.iter().find(|row| row.1 == *self).map_or("unlisted", |row| row.2);
        write!(f, "{name} ({})", self.code())
    }
}
