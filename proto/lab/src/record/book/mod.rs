//! The lab book: what concerns a lab rather than one of its runs.
//!
//! A book is evidence as a run is: numbered records, one a line, in a tree that checkpoints sign. It begins with
//! [`BookOpened`] where a run begins with `RunStarted`, and goes on with [`LabEvent`]s: rigs held and given back, devices in
//! quarantine, what waits to be run, what runs, who did what and who was refused. Each start of the controller opens a new
//! book, restates in it what the one before left standing, and writes [`LabEvent::Ready`] when that is done.
//!
//! [`LabState`] is what the records come to, and the only thing anybody is shown of the lab.

mod event;
mod state;

pub use event::{
    BookClosed, BookOpened, DeviceDeclared, EntryId, LabEvent, PackAsked, PreviousBook, RigDeclared, Work,
};
pub use state::{
    Entry, LabState, Quarantine, RigState, RigUse, RunStage, RunUnderWay, StationSeen, Steered, Stopped,
};

#[cfg(test)]
mod tests;
