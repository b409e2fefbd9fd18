//! Making an authority, issuing under it, and taking back.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use proto_lab::record::ActorName;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    RevocationReason, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_cert::crl::CertificateList;
use x509_cert::der::Decode as _;

use super::PkiError;
use super::certificate::{Certified, Holder, Serial, Standing, lab_of, timestamp};
use super::files::{self, Readers};

/// How long an authority, and a list of what it took back, is valid: ten years.
const AUTHORITY_DAYS: u32 = 3653;
/// How long the controller's own certificate is valid: two years.
const SERVER_DAYS: u32 = 730;
/// Clocks of programs may be so far behind the controller's.
const BEFORE: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// A name or an address by which programs reach the controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A name.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// The text names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a host name nor an IP address")]
pub struct HostError(String);

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let label = |l: &str| {
            let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            (1..=63).contains(&l.len()) && l.bytes().all(fits) && !l.starts_with('-') && !l.ends_with('-')
        };
        match text.len() <= 253 && text.split('.').all(label) {
            true => Ok(Self::Name(text.to_owned())),
            false => Err(HostError(text.chars().take(260).collect())),
        }
    }
}

/// Where a new certificate and its key went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// What it says.
    pub certified: Certified,
    /// The certificate's file.
    pub certificate: PathBuf,
    /// The private key's file.
    pub key: PathBuf,
}

/// A certificate as the authority knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// What it says.
    pub certified: Certified,
    /// When it was taken back, if it was.
    pub revoked: Option<Timestamp>,
}

/// The folder of a lab's authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pki {
    folder: PathBuf,
}

impl Pki {
    /// The authority whose folder this is; nothing is read.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The authority's certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    fn authority_key(&self) -> PathBuf {
        self.folder.join("authority.key")
    }

    /// The controller's certificate.
    pub fn server(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    /// The controller's private key.
    pub fn server_key(&self) -> PathBuf {
        self.folder.join("server.key")
    }

    /// The list of certificates taken back.
    pub fn revoked(&self) -> PathBuf {
        self.folder.join("revoked.crl")
    }

    fn issued(&self) -> PathBuf {
        self.folder.join("issued")
    }

    /// Makes the authority of a lab, an empty list of what it took back, and the controller's certificate for these hosts
    /// and for this machine's own names.
    ///
    /// # Errors
    /// [`PkiError::Exists`] when there is one; [`PkiError::Io`], [`PkiError::Make`].
    pub fn init(&self, lab: &ActorName, hosts: &[Host], now: Timestamp) -> Result<Issued, PkiError> {
        files::make_folder(&self.issued())?;
        let key = new_key("the authority's key")?;
        let made = authority_params(lab, now)?.self_signed(&key).map_err(PkiError::make("the authority"))?;
        files::write_new(&self.authority_key(), &key.serialize_pem(), Readers::Owner)?;
        files::write_new(&self.authority(), &made.pem(), Readers::Everyone)?;
        self.write_revoked(&[], now)?;
        self.issue_server(hosts, now)
    }

    /// Makes the controller a certificate, in place of the one it has.
    ///
    /// # Errors
    /// As [`Pki::issue`].
    pub fn issue_server(&self, hosts: &[Host], now: Timestamp) -> Result<Issued, PkiError> {
        let _lock = self.locked()?;
        let (certificate, key) = (self.server(), self.server_key());
        let name = ActorName::from_str("controller").map_err(|e| PkiError::Make {
            what: "the controller's certificate".into(),
            reason: e.to_string(),
        })?;
        let holder = Holder { name, standing: Standing::Server };
        let mut all = vec![Host::Name("localhost".into())];
        all.extend([IpAddr::from([127, 0, 0, 1]), std::net::Ipv6Addr::LOCALHOST.into()].map(Host::Address));
        all.extend_from_slice(hosts);
        let (certified, pem, private) = self.sign(&holder, &all, SERVER_DAYS, now)?;
        files::replace(&key, &private, Readers::Owner)?;
        files::replace(&certificate, &pem, Readers::Everyone)?;
        Ok(Issued { certified, certificate, key })
    }

    /// Issues a client's certificate; it and its key go into the folder `to`, in files named for the holder.
    ///
    /// # Errors
    /// [`PkiError::Exists`] when such files are there, [`PkiError::Exposed`] when others can read the authority's key;
    /// [`PkiError::Io`], [`PkiError::Content`], [`PkiError::Make`].
    pub fn issue(&self, holder: &Holder, days: u32, to: &Path, now: Timestamp) -> Result<Issued, PkiError> {
        let _lock = self.locked()?;
        let stem = file_stem(&holder.name);
        let (certificate, key) = (to.join(format!("{stem}.pem")), to.join(format!("{stem}.key")));
        for path in [&certificate, &key] {
            if path.exists() {
                return Err(PkiError::Exists { path: path.clone() });
            }
        }
        let (certified, pem, private) = self.sign(holder, &[], days, now)?;
        files::make_folder(to)?;
        files::write_new(&key, &private, Readers::Owner)?;
        files::write_new(&certificate, &pem, Readers::Everyone)?;
        Ok(Issued { certified, certificate, key })
    }

    /// One at a time changes what an authority has issued and taken back.
    fn locked(&self) -> Result<File, PkiError> {
        let lock = File::open(self.authority()).map_err(PkiError::io("open", self.authority()))?;
        lock.lock().map_err(PkiError::io("lock", self.authority()))?;
        Ok(lock)
    }

    /// The serial numbers of the certificates taken back.
    ///
    /// # Errors
    /// [`PkiError::Content`] when the list cannot be read.
    pub(in crate::server) fn taken_back(&self) -> Result<BTreeSet<Serial>, PkiError> {
        Ok(self.read_revoked()?.into_iter().map(|(serial, _)| serial).collect())
    }

    /// Takes back every certificate in use that has this name or this serial number.
    ///
    /// # Errors
    /// [`PkiError::Unknown`] when there is none; [`PkiError::Io`], [`PkiError::Content`], [`PkiError::Make`].
    pub fn revoke(&self, which: &str, now: Timestamp) -> Result<Vec<Certified>, PkiError> {
        // Two at a time would each write a list without what the other took back.
        let _lock = self.locked()?;
        let asked = which.to_ascii_lowercase();
        let is_asked = |c: &Certified| c.holder.name.as_str() == which || c.serial.to_string() == asked;
        let found: Vec<Certified> = self
            .show()?
            .into_iter()
            .filter(|issued| issued.revoked.is_none() && is_asked(&issued.certified))
            .map(|issued| issued.certified)
            .collect();
        if found.is_empty() {
            return Err(PkiError::Unknown { which: which.chars().take(120).collect() });
        }
        let mut revoked = self.read_revoked()?;
        revoked.extend(found.iter().map(|certified| (certified.serial.clone(), now)));
        self.write_revoked(&revoked, now)?;
        Ok(found)
    }

    /// Every certificate issued, by name and then by when it expires.
    ///
    /// # Errors
    /// [`PkiError::Io`], [`PkiError::Content`].
    pub fn show(&self) -> Result<Vec<IssuedCertificate>, PkiError> {
        let revoked = self.read_revoked()?;
        let folder = self.issued();
        let mut all = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(PkiError::io("list", &folder))? {
            let path = entry.map_err(PkiError::io("list", &folder))?.path();
            if path.extension().is_none_or(|extension| extension != "pem") {
                continue;
            }
            let certified = read_certificate(&path)?;
            let revoked = revoked.iter().find(|(serial, _)| *serial == certified.serial).map(|(_, at)| *at);
            all.push(IssuedCertificate { certified, revoked });
        }
        all.sort_by(|a, b| {
            (&a.certified.holder, a.certified.expires).cmp(&(&b.certified.holder, b.certified.expires))
        });
        Ok(all)
    }

    fn issuer(&self, now: Timestamp) -> Result<(ActorName, Issuer<'static, KeyPair>), PkiError> {
        let (path, key) = (self.authority(), self.authority_key());
        let content = |path: &Path, reason: String| PkiError::Content { path: path.to_owned(), reason };
        let der = certificate_in(&path)?;
        let lab = lab_of(&der).map_err(|e| content(&path, e.to_string()))?;
        let pair = KeyPair::from_pem(&files::read_private(&key)?);
        let pair = pair.map_err(|e| content(&key, format!("no private key: {e}")))?;
        Ok((lab.clone(), Issuer::new(authority_params(&lab, now)?, pair)))
    }

    fn sign(
        &self,
        holder: &Holder,
        hosts: &[Host],
        days: u32,
        now: Timestamp,
    ) -> Result<(Certified, String, String), PkiError> {
        let (lab, issuer) = self.issuer(now)?;
        let what = format!("a certificate for {holder}");
        let key = new_key(&what)?;
        let params = params(holder, &lab, hosts, days, now)?;
        let made = params.signed_by(&key, &issuer).map_err(PkiError::make(&what))?;
        let certified =
            Certified::from_der(made.der()).map_err(|e| PkiError::Make { what, reason: e.to_string() })?;
        let kept = self.issued().join(format!("{}.pem", certified.serial));
        files::write_new(&kept, &made.pem(), Readers::Everyone)?;
        Ok((certified, made.pem(), key.serialize_pem()))
    }

    fn read_revoked(&self) -> Result<Vec<(Serial, Timestamp)>, PkiError> {
        let path = self.revoked();
        let content = |reason: String| PkiError::Content { path: path.clone(), reason };
        let der = CertificateRevocationListDer::from_pem_file(&path).map_err(|e| content(e.to_string()))?;
        let list = CertificateList::from_der(&der).map_err(|e| content(e.to_string()))?;
        let revoked = list.tbs_cert_list.revoked_certificates.unwrap_or_default();
        let read = |revoked: &x509_cert::crl::RevokedCert| {
            let at = timestamp(revoked.revocation_date).map_err(|e| content(e.to_string()))?;
            Ok((Serial::new(revoked.serial_number.as_bytes()), at))
        };
        revoked.iter().map(read).collect()
    }

    fn write_revoked(&self, revoked: &[(Serial, Timestamp)], now: Timestamp) -> Result<(), PkiError> {
        let (_, issuer) = self.issuer(now)?;
        let epoch = date_time_ymd(1970, 1, 1);
        let taken_back = |(serial, at): &(Serial, Timestamp)| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial.octets()),
            revocation_time: epoch + since_epoch(*at),
            reason_code: Some(RevocationReason::PrivilegeWithdrawn),
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: epoch + since_epoch(now),
            next_update: epoch + since_epoch(now) + AUTHORITY_DAYS * DAY,
            // It must count up; so does the time, and a list is written seldom.
            crl_number: SerialNumber::from(now.as_microsecond().unsigned_abs()),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(taken_back).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let what = "the list of certificates taken back";
        let list = params.signed_by(&issuer).map_err(PkiError::make(what))?;
        let pem = list.pem().map_err(PkiError::make(what))?;
        files::replace(&self.revoked(), &pem, Readers::Everyone)
    }
}

/// Reads one certificate in PEM.
pub(super) fn read_certificate(path: &Path) -> Result<Certified, PkiError> {
    let der = certificate_in(path)?;
    Certified::from_der(&der).map_err(|e| PkiError::Content { path: path.to_owned(), reason: e.to_string() })
}

fn certificate_in(path: &Path) -> Result<CertificateDer<'static>, PkiError> {
    let pem = files::read(path)?;
    CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|e| PkiError::Content { path: path.to_owned(), reason: format!("no certificate: {e}") })
}

fn new_key(what: &str) -> Result<KeyPair, PkiError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(PkiError::make(what))
}

/// The same for the same lab, so that what is issued later names its issuer as the first certificate does.
fn authority_params(lab: &ActorName, now: Timestamp) -> Result<CertificateParams, PkiError> {
    let mut params = bare(now, AUTHORITY_DAYS)?;
    params.distinguished_name.push(DnType::OrganizationName, lab.as_str());
    params.distinguished_name.push(DnType::CommonName, format!("{lab} authority"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn params(
    holder: &Holder,
    lab: &ActorName,
    hosts: &[Host],
    days: u32,
    now: Timestamp,
) -> Result<CertificateParams, PkiError> {
    let mut params = bare(now, days)?;
    params.distinguished_name.push(DnType::OrganizationName, lab.as_str());
    params.distinguished_name.push(DnType::OrganizationalUnitName, holder.standing.to_string());
    params.distinguished_name.push(DnType::CommonName, holder.name.as_str());
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(new_serial());
    params.extended_key_usages = vec![match holder.standing {
        Standing::Server => ExtendedKeyUsagePurpose::ServerAuth,
        Standing::Role(_) | Standing::Station => ExtendedKeyUsagePurpose::ClientAuth,
    }];
    for host in hosts {
        params.subject_alt_names.push(match host {
            Host::Address(address) => SanType::IpAddress(*address),
            Host::Name(name) => {
                let name = name.as_str().try_into().map_err(PkiError::make("a host's name"))?;
                SanType::DnsName(name)
            }
        });
    }
    Ok(params)
}

fn bare(now: Timestamp, days: u32) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::new(Vec::new()).map_err(PkiError::make("a certificate"))?;
    params.distinguished_name = DistinguishedName::new();
    params.not_before = date_time_ymd(1970, 1, 1) + since_epoch(now).saturating_sub(BEFORE);
    params.not_after = date_time_ymd(1970, 1, 1) + since_epoch(now) + days * DAY;
    Ok(params)
}

/// Time since the epoch, cut to the second, as certificates have it.
fn since_epoch(at: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0))
}

/// A number nobody can foresee, positive and of sixteen octets (RFC 5280, 4.1.2.2).
fn new_serial() -> SerialNumber {
    let mut octets: [u8; 16] = rand::random();
    octets[0] = (octets[0] & 0x7F) | 0x40;
    SerialNumber::from_slice(&octets)
}

/// The holder's name as part of a file name.
fn file_stem(name: &ActorName) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.as_str().chars().map(|c| if fits(c) { c } else { '-' }).collect()
}
