//! May this request go on? Pure; the checks stand in the order the DCC makes them, and the first that fails decides.
//!
//! Well-formedness and structure come before anything here: a message that is not a Service Request has no identity to
//! answer to, and is refused by HTTP status. A request that was authenticated and refused here leaves its counter unused.

use std::collections::{BTreeMap, BTreeSet};

use proto_duis::{
    CommandVariant, DeviceKind, DeviceStatus, Eui64, MessageError, Request, ResponseCode, Srv, TrustStore,
    Unverified,
};

use super::inventory::{Enrolment, Inventory};
use super::standing;
use super::users::{User, UserStatus, Users, authorised};

/// The answer to a signature that does not hold. The published tables to hand do not say which code it is.
pub const BAD_SIGNATURE: Unverified<&str> = Unverified("E100");

/// The answer to a counter that is not above the last. The published tables to hand do not say which code it is.
pub const ANTI_REPLAY: Unverified<&str> = Unverified("E100");

/// A web service address of the DCC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// `serviceD`: requests that no device answers.
    NonDevice,
    /// `serviceS`: requests that become a command.
    SendCommand,
    /// `serviceT`: critical requests that become a pre-command, for their user to sign. SMETS1 devices have none: whatever comes
    /// here is refused.
    Transform,
}

/// What the DCC knows when it judges.
pub(super) struct View<'a> {
    pub(super) users: &'a Users,
    pub(super) inventory: &'a Inventory,
    pub(super) counters: &'a BTreeMap<Eui64, u64>,
    pub(super) trust: &'a TrustStore,
    /// The access control broker.
    pub(super) broker: Eui64,
    /// The variants it takes of those that are doubtful.
    pub(super) doubtful: &'a BTreeSet<Srv>,
}

/// A request refused, with the reason in words for whoever reads the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: ResponseCode,
    pub(super) reason: String,
}

/// A request that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Passed {
    /// The DCC answers it.
    Own,
    /// The S1SP answers it.
    Device(Asked),
}

/// The device a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// Its installation: the EUI-64 of its communications hub.
    pub(super) installation: Eui64,
    /// Whether it sleeps, as a gas meter does: it may take long to answer.
    pub(super) sleeps: bool,
}

/// A refusal with a code of the schema by its text; E1 should the text not be one.
pub(super) fn refusal(text: Unverified<&str>, reason: String) -> Refusal {
    Refusal { code: code(text), reason }
}

fn refuse<T>(code: ResponseCode, reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { code, reason: reason.into() })
}

/// A code of the schema by its text; E1 should the text not be one.
fn code(text: Unverified<&str>) -> ResponseCode {
    text.0.parse().unwrap_or(ResponseCode::INVALID_USER)
}

/// Judges a request whose structure is sound.
pub(super) fn judge(
    octets: &[u8],
    request: &Request,
    address: Address,
    view: &View<'_>,
) -> Result<Passed, Refusal> {
    let user = known_user(request, view)?;
    signed(octets, view)?;
    role(request.srv(), user)?;
    applies(request.srv(), view.doubtful)?;
    let passed = match request.srv().is_for_the_dcc() {
        true => for_the_dcc(request, view.broker)?,
        false => for_a_device(request, user, view)?,
    };
    command_variant(request)?;
    right_address(request.srv(), address)?;
    counter(request, view)?;
    Ok(passed)
}

/// E1. Before the signature: there is no certificate to hold it against for a user nobody knows.
fn known_user<'a>(request: &Request, view: &View<'a>) -> Result<&'a User, Refusal> {
    let id = request.id.originator;
    let user = view.users.get(id);
    user.map_or_else(|| refuse(ResponseCode::INVALID_USER, format!("{id} is not a known user")), Ok)
}

fn signed(octets: &[u8], view: &View<'_>) -> Result<(), Refusal> {
    match Request::open(octets, view.trust) {
        Ok(_) => Ok(()),
        Err(MessageError::Signature(error)) => refuse(code(BAD_SIGNATURE), error.to_string()),
        Err(other) => refuse(code(BAD_SIGNATURE), other.to_string()),
    }
}

/// E2, E3.
pub(super) fn role(srv: Srv, user: &User) -> Result<(), Refusal> {
    if !user.may_send(srv) {
        let roles: Vec<&str> = user.roles.iter().map(|role| role.as_str()).collect();
        let allowed: Vec<&str> = srv.roles().iter().map(|role| role.as_str()).collect();
        let reason = format!("{srv} is for {}; the user is {}", allowed.join(", "), roles.join(", "));
        return refuse(ResponseCode::ROLE_NOT_ALLOWED, reason);
    }
    match user.status {
        UserStatus::Active => Ok(()),
        UserStatus::Suspended => refuse(ResponseCode::USER_STATUS, "the user is suspended"),
    }
}

/// E11: what may not be for SMETS1 devices at all is taken only where the lab says so.
pub(super) fn applies(srv: Srv, taken: &BTreeSet<Srv>) -> Result<(), Refusal> {
    if !srv.is_doubtful() || taken.contains(&srv) {
        return Ok(());
    }
    let reason = format!(
        "it is not sure that SMETS1 devices are sent {srv}; list it in doubtful-variants of the lab's [environment]"
    );
    refuse(ResponseCode::DEVICE_TYPE, reason)
}

/// A request for the DCC itself targets the access control broker.
fn for_the_dcc(request: &Request, broker: Eui64) -> Result<Passed, Refusal> {
    let (srv, target) = (request.srv(), request.id.target);
    if target == broker {
        return Ok(Passed::Own);
    }
    let reason = format!("{srv} is for the DCC, which is {broker}, and not for {target}");
    refuse(ResponseCode::UNKNOWN_DEVICE, reason)
}

fn for_a_device(request: &Request, user: &User, view: &View<'_>) -> Result<Passed, Refusal> {
    let installation = may_ask(request.srv(), request.id.target, user, view.inventory)?;
    Ok(Passed::Device(installation))
}

/// E19, E4, E5, E11: whether a user may ask this of a device, whoever sends the request.
pub(super) fn may_ask(srv: Srv, target: Eui64, user: &User, inventory: &Inventory) -> Result<Asked, Refusal> {
    let Some(enrolment) = inventory.get(target) else {
        return refuse(ResponseCode::UNKNOWN_DEVICE, format!("{target} is not in the inventory"));
    };
    responsible(srv, user, enrolment)?;
    let status = enrolment.device.status;
    if !standing::takes(srv, status) {
        let status = status.map_or("without a status", DeviceStatus::as_str);
        return refuse(ResponseCode::DEVICE_STATUS, format!("{target} is {status}, not Commissioned"));
    }
    let kind = enrolment.device.kind;
    if !srv.smets1().0.targets.contains(&kind) {
        let reason = format!("{srv} does not apply to a {kind}");
        return refuse(ResponseCode::DEVICE_TYPE, reason);
    }
    Ok(Asked { installation: enrolment.installation, sleeps: kind == DeviceKind::Gsme })
}

/// E4: one of the roles that may send the request must be authorised for the device.
fn responsible(srv: Srv, user: &User, enrolment: &Enrolment) -> Result<(), Refusal> {
    let kind = enrolment.device.kind;
    let mut usable = srv.roles().iter().filter(|role| user.roles.contains(role));
    if usable.any(|role| authorised(user, *role, kind, &enrolment.responsible)) {
        return Ok(());
    }
    let reason = format!("{} is not authorised for {kind} {}", user.id, enrolment.device.id);
    refuse(ResponseCode::NOT_RESPONSIBLE, reason)
}

/// E12.
fn command_variant(request: &Request) -> Result<(), Refusal> {
    let (found, expected) = (request.command_variant, CommandVariant::for_srv(request.srv()));
    if found == expected {
        return Ok(());
    }
    refuse(ResponseCode::COMMAND_VARIANT, format!("command variant {found}; expected {expected}"))
}

/// E13.
fn right_address(srv: Srv, address: Address) -> Result<(), Refusal> {
    let expected = if srv.is_for_the_dcc() { Address::NonDevice } else { Address::SendCommand };
    if address == expected {
        return Ok(());
    }
    refuse(ResponseCode::WRONG_ADDRESS, format!("sent to {address:?}; expected {expected:?}"))
}

/// The protection against replay: each originator's counter strictly increases.
fn counter(request: &Request, view: &View<'_>) -> Result<(), Refusal> {
    let found = request.id.counter;
    match view.counters.get(&request.id.originator) {
        Some(last) if found <= *last => {
            refuse(code(ANTI_REPLAY), format!("counter {found} is not above {last}, the last one used"))
        }
        _ => Ok(()),
    }
}
