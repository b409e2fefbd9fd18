//! From the names of a Device Model's profile to those of the DLMS crate.

use lab_config::{DlmsProfile, Object};
use proto_dlms::data::{AttributeRef, DeviationSign, MethodRef};

/// The attribute that serves a function.
#[must_use]
pub fn attribute(object: &Object) -> AttributeRef {
    numbered(object, object.attribute)
}

/// Another attribute of the same object.
#[must_use]
pub fn numbered(object: &Object, attribute: i8) -> AttributeRef {
    AttributeRef { class: object.class, obis: object.obis, attribute }
}

/// The method that serves a function.
#[must_use]
pub fn method(object: &Object) -> MethodRef {
    MethodRef { class: object.class, obis: object.obis, method: object.method }
}

/// Which way the device's clock counts its deviation; the standard's where the model does not say.
#[must_use]
pub fn sign(profile: &DlmsProfile) -> DeviationSign {
    match profile.deviation.map(|fact| fact.value) {
        Some(lab_config::DeviationSign::Inverted) => DeviationSign::Inverted,
        Some(lab_config::DeviationSign::Standard) | None => DeviationSign::Standard,
    }
}
