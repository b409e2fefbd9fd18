//! The checks of a migration, and the codes that files and records say them by.
//!
//! Which checks there are is the program's; what each is called is data (`codes.toml`), because of the published codes the
//! lab knows only two: MA110 and GT01. All others are marked unverified there and begin with `LAB-`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proto_migration::{FileRefusalCode, Text};
use serde::Deserialize;

lab_config::vocabulary! {
    /// Why an installation does not get further. Why a file is not taken, its
    /// [`proto_migration::FileRefusalCode`] says.
    pub enum Code {
        /// It matches no entry of the SMETS1 Eligible Product Combinations List (MA110).
        NotOnEpcl = "not-on-epcl",
        /// The home area network does not carry gas: electricity only may migrate (GT01).
        GasHan = "gas-han",
        /// It has no communications hub, so nothing of it can be reached.
        NoCommunicationsHub = "no-communications-hub",
        /// A device of its Device Model Combination is not declared, or a device that is declared is not there.
        DevicesIncomplete = "devices-incomplete",
        /// A meter is declared without a meter point.
        MeterPointMissing = "meter-point-missing",
        /// A meter point is in no registration data.
        NotRegistered = "not-registered",
        /// Another supplier is registered than the one declared.
        SupplierDiffers = "supplier-differs",
        /// There is no authorisation of this name.
        AuthorisationMissing = "authorisation-missing",
        /// The authorisation does not hold yet, or does not hold any more.
        AuthorisationOutOfTime = "authorisation-out-of-time",
        /// The authorisation is not of the one who may give it.
        AuthorisationOfAnother = "authorisation-of-another",
        /// The authorisation is for another installation, or for one of another kind.
        AuthorisationForAnother = "authorisation-for-another",
        /// A device of it is in the inventory already.
        AlreadyEnrolled = "already-enrolled",
        /// The Requesting Party or the SMSO does not bring it.
        NotBrought = "not-brought",
        /// Secrets that are needed are not among those handed over.
        KeysMissing = "keys-missing",
        /// The sealed secrets do not open.
        KeysUnreadable = "keys-unreadable",
        /// The communications hub did not answer on the wide area network before the migration began.
        NoWanBefore = "no-wan-before",
        /// The communications hub stopped answering on the wide area network while it was migrated.
        NoWanWhile = "no-wan-while",
        /// A device other than a gas one does not answer behind its communications hub.
        Han = "han",
        /// A device answered, and refused.
        DeviceRefused = "device-refused",
        /// A device's clock is wrong.
        Clock = "clock",
        /// A device is not the one declared.
        Identity = "identity",
        /// A device has other firmware than declared.
        Firmware = "firmware",
        /// A device has another configuration than declared.
        Configuration = "configuration",
        /// A device did not take its new keys.
        KeyChange = "key-change",
        /// The Dual Control Organisation does not lend its half.
        DualControl = "dual-control",
        /// The inventory does not take a device.
        Inventory = "inventory",
        /// What is to be done needs a validation that this party has not seen.
        NotValidated = "not-validated",
        /// A file of this kind is nothing its reader can do anything with now: [`FileRefusalCode::Unexpected`].
        FileUnexpected = "file-unexpected",
        /// A party did not answer in time.
        NoAnswer = "no-answer",
        /// The lab itself failed: nothing is known against the installation.
        Lab = "lab",
        /// Five attempts failed.
        TooManyAttempts = "too-many-attempts",
        /// Somebody asked for a rollback.
        AskedFor = "asked-for",
        /// Migration control was interrupted.
        Interrupted = "interrupted",
    }
}

/// What `codes.toml` says of one check.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    code: String,
    #[serde(default)]
    verified: bool,
    #[serde(default)]
    excludes: bool,
    #[serde(default)]
    retried: bool,
}

const DATA: &str = include_str!("codes.toml");

/// Read once. A test holds that it can be read and that no check is without an entry.
static ENTRIES: LazyLock<BTreeMap<String, Entry>> =
    LazyLock::new(|| toml::from_str(DATA).unwrap_or_default());

impl Code {
    fn entry(self) -> Option<&'static Entry> {
        ENTRIES.get(self.word())
    }

    /// The code as files and records say it.
    pub fn published(self) -> &'static str {
        match (self, self.entry()) {
            (Self::FileUnexpected, _) => FileRefusalCode::Unexpected.code().as_str(),
            (_, Some(entry)) => &entry.code,
            (_, None) => "LAB-UNKNOWN",
        }
    }

    /// The same as a file has it.
    pub fn text(self) -> Text {
        super::text::shortened(self.published())
    }

    /// The check that files and records say by this code; none for a code that is somebody else's.
    pub fn of(published: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.published() == published)
    }

    /// Whether this is the code of the Error Handling and Retry Strategy.
    pub fn is_verified(self) -> bool {
        self.entry().is_some_and(|entry| entry.verified)
    }

    /// Whether an installation is not tried again after it (TMAD: missing keys, no WAN before, no WAN while).
    pub fn excludes(self) -> bool {
        self.entry().is_some_and(|entry| entry.excludes)
    }

    /// Whether asking once more may help: the network was silent, nobody refused.
    pub fn is_retried(self) -> bool {
        self.entry().is_some_and(|entry| entry.retried)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_check_has_a_code_of_its_own_and_two_are_the_published_ones() {
        let entries: BTreeMap<String, Entry> = toml::from_str(DATA).expect("codes.toml");
        let named: BTreeSet<&str> = entries.keys().map(String::as_str).collect();
        let checks = Code::ALL.iter().filter(|code| **code != Code::FileUnexpected);
        assert_eq!(named, checks.map(|code| code.word()).collect(), "one entry for each check");
        let published: BTreeSet<&str> = Code::ALL.iter().map(|code| code.published()).collect();
        assert_eq!(published.len(), Code::ALL.len(), "no two checks have the same code");
        let verified: Vec<&str> =
            Code::ALL.iter().filter(|code| code.is_verified()).map(|code| code.published()).collect();
        assert_eq!(verified, ["MA110", "GT01"]);
        for code in Code::ALL {
            assert_eq!(Code::of(code.published()), Some(*code));
            assert!(code.is_verified() || code.published().starts_with("LAB-"), "{code}");
            assert!(code.published().parse::<Text>().is_ok(), "{code}");
        }
    }

    #[test]
    fn what_excludes_at_once_is_what_the_tmad_says() {
        let excluding: Vec<Code> = Code::ALL.iter().copied().filter(|code| code.excludes()).collect();
        assert_eq!(excluding, [Code::KeysMissing, Code::NoWanBefore, Code::NoWanWhile]);
    }
}
