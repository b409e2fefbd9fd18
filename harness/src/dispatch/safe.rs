//! The rig's declared safe state: supply and payment mode of its meters, whatever the scripts left behind.
//!
//! This is the lab making its own bench safe, not a test: it goes straight to the devices with the credentials now in force,
//! by the wide area path, reads what is so and changes only what is not as declared.

use lab_config::{DeviceKind, Function, Path, PaymentMode, RigDevice, SafeSupply};
use proto_dlms::data::Data;

use crate::driver::{Client, RigLinks, Session, cosem, rig};

/// Control state of a supply that is on (class 70, attribute 3).
const CONNECTED: i128 = 1;
/// Scripts of the supply's script table (class 9).
const DISABLE: u16 = 1;
const ENABLE: u16 = 3;

/// Brings the electricity meter to the declared safe state; says what was done.
///
/// # Errors
/// What stands in the way, in words.
pub(super) async fn make(links: &RigLinks) -> Result<String, String> {
    let wanted = links.rig().safe_state;
    let Some(device) = links.rig().device(DeviceKind::Esme) else {
        return Ok("no electricity meter".to_owned());
    };
    if wanted.supply.is_none() && wanted.payment_mode.is_none() {
        return Ok("left as found, as the lab file says".to_owned());
    }
    if links.rig().route(device.kind, Path::Wan).is_none() {
        return Ok("left as found: the rig has no wide area path to it".to_owned());
    }
    let words = |error: &dyn std::fmt::Display| format!("{}: {error}", device.kind);
    let mut session = links.open(device, Path::Wan, Client::Management).await.map_err(|e| words(&e))?;
    let made = both(&mut session, device, wanted).await;
    session.close().await;
    made.map_err(|e| words(&e))
}

async fn both(
    session: &mut Session,
    device: &RigDevice,
    wanted: lab_config::SafeState,
) -> Result<String, String> {
    let mut done = Vec::new();
    // A meter in prepayment without credit would not let its supply be enabled: the mode comes first.
    if let Some(mode) = wanted.payment_mode {
        done.push(payment_mode(session, device, mode).await?);
    }
    if let Some(wanted) = wanted.supply {
        done.push(supply(session, device, wanted).await?);
    }
    Ok(done.join(", "))
}

async fn payment_mode(
    session: &mut Session,
    device: &RigDevice,
    wanted: PaymentMode,
) -> Result<String, String> {
    let Some(object) = object(device, Function::Account)? else { return Ok("no account".to_owned()) };
    let attribute = cosem::attribute(&object);
    let code = match wanted {
        PaymentMode::Credit => 1,
        PaymentMode::Prepayment => 2,
    };
    let found = session.get(attribute, None).await.map_err(|e| e.to_string())?;
    let [mode, status] = found.elements().unwrap_or_default() else {
        return Err(format!("account: found {found:?}, expected a mode and a status"));
    };
    if mode.as_i128() == Some(i128::from(code)) {
        return Ok(format!("payment mode {wanted} already"));
    }
    let value = Data::Structure(vec![Data::Enum(code), status.clone()]);
    session.set(attribute, value).await.map_err(|e| e.to_string())?;
    Ok(format!("payment mode set to {wanted}"))
}

async fn supply(session: &mut Session, device: &RigDevice, wanted: SafeSupply) -> Result<String, String> {
    let (Some(state), Some(script)) =
        (object(device, Function::SupplyState)?, object(device, Function::SupplyScript)?)
    else {
        return Ok("no supply control".to_owned());
    };
    let on = control_state(session, &state).await? == CONNECTED;
    if on == (wanted == SafeSupply::Enabled) {
        return Ok(format!("supply {wanted} already"));
    }
    let number = if wanted == SafeSupply::Enabled { ENABLE } else { DISABLE };
    let run = session.act(cosem::method(&script), Some(Data::U16(number))).await;
    run.map_err(|e| e.to_string())?;
    let on = control_state(session, &state).await? == CONNECTED;
    match on == (wanted == SafeSupply::Enabled) {
        true => Ok(format!("supply {wanted}")),
        false => Err(format!("supply was told to be {wanted}, and is {}", if on { "on" } else { "off" })),
    }
}

async fn control_state(session: &mut Session, state: &lab_config::Object) -> Result<i128, String> {
    let found = session.get(cosem::numbered(state, 3), None).await.map_err(|e| e.to_string())?;
    found.as_i128().ok_or_else(|| format!("supply state: found {found:?}, expected a number"))
}

fn object(device: &RigDevice, function: Function) -> Result<Option<lab_config::Object>, String> {
    Ok(rig::profile(device).map_err(|e| e.to_string())?.object(function).copied())
}
