//! General block transfer at the meter's end.
//!
//! An answer goes in general blocks where the request came in them, and where it is too long and the blocks of its own
//! service were not agreed. Otherwise the service's own blocks come first, for every client knows those.

use super::{ObjectModel, ServerSession};
use crate::apdu::{Apdu, Conformance, ExceptionResponse, GeneralBlock};
use crate::block_transfer::{Taken, Transfer, TransferSettings};
use crate::client::Association;

/// A general block transfer in progress.
#[derive(Debug)]
pub(super) struct Exchange {
    transfer: Transfer,
    /// The data of the request's first block: the same again is the same request, not another.
    first: Vec<u8>,
    /// Whether the request has been answered.
    answered: bool,
}

impl ServerSession {
    /// Takes a block of the client's.
    pub(super) fn receive_block(
        &mut self,
        block: GeneralBlock,
        model: &mut dyn ObjectModel,
    ) -> Option<Vec<u8>> {
        if !self.agreed(Conformance::GENERAL_BLOCK_TRANSFER) {
            return Some(Apdu::Exception(self.unreadable()).encode());
        }
        let mut exchange = self.exchange_for(&block)?;
        let Ok(taken) = exchange.transfer.receive(block) else {
            return Some(Apdu::Exception(ExceptionResponse::NOT_SUPPORTED).encode());
        };
        let blocks = match taken {
            Taken::Nothing => Vec::new(),
            Taken::Send(blocks) => blocks,
            // Answered already: the client acknowledges twice.
            Taken::Complete(_) if exchange.answered => Vec::new(),
            Taken::Complete(apdu) => {
                exchange.answered = true;
                self.exchange = Some(exchange);
                let answer = self.receive_whole(&apdu, model)?;
                return self.send_out(answer);
            }
        };
        self.exchange = Some(exchange);
        self.queue(blocks)
    }

    /// The exchange a block belongs to: the one in progress, or with a first block of its own a new one.
    fn exchange_for(&mut self, block: &GeneralBlock) -> Option<Exchange> {
        let begins = block.number == 1 && !block.data.is_empty();
        match self.exchange.take() {
            Some(exchange) if !begins || exchange.first == block.data => Some(exchange),
            _ if begins => {
                Some(Exchange { transfer: self.new_transfer(), first: block.data.clone(), answered: false })
            }
            _ => None,
        }
    }

    /// An answer as it goes on the wire: whole, or in blocks.
    pub(super) fn send_out(&mut self, answer: Vec<u8>) -> Option<Vec<u8>> {
        let limit = self.client_takes();
        let fits = limit == 0 || answer.len() <= usize::from(limit);
        let needed = self.exchange.is_some() || !fits && self.agreed(Conformance::GENERAL_BLOCK_TRANSFER);
        if !needed {
            return Some(answer);
        }
        let fresh = Exchange { transfer: self.new_transfer(), first: Vec::new(), answered: true };
        let mut exchange = self.exchange.take().unwrap_or(fresh);
        let blocks = exchange.transfer.send(answer, Transfer::block_size(limit)).unwrap_or_default();
        self.exchange = Some(exchange);
        self.queue(blocks)
    }

    /// What an answer to `request` may take up: no limit where general blocks will carry it.
    pub(super) fn room(&self, request: &Apdu, association: Association, overhead: usize) -> Association {
        let conformance = association.conformance;
        let own = match request {
            Apdu::GetRequest(_) => conformance.contains(Conformance::BLOCK_TRANSFER_WITH_GET),
            Apdu::ActionRequest(_) => conformance.contains(Conformance::BLOCK_TRANSFER_WITH_ACTION),
            _ => false,
        };
        let general = conformance.contains(Conformance::GENERAL_BLOCK_TRANSFER);
        if general && (self.exchange.is_some() || !own) {
            return Association { max_pdu: 0, ..association };
        }
        association.leaving(overhead)
    }

    fn agreed(&self, service: Conformance) -> bool {
        self.terms().is_some_and(|association| association.conformance.contains(service))
    }

    pub(super) fn client_takes(&self) -> u16 {
        self.terms().map_or(0, |association| association.max_pdu)
    }

    /// What was agreed, be it on condition.
    fn terms(&self) -> Option<Association> {
        self.association.or_else(|| self.proof.as_ref().map(|proof| proof.association))
    }

    fn queue(&mut self, blocks: Vec<GeneralBlock>) -> Option<Vec<u8>> {
        self.outbox = blocks.into_iter().map(|block| Apdu::GeneralBlock(block).encode()).collect();
        self.outbox.pop_front()
    }

    fn new_transfer(&self) -> Transfer {
        Transfer::new(TransferSettings { window: self.settings.window, max_apdu: self.settings.max_value })
    }
}
