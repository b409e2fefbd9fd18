//! The display in the house (PPMID, or an IHD in its place): it answers for its identity over ZCL and shows
//! the balance and the messages it is sent.

use std::collections::VecDeque;

use proto_zigbee::aps::ApsFrame;
use proto_zigbee::messaging::{self, DisplayMessage};
use proto_zigbee::zcl::{AttributeId, Command, Direction, Frame, FrameType, ReadRecord, Status};
use proto_zigbee::{Value, basic, prepayment};

use super::plate::Plate;

/// Messages a display keeps.
const MESSAGES: usize = 8;

/// The display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ppmid {
    plate: Plate,
    balance_pence: Option<i64>,
    messages: VecDeque<String>,
}

impl Ppmid {
    /// A display that shows nothing yet.
    pub fn new(plate: Plate) -> Self {
        Self { plate, balance_pence: None, messages: VecDeque::new() }
    }

    /// What it says it is.
    pub fn plate(&self) -> &Plate {
        &self.plate
    }

    /// Another firmware, from now on.
    pub fn set_firmware(&mut self, version: String) {
        self.plate.firmware = version;
    }

    /// The balance it shows, in pence.
    pub fn balance_pence(&self) -> Option<i64> {
        self.balance_pence
    }

    /// The messages it shows, oldest first.
    pub fn messages(&self) -> impl ExactSizeIterator<Item = &str> {
        self.messages.iter().map(String::as_str)
    }

    /// Takes an APS frame in; the answer, where one is due. Octets that are no frame get none, as on a radio.
    pub fn receive(&mut self, octets: &[u8]) -> Option<Vec<u8>> {
        let aps = ApsFrame::parse(octets).ok()?;
        let frame = Frame::parse(&aps.payload).ok()?;
        let answer = match frame.frame_type {
            FrameType::Foundation => self.foundation(aps.cluster, &frame),
            FrameType::Cluster => self.cluster_command(aps.cluster, &frame),
        }?;
        Some(aps.reply(answer.to_bytes()).to_bytes())
    }

    fn foundation(&mut self, cluster: u16, frame: &Frame) -> Option<Frame> {
        match frame.command() {
            Ok(Command::ReadAttributes(ids)) => {
                let records = ids.into_iter().map(|id| self.read(cluster, id)).collect();
                Some(frame.answer(&Command::ReadAttributesResponse(records)))
            }
            Ok(Command::ReportAttributes(reports)) if cluster == prepayment::CLUSTER => {
                self.show_balance(&reports);
                status_unless_unwanted(frame, Status::SUCCESS)
            }
            Ok(Command::ReportAttributes(_)) => status_unless_unwanted(frame, Status::UNSUPPORTED_CLUSTER),
            Ok(command) if command.is_answer() => None,
            Ok(_) => Some(status(frame, Status::UNSUPPORTED_GENERAL_COMMAND)),
            Err(_) => Some(status(frame, Status::MALFORMED_COMMAND)),
        }
    }

    fn cluster_command(&mut self, cluster: u16, frame: &Frame) -> Option<Frame> {
        let is_message = cluster == messaging::CLUSTER
            && frame.command == messaging::DISPLAY_MESSAGE
            && frame.direction == Direction::ToClient;
        if !is_message {
            return Some(status(frame, Status::UNSUPPORTED_CLUSTER_COMMAND));
        }
        let Ok(message) = DisplayMessage::parse(&frame.payload) else {
            return Some(status(frame, Status::MALFORMED_COMMAND));
        };
        self.messages.push_back(String::from_utf8_lossy(&message.text).into_owned());
        if self.messages.len() > MESSAGES {
            self.messages.pop_front();
        }
        status_unless_unwanted(frame, Status::SUCCESS)
    }

    fn show_balance(&mut self, reports: &[(AttributeId, Value)]) {
        for (id, value) in reports {
            if let (prepayment::CREDIT_REMAINING, Value::Signed { value, .. }) = (*id, value) {
                self.balance_pence = Some(*value);
            }
        }
    }

    fn read(&self, cluster: u16, id: AttributeId) -> ReadRecord {
        let value = match cluster {
            basic::CLUSTER => self.basic(id),
            _ => None,
        };
        ReadRecord { id, value: value.ok_or(Status::UNSUPPORTED_ATTRIBUTE) }
    }

    fn basic(&self, id: AttributeId) -> Option<Value> {
        Some(match id {
            basic::ZCL_VERSION => Value::unsigned(1, 1),
            basic::APPLICATION_VERSION => Value::unsigned(1, 1),
            basic::HARDWARE_VERSION => Value::unsigned(1, hardware_number(&self.plate.hardware).into()),
            basic::MANUFACTURER_NAME => Value::text(&self.plate.manufacturer),
            basic::MODEL_IDENTIFIER => Value::text(&self.plate.model),
            basic::POWER_SOURCE => Value::Enum8(1),
            basic::SOFTWARE_BUILD => Value::text(&self.plate.firmware),
            _ => return None,
        })
    }
}

/// The number a hardware version begins with or ends with: attribute 0003 has one octet.
fn hardware_number(version: &str) -> u8 {
    let digits: String = version.chars().filter(char::is_ascii_digit).take(2).collect();
    digits.parse().unwrap_or_default()
}

fn status(frame: &Frame, status: Status) -> Frame {
    frame.answer(&Command::DefaultResponse { command: frame.command, status })
}

fn status_unless_unwanted(frame: &Frame, found: Status) -> Option<Frame> {
    (!frame.disable_default_response || found != Status::SUCCESS).then(|| status(frame, found))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proto_duis::DeviceKind;

    use super::super::tests::plate;
    use super::*;

    fn display() -> Ppmid {
        Ppmid::new(plate(DeviceKind::Ppmid))
    }

    #[test]
    fn it_says_who_it_is_and_what_it_does_not_know() {
        let ids = [basic::SOFTWARE_BUILD, AttributeId(0x7777)];
        let answer = display().receive(&basic::read_request(4, &ids)).unwrap();
        let records = basic::read_response(4, &answer).unwrap();
        assert_eq!(records[0].value.as_ref().unwrap().as_text(), Some("1.04"));
        assert_eq!(records[1].value, Err(Status::UNSUPPORTED_ATTRIBUTE));
    }

    #[test]
    fn it_shows_what_it_is_sent() {
        let mut display = display();
        let message = DisplayMessage::now(1, 1, b"Hello");
        assert!(display.receive(&message.request(1)).is_some());
        assert_eq!(display.messages().collect::<Vec<_>>(), ["Hello"]);
        let balance = (prepayment::CREDIT_REMAINING, Value::Signed { width: 4, value: -250 });
        let report = Frame::foundation(Direction::ToClient, 2, &Command::ReportAttributes(vec![balance]));
        let aps = ApsFrame::smart_energy(prepayment::CLUSTER, 2, report.to_bytes());
        assert_eq!(display.receive(&aps.to_bytes()), None);
        assert_eq!(display.balance_pence(), Some(-250));
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut display = display();
            let _ = display.receive(&octets);
            let aps = ApsFrame::smart_energy(messaging::CLUSTER, 1, octets);
            let _ = display.receive(&aps.to_bytes());
            prop_assert!(display.messages().len() <= MESSAGES);
        }
    }
}
