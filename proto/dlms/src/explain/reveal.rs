//! Looking into ciphered messages with keys that whoever asks holds.
//!
//! A capture is read after the fact: counters are not judged here, and messages may be missing. Whose message one is, is found
//! by trying the system titles that the associations before it named.

use super::Span;
use super::conversation::{Whole, lone_apdu};
use super::data::hex;
use super::walk::walk;
use crate::apdu::{Apdu, Ciphered, Envelope, InitiateRequest, KeySet};
use crate::security::{CounterState, Counters, Key, Keys, SecurityContext, SystemTitle};

/// System titles tried at most: the latest.
const TITLES: usize = 16;

/// Keys, and whose messages they may open.
#[derive(Debug, Clone)]
pub struct Reveal {
    keys: Keys,
    /// The dedicated key of the association last seen.
    dedicated: Option<Key>,
    titles: Vec<SystemTitle>,
}

impl Reveal {
    /// These keys, for messages of these system titles and of those that associations name.
    pub fn new(keys: Keys, titles: Vec<SystemTitle>) -> Self {
        Self { keys, dedicated: None, titles }
    }

    /// A title an association names.
    fn learn(&mut self, title: Option<&[u8]>) {
        let Some(title) = title.and_then(|title| SystemTitle::try_from(title).ok()) else { return };
        self.titles.retain(|known| *known != title);
        self.titles.push(title);
        if self.titles.len() > TITLES {
            self.titles.remove(0);
        }
    }

    /// What is ciphered in a message: its contents, deciphered, or why not.
    pub(super) fn look_into(&mut self, apdu: &Apdu) -> Option<Result<Vec<u8>, Whole>> {
        let ciphered = match apdu {
            Apdu::Aarq(aarq) => {
                self.learn(aarq.calling_title.as_deref());
                Ciphered::decode(aarq.user_information.as_deref()?).ok()?
            }
            Apdu::Aare(aare) => {
                self.learn(aare.responding_title.as_deref());
                Ciphered::decode(aare.user_information.as_deref()?).ok()?
            }
            Apdu::Ciphered(ciphered) => ciphered.clone(),
            _ => return None,
        };
        let opened = self.open(&ciphered);
        if let Some(Ok(initiate)) = opened.as_deref().map(InitiateRequest::decode) {
            self.dedicated = initiate.dedicated_key.and_then(|key| Key::try_from(key.as_slice()).ok());
        }
        Some(opened.ok_or_else(|| self.closed(&ciphered)))
    }

    fn open(&self, ciphered: &Ciphered) -> Option<Vec<u8>> {
        let encryption = match ciphered.keys {
            KeySet::Global => self.keys.encryption.clone(),
            KeySet::Dedicated => self.dedicated.clone()?,
        };
        let keys = Keys { encryption, authentication: self.keys.authentication.clone() };
        let named = match ciphered.envelope {
            Envelope::General(title) => title,
            Envelope::Service(_) => None,
        };
        let titles = named.into_iter().chain(self.titles.iter().rev().copied());
        let open = |title| {
            let counters = Counters::held_in_memory(CounterState::default());
            let opened =
                SecurityContext::new(title, keys.clone(), counters).unprotect(title, &ciphered.contents);
            opened.ok().map(|opened| opened.message)
        };
        // Without a tag any title gives something; only one gives a message that fits its envelope.
        titles.filter_map(open).find(|message| {
            message.first().is_some_and(|tag| ciphered.may_hold(*tag)) && lone_apdu(message).is_sound()
        })
    }

    fn closed(&self, ciphered: &Ciphered) -> Whole {
        let tried: Vec<String> = self.titles.iter().map(SystemTitle::to_string).collect();
        let tried = if tried.is_empty() { "none".to_owned() } else { tried.join(", ") };
        let span: Span = walk(&ciphered.contents, ciphered.name(), |walk| {
            let octets = walk.rest("ciphered contents");
            walk.say(hex(octets));
            walk.stop(format!(
                "the keys given do not open it: other keys, or a system title not seen (tried {tried})"
            ))
        });
        Whole { what: "not deciphered".to_owned(), octets: ciphered.contents.clone(), span }
    }
}
