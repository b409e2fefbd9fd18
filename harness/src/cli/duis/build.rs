//! `harness duis build`: an unsigned Service Request from named fields.

use jiff::Timestamp;
use lab_config::Lab;
use proto_duis::{Eui64, KnownField, Request, RequestBody, RequestId, Srv, canonical_form};
use serde::Serialize;

use super::super::arguments::DuisBuild;
use super::super::say::say;
use super::super::variant::{body, collected, explained, variant};
use super::super::{Exit, Failure, print_json};

pub(super) fn build(verb: &DuisBuild) -> Result<Exit, Failure> {
    let srv = variant(&verb.srv)?;
    if verb.list_fields {
        return list(srv, verb.json);
    }
    let body = body(srv, &collected(&verb.fields)?)?;
    let request = Request::new(id(verb, srv)?, body);
    let xml = canonical_form(request.to_xml().as_bytes()).map_err(Failure::lab)?;
    match verb.json {
        true => print_json(&Built { srv: srv.as_str(), name: srv.name(), id: request.id.to_string(), xml })?,
        false => say!("{xml}"),
    }
    Ok(Exit::Done)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Built {
    #[serde(rename = "service-reference-variant")]
    srv: &'static str,
    name: &'static str,
    #[serde(rename = "request-id")]
    id: String,
    xml: String,
}

/// Who asks what: as given, else of the embedded lab.
fn id(verb: &DuisBuild, srv: Srv) -> Result<RequestId, Failure> {
    let lab = Lab::embedded().map_err(Failure::lab)?;
    let unnamed = |what| Failure::input(format!("the embedded lab has no {what} for {srv}"));
    let user = || srv.roles().iter().find_map(|role| lab.user(*role));
    let originator = verb.user.or_else(user).ok_or_else(|| unnamed("user").hint("give one with --user"))?;
    let target = verb.target.or_else(|| target(&lab, srv));
    let target = target.ok_or_else(|| unnamed("device").hint("give one with --target"))?;
    let now = || u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(1);
    Ok(RequestId { originator, target, counter: verb.counter.unwrap_or_else(now) })
}

fn target(lab: &Lab, srv: Srv) -> Option<Eui64> {
    if srv.is_for_the_dcc() {
        return Some(lab.environment.access_control_broker);
    }
    let rig = lab.rigs.first()?;
    srv.smets1().0.targets.iter().find_map(|kind| rig.device(*kind)).map(|device| device.eui64)
}

#[derive(Debug, Serialize)]
struct Field<'a> {
    name: &'a str,
    form: &'a str,
    unit: Option<&'static str>,
    required: bool,
}

impl<'a> Field<'a> {
    fn of(field: &'a KnownField) -> Self {
        Self { name: &field.name, form: &field.form, unit: field.unit(), required: field.required }
    }
}

fn list(srv: Srv, json: bool) -> Result<Exit, Failure> {
    let fields = RequestBody::fields(srv);
    if json {
        print_json(&fields.iter().map(Field::of).collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    say!("{srv} {}, body element {}", srv.name(), srv.body_element());
    match fields.is_empty() {
        true => say!("  no fields"),
        false => fields.iter().for_each(|field| say!("  {}", explained(field))),
    }
    Ok(Exit::Done)
}
