//! What one end holds to talk ciphered: its title, its keys, its counters.

use super::{
    Challenge, Counters, HEADER, InvocationCounter, Key, Keys, Protection, SecurityError, SystemTitle, TAG,
    cipher, counters,
};
use crate::apdu::{Ciphered, Envelope, KeySet, service_tag};

/// One end's hold on one set of keys. There must be no second one with the same title and encryption key anywhere: both
/// would use the same counters. It outlives associations; a session borrows it.
#[derive(Debug)]
pub struct SecurityContext {
    title: SystemTitle,
    keys: Keys,
    /// Counters of both directions.
    pub counters: Counters,
    /// The weakest protection this end accepts; `None` accepts messages in clear as well.
    pub required: Option<Protection>,
}

/// What came out of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// How it was protected.
    pub protection: Protection,
    /// Its number.
    pub counter: InvocationCounter,
    /// The message.
    pub message: Vec<u8>,
}

impl SecurityContext {
    /// Own system title, keys and counters; accepts messages in clear until [`required`](Self::required) says otherwise.
    pub fn new(title: SystemTitle, keys: Keys, counters: Counters) -> Self {
        Self { title, keys, counters, required: None }
    }

    /// The same, accepting nothing that is protected less.
    #[must_use]
    pub fn requiring(self, required: Protection) -> Self {
        Self { required: Some(required), ..self }
    }

    /// Own system title.
    pub fn title(&self) -> SystemTitle {
        self.title
    }

    /// Protects a message: security control, invocation counter, and what the cipher made. Uses up a number.
    ///
    /// # Errors
    /// [`SecurityError::Counter`] where there is no number to use.
    pub fn protect(&mut self, protection: Protection, message: &[u8]) -> Result<Vec<u8>, SecurityError> {
        let counter = self.counters.next()?;
        Ok(cipher::seal(&self.keys, self.title, counter, protection, message))
    }

    /// Reverses [`SecurityContext::protect`] of the far end `from`. The tag is looked at first, then the counter, so
    /// that nobody without the keys can move the counter.
    ///
    /// A message that is only [`Encrypted`](Protection::Encrypted) has no tag: whoever can reach the line can move the
    /// counter with one. Meters that take such messages have the same weakness.
    ///
    /// # Errors
    /// Why the message is not accepted; nothing is remembered of it then.
    pub fn unprotect(&mut self, from: SystemTitle, sealed: &[u8]) -> Result<Opened, SecurityError> {
        let opened = cipher::open(&self.keys, from, sealed)?;
        self.check_required(Some(opened.protection))?;
        self.counters.take(from, opened.counter)?;
        Ok(Opened { protection: opened.protection, counter: opened.counter, message: opened.message })
    }

    /// Whether a message so protected, or not at all, is enough.
    pub(crate) fn check_required(&self, found: Option<Protection>) -> Result<(), SecurityError> {
        match self.required {
            Some(required) if !found.is_some_and(|found| found.covers(required)) => {
                Err(SecurityError::Weaker { found, required })
            }
            _ => Ok(()),
        }
    }

    /// The answer to a challenge in high-level security 5: security control, invocation counter, and the GMAC over the
    /// challenge (IEC 62056-5-3, 5.4.3). Uses up a number.
    ///
    /// # Errors
    /// [`SecurityError::Counter`] where there is no number to use.
    pub fn prove(&mut self, challenge: &Challenge) -> Result<Vec<u8>, SecurityError> {
        let counter = self.counters.next()?;
        let tag = cipher::tag(&self.keys, self.title, counter, challenge.octets());
        let mut proof = vec![Protection::Authenticated.control()];
        proof.extend(counter.0.to_be_bytes());
        proof.extend(tag);
        Ok(proof)
    }

    /// Checks what `from` answered to `challenge`. `since` is the number last received when the challenge was made: the
    /// proof may itself travel in a ciphered message, whose number is then higher, lower or, from some stations, the
    /// same.
    ///
    /// # Errors
    /// Why the proof is none.
    pub fn check_proof(
        &mut self,
        from: SystemTitle,
        since: Option<InvocationCounter>,
        challenge: &Challenge,
        proof: &[u8],
    ) -> Result<(), SecurityError> {
        let Ok(proof) = <&[u8; HEADER + TAG]>::try_from(proof) else {
            return Err(SecurityError::TooShort { found: proof.len(), needed: HEADER + TAG });
        };
        let [control, a, b, c, d, tag @ ..] = proof;
        if Protection::from_control(*control)? != Protection::Authenticated {
            return Err(SecurityError::WrongTag { from });
        }
        let counter = InvocationCounter(u32::from_be_bytes([*a, *b, *c, *d]));
        if !cipher::same(&cipher::tag(&self.keys, from, counter, challenge.octets()), tag) {
            return Err(SecurityError::WrongTag { from });
        }
        counters::above(from, counter, since)?;
        self.counters.note(from, counter)
    }

    /// The number last received from a far end.
    pub fn received(&self, from: SystemTitle) -> Option<InvocationCounter> {
        self.counters.received(from)
    }

    /// The context of a dedicated key: the same authentication key, counters of its own that start anew with the key.
    pub(crate) fn dedicated(&self, key: Key) -> Self {
        Self {
            title: self.title,
            keys: Keys { encryption: key, authentication: self.keys.authentication.clone() },
            counters: Counters::held_in_memory(counters::CounterState::default()),
            required: self.required,
        }
    }
}

/// How one message is ciphered; a server answers in the manner it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    pub(crate) keys: KeySet,
    pub(crate) general: bool,
    pub(crate) protection: Protection,
}

impl Manner {
    /// Octets a message grows by, at most.
    pub(crate) fn overhead(self) -> usize {
        // Tag, length of up to three octets, and in the general envelope a system title with its length.
        4 + self.protection.overhead() + if self.general { 9 } else { 0 }
    }
}

/// What an association adds to the context it borrows: whose it is, and the dedicated key. No context is held here, so
/// that two associations under one set of keys count together.
#[derive(Debug)]
pub(crate) struct Association {
    /// The far end's system title, as it associated.
    pub(crate) far: SystemTitle,
    pub(crate) dedicated: Option<SecurityContext>,
}

impl Association {
    /// Puts a message into an envelope.
    pub(crate) fn cipher(
        &mut self,
        global: &mut SecurityContext,
        manner: Manner,
        message: &[u8],
    ) -> Result<Vec<u8>, SecurityError> {
        let title = global.title;
        let context = match manner.keys {
            KeySet::Global => global,
            KeySet::Dedicated => self.dedicated.as_mut().ok_or(SecurityError::NoDedicatedKey)?,
        };
        let service = message.first().and_then(|tag| service_tag(*tag, manner.keys));
        let envelope = match service.filter(|_| !manner.general) {
            Some(tag) => Envelope::Service(tag),
            None => Envelope::General(Some(title)),
        };
        let contents = context.protect(manner.protection, message)?;
        Ok(Ciphered { keys: manner.keys, envelope, contents }.encode())
    }

    /// The number last sent under these keys.
    pub(crate) fn sent(&self, global: &SecurityContext, keys: KeySet) -> Option<InvocationCounter> {
        let context = match keys {
            KeySet::Global => Some(global),
            KeySet::Dedicated => self.dedicated.as_ref(),
        };
        context?.counters.state().sent
    }

    /// Takes a message out of its envelope.
    pub(crate) fn decipher(
        &mut self,
        global: &mut SecurityContext,
        ciphered: &Ciphered,
    ) -> Result<(Manner, Vec<u8>), SecurityError> {
        let general = match ciphered.envelope {
            Envelope::General(Some(found)) if found != self.far => {
                return Err(SecurityError::OtherTitle { found, expected: self.far });
            }
            Envelope::General(_) => true,
            Envelope::Service(_) => false,
        };
        let context = match ciphered.keys {
            KeySet::Global => global,
            KeySet::Dedicated => self.dedicated.as_mut().ok_or(SecurityError::NoDedicatedKey)?,
        };
        let opened = context.unprotect(self.far, &ciphered.contents)?;
        let tag = opened.message.first().copied().unwrap_or_default();
        if !ciphered.may_hold(tag) {
            return Err(SecurityError::OtherContents { found: tag, envelope: ciphered.name() });
        }
        Ok((Manner { keys: ciphered.keys, general, protection: opened.protection }, opened.message))
    }
}
