//! What a meter reads out at its optical port in IEC 62056-21 mode C: who it is, its clock, and its registers, in the
//! order of their names.

use proto_dlms::data::ClassId;
use proto_dlms::server::Peer;
use proto_dlms::sign_on::{DataSet, ReadOut, Value};
use proto_dlms::vocabulary::Unit;

use super::{Device, Face, Spec};

/// A read-out asks for no association; what it shows is what the meter lets anybody see.
const ANYBODY: u16 = 16;

impl<D: Device> Face<'_, D> {
    /// The read-out at this moment.
    pub fn read_out(&self) -> ReadOut {
        let core = self.device.core();
        let text = |address: &str, text: String| DataSet {
            address: address.to_owned(),
            values: vec![Value { text, unit: None }],
        };
        let fault_free = text("F.F", "00000000".to_owned());
        let identity = text("0-0:96.1.0", core.plate.eui64.to_string());
        let firmware = text("0-0:0.2.1", core.plate.firmware.clone());
        let registers = self.shell.directory.all().filter(|spec| spec.class == ClassId(3));
        let registers = registers.filter_map(|spec| self.register(spec));
        ReadOut { data_sets: [fault_free, identity, firmware].into_iter().chain(registers).collect() }
    }

    fn register(&self, spec: &Spec) -> Option<DataSet> {
        let anybody = Peer::new(ANYBODY, self.shell.logical);
        let number = self.read(anybody, spec, 2).ok()?.as_i128()?;
        let scaler = self.read(anybody, spec, 3).ok()?;
        let [power, unit] = scaler.elements()? else { return None };
        let power = i32::try_from(power.as_i128()?).ok()?;
        let unit = Unit(u8::try_from(unit.as_i128()?).ok()?);
        let address = spec.obis.to_string();
        Some(DataSet {
            address,
            values: vec![Value { text: scaled(number, power), unit: unit.symbol().map(str::to_owned) }],
        })
    }
}

/// A number with its power of ten, without exponent: `12345678` and `-3` are `12345.678`.
fn scaled(number: i128, power: i32) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let digits = number.unsigned_abs().to_string();
    match usize::try_from(power) {
        Ok(zeros) => format!("{sign}{digits}{}", "0".repeat(zeros)),
        Err(_) => {
            let places = usize::try_from(power.unsigned_abs()).unwrap_or(0);
            let digits = format!("{digits:0>width$}", width = places + 1);
            let (whole, part) = digits.split_at(digits.len() - places);
            format!("{sign}{whole}.{part}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_without_exponent() {
        assert_eq!(scaled(12_345_678, -3), "12345.678");
        assert_eq!(scaled(5, -3), "0.005");
        assert_eq!(scaled(-15, -1), "-1.5");
        assert_eq!(scaled(7, 2), "700");
        assert_eq!(scaled(7, 0), "7");
    }
}
