//! The field's words for what is numbered on the wire: interface classes, OBIS codes, units.
//!
//! Nothing here decides anything: a number without a name keeps its number. Codecs carry the numbers, people read the
//! words ([`explain`](crate::explain), error messages, reports). Classes and units are those of IEC 62056-6-2, OBIS codes
//! those of IEC 62056-6-1, whose value groups are read one by one, so that a code no list has is named all the same.

mod class;
mod obis;
mod obis_abstract;
mod unit;

pub use class::{attribute_name, class_name, enumeration, method_name};
pub use obis::object_name;
pub use unit::Unit;

use crate::data::{AttributeRef, MethodRef};

/// An attribute in words: `1-0:1.8.0.255 active energy import total, Register, attribute 2 value`.
///
/// ```
/// use proto_dlms::data::{AttributeRef, ClassId};
/// use proto_dlms::vocabulary::attribute;
///
/// let import = AttributeRef { class: ClassId(3), obis: "1-0:1.8.0".parse()?, attribute: 2 };
/// assert_eq!(attribute(&import), "1-0:1.8.0.255 active energy import total, Register, attribute 2 value");
/// # Ok::<(), proto_dlms::data::ObisError>(())
/// ```
pub fn attribute(named: &AttributeRef) -> String {
    let AttributeRef { class, obis, attribute } = *named;
    let member = match attribute_name(class, attribute) {
        Some(name) => format!("attribute {attribute} {name}"),
        None => format!("attribute {attribute}"),
    };
    format!("{} {}, {}, {member}", full(obis), object_name(obis), class_words(class))
}

/// A method in words: `0-0:96.3.10.255 disconnect control, Disconnect control, method 2 remote_reconnect`.
pub fn method(named: &MethodRef) -> String {
    let MethodRef { class, obis, method } = *named;
    let member = match method_name(class, method) {
        Some(name) => format!("method {method} {name}"),
        None => format!("method {method}"),
    };
    format!("{} {}, {}, {member}", full(obis), object_name(obis), class_words(class))
}

/// The name of a class, or its number where it has none.
pub fn class_words(class: crate::data::ClassId) -> String {
    class_name(class).map_or_else(|| format!("class {class}"), str::to_owned)
}

/// An OBIS code with all six groups.
pub fn full(obis: crate::data::Obis) -> String {
    let [a, b, c, d, e, f] = obis.0;
    format!("{a}-{b}:{c}.{d}.{e}.{f}")
}
