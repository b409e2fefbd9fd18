//! Doors to parties outside: octets go out and come in, one file at a time.
//!
//! In the picture of a migration a door stands where a party would: what the exchange would hand to the party goes out by
//! the door, and what the party writes comes in by it. A door knows nothing of what a file says. It is opened, checked and
//! recorded on this side of it, and whoever did that tells the door what became of it, so that the other side learns it.
//!
//! A file is handed over at least once: until it is [settled](Door::settle) it is received again, after a restart too. What
//! makes a second time harmless is the number in the file, which its reader has seen then.
//!
//! - [`Folder`]: files in folders, written whole or not at all;
//! - [`Https`]: a POST for each file, over mutual TLS beyond this machine.

mod folder;
mod https;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use proto_migration::FileName;
use tokio::time::Instant;

use crate::tls::TlsFault;
pub use folder::Folder;
pub use https::{Https, Listener, Listening};

/// The most octets a file has, unless told otherwise: a group of some hundred installations has fewer.
pub const FILE_OCTETS: usize = 4 * 1024 * 1024;

/// What a door is doing.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = Result<T, DoorError>> + Send + 'a>>;

/// A way to one party outside.
pub trait Door: Send + Sync + fmt::Debug {
    /// Sends a file. When this returns, the other side has it, or finds it where it looks.
    ///
    /// # Errors
    /// [`DoorError`]; after [`DoorError::Refused`] sending it again is of no use. The same file may be sent twice.
    fn send<'a>(&'a self, name: &'a FileName, octets: &'a [u8]) -> Doing<'a, ()>;

    /// The file that came first of those not settled yet, or word that one sent by this door was refused, waiting for either
    /// until `deadline`; none when none came.
    ///
    /// # Errors
    /// [`DoorError`]: nothing can come in by this door any more.
    fn receive(&self, deadline: Instant) -> Doing<'_, Option<Came>>;

    /// Says what became of a received file; from now on it is not received again.
    ///
    /// # Errors
    /// [`DoorError`]; it may be received again then.
    fn settle<'a>(&'a self, received: &'a Received, settled: &'a Settled) -> Doing<'a, ()>;
}

/// What came in by a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// A file. It comes again until it is settled.
    File(Received),
    /// A file that was sent was refused, and the other side said so after [`Door::send`] had returned. It is said once.
    Refused {
        /// The file.
        name: FileName,
        /// What the other side said: code and reason, as [`Settled::refused`] has them.
        settled: Settled,
    },
}

/// A file that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What the door calls it. Its own name it says itself.
    pub name: String,
    /// Its octets, as they came.
    pub octets: Vec<u8>,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It was taken.
    Taken,
    /// It was not, and writing it once more will not change that.
    Refused {
        /// The code.
        code: String,
        /// What was found and what was expected.
        reason: String,
    },
}

impl Settled {
    /// A refusal.
    pub fn refused(code: impl fmt::Display, reason: impl fmt::Display) -> Settled {
        Settled::Refused { code: code.to_string(), reason: reason.to_string() }
    }
}

/// A door that does not let a file through.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// A folder or file that cannot be used.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Another program reads the files of this folder.
    #[error("{0}: another program reads the files here; end it, or use another folder")]
    Held(PathBuf),
    /// A file of this name and other octets was sent before.
    #[error("{0} is there and says something else; a file's name is used once")]
    NameUsed(PathBuf),
    /// More octets than a file may have.
    #[error("{name} has {found} octets; a file has at most {limit}")]
    TooLong {
        /// The file.
        name: String,
        /// What it has.
        found: usize,
        /// What it may have.
        limit: usize,
    },
    /// The other side did not take it.
    #[error("{to} refused {name} (HTTP status {status}): {text}")]
    Refused {
        /// The other side.
        to: String,
        /// The file.
        name: String,
        /// What it said by HTTP.
        status: u16,
        /// What it said in words.
        text: String,
    },
    /// The other side could not be told, or could not listen, in all the time there was.
    #[error("{to} did not take {name} after {attempts} attempts: {reason}")]
    Unreachable {
        /// The other side.
        to: String,
        /// The file.
        name: String,
        /// How often it was tried.
        attempts: u32,
        /// What happened the last time.
        reason: String,
    },
    /// The address is taken, or not of this machine.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// An address that others reach, and no TLS.
    #[error(
        "{0} is reached from outside this machine, and the door has no TLS; give it certificates, or an address of loopback"
    )]
    Open(SocketAddr),
    /// Files of TLS that cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsFault),
    /// The way out has no address that can be reached.
    #[error("{url:?} is no address of a party: {reason}")]
    Address {
        /// What was given.
        url: String,
        /// Why not.
        reason: String,
    },
    /// Nothing of this name waits to be settled.
    #[error("no file {0:?} waits here to be settled")]
    NotWaiting(String),
}

impl DoorError {
    fn file(path: &Path, reason: impl fmt::Display) -> DoorError {
        DoorError::File { path: path.to_owned(), reason: reason.to_string() }
    }
}
