//! The pack of one script that a request by hand is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lab_config::{DeviceKind, Document, Lab, Name, Rig, UserRole};
use proto_duis::{RequestBody, Srv};
use proto_lab::Digest;
use scenarios::{NonStandard, Pack, PackKind, PackLock, Script, Standing};

use super::super::Failure;
use super::super::arguments::Send;
use super::super::variant::{body, collected, unknown_field, variant};

const ID: &str = "by-hand";

/// Why a pack of it is not a standard one; nobody agreed to it (20.17).
const RATIONALE: &str =
    "one request by hand, to see what a device answers: no test of a Device Model Combination";

/// The pack for what the command line asks.
pub(super) fn pack(verb: &Send, lab: &Lab, rig: &Rig) -> Result<Pack, Failure> {
    let srv = variant(&verb.srv)?;
    let fields = collected(&verb.fields)?;
    check(srv, &fields)?;
    let device = device(verb, rig, srv)?;
    let role = match verb.role {
        Some(role) => role,
        None => role(lab, srv, device)?,
    };
    let text = text(verb, srv, device, role, &fields);
    let id: Name = ID.parse().map_err(Failure::lab)?;
    // Fields were looked at before; what is left to refuse is a reference that means nothing.
    let script = Script::parse(id.clone(), &Document::new("the request", text)).map_err(Failure::input)?;
    Ok(Pack {
        id,
        title: format!("Request {srv} by hand"),
        kind: PackKind::ServiceReferenceVariant,
        release: rig.combination.release,
        installation: None,
        standing: Standing::NonStandard(NonStandard { rationale: RATIONALE.to_owned(), agreement: None }),
        requires_enrolled: true,
        data_sets: Vec::new(),
        baseline: None,
        lock: lock(&script),
        scripts: vec![script],
    })
}

/// The digest of the one script stands for the pack: there is nothing else in it.
fn lock(script: &Script) -> PackLock {
    let scripts = BTreeMap::from([(script.id.clone(), script.digest)]);
    PackLock { pack: Digest::of(script.source.as_bytes()), scripts }
}

/// Whether the fields make a body, as far as that can be said before `${…}` are known.
fn check(srv: Srv, fields: &BTreeMap<String, String>) -> Result<(), Failure> {
    if fields.values().any(|value| value.contains("${")) {
        return unknown_field(srv, fields).map_or(Ok(()), Err);
    }
    body(srv, fields).map(|_: RequestBody| ())
}

fn device(verb: &Send, rig: &Rig, srv: Srv) -> Result<DeviceKind, Failure> {
    let kinds = || rig.devices().map(|device| device.kind.to_string()).collect::<Vec<_>>().join(", ");
    let targets = srv.smets1().0.targets;
    match verb.device {
        Some(kind) if rig.device(kind).is_some() => Ok(kind),
        Some(kind) => Err(Failure::input(format!("rig {} has no {kind}", rig.name))
            .hint(format!("its devices are {}", kinds()))),
        None if srv.is_for_the_dcc() => rig
            .devices()
            .next()
            .map(|device| device.kind)
            .ok_or_else(|| Failure::input(format!("rig {} has no device", rig.name))),
        None => {
            let targets = targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            Err(Failure::input(format!("{srv} is for a device: say which with --device")).hint(format!(
                "it is for {targets}; the devices of rig {} are {}",
                rig.name,
                kinds()
            )))
        }
    }
}

/// A role that may, of those the lab has: for gas that of the gas side.
fn role(lab: &Lab, srv: Srv, device: DeviceKind) -> Result<UserRole, Failure> {
    let gas = matches!(device, DeviceKind::Gsme | DeviceKind::Gpf);
    let of_gas = |role: &UserRole| matches!(role, UserRole::GasSupplier | UserRole::GasTransporter);
    let mut roles: Vec<UserRole> =
        srv.roles().iter().copied().filter(|role| lab.user(*role).is_some()).collect();
    roles.sort_by_key(|role| of_gas(role) != gas);
    roles.first().copied().ok_or_else(|| {
        let may = srv.roles().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Failure::input(format!("the lab has no user that may send {srv}: that is {may}"))
            .hint("add one under [users] in the lab file, or say --as ROLE to see it refused")
    })
}

/// The script as a pack would have it: kept with the evidence, and runnable again from there.
fn text(
    verb: &Send,
    srv: Srv,
    device: DeviceKind,
    role: UserRole,
    fields: &BTreeMap<String, String>,
) -> String {
    let mut text = format!("title = \"Request {srv} by hand\"\ndevice = \"{device}\"\n\n[[step]]\n");
    let within = verb.within.as_millis();
    let _ =
        writeln!(text, "request = \"{srv}\"\nas = \"{role}\"\nwithin = \"{within}ms\"\noutcome = \"any\"");
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{} = {}", quoted(name), quoted(value))).collect();
    if !pairs.is_empty() {
        let _ = writeln!(text, "fields = {{ {} }}", pairs.join(", "));
    }
    let listen = verb.listen.as_millis();
    let _ = writeln!(text, "\n[[step]]\nsay = \"alerts that come with it\"\nwait = \"{listen}ms\"");
    text
}

/// A basic string of TOML: that of JSON, but for the one control character JSON leaves as it is.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7F}', "\\u007F")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::arguments::{Arguments, Verb};

    fn made(line: &[&str]) -> Result<Pack, Failure> {
        let arguments = Arguments::try_parse_from(["harness", "send"].iter().chain(line)).expect("sound");
        let Some(Verb::Send(verb)) = arguments.verb else { panic!("send") };
        let lab = Lab::embedded().expect("the embedded lab");
        pack(&verb, &lab, &lab.rigs[0])
    }

    #[test]
    fn a_request_by_hand_is_a_script_nobody_agreed_to() {
        let message = "a \"word\"\\ and = ] }\n£\u{7F}";
        let field = format!("SupplierMessage={message}");
        let error =
            made(&["3.1", "--device", "ESME", "--field", &field]).expect_err("not printable").to_string();
        assert!(error.contains("SupplierMessage") && error.contains("--list-fields"), "{error}");
        let pack = made(&["3.1", "--device", "ESME", "--field", "SupplierMessage=a \"word\"\\ and = ] }"])
            .expect("sound");
        assert!(matches!(&pack.standing, Standing::NonStandard(why) if why.agreement.is_none()));
        let source = pack.scripts[0].source.to_string();
        insta::assert_snapshot!(source, @r#"
        title = "Request 3.1 by hand"
        device = "ESME"

        [[step]]
        request = "3.1"
        as = "IS"
        within = "60000ms"
        outcome = "any"
        fields = { "SupplierMessage" = "a \"word\"\\ and = ] }" }

        [[step]]
        say = "alerts that come with it"
        wait = "1000ms"
        "#);
    }

    #[test]
    fn roles_follow_the_fuel_and_what_is_missing_is_said() {
        let gas = made(&["4.1.1", "--device", "GSME"]).expect("sound");
        assert!(gas.scripts[0].source.contains("as = \"GS\""));
        assert!(made(&["8.2", "--field", "DeviceID=${device.ESME}"]).is_ok());
        let no_device = made(&["4.1.1"]).expect_err("no device").to_string();
        assert!(no_device.contains("--device") && no_device.contains("ESME, GSME, GPF"), "{no_device}");
        let no_ihd = made(&["4.1.1", "--device", "IHD"]).expect_err("no IHD").to_string();
        assert!(no_ihd.contains("has no IHD") && no_ihd.contains("its devices are CHF"), "{no_ihd}");
        let unbound =
            made(&["2.2", "--device", "ESME", "--field", "UTRN=${token}"]).expect_err("unbound").to_string();
        assert!(unbound.contains("token"), "{unbound}");
        let misspelt = made(&["2.2", "--device", "ESME", "--field", "UTRM=${utrn:100}"])
            .expect_err("unknown")
            .to_string();
        assert!(misspelt.contains("did you mean UTRN?"), "{misspelt}");
    }
}
