//! `harness duis`: messages built, signed, explained, validated and compared, by themselves and without a lab.

mod build;
mod certificates;
mod diff;
mod file;
mod show;
mod sign;
mod validate;

use super::arguments::Duis;
use super::{Exit, Failure};

pub(super) fn duis(verb: &Duis) -> Result<Exit, Failure> {
    match verb {
        Duis::Show(verb) => show::show(verb),
        Duis::Build(verb) => build::build(verb),
        Duis::Sign(verb) => sign::sign(verb),
        Duis::Validate(verb) => validate::validate(verb),
        Duis::Diff(verb) => diff::diff(verb),
    }
}
