//! The server's end of an association (IEC 62056-5-3): what a meter does with APDUs.
//!
//! A [`ServerSession`] keeps the association with one client and hands each access to an [`ObjectModel`], which is
//! the meter proper. It refuses what a meter refuses: services before an association, services not agreed, blocks
//! out of turn. What may be read or written is the model's to say; [`ObjectTable`] is a plain one.

mod access;
mod associate;
mod blocks;
mod profile;
mod proof;
mod secure;
mod service;
mod sessions;
mod table;
#[cfg(test)]
pub(crate) mod tests;

pub use associate::{Credentials, Denial};
pub use profile::select;
pub use sessions::Sessions;
pub use table::{ObjectTable, Rights};

use std::collections::VecDeque;

use crate::apdu::{Apdu, BlockWindow, Conformance, ExceptionResponse};
use crate::client::{Association, Notification};
use crate::data::{ActionResult, AttributeRef, Data, DataAccessResult, MethodRef, Selective};
use crate::push::{self, PushError};
use crate::security::{self, Challenge, Protection, SecurityContext, SecurityError};
use blocks::Exchange;
use proof::Proof;
use service::Transfer;

/// Who talks to whom: the service access points of client and server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// The client's: 16 is the public client, 1 the management client.
    pub client: u16,
    /// The server's, which is its logical device: 1 is the management logical device.
    pub server: u16,
}

impl Peer {
    /// The pair of client and server.
    pub fn new(client: u16, server: u16) -> Self {
        Self { client, server }
    }
}

/// Who may associate, and with which keys.
///
/// Only [`admit`](Self::admit) must be given: a meter without keys ciphers nothing and takes no high-level security.
pub trait AssociationPolicy {
    /// Decides whether `peer` may associate with these credentials.
    ///
    /// # Errors
    /// Why not; the session turns it into the answer a meter gives.
    fn admit(&mut self, peer: Peer, credentials: Credentials<'_>) -> Result<(), Denial>;

    /// The meter's title, the keys it shares with `peer`, and their counters; `None` where it shares none. Clients that
    /// have the same keys must be given the same context.
    fn security(&mut self, peer: Peer) -> Option<&mut SecurityContext> {
        let _ = peer;
        None
    }

    /// A challenge for `peer`, made at random now; `None` refuses high-level security.
    fn challenge(&mut self, peer: Peer) -> Option<Challenge> {
        let _ = peer;
        None
    }

    /// Told of every message of `peer` that was not accepted: a wrong tag or proof, a replay, too little protection.
    fn breached(&mut self, peer: Peer, why: &SecurityError) {
        let _ = (peer, why);
    }
}

/// A meter: objects that can be read, written and invoked, and who may do so.
pub trait ObjectModel: AssociationPolicy {
    /// Reads an attribute, or part of it.
    ///
    /// # Errors
    /// Why not, as a meter answers it.
    fn get(
        &mut self,
        peer: Peer,
        attribute: AttributeRef,
        selective: Option<&Selective>,
    ) -> Result<Data, DataAccessResult>;

    /// Writes an attribute.
    ///
    /// # Errors
    /// Why not, as a meter answers it.
    fn set(
        &mut self,
        peer: Peer,
        attribute: AttributeRef,
        selective: Option<&Selective>,
        value: Data,
    ) -> Result<(), DataAccessResult>;

    /// Invokes a method: its return value, if it has one.
    ///
    /// # Errors
    /// Why not, as a meter answers it.
    fn act(
        &mut self,
        peer: Peer,
        method: MethodRef,
        parameter: Option<Data>,
    ) -> Result<Option<Data>, ActionResult>;
}

/// What a server offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerSettings {
    /// Longest APDU this server takes.
    pub max_pdu: u16,
    /// Services this server speaks.
    pub conformance: Conformance,
    /// Longest value or APDU taken in blocks, in octets.
    pub max_value: usize,
    /// Blocks taken in a row in a general block transfer.
    pub window: BlockWindow,
}

impl Default for ServerSettings {
    /// Everything spoken but general block transfer, APDUs of 1 KiB, values of 64 KiB, one block at a time. Whoever
    /// offers general block transfer must send what [`ServerSession::poll_transmit`] gives.
    fn default() -> Self {
        let conformance = Conformance::SPOKEN.without(Conformance::GENERAL_BLOCK_TRANSFER);
        Self { max_pdu: 1024, conformance, max_value: 1 << 16, window: BlockWindow::ONE }
    }
}

/// The server's end of the association with one client.
#[derive(Debug)]
pub struct ServerSession {
    peer: Peer,
    settings: ServerSettings,
    /// What was agreed. `max_pdu` is what the client takes.
    association: Option<Association>,
    /// Agreed on condition that the client proves who it is; nothing else is served until it has.
    proof: Option<Proof>,
    /// Who the client is, where it said.
    far: Option<security::Association>,
    transfer: Transfer,
    /// The general block transfer in progress.
    exchange: Option<Exchange>,
    /// APDUs to send behind the answer.
    outbox: VecDeque<Vec<u8>>,
}

impl ServerSession {
    /// A session that is not associated yet.
    pub fn new(peer: Peer, settings: ServerSettings) -> Self {
        Self {
            peer,
            settings,
            association: None,
            proof: None,
            far: None,
            transfer: Transfer::None,
            exchange: None,
            outbox: VecDeque::new(),
        }
    }

    /// Who this session is with.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Whether the client has associated.
    pub fn is_associated(&self) -> bool {
        self.association.is_some()
    }

    /// Ends the association: the data link or connection beneath it is gone.
    pub fn link_lost(&mut self) {
        self.association = None;
        self.proof = None;
        self.far = None;
        self.transfer = Transfer::None;
        self.exchange = None;
        self.outbox.clear();
    }

    /// Takes an APDU from the client and gives the answer, behind which comes whatever
    /// [`ServerSession::poll_transmit`] gives; `None` where the standard calls for no answer.
    pub fn receive(&mut self, apdu: &[u8], model: &mut dyn ObjectModel) -> Option<Vec<u8>> {
        // Whoever asks anew has given up on the rest.
        self.outbox.clear();
        if let Ok(Apdu::GeneralBlock(block)) = Apdu::decode_padded(apdu) {
            return self.receive_block(block, model);
        }
        self.exchange = None;
        let answer = self.receive_whole(apdu, model)?;
        self.send_out(answer)
    }

    /// The next APDU to send behind the last. There is one only in a general block transfer to a client that takes
    /// several blocks in a row.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }

    /// The APDUs of a notification to this client, in the order to send them; ciphered with the keys shared with it, where
    /// `protection` asks for that.
    ///
    /// # Errors
    /// There are no keys, no number to use, or the notification is too long for any number of blocks.
    pub fn notify(
        &mut self,
        notification: Notification,
        protection: Option<Protection>,
        model: &mut dyn ObjectModel,
    ) -> Result<Vec<Vec<u8>>, PushError> {
        let limit = self.client_takes();
        match (protection, model.security(self.peer)) {
            (None, _) => push::frames(notification, None, limit),
            (Some(protection), Some(context)) => {
                push::frames(notification, Some((context, protection)), limit)
            }
            (Some(_), None) => Err(PushError::NoKeys { found: "a notification to be ciphered" }),
        }
    }

    /// Takes an APDU that did not come in blocks, or is put together from them.
    fn receive_whole(&mut self, apdu: &[u8], model: &mut dyn ObjectModel) -> Option<Vec<u8>> {
        match Apdu::decode_padded(apdu) {
            Ok(Apdu::Ciphered(ciphered)) => self.receive_ciphered(&ciphered, model),
            Ok(apdu) => self.receive_in_clear(apdu, model),
            Err(_) => Some(Apdu::Exception(self.unreadable()).encode()),
        }
    }

    /// What a meter answers to octets it cannot read.
    fn unreadable(&self) -> ExceptionResponse {
        if self.is_associated() {
            ExceptionResponse::NOT_SUPPORTED
        } else {
            ExceptionResponse::NOT_ASSOCIATED
        }
    }

    /// Answers a message, whatever envelope it came in. `overhead` is what the answer's envelope will add.
    fn answer(&mut self, apdu: Apdu, overhead: usize, model: &mut dyn ObjectModel) -> Option<Apdu> {
        let request = match apdu {
            Apdu::Aarq(aarq) => return Some(self.associate(&aarq, model)),
            Apdu::Rlrq(release) => return Some(self.release(&release, model)),
            request @ (Apdu::GetRequest(_)
            | Apdu::SetRequest(_)
            | Apdu::ActionRequest(_)
            | Apdu::AccessRequest(_)) => request,
            // Answers and notifications are not for a server; answering them could go on for ever.
            _ => return None,
        };
        if let Some(proof) = self.proof.take() {
            return Some(self.take_proof(proof, request, model));
        }
        let Some(association) = self.association else {
            return Some(Apdu::Exception(ExceptionResponse::NOT_ASSOCIATED));
        };
        let room = self.room(&request, association, overhead);
        self.serve(request, room, model)
    }
}
