//! `harness pki`: the lab's own authority.

use jiff::Timestamp;
use serde::Serialize;

use super::arguments::{self, PkiInit, PkiIssue, PkiRevoke, PkiShow};
use super::say::say;
use super::{Exit, Failure, print_json};
use crate::server::pki::{Certified, Holder, Issued, Pki, PkiError, Standing};

pub(super) fn pki(verb: &arguments::Pki) -> Result<Exit, Failure> {
    match verb {
        arguments::Pki::Init(verb) => init(verb),
        arguments::Pki::Issue(verb) => issue(verb),
        arguments::Pki::Revoke(verb) => revoke(verb),
        arguments::Pki::Show(verb) => show(verb),
    }
}

/// A certificate as `--json` prints it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Told {
    name: String,
    role: String,
    serial: String,
    expires: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl Told {
    fn of(certified: &Certified) -> Self {
        Self {
            name: certified.holder.name.to_string(),
            role: certified.holder.standing.to_string(),
            serial: certified.serial.to_string(),
            expires: certified.expires,
            revoked: None,
            certificate: None,
            key: None,
        }
    }

    fn issued(issued: &Issued) -> Self {
        let show = |path: &std::path::Path| Some(path.display().to_string());
        Self { certificate: show(&issued.certificate), key: show(&issued.key), ..Self::of(&issued.certified) }
    }
}

fn init(verb: &PkiInit) -> Result<Exit, Failure> {
    let pki = Pki::new(&verb.pki);
    let issued = pki.init(&verb.lab, &verb.hosts, Timestamp::now()).map_err(failure)?;
    if verb.json {
        print_json(&Told::issued(&issued))?;
        return Ok(Exit::Done);
    }
    say!("authority of {}: {}", verb.lab, pki.authority().display());
    say!("the controller's certificate: {}", issued.certificate.display());
    say!("next: harness pki issue NAME --role ROLE, harness people add NAME --role ROLE");
    Ok(Exit::Done)
}

fn issue(verb: &PkiIssue) -> Result<Exit, Failure> {
    let pki = Pki::new(&verb.pki);
    let now = Timestamp::now();
    let issued = match verb.role {
        Standing::Server => pki.issue_server(&verb.hosts, now),
        standing => {
            let holder = Holder { name: verb.name.clone(), standing };
            pki.issue(&holder, verb.days, &verb.to, now)
        }
    };
    let issued = issued.map_err(failure)?;
    match verb.json {
        true => print_json(&Told::issued(&issued))?,
        false => {
            let Certified { holder, serial, expires, .. } = &issued.certified;
            say!("{holder}, serial {serial}, until {}", expires.strftime("%Y-%m-%d"));
            say!("certificate {}, private key {}", issued.certificate.display(), issued.key.display());
        }
    }
    Ok(Exit::Done)
}

fn revoke(verb: &PkiRevoke) -> Result<Exit, Failure> {
    let taken = Pki::new(&verb.pki).revoke(&verb.which, Timestamp::now()).map_err(failure)?;
    match verb.json {
        true => print_json(&taken.iter().map(Told::of).collect::<Vec<_>>())?,
        false => {
            taken
                .iter()
                .for_each(|certified| say!("taken back: {}, serial {}", certified.holder, certified.serial));
        }
    }
    Ok(Exit::Done)
}

fn show(verb: &PkiShow) -> Result<Exit, Failure> {
    let issued = Pki::new(&verb.pki).show().map_err(failure)?;
    if verb.json {
        let told = issued.iter().map(|i| Told { revoked: i.revoked, ..Told::of(&i.certified) });
        print_json(&told.collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    let now = Timestamp::now();
    for one in &issued {
        let Certified { holder, serial, expires, .. } = &one.certified;
        let state = match one.revoked {
            Some(at) => format!("taken back on {}", at.strftime("%Y-%m-%d")),
            None if *expires <= now => format!("expired on {}", expires.strftime("%Y-%m-%d")),
            None => format!("until {}", expires.strftime("%Y-%m-%d")),
        };
        say!("{serial}  {state}  {holder}");
    }
    Ok(Exit::Done)
}

fn failure(error: PkiError) -> Failure {
    let hint = match &error {
        PkiError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            Some("`harness pki init --lab NAME` makes an authority; --pki names its folder")
        }
        PkiError::Exists { .. } => Some("give another folder, or move what is there out of the way"),
        _ => None,
    };
    let failure = match error {
        PkiError::Unknown { .. } | PkiError::Exists { .. } => Failure::input(error),
        _ => Failure::lab(error),
    };
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
