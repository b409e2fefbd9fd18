//! The rig's declared safe state: supply of the electricity meter and payment mode of the meters, whatever scripts left behind.
//!
//! This is the lab making its own bench safe, not a test: it goes straight to the devices with the credentials now in force,
//! reads what is so, changes only what is not as declared, and reads that back. What is declared and cannot be read is not
//! reached.

use lab_config::{DeviceKind, Function, Object, Path, PaymentMode, RigDevice, SafeState, SafeSupply};
use proto_dlms::data::Data;

use crate::driver::{Client, RigLinks, Session, cosem, rig};

/// Control states of a supply (class 70, attribute 3); 2 is armed, and neither on nor off.
const DISCONNECTED: i128 = 0;
const CONNECTED: i128 = 1;
/// Scripts of the supply's script table (class 9).
const DISABLE: u16 = 1;
const ENABLE: u16 = 3;

/// Brings the meters to the declared safe state; says what was done.
///
/// # Errors
/// What stands in the way, in words, after everything was tried.
pub(super) async fn make(links: &RigLinks) -> Result<String, String> {
    let wanted = links.rig().safe_state;
    let electricity = meter(links, DeviceKind::Esme, [Path::Wan, Path::Optical], wanted).await;
    // A gas meter sleeps on the home area network; its local port wakes it. Its valve is no part of the safe state.
    let gas = SafeState { supply: None, ..wanted };
    let gas = meter(links, DeviceKind::Gsme, [Path::Local, Path::Wan], gas).await;
    let (done, stuck): (Vec<_>, Vec<_>) = [electricity, gas].into_iter().flatten().partition(Result::is_ok);
    let words = |made: Vec<Result<String, String>>| {
        made.into_iter().map(|made| made.unwrap_or_else(|e| e)).collect::<Vec<_>>().join("; ")
    };
    match (stuck.is_empty(), done.is_empty()) {
        (true, true) => Ok("left as found: the lab file declares no safe state".to_owned()),
        (true, false) => Ok(words(done)),
        (false, _) => Err(words(stuck)),
    }
}

/// Brings one meter there, if the rig has it and anything is declared of it.
async fn meter(
    links: &RigLinks,
    kind: DeviceKind,
    paths: [Path; 2],
    wanted: SafeState,
) -> Option<Result<String, String>> {
    let device = links.rig().device(kind)?;
    if wanted.supply.is_none() && wanted.payment_mode.is_none() {
        return None;
    }
    let Some(path) = paths.into_iter().find(|path| links.rig().route(kind, *path).is_some()) else {
        return Some(Err(format!("{kind}: a safe state is declared, and no link leads to it")));
    };
    let made = match links.open(device, path, Client::Management).await {
        Ok(mut session) => {
            let made = both(&mut session, device, wanted).await;
            session.close().await;
            made
        }
        Err(error) => Err(error.to_string()),
    };
    Some(made.map(|done| format!("{kind}: {done}")).map_err(|error| format!("{kind}: {error}")))
}

async fn both(session: &mut Session, device: &RigDevice, wanted: SafeState) -> Result<String, String> {
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
    let account = object(device, Function::Account)?;
    let code = match wanted {
        PaymentMode::Credit => 1,
        PaymentMode::Prepayment => 2,
    };
    let (mode, status) = account_mode(session, &account).await?;
    if mode == i128::from(code) {
        return Ok(format!("payment mode {wanted} already"));
    }
    let value = Data::Structure(vec![Data::Enum(code), status]);
    session.set(cosem::attribute(&account), value).await.map_err(|e| e.to_string())?;
    match account_mode(session, &account).await?.0 {
        mode if mode == i128::from(code) => Ok(format!("payment mode set to {wanted}")),
        mode => Err(format!("payment mode was set to {wanted}, and reads {mode}")),
    }
}

/// The account's payment mode, and its status as it stands.
async fn account_mode(session: &mut Session, account: &Object) -> Result<(i128, Data), String> {
    let found = session.get(cosem::attribute(account), None).await.map_err(|e| e.to_string())?;
    match found.elements().unwrap_or_default() {
        [mode, status] => mode.as_i128().map(|mode| (mode, status.clone())),
        _ => None,
    }
    .ok_or_else(|| format!("account: found {found:?}, expected a mode and a status"))
}

async fn supply(session: &mut Session, device: &RigDevice, wanted: SafeSupply) -> Result<String, String> {
    let (state, script) = (object(device, Function::SupplyState)?, object(device, Function::SupplyScript)?);
    let (code, number) = match wanted {
        SafeSupply::Enabled => (CONNECTED, ENABLE),
        SafeSupply::Disabled => (DISCONNECTED, DISABLE),
    };
    if control_state(session, &state).await? == code {
        return Ok(format!("supply {wanted} already"));
    }
    let run = session.act(cosem::method(&script), Some(Data::U16(number))).await;
    run.map_err(|e| e.to_string())?;
    match control_state(session, &state).await? {
        found if found == code => Ok(format!("supply {wanted}")),
        found => Err(format!("supply was told to be {wanted}, and its control state is {found}")),
    }
}

async fn control_state(session: &mut Session, state: &Object) -> Result<i128, String> {
    let found = session.get(cosem::numbered(state, 3), None).await.map_err(|e| e.to_string())?;
    found.as_i128().ok_or_else(|| format!("supply state: found {found:?}, expected a number"))
}

/// Where a function is; without it what is declared cannot be read.
fn object(device: &RigDevice, function: Function) -> Result<Object, String> {
    let found = rig::profile(device).map_err(|e| e.to_string())?.object(function).copied();
    found.ok_or_else(|| {
        format!("a safe state is declared, and the Device Model has no {function} to tell it by")
    })
}
