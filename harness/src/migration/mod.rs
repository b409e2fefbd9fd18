//! Migration of a SMETS1 Installation: from its SMSO to the DCC, step by step, or back whole.
//!
//! ```text
//! with its SMSO ─authorise─> authorised ─validate─> validated ─contact─> under S1SP control ─commission─> migrated
//!                                          │                    │               │
//!                                       refused             rolled back <──rollback┘
//! ```
//!
//! [`Stage`] is the pure part: which operation may follow which, and what it makes of the installation. [`checks`] is data
//! validation, pure too. [`Control`] carries the operations out through the parties ([`Parties`]): the DCC's inventory and
//! the S1SP, who alone talks to devices. Scripts of the Migration pack drive it one operation at a time; the dispatcher
//! drives all of it when a pack needs an enrolled installation.
//!
//! The parties that exchange files (Requesting Party, Dual Control Organisation, Commissioning Party) stand here as the
//! steps they cause. Each will become a component of its own behind [`Parties`], and the stages stay as they are.

pub mod checks;
mod codes;
mod control;
pub mod exchange;
pub mod party;
mod stage;
pub mod text;

pub use checks::{Declared, Refusal, RefusalCode};
pub use codes::Code;
pub use control::{Control, Parties};
pub use party::Refused;
pub use stage::{Authorisation, Operation, OutOfOrder, Stage};

#[cfg(test)]
mod tests;
