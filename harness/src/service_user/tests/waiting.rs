//! Answers that come early, late, twice or to nobody.

use super::*;

#[tokio::test]
async fn a_late_answer_is_kept_as_late() {
    let desks = desks(Manner::Code("I99")).await;
    let id = desks.accepted().await;
    let error = desks.user.await_response(&id, shortly()).await.unwrap_err().to_string();
    for part in ["service request 4.1.1", &id.to_string(), &desks.user.listener_url(), "none after 0."] {
        assert!(error.contains(part), "{part} in {error}");
    }
    assert_eq!(desks.post(desks.answer(id)).await.0, 204);
    let strays = desks.user.take_stray_answers();
    assert_eq!((strays.len(), strays[0].kind, strays[0].answer.request), (1, StrayKind::Late, id));
    assert_eq!(strays[0].to_string(), format!("late response I0 to 4.1.1, to request {id}"));
    assert_eq!(desks.words.0.lock().unwrap().last().unwrap(), "Received DCC: late response I0 to 4.1.1");
    let error = desks.user.await_response(&id, soon()).await.unwrap_err();
    assert!(matches!(error, UserError::NotOpen { .. }), "{error}");
}

#[tokio::test]
async fn a_second_answer_is_kept_as_a_duplicate() {
    let desks = desks(Manner::Code("I99")).await;
    let id = desks.accepted().await;
    for _ in 0..2 {
        assert_eq!(desks.post(desks.answer(id)).await.0, 204);
    }
    assert!(desks.user.await_response(&id, soon()).await.is_ok());
    assert_eq!(desks.post(desks.answer(id)).await.0, 204);
    let kinds: Vec<_> = desks.user.take_stray_answers().into_iter().map(|stray| stray.kind).collect();
    assert_eq!(kinds, [StrayKind::Duplicate; 2]);
    let words = desks.words.0.lock().unwrap();
    let responses: Vec<&str> =
        words.iter().filter(|words| words.contains("response")).map(String::as_str).collect();
    let duplicate = "Received DCC: duplicate response I0 to 4.1.1";
    assert_eq!(responses, ["Received DCC: response I0 to 4.1.1", duplicate, duplicate]);
}

#[tokio::test]
async fn an_answer_to_no_request_is_kept_as_unsolicited() {
    let desks = desks(Manner::Code("I99")).await;
    let id = desks.accepted().await;
    let other = RequestId { counter: id.counter + 1, ..id };
    assert_eq!(desks.post(desks.answer(other)).await.0, 204);
    assert_eq!(desks.user.take_stray_answers()[0].kind, StrayKind::Unsolicited);
    assert_eq!(
        desks.words.0.lock().unwrap().last().unwrap(),
        "Received DCC: unsolicited response I0 to 4.1.1"
    );
}

#[tokio::test]
async fn the_dccs_own_answer_that_comes_later_is_one() {
    let desks = desks(Manner::Code("I99")).await;
    let id = desks.accepted().await;
    let srv = Srv::ReadInstantaneousImportRegisters;
    let unreachable = Response::acknowledgement(id, srv, ResponseCode::NO_RESPONSE, TIME);
    assert_eq!(desks.post(unreachable.sign(&desks.dsp).unwrap()).await.0, 204);
    let answer = desks.user.await_response(&id, soon()).await.unwrap();
    assert_eq!((answer.code, answer.success, answer.data), (ResponseCode::NO_RESPONSE, None, None));
}

#[tokio::test]
async fn a_wait_that_is_dropped_gives_the_request_up() {
    let desks = desks(Manner::Code("I99")).await;
    let id = desks.accepted().await;
    tokio::select! {
        biased;
        _ = desks.user.await_response(&id, soon()) => panic!("nothing came"),
        () = tokio::task::yield_now() => {}
    }
    assert_eq!(desks.post(desks.answer(id)).await.0, 204);
    assert_eq!(desks.user.take_stray_answers()[0].kind, StrayKind::Late);
}

#[tokio::test]
async fn so_many_requests_may_wait_and_no_more() {
    let desks = desks_with(Manner::Code("I99"), Limits { open: 1, ..Limits::default() }).await;
    let id = desks.accepted().await;
    let error = desks.submit(None).await.unwrap_err();
    assert!(matches!(error, UserError::TooMany { limit: 1 }), "{error}");
    let replayed = desks.submit(Some(Misuse::ReplayedCounter)).await.unwrap_err();
    assert!(matches!(replayed, UserError::StillOpen { request } if request == id), "{replayed}");
    assert_eq!(desks.dcc.ids(), [id]);
    desks.user.give_up_all();
    assert!(desks.submit(None).await.is_ok());
}
