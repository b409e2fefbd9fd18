//! Closed lists of words, as the files spell them.

/// A word that is in none of the known ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}use one of {known}", near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default())]
pub struct UnknownWord {
    /// The known word it is nearest to, if any is near.
    pub near: Option<&'static str>,
    /// All the known words.
    pub known: String,
}

impl UnknownWord {
    /// The refusal of a word that is in none of these.
    pub fn among(word: &str, known: &[&'static str]) -> Self {
        Self { near: crate::nearest::nearest(word, known.iter().copied()), known: known.join(", ") }
    }
}

/// Makes an enum whose variants are spelt in files by the given words: `ALL`, `word`, `FromStr`, `Display`.
#[macro_export]
macro_rules! vocabulary {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$meaning])* $variant,)+ }

        impl $name {
            /// Every one, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word files use for it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::UnknownWord::among(word, &[$($word,)+])),
                }
            }
        }
    };
}
