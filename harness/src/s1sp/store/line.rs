//! One line of the store: which deed on which client of which device, with the secret of it sealed.

use lab_config::{ClientSap, Eui64};
use proto_migration::{Address, PartyRole, Sealed, Secrets};
use serde::{Deserialize, Serialize};

use super::key::Seal;
use super::{Place, Wrapped};
use crate::driver::Own;
use crate::s1sp::own;

/// Most characters of a line shown in an error.
const SHOWN: usize = 60;

/// What was done, or is about to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// The SMSO handed this over.
    Handed {
        /// What.
        own: Own,
        /// The same wrapped for the device, where it is keys.
        way_back: Option<Wrapped>,
    },
    /// The device is about to be sent this.
    Candidate {
        /// What.
        own: Own,
    },
    /// The device has shown that it has the credential of a line.
    Proved {
        /// Which line.
        of: u64,
    },
    /// The device has shown that it has what was handed over.
    Returned,
}

/// A deed with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Rises from line to line.
    pub(super) number: u64,
    pub(super) place: Place,
    pub(super) deed: Deed,
}

/// Why a line is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LineError {
    /// What was found in its place.
    Form(String),
    /// It was sealed to another key than the store's.
    ForeignKey {
        /// The fingerprint of that key.
        found: String,
        /// The fingerprint of the store's.
        expected: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    number: u64,
    device: String,
    client: u8,
    deed: Word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<WrittenSeal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    way_back: Option<[String; 2]>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Handed,
    Candidate,
    Proved,
    Returned,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSeal {
    /// The fingerprint of the key it is sealed to.
    key: String,
    encapsulated: String,
    ciphertext: String,
}

impl Line {
    /// The line as it is written, without its end; in words why the secret of it cannot be sealed.
    pub(super) fn written(&self, installation: Eui64, seal: &dyn Seal) -> Result<String, String> {
        let (device, client) = self.place;
        let sealed = |own: &Own| {
            let secrets = Secrets { of: own::secrets(own, device, client) };
            let sealed = seal.seal(&secrets, installation, recipient(installation))?;
            let (encapsulated, ciphertext) =
                (hex::encode(sealed.encapsulated), hex::encode(sealed.ciphertext));
            Ok::<_, String>(Some(WrittenSeal { key: seal.fingerprint(), encapsulated, ciphertext }))
        };
        let (deed, of, sealed, way_back) = match &self.deed {
            Deed::Handed { own, way_back } => (Word::Handed, None, sealed(own)?, way_back.clone()),
            Deed::Candidate { own } => (Word::Candidate, None, sealed(own)?, None),
            Deed::Proved { of } => (Word::Proved, Some(*of), None, None),
            Deed::Returned => (Word::Returned, None, None, None),
        };
        let way_back = way_back.map(|wrapped| wrapped.map(hex::encode));
        let (number, device, client) = (self.number, device.to_string(), client.get());
        let written = Written { number, device, client, deed, of, sealed, way_back };
        serde_json::to_string(&written).map_err(|error| error.to_string())
    }

    /// Reads a line.
    pub(super) fn read(text: &str, installation: Eui64, seal: &dyn Seal) -> Result<Self, LineError> {
        let shown = || text.chars().take(SHOWN).collect::<String>().escape_debug().to_string();
        let form = |why: &str| LineError::Form(format!("`{}` ({why})", shown()));
        let written: Written = serde_json::from_str(text).map_err(|error| form(&error.to_string()))?;
        let device: Eui64 = written.device.parse().map_err(|_| form("no EUI-64"))?;
        let client = ClientSap::new(written.client).map_err(|error| form(&error.to_string()))?;
        let own = || {
            let Some(sealed) = &written.sealed else { return Err(form("nothing sealed")) };
            if sealed.key != seal.fingerprint() {
                let (found, expected) = (sealed.key.clone(), seal.fingerprint());
                return Err(LineError::ForeignKey { found, expected });
            }
            let octets = |digits: &str| hex::decode(digits).map_err(|_| form("no hexadecimal digits"));
            let sealed = Sealed {
                installation,
                recipient: recipient(installation),
                encapsulated: octets(&sealed.encapsulated)?,
                ciphertext: octets(&sealed.ciphertext)?,
            };
            let secrets = seal.open(&sealed).map_err(|why| form(&why))?;
            own::of(&secrets, device, client)
                .ok_or_else(|| form("a secret of something else is sealed in it"))
        };
        let way_back = || {
            let Some(wrapped) = &written.way_back else { return Ok(None) };
            let octets = |digits: &String| hex::decode(digits).map_err(|_| form("no hexadecimal digits"));
            Ok(Some([octets(&wrapped[0])?, octets(&wrapped[1])?]))
        };
        let deed = match written.deed {
            Word::Handed => Deed::Handed { own: own()?, way_back: way_back()? },
            Word::Candidate => Deed::Candidate { own: own()? },
            Word::Proved => Deed::Proved { of: written.of.ok_or_else(|| form("proof of no line"))? },
            Word::Returned => Deed::Returned,
        };
        Ok(Self { number: written.number, place: (device, client), deed })
    }
}

/// Whom the store's secrets are sealed to: the S1SP of the installation.
const fn recipient(installation: Eui64) -> Address {
    Address { role: PartyRole::S1sp, id: installation }
}
