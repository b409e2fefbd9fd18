//! What was found of installations, in XML.

use proto_duis::SchemaError;
use proto_duis::foreign::{Cursor, Element};

use super::{Part, any, every_text, get, inside, leaf, leaves, part, take, text, word, worded};
use crate::limits::MAX_DEVICES;
use crate::names::{Term, space};
use crate::{InstallationResult, OutcomeClass, Ruling};

impl Part for InstallationResult {
    fn write(&self) -> Vec<Element> {
        let ruling = match &self.ruling {
            Ruling::Accepted { said, without } => Element::new(space(), Term::Accepted.name())
                .with(leaf(Term::Said, said))
                .with_all(leaves(Term::Without, without)),
            Ruling::Refused { code, reason } => Element::new(space(), Term::Refused.name())
                .with(leaf(Term::Code, code))
                .with(leaf(Term::Reason, reason)),
        };
        vec![leaf(Term::InstallationId, self.installation), ruling]
    }

    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        let installation = text(children, Term::InstallationId)?;
        let ruling = if children.peek(space(), Term::Refused.name()) {
            take(children, Term::Refused, |reading| inside(reading, refused))?
        } else {
            take(children, Term::Accepted, |reading| inside(reading, accepted))?
        };
        Ok(Self { installation, ruling })
    }
}

fn accepted(children: &mut Cursor<'_>) -> Result<Ruling, SchemaError> {
    let said = text(children, Term::Said)?;
    Ok(Ruling::Accepted { said, without: every_text(children, Term::Without, any(MAX_DEVICES))? })
}

fn refused(children: &mut Cursor<'_>) -> Result<Ruling, SchemaError> {
    Ok(Ruling::Refused { code: text(children, Term::Code)?, reason: text(children, Term::Reason)? })
}

impl Part for (InstallationResult, OutcomeClass) {
    fn write(&self) -> Vec<Element> {
        vec![part(Term::Result, &self.0), word(Term::OutcomeClass, self.1)]
    }

    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        Ok((get(children, Term::Result)?, worded(children, Term::OutcomeClass)?))
    }
}
