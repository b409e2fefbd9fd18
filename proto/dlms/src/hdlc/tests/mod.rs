//! HDLC against golden bytes, against itself over a bad line in virtual time, and against nonsense.

mod addressing;
mod golden;
mod pair;
mod properties;
mod recovery;
