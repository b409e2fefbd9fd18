//! The DCC against a pretended S1SP and a pretended listener, over loopback HTTP.

mod agenda;
mod firmware;
mod judge;
mod lab;
mod line;
mod server;
mod user;
