//! What a device does wrongly while everything about it works: the wrong behaviours that scripts are there to find.
//!
//! A fault of a line or of a clock shows by itself. A meter that says it has done what it was asked and has not, or that tells
//! its head end something else than it shows at its own port, is found only by a script that looks twice.

use std::collections::BTreeSet;

use lab_config::cosem::{ClassId, Obis};
use proto_dlms::data::Data;

/// The wrong behaviours of one device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Misbehaviour {
    ignored: BTreeSet<Obis>,
    misreported: BTreeSet<Obis>,
    muted: BTreeSet<u16>,
}

impl Misbehaviour {
    /// It says it did what it was asked of an object, and does nothing.
    pub fn ignore(&mut self, obis: Obis, on: bool) {
        put(&mut self.ignored, obis, on);
    }

    /// What it tells of an object from afar is not what it shows at its own port.
    pub fn misreport(&mut self, obis: Obis, on: bool) {
        put(&mut self.misreported, obis, on);
    }

    /// It sends no alert of this code.
    pub fn mute(&mut self, code: u16, on: bool) {
        put(&mut self.muted, code, on);
    }

    /// Whether it only says that it does what it is asked of an object.
    pub fn ignores(&self, obis: Obis) -> bool {
        self.ignored.contains(&obis)
    }

    /// Whether it keeps an alert to itself.
    pub fn mutes(&self, code: u16) -> bool {
        self.muted.contains(&code)
    }

    /// What it tells of an attribute from afar.
    pub fn told(&self, class: ClassId, obis: Obis, attribute: i8, value: Data) -> Data {
        // Names, and what describes registers and buffers, stay: a reader could make nothing of the value without them.
        let describes = attribute == 1 || (matches!(class, ClassId(3 | 4 | 7)) && attribute != 2);
        if describes || !self.misreported.contains(&obis) { value } else { wrong(value) }
    }
}

fn put<T: Ord>(set: &mut BTreeSet<T>, what: T, on: bool) {
    if on {
        set.insert(what);
    } else {
        set.remove(&what);
    }
}

/// The bit of a number that is turned over: a difference no meter makes up for while it is read twice.
const BIT: u8 = 64;

/// Every number with one bit turned over, and every one of a list of values another of them; everything else as it is.
fn wrong(value: Data) -> Data {
    match value {
        Data::Array(elements) => Data::Array(elements.into_iter().map(wrong).collect()),
        Data::Structure(elements) => Data::Structure(elements.into_iter().map(wrong).collect()),
        Data::I8(number) => Data::I8(number ^ BIT.cast_signed()),
        Data::I16(number) => Data::I16(number ^ i16::from(BIT)),
        Data::I32(number) => Data::I32(number ^ i32::from(BIT)),
        Data::I64(number) => Data::I64(number ^ i64::from(BIT)),
        Data::U8(number) => Data::U8(number ^ BIT),
        Data::U16(number) => Data::U16(number ^ u16::from(BIT)),
        Data::U32(number) => Data::U32(number ^ u32::from(BIT)),
        Data::U64(number) => Data::U64(number ^ u64::from(BIT)),
        Data::Enum(number) => Data::Enum(number ^ 1),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misreported_object_is_wrong_in_its_value_and_right_in_what_describes_it() {
        let obis = Obis([1, 0, 1, 8, 0, 255]);
        let mut device = Misbehaviour::default();
        device.misreport(obis, true);
        let told = |device: &Misbehaviour, attribute| device.told(ClassId(3), obis, attribute, Data::U32(7));
        assert_eq!((told(&device, 2), told(&device, 3)), (Data::U32(71), Data::U32(7)));
        device.misreport(obis, false);
        assert_eq!((told(&device, 2), device), (Data::U32(7), Misbehaviour::default()));
    }

    #[test]
    fn rows_keep_their_times() {
        let row =
            |number| Data::Array(vec![Data::Structure(vec![Data::Octets(vec![7; 12]), Data::U16(number)])]);
        assert_eq!(wrong(row(41)), row(105));
    }
}
