//! The gRPC service by which a bench computer lends its links: messages, client and server made from `station.proto`.
//!
//! What is said over MQTT to relays, keys and sensors is in [`crate::station`].

use crate::rpc::generated;

pub use generated::from_controller::Frame as ControllerFrame;
pub use generated::from_station::Frame as StationFrame;
pub use generated::station_client::StationClient;
pub use generated::station_server::{Station, StationServer};
pub use generated::{
    Actuate, Actuated, Actuator, Close, Credit, Data, FromController, FromStation, Heartbeat, Hello, Open,
    Opened, Port, Refused, Remark, SerialLine, SetLine, Welcome,
};

/// The longest piece of data in one frame, in octets.
pub const MAX_DATA: usize = 16 << 10;
