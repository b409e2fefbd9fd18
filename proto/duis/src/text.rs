//! One macro for the types that are exactly their text: `Display`, `FromStr` and serde all agree, so a value reads
//! the same in a message, a lab file, a record and a report.

/// Serialises a type as its `Display` text and reads it back with `FromStr`.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// An enumeration whose values are fixed words of the DUIS schema.
macro_rules! word_enum {
    (
        $(#[$meta:meta])*
        $name:ident, $expected:literal {
            $($(#[$vmeta:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vmeta])* $variant,)+
        }

        impl $name {
            /// Every value, in the schema's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word the schema uses.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    $crate::UnknownWord::new($expected, text, Self::ALL.iter().map(|value| value.as_str()))
                })
            }
        }

        serde_as_text!($name);
    };
}

/// A word that is not one of a fixed list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a {kind}; expected one of {expected}")]
pub struct UnknownWord {
    kind: &'static str,
    found: String,
    expected: String,
}

impl UnknownWord {
    pub(crate) fn new(
        kind: &'static str,
        found: &str,
        expected: impl Iterator<Item = &'static str>,
    ) -> UnknownWord {
        let found = found.chars().take(40).collect();
        UnknownWord { kind, found, expected: expected.collect::<Vec<_>>().join(", ") }
    }
}
