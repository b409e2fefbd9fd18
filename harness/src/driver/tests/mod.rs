//! The driver against meters made of the server state machines, on real sockets.

mod datagram;
mod hub;
mod meter;
mod optical;
mod serial;
mod wrapper;
