use super::*;
use crate::examples;
use crate::{RequestBody, RequestId, Srv};
use proptest::prelude::*;

#[test]
fn every_message_reads_back_as_it_was_written() {
    for request in examples::requests().unwrap() {
        assert_eq!(Request::parse(request.to_xml().as_bytes()).unwrap(), request);
    }
    for message in examples::device_messages().unwrap() {
        assert_eq!(*Smets1Response::parse(message.to_xml().as_bytes()).unwrap().content(), message);
    }
    for alert in examples::s1sp_alerts().unwrap() {
        assert_eq!(*S1spAlert::parse(alert.to_xml().as_bytes()).unwrap().content(), alert);
    }
    for response in examples::dcc_responses() {
        assert_eq!(Response::parse(response.to_xml().as_bytes()).unwrap(), response);
    }
}

#[test]
fn there_is_an_example_for_every_variant() {
    let requests = examples::requests().unwrap();
    let answers = examples::answers().unwrap();
    for srv in Srv::ALL {
        assert!(requests.iter().any(|request| request.srv() == *srv), "{srv}");
        let answered = answers.iter().any(|answer| answer.srv() == *srv && answer.success() == Some(true));
        assert!(answered || srv.is_for_the_dcc(), "{srv}");
    }
}

/// If this fails, do not change the test: runs recorded by an earlier build must still read the same.
#[test]
fn golden_request() {
    let clock =
        examples::requests().unwrap().into_iter().find(|request| request.srv() == Srv::SynchroniseClock);
    insta::assert_snapshot!(clock.unwrap().to_xml());
}

/// If this fails, do not change the test.
#[test]
fn golden_device_answer() {
    insta::assert_snapshot!(examples::device_messages().unwrap()[0].to_xml());
}

/// If this fails, do not change the test.
#[test]
fn golden_inventory() {
    insta::assert_snapshot!(examples::dcc_responses().pop().unwrap().to_xml());
}

/// If this fails, do not change the test.
#[test]
fn golden_s1sp_alert() {
    insta::assert_snapshot!(examples::s1sp_alerts().unwrap().pop().unwrap().to_xml());
}

fn fault(xml: &str) -> String {
    Request::parse(xml.as_bytes()).unwrap_err().to_string()
}

fn arm_supply() -> String {
    let requests = examples::requests().unwrap();
    requests.iter().find(|request| request.srv() == Srv::ArmSupply).unwrap().to_xml()
}

#[test]
fn faults_say_where_what_and_what_was_expected() {
    let xml = arm_supply();
    let faults = [
        xml.replace("<sr:ArmSupply/>", "<sr:DisarmSupply/>"),
        xml.replace("<sr:ArmSupply/>", "<sr:ArmSupply>\n<sr:Now/></sr:ArmSupply>"),
        xml.replace("<sr:ArmSupply/>", "<sr:ArmSupply/>\n<sr:ArmSupply/>"),
        xml.replace("<sr:ArmSupply/>", "<sr:ArmSupply when=\"now\"/>"),
        xml.replace("<sr:ArmSupply/>", "<sr:ArmSupply>now</sr:ArmSupply>"),
        xml.replace("<sr:CommandVariant>1<", "<sr:CommandVariant>10<"),
        xml.replace("Reference>7.3<", "Reference>7.2<"),
        xml.replace("Variant>7.3<", "Variant>7.33<"),
        xml.replace("5.4", "5.3"),
        xml.replace(" schemaVersion=\"5.4\"", ""),
        xml.replace("Header>", "Head>"),
        xml.replace(":22<", ":022<"),
    ];
    let known: Vec<&str> = Srv::ALL.iter().map(|srv| srv.as_str()).collect();
    let faults = faults.map(|xml| fault(&xml).replace(&known.join(", "), "the variants of the table"));
    insta::assert_snapshot!(faults.join("\n"));
}

#[test]
fn a_response_of_a_kind_not_served_is_refused_by_name() {
    let xml = examples::dcc_responses().remove(0).to_xml();
    let xml = xml.replace("ResponseMessage", "DeviceAlertMessage");
    let error = Response::parse(xml.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("found element DeviceAlertMessage; expected ResponseMessage"), "{error}");
}

#[test]
fn only_the_request_decides_the_command_variant() {
    for request in examples::requests().unwrap() {
        let expected =
            if request.srv().is_for_the_dcc() { CommandVariant::DCC_ONLY } else { CommandVariant::WAN };
        assert_eq!(request.command_variant, expected);
    }
    assert!(CommandVariant::new(0).is_err() && CommandVariant::new(10).is_err());
}

proptest! {
    #[test]
    fn any_identity_and_header_survives(
        originator in any::<[u8; 8]>(), target in any::<[u8; 8]>(), counter in any::<u64>(),
        variant in 1..=9u8, first in any::<Option<bool>>(), preceded in any::<bool>(),
    ) {
        let id = RequestId { originator: originator.into(), target: target.into(), counter };
        let body = RequestBody::from_fields(Srv::ArmSupply, &Default::default()).unwrap();
        let mut request = Request::new(id, body);
        request.command_variant = CommandVariant::new(variant).unwrap();
        request.first_in_sequence = first;
        request.preceding = preceded.then_some(id);
        prop_assert_eq!(Request::parse(request.to_xml().as_bytes()).unwrap(), request);
    }

    #[test]
    fn any_words_survive_in_an_alert(code in "\\PC{0,40}", information in proptest::option::of("[\\PC\r\n\t]{0,60}")) {
        let alert = S1spAlert { code, information, ..examples::s1sp_alerts().unwrap().remove(0) };
        let read = S1spAlert::parse(alert.to_xml().as_bytes()).unwrap();
        prop_assert_eq!(read.content(), &alert);
    }

    #[test]
    fn any_octets_are_answered(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Request::parse(&octets);
        let _ = Response::parse(&octets);
    }

    #[test]
    fn a_damaged_message_is_answered(at in any::<prop::sample::Index>(), octet in any::<u8>(), cut in any::<bool>()) {
        let mut octets = examples::device_messages().unwrap().remove(3).to_xml().into_bytes();
        let at = at.index(octets.len());
        octets[at] = octet;
        if cut {
            octets.truncate(at);
        }
        let _ = Smets1Response::parse(&octets);
    }
}
