//! What files say, kind by kind, in XML.

use proto_duis::foreign::{Cursor, Element};
use proto_duis::{Eui64, SchemaError};

use super::{
    Limits, Part, any, every_part, every_text, instant, leaf, leaves, once, parts, some, text, word, worded,
};
use crate::limits::{MAX_AUTHORISATIONS, MAX_DEVICES, MAX_FILES, MAX_INSTALLATIONS, MAX_SEALED};
use crate::names::Term;
use crate::{
    AuthorisationId, Body, Commissioned, CommonInstallation, Digest, Estate, FileKind, FileName,
    InstallationResult, OutcomeClass, Sealed,
};

/// The children of the body.
pub(super) fn write(body: &Body) -> Vec<Element> {
    match body {
        Body::Authorisation { authorisation, installation, kind, from, until } => vec![
            leaf(Term::AuthorisationId, authorisation),
            leaf(Term::InstallationId, installation),
            word(Term::InstallationKind, *kind),
            leaf(Term::ValidFrom, from),
            leaf(Term::ValidUntil, until),
        ],
        Body::Demand { installations } => parts(Term::Demanded, installations).collect(),
        Body::Response { installations } | Body::Rollback { installations } => {
            parts(Term::Result, installations).collect()
        }
        Body::Estate { installations } => parts(Term::Estate, installations).collect(),
        Body::Common { smso, installations } => {
            first(leaf(Term::Smso, smso), parts(Term::Installation, installations))
        }
        Body::Group { common, sealed } => {
            first(leaf(Term::CommonFileDigest, common), parts(Term::Sealed, sealed))
        }
        Body::Results { step, installations } => {
            first(word(Term::Step, *step), parts(Term::Result, installations))
        }
        Body::RequiredFileSet { files, installations } => {
            parts(Term::RequiredFile, files).chain(parts(Term::Ready, installations)).collect()
        }
        Body::Commissioning { installations } => parts(Term::Commissioned, installations).collect(),
        Body::Outcome { installations } => parts(Term::Outcome, installations).collect(),
        Body::KeyWrapRequest { sealed } => parts(Term::Sealed, sealed).collect(),
        Body::WrappedKeys { installations, sealed } => {
            parts(Term::Result, installations).chain(parts(Term::Sealed, sealed)).collect()
        }
    }
}

fn first(element: Element, rest: impl Iterator<Item = Element>) -> Vec<Element> {
    std::iter::once(element).chain(rest).collect()
}

/// The body of a file of this kind.
pub(super) fn read(kind: FileKind, children: &mut Cursor<'_>) -> Result<Body, SchemaError> {
    Ok(match kind {
        FileKind::Authorisation => authorisation(children)?,
        FileKind::Demand => Body::Demand { installations: installations(children, Term::Demanded)? },
        FileKind::Response => Body::Response { installations: installations(children, Term::Result)? },
        FileKind::Estate => Body::Estate { installations: installations(children, Term::Estate)? },
        FileKind::Common => {
            let smso = text(children, Term::Smso)?;
            Body::Common { smso, installations: installations(children, Term::Installation)? }
        }
        FileKind::Group => group(children)?,
        FileKind::Results => {
            let step = worded(children, Term::Step)?;
            Body::Results { step, installations: installations(children, Term::Result)? }
        }
        FileKind::RequiredFileSet => {
            let files = every_part(children, Term::RequiredFile, any(MAX_FILES))?;
            Body::RequiredFileSet { files, installations: installations(children, Term::Ready)? }
        }
        FileKind::Commissioning => {
            Body::Commissioning { installations: installations(children, Term::Commissioned)? }
        }
        FileKind::Rollback => Body::Rollback { installations: installations(children, Term::Result)? },
        FileKind::Outcome => Body::Outcome { installations: installations(children, Term::Outcome)? },
        FileKind::KeyWrapRequest => {
            Body::KeyWrapRequest { sealed: sealed(children, some(MAX_INSTALLATIONS))? }
        }
        FileKind::WrappedKeys => {
            let installations = installations(children, Term::Result)?;
            Body::WrappedKeys { installations, sealed: sealed(children, any(MAX_INSTALLATIONS))? }
        }
    })
}

fn authorisation(children: &mut Cursor<'_>) -> Result<Body, SchemaError> {
    let authorisation = text(children, Term::AuthorisationId)?;
    let installation = text(children, Term::InstallationId)?;
    let kind = worded(children, Term::InstallationKind)?;
    let from = instant(children, Term::ValidFrom)?;
    let until = instant(children, Term::ValidUntil)?;
    if until <= from {
        let expected = format!("expected a moment after {from}");
        return Err(children.parent().bad_value(Term::ValidUntil.name(), &until.to_string(), expected));
    }
    Ok(Body::Authorisation { authorisation, installation, kind, from, until })
}

fn group(children: &mut Cursor<'_>) -> Result<Body, SchemaError> {
    let common = text(children, Term::CommonFileDigest)?;
    Ok(Body::Group { common, sealed: sealed(children, any(MAX_INSTALLATIONS * MAX_SEALED))? })
}

/// Secrets, those of an installation for a party once.
fn sealed(children: &mut Cursor<'_>, limits: Limits) -> Result<Vec<Sealed>, SchemaError> {
    let sealed: Vec<Sealed> = every_part(children, Term::Sealed, limits)?;
    once(children, &sealed, |sealed| format!("{} for {}", sealed.installation, sealed.recipient))?;
    Ok(sealed)
}

/// A part that is about one installation.
trait About: Part {
    fn installation(&self) -> Eui64;
}

macro_rules! about {
    ($($part:ty => $($field:tt).+;)+) => {$(
        impl About for $part {
            fn installation(&self) -> Eui64 {
                self.$($field).+
            }
        }
    )+};
}

about! {
    (Eui64, Vec<AuthorisationId>) => 0;
    (Eui64, Vec<Eui64>) => 0;
    InstallationResult => installation;
    (InstallationResult, OutcomeClass) => 0.installation;
    Estate => common.installation;
    CommonInstallation => installation;
    Commissioned => installation;
}

/// The installations a file is about, each once.
fn installations<P: About>(children: &mut Cursor<'_>, term: Term) -> Result<Vec<P>, SchemaError> {
    let all: Vec<P> = every_part(children, term, some(MAX_INSTALLATIONS))?;
    once(children, &all, About::installation)?;
    Ok(all)
}

impl Part for (Eui64, Vec<AuthorisationId>) {
    fn write(&self) -> Vec<Element> {
        first(leaf(Term::InstallationId, self.0), leaves(Term::AuthorisationId, &self.1))
    }

    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        let installation = text(children, Term::InstallationId)?;
        Ok((installation, every_text(children, Term::AuthorisationId, any(MAX_AUTHORISATIONS))?))
    }
}

impl Part for (Eui64, Vec<Eui64>) {
    fn write(&self) -> Vec<Element> {
        first(leaf(Term::InstallationId, self.0), leaves(Term::DeviceId, &self.1))
    }

    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        let installation = text(children, Term::InstallationId)?;
        let devices: Vec<Eui64> = every_text(children, Term::DeviceId, some(MAX_DEVICES))?;
        once(children, &devices, |device| *device)?;
        Ok((installation, devices))
    }
}

impl Part for (FileName, Digest) {
    fn write(&self) -> Vec<Element> {
        vec![leaf(Term::FileName, &self.0), leaf(Term::FileDigest, self.1)]
    }

    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        Ok((text(children, Term::FileName)?, text(children, Term::FileDigest)?))
    }
}
