//! What a meter holds at the moment it is read: 4.1, 4.2, 4.12 and 4.15.

use super::{Decimal, Fuel, indexed, optional, register};
use crate::Srv;
use crate::mmc::{FormError, MmcBody, MmcElement};
use jiff::Timestamp;
use jiff::civil::Time;

/// 4.1.2: the time-of-use registers from index 1 on, in Wh for electricity and cubic metres for gas.
///
/// # Errors
/// More than 48 registers of electricity or 4 of gas, or one of electricity that is not a whole number.
pub fn tou_registers(fuel: Fuel, registers: &[Decimal]) -> Result<MmcBody, FormError> {
    let (collection, register) = match fuel {
        Fuel::Electricity => ("TariffTOURegisterCollection", "TOUPrimaryRegisterValue"),
        Fuel::Gas => ("TariffTOURegisterMatrix", "TOURegisterMatrixValue"),
    };
    let collection = MmcElement::new(collection).with_all(indexed(register, registers));
    let content = MmcElement::new(fuel.element()).with(collection);
    MmcBody::new(Srv::ReadInstantaneousImportTOUMatrices, true, [content])
}

/// One block of an electricity tariff of blocks and time of use, in Wh.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlockRegisters {
    /// All consumption in the block by time of use, from index 1 on.
    pub registers: Vec<i64>,
    /// Consumption since the counters were reset by time of use, from index 1 on.
    pub counters: Vec<i64>,
}

/// 4.1.3: the blocks from index 1 on.
///
/// # Errors
/// More than 4 blocks, or one with more than 8 registers or counters.
pub fn tou_with_blocks(blocks: &[BlockRegisters]) -> Result<MmcBody, FormError> {
    let block = |(index, block): (usize, &BlockRegisters)| {
        MmcElement::new("TariffBlock")
            .with_attribute("index", index + 1)
            .with_all(indexed("RegisterMatrixTOUValue", &block.registers))
            .with_all(indexed("CounterMatrixTOUValue", &block.counters))
    };
    let blocks = blocks.iter().enumerate().map(block);
    let collection = MmcElement::new("TariffBlockTOURegisterCollection").with_all(blocks);
    MmcBody::new(Srv::ReadInstantaneousImportTOUWithBlocksMatrices, true, [collection])
}

/// 4.1.4: the block counters of a gas meter from index 1 on, in cubic metres.
///
/// # Errors
/// More than 4 counters.
pub fn block_counters(counters: &[Decimal]) -> Result<MmcBody, FormError> {
    let counters = indexed("TariffBlockCounterValue", counters);
    let counters = MmcElement::new("ImportBlockCounters").with_all(counters);
    MmcBody::new(Srv::ReadInstantaneousImportBlockCounters, true, [counters])
}

/// 4.2: active energy exported in Wh, reactive in varh.
///
/// # Errors
/// None in practice.
pub fn export_registers(active_wh: Option<i64>, reactive_varh: Option<i64>) -> Result<MmcBody, FormError> {
    let registers = [
        register("ActiveExportRegister", "ActiveEnergyUnit", "Wh", active_wh),
        register("ReactiveExportRegister", "ReactiveEnergyUnit", "varh", reactive_varh),
    ];
    MmcBody::new(Srv::ReadInstantaneousExportRegisters, true, registers.into_iter().flatten())
}

/// The highest average power of a half hour since the register was reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaximumDemand {
    /// In watts.
    pub watts: i64,
    /// When the half hour ended; none since a reset.
    pub captured: Option<Timestamp>,
    /// When the register was last reset.
    pub reset: Option<Timestamp>,
}

impl MaximumDemand {
    fn to_element(self, name: &str) -> MmcElement {
        MmcElement::new(name)
            .with(MmcElement::leaf("Value", self.watts))
            .with_all(optional("CaptureTime", self.captured))
            .with_all(optional("LastResetDateTime", self.reset))
    }
}

/// 4.12.1: the demand at any time, the demand between the two times of day, and those times.
///
/// # Errors
/// None in practice.
pub fn maximum_demand_import(
    any_time: Option<MaximumDemand>,
    configured: Option<(MaximumDemand, [Time; 2])>,
) -> Result<MmcBody, FormError> {
    let demand =
        configured.map(|(demand, _)| demand.to_element("MaxDemandConfigurableTimeActivePowerImport"));
    let any_time = any_time.map(|demand| demand.to_element("MaxDemandActiveEnergyImport"));
    let period = configured.map(|(_, [start, end])| {
        MmcElement::new("MaxDemandConfigurableTimePeriod")
            .with(MmcElement::leaf("StartTime", start))
            .with(MmcElement::leaf("EndTime", end))
    });
    let content = demand.into_iter().chain(any_time).chain(period);
    MmcBody::new(Srv::ReadMaximumDemandImportRegisters, true, content)
}

/// 4.12.2.
///
/// # Errors
/// None in practice.
pub fn maximum_demand_export(demand: MaximumDemand) -> Result<MmcBody, FormError> {
    let demand = demand.to_element("MaxDemandActiveEnergyExport");
    MmcBody::new(Srv::ReadMaximumDemandExportRegisters, true, [demand])
}

/// What 4.15 reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoadLimit {
    /// How often the limit was passed.
    pub counter: Option<i64>,
    /// The limit in watts.
    pub threshold: Option<i64>,
    /// How long the load must be above the limit, in seconds.
    pub period: Option<u32>,
    /// After how long the supply comes back, in seconds.
    pub restoration: Option<u32>,
    /// Whether passing the limit disables the supply.
    pub disables: Option<bool>,
}

/// 4.15.
///
/// # Errors
/// None in practice.
pub fn load_limit(limit: LoadLimit) -> Result<MmcBody, FormError> {
    let state = limit.disables.map(|disables| if disables { "Disable" } else { "Unchanged" });
    let fields = [
        optional("LoadLimitCounterValue", limit.counter),
        optional("LoadLimitPowerThreshold", limit.threshold),
        optional("LoadLimitPeriod", limit.period),
        optional("LoadLimitRestorationPeriod", limit.restoration),
        optional("LoadLimitSupplyState", state),
    ];
    MmcBody::new(Srv::ReadLoadLimitData, true, fields.into_iter().flatten())
}
