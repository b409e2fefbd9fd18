//! 1.7, 4.1.3, 4.1.4, 6.26, and 4.1.2 of gas: consumption by block, since ever and since the block period began.

use lab_config::{Function, Object};
use proto_dlms::data::{AttributeRef, Data};
use proto_duis::body::DailyBlockCounterReset;
use proto_duis::mmc::build::{self, BlockRegisters, Decimal, Fuel};
use proto_duis::{MmcBody, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::table;
use super::tariff::following;
use crate::driver::cosem;
use crate::driver::values::ScalerUnit;

/// Sets of blocks of electricity, and blocks of a set.
const SETS: u8 = 8;
const BLOCKS: u8 = 4;

/// Registers that follow one another, with the scaler of the first, which is that of them all.
struct Registers {
    first: Object,
    scaler: ScalerUnit,
}

impl Registers {
    async fn of(desk: &mut Desk, function: Function) -> Result<Registers, Refusal> {
        let first = desk.object(function)?;
        let scaler = desk.scaler(cosem::attribute(&first)).await?;
        Ok(Registers { first, scaler })
    }

    async fn read(&self, desk: &mut Desk, place: u8) -> Result<(AttributeRef, i128), Refusal> {
        let attribute = cosem::attribute(&following(&self.first, place));
        let value = desk.get(attribute, None).await?;
        let raw = value.as_i128().ok_or_else(|| Refusal::value(attribute, &value))?;
        Ok((attribute, raw))
    }

    /// In whole watt hours.
    async fn whole(&self, desk: &mut Desk, place: u8) -> Result<i64, Refusal> {
        let (attribute, raw) = self.read(desk, place).await?;
        table::whole(raw, self.scaler.scaler).ok_or_else(|| Refusal::value(attribute, &raw))
    }
}

/// 4.1.3: of each block the registers and counters of each set, which is what the schema calls a time of use.
pub(super) async fn matrices(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let registers = Registers::of(desk, Function::BlockRegisters).await?;
    let counters = Registers::of(desk, Function::BlockCounters).await?;
    let mut blocks = Vec::new();
    for block in 0..BLOCKS {
        let mut of_block = BlockRegisters::default();
        for set in 0..SETS {
            let place = set * BLOCKS + block;
            of_block.registers.push(registers.whole(desk, place).await?);
            of_block.counters.push(counters.whole(desk, place).await?);
        }
        blocks.push(of_block);
    }
    Ok(build::tou_with_blocks(&blocks)?)
}

/// 4.1.4.
pub(super) async fn gas_counters(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    Ok(build::block_counters(&volumes(desk, Function::GasBlockCounters).await?)?)
}

/// 4.1.2 of a gas meter.
pub(super) async fn gas_time_of_use(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    Ok(build::tou_registers(Fuel::Gas, &volumes(desk, Function::GasTariffRegisters).await?)?)
}

/// Volumes of gas: a gas meter has as many blocks as tariffs.
async fn volumes(desk: &mut Desk, function: Function) -> Result<Vec<Decimal>, Refusal> {
    let registers = Registers::of(desk, function).await?;
    let mut volumes = Vec::new();
    for place in 0..BLOCKS {
        let (attribute, raw) = registers.read(desk, place).await?;
        let mantissa = i64::try_from(raw).map_err(|_| Refusal::value(attribute, &raw))?;
        volumes.push(Decimal { mantissa, exponent: registers.scaler.scaler });
    }
    Ok(volumes)
}

/// 1.7.
pub(super) async fn reset(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    /// The script of the table that begins a block period.
    const BEGIN: u16 = 1;
    let script = desk.object(Function::BlockCounterReset)?;
    desk.act(cosem::method(&script), Some(Data::U16(BEGIN))).await?;
    Ok(build::done(Srv::ResetTariffBlockCounterMatrix)?)
}

/// 6.26.
pub(super) async fn reset_daily(desk: &mut Desk, asked: &DailyBlockCounterReset) -> Result<MmcBody, Refusal> {
    let setting = desk.object(Function::DailyBlockReset)?;
    desk.set(cosem::attribute(&setting), Data::Boolean(asked.daily)).await?;
    Ok(build::done(Srv::UpdateDeviceConfigurationDailyResettingOfTariffBlockCounterMatrix)?)
}
