//! How much a file may hold. A reader takes no more, and a writer writes no more.
//!
//! A document is at most [`proto_duis::MAX_OCTETS`] octets and 200,000 elements: the largest common file, of
//! [`MAX_INSTALLATIONS`] installations with five devices and two meter points each, has about 55,000.

/// Installations in one file, which is also the most that a group has.
pub const MAX_INSTALLATIONS: usize = 1_000;
/// Devices of one installation: a hub with its proxy, meters and displays, and some to spare.
pub const MAX_DEVICES: usize = 16;
/// Meter points of one installation.
pub const MAX_METER_POINTS: usize = 8;
/// Authorisations that one installation stands under.
pub const MAX_AUTHORISATIONS: usize = 8;
/// Parties that secrets of one installation are sealed to.
pub const MAX_SEALED: usize = 4;
/// Parties that one file is for.
pub const MAX_RECIPIENTS: usize = 32;
/// Files that a required file set names.
pub const MAX_FILES: usize = 4_096;
/// An encapsulated key: a point on P-256, uncompressed (RFC 9180, 7.1).
pub const ENCAPSULATED: usize = 65;
/// The tag of AES-128-GCM.
pub const TAG: usize = 16;
/// A ciphertext, its tag included.
pub const MAX_CIPHERTEXT: usize = 16 * 1024;
