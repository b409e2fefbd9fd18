//! DLMS/COSEM, HDLC, wrapper and IEC 62056-21 sign-on as sans-I/O state machines.
//!
//! Nothing here opens a port or reads a clock. Octets go in, octets and events come out, and time is an
//! argument, so the same code drives a real optical head, answers for a simulated meter and runs a thousand
//! seconds of line noise in a millisecond of test.
//!
//! From the line upwards:
//!
//! | module | what it speaks | source |
//! |---|---|---|
//! | [`sign_on`] | the opening exchange at an optical port, up to mode E | IEC 62056-21, 6.3 and annex E |
//! | [`hdlc`] | the data link on a serial line | IEC 62056-46 |
//! | [`wrapper`] | the same place in the stack over TCP and UDP | IEC 62056-47 |
//! | [`gateway`] | the header that names a device behind a hub | DLMS UA gateway protocol |
//! | [`apdu`] | association and data exchange services | IEC 62056-5-3 |
//! | [`security`] | suite 0: keys, counters, ciphering and proof | IEC 62056-5-3, 5 |
//! | [`client`], [`server`] | the two ends of an association | IEC 62056-5-3 |
//! | [`push`] | what a meter says unasked, longer than one APDU | IEC 62056-5-3, 6 |
//! | [`data`] | values, names and times | IEC 62056-6-2, IEC 62056-6-1 |
//!
//! [`explain`] shows people what octets mean, in the words of [`vocabulary`].
//!
//! ```
//! use proto_dlms::client::{ClientSession, ClientSettings, Request, Response, Step};
//! use proto_dlms::data::{AttributeRef, ClassId, Data};
//! use proto_dlms::server::{ObjectTable, Peer, Rights, ServerSession, ServerSettings};
//!
//! let identity = AttributeRef { class: ClassId(1), obis: "0-0:96.1.0".parse()?, attribute: 2 };
//! let mut meter = ObjectTable::new();
//! meter.insert(identity, Data::Octets(b"METER1".to_vec()), Rights::ReadOnly);
//! let mut server = ServerSession::new(Peer::new(16, 1), ServerSettings::default());
//! let mut client = ClientSession::new(ClientSettings::default());
//!
//! let mut ask = |request| -> Result<Response, Box<dyn std::error::Error>> {
//!     let mut apdu = client.start(request)?;
//!     loop {
//!         let answer = server.receive(&apdu, &mut meter).ok_or("the server has no answer")?;
//!         match client.receive(&answer)? {
//!             Step::Send(next) => apdu = next,
//!             Step::Done(response) => return Ok(response),
//!             Step::Notification(_) | Step::Ignored(_) | Step::Wait => {}
//!         }
//!     }
//! };
//! ask(Request::Associate)?;
//! let value = ask(Request::Get { attribute: identity, selective: None })?;
//! assert_eq!(value, Response::Got(Ok(Data::Octets(b"METER1".to_vec()))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod apdu;
mod block_transfer;
mod blocks;
pub mod client;
pub mod data;
pub mod echo;
pub mod explain;
pub mod gateway;
pub mod hdlc;
#[doc(hidden)]
pub mod nonsense;
mod octets;
mod password;
pub mod push;
pub mod security;
pub mod server;
pub mod sign_on;
pub mod vocabulary;
pub mod wrapper;

pub use block_transfer::TransferError;
pub use octets::{DecodeError, Fault};
pub use password::Password;
