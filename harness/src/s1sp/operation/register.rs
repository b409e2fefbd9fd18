//! 4.1.1, 4.1.2, 4.2, 4.8.1 and 4.16: what was consumed and exported.

use jiff::Timestamp;
use lab_config::{Function, ProfileColumn};
use proto_dlms::data::{AttributeRef, CaptureObject, ClassId, Data, Obis};
use proto_duis::MmcBody;
use proto_duis::mmc::build::{self, Decimal, Fuel};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::log::Rows;
use super::table;
use crate::driver::cosem;
use crate::driver::values::ScalerUnit;

/// Watt hours, watts: IEC 62056-62, table of units.
const WATT_HOUR: u8 = 30;
const VAR_HOUR: u8 = 32;
pub(super) const WATT: u8 = 27;

pub(super) async fn import(desk: &mut Desk, fuel: Fuel) -> Result<MmcBody, Refusal> {
    if fuel == Fuel::Gas {
        let object = desk.object(Function::GasVolume)?;
        let (raw, scaler) = desk.register(&object).await?;
        return Ok(build::import_registers_gas(decimal(raw, scaler)?)?);
    }
    let active = whole(desk, Function::ActiveImport, WATT_HOUR).await?;
    let reactive = match desk.object(Function::ReactiveImport) {
        Ok(_) => Some(whole(desk, Function::ReactiveImport, VAR_HOUR).await?),
        Err(_) => None,
    };
    Ok(build::import_registers_electricity(Some(active), reactive)?)
}

/// 4.2: active energy, and reactive where the Device Model has it.
pub(super) async fn export(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let active = whole(desk, Function::ActiveExport, WATT_HOUR).await?;
    let reactive = match desk.object(Function::ReactiveExport) {
        Ok(_) => Some(whole(desk, Function::ReactiveExport, VAR_HOUR).await?),
        Err(_) => None,
    };
    Ok(build::export_registers(Some(active), reactive)?)
}

/// Most time-of-use registers an answer holds (MMC), which is what a SMETS1 tariff has.
const TOU_REGISTERS: usize = 48;

/// 4.1.2: the registers the tariff counts in, in whole watt hours.
pub(super) async fn time_of_use(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    desk.object(Function::RegisterActivation)?;
    let mut registers = Vec::new();
    for obis in tariff_registers(desk).await?.into_iter().take(TOU_REGISTERS) {
        let attribute = AttributeRef { class: ClassId(3), obis, attribute: 2 };
        let value = desk.get(attribute, None).await?;
        let raw = value.as_i128().ok_or_else(|| Refusal::value(attribute, &value))?;
        let scaler = desk.scaler(attribute).await?;
        let wh = table::whole(raw, scaler.scaler).ok_or_else(|| Refusal::value(attribute, &raw))?;
        registers.push(Decimal { mantissa: wh, exponent: 0 });
    }
    Ok(build::tou_registers(Fuel::Electricity, &registers)?)
}

/// The registers that activities of the tariff select among (class 6, attribute 2), in the meter's order; none where the
/// Device Model names no such object.
pub(super) async fn tariff_registers(desk: &mut Desk) -> Result<Vec<Obis>, Refusal> {
    let Ok(object) = desk.object(Function::RegisterActivation) else { return Ok(Vec::new()) };
    let assignment = desk.get(cosem::numbered(&object, 2), None).await?;
    let register = |entry: &Data| {
        let [class, name] = entry.elements()? else { return None };
        let obis = Obis(name.as_octets()?.try_into().ok()?);
        (class.as_i128()? == 3).then_some(obis)
    };
    let registers = assignment.elements().map(|entries| entries.iter().filter_map(register).collect());
    registers.ok_or_else(|| Refusal::value(Function::RegisterActivation, &assignment))
}

pub(super) async fn active_power(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    Ok(build::active_power_import(whole(desk, Function::ActivePowerImport, WATT).await?)?)
}

/// The half hours that end within the period: the column the Device Model says holds the interval, or else the first
/// register column.
pub(super) async fn profile(
    desk: &mut Desk,
    fuel: Fuel,
    from: Timestamp,
    to: Timestamp,
) -> Result<MmcBody, Refusal> {
    let object = desk.object(Function::HalfHourlyProfile)?;
    let columns = desk.get(cosem::numbered(&object, 3), None).await?;
    let (index, column) = interval(&columns, desk.profile()?.particulars.profile_columns())?;
    let data = desk.between(cosem::attribute(&object), from, to).await?;
    let scaler = desk.scaler(attribute(column)).await?;
    let rows = Rows::of(&data, desk.sign())?;
    let entries = rows.map(|row| Ok((row.time()?, decimal(row.number(index)?, scaler)?)));
    let entries: Vec<_> = entries.collect::<Result<_, Refusal>>()?;
    Ok(build::profile(fuel, &entries)?)
}

fn interval(columns: &Data, modelled: &[ProfileColumn]) -> Result<(usize, CaptureObject), Refusal> {
    let wrong = || Refusal::value("the columns of the profile", columns);
    let columns = columns.elements().ok_or_else(wrong)?;
    let columns = columns.iter().map(CaptureObject::from_data).enumerate();
    let registers: Vec<(usize, CaptureObject)> = columns
        .filter_map(|(index, column)| Some((index, column.filter(|column| column.class == ClassId(3))?)))
        .collect();
    let place = modelled.iter().position(|column| *column == ProfileColumn::Interval);
    let found = registers.iter().find(|(index, _)| Some(*index) == place).or(registers.first());
    found.copied().ok_or_else(wrong)
}

fn attribute(column: CaptureObject) -> AttributeRef {
    let CaptureObject { class, obis, attribute, .. } = column;
    AttributeRef { class, obis, attribute }
}

/// A register in whole units of `unit`, fractions left off as a display does.
pub(super) async fn whole(desk: &mut Desk, function: Function, unit: u8) -> Result<i64, Refusal> {
    let object = desk.object(function)?;
    let (raw, scaler) = desk.register(&object).await?;
    if scaler.unit != unit {
        return Err(Refusal::value(format!("the unit of {function}"), &scaler.symbol()));
    }
    table::whole(raw, scaler.scaler).ok_or_else(|| Refusal::value(function, &raw))
}

fn decimal(raw: i128, scaler: ScalerUnit) -> Result<Decimal, Refusal> {
    let mantissa = i64::try_from(raw).map_err(|_| Refusal::value("a register", &raw))?;
    Ok(Decimal { mantissa, exponent: scaler.scaler })
}
