//! Dual control of new keys: what the S1SP has the Dual Control Organisation wrap, and what it makes of the answer.
//!
//! ```text
//! S1SP: new keys, and those the devices have ──sealed──> DCO: each wrapped under its device's master key ──sealed──> S1SP
//! ```
//!
//! Every key is wrapped before a device is sent any: the way back is open before the way forth is taken. The answer has the keys
//! in the order of the request, so that nothing but what was asked for is taken for it.

use proto_duis::Eui64;
use proto_migration::{Secret, SecretKind, Secrets};

use super::{BoxFuture, KeyWrap, Refused};
use crate::migration::Code;

/// Octets of a wrapped key of security suite 0: those of the key and eight to hold it by (RFC 3394).
pub(super) const WRAPPED: usize = 24;

/// Whether a secret is a key of security suite 0, which only dual control changes.
pub const fn is_key(kind: SecretKind) -> bool {
    matches!(kind, SecretKind::EncryptionKey | SecretKind::AuthenticationKey)
}

/// What is to be wrapped: every new key, and after each the one the device has.
///
/// # Errors
/// [`Refused`] by [`Code::KeysMissing`]: there is no key to go back to.
pub(super) fn request(made: &Secrets, handed: &Secrets) -> Result<Secrets, Refused> {
    let mut of = Vec::new();
    for (device, client, kind, new) in made.of.iter().filter(|(_, _, kind, _)| is_key(*kind)) {
        let place = (*device, *client, *kind);
        let old = handed.of.iter().find(|(device, client, kind, _)| (*device, *client, *kind) == place);
        let Some((.., old)) = old else {
            let reason =
                format!("no {kind} of {device} was handed over, and without it there is no way back");
            return Err(Refused::new(Code::KeysMissing, reason));
        };
        for key in [new, old] {
            of.push((*device, *client, *kind, key.clone()));
        }
    }
    Ok(Secrets { of })
}

/// New keys of an installation, each wrapped beforehand.
pub(super) struct Prewrapped {
    made: Secrets,
    wrapped: Vec<(Eui64, Secret, Vec<u8>)>,
}

impl Prewrapped {
    /// What an answer to a request brings for the keys that were made.
    ///
    /// # Errors
    /// [`Refused`] by [`Code::DualControl`]: it does not answer the request.
    pub(super) fn of(made: Secrets, request: &Secrets, answer: Secrets) -> Result<Self, Refused> {
        let other = |what: String| Refused::new(Code::DualControl, what);
        if request.of.len() != answer.of.len() {
            let (found, expected) = (answer.of.len(), request.of.len());
            return Err(other(format!("{found} wrapped keys came; expected {expected}, as were asked for")));
        }
        let mut wrapped = Vec::new();
        for (asked, (device, client, kind, octets)) in request.of.iter().zip(answer.of) {
            if (asked.0, asked.1, asked.2) != (device, client, kind) || octets.expose().len() != WRAPPED {
                let reason = format!(
                    "a wrapped {kind} of {device}, {} octets, came in the place of the {} of {}; expected {WRAPPED}",
                    octets.expose().len(),
                    asked.2,
                    asked.0
                );
                return Err(other(reason));
            }
            wrapped.push((device, asked.3.clone(), octets.expose().to_vec()));
        }
        Ok(Self { made, wrapped })
    }
}

impl KeyWrap for Prewrapped {
    fn made(&self) -> Option<&Secrets> {
        Some(&self.made)
    }

    fn wrap<'a>(&'a self, device: Eui64, key: &'a Secret) -> BoxFuture<'a, Result<Vec<u8>, Refused>> {
        let found = self.wrapped.iter().find(|(of, asked, _)| *of == device && asked == key);
        let wrapped = found.map(|(.., wrapped)| wrapped.clone()).ok_or_else(|| {
            Refused::new(
                Code::DualControl,
                format!("a key of {device} was not given to the DCO to be wrapped"),
            )
        });
        Box::pin(async move { wrapped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: Eui64 = Eui64::new([7; 8]);

    fn key(kind: SecretKind, octet: u8, length: usize) -> (Eui64, Option<u8>, SecretKind, Secret) {
        (DEVICE, Some(1), kind, Secret::new(vec![octet; length]))
    }

    fn secrets(octet: u8) -> Secrets {
        Secrets {
            of: vec![
                key(SecretKind::EncryptionKey, octet, 16),
                key(SecretKind::AuthenticationKey, octet + 1, 16),
            ],
        }
    }

    #[tokio::test]
    async fn each_key_is_wrapped_by_what_answers_it_and_no_other() {
        let asked = request(&secrets(1), &secrets(11)).expect("a request");
        assert_eq!(asked.of.len(), 4, "both new keys, and both that are there");
        let answer = |lengths: usize| Secrets {
            of: asked.of.iter().zip(21..).map(|((.., kind, _), octet)| key(*kind, octet, lengths)).collect(),
        };
        let wrapped = Prewrapped::of(secrets(1), &asked, answer(WRAPPED)).expect("an answer");
        let back = wrapped.wrap(DEVICE, &Secret::new(vec![11; 16])).await.expect("wrapped");
        assert_eq!(back, [22; WRAPPED], "the second of the request");
        let unknown = wrapped.wrap(DEVICE, &Secret::new(vec![99; 16])).await.expect_err("not asked for");
        assert_eq!(unknown.code, Code::DualControl);
        for other in
            [answer(16), Secrets { of: answer(WRAPPED).of.into_iter().rev().collect() }, Secrets::default()]
        {
            let refused = Prewrapped::of(secrets(1), &asked, other).err().expect("no answer to it");
            assert_eq!(refused.code, Code::DualControl);
        }
        assert_eq!(
            request(&secrets(1), &Secrets::default()).expect_err("no way back").code,
            Code::KeysMissing
        );
    }
}
