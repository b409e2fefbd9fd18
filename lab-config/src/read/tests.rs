use proptest::prelude::*;

use super::*;
use crate::{Capability, ClientSap, DeviceKind, Endpoint, LinkUrl, Path as LinkPath, Route, Security};

/// The embedded lab with one piece of text replaced, which must be there.
fn embedded_with(from: &str, to: &str) -> Result<Lab, FileError> {
    assert!(EMBEDDED_LAB.contains(from), "{from} is not in the embedded lab");
    Lab::parse(&Document::new("lab.toml", EMBEDDED_LAB.replacen(from, to, 1)))
}

fn refusal(from: &str, to: &str) -> String {
    embedded_with(from, to).expect_err("refused").to_string()
}

fn embedded() -> Lab {
    Lab::embedded().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_embedded_lab_has_one_rig_of_five_devices() {
    let lab = embedded();
    let rig = lab.rig("rig-1").expect("the rig");
    let kinds: Vec<_> = rig.devices().map(|device| device.kind.as_str()).collect();
    assert_eq!(kinds, ["CHF", "GPF", "ESME", "GSME", "PPMID"]);
    assert!(rig.is_simulated());
    assert_eq!(lab.epcl.len(), 3);
    assert_eq!(rig.combination.models.len(), 5);
}

#[test]
fn han_devices_are_reached_through_the_hub_and_by_their_own_ports() {
    let lab = embedded();
    let rig = lab.rig("rig-1").expect("the rig");
    let through = rig.route(DeviceKind::Esme, LinkPath::Wan).expect("a route");
    assert!(matches!(through, Route::Through { carrier, .. } if carrier.kind == DeviceKind::Chf));
    let direct = rig.route(DeviceKind::Esme, LinkPath::Optical).expect("a route");
    assert!(matches!(direct, Route::Direct(link) if link.signs_on()));
    assert_eq!(rig.route(DeviceKind::Gpf, LinkPath::Optical), None);
    assert_eq!(rig.device(DeviceKind::Ppmid).and_then(|device| device.client(LinkPath::Wan)), None);
}

#[test]
fn generated_secrets_are_shared_by_every_copy_and_differ_between_readings() {
    let (lab, again) = (embedded(), embedded());
    let password = |lab: &Lab| match lab.rigs[0]
        .device(DeviceKind::Esme)
        .expect("an ESME")
        .credentials
        .client(ClientSap::MANAGEMENT)
    {
        Some(Security::Low(source)) => source.secret().expect("a secret"),
        other => panic!("{other:?}"),
    };
    assert_eq!(password(&lab), password(&lab.clone()));
    assert_ne!(password(&lab), password(&again));
    assert_eq!(lab.digest, again.digest);
}

#[test]
fn any_byte_of_any_file_changes_the_digest() {
    let lab = embedded();
    let changed = embedded_with("SMETS1 GPRS", "SMETS1 GPRs").expect("a lab");
    assert_ne!(lab.digest, changed.digest);
    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("meter.toml");
    let text = include_str!("../../device-models/generic-dlms-meter.toml");
    let mut digests = std::collections::BTreeSet::new();
    for text in [text.to_owned(), format!("{text}# seen\n")] {
        std::fs::write(&model, text).expect("written");
        std::fs::write(folder.path().join("lab.toml"), OWN_LAB).expect("written");
        let lab = Lab::load(&folder.path().join("lab.toml")).unwrap_or_else(|error| panic!("{error}"));
        digests.insert(lab.digest);
    }
    assert_eq!(digests.len(), 2);
}

const OWN_LAB: &str = r#"
name = "own"
device-models = ["meter.toml"]
[environment]
name = "bench"
dcc-systems-version = "none"
access-control-broker = "90-B3-D5-1F-30-00-00-02"
s1sp = "90-B3-D5-1F-30-02-00-00"
[users]
IS = "90-B3-D5-1F-30-01-00-00"
[[combination]]
id = "one-meter"
release = "IOC"
communication-services-provider = "none"
models = ["generic-dlms-meter"]
[[rig]]
name = "bench"
combination = "one-meter"
[[rig.device]]
kind = "ESME"
eui-64 = "00-DB-12-34-56-78-90-03"
links.wan = "tcp://127.0.0.1:4059?client=17"
client.17 = { security = "low", password = { env = "METER_PASSWORD" } }
"#;

#[test]
fn a_concrete_link_takes_the_place_of_a_simulated_one() {
    let address: std::net::SocketAddr = "127.0.0.1:4059".parse().expect("an address");
    let lab = embedded();
    let digest = lab.digest;
    let lab = lab.with_link("rig-1", DeviceKind::Chf, LinkPath::Wan, LinkUrl::tcp(address));
    let link = lab.rigs[0].route(DeviceKind::Esme, LinkPath::Wan).expect("a route").link();
    assert!(matches!(&link.endpoint, Endpoint::Tcp(authority) if authority.port() == 4059));
    assert_eq!(lab.digest, digest);
}

#[test]
fn capabilities_come_from_the_device_model() {
    let lab = embedded();
    let esme = lab.rigs[0].device(DeviceKind::Esme).expect("an ESME");
    assert!(esme.model.can(Capability::Keypad));
    assert!(!esme.model.can(Capability::Gas));
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_what_to_do() {
    insta::assert_snapshot!(refusal("eui-64 = \"00-DB-12-34-56-78-90-01\"", "eui64 = \"00-DB-12-34-56-78-90-01\""), @r"
    lab.toml:51:1: found no `eui-64`, expected `eui-64`: the device's EUI-64
      advice: did you mean `eui-64` where `eui64` stands?
");
    insta::assert_snapshot!(refusal("combination = \"ioc-liberty-100-g4\"\nsafe", "combination = \"ioc-liberty-100\"\nsafe"), @r"
    lab.toml:48:15: found `ioc-liberty-100`, which is not defined, expected a combination
      advice: did you mean `ioc-liberty-100-g4`?
");
    insta::assert_snapshot!(refusal("sim:?baud=9600", "sim:?boud=9600"), @r"
    lab.toml:79:15: found `sim:?boud=9600`, expected a link URL
      advice: unknown parameter `boud`: did you mean `baud`?
");
    insta::assert_snapshot!(refusal("links.wan = \"sim:\"", "links.wan = \"tcp://hub:4059\""), @r#"
    lab.toml:56:57: found a generated secret for a device that is not simulated, expected { env = "NAME" } or { file = "path" }
      advice: a real device knows its secret already: name the variable or file that holds it
"#);
    insta::assert_snapshot!(refusal("via = \"CHF\"", "via = \"ESME\""), @r#"
    lab.toml:61:7: found `ESME`, expected another device of this rig with a `wan` link and the capability `router`
      advice: name the communications hub, and give it its `links.wan`
"#);
    insta::assert_snapshot!(refusal("client.1 = { security = \"low\", password = { generated = true } }", ""), @r#"
    lab.toml:51:1: found no credentials of client 1, expected `client.1`, as which the harness speaks to the CHF
      advice: add client.1 = { security = "none" }, or "low" with a password
"#);
    insta::assert_snapshot!(refusal("password = { generated = true }", "password = \"12345678\""), @r#"
    lab.toml:56:43: found a value that is no table, expected { env = "NAME" }, { file = "path" } or { generated = true }
      advice: a secret never stands in the lab file itself: the file is evidence
"#);
    insta::assert_snapshot!(refusal("90-02\"", "90-01\""), @r"
    lab.toml:58:1: found EUI-64 00-DB-12-34-56-78-90-01 a second time, expected a different EUI-64 for each device
      advice: correct one of them
");
    insta::assert_snapshot!(refusal("shipped:gsme-lab-g4.toml", "shipped:gsme-lab-g5.toml"), @r"
    lab.toml:7:3: found `shipped:gsme-lab-g5.toml`: no such shipped Device Model, expected the name of a shipped Device Model
      advice: did you mean `shipped:gsme-lab-g4.toml`?
");
    insta::assert_snapshot!(refusal("planned-completion = 2027-01-29", "planned-completion = 2026-01-29"), @r"
    lab.toml:37:1: found a planned completion before the planned start, expected the dates in order
      advice: correct the entry's dates
");
    insta::assert_snapshot!(refusal("kind = \"PPMID\"", "kind = \"IHD\""), @r#"
    lab.toml:85:8: found `IHD`, expected a kind the combination `ioc-liberty-100-g4` has
      advice: remove the device, or add its Device Model to the combination
"#);
    insta::assert_snapshot!(refusal("[users]\nIS", "[users]\nSI"), @r#"
    lab.toml:23:1: found `SI`, expected a user role
      advice: "SI" is not a user role; expected one of IS, ES, GS, RSA, ED, GT, OU
"#);
}

#[test]
fn a_whole_device_may_not_be_left_out() {
    let (before, _) = EMBEDDED_LAB.rsplit_once("[[rig.device]]").expect("the last device");
    let error = Lab::parse(&Document::new("lab.toml", before)).expect_err("refused");
    assert_eq!(error.found, "no PPMID");
}

proptest! {
    #[test]
    fn a_damaged_lab_is_read_or_refused_in_place(cut in 0..EMBEDDED_LAB.len(), byte in proptest::char::any()) {
        let mut text: String = EMBEDDED_LAB.to_owned();
        let at = (0..=cut).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.insert(at, byte);
        if let Err(error) = Lab::parse(&Document::new("lab.toml", text)) {
            prop_assert!(error.line > 0, "{error}");
        }
    }
}

#[test]
fn the_cohorts_lab_has_five_combinations_that_differ() {
    let text = include_str!("../../labs/cohorts.toml");
    let lab = Lab::parse(&Document::new("cohorts.toml", text)).unwrap_or_else(|error| panic!("{error}"));
    let releases: Vec<&str> = lab.rigs.iter().map(|rig| rig.combination.release.word()).collect();
    assert_eq!(releases, ["IOC", "IOC", "MOC", "MOC", "FOC"]);
    let meters = lab.rigs.iter().map(|rig| rig.device(DeviceKind::Esme).expect("an ESME"));
    let profiles: Vec<_> = meters.map(|meter| meter.model.profile.dlms().expect("DLMS/COSEM")).collect();
    for (n, one) in profiles.iter().enumerate() {
        assert!(profiles[..n].iter().all(|other| other != one), "combination {n} is like an earlier one");
    }
    let facts = lab.models.values().flat_map(|model| model.facts());
    assert!(facts.into_iter().all(|(_, verified)| !verified), "nobody has seen any of these on a device");
}

#[test]
fn the_embedded_lab_has_a_station_at_an_embedded_broker() {
    let lab = embedded();
    let broker = lab.broker.as_ref().expect("a broker");
    assert!(broker.is_embedded() && broker.login.is_some());
    let station = &lab.rigs[0].stations[0];
    let keys = &station.actuators[&(DeviceKind::Esme, crate::ActuatorKind::Keys)];
    assert_eq!(keys.command().as_str(), "rig-1/bench/ESME/keys/command");
    assert_eq!(station.status.as_str(), "rig-1/bench/status");
    assert_eq!(station.topics().count(), 1 + 5 * 3 + 2);
}

#[test]
fn stations_that_cannot_work_are_refused_in_their_place() {
    insta::assert_snapshot!(refusal("{ kind = \"keys\", device = \"GSME\" },", "{ kind = \"mains-relay\", device = \"GSME\" },"), @r#"
    lab.toml:98:3: found a mains-relay at the GSME, expected a device that lives on the mains
      advice: remove the actuator
"#);
    insta::assert_snapshot!(refusal("{ kind = \"keys\", device = \"GSME\" },", "{ kind = \"keys\", device = \"ESME\" },"), @r#"
    lab.toml:98:3: found a second keys at the ESME, expected one of a kind at each device
      advice: remove one of them
"#);
    insta::assert_snapshot!(refusal("{ kind = \"keys\", device = \"GSME\" },", "{ kind = \"key\", device = \"GSME\" },"), @r#"
    lab.toml:98:12: found `key`, expected mains-relay or keys
      advice: did you mean `keys`? use one of mains-relay, keys
"#);
    insta::assert_snapshot!(refusal("{ kind = \"keys\", device = \"GSME\" },", "{ kind = \"keys\", device = \"GSME\", topic = \"rig-1/bench/ESME/keys\" },"), @r#"
    lab.toml:1:1: found topic rig-1/bench/ESME/keys/command a second time, of station bench of rig rig-1, expected a topic for each thing said
      advice: change `topic` of one of them
"#);
    insta::assert_snapshot!(refusal("name = \"bench\"\nsimulated = true", "name = \"bench\""), @r#"
    lab.toml:1:1: found an embedded broker, and station bench of rig rig-1, expected only simulated stations, beside their devices
      advice: name a broker the station reaches: url = "mqtt://host:1883"
"#);
    insta::assert_snapshot!(refusal("[broker]\nurl = \"embedded\"", ""), @r#"
    lab.toml:1:1: found station bench of rig rig-1, and no broker, expected [broker]: where stations and harness meet
      advice: add [broker] with url = "mqtt://host:1883"
"#);
    insta::assert_snapshot!(refusal("url = \"embedded\"", "url = \"mqtts://broker.lab\""), @r#"
    lab.toml:107:7: found `mqtts://broker.lab:8883`, expected `ca` with an mqtts broker, and no certificates with any other
      advice: name the file of the authority that signed the broker's certificate: ca = "lab-ca.pem"
"#);
    insta::assert_snapshot!(refusal("url = \"embedded\"", "url = \"http://broker.lab\""), @r#"
    lab.toml:107:7: found `http://broker.lab`, expected the URL of a broker
      advice: write mqtt://host:1883, mqtts://host:8883 or embedded; user and password have keys of their own
"#);
    insta::assert_snapshot!(refusal("url = \"embedded\"", "url = \"mqtts://broker.lab\"\nca = \"ca.pem\""), @r#"
    lab.toml:1:1: found an mqtts broker, and simulated station bench of rig rig-1, expected a broker simulated stations reach
      advice: simulated stations speak without TLS: use an mqtt:// or the embedded broker
"#);
    insta::assert_snapshot!(refusal("url = \"embedded\"", "url = \"mqtt://broker.lab\"\nuser = \"harness\""), @r#"
    lab.toml:106:1: found one of `user` and `password`, expected both or none
      advice: add the other
"#);
    insta::assert_snapshot!(refusal("url = \"embedded\"", "url = \"embedded\"\nuser = \"u\"\npassword = \"p\""), @r#"
    lab.toml:109:12: found a value that is no table, expected { env = "NAME" }, { file = "path" } or { generated = true }
      advice: a secret never stands in the lab file itself: the file is evidence
"#);
    insta::assert_snapshot!(refusal("name = \"bench\"\n", "name = \"bench\"\ndeadline = \"2h\"\n"), @r#"
    lab.toml:92:12: found `2h`, expected a time from 1s to 60s, such as "5s"
      advice: write whole seconds or milliseconds: "5s", "1500ms"
"#);
}

/// The embedded lab with this text about its DCC.
fn with_dcc(text: &str) -> Result<Lab, FileError> {
    embedded_with("\n[[combination]]\n", &format!("\n{text}\n\n[[combination]]\n"))
}

const USER_SYSTEM: &str = "[[dcc.user-system]]\nname = \"supplier-a\"\neui-64 = \"90-B3-D5-1F-30-0A-00-01\"\nroles = [\"IS\"]\n\
                           certificate = \"a.pem\"\nlistener = \"http://127.0.0.1:8081/\"";

#[test]
fn a_user_system_has_an_identity_roles_a_certificate_and_a_listener() {
    let lab = with_dcc(USER_SYSTEM).expect("a lab");
    let dcc = lab.dcc.stub().expect("the stub");
    let system = &dcc.user_systems[0];
    assert_eq!((system.name.as_str(), system.roles.len()), ("supplier-a", 1));
    assert_eq!(system.listener.to_string(), "http://127.0.0.1:8081/");
    assert!(dcc.listen.ip().is_loopback() && dcc.tls.is_none());
    assert_eq!(embedded().dcc, crate::Dcc::default());
}

#[test]
fn a_door_open_to_everybody_and_users_mistaken_for_others_are_refused() {
    let refused = |text: &str| with_dcc(text).expect_err("refused").to_string();
    let open = refused("[dcc]\nlisten = \"0.0.0.0:8079\"");
    assert!(open.contains("0.0.0.0:8079` without `tls`"), "{open}");
    let secure = refused(&USER_SYSTEM.replace("http:", "https:"));
    assert!(secure.contains("`supplier-a` listens at https://127.0.0.1:8081/, and no `tls`"), "{secure}");
    let own = refused(&USER_SYSTEM.replace("0A-00-01", "01-00-00"));
    assert!(own.contains("no other user of the DCC has"), "{own}");
    let twice = refused(&format!("{USER_SYSTEM}\n{}", USER_SYSTEM.replace("00-01", "00-02")));
    assert!(twice.contains("a name no other User System has"), "{twice}");
    let idle = refused(&USER_SYSTEM.replace("[\"IS\"]", "[]"));
    assert!(idle.contains("may send nothing"), "{idle}");
}

const ELSEWHERE: &str = include_str!("../../labs/dcc-test-environment.toml");

/// The lab with a DCC test environment, with one piece of text replaced, which must be there.
fn elsewhere_with(from: &str, to: &str) -> Result<Lab, FileError> {
    assert!(ELSEWHERE.contains(from), "{from} is not in the lab");
    Lab::parse(&Document::new("lab.toml", ELSEWHERE.replacen(from, to, 1)))
}

#[test]
fn a_lab_may_have_somebody_elses_dcc_in_place_of_the_stub() {
    let lab =
        elsewhere_with("name = \"UIT-A\"", "name = \"UIT-B\"").unwrap_or_else(|error| panic!("{error}"));
    let dcc = lab.dcc.environment().expect("a test environment");
    assert_eq!(
        (dcc.url.to_string().as_str(), lab.environment.name.as_str()),
        ("https://dcc.example:8079/", "UIT-B")
    );
    assert_eq!(dcc.listener.listen.to_string(), "192.0.2.7:8081");
    // What is not said of the listener's TLS is as on the way there.
    assert!(dcc.tls.is_some() && dcc.listener.tls == dcc.tls);
    assert_eq!(dcc.signing.keys().collect::<Vec<_>>(), lab.users.keys().collect::<Vec<_>>());
    let key = &dcc.signing[&UserRole::OtherUser].key;
    assert_eq!(key.to_string(), "environment variable OU_SIGNING_KEY");
    assert_eq!((dcc.believed.dsp.len(), dcc.believed.s1sp.len()), (1, 1));
    // No link leads to the hub, and that makes it no simulated one.
    let hub = lab.rigs[0].device(DeviceKind::Chf).expect("a hub");
    assert!(hub.links.is_empty() && !hub.simulated && !lab.rigs[0].is_simulated());
}

#[test]
fn a_dcc_on_this_machine_may_be_reached_without_tls() {
    let from = "url = \"https://dcc.example:8079\"";
    let open = ELSEWHERE.replacen(from, "url = \"http://127.0.0.1:8079\"", 1);
    let tls = open.lines().find(|line| line.starts_with("tls = ")).expect("tls").to_owned();
    let open = open.replacen(&tls, "", 1).replacen("192.0.2.7:8081", "127.0.0.1:8081", 1);
    let lab = Lab::parse(&Document::new("lab.toml", open)).unwrap_or_else(|error| panic!("{error}"));
    assert!(lab.dcc.environment().is_some_and(|dcc| dcc.tls.is_none() && dcc.listener.tls.is_none()));
}

#[test]
fn what_would_open_a_door_or_a_second_way_is_refused() {
    let refused = |from: &str, to: &str| elsewhere_with(from, to).expect_err("refused").to_string();
    insta::assert_snapshot!(refused("https://dcc.example:8079", "http://dcc.example:8079"), @r"
    lab.toml:28:7: found `http://dcc.example:8079/` with `tls`, expected https with `tls`, or neither
      advice: write https, or remove `tls`
");
    insta::assert_snapshot!(refused("\ntls = { ca", "\n# tls = { ca"), @r"
    lab.toml:28:7: found `https://dcc.example:8079/`, and no `tls`, expected `tls` with https
      advice: add tls = { ca = ..., certificate = ..., key = ... }: what the lab believes and shows
");
    insta::assert_snapshot!(refused("listener = {", "listen = \"127.0.0.1:8079\"\nlistener = {"), @r"
    lab.toml:32:10: found `listen` beside `url`, expected what belongs to the DCC at `url`, or to the harness's stub, and not both
      advice: with `url` the harness starts no stub: remove one of the two (where answers come in is `listener`)
");
    insta::assert_snapshot!(refused("192.0.2.7:8081", "192.0.2.7:0"), @r"
    lab.toml:32:23: found `192.0.2.7:0`, expected a port that the DCC knows
      advice: write the port the DCC was told
");
    insta::assert_snapshot!(refused("\nED = { certificate", "\n# ED = { certificate"), @r"
    lab.toml:37:1: found nothing that ED signs with, expected one for each role under [users]
      advice: add signing.ED = { certificate = ..., key = ... }
");
    insta::assert_snapshot!(refused("\nED = { certificate", "\nGT = { certificate"), @r"
    lab.toml:40:1: found `GT`, expected a role that stands under [users]
      advice: add it there, or remove it here
");
    insta::assert_snapshot!(refused("dsp = \"dsp.pem\", s1sp", "dsp = [], s1sp"), @r"
    lab.toml:34:20: found `[]`, expected certificates of the DSP
      advice: no message could be believed: name a file
");
    insta::assert_snapshot!(refused("key = \"lab.key\"", "key = \"-----BEGIN PRIVATE KEY-----\""), @r#"
    lab.toml:30:66: found a key, expected a file in PEM, { file = "path" } or { env = "NAME" }
      advice: a key never stands in the lab file itself: the file is evidence
"#);
    insta::assert_snapshot!(refused("links.optical = \"serial:///dev/ttyUSB0?sign-on=e\"", "links.wan = \"tcp://meter:4059\""), @r"
    lab.toml:71:1: found `links.wan` = `tcp://meter:4059`, expected no way to the ESME besides the DCC at https://dcc.example:8079/, save its own port
      advice: remove it: the wide area path is that DCC's, and so are its devices; links.optical and links.local of what stands in this lab may stay
");
    insta::assert_snapshot!(refused("links.local = \"serial:///dev/ttyUSB1?baud=9600\"", "links.local = \"sim:?baud=9600\""), @r"
    lab.toml:79:1: found `links.local` = `sim:?baud=9600`, expected no way to the GSME besides the DCC at https://dcc.example:8079/, save its own port
      advice: remove it: the wide area path is that DCC's, and so are its devices; links.optical and links.local of what stands in this lab may stay
");
}

#[test]
fn a_device_may_be_found_with_older_versions_than_its_model_has() {
    let found = "kind = \"ESME\"\nas-found = { firmware-version = \"P4X2G01\" }";
    let lab = embedded_with("kind = \"ESME\"", found).expect("a lab");
    let esme = lab.rigs[0].device(DeviceKind::Esme).expect("a meter");
    let identity = esme.identity_as_found();
    assert_eq!(identity.firmware_version.as_str(), "P4X2G01");
    assert_eq!(identity.configuration_version, esme.model.identity.configuration_version);
    assert_ne!(identity, esme.model.identity);
    let error = refusal("kind = \"ESME\"", &found.replace("firmware-version", "firmware"));
    assert!(error.contains("firmware-version"), "{error}");
}

#[test]
fn a_station_may_dial_in_and_then_needs_no_broker_and_has_no_sensors() {
    let text = include_str!("../../labs/embedded.toml");
    let at = text.find("[[rig.station]]").expect("the station");
    let end = text.find("# Where stations and harness meet").expect("the broker");
    let after = text.find("# Installations of the same").expect("the rest");
    let with = |station: &str| {
        let changed = format!("{}[[rig.station]]\n{station}\n{}", &text[..at], &text[after..]);
        Lab::parse(&Document::new("lab.toml", changed))
    };
    assert!(end > at);
    let relay = "{ kind = \"mains-relay\", device = \"ESME\" }";
    let lab = with(&format!("name = \"bench-2\"\nover = \"grpc\"\nactuator = [{relay}]")).expect("a lab");
    let station = &lab.rigs[0].stations[0];
    assert_eq!(station.over, crate::Over::Grpc);
    let names: Vec<&str> = station.actuators.values().map(crate::Topic::as_str).collect();
    assert_eq!(names, ["ESME/mains-relay"]);
    let sensor = "sensor = [{ kind = \"current\", device = \"ESME\" }]";
    let refused = with(&format!("name = \"bench-2\"\nover = \"grpc\"\nactuator = [{relay}]\n{sensor}"));
    let words = refused.expect_err("no sensors").to_string();
    assert!(words.contains("sensors of a station over gRPC"), "{words}");
}
