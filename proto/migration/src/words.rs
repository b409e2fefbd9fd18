//! The words for what is one of a few: in records, in messages, and as keys of the data that says how the schema has them.

use std::fmt;

use crate::{FileKind, InstallationKind, OutcomeClass, SecretKind, Step};

macro_rules! words {
    ($($name:ident { $($variant:ident = $word:literal,)+ })+) => {$(
        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its word.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    )+};
}

words! {
    FileKind {
        Authorisation = "authorisation",
        Demand = "demand",
        Response = "response",
        Estate = "estate",
        Common = "common",
        Group = "group",
        Results = "results",
        RequiredFileSet = "required-file-set",
        Commissioning = "commissioning",
        Rollback = "rollback",
        Outcome = "outcome",
        KeyWrapRequest = "key-wrap-request",
        WrappedKeys = "wrapped-keys",
    }
    InstallationKind {
        Dormant = "dormant",
        Active = "active",
        Mixed = "mixed",
    }
    SecretKind {
        Password = "password",
        EncryptionKey = "encryption-key",
        AuthenticationKey = "authentication-key",
        MasterKey = "master-key",
        VendingKey = "vending-key",
    }
    Step {
        Preparation = "preparation",
        DataValidation = "data-validation",
        Viability = "viability",
        DeviceContact = "device-contact",
        Commissioning = "commissioning",
        Rollback = "rollback",
    }
    OutcomeClass {
        Migrated = "migrated",
        Refused = "refused",
        RolledBack = "rolled-back",
        Excluded = "excluded",
    }
}
