//! Run records and the lab's gRPC services.
