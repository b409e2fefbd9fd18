//! The columns of a profile or log by name: what a script sees of a buffer, whatever the order and steps of its meter.

use lab_config::{DlmsProfile, Function, ProfileColumn};
use proto_dlms::data::{AttributeRef, CaptureObject, ClassId, Data};
use scenarios::{Column, Values};

use crate::driver::values::{self, ScalerUnit};
use crate::driver::{DriverError, Session, cosem, read};
use crate::execute::Trouble;

/// The registers, whose values count in steps of their own.
const REGISTERS: [ClassId; 3] = [ClassId(3), ClassId(4), ClassId(5)];

/// Sets each of the `named` columns for every row of a buffer: `value[0].interval`.
///
/// # Errors
/// [`Trouble`]: the meter does not capture a column (a fail: its Device Model says it does), or does not answer.
pub(super) async fn set(
    session: &mut Session,
    profile: &DlmsProfile,
    (function, buffer): (Function, AttributeRef),
    rows: &Data,
    named: &[Column],
    seen: &mut Values,
) -> Result<(), Trouble> {
    if named.is_empty() {
        return Ok(());
    }
    let captured = session.get(AttributeRef { attribute: 3, ..buffer }, None).await.map_err(driver)?;
    let captured: Vec<Option<CaptureObject>> =
        captured.elements().unwrap_or_default().iter().map(CaptureObject::from_data).collect();
    for column in named {
        let place = place(*column, function, profile, &captured);
        let place = place.ok_or_else(|| Trouble::fail(format!("the {function} captures no {column}")))?;
        let scaler = scaler(session, captured.get(place).copied().flatten()).await?;
        for (index, row) in rows.elements().unwrap_or_default().iter().enumerate() {
            let Some(value) = row.elements().and_then(|values| values.get(place)) else { continue };
            let class = if place == 0 { ClassId(8) } else { ClassId(3) };
            let reading = values::reading(value, class, scaler, cosem::sign(profile));
            seen.set(format!("value[{index}].{column}"), reading.value);
        }
    }
    Ok(())
}

/// Where in a row the column is.
fn place(
    column: Column,
    function: Function,
    profile: &DlmsProfile,
    captured: &[Option<CaptureObject>],
) -> Option<usize> {
    let found = |wanted: &dyn Fn(&CaptureObject) -> bool| {
        captured.iter().position(|object| object.as_ref().is_some_and(wanted))
    };
    match column {
        Column::Function(of) => {
            let object = profile.object(of)?;
            found(&|captured| captured.class == object.class && captured.obis == object.obis)
        }
        Column::Profile(ProfileColumn::Time) => Some(0),
        Column::Profile(column) if function == Function::HalfHourlyProfile => {
            profile.particulars.profile_columns().iter().position(|modelled| *modelled == column)
        }
        Column::Profile(ProfileColumn::Interval) => {
            found(&|captured| REGISTERS.contains(&captured.class) && captured.attribute == 2)
        }
        Column::Profile(ProfileColumn::Reading | ProfileColumn::Status) => None,
    }
}

/// What the values of a captured register count in.
async fn scaler(
    session: &mut Session,
    captured: Option<CaptureObject>,
) -> Result<Option<ScalerUnit>, Trouble> {
    let Some(CaptureObject { class, obis, attribute, .. }) = captured else { return Ok(None) };
    read::scaler_unit(session, AttributeRef { class, obis, attribute }).await.map_err(driver)
}

fn driver(error: DriverError) -> Trouble {
    super::second_path::reach(error.into())
}

#[cfg(test)]
mod tests {
    use lab_config::{DeviceKind, Lab};
    use proto_dlms::data::Obis;

    use super::*;

    fn object(class: u16, obis: [u8; 6]) -> Option<CaptureObject> {
        Some(CaptureObject { class: ClassId(class), obis: Obis(obis), attribute: 2, data_index: 0 })
    }

    #[test]
    fn a_column_is_found_by_what_it_holds() {
        let lab = Lab::embedded().expect("the embedded lab");
        let esme = lab.rigs[0].device(DeviceKind::Esme).expect("a meter");
        let profile = esme.model.profile.dlms().expect("DLMS");
        let import = profile.object(Function::ActiveImport).expect("the register").obis;
        let captured =
            [object(8, [0, 0, 1, 0, 0, 255]), object(3, [1, 0, 2, 29, 0, 255]), object(3, import.0), None];
        let at = |column, of| place(column, of, profile, &captured);
        let interval = Column::Profile(ProfileColumn::Interval);
        assert_eq!(at(interval, Function::ExportProfile), Some(1));
        assert_eq!(at(Column::Function(Function::ActiveImport), Function::DailyLog), Some(2));
        assert_eq!(at(Column::Function(Function::ActiveExport), Function::DailyLog), None);
        assert_eq!(at(Column::Profile(ProfileColumn::Time), Function::DailyLog), Some(0));
        assert_eq!(at(Column::Profile(ProfileColumn::Status), Function::DailyLog), None);
    }
}
