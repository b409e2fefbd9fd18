//! The gRPC service by which engineers act: messages, client and server made from `control.proto`.
//!
//! The answer to every act is the number of its record in the lab book.

use crate::rpc::generated;

pub use generated::control_client::ControlClient;
pub use generated::control_server::{Control, ControlServer};
pub use generated::{
    AbortRequest, Acted, GiveBackRigRequest, HoldRigRequest, LiftQuarantineRequest, LiftStopRequest,
    PauseRequest, QuarantineRequest, RerunRequest, ResumeRequest, StopEverythingRequest,
};
