//! Steps of a migration: `migrate`, with `declare` and `spoil`, and `smso`.

use lab_config::{DeviceKind, FileError, Item, PartyRole, Table, nearest};
use proto_migration::FileKind;

use super::operand::device;
use super::scope::Scope;
use super::step::no_token;
use crate::{Declared, Migrate, Migration, ModelField, SmsoAttempt, Spoil, Wrong};

/// Reads `migrate`.
pub(super) fn migrate(table: &mut Table<'_>, item: &Item<'_>, scope: &Scope) -> Result<Migrate, FileError> {
    let operation = item.parse("authorise, prepare, validate, contact, commission, rollback or lift")?;
    Ok(Migrate {
        operation,
        declare: table.read("declare", |item| declare(item, operation, scope))?.unwrap_or_default(),
        spoil: table.read("spoil", |item| spoil(item, operation))?,
    })
}

/// What is declared stands in the Migration Common File, which data validation reads.
fn declare(item: &Item<'_>, operation: Migration, scope: &Scope) -> Result<Vec<Declared>, FileError> {
    if operation != Migration::Validate {
        return Err(item.error(
            format!("`declare` with `{operation}`"),
            "`declare` with `validate`, in which an installation is declared",
            "remove it, or move it to the step with migrate = \"validate\"",
        ));
    }
    let meaning = "what devices are declared to be other than they are, such as { ESME = { firmware-version = \"X\" } }";
    let mut declared = Vec::new();
    for (kind, of_it) in item.open(meaning)?.entries() {
        let device: DeviceKind = kind.parse("a device kind")?;
        let wrong = of_device(&of_it, scope)?;
        declared.extend(wrong.into_iter().map(|wrong| Declared { device, wrong }));
    }
    Ok(declared)
}

fn of_device(item: &Item<'_>, scope: &Scope) -> Result<Vec<Wrong>, FileError> {
    let meaning = "parts of its declaration, as { firmware-version = \"X\" }, or \"left-out\"";
    if item.toml().is_some_and(|value| value.is_str()) {
        return match item.text(meaning)? {
            "left-out" => Ok(vec![Wrong::LeftOut]),
            _ => Err(item.refuse(meaning, "write \"left-out\" for a device that is not declared at all")),
        };
    }
    let parts = item.open(meaning)?.entries();
    parts.into_iter().map(|(part, value)| wrong(&part, &value, scope)).collect()
}

fn wrong(part: &Item<'_>, value: &Item<'_>, scope: &Scope) -> Result<Wrong, FileError> {
    let meaning = "a part of a Device Model, meter-point or supplier";
    let declared = no_token(value, scope)?;
    match part.text(meaning)? {
        "meter-point" => Ok(Wrong::MeterPoint(declared)),
        "supplier" => Ok(Wrong::Supplier(declared)),
        word => match word.parse::<ModelField>() {
            Ok(field) => Ok(Wrong::Model(field, declared)),
            Err(_) => {
                let known =
                    || ModelField::ALL.iter().map(|field| field.word()).chain(["meter-point", "supplier"]);
                let advice = match nearest(word, known()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("use one of {}", known().collect::<Vec<_>>().join(", ")),
                };
                Err(part.refuse(meaning, advice))
            }
        },
    }
}

fn spoil(item: &Item<'_>, operation: Migration) -> Result<Spoil, FileError> {
    item.table("the file that is spoilt and how, as { file = \"common\", how = \"altered\" }", |table| {
        let file_item = table.required("file", "the kind of file")?;
        let file = one_of(&file_item, "the kind of file", FileKind::ALL, FileKind::word)?;
        if !operation.files().contains(&file) {
            let crossing = operation.files().iter().map(|file| file.word()).collect::<Vec<_>>();
            let advice = match crossing.is_empty() {
                true => "remove `spoil`: no file crosses in this operation".to_owned(),
                false => format!("in this operation these cross: {}", crossing.join(", ")),
            };
            return Err(file_item.refuse(format!("a file that crosses in `{operation}`"), advice));
        }
        Ok(Spoil {
            file,
            from: table.read("from", |item| {
                one_of(item, "the party that writes it", &PartyRole::ALL, PartyRole::word)
            })?,
            how: table.required("how", "what is done to it")?.parse("what is done to it")?,
        })
    })
}

/// One of a few, by its word.
fn one_of<T: Copy>(
    item: &Item<'_>,
    meaning: &'static str,
    all: &[T],
    spelt: fn(T) -> &'static str,
) -> Result<T, FileError> {
    let word = item.text(meaning)?;
    all.iter().copied().find(|one| spelt(*one) == word).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|one| spelt(*one)).collect();
        let advice = nearest(word, known.iter().copied()).map_or_else(
            || format!("use one of {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        item.refuse(meaning, advice)
    })
}

/// Reads `smso`.
pub(super) fn smso(table: &mut Table<'_>, item: &Item<'_>) -> Result<SmsoAttempt, FileError> {
    match item.text("reach")? {
        "reach" => Ok(SmsoAttempt { device: table.read("device", device)? }),
        _ => Err(item.refuse("`reach`", "all an SMSO does here is try a device with its own credentials")),
    }
}

#[cfg(test)]
mod tests;
