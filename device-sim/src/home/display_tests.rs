//! The display among the other devices: what reaches whom, and when.

use lab_config::{Lab, Rig};
use proto_duis::utrn::{Utrn, VendingKey};
use proto_zigbee::UtcTime;
use proto_zigbee::messaging::{CONFIRMATION_REQUIRED, DisplayMessage};
use proto_zigbee::metering::SupplyStatus;
use proto_zigbee::prepayment::TopUpResult;
use proto_zigbee::zcl::Frame;

use super::*;
use crate::model::account::PaymentMode;
use crate::model::money::Millipence;
use crate::model::ppmid::DisplayRefusal;
use crate::model::tests::NOW;
use crate::objects::JoinRefusal;

const WAN: WanId = WanId(1);

fn home(rig: &Rig) -> Home {
    let mut home = Home::build(rig, NOW, 1).unwrap();
    home.wan_opened(WAN);
    while home.take_for_wan(WAN).is_some() {}
    home
}

fn token(rig: &Rig, kind: DeviceKind, sequence: u32) -> String {
    let secret = rig.device(kind).unwrap().credentials.vending_key.as_ref().unwrap().secret().unwrap();
    Utrn::make(&VendingKey::new(secret.expose().try_into().unwrap()), sequence, 1_000).unwrap().to_string()
}

fn display(home: &mut Home) -> &mut Ppmid {
    &mut home.display.as_mut().unwrap().device
}

#[test]
fn a_top_up_at_the_display_reaches_the_meter_and_the_new_balance_comes_back() {
    let lab = Lab::embedded().unwrap();
    let mut home = home(&lab.rigs[0]);
    let before = display(&mut home).balance_pence().unwrap();
    let digits = token(&lab.rigs[0], DeviceKind::Esme, 1);
    display(&mut home).top_up(Fuel::Electricity, &digits).unwrap();
    home.carry();
    let shown = display(&mut home).account(Fuel::Electricity).clone();
    assert_eq!(
        (shown.top_up, shown.balance_pence),
        (Some(TopUpResult::AcceptedSupplyEnabled), Some(before + 1_000))
    );
    display(&mut home).top_up(Fuel::Electricity, &digits).unwrap();
    home.carry();
    assert_eq!(display(&mut home).account(Fuel::Electricity).top_up, Some(TopUpResult::Duplicate));
}

#[test]
fn a_person_at_the_display_closes_a_supply_that_was_armed_and_no_other() {
    let lab = Lab::embedded().unwrap();
    let mut home = home(&lab.rigs[0]);
    let connection = &mut home.esme.as_mut().unwrap().device.connection;
    connection.set_mode(PaymentMode::Prepayment);
    let balance = connection.account().balance();
    connection.adjust(-balance);
    assert_eq!(connection.supply().reason_code(), 2);
    display(&mut home).enable_supply(Fuel::Electricity).unwrap();
    home.carry();
    let supply = |home: &Home| home.esme.as_ref().unwrap().device.connection.supply().control_state();
    assert_eq!(supply(&home), 0);
    display(&mut home).top_up(Fuel::Electricity, &token(&lab.rigs[0], DeviceKind::Esme, 2)).unwrap();
    home.carry();
    let shown = display(&mut home).account(Fuel::Electricity).clone();
    assert_eq!(
        (shown.top_up, shown.supply),
        (Some(TopUpResult::AcceptedSupplyArmed), Some(SupplyStatus::OffArmed))
    );
    display(&mut home).enable_supply(Fuel::Electricity).unwrap();
    home.carry();
    assert_eq!(supply(&home), 1);
}

#[test]
fn an_alert_for_the_house_is_shown_and_one_that_is_not_set_up_is_not() {
    let lab = Lab::embedded().unwrap();
    let mut home = home(&lab.rigs[0]);
    home.esme.as_mut().unwrap().device.connection.tamper();
    home.carry();
    assert_eq!(display(&mut home).messages().count(), 0);
    let journal = &mut home.esme.as_mut().unwrap().device.connection.core.journal;
    journal.set_han_alerted([crate::model::journal::Event::Tamper].into());
    home.esme.as_mut().unwrap().device.connection.tamper();
    home.carry();
    assert_eq!(display(&mut home).messages().collect::<Vec<_>>(), ["8F3F terminal cover opened"]);
}

#[test]
fn a_top_up_for_a_sleeping_gas_meter_waits_at_the_hub() {
    let lab = Lab::embedded().unwrap();
    let mut home = home(&lab.rigs[0]);
    home.advance(NOW.plus(MINUTE));
    let balance = |home: &Home| home.gsme.as_ref().unwrap().device.connection.account().balance();
    let before = balance(&home);
    display(&mut home).top_up(Fuel::Gas, &token(&lab.rigs[0], DeviceKind::Gsme, 1)).unwrap();
    home.carry();
    let wake = home.gsme.as_ref().unwrap().device.next_wake();
    home.advance(wake.plus(-1));
    assert!(balance(&home) <= before);
    assert_eq!(display(&mut home).account(Fuel::Gas).top_up, None);
    home.advance(wake);
    assert!(balance(&home) > before + Millipence::pence(900));
    assert_eq!(display(&mut home).account(Fuel::Gas).top_up, Some(TopUpResult::AcceptedSupplyEnabled));
}

#[test]
fn the_display_shows_gas_as_old_as_the_mirror() {
    let lab = Lab::embedded().unwrap();
    let mut home = home(&lab.rigs[0]);
    home.gsme.as_mut().unwrap().device.set_flow(Some(1_234));
    let wake = home.gsme.as_ref().unwrap().device.next_wake();
    home.advance(wake.plus(-1));
    assert_ne!(display(&mut home).account(Fuel::Gas).rate, Some(1_234));
    let stale = home.proxy.as_ref().unwrap().device.mirror.refreshed().unwrap();
    assert!(wake.since(stale) > 3 * MINUTE);
    home.advance(wake.plus(1));
    let shown = display(&mut home).account(Fuel::Gas).clone();
    assert_eq!((shown.rate, shown.supply), (Some(1_234), Some(SupplyStatus::On)));
    assert_eq!(shown.price, Some(("Gas".to_owned(), 6_200)));
    assert_eq!(home.proxy.as_ref().unwrap().device.mirror.refreshed(), Some(wake));
}

#[test]
fn a_confirmed_message_reaches_the_head_end() {
    let lab = Lab::embedded().unwrap();
    let mut home = home(&lab.rigs[0]);
    let message =
        DisplayMessage { control: CONFIRMATION_REQUIRED, ..DisplayMessage::now(77, 5, b"Visit on Monday") };
    display(&mut home).receive(&message.request(1));
    display(&mut home).confirm(UtcTime(5)).unwrap();
    home.carry();
    let told = home.take_for_wan(WAN).unwrap();
    assert_eq!(home.sender(&told), Some(DeviceKind::Ppmid));
    let envelope = proto_dlms::gateway::Envelope::decode(&told.apdu).unwrap();
    let frame = Frame::parse(&ApsFrame::parse(&envelope.apdu).unwrap().payload).unwrap();
    assert!(matches!(
        proto_zigbee::messaging::ToServer::of(&frame),
        Ok(proto_zigbee::messaging::ToServer::MessageConfirmation(confirmation)) if confirmation.id == 77
    ));
}

#[test]
fn out_of_signal_nothing_reaches_the_display() {
    let lab = Lab::embedded().unwrap();
    let mut home = home(&lab.rigs[0]);
    display(&mut home).set_signal(false);
    let before = display(&mut home).balance_pence();
    home.esme.as_mut().unwrap().device.connection.adjust(Millipence::pence(500));
    home.carry();
    assert_eq!(display(&mut home).balance_pence(), before);
    assert_eq!(display(&mut home).enable_supply(Fuel::Gas), Err(DisplayRefusal::NoSignal));
}

#[test]
fn the_display_leaves_and_joins_again_only_while_the_hub_permits_a_device_of_its_list() {
    let lab = Lab::embedded().unwrap();
    let mut home = home(&lab.rigs[0]);
    let kind = display(&mut home).plate().kind;
    assert!(home.leave(kind));
    assert_eq!(display(&mut home).account(Fuel::Electricity), &crate::model::ppmid::Account::default());
    assert_eq!(display(&mut home).enable_supply(Fuel::Gas), Err(DisplayRefusal::NotJoined));
    assert_eq!(home.display_joins(), Err(JoinRefusal::Closed));
    home.hub.as_mut().unwrap().device.permit_join(60);
    assert_eq!(home.display_joins(), Ok(()));
    home.carry();
    assert!(display(&mut home).balance_pence().is_some(), "it shows the balance again");
}

#[test]
fn a_display_the_hub_takes_off_its_list_is_off_the_network() {
    let lab = Lab::embedded().unwrap();
    let mut home = home(&lab.rigs[0]);
    let eui64 = display(&mut home).plate().eui64;
    let hub = &mut home.hub.as_mut().unwrap().device;
    let mut listed = hub.listed().clone();
    listed.remove(&eui64);
    hub.list(listed);
    home.carry();
    assert!(!display(&mut home).has_joined());
    home.hub.as_mut().unwrap().device.permit_join(60);
    assert_eq!(home.display_joins(), Err(JoinRefusal::NotListed));
}
