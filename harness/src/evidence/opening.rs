//! The first record of a folder of evidence: a run's, or a lab book's.

use proto_lab::Digest;
use proto_lab::record::book::BookOpened;
use proto_lab::record::{Body, RunId, RunStarted, SignerKey};

/// What a folder of evidence begins with, and is from then on.
#[derive(Debug, Clone, PartialEq)]
pub enum Opening {
    /// A run.
    Run(Box<RunStarted>),
    /// The book of a lab.
    Book(Box<BookOpened>),
}

impl From<RunStarted> for Opening {
    fn from(started: RunStarted) -> Self {
        Self::Run(Box::new(started))
    }
}

impl From<BookOpened> for Opening {
    fn from(opened: BookOpened) -> Self {
        Self::Book(Box::new(opened))
    }
}

impl Opening {
    /// What this record opens, if it is a first record.
    pub fn of(body: &Body) -> Option<Self> {
        match body {
            Body::RunStarted(started) => Some(Self::Run(started.clone())),
            Body::BookOpened(opened) => Some(Self::Book(opened.clone())),
            _ => None,
        }
    }

    /// The name of the run or book, which is its folder's.
    pub const fn name(&self) -> &RunId {
        match self {
            Self::Run(started) => &started.run,
            Self::Book(opened) => &opened.book,
        }
    }

    /// The key that signs.
    pub const fn key(&self) -> &SignerKey {
        match self {
            Self::Run(started) => &started.key,
            Self::Book(opened) => &opened.key,
        }
    }

    /// Version of the record format.
    pub const fn format(&self) -> u32 {
        match self {
            Self::Run(started) => started.format,
            Self::Book(opened) => opened.format,
        }
    }

    /// The root that it binds of what went before.
    pub fn previous(&self) -> Option<Digest> {
        match self {
            Self::Run(started) => started.previous,
            Self::Book(opened) => opened.previous.as_ref().map(|previous| previous.root),
        }
    }

    /// The name of what it binds, where it says that.
    pub fn previous_name(&self) -> Option<&RunId> {
        match self {
            Self::Run(started) => started.previous_run.as_ref(),
            Self::Book(opened) => opened.previous.as_ref().map(|previous| &previous.book),
        }
    }

    /// Whether a record of this kind can stand in what was opened. A book has no scripts, and a run says nothing of the lab.
    pub const fn admits(&self, body: &Body) -> bool {
        let of_the_lab = matches!(body, Body::BookOpened(_) | Body::Lab(_) | Body::BookClosed(_));
        let of_both = matches!(body, Body::Note(_) | Body::Repaired(_) | Body::Capture(_));
        match self {
            Self::Run(_) => !of_the_lab,
            Self::Book(_) => of_the_lab || of_both,
        }
    }

    /// The body of the record, with this key in it.
    pub(super) fn signed_by(self, key: SignerKey) -> Body {
        match self {
            Self::Run(started) => Body::RunStarted(Box::new(RunStarted { key, ..*started })),
            Self::Book(opened) => Body::BookOpened(Box::new(BookOpened { key, ..*opened })),
        }
    }
}
