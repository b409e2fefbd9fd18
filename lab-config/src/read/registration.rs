//! Meter points and registrations of a lab file.

use std::collections::BTreeMap;

use proto_duis::{DeviceKind, Eui64, UserRole};

use crate::document::{FileError, Item, Table};
use crate::{Fuel, MeterPointNumber, Registration, RegistrationStatus};

type Users = BTreeMap<UserRole, Eui64>;

/// Reads `meter-point` of a device; a meter that has none gets one made from its EUI-64.
pub(super) fn meter_point(
    table: &mut Table<'_>,
    kind: DeviceKind,
    device: Eui64,
) -> Result<Option<MeterPointNumber>, FileError> {
    let written = table.optional("meter-point");
    match (Fuel::metered_by(kind), written) {
        (fuel, None) => Ok(fuel.map(|fuel| MeterPointNumber::of_the_lab(device, fuel))),
        (Some(fuel), Some(item)) => of_fuel(&item, fuel).map(Some),
        (None, Some(item)) => Err(item.error(
            format!("`meter-point` of a {kind}"),
            "`meter-point` of an ESME or a GSME",
            "give it to the meter: no other device is at a meter point",
        )),
    }
}

fn of_fuel(item: &Item<'_>, fuel: Fuel) -> Result<MeterPointNumber, FileError> {
    let meaning = match fuel {
        Fuel::Electricity => "the 13 digits of an MPAN",
        Fuel::Gas => "the 6 to 10 digits of an MPRN",
    };
    let number: MeterPointNumber = item.parse(meaning)?;
    match number.fuel() == fuel {
        true => Ok(number),
        false => {
            Err(item.refuse(meaning, format!("this is the number of a meter point of {}", number.fuel())))
        }
    }
}

/// Reads `[[registration]]`.
pub(super) fn registrations(
    table: &mut Table<'_>,
    users: &Users,
) -> Result<BTreeMap<MeterPointNumber, Registration>, FileError> {
    let mut registrations = BTreeMap::new();
    let Some(item) = table.optional("registration") else { return Ok(registrations) };
    item.tables("registrations of meter points, as [[registration]]", |table| {
        let meaning = "electricity or gas";
        let fuel = table.required("fuel", meaning)?.parse(meaning)?;
        let number_item = table.required("number", "the MPAN or MPRN")?;
        let number = of_fuel(&number_item, fuel)?;
        let supplier = supplier(table, fuel, users)?;
        let status = "supplied or disconnected";
        let status = table.read("status", |item| item.parse(status))?.unwrap_or(RegistrationStatus::Supplied);
        let registration = Registration { number: number.clone(), supplier, status };
        match registrations.insert(number, registration) {
            None => Ok(()),
            Some(_) => Err(number_item.refuse("a number that is not registered yet", "keep one of the two")),
        }
    })?;
    Ok(registrations)
}

/// An EUI-64, or a role of the lab's users; the lab's own supplier of the fuel where nothing is said.
fn supplier(table: &mut Table<'_>, fuel: Fuel, users: &Users) -> Result<Eui64, FileError> {
    let own = match fuel {
        Fuel::Electricity => UserRole::ImportSupplier,
        Fuel::Gas => UserRole::GasSupplier,
    };
    let Some(item) = table.optional("supplier") else {
        return users.get(&own).copied().ok_or_else(|| {
            let found = format!("no `supplier`, and no user in role {own}");
            table.error(found, "who supplies the meter point", "write the supplier's EUI-64")
        });
    };
    let text = item.text("the supplier: an EUI-64, or a role of the lab's users such as IS")?;
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let role = text.parse::<UserRole>().ok().and_then(|role| users.get(&role).copied());
    role.ok_or_else(|| {
        let known = users.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        item.refuse("an EUI-64, or a role that [users] has", format!("the roles there are {known}"))
    })
}

#[cfg(test)]
mod tests;
