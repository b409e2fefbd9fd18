//! Simulated CHF, GPF, ESME, GSME and PPMID on real pseudo-terminals and sockets.
//!
//! A simulated device is a device: it answers on its wire, and the drivers cannot tell. What a person or a test
//! bench does to it comes by its [`Hand`], apart from the wire.
//!
//! From the inside out:
//!
//! | module | what it is |
//! |---|---|
//! | [`model`] | meters, hub and display as state that obeys time; no wire |
//! | [`objects`] | their COSEM objects, placed as their Device Models say |
//! | [`fault`] | what goes wrong on purpose, on wires and in devices |
//! | [`home`] | the devices of one rig, the network between them, the hub's routing; octets in and out |
//! | [`dongle`] | a ZigBee co-processor on a serial port, with the devices of a home within reach |
//! | [`broker`] | the MQTT broker of a lab whose stations are simulated |
//! | [`control`] | a person's hand over a socket, for other processes |
//! | [`estate`] | pseudo-terminals, sockets and tasks around the homes of a lab |
//! | [`nonsense`] | any text and octets into all that takes them, for tests and fuzzing |

pub mod broker;
pub mod cli;
pub mod control;
pub mod dongle;
pub mod estate;
pub mod fault;
pub mod home;
pub mod model;
pub mod nonsense;
pub mod objects;
pub mod sim_clock;

pub use estate::{
    ArmedFault, DeviceState, Estate, Hand, HandError, Pressed, SimDongle, SimEndpoint, StartError,
};
pub use model::ppmid::Fuel;
pub use objects::StateFolder;
pub use sim_clock::{SimClock, Stepper};
