//! What is sealed: secrets one after another, in a form of our own that reads in one way only.
//!
//! ```text
//! "S1MS"  version (1 octet: 1)  number of secrets (2 octets)
//! each:   device (8)  client (1: 0 none, 1 followed by its service access point)  kind (1)  length (2)  octets
//! ```
//!
//! Numbers are big-endian. Nothing may follow the last secret.

use proto_duis::Eui64;
use zeroize::Zeroizing;

use crate::limits::{MAX_CIPHERTEXT, TAG};
use crate::{Secret, SecretKind, Secrets};

const MAGIC: &[u8] = b"S1MS";
const VERSION: u8 = 1;
/// The longest secret: a key of suite 0 has 16 octets, a password up to 64.
const LONGEST: usize = 256;

/// Secrets that are not such as are sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentsError {
    /// A secret is empty or too long.
    #[error("a {kind} of {device} has {length} octets; expected 1 to {LONGEST}")]
    Length {
        /// Whose.
        device: Eui64,
        /// What it is.
        kind: SecretKind,
        /// Its length.
        length: usize,
    },
    /// All together are too long.
    #[error("the secrets have {octets} octets together; expected at most {}", MAX_CIPHERTEXT - TAG)]
    TooMuch {
        /// Octets.
        octets: usize,
    },
    /// Not begun as they should be.
    #[error("they begin with {found:02x?}; expected {MAGIC:02x?} and version {VERSION}")]
    Version {
        /// The first octets.
        found: Vec<u8>,
    },
    /// They end early, or go on.
    #[error("{what} at octet {at}")]
    Form {
        /// What is wrong.
        what: &'static str,
        /// Where, counted from 0.
        at: usize,
    },
}

/// The octets of secrets.
pub(super) fn write(secrets: &Secrets) -> Result<Zeroizing<Vec<u8>>, ContentsError> {
    let too_much = |octets| ContentsError::TooMuch { octets };
    let size: usize = secrets.of.iter().map(|(.., secret)| 13 + secret.expose().len()).sum();
    if size > MAX_CIPHERTEXT - TAG - 7 {
        return Err(too_much(size));
    }
    let count = u16::try_from(secrets.of.len()).map_err(|_| too_much(size))?;
    // Room for all of it at once: a vector that grows leaves copies behind that nobody makes zeros of.
    let mut octets = Zeroizing::new(Vec::with_capacity(size + 7));
    octets.extend_from_slice(MAGIC);
    octets.push(VERSION);
    octets.extend_from_slice(&count.to_be_bytes());
    for (device, client, kind, secret) in &secrets.of {
        let (device, kind, length) = (*device, *kind, secret.expose().len());
        let wrong = || ContentsError::Length { device, kind, length };
        let fits = u16::try_from(length).ok().filter(|_| (1..=LONGEST).contains(&length));
        octets.extend_from_slice(&device.octets());
        match client {
            Some(client) => octets.extend_from_slice(&[1, *client]),
            None => octets.push(0),
        }
        octets.push(code(kind));
        octets.extend_from_slice(&fits.ok_or_else(wrong)?.to_be_bytes());
        octets.extend_from_slice(secret.expose());
    }
    Ok(octets)
}

/// The secrets of these octets.
pub(super) fn read(octets: &[u8]) -> Result<Secrets, ContentsError> {
    let begins = octets.strip_prefix(MAGIC).is_some_and(|rest| rest.first() == Some(&VERSION));
    if !begins {
        return Err(ContentsError::Version { found: octets.iter().copied().take(5).collect() });
    }
    let mut reading = Reading { octets, at: MAGIC.len() + 1 };
    let count = u16::from_be_bytes(reading.take()?);
    let secrets = (0..count).map(|_| reading.secret()).collect::<Result<_, _>>()?;
    match reading.at == octets.len() {
        true => Ok(Secrets { of: secrets }),
        false => Err(reading.wrong("more than the secrets")),
    }
}

struct Reading<'a> {
    octets: &'a [u8],
    at: usize,
}

impl Reading<'_> {
    fn wrong(&self, what: &'static str) -> ContentsError {
        ContentsError::Form { what, at: self.at }
    }

    fn slice(&mut self, length: usize) -> Result<&[u8], ContentsError> {
        let taken = self.octets.get(self.at..self.at + length);
        let taken = taken.ok_or(ContentsError::Form { what: "the octets end in a secret", at: self.at })?;
        self.at += length;
        Ok(taken)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], ContentsError> {
        let mut octets = [0; N];
        octets.copy_from_slice(self.slice(N)?);
        Ok(octets)
    }

    fn secret(&mut self) -> Result<(Eui64, Option<u8>, SecretKind, Secret), ContentsError> {
        let device = Eui64::new(self.take()?);
        let client = match self.take()? {
            [0] => None,
            [1] => Some(u8::from_be_bytes(self.take()?)),
            [_] => return Err(self.wrong("a client that is neither there nor not")),
        };
        let [kind] = self.take()?;
        let known = SecretKind::ALL.iter().copied().find(|known| code(*known) == kind);
        let kind = known.ok_or_else(|| self.wrong("a kind of secret that is not known"))?;
        let length = usize::from(u16::from_be_bytes(self.take()?));
        if !(1..=LONGEST).contains(&length) {
            return Err(ContentsError::Length { device, kind, length });
        }
        Ok((device, client, kind, Secret::new(self.slice(length)?)))
    }
}

const fn code(kind: SecretKind) -> u8 {
    match kind {
        SecretKind::Password => 1,
        SecretKind::EncryptionKey => 2,
        SecretKind::AuthenticationKey => 3,
        SecretKind::MasterKey => 4,
        SecretKind::VendingKey => 5,
    }
}
