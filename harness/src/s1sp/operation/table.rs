//! A buffer (class 7) with the objects its columns come from, so that a value is found by what it is and not by its place.

use jiff::Timestamp;
use lab_config::{Function, Object};
use proto_dlms::data::{AttributeRef, CaptureObject, ClassId, Data, Obis};
use proto_duis::mmc::build::Decimal;

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::log::{Row, Rows};
use crate::driver::cosem;
use crate::driver::values::ScalerUnit;

/// The rows of a buffer that lie within a period.
pub(super) struct Table {
    function: Function,
    columns: Vec<CaptureObject>,
    data: Data,
}

/// A column of numbers.
#[derive(Clone, Copy)]
pub(super) struct Column {
    index: usize,
    exponent: i8,
}

impl Column {
    pub(super) fn of(self, row: &Row<'_>) -> Result<Decimal, Refusal> {
        let mantissa = i64::try_from(row.number(self.index)?).map_err(|_| row.wrong())?;
        Ok(Decimal { mantissa, exponent: self.exponent })
    }

    /// The same in whole units, fractions left off as a display does.
    pub(super) fn whole_of(self, row: &Row<'_>) -> Result<i64, Refusal> {
        whole(row.number(self.index)?, self.exponent).ok_or_else(|| row.wrong())
    }
}

/// `raw` times ten to the power of `exponent`, fractions left off; none beyond 64 bits.
pub(super) fn whole(raw: i128, exponent: i8) -> Option<i64> {
    let power = 10i128.checked_pow(exponent.unsigned_abs().into())?;
    let scaled = if exponent < 0 { raw.checked_div(power) } else { raw.checked_mul(power) };
    scaled.and_then(|value| i64::try_from(value).ok())
}

/// Group C of an OBIS code (IEC 62056-61, 5.3): what an electricity register counts.
pub(super) const ACTIVE_EXPORT: u8 = 2;
pub(super) const REACTIVE_IMPORT: u8 = 3;
pub(super) const REACTIVE_EXPORT: u8 = 4;

impl Table {
    /// The rows of a function's buffer from one moment to another, both included.
    pub(super) async fn read(
        desk: &mut Desk,
        function: Function,
        [from, to]: [Timestamp; 2],
    ) -> Result<Table, Refusal> {
        let object = desk.object(function)?;
        let described = desk.get(cosem::numbered(&object, 3), None).await?;
        let columns = described
            .elements()
            .and_then(|columns| columns.iter().map(CaptureObject::from_data).collect::<Option<Vec<_>>>());
        let columns = columns.ok_or_else(|| Refusal::value(format!("columns of {function}"), &described))?;
        let data = desk.between(cosem::attribute(&object), from, to).await?;
        Ok(Table { function, columns, data })
    }

    pub(super) fn rows(&self, desk: &Desk) -> Result<Rows<'_>, Refusal> {
        Rows::of(&self.data, desk.sign())
    }

    /// The column that holds this register, with its scaler; none if there is no such column.
    pub(super) async fn register(&self, desk: &mut Desk, obis: Obis) -> Result<Option<Column>, Refusal> {
        self.find(desk, |column| column.class == ClassId(3) && column.obis == obis).await
    }

    /// The first column of a register that counts this, by group C of its name.
    pub(super) async fn counting(&self, desk: &mut Desk, c: u8) -> Result<Column, Refusal> {
        let counts = |column: &CaptureObject| column.class == ClassId(3) && column.obis.0[2] == c;
        self.find(desk, counts).await?.ok_or_else(|| self.without(format!("register with C={c}")))
    }

    /// The first column of a register, whatever it counts.
    pub(super) async fn first_register(&self, desk: &mut Desk) -> Result<Column, Refusal> {
        let register = |column: &CaptureObject| column.class == ClassId(3);
        self.find(desk, register).await?.ok_or_else(|| self.without("register".to_owned()))
    }

    /// The column of a credit, or of what is owed in a debt; none where the Device Model names no such object.
    pub(super) fn credit(&self, object: Option<Object>) -> Option<Column> {
        self.of_object(object?, 2)
    }

    pub(super) fn debt(&self, object: Option<Object>) -> Option<Column> {
        /// The attribute of a charge that says what is owed.
        const OWED: i8 = 12;
        self.of_object(object?, OWED)
    }

    fn of_object(&self, object: Object, attribute: i8) -> Option<Column> {
        let of = |column: &CaptureObject| {
            (column.class, column.obis, column.attribute) == (object.class, object.obis, attribute)
        };
        Some(Column { index: self.columns.iter().position(of)?, exponent: 0 })
    }

    /// The first column that comes from an object of this class, as it stands.
    pub(super) fn of_class(&self, class: u16) -> Option<Column> {
        let index = self.columns.iter().position(|column| column.class == ClassId(class))?;
        Some(Column { index, exponent: 0 })
    }

    /// The column at a place, as it stands, of a log whose columns are not objects of the meter.
    pub(super) const fn plain(&self, index: usize) -> Column {
        Column { index, exponent: 0 }
    }

    async fn find(
        &self,
        desk: &mut Desk,
        wanted: impl Fn(&CaptureObject) -> bool,
    ) -> Result<Option<Column>, Refusal> {
        let Some(index) = self.columns.iter().position(wanted) else { return Ok(None) };
        let CaptureObject { class, obis, attribute, .. } = self.columns[index];
        let ScalerUnit { scaler, .. } = desk.scaler(AttributeRef { class, obis, attribute }).await?;
        Ok(Some(Column { index, exponent: scaler }))
    }

    fn without(&self, what: String) -> Refusal {
        Refusal::NotExpressible(format!("{} of the Device Model has no column of a {what}", self.function))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_units_leave_fractions_off_and_do_not_overflow() {
        assert_eq!(whole(1_999, -3), Some(1));
        assert_eq!(whole(-1_999, -3), Some(-1));
        assert_eq!(whole(12, 2), Some(1_200));
        assert_eq!(whole(i128::MAX, 1), None);
        assert_eq!(whole(1, 127), None);
    }
}
