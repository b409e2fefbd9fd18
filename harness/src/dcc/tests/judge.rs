use std::collections::{BTreeMap, BTreeSet};

use proto_duis::{CommandVariant, DeviceStatus, Eui64, Request, RequestId, ResponseCode, Signer, Srv};

use super::lab::{ESME, GS, GSME, HUB, IS, KEYS, OU, inventory, request, users};
use crate::dcc::judge::{Asked, Passed, Refusal, View, judge};
use crate::dcc::{ANTI_REPLAY, Address, BAD_SIGNATURE, Inventory, User, UserStatus, Users};

struct Court {
    users: Users,
    inventory: Inventory,
    counters: BTreeMap<Eui64, u64>,
    broker: Eui64,
    doubtful: BTreeSet<Srv>,
}

impl Court {
    fn new() -> Court {
        let (counters, broker) = (BTreeMap::from([(IS, 10)]), Eui64::ACCESS_CONTROL_BROKER);
        Court { users: users(), inventory: inventory(), counters, broker, doubtful: BTreeSet::new() }
    }

    fn try_at(&self, request: &Request, signer: &Signer, address: Address) -> Result<Passed, Refusal> {
        let view = View {
            users: &self.users,
            inventory: &self.inventory,
            counters: &self.counters,
            trust: &KEYS.trust,
            broker: self.broker,
            doubtful: &self.doubtful,
        };
        judge(request.sign(signer).unwrap().as_bytes(), request, address, &view)
    }

    fn refuses(&self, request: &Request, signer: &Signer) -> ResponseCode {
        self.try_at(request, signer, Address::SendCommand).unwrap_err().code
    }
}

fn by(originator: Eui64, request: Request) -> Request {
    Request { id: RequestId { originator, ..request.id }, ..request }
}

#[test]
fn a_sound_request_passes() {
    let court = Court::new();
    let passed = court.try_at(&request(Srv::ArmSupply, ESME, 11), &KEYS.is, Address::SendCommand);
    assert_eq!(passed, Ok(Passed::Device(Asked { installation: HUB, sleeps: false })));
    let broker = Eui64::ACCESS_CONTROL_BROKER;
    let passed = court.try_at(&request(Srv::ReadInventory, broker, 11), &KEYS.is, Address::NonDevice);
    assert_eq!(passed, Ok(Passed::Own));
    let gas = by(GS, request(Srv::ArmSupply, GSME, 1));
    assert!(court.try_at(&gas, &KEYS.gs, Address::SendCommand).is_ok());
}

#[test]
fn a_doubtful_variant_passes_only_where_the_lab_takes_it() {
    let mut court = Court::new();
    let peak = request(Srv::ReadMaximumDemandImportRegisters, ESME, 11);
    assert_eq!(court.refuses(&peak, &KEYS.is), ResponseCode::DEVICE_TYPE);
    court.doubtful.insert(Srv::ReadMaximumDemandImportRegisters);
    assert!(court.try_at(&peak, &KEYS.is, Address::SendCommand).is_ok());
}

#[test]
fn each_check_has_its_code() {
    let mut court = Court::new();
    let arm = |target| request(Srv::ArmSupply, target, 11);
    assert_eq!(court.refuses(&by(HUB, arm(ESME)), &KEYS.is), ResponseCode::INVALID_USER);
    assert_eq!(court.refuses(&arm(ESME), &KEYS.stranger).as_str(), BAD_SIGNATURE.0);
    assert_eq!(court.refuses(&arm(ESME), &KEYS.gs).as_str(), BAD_SIGNATURE.0);
    assert_eq!(court.refuses(&by(OU, arm(ESME)), &KEYS.ou), ResponseCode::ROLE_NOT_ALLOWED);
    assert_eq!(
        court.refuses(&by(GS, request(Srv::EnableSupply, ESME, 1)), &KEYS.gs),
        ResponseCode::ROLE_NOT_ALLOWED
    );
    assert_eq!(court.refuses(&arm(IS), &KEYS.is), ResponseCode::UNKNOWN_DEVICE);
    assert_eq!(court.refuses(&arm(GSME), &KEYS.is), ResponseCode::NOT_RESPONSIBLE);
    assert_eq!(court.refuses(&arm(HUB), &KEYS.is), ResponseCode::DEVICE_TYPE);
    let broker_only = request(Srv::ReadInventory, ESME, 11);
    assert_eq!(court.refuses(&broker_only, &KEYS.is), ResponseCode::UNKNOWN_DEVICE);
    let transform = Request { command_variant: CommandVariant::new(4).unwrap(), ..arm(ESME) };
    assert_eq!(court.refuses(&transform, &KEYS.is), ResponseCode::COMMAND_VARIANT);
    let wrong = court.try_at(&arm(ESME), &KEYS.is, Address::NonDevice).unwrap_err();
    assert_eq!(wrong.code, ResponseCode::WRONG_ADDRESS);
    assert_eq!(court.refuses(&request(Srv::ArmSupply, ESME, 10), &KEYS.is).as_str(), ANTI_REPLAY.0);
    court.inventory.set_status(ESME, DeviceStatus::Suspended).unwrap();
    assert_eq!(court.refuses(&arm(ESME), &KEYS.is), ResponseCode::DEVICE_STATUS);
    let suspended = User { status: UserStatus::Suspended, ..court.users.get(IS).unwrap().clone() };
    court.users.insert(suspended);
    assert_eq!(court.refuses(&arm(ESME), &KEYS.is), ResponseCode::USER_STATUS);
}

#[test]
fn the_dcc_is_the_broker_it_was_told() {
    let court = Court { broker: HUB, ..Court::new() };
    let to = |target| court.try_at(&request(Srv::ReadInventory, target, 11), &KEYS.is, Address::NonDevice);
    assert_eq!(to(HUB), Ok(Passed::Own));
    assert_eq!(to(Eui64::ACCESS_CONTROL_BROKER).unwrap_err().code, ResponseCode::UNKNOWN_DEVICE);
}

#[test]
fn the_reason_is_said_in_words() {
    let refusal = Court::new().try_at(&request(Srv::ArmSupply, ESME, 9), &KEYS.is, Address::SendCommand);
    assert_eq!(refusal.unwrap_err().reason, "counter 9 is not above 10, the last one used");
}

#[test]
fn the_inventory_keeps_itself_whole() {
    let mut inventory = inventory();
    let esme = inventory.get(ESME).unwrap().clone();
    assert!(inventory.enrol(esme.clone()).is_err());
    assert_eq!(inventory.withdraw(ESME).unwrap(), esme);
    assert!(inventory.withdraw(ESME).is_err() && !inventory.is_commissioned(ESME));
    inventory.enrol(esme.clone()).unwrap();
    for n in 0..14u8 {
        let mut other = esme.clone();
        other.device.id = Eui64::new([n, 1, 1, 1, 1, 1, 1, 1]);
        inventory.enrol(other).unwrap();
    }
    let mut last = esme;
    last.device.id = Eui64::new([0xFF; 8]);
    assert!(inventory.enrol(last).unwrap_err().to_string().contains("17 devices"));
}

#[test]
fn no_pre_command_is_made_for_a_smets1_device() {
    let court = Court::new();
    let at_transform = |request: &Request| court.try_at(request, &KEYS.is, Address::Transform).unwrap_err();
    let command = request(Srv::ArmSupply, ESME, 11);
    let transform = Request { command_variant: CommandVariant::TRANSFORM, ..command.clone() };
    let refusal = at_transform(&transform);
    assert_eq!(refusal.code, ResponseCode::COMMAND_VARIANT);
    assert!(refusal.reason.contains("command variant 4; expected 1"), "{}", refusal.reason);
    assert_eq!(at_transform(&command).code, ResponseCode::WRONG_ADDRESS);
    // What is refused anyway is refused for that.
    let stranger = request(Srv::ArmSupply, Eui64::new([7; 8]), 11);
    let stranger = Request { command_variant: CommandVariant::TRANSFORM, ..stranger };
    assert_eq!(at_transform(&stranger).code, ResponseCode::UNKNOWN_DEVICE);
}
