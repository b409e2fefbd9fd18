//! The display in the house: a PPMID, or an IHD in its place.
//!
//! It shows what it is sent (messages, price, balance, power) and answers for its identity. A PPMID also takes a top-up by
//! hand, sends it to the meter, and closes a supply that was armed; an IHD only shows. What a person does at it becomes
//! frames, taken by [`Ppmid::take_frame`].

use std::collections::{BTreeSet, VecDeque};

use proto_duis::{DeviceKind, Eui64};
use proto_zigbee::aps::ApsFrame;
use proto_zigbee::messaging::{self, DisplayMessage, MessageConfirmation};
use proto_zigbee::metering::{self, LocalChangeSupply, ProposedSupply, SupplyStatus};
use proto_zigbee::prepayment::{self, ConsumerTopUp, ConsumerTopUpResponse, OriginatingDevice, TopUpResult};
use proto_zigbee::price::{self, PublishPrice};
use proto_zigbee::zcl::{AttributeId, Command, Frame, FrameType, ReadRecord, Status};
use proto_zigbee::zdo::{self, Binding};
use proto_zigbee::{UtcTime, Value, ZigbeeError, basic};

use super::plate::Plate;

/// Messages a display keeps.
const MESSAGES: usize = 8;
/// Frames that wait to be sent; a person can press keys faster than a radio sends.
const WAITING: usize = 8;
/// Devices a display is bound to.
const BINDINGS: usize = 4;
/// Digits of a token.
const TOKEN: usize = 20;

/// A fuel, as a person chooses it at the display.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fuel {
    /// Electricity.
    Electricity,
    /// Gas.
    Gas,
}

/// Whom a frame of the display is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressee {
    /// The meter of this fuel.
    Meter(Fuel),
    /// The hub, and those behind it.
    Hub,
    /// A radio that is not the hub's: the lab's own dongle.
    Radio,
}

/// Why the display does not do what a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DisplayRefusal {
    /// It is an IHD.
    #[error("an IHD only shows: use a PPMID, or the meter itself")]
    OnlyShows,
    /// It is not on the home area network.
    #[error("the display is not on the home area network: let it join first")]
    NotJoined,
    /// Its radio hears nothing.
    #[error("the display has no signal")]
    NoSignal,
    /// Not twenty digits.
    #[error("a token has {TOKEN} digits")]
    NotAToken,
    /// There is nothing to confirm.
    #[error("no message waits to be confirmed")]
    NothingToConfirm,
}

/// A message it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its number.
    pub id: u32,
    /// Its words.
    pub text: String,
    /// Whether a person has still to confirm it.
    pub to_confirm: bool,
    /// Who has sent it, and hears that it was confirmed.
    pub sender: Addressee,
}

/// What it shows of one fuel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Balance, in pence.
    pub balance_pence: Option<i64>,
    /// Supply.
    pub supply: Option<SupplyStatus>,
    /// Power in watts, or flow in litres an hour.
    pub rate: Option<i64>,
    /// Name of the rate and its price, in the unit that its trailing digits say.
    pub price: Option<(String, u32)>,
    /// How the last top-up ended.
    pub top_up: Option<TopUpResult>,
}

/// The display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ppmid {
    plate: Plate,
    electricity: Account,
    gas: Account,
    messages: VecDeque<Shown>,
    frames: VecDeque<(Addressee, Vec<u8>)>,
    sequence: u8,
    joined: bool,
    signal: bool,
    /// The devices it talks to, beside the hub.
    bound: BTreeSet<Eui64>,
}

impl Ppmid {
    /// A display that has joined and shows nothing yet.
    pub fn new(plate: Plate) -> Self {
        Self {
            plate,
            electricity: Account::default(),
            gas: Account::default(),
            messages: VecDeque::new(),
            frames: VecDeque::new(),
            sequence: 0,
            joined: true,
            signal: true,
            bound: BTreeSet::new(),
        }
    }

    /// The same display, bound to these devices.
    #[must_use]
    pub fn bound_to(self, devices: impl IntoIterator<Item = Eui64>) -> Self {
        Self { bound: devices.into_iter().take(BINDINGS).collect(), ..self }
    }

    /// Whether it talks to a device that is not the hub.
    pub fn is_bound_to(&self, device: Eui64) -> bool {
        self.bound.contains(&device)
    }

    /// What it says it is.
    pub fn plate(&self) -> &Plate {
        &self.plate
    }

    /// Another firmware, from now on.
    pub fn set_firmware(&mut self, version: String) {
        self.plate.firmware = version;
    }

    /// The electricity balance it shows, in pence.
    pub fn balance_pence(&self) -> Option<i64> {
        self.electricity.balance_pence
    }

    /// What it shows of a fuel.
    pub fn account(&self, fuel: Fuel) -> &Account {
        match fuel {
            Fuel::Electricity => &self.electricity,
            Fuel::Gas => &self.gas,
        }
    }

    /// The messages it shows, oldest first.
    pub fn messages(&self) -> impl ExactSizeIterator<Item = &str> {
        self.messages.iter().map(|message| message.text.as_str())
    }

    /// Whether it is on the home area network and hears it.
    pub fn hears(&self) -> bool {
        self.joined && self.signal
    }

    /// Whether it has joined the home area network.
    pub fn has_joined(&self) -> bool {
        self.joined
    }

    /// It has joined, or left; what it showed goes with the network.
    pub fn set_joined(&mut self, joined: bool) {
        if !joined {
            (self.electricity, self.gas) = (Account::default(), Account::default());
            self.frames.clear();
        }
        self.joined = joined;
    }

    /// Whether it is within the hub's reach.
    pub fn has_signal(&self) -> bool {
        self.signal
    }

    /// It is carried out of the hub's reach, or back.
    pub fn set_signal(&mut self, signal: bool) {
        self.signal = signal;
    }

    /// The next frame a person's doing has left to send.
    pub fn take_frame(&mut self) -> Option<(Addressee, Vec<u8>)> {
        self.frames.pop_front()
    }
}

/// A person's hand.
impl Ppmid {
    /// Types a token, to be sent to the meter. How it ended is shown once the meter has answered.
    ///
    /// # Errors
    /// Why not.
    pub fn top_up(&mut self, fuel: Fuel, digits: &str) -> Result<(), DisplayRefusal> {
        self.must_act()?;
        if digits.len() != TOKEN || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(DisplayRefusal::NotAToken);
        }
        self.place(fuel).top_up = None;
        let code = digits.as_bytes().to_vec();
        let command = ConsumerTopUp { originating_device: OriginatingDevice::InHomeDisplay, code };
        let sequence = self.next();
        let frame = prepayment::ToServer::from(command).smart_energy(sequence);
        self.send(Addressee::Meter(fuel), frame.to_bytes());
        Ok(())
    }

    /// Closes a supply that was armed.
    ///
    /// # Errors
    /// Why not.
    pub fn enable_supply(&mut self, fuel: Fuel) -> Result<(), DisplayRefusal> {
        self.must_act()?;
        let sequence = self.next();
        let command = metering::ToServer::from(LocalChangeSupply { proposed: ProposedSupply::On });
        self.send(Addressee::Meter(fuel), command.smart_energy(sequence).to_bytes());
        Ok(())
    }

    /// Confirms the newest message that asks for it, at this time.
    ///
    /// # Errors
    /// Why not.
    pub fn confirm(&mut self, now: UtcTime) -> Result<(), DisplayRefusal> {
        self.must_hear()?;
        let message = self.messages.iter_mut().rev().find(|message| message.to_confirm);
        let message = message.ok_or(DisplayRefusal::NothingToConfirm)?;
        message.to_confirm = false;
        let sender = message.sender;
        let confirmation =
            MessageConfirmation { id: message.id, confirmed: now, answer: None, response: None };
        let sequence = self.next();
        let frame = messaging::ToServer::from(confirmation).smart_energy(sequence);
        self.send(sender, frame.to_bytes());
        Ok(())
    }

    fn must_act(&self) -> Result<(), DisplayRefusal> {
        if self.plate.kind == DeviceKind::Ihd { Err(DisplayRefusal::OnlyShows) } else { self.must_hear() }
    }

    fn must_hear(&self) -> Result<(), DisplayRefusal> {
        match (self.joined, self.signal) {
            (false, _) => Err(DisplayRefusal::NotJoined),
            (true, false) => Err(DisplayRefusal::NoSignal),
            (true, true) => Ok(()),
        }
    }

    fn next(&mut self) -> u8 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    fn send(&mut self, to: Addressee, octets: Vec<u8>) {
        self.frames.push_back((to, octets));
        if self.frames.len() > WAITING {
            self.frames.pop_front();
        }
    }

    fn place(&mut self, fuel: Fuel) -> &mut Account {
        match fuel {
            Fuel::Electricity => &mut self.electricity,
            Fuel::Gas => &mut self.gas,
        }
    }
}

/// The home area network.
impl Ppmid {
    /// Takes an APS frame in, of the hub or the electricity side; the answer, where one is due. Octets that are no frame
    /// get none, as on a radio.
    pub fn receive(&mut self, octets: &[u8]) -> Option<Vec<u8>> {
        self.receive_of(Fuel::Electricity, octets)
    }

    /// Takes an APS frame in that speaks of a fuel; the answer, where one is due.
    pub fn receive_of(&mut self, fuel: Fuel, octets: &[u8]) -> Option<Vec<u8>> {
        self.receive_from(Addressee::Hub, fuel, octets)
    }

    /// Takes an APS frame in of a radio that is not the hub's; the answer, where one is due.
    pub fn receive_by_radio(&mut self, octets: &[u8]) -> Option<Vec<u8>> {
        self.receive_from(Addressee::Radio, Fuel::Electricity, octets)
    }

    fn receive_from(&mut self, sender: Addressee, fuel: Fuel, octets: &[u8]) -> Option<Vec<u8>> {
        if !self.hears() {
            return None;
        }
        let aps = ApsFrame::parse(octets).ok()?;
        if aps.profile == zdo::PROFILE {
            return self.device_objects(&aps);
        }
        let frame = Frame::parse(&aps.payload).ok()?;
        let answer = match frame.frame_type {
            FrameType::Foundation => self.foundation(fuel, aps.cluster, &frame),
            FrameType::Cluster => self.cluster_command((sender, fuel), aps.cluster, &frame),
        }?;
        Some(aps.reply(answer.to_bytes()).to_bytes())
    }

    /// Makes and undoes bindings, by which the display knows whom it talks to. To make one again changes nothing, as the
    /// standard has it (2.4.4.3.2).
    fn device_objects(&mut self, question: &ApsFrame) -> Option<Vec<u8>> {
        let sequence = *question.payload.first()?;
        let status = match (question.cluster, Binding::parse(&question.payload)) {
            (zdo::BIND, Ok(binding)) => self.bind(Eui64::new(binding.destination.0)),
            (zdo::UNBIND, Ok(binding)) => match self.bound.remove(&Eui64::new(binding.destination.0)) {
                true => zdo::SUCCESS,
                false => zdo::NO_ENTRY,
            },
            (cluster, _) if cluster & zdo::RESPONSE != 0 => return None,
            _ => zdo::NOT_SUPPORTED,
        };
        Some(zdo::status_answer(question, sequence, status).to_bytes())
    }

    fn bind(&mut self, device: Eui64) -> u8 {
        if self.bound.len() >= BINDINGS && !self.bound.contains(&device) {
            return zdo::TABLE_FULL;
        }
        self.bound.insert(device);
        zdo::SUCCESS
    }

    fn foundation(&mut self, fuel: Fuel, cluster: u16, frame: &Frame) -> Option<Frame> {
        match frame.command() {
            Ok(Command::ReadAttributes(ids)) => {
                let records = ids.into_iter().map(|id| self.read(cluster, id)).collect();
                Some(frame.answer(&Command::ReadAttributesResponse(records)))
            }
            Ok(Command::ReportAttributes(reports)) => {
                let shown = reports.iter().filter(|(id, value)| self.show(fuel, cluster, *id, value)).count();
                let known = shown > 0 || matches!(cluster, prepayment::CLUSTER | metering::CLUSTER);
                status_unless_unwanted(
                    frame,
                    if known { Status::SUCCESS } else { Status::UNSUPPORTED_CLUSTER },
                )
            }
            Ok(command) if command.is_answer() => None,
            Ok(_) => Some(status(frame, Status::UNSUPPORTED_GENERAL_COMMAND)),
            Err(_) => Some(status(frame, Status::MALFORMED_COMMAND)),
        }
    }

    fn show(&mut self, fuel: Fuel, cluster: u16, id: AttributeId, value: &Value) -> bool {
        let place = self.place(fuel);
        match (cluster, id) {
            (prepayment::CLUSTER, prepayment::CREDIT_REMAINING) => place.balance_pence = value.as_i64(),
            (metering::CLUSTER, metering::INSTANTANEOUS_DEMAND) => place.rate = value.as_i64(),
            (metering::CLUSTER, metering::SUPPLY_STATUS) => {
                place.supply =
                    value.as_u64().and_then(|octet| SupplyStatus::from_octet(u8::try_from(octet).ok()?));
            }
            _ => return false,
        }
        true
    }

    fn cluster_command(
        &mut self,
        (sender, fuel): (Addressee, Fuel),
        cluster: u16,
        frame: &Frame,
    ) -> Option<Frame> {
        let shown = match cluster {
            messaging::CLUSTER => self.message(sender, frame),
            price::CLUSTER => self.price(fuel, frame),
            prepayment::CLUSTER => self.top_up_response(fuel, frame),
            _ => Status::UNSUPPORTED_CLUSTER_COMMAND,
        };
        status_unless_unwanted(frame, shown)
    }

    fn message(&mut self, sender: Addressee, frame: &Frame) -> Status {
        match messaging::ToClient::of(frame) {
            Ok(messaging::ToClient::DisplayMessage(message)) => self.show_message(sender, &message),
            Ok(messaging::ToClient::CancelMessage(cancel)) => {
                self.messages.retain(|message| message.id != cancel.id);
            }
            Ok(messaging::ToClient::CancelAllMessages(_)) => self.messages.clear(),
            Ok(_) => return Status::UNSUPPORTED_CLUSTER_COMMAND,
            Err(error) => return refusal(frame, &error),
        }
        Status::SUCCESS
    }

    fn show_message(&mut self, sender: Addressee, message: &DisplayMessage) {
        let text = String::from_utf8_lossy(&message.text).into_owned();
        // The same message again is the same message.
        self.messages.retain(|shown| shown.id != message.id);
        let to_confirm = message.wants_confirmation();
        self.messages.push_back(Shown { id: message.id, text, to_confirm, sender });
        if self.messages.len() > MESSAGES {
            self.messages.pop_front();
        }
    }

    fn price(&mut self, fuel: Fuel, frame: &Frame) -> Status {
        match price::ToClient::of(frame) {
            Ok(price::ToClient::PublishPrice(PublishPrice { rate_label, price, .. })) => {
                let label = String::from_utf8_lossy(&rate_label).into_owned();
                self.place(fuel).price = Some((label, price));
                Status::SUCCESS
            }
            Ok(_) => Status::UNSUPPORTED_CLUSTER_COMMAND,
            Err(error) => refusal(frame, &error),
        }
    }

    fn top_up_response(&mut self, fuel: Fuel, frame: &Frame) -> Status {
        match prepayment::ToClient::of(frame) {
            Ok(prepayment::ToClient::ConsumerTopUpResponse(ConsumerTopUpResponse { result, .. })) => {
                self.place(fuel).top_up = Some(result);
                Status::SUCCESS
            }
            Ok(_) => Status::UNSUPPORTED_CLUSTER_COMMAND,
            Err(error) => refusal(frame, &error),
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

/// A command of the other direction, or of a manufacturer, is none this side knows; anything else is malformed.
fn refusal(frame: &Frame, error: &ZigbeeError) -> Status {
    match error {
        ZigbeeError::Short { .. } => Status::MALFORMED_COMMAND,
        _ if frame.frame_type == FrameType::Cluster => Status::UNSUPPORTED_CLUSTER_COMMAND,
        _ => Status::MALFORMED_COMMAND,
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

    use proto_zigbee::messaging::CONFIRMATION_REQUIRED;
    use proto_zigbee::zcl::Direction;

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

    #[test]
    fn a_person_confirms_a_message_and_its_sender_hears() {
        let mut display = display();
        assert_eq!(display.confirm(UtcTime(7)), Err(DisplayRefusal::NothingToConfirm));
        let message =
            DisplayMessage { control: CONFIRMATION_REQUIRED, ..DisplayMessage::now(9, 5, b"Reply") };
        display.receive(&message.request(1));
        display.confirm(UtcTime(7)).unwrap();
        let (to, octets) = display.take_frame().unwrap();
        let frame = Frame::parse(&ApsFrame::parse(&octets).unwrap().payload).unwrap();
        let expected = MessageConfirmation { id: 9, confirmed: UtcTime(7), answer: None, response: None };
        assert_eq!((to, messaging::ToServer::of(&frame)), (Addressee::Hub, Ok(expected.into())));
        assert_eq!(display.confirm(UtcTime(8)), Err(DisplayRefusal::NothingToConfirm), "once");
    }

    #[test]
    fn an_ihd_only_shows() {
        let mut ihd = Ppmid::new(plate(DeviceKind::Ihd));
        assert_eq!(ihd.top_up(Fuel::Gas, "12345678901234567890"), Err(DisplayRefusal::OnlyShows));
        assert_eq!(ihd.enable_supply(Fuel::Electricity), Err(DisplayRefusal::OnlyShows));
        assert!(ihd.receive(&DisplayMessage::now(1, 5, b"Hello").request(1)).is_some());
        assert_eq!(ihd.messages().collect::<Vec<_>>(), ["Hello"]);
    }

    #[test]
    fn without_network_or_signal_it_neither_hears_nor_sends() {
        let mut display = display();
        let token = "12345678901234567890";
        assert_eq!(display.top_up(Fuel::Gas, "123"), Err(DisplayRefusal::NotAToken));
        display.set_signal(false);
        assert_eq!(display.top_up(Fuel::Gas, token), Err(DisplayRefusal::NoSignal));
        assert_eq!(display.receive(&DisplayMessage::now(1, 5, b"Hello").request(1)), None);
        display.set_signal(true);
        display.set_joined(false);
        assert_eq!(display.top_up(Fuel::Gas, token), Err(DisplayRefusal::NotJoined));
        display.set_joined(true);
        assert_eq!(display.top_up(Fuel::Gas, token), Ok(()));
    }

    #[test]
    fn bindings_are_made_and_undone_as_far_as_there_is_room() {
        let mut display = display();
        let device = |number: u8| proto_zigbee::Eui64([number; 8]);
        let mut ask = |bind: bool, number: u8| {
            let binding = Binding::of(number, device(99), device(number), metering::CLUSTER);
            let answer = display.receive(&binding.request(bind)).unwrap();
            zdo::binding_status(bind, number, &answer).unwrap()
        };
        assert_eq!(ask(false, 1), zdo::NO_ENTRY);
        assert!((1..=4).all(|number| ask(true, number) == zdo::SUCCESS));
        assert_eq!((ask(true, 4), ask(true, 5)), (zdo::SUCCESS, zdo::TABLE_FULL));
        assert_eq!(ask(false, 1), zdo::SUCCESS);
        assert_eq!(ask(true, 5), zdo::SUCCESS);
        assert!(display.is_bound_to(Eui64::new([5; 8])) && !display.is_bound_to(Eui64::new([1; 8])));
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
