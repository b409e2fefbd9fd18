//! What a meter holds for its customer to see, and whose supply it is: texts of the supplier, the meter point, and what
//! guards the customer's data at the meter's own display and on the home area network.

use std::collections::BTreeMap;

use lab_config::{Fuel, MeterPointNumber};
use proto_duis::DeviceKind;

use super::plate::Plate;
use super::time::MeterTime;

/// A text a meter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Text {
    /// What the supplier has to say.
    Message,
    /// The supplier's name.
    SupplierName,
    /// The supplier's telephone number.
    SupplierTelephone,
    /// The meter point: MPAN of import, or MPRN.
    MeterPoint,
    /// The meter point of export.
    ExportMeterPoint,
    /// A number by which the customer shows who they are.
    IdentificationNumber,
}

/// Why a meter does not take what it is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CustomerRefusal {
    /// A text of another length, or of characters its display has not.
    #[error("not a text of that kind")]
    NotSuch,
    /// A change of tenancy that is still to come.
    #[error("a change of tenancy that is still to come by the meter's clock")]
    NotYet,
    /// Only the customer sets a PIN, at the meter.
    #[error("a privacy PIN is set at the meter, and not by command")]
    AtTheMeter,
}

/// The texts and the guards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    kind: DeviceKind,
    texts: BTreeMap<Text, String>,
    /// The number of the last message: a display takes messages of several devices, so each counts from another.
    messages: u32,
    message_to_show: bool,
    restricted: Option<MeterTime>,
    pin: bool,
}

impl Customer {
    /// Of a device with this plate: it knows its meter points, as its installer has set them, and nothing else.
    pub fn of(plate: &Plate) -> Self {
        let number = u64::from_be_bytes(plate.eui64.octets());
        let import = |fuel| MeterPointNumber::of_the_lab(plate.eui64, fuel).to_string();
        let export = format!("11{:011}", number % 100_000_000_000);
        let points = match plate.kind {
            DeviceKind::Esme => {
                vec![(Text::MeterPoint, import(Fuel::Electricity)), (Text::ExportMeterPoint, export)]
            }
            _ => vec![(Text::MeterPoint, import(Fuel::Gas))],
        };
        Self {
            kind: plate.kind,
            texts: points.into_iter().collect(),
            messages: first_message(plate.kind),
            message_to_show: false,
            restricted: None,
            pin: false,
        }
    }

    /// A text; empty where it holds none.
    pub fn text(&self, text: Text) -> &str {
        self.texts.get(&text).map_or("", String::as_str)
    }

    /// Takes a text in place of the one it holds. A message is to be shown.
    ///
    /// # Errors
    /// [`CustomerRefusal::NotSuch`].
    pub fn set_text(&mut self, text: Text, words: &str) -> Result<(), CustomerRefusal> {
        if !self.takes(text, words) {
            return Err(CustomerRefusal::NotSuch);
        }
        if text == Text::Message {
            self.messages = self.messages.wrapping_add(1);
            self.message_to_show = true;
        }
        self.texts.insert(text, words.to_owned());
        Ok(())
    }

    fn takes(&self, text: Text, words: &str) -> bool {
        let length = words.chars().count();
        let printable = words.chars().all(|c| c == ' ' || c.is_ascii_graphic());
        let digits = words.bytes().all(|octet| octet.is_ascii_digit());
        match text {
            Text::Message => printable && length <= 116,
            Text::SupplierName => printable && length <= 15,
            Text::SupplierTelephone => digits && length <= 18,
            Text::MeterPoint if self.kind == DeviceKind::Esme => digits && length == 13,
            Text::MeterPoint => digits && (1..=10).contains(&length),
            Text::ExportMeterPoint => digits && length == 13,
            Text::IdentificationNumber => digits && length == 4,
        }
    }

    /// The message that a display has yet to be sent, with its number; asked once, it is sent.
    pub fn take_message_to_show(&mut self) -> Option<(u32, &str)> {
        std::mem::take(&mut self.message_to_show).then(|| (self.messages, self.text(Text::Message)))
    }

    /// Before when nothing is shown to the customer.
    pub const fn restricted(&self) -> Option<MeterTime> {
        self.restricted
    }

    /// Shows nothing of the time before a change of tenancy from now on; `shown` is what the clock shows.
    ///
    /// # Errors
    /// [`CustomerRefusal::NotYet`].
    pub fn restrict(&mut self, change: MeterTime, shown: MeterTime) -> Result<(), CustomerRefusal> {
        if change > shown {
            return Err(CustomerRefusal::NotYet);
        }
        self.restricted = Some(change);
        Ok(())
    }

    /// Whether what ended at a time may be shown to the customer.
    pub fn may_show(&self, ended: MeterTime) -> bool {
        self.restricted.is_none_or(|change| ended > change)
    }

    /// Whether a PIN guards what the meter's display shows.
    pub const fn has_pin(&self) -> bool {
        self.pin
    }

    /// The customer sets a PIN at the meter.
    pub fn set_pin(&mut self) {
        self.pin = true;
    }

    /// Takes the PIN away by command.
    ///
    /// # Errors
    /// [`CustomerRefusal::AtTheMeter`] where one is to be set.
    pub fn command_pin(&mut self, pin: bool) -> Result<(), CustomerRefusal> {
        if pin {
            return Err(CustomerRefusal::AtTheMeter);
        }
        self.pin = false;
        Ok(())
    }

    /// What the meter's own display shows of the texts; with a PIN, nothing to somebody who has not typed it.
    pub fn display(&self) -> Vec<String> {
        let shown = [Text::Message, Text::SupplierName, Text::SupplierTelephone, Text::IdentificationNumber];
        let texts = shown.into_iter().filter(|_| !self.pin).map(|text| self.text(text));
        texts.filter(|words| !words.is_empty()).map(str::to_owned).collect()
    }
}

/// From where a device counts its messages.
fn first_message(kind: DeviceKind) -> u32 {
    let place = DeviceKind::ALL.iter().position(|known| *known == kind).unwrap_or_default();
    u32::try_from(place).unwrap_or_default() << 24
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::plate;
    use super::*;

    fn customer(kind: DeviceKind) -> Customer {
        Customer::of(&plate(kind))
    }

    #[test]
    fn a_meter_point_is_of_the_meters_fuel() {
        let mut electricity = customer(DeviceKind::Esme);
        assert_eq!(electricity.text(Text::MeterPoint).len(), 13);
        assert_eq!(electricity.set_text(Text::MeterPoint, "1012345678901"), Ok(()));
        assert_eq!(electricity.set_text(Text::MeterPoint, "12345"), Err(CustomerRefusal::NotSuch));
        assert_eq!(electricity.set_text(Text::MeterPoint, "10123456789X1"), Err(CustomerRefusal::NotSuch));
        assert_eq!(electricity.text(Text::MeterPoint), "1012345678901", "refused, it stays as it was");
        let mut gas = customer(DeviceKind::Gsme);
        assert_eq!(gas.set_text(Text::MeterPoint, "1012345678901"), Err(CustomerRefusal::NotSuch));
        assert_eq!(gas.set_text(Text::MeterPoint, "12345"), Ok(()));
    }

    #[test]
    fn a_message_is_sent_to_a_display_once_and_a_pin_hides_it_at_the_meter() {
        let mut customer = customer(DeviceKind::Esme);
        assert_eq!(customer.take_message_to_show(), None);
        customer.set_text(Text::Message, "Hello").unwrap();
        assert_eq!(customer.take_message_to_show().map(|(_, words)| words), Some("Hello"));
        assert_eq!(customer.take_message_to_show(), None);
        assert_eq!(customer.display(), ["Hello"]);
        customer.set_pin();
        assert!(customer.display().is_empty());
        assert_eq!(customer.command_pin(true), Err(CustomerRefusal::AtTheMeter));
        assert_eq!(customer.command_pin(false), Ok(()));
        assert_eq!(customer.display(), ["Hello"]);
    }

    #[test]
    fn messages_of_two_devices_are_two_messages_to_a_display() {
        let number = |kind| {
            let mut customer = customer(kind);
            customer.set_text(Text::Message, "Hello").unwrap();
            customer.take_message_to_show().map(|(number, _)| number)
        };
        assert_ne!(number(DeviceKind::Esme), number(DeviceKind::Gpf));
    }

    #[test]
    fn what_ended_before_a_change_of_tenancy_is_not_shown() {
        let at = MeterTime::from_millis;
        let mut customer = customer(DeviceKind::Esme);
        assert!(customer.may_show(at(5)));
        assert_eq!(customer.restrict(at(10), at(9)), Err(CustomerRefusal::NotYet));
        assert_eq!(customer.restrict(at(10), at(20)), Ok(()));
        assert!(!customer.may_show(at(10)) && customer.may_show(at(11)));
    }

    proptest! {
        #[test]
        fn what_is_held_can_be_shown(words in ".{0,130}") {
            let mut customer = customer(DeviceKind::Gsme);
            if customer.set_text(Text::Message, &words).is_ok() {
                prop_assert!(words.is_ascii() && words.len() <= 116);
                prop_assert_eq!(customer.text(Text::Message), words);
            }
        }
    }
}
