//! A DCC that is asked too much, and says when to ask again.

use super::*;

#[tokio::test]
async fn a_throttled_request_goes_out_again_when_the_dcc_asks_for_it() {
    for status in [429, 503] {
        let desks = desks(Manner::Throttles(2, status, "0")).await;
        let submitted = desks.submit(None).await.unwrap();
        assert!(submitted.is_accepted());
        // The same octets each time: its counter was not used.
        let seen = desks.dcc.seen();
        assert!(seen.len() == 3 && seen.iter().all(|request| *request == seen[0]), "{seen:?}");
        let words = desks.words.0.lock().unwrap().clone();
        let throttled = format!("Received DCC: throttled: HTTP status {status}, to be asked again after 0 s");
        let again = format!("Sent DCC: service request 4.1.1 (again after HTTP status {status})");
        let expected = [
            "Sent DCC: service request 4.1.1",
            &throttled,
            &again,
            &throttled,
            &again,
            "Received DCC: acknowledgement I99",
        ];
        assert_eq!(words, expected);
    }
}

#[tokio::test]
async fn a_dcc_that_always_throttles_is_asked_so_often_and_no_more() {
    let desks = desks(Manner::Throttles(usize::MAX, 429, "0")).await;
    let error = desks.submit(None).await.unwrap_err();
    assert!(
        matches!(error, UserError::Exchange { found: Found::Throttled { attempts: 4, .. }, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("HTTP status 429 4 times"), "{error}");
    assert_eq!(desks.dcc.seen().len(), 4);
}

#[tokio::test]
async fn nobody_waits_beyond_the_deadline_or_without_being_asked_to() {
    let desks = desks(Manner::Throttles(usize::MAX, 503, "30")).await;
    let error = desks.submit(None).await.unwrap_err().to_string();
    assert!(error.contains("asked again after 30 s") && error.contains("too little time left"), "{error}");
    assert_eq!(desks.dcc.seen().len(), 1);
    for pause in ["", "soon", "3600"] {
        let desks = super::desks(Manner::Throttles(usize::MAX, 503, pause)).await;
        let error = desks.submit(None).await.unwrap_err();
        assert!(
            matches!(error, UserError::Exchange { found: Found::Status { status: 503, .. }, .. }),
            "{error}"
        );
        assert_eq!(desks.dcc.seen().len(), 1);
    }
}
