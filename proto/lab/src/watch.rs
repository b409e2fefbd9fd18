//! The gRPC service by which other programs watch runs: messages, client and server made from `watch.proto`.
//!
//! A line travels octet for octet as it was hashed, so a watcher can check it against the run's checkpoints and need not
//! take the server's word.

use crate::record::{LineError, Record};

use crate::rpc::generated;

pub use crate::rpc::DESCRIPTORS;
pub use generated::watch_client::WatchClient;
pub use generated::watch_server::{Watch, WatchServer};
pub use generated::{
    BlobRequest, BlobResponse, BookSummary, CheckpointsRequest, CheckpointsResponse, ListBooksRequest,
    ListBooksResponse, ListRunsRequest, ListRunsResponse, RecordsRequest, RecordsResponse, RunSummary,
};

/// Octets of lines after which a sender starts a new message; well under gRPC's usual limit of 4 MiB even with one line
/// of the greatest length on top.
pub const BATCH: usize = 1 << 20;

impl RecordsResponse {
    /// The records in this message, in order.
    ///
    /// # Errors
    /// The first [`LineError`]: the sender is not what it says, or is of another version.
    pub fn records(&self) -> Result<Vec<Record>, LineError> {
        self.lines.split_inclusive(|octet| *octet == b'\n').map(Record::from_line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Body, Note, Sequence};

    #[test]
    fn lines_travel_octet_for_octet() {
        let record = |n| {
            let body = Body::Note(Note { who: "a".into(), what: "b".into() });
            Record::new(Sequence(n), "2026-11-21T21:14:05Z".parse().unwrap(), body)
        };
        let lines = [record(4), record(5)].map(|r| r.to_line().unwrap()).concat();
        let message = RecordsResponse { first: 4, lines: lines.into_bytes().into() };
        let octets = prost::Message::encode_to_vec(&message);
        let back: RecordsResponse = prost::Message::decode(octets.as_slice()).unwrap();
        assert_eq!(back.records().unwrap(), [record(4), record(5)]);
        let torn = RecordsResponse { first: 4, lines: back.lines.slice(..20) };
        assert!(torn.records().is_err());
    }
}
