//! Files spoilt on purpose: a script has the next file of a kind arrive as it must not be taken.

use std::sync::{Arc, Mutex, PoisonError};

use proto_duis::{Eui64, Signer};
use proto_migration::{Address, Digest, File, FileKind, PartyRole};
use scenarios::Spoiling;

/// What becomes of the octets on the way.
pub(super) fn on_the_way(how: Spoiling, mut octets: Vec<u8>, file: &File) -> Vec<u8> {
    match how {
        Spoiling::Cut => octets.truncate(octets.len() * 2 / 3),
        Spoiling::Altered => alter(&mut octets, file.header.group.as_str().as_bytes()),
        _ => {}
    }
    octets
}

/// Changes the last character of the first place where the text stands, so that the document stays one.
fn alter(octets: &mut [u8], text: &[u8]) {
    let at = octets.windows(text.len()).position(|window| window == text);
    if let Some(octet) = at.and_then(|at| octets.get_mut(at + text.len() - 1)) {
        *octet = if *octet == b'0' { b'1' } else { b'0' };
    }
}

/// A file to be spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spoil {
    /// The next of this kind.
    pub kind: FileKind,
    /// Of this writer; none where any's will do.
    pub from: Option<PartyRole>,
    /// In this way.
    pub how: Spoiling,
}

/// Spoils the next file of a kind. Clones are the same one.
#[derive(Clone, Default)]
pub struct Spoiler {
    next: Arc<Mutex<Option<Spoil>>>,
    stranger: Option<Arc<Signer>>,
}

impl std::fmt::Debug for Spoiler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spoiler").field("next", &self.armed()).finish_non_exhaustive()
    }
}

impl Spoiler {
    /// A spoiler that has files signed by this one where they are to be signed by somebody else.
    pub fn new(stranger: Signer) -> Self {
        Self { next: Arc::default(), stranger: Some(Arc::new(stranger)) }
    }

    /// The next such file is spoilt.
    pub fn spoil(&self, spoil: Spoil) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(spoil);
    }

    /// Nothing is spoilt any more; gives what had not been yet.
    pub fn disarm(&self) -> Option<Spoil> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn armed(&self) -> Option<Spoil> {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Spoiling this file is to be spoilt, once.
    pub(super) fn take(&self, kind: FileKind, from: PartyRole) -> Option<Spoiling> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |armed: &mut Spoil| armed.kind == kind && armed.from.is_none_or(|role| role == from);
        next.take_if(is_it).map(|armed| armed.how)
    }

    pub(super) fn stranger(&self) -> Option<Arc<Signer>> {
        self.stranger.clone()
    }

    /// What the file says instead, before it is signed.
    pub(super) fn spoilt(&self, how: Spoiling, file: &File) -> File {
        let mut spoilt = file.clone();
        match how {
            Spoiling::OutOfOrder => spoilt.header.follows = Some(Digest::of(b"a file that nobody has")),
            Spoiling::ForAnother => {
                let role = file.header.to.first().map_or(file.header.from.role, |to| to.role);
                spoilt.header.to = vec![Address { role, id: Eui64::new([0xEE; 8]) }];
            }
            _ => {}
        }
        spoilt
    }
}
