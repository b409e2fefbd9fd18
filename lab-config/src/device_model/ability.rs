//! What a script may ask of a Device Model: a capability, or that it has a function at all.

use std::fmt;
use std::str::FromStr;

use super::{Capability, DeviceModel, Function};
use crate::UnknownWord;

/// Something a script needs of a Device Model.
///
/// A capability is what the file says the model can do. A function is something the model's profile names an object for, so
/// that a script for it applies exactly where it can be carried out. Where both have a name, it is the capability's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ability {
    /// It can do this.
    Capability(Capability),
    /// Its profile says where this is.
    Function(Function),
}

impl Ability {
    /// The word files use for it.
    pub const fn word(self) -> &'static str {
        match self {
            Ability::Capability(capability) => capability.word(),
            Ability::Function(function) => function.word(),
        }
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Ability {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Ability, UnknownWord> {
        if let Ok(capability) = word.parse() {
            return Ok(Ability::Capability(capability));
        }
        let words = || {
            let capabilities = Capability::ALL.iter().map(|capability| capability.word());
            capabilities.chain(Function::ALL.iter().map(|function| function.word())).collect::<Vec<_>>()
        };
        word.parse().map(Ability::Function).map_err(|_| UnknownWord::among(word, &words()))
    }
}

impl DeviceModel {
    /// Whether it has what a script needs.
    pub fn has(&self, ability: Ability) -> bool {
        match ability {
            Ability::Capability(capability) => self.can(capability),
            Ability::Function(function) => {
                self.profile.dlms().is_some_and(|profile| profile.object(function).is_some())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DeviceKind, Lab};

    #[test]
    fn a_word_is_a_capability_first_and_else_a_function() {
        assert_eq!("clock".parse(), Ok(Ability::Capability(Capability::Clock)));
        assert_eq!("load-limit".parse(), Ok(Ability::Function(Function::LoadLimit)));
        let refused = "load-limits".parse::<Ability>().expect_err("no such word").to_string();
        assert!(refused.starts_with("did you mean `load-limit`?"), "{refused}");
    }

    #[test]
    fn a_model_has_the_functions_its_profile_has_objects_for() {
        let lab = Lab::embedded().expect("the embedded lab");
        let model = |kind| lab.rigs[0].device(kind).map(|device| &device.model).expect("the device");
        let limit = Ability::Function(Function::LoadLimit);
        assert!(model(DeviceKind::Esme).has(limit));
        assert!(!model(DeviceKind::Gsme).has(limit));
        assert!(!model(DeviceKind::Ppmid).has(limit), "it speaks no DLMS");
    }
}
