//! What the listener takes, and what it tells the DCC of the rest.

use super::*;
use proto_duis::AlertCode;

#[tokio::test]
async fn an_answer_signed_by_another_is_told_400_and_not_delivered() {
    let desks = desks(Manner::Code("I99")).await;
    let id = desks.accepted().await;
    let forged = desks.answer_from(&desks.s1sp, &desks.s1sp, id, registers());
    let inside = desks.answer_from(&desks.dsp, &desks.dsp, id, registers());
    let stranger = Authority::new("Test authority").unwrap().issue("DSP").unwrap();
    let unknown = desks.answer_from(&stranger, &desks.s1sp, id, registers());
    let changed = desks.answer(id).replace("123456", "123457");
    let refused = [
        (forged, "expected a DSP"),
        (inside, "expected a S1SP"),
        (unknown, "not trusted"),
        (changed, "changed after"),
    ];
    for (xml, expected) in refused {
        let (status, reason) = desks.post(xml).await;
        assert_eq!(status, 400);
        assert!(reason.contains(expected), "{expected} in {reason}");
    }
    let error = desks.user.await_response(&id, shortly()).await.unwrap_err();
    assert!(matches!(error, UserError::NoAnswer { meanwhile: 0, .. }), "{error}");
}

#[tokio::test]
async fn an_answer_must_agree_with_itself_and_with_the_request() {
    let desks = desks(Manner::Code("I99")).await;
    let id = desks.accepted().await;
    let other = desks.answer_from(&desks.dsp, &desks.s1sp, id, build::active_power_import(5).unwrap());
    let (status, reason) = desks.post(other).await;
    assert_eq!((status, reason.as_str()), (400, "ServiceReferenceVariant is 4.16; expected 4.1.1"));
    let elsewhere = RequestId { counter: 4, ..id };
    let signed = Smets1Response::answer(elsewhere, ResponsePayload::success(registers())).sign(&desks.s1sp);
    let mixed = Response::answer(id, Srv::ReadInstantaneousImportRegisters, signed.unwrap(), TIME);
    let (status, reason) = desks.post(mixed.sign(&desks.dsp).unwrap()).await;
    assert!(status == 400 && reason.contains("ResponseID"), "{reason}");
    let foreign = RequestId { originator: METER, ..id };
    let (status, reason) = desks.post(desks.answer(foreign)).await;
    assert!(status == 400 && reason.contains("a user of this lab"), "{reason}");
    assert_eq!(desks.post(desks.answer(id)).await.0, 204);
    assert!(desks.user.await_response(&id, soon()).await.is_ok());
}

#[tokio::test]
async fn what_is_no_message_is_told_so() {
    let limits = Limits { message_octets: 10_000, ..Limits::default() };
    let desks = desks_with(Manner::Code("I99"), limits).await;
    for (octets, status) in [(String::new(), 400), ("<a/>".into(), 400), ("x".repeat(10_001), 413)] {
        assert_eq!(desks.post(octets).await.0, status);
    }
    let words = desks.words.0.lock().unwrap();
    assert_eq!(words.len(), 3);
    assert_eq!(
        words[2],
        "Received DCC: message not taken: a message has at most 10000 octets here, no octets"
    );
}

#[tokio::test]
async fn the_last_stray_answers_are_kept_and_the_others_counted() {
    let limits = Limits { strays: 2, ..Limits::default() };
    let desks = desks_with(Manner::Code("I99"), limits).await;
    let id = |counter| RequestId { originator: examples::USER, target: METER, counter };
    for counter in 1..=5 {
        assert_eq!(desks.post(desks.answer(id(counter))).await.0, 204);
    }
    let left = desks.user.take_leftovers();
    let kept: Vec<u64> = left.strays.iter().map(|stray| stray.answer.request.counter).collect();
    assert_eq!((kept, left.strays_dropped), (vec![4, 5], 3));
    assert_eq!(desks.user.take_leftovers(), Leftovers::default());
}

#[tokio::test]
async fn a_full_queue_of_alerts_asks_the_dcc_to_try_again() {
    let desks = desks_with(Manner::Code("I99"), Limits { alerts: 1, ..Limits::default() }).await;
    let alert =
        |code| DeviceAlert { code: Some(code), description: String::new(), time: TIME, payload: None };
    let tamper = desks.device_alert(examples::USER, alert(AlertCode::TAMPER), 1);
    assert_eq!(desks.post(tamper.clone()).await.0, 204);
    let (status, reason) = desks.post(tamper.clone()).await;
    assert_eq!(
        (status, reason.as_str()),
        (503, "no room for more alerts, or answers of schedules: try again later")
    );
    assert_eq!(desks.user.take_unmatched_alerts().len(), 1);
    assert_eq!(desks.post(tamper).await.0, 204);
}

#[tokio::test]
async fn alerts_are_matched_by_code_and_device_and_the_rest_kept() {
    let desks = desks(Manner::Code("I99")).await;
    let alert = |code| DeviceAlert {
        code: Some(code),
        description: "cover opened".to_owned(),
        time: TIME,
        payload: None,
    };
    let s1sp = examples::s1sp_alerts().unwrap().remove(1).sign(&desks.s1sp).unwrap();
    desks.post(Response::s1sp_alert(s1sp, TIME).sign(&desks.dsp).unwrap()).await;
    desks.post(desks.device_alert(examples::USER, alert(AlertCode::TAMPER), 1)).await;
    let (status, _) = desks.post(desks.device_alert(METER, alert(AlertCode::TAMPER), 1)).await;
    assert_eq!(status, 400);
    let wanted = |code, device| AlertMatcher { code, device, since: None };
    let elsewhere = wanted(AlertCode::TAMPER, Some(examples::USER));
    let error = desks.user.await_alert(elsewhere, shortly()).await.unwrap_err().to_string();
    assert!(error.contains("S1SP alert S1VE1") && error.contains("device alert 8F3F from 00-DB"), "{error}");
    let since = Some(TIME + jiff::SignedDuration::from_millis(1));
    let not_this_old = AlertMatcher { since, ..wanted(AlertCode::TAMPER, Some(METER)) };
    let error = desks.user.await_alert(not_this_old, shortly()).await.unwrap_err().to_string();
    assert!(error.contains("written since 2026-11-21T09:30:00.001Z"), "{error}");
    let armed = desks.user.await_alert(wanted(AlertCode::SUPPLY_ARMED, Some(METER)), soon());
    let later = desks.post(desks.device_alert(examples::USER, alert(AlertCode::SUPPLY_ARMED), 2));
    let (armed, _) = tokio::join!(armed, later);
    let mut values = scenarios::Values::new();
    answer::alerted(&armed.unwrap(), &mut values);
    let all: Vec<String> = values.iter().map(|(path, value)| format!("{path}={value}")).collect();
    assert_eq!(
        all,
        [
            "alert.code=8F32",
            "alert.description=cover opened",
            "alert.device=00-DB-12-34-56-78-90-A0",
            "alert.timestamp=2026-11-21T09:30:00Z"
        ]
    );
    let rest: Vec<String> = desks.user.take_unmatched_alerts().iter().map(Alert::name).collect();
    assert_eq!(rest.len(), 2);
}
