//! The script language, test packs and their locks.
//!
//! A script is data a lab engineer writes: what to request, what to observe, what to expect, within which deadline. It is
//! read once into types that cannot be wrong ([`Script`], [`Step`], [`Expectation`]); everything that can be found wrong
//! by reading is refused then, with file, line and column, so a run meets no surprise of the script's own making.
//! [`evaluate`] judges what a step saw, as a pure function, quickly. A [`Pack`] is an ordered set of scripts whose bytes
//! are those its [`PackLock`] agreed to.
//!
//! The language is described in [`language`].

mod action;
mod binding;
mod data_set;
mod expectation;
pub mod language;
mod migration;
mod pack;
mod read;
mod script;
mod value;
mod values;

pub use action::{
    Act, Action, Ask, Column, FieldError, Fields, Misuse, Observe, ObservedAttribute, Outcome, Request,
    Scheduled, Select, UserSystem, Vending,
};
pub use binding::{
    Bindings, CertificateName, CivilPart, DeviceFacts, Facts, ImagePart, ModelField, Operand, Piece,
    Reference, Unbound,
};
pub use data_set::{DataSet, NotShipped, Write};
pub use expectation::{Amount, Check, Expectation, Mismatch, Pattern, PatternError, evaluate};
pub use migration::{Declared, Migrate, Migration, SmsoAttempt, Spoil, Spoiling, Wrong};
pub use pack::{
    Agreement, Files, LockError, NonStandard, Pack, PackError, PackKind, PackLock, Standing, shipped_packs,
};
pub use proto_lab::Digest;
pub use script::{Expected, MissingValue, NotApplicable, Row, Script, Step, deadline};
pub use value::{Decimal, DecimalError, Value};
pub use values::{Element, PathError, ValuePath, Values};
