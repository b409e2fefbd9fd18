//! What a meter keeps of the past: 4.4, 4.6, 4.8.2, 4.8.3, 4.10, 4.14 and 4.17.
//!
//! The schema names one and the same register differently in every log; what differs is in [`Names`].

use super::{Decimal, Fuel, PrepayValues, indexed, optional};
use crate::Srv;
use crate::mmc::{FormError, MmcBody, MmcElement};
use jiff::Timestamp;

/// What the registers of a meter said at one moment, in Wh for electricity and cubic metres for gas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterReading {
    /// When.
    pub time: Timestamp,
    /// All consumption.
    pub import: Option<Decimal>,
    /// Consumption by time of use, from index 1 on.
    pub tou: Vec<Decimal>,
    /// For each block, consumption by time of use. A gas meter has one register in a block.
    pub blocks: Vec<Vec<Decimal>>,
}

/// What the prepayment registers of a meter said at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrepaymentReading {
    /// When.
    pub time: Timestamp,
    /// The values.
    pub values: PrepayValues,
}

impl PrepaymentReading {
    fn to_element(self, name: &str) -> MmcElement {
        let values = self.values;
        let fields = [
            ("AccumulatedDebtRegister", values.accumulated_debt_register),
            ("EmergencyCreditBalance", values.emergency_credit_balance),
            ("MeterBalance", values.meter_balance),
            ("PaymentDebtRegister", values.payment_debt_register),
            ("TimeDebtRegisters1", values.time_debt_register_1),
            ("TimeDebtRegisters2", values.time_debt_register_2),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| optional(name, value));
        MmcElement::new(name).with_all(fields).with(timestamp(self.time))
    }
}

fn timestamp(time: Timestamp) -> MmcElement {
    MmcElement::leaf("Timestamp", time)
}

/// What makes a meter write an entry of its billing log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillingTrigger {
    /// A change of payment mode or tariff (4.4.2).
    ModeOrTariff,
    /// The billing calendar (4.4.3).
    Calendar,
}

/// What one log calls its parts.
struct Names {
    entry: &'static str,
    import: &'static str,
    tou: &'static str,
    /// Of electricity the middle of the name is the block's number.
    blocks: [&'static str; 2],
    /// Whether the blocks come before the times of use.
    blocks_first: bool,
    /// How many parts come before the time.
    before_time: usize,
}

const ELECTRICITY_BLOCKS: [&str; 2] = ["TariffTOUBlock", "RegisterMatrixValue"];
const TOU: &str = "TariffTOURegisterMatrixValue";

const fn names(trigger: BillingTrigger, fuel: Fuel) -> Names {
    match (trigger, fuel) {
        (BillingTrigger::ModeOrTariff, Fuel::Electricity) => Names {
            entry: "LogEntryConsumptionAndTariffRegistersData",
            import: "ActiveImportRegisterConsumption",
            tou: TOU,
            blocks: ELECTRICITY_BLOCKS,
            blocks_first: false,
            before_time: usize::MAX,
        },
        (BillingTrigger::ModeOrTariff, Fuel::Gas) => Names {
            entry: "LogEntryConsumptionRegister",
            import: "ConsumptionRegister",
            tou: TOU,
            blocks: ["BlockRegisterMatrixValue", ""],
            blocks_first: false,
            before_time: 1,
        },
        (BillingTrigger::Calendar, Fuel::Electricity) => Names {
            entry: "ESMEBillingDataLogEntry",
            import: "ActiveImportRegisterValueConsumption",
            tou: TOU,
            blocks: ELECTRICITY_BLOCKS,
            blocks_first: false,
            before_time: 0,
        },
        (BillingTrigger::Calendar, Fuel::Gas) => Names {
            entry: "GSMEBillingDataLogEntry",
            import: "ActiveImportRegisterValueConsumption",
            tou: TOU,
            blocks: ["BlockRegisterMatrixValue", ""],
            blocks_first: true,
            before_time: 0,
        },
    }
}

const fn daily_names(fuel: Fuel) -> Names {
    match fuel {
        Fuel::Electricity => Names {
            entry: "Electricity",
            import: "ElecActiveImportRegisterConsumption",
            tou: TOU,
            blocks: ELECTRICITY_BLOCKS,
            blocks_first: false,
            before_time: usize::MAX,
        },
        Fuel::Gas => Names {
            entry: "Gas",
            import: "GasActiveImportRegisterConsumption",
            tou: "TariffTOURegisterMatrix",
            blocks: ["TariffBlockCounterMatrix", ""],
            blocks_first: true,
            before_time: usize::MAX,
        },
    }
}

impl RegisterReading {
    /// The registers without the time.
    fn registers(&self, names: &Names) -> Vec<MmcElement> {
        let import = optional(names.import, self.import);
        let (tou, blocks) = (indexed(names.tou, &self.tou), self.blocks(names.blocks));
        let (first, last) = if names.blocks_first { (blocks, tou) } else { (tou, blocks) };
        import.into_iter().chain(first).chain(last).collect()
    }

    fn blocks(&self, [before, after]: [&str; 2]) -> Vec<MmcElement> {
        if after.is_empty() {
            let registers: Vec<Decimal> = self.blocks.iter().flatten().copied().collect();
            return indexed(before, &registers);
        }
        let block =
            |(n, values): (usize, &Vec<Decimal>)| indexed(&format!("{before}{}{after}", n + 1), values);
        self.blocks.iter().enumerate().flat_map(block).collect()
    }

    fn to_element(&self, names: &Names) -> MmcElement {
        let mut parts = self.registers(names);
        parts.insert(names.before_time.min(parts.len()), timestamp(self.time));
        MmcElement::new(names.entry).with_all(parts)
    }
}

/// 4.4.2 or 4.4.3: what the registers said each time the trigger came.
///
/// # Errors
/// More than 12 entries of a kind, or registers the schema has no place for.
pub fn billing_log(
    trigger: BillingTrigger,
    fuel: Fuel,
    registers: &[RegisterReading],
    prepayment: &[PrepaymentReading],
) -> Result<MmcBody, FormError> {
    let (srv, prepayment_entry) = match (trigger, fuel) {
        (BillingTrigger::ModeOrTariff, _) => {
            (Srv::RetrieveCoMOrTariffTriggeredBillingDataLog, "LogEntryPrepaymentData")
        }
        (BillingTrigger::Calendar, Fuel::Electricity) => {
            (Srv::RetrieveBillingCalendarTriggeredBillingDataLog, "ESMEBillingPrepaymentDataLogEntry")
        }
        (BillingTrigger::Calendar, Fuel::Gas) => {
            (Srv::RetrieveBillingCalendarTriggeredBillingDataLog, "GSMEBillingPrepaymentDataLogEntry")
        }
    };
    let names = names(trigger, fuel);
    let content = MmcElement::new(fuel.element())
        .with_all(registers.iter().map(|reading| reading.to_element(&names)))
        .with_all(prepayment.iter().map(|reading| reading.to_element(prepayment_entry)));
    MmcBody::new(srv, true, [content])
}

/// A sum that a meter took or was given, in thousandths of a penny for electricity, as the device gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// When.
    pub time: Timestamp,
    /// How much.
    pub amount: i64,
}

fn payments(srv: Srv, name: &str, payments: &[Payment]) -> Result<MmcBody, FormError> {
    let entries = payments.iter().map(|payment| {
        let amount = MmcElement::leaf("Amount", payment.amount);
        MmcElement::new("LogEntry").with(amount).with(timestamp(payment.time))
    });
    MmcBody::new(srv, true, [MmcElement::new(name).with_all(entries)])
}

/// 4.4.4: debt repaid out of payments.
///
/// # Errors
/// More than 10 entries.
pub fn debt_payments(entries: &[Payment]) -> Result<MmcBody, FormError> {
    payments(Srv::RetrieveBillingDataLogDebtPayments, "PaymentBasedDebtRepayment", entries)
}

/// 4.4.5: credit added.
///
/// # Errors
/// More than 5 entries.
pub fn prepayment_credits(entries: &[Payment]) -> Result<MmcBody, FormError> {
    payments(Srv::RetrieveBillingDataLogPrepaymentCredits, "PrepaymentCredits", entries)
}

/// 4.6.1: what the registers said at midnight of each day.
///
/// # Errors
/// More than 31 entries, or registers the schema has no place for.
pub fn daily_reads(fuel: Fuel, readings: &[RegisterReading]) -> Result<MmcBody, FormError> {
    let names = daily_names(fuel);
    let entries = readings.iter().map(|reading| {
        let registers = MmcElement::new(names.entry).with_all(reading.registers(&names));
        MmcElement::new("LogEntry").with(timestamp(reading.time)).with(registers)
    });
    MmcBody::new(Srv::RetrieveImportDailyReadLog, true, entries)
}

/// 4.6.2: active energy exported, in Wh, at midnight of each day.
///
/// # Errors
/// More than 31 entries.
pub fn export_daily_reads(entries: &[(Timestamp, i64)]) -> Result<MmcBody, FormError> {
    let entries = entries.iter().map(|(time, value)| {
        MmcElement::new("LogEntry")
            .with(MmcElement::leaf("ActiveExportRegisterValue", value))
            .with(MmcElement::leaf("TimeStamp", time))
    });
    MmcBody::new(Srv::RetrieveExportDailyReadLog, true, entries)
}

/// 4.8.2: reactive energy imported in each half hour, in varh.
///
/// # Errors
/// More than 4,464 entries.
pub fn reactive_profile(entries: &[(Timestamp, i64)]) -> Result<MmcBody, FormError> {
    let entries = entries.iter().map(|(time, value)| {
        let value = MmcElement::leaf("ReactiveEnergyImportedValue", value);
        MmcElement::new("LogEntry").with(value).with(timestamp(*time))
    });
    MmcBody::new(Srv::ReadReactiveImportProfileData, true, entries)
}

/// What was exported in one half hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportedEnergy {
    /// When the half hour ended.
    pub time: Timestamp,
    /// Active energy in Wh.
    pub active: Option<i64>,
    /// Reactive energy in varh.
    pub reactive: Option<i64>,
}

/// 4.8.3.
///
/// # Errors
/// More than 4,464 entries.
pub fn export_profile(entries: &[ExportedEnergy]) -> Result<MmcBody, FormError> {
    let entries = entries.iter().map(|entry| {
        MmcElement::new("LogEntry")
            .with_all(optional("ActiveEnergyExportedValue", entry.active))
            .with_all(optional("ReactiveEnergyExportedValue", entry.reactive))
            .with(timestamp(entry.time))
    });
    MmcBody::new(Srv::ReadExportProfileData, true, entries)
}

/// What an electricity meter knows of the voltage of one phase.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VoltageReport {
    /// How often the average was above its threshold.
    pub over: Option<u32>,
    /// How often it was below its threshold.
    pub under: Option<u32>,
    /// The average of each period, in volts.
    pub profile: Vec<(Timestamp, Decimal)>,
    /// How long a period is, in seconds.
    pub period: Option<u32>,
}

/// Values with their times.
fn timed(name: &str, entries: &[(Timestamp, Decimal)]) -> MmcElement {
    let entries = entries.iter().map(|(time, value)| {
        MmcElement::new("LogEntry").with(MmcElement::leaf("Value", value)).with(timestamp(*time))
    });
    MmcElement::new(name).with_all(entries)
}

impl VoltageReport {
    fn to_element(&self, name: &str) -> MmcElement {
        let counter = |name: &str, value: Option<u32>| {
            value.map(|value| MmcElement::new(name).with(MmcElement::leaf("Value", value)))
        };
        let log = timed("AvgRMSVoltageProfileDataLog", &self.profile);
        MmcElement::new(name)
            .with_all(counter("AvgRMSOverVoltageCounter", self.over))
            .with_all(counter("AvgRMSUnderVoltageCounter", self.under))
            .with(log.with_all(optional("MeasurementPeriod", self.period)))
    }
}

/// 4.10 of an electricity meter: a report for each of its phases.
///
/// # Errors
/// More than 3 phases, or more than 4,320 values of one.
pub fn voltage_data(phases: &[VoltageReport]) -> Result<MmcBody, FormError> {
    let content = match phases {
        [only] => only.to_element("SinglePhaseESME"),
        phases => {
            let phase = |(n, report): (usize, &VoltageReport)| {
                MmcElement::new("PhaseVoltageOperationalData")
                    .with(report.to_element("VoltageOperationalData"))
                    .with(MmcElement::leaf("Phase", n + 1))
            };
            MmcElement::new("PolyPhaseESME").with_all(phases.iter().enumerate().map(phase))
        }
    };
    MmcBody::new(Srv::ReadNetworkData, true, [MmcElement::new("Electricity").with(content)])
}

/// 4.10 of a gas meter: what it recorded when it was told to, in cubic metres.
///
/// # Errors
/// More than 41 entries.
pub fn gas_network_data(entries: &[(Timestamp, Decimal)]) -> Result<MmcBody, FormError> {
    let content = MmcElement::new("Gas").with(timed("NetworkDataLog", entries));
    MmcBody::new(Srv::ReadNetworkData, true, [content])
}

/// 4.14: what the prepayment registers said at midnight of each day.
///
/// # Errors
/// More than 31 entries.
pub fn prepayment_daily_reads(fuel: Fuel, readings: &[PrepaymentReading]) -> Result<MmcBody, FormError> {
    let entries = readings.iter().map(|reading| reading.to_element("LogEntry"));
    let content = MmcElement::new(fuel.element()).with_all(entries);
    MmcBody::new(Srv::ReadPrepaymentDailyReadLog, true, [content])
}

/// 4.17: consumption of each day, in Wh for electricity and cubic metres for gas.
///
/// # Errors
/// More than 731 entries, or one of electricity that is not a whole number.
pub fn daily_consumption(fuel: Fuel, days: &[(Timestamp, Decimal)]) -> Result<MmcBody, FormError> {
    MmcBody::new(Srv::RetrieveDailyConsumptionLog, true, [timed(fuel.element(), days)])
}
