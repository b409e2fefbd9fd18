//! The DCC against a pretended S1SP and a pretended listener, over loopback HTTP.

mod judge;
mod lab;
mod line;
mod server;
mod user;
