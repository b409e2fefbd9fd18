//! Simulated CHF, GPF, ESME, GSME and PPMID on real pseudo-terminals and sockets.

pub mod home;
pub mod model;
pub mod objects;
