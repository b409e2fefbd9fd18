//! What a meter does for a display on its home area network: top-ups, emergency credit, and the supply by a person's hand.

use proto_zigbee::aps::ApsFrame;
use proto_zigbee::metering::{self, ProposedSupply};
use proto_zigbee::prepayment::{self, ConsumerTopUpResponse, TopUpResult};
use proto_zigbee::zcl::{Command, Frame, FrameType, Status};

use super::connection::Connection;
use super::money::Millipence;
use super::token::TokenRefusal;

/// Does what a display asks of the customer's connection; the answer, where one is due.
pub fn connection_command(connection: &mut Connection, aps: &ApsFrame, frame: &Frame) -> Option<Vec<u8>> {
    if frame.frame_type != FrameType::Cluster {
        return None;
    }
    let answer = match aps.cluster {
        prepayment::CLUSTER => account_command(connection, frame),
        metering::CLUSTER => supply_command(connection, frame),
        _ => status(frame, Status::UNSUPPORTED_CLUSTER),
    };
    Some(aps.reply(answer.to_bytes()).to_bytes())
}

fn account_command(connection: &mut Connection, frame: &Frame) -> Frame {
    match prepayment::ToServer::of(frame) {
        Ok(prepayment::ToServer::ConsumerTopUp(top_up)) => {
            let entered = connection.enter_token(&top_up.code);
            let value = entered.map_or(0, |pence| Millipence::pence(pence).to_i32());
            let answer = ConsumerTopUpResponse {
                result: result(connection, entered),
                value,
                source: top_up.originating_device,
                credit_remaining: connection.account().balance().to_i32(),
            };
            prepayment::ToClient::from(answer).frame(frame.sequence)
        }
        Ok(prepayment::ToServer::SelectAvailableEmergencyCredit(_)) => {
            let taken = connection.take_emergency();
            status(frame, if taken { Status::SUCCESS } else { Status::INVALID_VALUE })
        }
        Ok(_) => status(frame, Status::UNSUPPORTED_CLUSTER_COMMAND),
        Err(_) => status(frame, Status::MALFORMED_COMMAND),
    }
}

fn result(connection: &Connection, entered: Result<u32, TokenRefusal>) -> TopUpResult {
    match entered {
        Ok(_) => match connection.supply().control_state() {
            0 => TopUpResult::AcceptedSupplyDisabled,
            2 => TopUpResult::AcceptedSupplyArmed,
            _ => TopUpResult::AcceptedSupplyEnabled,
        },
        Err(TokenRefusal::Duplicate) => TopUpResult::Duplicate,
        Err(TokenRefusal::AccountHigh) => TopUpResult::MaximumCreditReached,
        Err(TokenRefusal::TokenTooLarge) => TopUpResult::TopUpValueTooLarge,
        Err(TokenRefusal::Locked) => TopUpResult::KeypadLocked,
        Err(TokenRefusal::Invalid | TokenRefusal::Incorrect | TokenRefusal::Incomplete) => {
            TopUpResult::Invalid
        }
        Err(_) => TopUpResult::Error,
    }
}

/// A person at the display closes a supply that was armed: the display stands for both keys.
fn supply_command(connection: &mut Connection, frame: &Frame) -> Frame {
    match metering::ToServer::of(frame) {
        Ok(metering::ToServer::LocalChangeSupply(change)) if change.proposed == ProposedSupply::On => {
            let closed = connection.close_by_display();
            status(frame, if closed { Status::SUCCESS } else { Status::INVALID_VALUE })
        }
        Ok(_) => status(frame, Status::UNSUPPORTED_CLUSTER_COMMAND),
        Err(_) => status(frame, Status::MALFORMED_COMMAND),
    }
}

fn status(frame: &Frame, status: Status) -> Frame {
    frame.answer(&Command::DefaultResponse { command: frame.command, status })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proto_duis::DeviceKind;

    use super::super::gsme::conversion::UNITS_PER_KWH;
    use super::super::tests::{NOW, contract};
    use super::*;

    proptest! {
        #[test]
        fn no_octets_panic_or_credit(cluster in 0x0700u16..0x0708, octets in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut connection = Connection::new(&contract(DeviceKind::Gsme), NOW, UNITS_PER_KWH);
            let balance = connection.account().balance();
            let aps = ApsFrame::smart_energy(cluster, 1, octets);
            if let Ok(frame) = Frame::parse(&aps.payload) {
                let _ = connection_command(&mut connection, &aps, &frame);
            }
            prop_assert_eq!(connection.account().balance(), balance);
        }
    }
}
