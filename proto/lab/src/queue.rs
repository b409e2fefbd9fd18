//! The gRPC service by which schedulers put packs on rigs: messages, client and server made from `queue.proto`.

use crate::rpc::generated;

pub use generated::queue_client::QueueClient;
pub use generated::queue_server::{Queue, QueueServer};
pub use generated::{JoinRequest, LeaveRequest, ListRequest, ListResponse, QueueEntry, RigState};
