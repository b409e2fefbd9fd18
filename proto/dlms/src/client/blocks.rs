//! General block transfer at the client's end.

use super::{ClientError, ClientSession, Step};
use crate::apdu::{Apdu, BlockWindow, Conformance, GeneralBlock};
use crate::block_transfer::{Taken, Transfer, TransferSettings};

impl ClientSession {
    /// An APDU as it goes on the wire: whole, or in blocks where they were agreed and are needed.
    pub(super) fn send_out(&mut self, apdu: Vec<u8>) -> Result<Vec<u8>, ClientError> {
        self.transfer = None;
        self.outbox.clear();
        let agreed = |conformance: Conformance| conformance.contains(Conformance::GENERAL_BLOCK_TRANSFER);
        let Some(association) = self.association.filter(|association| agreed(association.conformance)) else {
            return Ok(apdu);
        };
        let limit = association.max_pdu;
        let fits = limit == 0 || apdu.len() <= usize::from(limit);
        if fits && self.settings.window <= BlockWindow::ONE {
            return Ok(apdu);
        }
        let mut transfer = self.new_transfer();
        let blocks = transfer.send(apdu, Transfer::block_size(limit))?;
        self.transfer = Some(transfer);
        Ok(self.queue(blocks).unwrap_or_default())
    }

    /// Takes a block of the meter's.
    pub(super) fn receive_block(&mut self, block: GeneralBlock) -> Result<Step, ClientError> {
        if block.window == BlockWindow::NONE {
            return Ok(Step::Ignored("a block nobody acknowledges: part of a push"));
        }
        if self.pending.is_none() {
            return Err(ClientError::NothingAsked { found: Apdu::GeneralBlock(block).name() });
        }
        let mut transfer = self.transfer.take().unwrap_or_else(|| self.new_transfer());
        let taken = transfer.receive(block)?;
        match taken {
            Taken::Complete(apdu) => self.receive_whole(&apdu),
            Taken::Nothing => {
                self.transfer = Some(transfer);
                Ok(Step::Wait)
            }
            Taken::Send(blocks) => {
                self.transfer = Some(transfer);
                Ok(self.queue(blocks).map_or(Step::Wait, Step::Send))
            }
        }
    }

    /// The first block to send now; the others wait for [`ClientSession::poll_transmit`].
    pub(super) fn queue(&mut self, blocks: Vec<GeneralBlock>) -> Option<Vec<u8>> {
        self.outbox = blocks.into_iter().map(|block| Apdu::GeneralBlock(block).encode()).collect();
        self.outbox.pop_front()
    }

    fn new_transfer(&self) -> Transfer {
        let window = self.settings.window.max(BlockWindow::ONE);
        Transfer::new(TransferSettings { window, max_apdu: self.settings.max_value })
    }
}
