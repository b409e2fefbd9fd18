use super::build::{self, Decimal, Fuel};
use super::*;
use crate::examples;
use proptest::prelude::*;

fn profile() -> MmcBody {
    let value = |mantissa| (examples::TIME, Decimal { mantissa, exponent: -3 });
    build::profile(Fuel::Gas, &[value(1_500), value(-20)]).unwrap()
}

#[test]
fn values_are_found_by_path() {
    let body = profile();
    let find = |path| body.find(path).unwrap();
    assert_eq!(find("LogEntry.count").as_deref(), Some("2"));
    assert_eq!(find("LogEntry[0].Gas.PrimaryValue").as_deref(), Some("1.500"));
    assert_eq!(find("LogEntry[1].Gas.PrimaryValue").as_deref(), Some("-0.020"));
    assert_eq!(find("LogEntry[2].Gas.PrimaryValue"), None);
    assert_eq!(find("LogEntry[0].Gas"), None);
    assert_eq!(find("Nothing.count").as_deref(), Some("0"));
    assert_eq!(find("@MessageSuccess").as_deref(), Some("true"));
}

#[test]
fn a_path_that_means_no_one_value_is_refused() {
    let body = profile();
    let error = body.find("LogEntry.Timestamp").unwrap_err().to_string();
    assert!(error.contains("write LogEntry[0] to LogEntry[1], or LogEntry.count"), "{error}");
    for path in ["", "LogEntry[", "LogEntry[x]", "LogEntry.count.x", "@a.b", "Log Entry", "LogEntry[0]]"] {
        assert!(matches!(body.find(path), Err(PathError::Step { .. })), "{path}");
    }
}

fn refused(srv: Srv, content: MmcElement) -> String {
    MmcBody::new(srv, true, [content]).unwrap_err().to_string()
}

#[test]
fn a_tree_not_of_its_form_is_refused() {
    let power = |children: &[(&str, &str)]| {
        let children = children.iter().map(|(name, text)| MmcElement::leaf(*name, text));
        MmcElement::new("ActivePowerImport").with_all(children)
    };
    let srv = Srv::ReadActivePowerImport;
    let faults = [
        refused(srv, power(&[("Value", "1"), ("Value", "2")])),
        refused(srv, power(&[("Unit", "W"), ("Value", "2")])),
        refused(srv, power(&[("Value", "one")])),
        refused(srv, power(&[("Watts", "1")])),
        refused(srv, power(&[]).with_attribute("index", 1)),
        refused(srv, MmcElement::leaf("ActivePowerImport", "1")),
        refused(srv, power(&[]).with(MmcElement::new("Value").with(MmcElement::new("x")))),
        refused(Srv::ArmSupply, power(&[])),
        refused(Srv::ReadInventory, power(&[])),
        refused(Srv::ReadFirmwareVersion, MmcElement::leaf("FirmwareVersion", "x".repeat(2_001))),
        refused(Srv::ReadSupplyStatus, MmcElement::leaf("SupplyState", "Ajar")),
        MmcBody::new(Srv::ReadTariffPrimaryElement, false, []).unwrap_err().to_string(),
    ];
    insta::assert_snapshot!(faults.join("\n"));
}

#[test]
fn an_unknown_element_in_an_answer_is_refused_with_its_place() {
    let message = examples::device_messages().unwrap().remove(0).to_xml();
    let message = message.replace("<ra:Value>123456</ra:Value>", "\n <ra:Valve>123456</ra:Valve>");
    let error = crate::Smets1Response::parse(message.as_bytes()).unwrap_err().to_string();
    insta::assert_snapshot!(error);
}

#[test]
fn an_alert_payload_is_checked() {
    let message = examples::device_messages().unwrap().pop().unwrap().to_xml();
    let error =
        crate::Smets1Response::parse(message.replace("00FF", "0FF").as_bytes()).unwrap_err().to_string();
    assert!(error.contains("FirmwareVerificationDeviceAlert/ManufacturerImageHash"), "{error}");
    let message = message.replace("FirmwareVerificationDeviceAlert", "OtherAlert");
    assert!(crate::Smets1Response::parse(message.as_bytes()).is_err());
}

#[test]
fn decimals_are_exact() {
    let text = |mantissa, exponent| Decimal { mantissa, exponent }.to_string();
    assert_eq!(text(1_234_567, -3), "1234.567");
    assert_eq!(text(-5, -3), "-0.005");
    assert_eq!(text(0, 2), "0");
    assert_eq!(text(12, 2), "1200");
    assert_eq!(text(i64::MIN, 0), "-9223372036854775808");
}

proptest! {
    #[test]
    fn any_path_is_answered(path in "[A-Za-z.\\[\\]0-9@]{0,30}") {
        let _ = profile().find(&path);
    }

    #[test]
    fn any_decimal_fits_the_schema(mantissa in any::<i64>(), exponent in -12i8..=12) {
        let volume = Decimal { mantissa, exponent };
        prop_assert!(build::import_registers_gas(volume).is_ok());
    }
}
