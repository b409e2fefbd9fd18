//! The lab controller: links, driver, S1SP, DCC stub, service user, executor, evidence, gates, reports.

pub mod cli;
pub mod dcc;
mod decode;
pub mod dial;
pub mod dispatch;
pub mod dmct;
pub mod driver;
pub mod embedded;
pub mod evidence;
pub mod execute;
pub mod gate;
mod http;
pub mod link;
pub mod migration;
mod post;
pub mod queue;
pub mod report;
pub mod s1sp;
pub mod server;
pub mod service_user;
mod state;
pub mod station;
pub mod tap;
pub mod tls;
pub mod watch;
