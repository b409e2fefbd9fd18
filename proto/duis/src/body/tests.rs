use super::fields::without_indices;
use super::*;
use crate::examples;

fn refused(srv: Srv, fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    RequestBody::from_fields(srv, &fields).unwrap_err().to_string()
}

#[test]
fn every_example_field_is_listed() {
    for (srv, fields) in examples::fields() {
        let listed = RequestBody::fields(srv);
        for name in fields.keys() {
            let name = without_indices(name);
            assert!(listed.iter().any(|field| without_indices(&field.name) == name), "{srv} {name}");
        }
    }
}

#[test]
fn an_unknown_field_is_refused_everywhere() {
    for (srv, mut fields) in examples::fields() {
        fields.insert("Nonsense".to_owned(), String::new());
        let error = RequestBody::from_fields(srv, &fields).unwrap_err();
        assert!(
            matches!(error, FieldError::Unknown { ref field, .. } if field == "Nonsense"),
            "{srv}: {error}"
        );
    }
}

#[test]
fn faults_name_the_field_and_what_is_expected() {
    let faults = [
        refused(Srv::TopUpDevice, &[]),
        refused(Srv::TopUpDevice, &[("UTRN", "123")]),
        refused(Srv::ArmSupply, &[("Now", "true")]),
        refused(Srv::SynchroniseClock, &[("CurrentDateTime", "now"), ("TolerancePeriod", "10")]),
        refused(
            Srv::SynchroniseClock,
            &[("CurrentDateTime", "2026-11-21T09:30:00Z"), ("TolerancePeriod", "86401")],
        ),
        refused(Srv::UpdatePaymentMode, &[]),
        refused(Srv::UpdatePaymentMode, &[("Credit", "yes")]),
        refused(Srv::UpdatePaymentMode, &[("Credit", "true"), ("DisablementThreshold", "1")]),
        refused(Srv::UpdatePaymentMode, &[("SuspendDebtDisabled", "true")]),
        refused(Srv::ReadInventory, &[]),
        refused(Srv::ReadInventory, &[("UPRN", "0")]),
        refused(Srv::ReadInventory, &[("DeviceID", "90-B3"), ("MPxN", "1")]),
        refused(Srv::ReadEventOrSecurityLog, &[("StartDateTime", "2026-11-21T09:30:00Z")]),
        refused(
            Srv::UpdatePricePrimaryElement,
            &[("StandingCharge", "1"), ("StandingChargeScale", "0"), ("PriceScale", "0")],
        ),
        refused(Srv::UpdatePricePrimaryElement, &[("CurrencyUnits", "USD")]),
        refused(
            Srv::UpdatePricePrimaryElement,
            &[
                ("CurrencyUnits", "GBP"),
                ("StandingCharge", "1"),
                ("BlockPrice[1]", "1"),
                ("NumberOfThresholds", "4"),
            ],
        ),
        refused(
            Srv::UpdatePricePrimaryElement,
            &[("CurrencyUnits", "GBP"), ("StandingCharge", "1"), ("TOUPrice[1]", "1"), ("TOUPrice[5]", "1")],
        ),
        refused(Srv::UpdateMeterBalance, &[]),
        refused(Srv::UpdateMeterBalance, &[("CreditMode.ResetMeterBalance", "false")]),
        refused(Srv::DisplayMessage, &[("SupplierMessage", "Grüße")]),
        refused(Srv::UpdateDeviceConfigurationGasConversion, &[("CalorificValue", "39.45")]),
        refused(Srv::UpdateDeviceConfigurationBillingCalendar, &[("BillingTime", "24:00"), ("Weekly", "1")]),
        refused(
            Srv::UpdateDeviceConfigurationBillingCalendar,
            &[("BillingTime", "00:00:00"), ("Weekly", "8")],
        ),
        refused(
            Srv::UpdateDeviceConfigurationBillingCalendar,
            &[("BillingTime", "00:00:00"), ("Weekly", "1"), ("Monthly", "1")],
        ),
        refused(
            Srv::RetrieveDeviceSecurityCredentialsKRP,
            &[("RemotePartyRole[1]", "Root"), ("RemotePartyRole[3]", "Root")],
        ),
        refused(Srv::ConfigureAlertBehaviour, &[("ElectricitySupplierAlerts.x8002", "Enable")]),
        refused(
            Srv::UpdateImportTariffPrimaryElement,
            &[("StandingChargeScale", "1"), ("CurrencyUnits", "GBP")],
        ),
    ];
    insta::assert_snapshot!(faults.join("\n"));
}

#[test]
fn an_index_outside_the_matrix_is_refused_in_xml() {
    let request = examples::requests().unwrap().remove(0);
    for (from, to) in [("index=\"2\"", "index=\"49\""), ("index=\"2\"", "index=\"0\""), (" index=\"2\"", "")]
    {
        let xml = request.to_xml().replace(from, to);
        let error = crate::Request::parse(xml.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("TOUTariff/TOUPrice: ") && error.contains("index"), "{error}");
    }
}

const METER: &str = "00-DB-12-34-56-78-90-A0";

#[test]
fn a_firmware_field_that_is_none_is_refused() {
    let update = |image, version, devices| {
        let fields = [("FirmwareImage", image), ("FirmwareVersion", version), ("DeviceIDList", devices)];
        refused(Srv::UpdateFirmware, &fields)
    };
    let faults = [
        (update("!", "2", METER), "base64"),
        (update("", "2", METER), "octets"),
        (update("AAAA", "123456789", METER), "1 to 8 characters"),
        (update("AAAA", "", METER), "1 to 8 characters"),
        (update("AAAA", "2", ""), "EUI-64"),
        (update("AAAA", "2", "00-DB-12-34-56-78-90-A0,"), "EUI-64"),
        (refused(Srv::ActivateFirmware, &[("FirmwareHash", &"0".repeat(63))]), "64 hexadecimal"),
        (refused(Srv::ActivateFirmware, &[("FirmwareHash", &"+0".repeat(32))]), "64 hexadecimal"),
        (refused(Srv::ActivateFirmware, &[]), "FirmwareHash"),
    ];
    for (error, expected) in faults {
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn an_image_has_as_many_octets_as_the_schema_takes_and_no_more() {
    let largest = FirmwareImage::new(vec![7; FirmwareImage::LARGEST]).unwrap();
    assert!(FirmwareImage::new(vec![7; FirmwareImage::LARGEST + 1]).is_err());
    let spaced = format!(" {}\n{} ", &largest.to_string()[..100], &largest.to_string()[100..]);
    assert_eq!(spaced.parse::<FirmwareImage>().unwrap(), largest);
    let body = UpdateFirmware {
        image: largest.clone(),
        version: "P4X2G05".parse().unwrap(),
        devices: METER.parse().unwrap(),
    };
    let id = examples::requests().unwrap().remove(0).id;
    let request = crate::Request::new(id, RequestBody::UpdateFirmware(body));
    assert_eq!(crate::Request::parse(request.to_xml().as_bytes()).unwrap(), request);
    let shown = format!("{largest:?}");
    assert!(shown.contains("10240000 octets") && shown.len() < 200, "{shown}");
}

#[test]
fn a_hash_is_that_of_the_octets() {
    let hash = FirmwareImage::new(b"abc".to_vec()).unwrap().hash();
    assert_eq!(hash.to_string(), "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
    assert_eq!(hash.to_string().to_lowercase().parse(), Ok(hash));
}
