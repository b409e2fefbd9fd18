use super::*;
use crate::examples::drawn;
use crate::{File, Header};
use proptest::prelude::*;
use proto_duis::examples::Draw;

#[test]
fn every_name_is_an_xml_name_and_only_the_known_forms_are_verified() {
    let Data { schema: _, root, element, role, installation_kind, step, outcome, file_name } =
        &Names::read(DATA).unwrap().data;
    for entry in [root, element, role, installation_kind, step, outcome].into_iter().flat_map(Table::values) {
        assert!(entry.is.bytes().all(|b| b.is_ascii_alphanumeric()) && !entry.verified, "{}", entry.is);
    }
    let verified: Vec<&str> = file_name.values().filter(|e| e.verified).map(|e| e.is.as_str()).collect();
    assert_eq!(verified, ["MA_{writer}_{installation}_{date}_{time}"]);
    assert!(file_name["demand"].is.starts_with("DC-") && file_name["response"].is.starts_with("DR_"));
}

#[test]
fn data_with_a_name_missing_too_many_or_twice_is_refused_by_its_key() {
    let refused = |from: &str, to: &str| {
        assert!(DATA.contains(from), "{from}");
        Names::read(&DATA.replacen(from, to, 1)).unwrap_err()
    };
    assert_eq!(refused("step = {", "stride = {"), "[element]: step is missing");
    assert_eq!(
        refused("[role]", "[role]\nfriend = { is = \"Friend\", verified = false }"),
        "[role]: friend is not known"
    );
    assert_eq!(refused("\"Dormant\"", "\"Active\""), "[installation-kind]: \"Active\" is there twice");
    assert!(refused("[outcome]", "[ending]").contains("ending"));
}

proptest! {
    #[test]
    fn a_composed_name_is_a_name(kind in prop::sample::select(FileKind::ALL), octets: Vec<u8>) {
        let file = drawn(kind, &mut Draw::new(&octets));
        let File { header: Header { from, group, number, written, .. }, body } = &file;
        let name = FileName::of(body, *from, group, *number, *written);
        prop_assert_eq!(name.as_str().parse::<FileName>(), Ok(name));
    }
}

/// The XML Schemas that lie beside the data.
const SCHEMAS: [&str; 14] = [
    include_str!("../../schemas/types.xsd"),
    include_str!("../../schemas/authorisation.xsd"),
    include_str!("../../schemas/demand.xsd"),
    include_str!("../../schemas/response.xsd"),
    include_str!("../../schemas/estate.xsd"),
    include_str!("../../schemas/common.xsd"),
    include_str!("../../schemas/group.xsd"),
    include_str!("../../schemas/results.xsd"),
    include_str!("../../schemas/required-file-set.xsd"),
    include_str!("../../schemas/commissioning.xsd"),
    include_str!("../../schemas/rollback.xsd"),
    include_str!("../../schemas/outcome.xsd"),
    include_str!("../../schemas/key-wrap-request.xsd"),
    include_str!("../../schemas/wrapped-keys.xsd"),
];

/// Every value of an attribute that begins like this.
fn values<'a>(schema: &'a str, beginning: &'a str) -> impl Iterator<Item = &'a str> {
    schema.split(beginning).skip(1).filter_map(|rest| rest.split('"').next())
}

#[test]
fn the_schemas_have_the_names_of_the_data_and_no_other() {
    use std::collections::BTreeSet;
    let Data { schema, root, element, role, installation_kind, step, outcome, .. } =
        &Names::read(DATA).unwrap().data;
    let elements: BTreeSet<&str> =
        SCHEMAS.iter().flat_map(|xsd| values(xsd, "<xs:element name=\"")).collect();
    let named: BTreeSet<&str> =
        root.values().chain(element.values()).map(|entry| entry.is.as_str()).collect();
    assert_eq!(elements, named);
    let words: BTreeSet<&str> = values(SCHEMAS[0], "<xs:enumeration value=\"").collect();
    let kinds = proto_duis::DeviceKind::ALL.iter().map(|kind| kind.as_str());
    let tables = [role, installation_kind, step, outcome].into_iter().flat_map(Table::values);
    assert_eq!(words, tables.map(|entry| entry.is.as_str()).chain(kinds).collect());
    for xsd in SCHEMAS {
        assert_eq!(values(xsd, "targetNamespace=\"").next(), Some(schema.namespace.is.as_str()));
        for version in values(xsd, "use=\"required\" fixed=\"") {
            assert_eq!(version, schema.version.is);
        }
    }
}
