//! Migration of SMETS1 Installations: from their SMSO to the DCC, step by step, or back whole.
//!
//! ```text
//! with its SMSO ─authorise─> authorised ─(prepare)─> prepared ─validate─> validated ─contact─> under S1SP control ─commission─> migrated
//!                                │                      │                    │                       │                             │
//!                             refused                refused              refused               rolled back <───────rollback───────┘
//!                                                  after five failures, or at once where keys or the network are missing: excluded
//! ```
//!
//! The parties exchange signed files ([`proto_migration`]), each passing migration control ([`party`] shows which goes
//! where). Of the rooms of this part of the house:
//!
//! - [`stage`]: where one installation stands and what may happen to it; [`Group`]: several of them. Pure;
//! - [`checks`]: the Commissioning Party's checks, and [`Code`]: what each is called. Pure;
//! - [`party`]: the parties, each behind the same door;
//! - [`exchange`]: the files between them and control, numbered, signed, recorded;
//! - [`Control`]: the operations, each as the files it takes; the way back from anywhere;
//! - [`journal`]: what happened, safe on disk, so that another process finds every installation wholly here or wholly there.
//!
//! Who talks to devices is no part of it: the S1SP and the SMSO do, behind [`party::Contacts`] and [`party::Smso`].

pub mod checks;
mod codes;
mod control;
pub mod exchange;
mod group;
pub mod journal;
pub mod party;
pub(crate) mod rig_hand;
pub mod rig_smso;
pub mod stage;
pub mod text;

pub use codes::Code;
pub use control::{Control, Patience, Roll};
pub use group::{Group, GroupSize};
pub use journal::{Journal, JournalError};
pub use party::Refused;
pub use stage::{Finding, InControl, Installation, Operation, OutOfOrder, Stage};

#[cfg(test)]
mod tests;
