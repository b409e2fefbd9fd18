//! Names of COSEM objects, as the DLMS crate has them, for those who read profiles and scripts.

pub use proto_dlms::data::{AttributeRef, ClassId, Data, MethodRef, Obis};
