//! The lab controller: links, driver, S1SP, DCC stub, service user, executor, evidence, gates, reports.

pub mod driver;
pub mod evidence;
pub mod gate;
pub mod link;
pub mod migration;
pub mod watch;
pub mod tap;
