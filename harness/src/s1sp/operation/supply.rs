//! 6.25 and 7.1 to 7.4: the supply, and what tamper does to it.

use lab_config::Function;
use proto_dlms::data::{Data, MethodRef};
use proto_duis::body::SupplyLock;
use proto_duis::mmc::build::{self, SupplyState};
use proto_duis::{MmcBody, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::together;
use crate::driver::cosem;

/// Scripts of the supply's script table (class 9).
const DISABLE: u16 = 1;
const ARM: u16 = 2;
const ENABLE: u16 = 3;
/// Methods of disconnect control (class 70): remote disconnect, and remote reconnect, which arms.
const REMOTE_DISCONNECT: i8 = 1;
const REMOTE_RECONNECT: i8 = 2;

/// Only a script table can enable: disconnect control leaves the last step to the customer's key.
pub(super) async fn enable(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    run(desk, ENABLE).await?;
    Ok(build::done(Srv::EnableSupply)?)
}

pub(super) async fn disable(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    run_or(desk, DISABLE, REMOTE_DISCONNECT).await?;
    Ok(build::done(Srv::DisableSupply)?)
}

pub(super) async fn arm(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    run_or(desk, ARM, REMOTE_RECONNECT).await?;
    Ok(build::done(Srv::ArmSupply)?)
}

pub(super) async fn status(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let data = desk.read(Function::SupplyState).await?;
    let state = match data.as_i128() {
        Some(0) => SupplyState::Disabled,
        Some(1) => SupplyState::Enabled,
        Some(2) => SupplyState::Armed,
        _ => return Err(Refusal::value(Function::SupplyState, &data)),
    };
    Ok(build::supply_status(state, None)?)
}

/// Values of the tamper state.
const UNCHANGED: u32 = 0;
const LOCKED: u32 = 1;

/// 6.25.
pub(super) async fn set_tamper_state(desk: &mut Desk, state: SupplyLock) -> Result<MmcBody, Refusal> {
    let wanted = match state {
        SupplyLock::Unchanged => UNCHANGED,
        SupplyLock::Locked => LOCKED,
    };
    let change = together::number(desk, Function::SupplyTamperState, wanted).await?;
    together::make(desk, &[change]).await?;
    Ok(build::done(Srv::SetElectricitySupplyTamperState)?)
}

/// Whether tamper locks the supply; none where the Device Model does not say.
pub(super) async fn tamper_locks(desk: &mut Desk) -> Result<Option<bool>, Refusal> {
    let function = Function::SupplyTamperState;
    if desk.object(function).is_err() {
        return Ok(None);
    }
    let data = desk.read(function).await?;
    match data.as_i128().map(u32::try_from) {
        Some(Ok(UNCHANGED)) => Ok(Some(false)),
        Some(Ok(LOCKED)) => Ok(Some(true)),
        _ => Err(Refusal::value(function, &data)),
    }
}

async fn run(desk: &mut Desk, script: u16) -> Result<(), Refusal> {
    let object = desk.object(Function::SupplyScript)?;
    desk.act(cosem::method(&object), Some(Data::U16(script))).await.map(drop)
}

async fn run_or(desk: &mut Desk, script: u16, method: i8) -> Result<(), Refusal> {
    if desk.object(Function::SupplyScript).is_ok() {
        return run(desk, script).await;
    }
    let object = desk.object(Function::SupplyState)?;
    let method = MethodRef { method, ..cosem::method(&object) };
    desk.act(method, Some(Data::I8(0))).await.map(drop)
}
