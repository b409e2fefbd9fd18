//! What a file says of itself, in XML.

use proto_duis::SchemaError;
use proto_duis::foreign::{Cursor, Element};

use super::{Number, Part, every_part, get, instant, leaf, once, part, parts, some, text, word, worded};
use crate::limits::MAX_RECIPIENTS;
use crate::names::{Term, space};
use crate::{Address, Header};

impl Part for Header {
    fn write(&self) -> Vec<Element> {
        let mut all = vec![leaf(Term::FileName, &self.name), part(Term::From, &self.from)];
        all.extend(parts(Term::To, &self.to));
        all.extend([leaf(Term::GroupId, &self.group), leaf(Term::FileNumber, self.number)]);
        all.extend(self.follows.map(|digest| leaf(Term::Follows, digest)));
        all.push(leaf(Term::Written, self.written));
        all
    }

    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        let name = text(children, Term::FileName)?;
        let from = get(children, Term::From)?;
        let to: Vec<Address> = every_part(children, Term::To, some(MAX_RECIPIENTS))?;
        once(children, &to, |address| *address)?;
        let group = text(children, Term::GroupId)?;
        let Number(number) = text(children, Term::FileNumber)?;
        let follows =
            children.optional(space(), Term::Follows.name()).map(|digest| digest.value()).transpose()?;
        let written = instant(children, Term::Written)?;
        Ok(Self { name, from, to, group, number, follows, written })
    }
}

impl Part for Address {
    fn write(&self) -> Vec<Element> {
        vec![word(Term::Role, self.role), leaf(Term::PartyId, self.id)]
    }

    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        Ok(Self { role: worded(children, Term::Role)?, id: text(children, Term::PartyId)? })
    }
}
