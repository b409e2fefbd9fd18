use proptest::prelude::*;

use super::*;

fn named(text: &str) -> AuthorisationId {
    text.parse().expect("a name")
}

fn finding(code: Code) -> Finding {
    Finding { code: code.published().to_owned(), reason: "for the test".to_owned() }
}

fn event() -> impl Strategy<Value = Event> {
    let code = prop::sample::select(Code::ALL.to_vec());
    let name = "[A-Z0-9][A-Z0-9_]{0,20}".prop_map(|text| named(&text));
    prop_oneof![
        3 => prop::collection::vec(name, 1..3).prop_map(|authorisations| Event::Authorised { authorisations }),
        1 => Just(Event::Prepared),
        3 => Just(Event::Validated),
        3 => Just(Event::ContactBegins),
        3 => prop::collection::vec(any::<[u8; 8]>().prop_map(Eui64::new), 0..2)
            .prop_map(|without| Event::Contacted { without }),
        2 => Just(Event::CommissioningBegins),
        2 => Just(Event::Commissioned),
        2 => code.clone().prop_map(|code| Event::Refused(finding(code))),
        2 => code.clone().prop_map(|code| Event::RollbackBegins(finding(code))),
        3 => Just(Event::RolledBack),
        1 => code.prop_map(|code| Event::NothingToUndo(finding(code))),
        1 => Just(Event::Lifted { by: "a person".to_owned() }),
    ]
}

/// The events by which an installation goes back to its SMSO.
fn way_back(installation: &Installation) -> Vec<Event> {
    match installation.stage().in_control() {
        InControl::Smso => vec![Event::NothingToUndo(finding(Code::AskedFor))],
        InControl::S1sp | InControl::Dcc => {
            vec![Event::RollbackBegins(finding(Code::AskedFor)), Event::RolledBack]
        }
    }
}

proptest! {
    /// Whatever happens in whatever order: control of the devices changes only by an event that says so, never more than
    /// five attempts fail, what is excluded stays so until a person lifts it, and every stage has a way back.
    #[test]
    fn an_installation_is_never_between_two_parties(events in prop::collection::vec(event(), 0..60)) {
        let mut installation = Installation::default();
        for event in events {
            let before = installation.clone();
            let applied = installation.apply(event.clone());
            if applied.is_err() {
                prop_assert_eq!(&installation, &before, "what cannot happen changes nothing");
                continue;
            }
            let moved = (before.stage.in_control(), installation.stage.in_control());
            let by = match moved {
                (from, to) if from == to => true,
                (InControl::Smso, InControl::S1sp) => event == Event::ContactBegins,
                (InControl::S1sp, InControl::Dcc) => event == Event::Commissioned,
                (InControl::Dcc, InControl::S1sp) => matches!(event, Event::RollbackBegins(_)),
                (InControl::S1sp, InControl::Smso) => event == Event::RolledBack,
                _ => false,
            };
            prop_assert!(by, "{:?} moved control {:?}", event, moved);
            prop_assert!(installation.failed <= MOST_ATTEMPTS);
            let tried_again = installation.stage.allows(Operation::Authorise).is_ok();
            prop_assert!(!(tried_again && installation.failed >= MOST_ATTEMPTS), "{:?}", installation);
            if matches!(before.stage, Stage::Excluded(_)) {
                let lifted = matches!(event, Event::Lifted { .. });
                prop_assert!(lifted || installation.stage == before.stage, "{:?}", event);
            }
            let mut back = installation.clone();
            for event in way_back(&installation) {
                prop_assert_eq!(back.apply(event), Ok(()));
            }
            prop_assert_eq!(back.stage.in_control(), InControl::Smso);
        }
    }

    /// The journal says every event as it was.
    #[test]
    fn an_event_reads_back_as_it_was_written(event in event()) {
        let line = serde_json::to_string(&event).expect("a line");
        prop_assert_eq!(serde_json::from_str::<Event>(&line).expect("an event"), event);
    }
}

fn failed(installation: &mut Installation, code: Code) {
    let authorised = Event::Authorised { authorisations: vec![named("MA_LAB")] };
    installation.apply(authorised).expect("authorised");
    installation.apply(Event::Refused(finding(code))).expect("refused");
}

#[test]
fn five_failed_attempts_exclude_and_the_last_is_named() {
    let mut installation = Installation::default();
    for attempt in 1..MOST_ATTEMPTS {
        failed(&mut installation, Code::NotOnEpcl);
        assert_eq!((installation.stage().name(), installation.failed()), ("refused", attempt));
    }
    failed(&mut installation, Code::NotOnEpcl);
    let Stage::Excluded(finding) = installation.stage() else { panic!("{installation:?}") };
    assert_eq!(finding.check(), Some(Code::TooManyAttempts));
    assert_eq!(finding.reason, "5 attempts failed, the last by MA110: for the test");
    assert!(installation.stage().allows(Operation::Authorise).is_err());
    installation.apply(Event::Lifted { by: "a person".into() }).expect("lifted");
    assert_eq!((installation.stage().allows(Operation::Authorise), installation.failed()), (Ok(()), 0));
}

#[test]
fn missing_keys_and_a_silent_network_exclude_at_once() {
    for code in [Code::KeysMissing, Code::NoWanBefore, Code::NoWanWhile] {
        let mut installation = Installation::default();
        failed(&mut installation, code);
        let Stage::Excluded(finding) = installation.stage() else { panic!("{installation:?}") };
        assert_eq!(finding.check(), Some(code));
    }
}

#[test]
fn what_is_no_failure_is_not_counted() {
    let mut installation = Installation::default();
    for _ in 0..2 * MOST_ATTEMPTS {
        failed(&mut installation, Code::Interrupted);
    }
    assert_eq!((installation.stage().name(), installation.failed()), ("refused", 0));
}

#[test]
fn only_what_was_contacted_whole_is_commissioned() {
    let mut installation = Installation::default();
    for event in
        [Event::Authorised { authorisations: vec![named("MA_LAB")] }, Event::Validated, Event::ContactBegins]
    {
        installation.apply(event).expect("in order");
    }
    assert!(installation.stage().allows(Operation::Commission).is_err(), "keys may be half changed");
    installation.apply(Event::Contacted { without: Vec::new() }).expect("contacted");
    assert_eq!(installation.stage().allows(Operation::Commission), Ok(()));
    installation.apply(Event::RollbackBegins(finding(Code::AskedFor))).expect("leaving");
    assert!(installation.stage().allows(Operation::Commission).is_err(), "what leaves is not commissioned");
}
