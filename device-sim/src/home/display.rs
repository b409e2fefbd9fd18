//! What the display in the house is sent, and what a person at it sends.

use proto_duis::{DeviceKind, Eui64};
use proto_zigbee::aps::ApsFrame;
use proto_zigbee::messaging::{self, DisplayMessage};
use proto_zigbee::metering::{self, SupplyStatus};
use proto_zigbee::price::{self, PublishPrice};
use proto_zigbee::zcl::{AttributeId, Command, Direction, Frame};
use proto_zigbee::{UtcTime, Value, prepayment};

use super::{HanFrame, Home, Station};
use crate::model::esme::Esme;
use crate::model::journal::Entry;
use crate::model::mirror::Mirror;
use crate::model::money::Millipence;
use crate::model::ppmid::{Addressee, Fuel};
use crate::model::time::MeterTime;
use crate::objects::{Device, JoinRefusal};

/// ISO 4217 number of sterling.
const STERLING: u16 = 826;
/// Prices are in thousandths of a penny: five digits after the point of a pound.
const PRICE_DIGITS: u8 = 5 << 4;
/// Until the price is changed.
const UNTIL_CHANGED: u16 = 0xffff;

impl Home {
    /// Puts on the air what a person at the display has done.
    pub(super) fn collect_display(&mut self) {
        let Some(display) = self.display.as_mut().filter(|display| !display.silent && display.has_mains)
        else {
            return;
        };
        let from = display.device.plate().eui64;
        let frames: Vec<_> = std::iter::from_fn(|| display.device.take_frame()).collect();
        for (addressee, octets) in frames {
            let to = match addressee {
                Addressee::Meter(Fuel::Electricity) => {
                    self.esme.as_ref().map(|esme| &esme.device.connection.core)
                }
                Addressee::Meter(Fuel::Gas) => self.gsme.as_ref().map(|gsme| &gsme.device.connection.core),
                Addressee::Hub => self.hub.as_ref().map(|hub| &hub.device.core),
                Addressee::Radio => {
                    self.keep_for_radio(from, octets);
                    continue;
                }
            };
            let to = to.map(|core| core.plate.eui64).filter(|to| self.talks_to_display(*to, from));
            self.air.extend(to.map(|to| HanFrame { from, to, octets }));
        }
    }

    /// Whether a device and the display talk: a meter if each has joined with the other, the hub with every one on its
    /// network.
    fn talks_to_display(&self, device: Eui64, display: Eui64) -> bool {
        let bound = self.display.as_ref().is_some_and(|display| display.device.is_bound_to(device));
        match self.kind_of(device) {
            Some(DeviceKind::Esme) => {
                self.esme.as_ref().is_some_and(|esme| esme.device.connection.devices.has(display)) && bound
            }
            Some(DeviceKind::Gsme) => {
                self.gsme.as_ref().is_some_and(|gsme| gsme.device.connection.devices.has(display)) && bound
            }
            _ => true,
        }
    }

    /// The display asks the hub to let it onto its network.
    ///
    /// # Errors
    /// Why it may not.
    pub(crate) fn display_joins(&mut self) -> Result<(), JoinRefusal> {
        let (Some(hub), Some(display)) = (&mut self.hub, &mut self.display) else {
            return Err(JoinRefusal::Closed);
        };
        let plate = display.device.plate();
        hub.device.join(plate.eui64, plate.kind)?;
        display.device.set_joined(true);
        // It shows something before the next half hour.
        self.esme.iter_mut().for_each(|esme| esme.device.connection.show_balance());
        Ok(())
    }

    /// A display that the hub has put off its network is off it, and comes back by itself once the hub lets it.
    pub(super) fn settle_membership(&mut self) {
        self.rejoin();
        let (Some(hub), Some(display)) = (&self.hub, &mut self.display) else { return };
        if display.device.has_joined() && !hub.device.has_joined(display.device.plate().eui64) {
            display.device.set_joined(false);
        }
    }

    fn rejoin(&mut self) {
        let (Some(hub), Some(display)) = (&self.hub, &self.display) else { return };
        let (plate, device) = (display.device.plate(), &display.device);
        let seeks = !device.has_joined() && device.has_signal() && display.has_mains && !display.silent;
        if seeks && hub.answers() && hub.device.lets_in(plate.eui64, plate.kind) {
            // It has just been let in.
            let _ = self.display_joins();
        }
    }

    /// The proxy's message for the display, where there is a new one.
    pub(super) fn collect_proxy(&mut self) {
        let (Some(proxy), Some(display)) = (&mut self.proxy, &self.display) else { return };
        let (from, to) = (proxy.device.core.plate.eui64, display.device.plate().eui64);
        let joined = proxy.device.devices.has(to);
        let words = proxy.device.customer.take_message_to_show();
        let octets = words.filter(|_| joined).map(|words| message(words, &mut self.sequence));
        self.air.extend(octets.map(|octets| HanFrame { from, to, octets }));
    }

    /// The proxy tells the display what its mirror shows now.
    pub(super) fn show_gas(&mut self) {
        let (Some(proxy), Some(display)) = (&self.proxy, &self.display) else { return };
        let (from, to) = (proxy.device.core.plate.eui64, display.device.plate().eui64);
        if !proxy.device.devices.has(to) {
            return;
        }
        let frames = gas(&proxy.device.mirror, proxy.device.core.shown(), &mut self.sequence);
        self.air.extend(frames.map(|octets| HanFrame { from, to, octets }));
    }
}

/// Whether a display's frame tells that a person has confirmed a message.
pub(super) fn is_confirmation(aps: &ApsFrame) -> bool {
    let frame = Frame::parse(&aps.payload);
    aps.cluster == messaging::CLUSTER
        && frame.is_ok_and(|frame| {
            matches!(messaging::ToServer::of(&frame), Ok(messaging::ToServer::MessageConfirmation(_)))
        })
}

/// How long a display shows an alert, in minutes.
const ALERT_MINUTES: u16 = 60;

/// The alerts a device has for the house, as messages for the display at `to`. The number of a message is the second its
/// meter's clock showed.
pub(super) fn alerts<D: Device>(
    station: &mut Station<D>,
    to: Eui64,
    sequence: &mut u8,
) -> Vec<(Option<Eui64>, Vec<u8>)> {
    if !station.answers() {
        return Vec::new();
    }
    let journal = &mut station.device.core_mut().journal;
    let entries = std::iter::from_fn(|| journal.take_han_alert());
    let message = |entry: Entry| {
        *sequence = sequence.wrapping_add(1);
        let id = u32::try_from(entry.at.millis().div_euclid(1000)).unwrap_or_default();
        let text = format!("{:04X} {}", entry.event.code(), entry.text);
        let message = DisplayMessage::now(id, ALERT_MINUTES, text.as_bytes());
        let frame = messaging::ToClient::from(message).frame(*sequence);
        (Some(to), ApsFrame::smart_energy(messaging::CLUSTER, *sequence, frame.to_bytes()).to_bytes())
    };
    entries.map(message).collect()
}

/// A message of the supplier with its number, shown until the next.
pub(super) fn message((number, words): (u32, &str), sequence: &mut u8) -> Vec<u8> {
    *sequence = sequence.wrapping_add(1);
    DisplayMessage::now(number, UNTIL_CHANGED, words.as_bytes()).request(*sequence)
}

/// Balance, power, supply and price of electricity.
pub(super) fn electricity(esme: &Esme, sequence: &mut u8) -> impl Iterator<Item = Vec<u8>> + Clone {
    let connection = &esme.connection;
    let supply = match connection.supply().control_state() {
        0 => SupplyStatus::Off,
        2 => SupplyStatus::OffArmed,
        _ => SupplyStatus::On,
    };
    let rate = i64::from(esme.watts());
    frames(sequence, connection.account().balance(), rate, Some(supply), electricity_price(esme))
}

/// The price of electricity in force.
pub(super) fn electricity_price(esme: &Esme) -> PublishPrice {
    publish(&format!("Rate {}", esme.register() + 1), esme.price(), 0, esme.connection.core.shown())
}

/// The price of gas, as old as the mirror.
pub(super) fn gas_price(mirror: &Mirror, shown: MeterTime) -> PublishPrice {
    publish("Gas", mirror.unit_price(), 1, shown)
}

/// Balance, flow, supply and price of gas, as old as the mirror.
fn gas(mirror: &Mirror, shown: MeterTime, sequence: &mut u8) -> impl Iterator<Item = Vec<u8>> + Clone {
    frames(sequence, mirror.balance(), i64::from(mirror.flow()), mirror.supply(), gas_price(mirror, shown))
}

fn frames(
    sequence: &mut u8,
    balance: Millipence,
    rate: i64,
    supply: Option<SupplyStatus>,
    price: PublishPrice,
) -> impl Iterator<Item = Vec<u8>> + Clone {
    let account =
        vec![(prepayment::CREDIT_REMAINING, Value::Signed { width: 4, value: balance.get() / 1000 })];
    let mut metering = vec![(metering::INSTANTANEOUS_DEMAND, Value::Signed { width: 3, value: rate })];
    metering.extend(supply.map(|supply| (metering::SUPPLY_STATUS, Value::Enum8(supply.octet()))));
    let mut next = || {
        *sequence = sequence.wrapping_add(1);
        *sequence
    };
    let mut price_frame = price::ToClient::from(price).frame(next());
    price_frame.disable_default_response = true;
    let counter = price_frame.sequence;
    let price = ApsFrame::smart_energy(price::CLUSTER, counter, price_frame.to_bytes()).to_bytes();
    [report(prepayment::CLUSTER, account, next()), report(metering::CLUSTER, metering, next()), price]
        .into_iter()
}

fn report(cluster: u16, values: Vec<(AttributeId, Value)>, sequence: u8) -> Vec<u8> {
    let frame = Frame::foundation(Direction::ToClient, sequence, &Command::ReportAttributes(values));
    ApsFrame::smart_energy(cluster, sequence, frame.to_bytes()).to_bytes()
}

fn publish(label: &str, price: Millipence, unit_of_measure: u8, shown: MeterTime) -> PublishPrice {
    let now = UtcTime::from_unix(shown.millis().div_euclid(1000)).unwrap_or(UtcTime::NOW);
    PublishPrice {
        provider: 0,
        rate_label: label.as_bytes().to_vec(),
        issuer_event: now.0,
        current_time: now,
        unit_of_measure,
        currency: STERLING,
        trailing_digit_and_tier: PRICE_DIGITS,
        tiers_and_register: 0,
        start: UtcTime::NOW,
        minutes: UNTIL_CHANGED,
        price: u32::try_from(price.get()).unwrap_or_default(),
        price_ratio: None,
        generation_price: None,
        generation_price_ratio: None,
        alternate_cost: None,
        alternate_cost_unit: None,
        alternate_cost_trailing_digit: None,
        block_thresholds: None,
        control: None,
    }
}
