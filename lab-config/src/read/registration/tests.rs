use crate::sources::EMBEDDED_LAB;
use crate::{
    DeviceKind, Document, Fuel, InstallationType, Lab, MeterPointNumber, Registration, RegistrationStatus,
    UserRole,
};

/// The embedded lab with more at its end.
fn with(more: &str) -> Result<Lab, crate::FileError> {
    Lab::parse(&Document::new("lab.toml", format!("{EMBEDDED_LAB}\n{more}")))
}

fn refusal(more: &str) -> String {
    let text = with(more).expect_err("refused").to_string();
    // Lines are counted from where the embedded lab ends.
    let (place, rest) = text.split_once(": ").expect("a place");
    let mut parts = place.split(':').skip(1).filter_map(|n| n.parse::<usize>().ok());
    let line = parts.next().unwrap_or(0).saturating_sub(EMBEDDED_LAB.lines().count());
    format!("{line}:{}: {rest}", parts.next().unwrap_or(0))
}

fn replaced(from: &str, to: &str) -> Result<Lab, crate::FileError> {
    assert!(EMBEDDED_LAB.contains(from), "{from}");
    Lab::parse(&Document::new("lab.toml", EMBEDDED_LAB.replacen(from, to, 1)))
}

fn number(lab: &Lab, kind: DeviceKind) -> MeterPointNumber {
    lab.rigs[0].device(kind).and_then(|device| device.meter_point.clone()).expect("a meter point")
}

#[test]
fn without_a_word_each_meter_has_a_meter_point_that_the_labs_supplier_supplies() {
    let lab = Lab::embedded().expect("the embedded lab");
    for (kind, fuel, role) in [
        (DeviceKind::Esme, Fuel::Electricity, UserRole::ImportSupplier),
        (DeviceKind::Gsme, Fuel::Gas, UserRole::GasSupplier),
    ] {
        let number = number(&lab, kind);
        assert_eq!(number.fuel(), fuel);
        let supplier = lab.user(role).expect("a supplier");
        let status = RegistrationStatus::Supplied;
        assert_eq!(lab.registration(&number), Some(Registration { number, supplier, status }));
    }
    assert_eq!(lab.rigs[0].device(DeviceKind::Chf).expect("a hub").meter_point, None);
    let unknown: MeterPointNumber = "1200023305967".parse().expect("an MPAN");
    assert_eq!(lab.registration(&unknown), None, "nobody is registered for what is nobody's");
}

#[test]
fn a_lab_file_says_which_meter_point_a_meter_is_at_and_who_supplies_it() {
    let meter = "eui-64 = \"00-DB-12-34-56-78-90-03\"";
    let text = EMBEDDED_LAB.replacen(meter, &format!("{meter}\nmeter-point = \"1200023305967\""), 1);
    let lab = Lab::parse(&Document::new(
        "lab.toml",
        text + "\n[[registration]]\nnumber = '1200023305967'\nfuel = 'electricity'\nsupplier = 'OU'\nstatus = 'disconnected'\n",
    ));
    let lab = lab.unwrap_or_else(|error| panic!("{error}"));
    let registration = lab.registration(&number(&lab, DeviceKind::Esme)).expect("a registration");
    assert_eq!(Some(registration.supplier), lab.user(UserRole::OtherUser));
    assert_eq!(registration.status, RegistrationStatus::Disconnected);
}

#[test]
fn what_is_wrong_with_a_meter_point_or_a_registration_is_said_with_its_place() {
    let gas = "[[registration]]\nnumber = '3456789012'\nfuel = 'gas'\n";
    for (written, said) in [
        (
            "[[registration]]\nnumber = '1200023305968'\nfuel = 'electricity'".to_owned(),
            "would be 7: a digit is wrong",
        ),
        (
            "[[registration]]\nnumber = '1200023305967'\nfuel = 'gas'".to_owned(),
            "a meter point of electricity",
        ),
        (format!("{gas}supplier = 'SX'"), "the roles there are "),
        (format!("{gas}status = 'gone'"), "use one of supplied, disconnected"),
        (gas.repeat(2), "a number that is not registered yet"),
    ] {
        let refused = refusal(&written);
        assert!(refused.contains(said), "{written}\n{refused}");
    }
    let (place, _) = refusal("[[registration]]\nnumber = '1'\nfuel = 'gas'")
        .split_once(": ")
        .map_or_else(|| panic!("a place"), |(place, rest)| (place.to_owned(), rest.to_owned()));
    assert_eq!(place, "3:10");
    let hub = "eui-64 = \"00-DB-12-34-56-78-90-01\"";
    let refused =
        replaced(hub, &format!("{hub}\nmeter-point = '1200023305967'")).expect_err("refused").to_string();
    assert!(
        refused.contains("`meter-point` of a CHF") && refused.contains("give it to the meter"),
        "{refused}"
    );
}

#[test]
fn two_meters_are_not_at_one_meter_point() {
    let mut text = EMBEDDED_LAB.replacen(
        "eui-64 = \"00-DB-12-34-56-78-90-04\"",
        "eui-64 = \"00-DB-12-34-56-78-90-04\"\nmeter-point = \"3456789012\"",
        1,
    );
    let rig =
        text.split_once("[[rig]]").expect("a rig").1.split_once("# What presses keys").expect("its end").0;
    let second = rig.replace("78-90-", "78-99-").replace("\"rig-1\"", "\"rig-2\"");
    text = format!("{text}\n[[rig]]{second}");
    let refused = Lab::parse(&Document::new("lab.toml", text)).expect_err("refused").to_string();
    assert!(refused.contains("meter point 3456789012 a second time"), "{refused}");
}

#[test]
fn a_combination_has_an_entry_for_each_kind_of_installation() {
    let lab = Lab::embedded().expect("the embedded lab");
    let combination = &lab.rigs[0].combination.id;
    let entry = |kind| lab.entry(combination, kind).expect("an entry");
    let active = |kind| [Fuel::Electricity, Fuel::Gas].map(|fuel| entry(kind).is_active(fuel));
    assert_eq!(active(InstallationType::Dormant), [false, false]);
    assert_eq!(active(InstallationType::Active), [true, true]);
    assert_eq!(active(InstallationType::Mixed), [true, false]);
    let stood_for = |kind| lab.stood_for_by(entry(kind)).map(|e| e.id.as_str()).collect::<Vec<_>>();
    assert_eq!(stood_for(InstallationType::Dormant), ["epcl-ioc-1-mixed"]);
    assert!(stood_for(InstallationType::Active).is_empty());
}

const ENTRY: &str = "[[epcl]]\nid = 'more'\ncombination = 'ioc-liberty-100-g4'\nsmso = 'Lab SMSO'\nstatus = 'listed'\nfirst-added = 2026-01-01\n";

#[test]
fn what_an_entry_cannot_say_is_refused() {
    let entry = |more: &str| refusal(&format!("{ENTRY}{more}"));
    for (written, said) in [
        ("installation-type = 'dormant'\ntested-as = 'dormant'", "the entry is dormant itself"),
        (
            "installation-type = 'active'\ntested-as = 'mixed'",
            "the only testing that stands for that of another",
        ),
        ("installation-type = 'active'\nactive-fuel = 'gas'", "`active-fuel` beside `active`"),
        (
            "installation-type = 'dormant'\nmtad = { panel = 'minutes' }",
            "`tab`: where the TAB's determination",
        ),
    ] {
        let refused = entry(written);
        assert!(refused.contains(said), "{written}\n{refused}");
    }
    let again = ENTRY.replace("more", "epcl-ioc-1");
    let refused = refusal(&format!("{again}installation-type = 'dormant'"));
    assert!(refused.contains("a name no other entry has"), "{refused}");
    let dormant = "installation-type = \"dormant\"";
    let refused = replaced(dormant, "installation-type = \"active\"").expect_err("refused").to_string();
    assert!(
        refused.contains("no dormant entry of `ioc-liberty-100-g4`") && refused.contains("20.9"),
        "{refused}"
    );
}

#[test]
fn migration_tested_under_the_mtad_says_who_determined_it() {
    let dormant = "installation-type = \"dormant\"";
    let mtad = "mtad = { tab = \"TAB, 14 October 2026, item 3\" }";
    let lab = replaced(dormant, &format!("{dormant}\n{mtad}")).unwrap_or_else(|error| panic!("{error}"));
    let found = lab.epcl[0].mtad.as_ref().expect("the determination");
    assert_eq!((found.tab.as_str(), &found.panel), ("TAB, 14 October 2026, item 3", &None));
}
