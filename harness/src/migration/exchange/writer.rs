//! A party's pen: numbers its files, never one twice, and signs them.

use std::sync::Arc;

use jiff::Timestamp;
use proto_duis::Signer;
use proto_migration::{Address, Arrived, Digest, File, WriteError, write};

use scenarios::Spoiling;

use super::Spoiler;
use super::spoil::on_the_way;
use crate::migration::party::Outgoing;
use crate::service_user::{Counter, CounterFault, CounterStore};

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriterError {
    /// It cannot be numbered.
    #[error(transparent)]
    Number(#[from] CounterFault),
    /// All numbers are used.
    #[error("{0} has used every number a file can have")]
    Exhausted(Address),
    /// It cannot be signed, or says more than a file can.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Writes the files of one party.
pub struct Writer {
    me: Address,
    signer: Signer,
    number: Counter,
    spoiler: Spoiler,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("me", &self.me).finish_non_exhaustive()
    }
}

impl Writer {
    /// The pen of this party, whose numbers are kept in `store`. Gives also what is to be said of numbers that are lost.
    ///
    /// # Errors
    /// [`WriterError::Number`].
    pub fn new(
        me: Address,
        signer: Signer,
        store: &CounterStore,
        spoiler: Spoiler,
    ) -> Result<(Self, Option<String>), WriterError> {
        let (number, told) = Counter::open(store, me.id)?;
        Ok((Self { me, signer, number, spoiler }, told))
    }

    /// Whose it is.
    pub const fn address(&self) -> Address {
        self.me
    }

    /// Writes a file: once, or twice the same where a script has it replayed.
    ///
    /// # Errors
    /// [`WriterError`].
    pub fn write(&mut self, outgoing: &Outgoing, now: Timestamp) -> Result<Vec<Arrived>, WriterError> {
        let number = self.number.take()?.ok_or(WriterError::Exhausted(self.me))?;
        let Outgoing { to, follows, group, body } = outgoing.clone();
        let file = File::new(self.me, to, group, number, follows, now, body);
        let Some(how) = self.spoiler.take(file.body.kind(), self.me.role) else {
            return Ok(vec![arrived(file.clone(), write(&file, &self.signer)?)]);
        };
        let spoilt = self.spoiler.spoilt(how, &file);
        let signer = self.spoiler.stranger().filter(|_| how == Spoiling::WrongSigner);
        let octets = write(&spoilt, signer.as_deref().unwrap_or(&self.signer))?;
        let octets = on_the_way(how, octets, &file);
        let times = if how == Spoiling::Replayed { 2 } else { 1 };
        Ok(vec![arrived(file, octets); times])
    }
}

fn arrived(file: File, octets: Vec<u8>) -> Arrived {
    let digest = Digest::of(&octets);
    Arrived { file, octets: Arc::from(octets), digest }
}
