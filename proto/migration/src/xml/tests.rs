use proptest::prelude::*;
use proto_duis::examples::Draw;

use crate::examples::{drawn, files};
use crate::{FileKind, parse, to_xml};

fn refused(xml: &str) -> String {
    parse(xml.as_bytes()).unwrap_err().to_string()
}

/// The fault of one file of the examples with one thing in it changed.
fn changed(kind: FileKind, from: &str, to: &str) -> String {
    let file = files().into_iter().find(|file| file.body.kind() == kind).unwrap();
    let xml = to_xml(&file);
    assert!(xml.contains(from), "{from} is not in {xml}");
    refused(&xml.replacen(from, to, 1))
}

#[test]
fn the_examples_have_every_kind_and_read_back() {
    let files = files();
    let kinds: Vec<FileKind> = files.iter().map(|file| file.body.kind()).collect();
    assert_eq!(kinds, FileKind::ALL);
    for file in files {
        assert_eq!(parse(to_xml(&file).as_bytes()), Ok(file));
    }
}

#[test]
fn what_has_no_place_is_refused_with_its_path() {
    let unknown = changed(FileKind::Demand, "<mig:Body>", "<mig:Body><mig:Colour/>");
    assert!(
        unknown
            .ends_with("/MigrationDemand/Body/Colour: found element Colour; expected DemandedInstallation"),
        "{unknown}"
    );
    let attribute = changed(FileKind::Demand, "<mig:Body>", "<mig:Body colour=\"red\">");
    assert!(
        attribute.ends_with("/MigrationDemand/Body: attribute colour is not expected here"),
        "{attribute}"
    );
    let text = changed(FileKind::Demand, "<mig:Body>", "<mig:Body>red");
    assert!(text.contains("/MigrationDemand/Body: text \"red\" between elements"), "{text}");
    let left_over = changed(FileKind::Demand, "</mig:Body>", "</mig:Body><mig:Body/>");
    assert!(left_over.contains("/MigrationDemand/Body: found element Body; expected the end"), "{left_over}");
    let kind = refused("<mig:Letter xmlns:mig=\"urn:smets1-lab:migration:1\" schemaVersion=\"1.0\"/>");
    assert!(
        kind.contains(
            "/Letter: found element Letter; expected one of MigrationAuthorisation, MigrationDemand"
        ),
        "{kind}"
    );
}

#[test]
fn what_is_missing_or_of_another_type_is_refused_with_what_is_expected() {
    let missing = changed(FileKind::Common, "<mig:MPxN>1200023305967</mig:MPxN>", "");
    assert!(
        missing.contains("/Installation/MeterPoint/SupplierID: found element SupplierID; expected MPxN"),
        "{missing}"
    );
    for (from, to, expected) in [
        (">Mixed<", ">Half<", "expected one of Dormant, Active, Mixed"),
        (">ESME<", ">Fridge<", "expected one of CHF, GPF, ESME"),
        (">true<", ">yes<", "provided string was not `true` or `false`"),
        (">5<", ">05<", "expected a whole number"),
        (">5<", ">+5<", "expected a whole number"),
        ("T10:35:00Z", "", "expected a date and time with its offset"),
        (">0001<", "><", "expected 1 to 64 printable characters"),
        (">G1<", ">../G1<", "expected 1 to 32 letters and digits"),
        (">S1SP<", ">Friend<", "expected one of MigrationControl, RequestingParty"),
    ] {
        let error = changed(FileKind::Common, from, to);
        assert!(error.contains(expected), "{error}");
    }
    let cut = changed(FileKind::Group, "AAECAwQFBgcICQ", "AAECAwQFBgcI");
    assert!(cut.contains("expected 65 to 65 octets in base64"), "{cut}");
}

#[test]
fn what_is_there_twice_or_backwards_is_refused() {
    let twice = changed(
        FileKind::Demand,
        "</mig:Body>",
        "<mig:DemandedInstallation><mig:InstallationID>00-DB-12-34-56-78-90-A0</mig:InstallationID><mig:MigrationAuthorisationID>MA_2</mig:MigrationAuthorisationID></mig:DemandedInstallation></mig:Body>",
    );
    assert!(twice.contains("\"00-DB-12-34-56-78-90-A0 twice\"; expected each once"), "{twice}");
    let backwards = changed(FileKind::Authorisation, "2026-11-23T", "2025-11-23T");
    assert!(
        backwards.contains(
            "ValidUntilDateTime is \"2025-11-23T10:30:00Z\"; expected a moment after 2026-11-22T10:30:00Z"
        ),
        "{backwards}"
    );
}

#[test]
fn lists_end_where_their_limit_is() {
    let device = "<mig:WithoutDeviceID>00-DB-12-34-56-78-90-A2</mig:WithoutDeviceID>";
    let many = changed(FileKind::Response, device, &device.repeat(17));
    assert!(many.contains("the number of WithoutDeviceID is \"17 or more\"; expected at most 16"), "{many}");
}

proptest! {
    #[test]
    fn any_file_reads_back_as_it_was(kind in prop::sample::select(FileKind::ALL), octets in prop::collection::vec(any::<u8>(), 0..600)) {
        let file = drawn(kind, &mut Draw::new(&octets));
        prop_assert_eq!(parse(to_xml(&file).as_bytes()), Ok(file));
    }

    #[test]
    fn no_octets_break_the_reader(octets: Vec<u8>) {
        let _ = parse(&octets);
    }
}

#[test]
fn the_least_and_the_most_that_is_drawn_read_back() {
    for kind in FileKind::ALL {
        for mut draw in [Draw::least(), Draw::most()] {
            let file = drawn(*kind, &mut draw);
            assert_eq!(parse(to_xml(&file).as_bytes()), Ok(file));
        }
    }
}
