//! Who the harness is to a device: client SAPs, passwords, the vending key.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use proto_dlms::security::{Key, SystemTitle};
use rand::Rng as _;

/// A DLMS client service access point, 1 to 127 (IEC 62056-46: one octet on HDLC). 16 is the public client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientSap(u8);

/// A number that is no client SAP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client SAP is a number from 1 to 127")]
pub struct ClientSapError;

impl ClientSap {
    /// The public client: no password, identification only.
    pub const PUBLIC: Self = Self(16);
    /// The management client.
    pub const MANAGEMENT: Self = Self(1);

    /// A client SAP of this number.
    ///
    /// # Errors
    /// [`ClientSapError`] outside 1 to 127.
    pub fn new(sap: u8) -> Result<Self, ClientSapError> {
        match sap {
            1..=127 => Ok(Self(sap)),
            _ => Err(ClientSapError),
        }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for ClientSap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ClientSap {
    type Err = ClientSapError;

    fn from_str(text: &str) -> Result<Self, ClientSapError> {
        let digits = text.starts_with(|first: char| first.is_ascii_digit());
        let sap = text.parse().ok().filter(|_| digits);
        Self::new(sap.ok_or(ClientSapError)?)
    }
}

/// Bytes that are never printed: a password or a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<[u8]>);

impl Secret {
    /// A secret of these bytes.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// Eight random letters and digits, for a simulated meter's password.
    pub fn random_password() -> Self {
        let mut rng = rand::rng();
        let letters: Vec<u8> = (0..8).map(|_| rng.sample(rand::distr::Alphanumeric)).collect();
        Self::new(letters)
    }

    /// Thirty-two random octets, for a simulated meter's vending key.
    pub fn random_key() -> Self {
        Self::new(rand::random::<[u8; 32]>().to_vec())
    }

    /// Sixteen random octets in hexadecimal, for a key that a simulated meter shares with its clients.
    pub fn random_suite_key() -> Self {
        let digits: String = rand::random::<[u8; 16]>().iter().map(|octet| format!("{octet:02X}")).collect();
        Self::new(digits.into_bytes())
    }

    /// The bytes, for the one who puts them on the wire or into a computation.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(not shown)")
    }
}

/// Where a secret comes from: never the lab file itself, which is evidence and is shown to witnesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// `{ env = "NAME" }`: an environment variable, read when the secret is needed.
    Environment(String),
    /// `{ file = "path" }`: a file, one trailing newline taken off; relative to the lab file.
    File(PathBuf),
    /// `{ generated = true }`: made at random when the lab was read and shared by its simulated devices and the harness
    /// through the lab's value; it leaves the process never.
    Generated(Secret),
}

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is missing, empty, or not text.
    #[error("environment variable {0} holds no secret: set it before starting, or change the lab file")]
    Environment(String),
    /// The file cannot be read.
    #[error("secret file {}: {error}: check the path in the lab file and the file's permissions", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A secret that is empty or longer than [`SecretSource::LONGEST`].
    #[error("{from} holds {length} octets: a secret has 1 to {} octets", SecretSource::LONGEST)]
    Length {
        /// Where the secret came from.
        from: String,
        /// Its length.
        length: usize,
    },
    /// A secret that is no key. What it holds is not shown: it may be most of a key.
    #[error(
        "{from} holds {length} characters that are no key: a key of security suite 0 is 32 hexadecimal digits (16 octets)"
    )]
    NoKey {
        /// Where the secret came from.
        from: String,
        /// Characters found.
        length: usize,
    },
}

impl SecretSource {
    /// The longest secret, in octets: a longer one is a wrong file.
    pub const LONGEST: usize = 64;

    /// The secret itself, read now.
    ///
    /// # Errors
    /// [`SecretError`] when the variable or file gives none.
    pub fn secret(&self) -> Result<Secret, SecretError> {
        match self {
            Self::Generated(secret) => Ok(secret.clone()),
            Self::Environment(name) => {
                let value = std::env::var(name).unwrap_or_default();
                if value.is_empty() {
                    return Err(SecretError::Environment(name.clone()));
                }
                fitting(value.into_bytes(), name)
            }
            Self::File(path) => from_file(path),
        }
    }
}

fn from_file(path: &Path) -> Result<Secret, SecretError> {
    let unreadable = |error| SecretError::File { path: path.to_owned(), error };
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    let from = path.display().to_string();
    if length > SecretSource::LONGEST as u64 + 2 {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        return Err(SecretError::Length { from, length });
    }
    let mut bytes = std::fs::read(path).map_err(unreadable)?;
    for newline in [b'\n', b'\r'] {
        if bytes.last() == Some(&newline) {
            bytes.pop();
        }
    }
    fitting(bytes, &from)
}

fn fitting(bytes: Vec<u8>, from: &str) -> Result<Secret, SecretError> {
    match bytes.len() {
        1..=SecretSource::LONGEST => Ok(Secret::new(bytes)),
        length => Err(SecretError::Length { from: from.to_owned(), length }),
    }
}

impl fmt::Display for SecretSource {
    /// Where the secret comes from, never what it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "secret file {}", path.display()),
            Self::Generated(_) => f.write_str("a generated secret"),
        }
    }
}

/// Where a key of security suite 0 comes from: a secret of 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySource(pub SecretSource);

impl KeySource {
    /// The key itself, read now.
    ///
    /// # Errors
    /// [`SecretError`] when the variable or file gives none, or what it gives is no key.
    pub fn key(&self) -> Result<Key, SecretError> {
        let secret = self.0.secret()?;
        let octets = hexadecimal(secret.expose());
        octets
            .map(Key::new)
            .ok_or_else(|| SecretError::NoKey { from: self.0.to_string(), length: secret.expose().len() })
    }

    /// Whether the key was made up for a simulated device, so that it lives as long as this process only.
    pub fn is_generated(&self) -> bool {
        matches!(self.0, SecretSource::Generated(_))
    }
}

fn hexadecimal(digits: &[u8]) -> Option<[u8; 16]> {
    let digits: &[u8; 32] = digits.try_into().ok()?;
    let mut octets = [0; 16];
    for (octet, pair) in octets.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
        *octet = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(octets)
}

/// The keys a client shares with a device (security suite 0), and who the client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedKeys {
    /// The client's system title.
    pub system_title: SystemTitle,
    /// Where the global unicast encryption key (GUEK) comes from.
    pub encryption_key: KeySource,
    /// Where the authentication key (GAK) comes from.
    pub authentication_key: KeySource,
    /// Where the master key (KEK) comes from, under which other keys are transferred to the device.
    pub master_key: Option<KeySource>,
    /// Whether each association has an encryption key of its own (a dedicated key), made by the client.
    pub dedicated_key: bool,
}

impl SharedKeys {
    /// The client's system title where the lab file names none.
    pub const USUAL_TITLE: SystemTitle = SystemTitle(*b"LAB\0\0\0\0\x01");
}

/// How a client proves itself to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    /// Lowest level security: nothing to prove (IEC 62056-53, mechanism 0).
    None,
    /// Low level security: a password (mechanism 1).
    Low(SecretSource),
    /// High level security 5: a proof by GMAC with keys of security suite 0 (mechanism 5).
    Gmac(SharedKeys),
}

impl Security {
    /// Which authentication mechanism this is.
    pub fn mechanism(&self) -> Mechanism {
        match self {
            Self::None => Mechanism::None,
            Self::Low(_) => Mechanism::Low,
            Self::Gmac(_) => Mechanism::Gmac,
        }
    }
}

crate::vocabulary! {
    /// How clients prove who they are, in the words of lab files.
    pub enum Mechanism {
        /// Not at all: lowest level security.
        None = "none",
        /// A password: low level security.
        Low = "low",
        /// Keys: high level security 5.
        Gmac = "gmac",
    }
}

/// What the harness may present to one device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// By client SAP.
    pub clients: BTreeMap<ClientSap, Security>,
    /// The key top-up tokens for this meter are made with; prepayment meters only.
    pub vending_key: Option<SecretSource>,
}

impl Credentials {
    /// How this client proves itself, if the lab file lets it at all.
    pub fn client(&self, sap: ClientSap) -> Option<&Security> {
        self.clients.get(&sap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let security = Security::Low(SecretSource::Generated(Secret::new(*b"12345678")));
        assert!(!format!("{security:?}").contains("1234"));
        assert!(!format!("{security:?}").contains("49, 50"));
    }

    #[test]
    fn random_passwords_differ_and_fit_a_meter() {
        let (one, other) = (Secret::random_password(), Secret::random_password());
        assert_ne!(one, other);
        assert_eq!(one.expose().len(), 8);
        assert!(one.expose().iter().all(u8::is_ascii_alphanumeric));
        assert_eq!(Secret::random_key().expose().len(), 32);
    }

    #[test]
    fn a_file_gives_its_line_without_the_newline() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        std::fs::write(&path, "abc\r\n").expect("written");
        let secret = SecretSource::File(path.clone()).secret().expect("a secret");
        assert_eq!(secret.expose(), b"abc");
        std::fs::write(&path, "x".repeat(1000)).expect("written");
        let error = SecretSource::File(path).secret().expect_err("too long");
        assert!(matches!(error, SecretError::Length { length: 1000, .. }));
    }

    #[test]
    fn a_key_is_32_digits_and_is_never_printed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        let source = KeySource(SecretSource::File(path.clone()));
        std::fs::write(&path, "000102030405060708090a0B0C0D0E0F\n").expect("written");
        assert_eq!(
            source.key().expect("a key"),
            Key::new(std::array::from_fn(|i| u8::try_from(i).unwrap_or(0)))
        );
        for bad in ["00010203", "000102030405060708090a0B0C0D0E0G", "+0010203040506070809+a0B0C0D0E0F"] {
            std::fs::write(&path, bad).expect("written");
            let error = source.key().expect_err("no key").to_string();
            assert!(error.contains("32 hexadecimal digits") && !error.contains(bad), "{error}");
        }
        let made = KeySource(SecretSource::Generated(Secret::random_suite_key()));
        assert!(made.key().is_ok() && made.is_generated());
    }

    #[test]
    fn an_unset_variable_says_its_name() {
        let error = SecretSource::Environment("LAB_NO_SUCH_PASSWORD".into()).secret().expect_err("unset");
        assert!(error.to_string().contains("LAB_NO_SUCH_PASSWORD"));
    }

    #[test]
    fn client_saps_are_one_hdlc_octet() {
        assert_eq!("16".parse(), Ok(ClientSap::PUBLIC));
        for bad in ["0", "128", "+1", "", "x"] {
            assert_eq!(bad.parse::<ClientSap>(), Err(ClientSapError), "{bad}");
        }
    }
}
