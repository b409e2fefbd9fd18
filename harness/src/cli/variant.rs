//! Which Service Reference Variant the command line means, and the fields given for it.

use std::collections::BTreeMap;

use lab_config::nearest;
use proto_duis::{FieldError, KnownField, RequestBody, Srv};

use super::Failure;

/// The variant of this number or this body element.
pub(super) fn variant(text: &str) -> Result<Srv, Failure> {
    let named = || Srv::ALL.iter().copied().find(|srv| srv.body_element().eq_ignore_ascii_case(text));
    text.parse::<Srv>().or_else(|error| named().ok_or(error)).map_err(|error| {
        let failure = Failure::input(error);
        match near(text) {
            Some(srv) => failure.hint(format!("did you mean {srv}, {}?", srv.name())),
            None => failure.hint(
                "a variant is given by its number, such as 4.1.1, or its body element, such as ReadInventory",
            ),
        }
    })
}

fn near(text: &str) -> Option<Srv> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        // The number of a variant whose last part is missing, or is another.
        let group = |srv: &&Srv| srv.as_str().strip_prefix(text).is_some_and(|rest| rest.starts_with('.'));
        let first = Srv::ALL.iter().find(group).copied();
        return first.or_else(|| nearest(text, Srv::ALL.iter().map(|srv| srv.as_str()))?.parse().ok());
    }
    Srv::from_body_element(nearest(text, Srv::ALL.iter().map(|srv| srv.body_element()))?)
}

/// Fields given one by one, each once.
pub(super) fn collected(given: &[(String, String)]) -> Result<BTreeMap<String, String>, Failure> {
    let mut fields = BTreeMap::new();
    for (name, value) in given {
        if let Some(first) = fields.insert(name.clone(), value.clone()) {
            return Err(Failure::input(format!("field {name} is given twice: {first:?} and {value:?}")));
        }
    }
    Ok(fields)
}

/// The body these fields make.
pub(super) fn body(srv: Srv, fields: &BTreeMap<String, String>) -> Result<RequestBody, Failure> {
    // A misspelt field is named before the one that is missing for it.
    unknown_field(srv, fields).map_or(Ok(()), Err)?;
    RequestBody::from_fields(srv, fields).map_err(|error| refused(srv, error))
}

fn refused(srv: Srv, error: FieldError) -> Failure {
    let near = match &error {
        FieldError::Unknown { field, .. } => near_field(srv, field),
        _ => None,
    };
    let failure = Failure::input(error);
    let failure = match near {
        Some(near) => failure.hint(format!("did you mean {near}?")),
        None => failure,
    };
    failure.hint(format!("harness duis build {srv} --list-fields explains every field"))
}

/// Why one of these is no field of the variant; none where all are.
pub(super) fn unknown_field(srv: Srv, fields: &BTreeMap<String, String>) -> Option<Failure> {
    let known = RequestBody::fields(srv);
    let listed = |name: &String| known.iter().any(|field| unnumbered(&field.name) == unnumbered(name));
    let field = fields.keys().find(|name| !listed(name))?.clone();
    let known: Vec<&str> = known.iter().map(|field| field.name.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Some(refused(srv, FieldError::Unknown { srv, field, known }))
}

/// The field of the variant that is nearest, with the indices that were given.
fn near_field(srv: Srv, given: &str) -> Option<String> {
    let known = RequestBody::fields(srv);
    let found = nearest(&unnumbered(given), known.iter().map(|field| field.name.as_str()))?;
    let mut numbers = given.split('[').skip(1).filter_map(|rest| rest.split(']').next());
    let mut parts = found.split("[n]");
    let first = parts.next().unwrap_or_default().to_owned();
    Some(parts.fold(first, |name, part| format!("{name}[{}]{part}", numbers.next().unwrap_or("1"))))
}

/// `TOUPrice[12]` as it is listed: `TOUPrice[n]`.
fn unnumbered(name: &str) -> String {
    let mut parts = name.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| match part.split_once(']') {
        Some((_, rest)) => format!("{name}[n]{rest}"),
        None => format!("{name}[{part}"),
    })
}

/// A field in a line: name, form, unit, and whether it may be left out.
pub(super) fn explained(field: &KnownField) -> String {
    let unit = field.unit().filter(|unit| !field.form.contains(unit));
    let unit = unit.map(|unit| format!(" ({unit})")).unwrap_or_default();
    let must = if field.required { "required" } else { "optional" };
    format!("{}: {}{unit}; {must}", field.name, field.form)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(error: Failure) -> String {
        error.to_string()
    }

    #[test]
    fn a_variant_goes_by_its_number_and_by_its_body_element() {
        assert_eq!(variant("8.2").expect("known"), Srv::ReadInventory);
        assert_eq!(variant("readinventory").expect("known"), Srv::ReadInventory);
        for (given, near) in
            [("4.1", "did you mean 4.1.1,"), ("ReadInventor", "did you mean 8.2,"), ("x", "by its number")]
        {
            let error = said(variant(given).expect_err("unknown"));
            assert!(error.contains(near), "{error}");
        }
    }

    #[test]
    fn an_unknown_field_is_refused_with_the_nearest_and_its_index() {
        let fields = collected(&[("TouPrices[12]".into(), "1".into())]).expect("each once");
        let fields = fields.into_iter().chain([
            ("StandingCharge".to_owned(), "1".to_owned()),
            ("CurrencyUnits".to_owned(), "GBP".to_owned()),
            ("TOUPrice[1]".to_owned(), "1".to_owned()),
        ]);
        let error = said(body(Srv::UpdatePricePrimaryElement, &fields.collect()).expect_err("unknown"));
        assert!(error.contains("did you mean TOUPrice[12]?"), "{error}");
        assert!(error.contains("--list-fields"), "{error}");
        let twice = [("A".to_owned(), "1".to_owned()), ("A".to_owned(), "2".to_owned())];
        assert!(said(collected(&twice).expect_err("twice")).contains("given twice"));
    }
}
