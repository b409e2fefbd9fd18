//! Changes of several attributes that belong together: all of them are made, or none.
//!
//! COSEM sets attribute by attribute, and a device may refuse the third of four. Then those before it are put back as they
//! were, so that a refused request has changed nothing. What the device holds already is not written again: some settings
//! do something on being set, such as wiping a profile, even where they stay the same.

use lab_config::{Function, Object};
use proto_dlms::data::{AttributeRef, Data};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use crate::driver::cosem;

/// An attribute as the device holds it, and as it is to be.
pub(super) struct Change {
    attribute: AttributeRef,
    held: Data,
    wanted: Data,
}

impl Change {
    /// A change to a value made from the one held.
    pub(super) async fn from_held(
        desk: &mut Desk,
        attribute: AttributeRef,
        wanted: impl FnOnce(&Data) -> Result<Data, Refusal>,
    ) -> Result<Change, Refusal> {
        let held = desk.get(attribute, None).await?;
        let wanted = wanted(&held)?;
        Ok(Change { attribute, held, wanted })
    }

    /// A change to a number, of the type the device holds.
    pub(super) async fn to_number(
        desk: &mut Desk,
        object: &Object,
        attribute: i8,
        number: u32,
    ) -> Result<Change, Refusal> {
        let attribute = cosem::numbered(object, attribute);
        Change::from_held(desk, attribute, |held| like(held, number)).await
    }
}

/// The number of a function, of the type the device holds.
pub(super) async fn number(desk: &mut Desk, function: Function, to: u32) -> Result<Change, Refusal> {
    let object = desk.object(function)?;
    Change::to_number(desk, &object, object.attribute, to).await
}

/// A number of the same type as a value; refused where that type has no room for it.
pub(super) fn like(held: &Data, number: u32) -> Result<Data, Refusal> {
    let number = i64::from(number);
    let fits = match held {
        Data::U8(_) => u8::try_from(number).ok().map(Data::U8),
        Data::U16(_) => u16::try_from(number).ok().map(Data::U16),
        Data::U32(_) => u32::try_from(number).ok().map(Data::U32),
        Data::U64(_) => u64::try_from(number).ok().map(Data::U64),
        Data::I8(_) => i8::try_from(number).ok().map(Data::I8),
        Data::I16(_) => i16::try_from(number).ok().map(Data::I16),
        Data::I32(_) => i32::try_from(number).ok().map(Data::I32),
        Data::I64(_) => Some(Data::I64(number)),
        Data::Enum(_) => u8::try_from(number).ok().map(Data::Enum),
        _ => return Err(Refusal::value("a number", held)),
    };
    let words = || format!("{number} does not fit the meter, which holds such a value as {}", type_of(held));
    fits.ok_or_else(|| Refusal::NotExpressible(words()))
}

/// The type of a number, in words.
const fn type_of(held: &Data) -> &'static str {
    match held {
        Data::U8(_) | Data::Enum(_) => "8 bits without sign",
        Data::U16(_) => "16 bits without sign",
        Data::I8(_) => "8 bits with a sign",
        Data::I16(_) => "16 bits with a sign",
        Data::I32(_) => "32 bits with a sign",
        _ => "another number",
    }
}

/// Makes the changes in their order, or none of them.
pub(super) async fn make(desk: &mut Desk, changes: &[Change]) -> Result<(), Refusal> {
    let differ: Vec<&Change> = changes.iter().filter(|change| change.held != change.wanted).collect();
    for (number, change) in differ.iter().enumerate() {
        let Err(refusal) = desk.set(change.attribute, change.wanted.clone()).await else { continue };
        return match refusal.not_served() {
            // The device says no, and can be told to go back.
            None => Err(put_back(desk, &differ[..number], refusal).await),
            // Nobody knows what it did, and it cannot be told anything.
            Some(_) => Err(refusal),
        };
    }
    Ok(())
}

/// The refusal, after what was changed before it is as it was.
async fn put_back(desk: &mut Desk, made: &[&Change], refusal: Refusal) -> Refusal {
    for change in made.iter().rev() {
        if let Err(stuck) = desk.set(change.attribute, change.held.clone()).await {
            let words =
                format!("{}; part of it is done and cannot be put back: {}", refusal.words(), stuck.words());
            return Refusal::OutcomeUnknown(words);
        }
    }
    refusal
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_keeps_its_value_and_the_type_held_or_is_refused(number: u32, kind in 0usize..9) {
            let held = [
                Data::U8(0), Data::U16(0), Data::U32(0), Data::U64(0), Data::I8(0), Data::I16(0), Data::I32(0),
                Data::I64(0), Data::Enum(0),
            ];
            let Ok(made) = like(&held[kind], number) else { return Ok(()) };
            prop_assert_eq!(made.as_i128(), Some(i128::from(number)));
            prop_assert_eq!(std::mem::discriminant(&made), std::mem::discriminant(&held[kind]));
        }
    }

    #[test]
    fn what_is_no_number_or_too_large_is_refused_in_words() {
        assert_eq!(like(&Data::Null, 1).unwrap_err().code(), 3005);
        let refusal = like(&Data::U16(2530), 70_000).unwrap_err();
        assert_eq!((refusal.code(), refusal.words().contains("16 bits")), (4002, true));
    }
}
