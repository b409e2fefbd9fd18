use super::*;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn name() -> FileName {
    "DC-1".parse().expect("a name")
}

const ROLE: PartyRole = PartyRole::RequestingParty;
const NOWHERE: &str = "http://127.0.0.1:1/";

async fn listener() -> Arc<Listener> {
    let listening =
        Listening { limit: 64, answer_within: Duration::from_millis(300), ..Listening::at(None, None) };
    Listener::open(&listening, [ROLE]).await.expect("a listener")
}

fn door(listener: &Arc<Listener>, to: &str, send_within: Duration) -> Result<Https, DoorError> {
    Https::new(listener, ROLE, to, None, send_within)
}

/// Two doors, of which the first sends to the second.
async fn doors() -> (Https, Https) {
    let (here, there) = (listener().await, listener().await);
    let party = door(&there, &here.url(ROLE), Duration::from_secs(5)).expect("a door");
    let control = door(&here, &there.url(ROLE), Duration::from_secs(5)).expect("a door");
    (control, party)
}

async fn next(door: &Https) -> Received {
    match door.receive(soon()).await.expect("a door").expect("a file") {
        Came::File(file) => file,
        other => panic!("expected a file, found {other:?}"),
    }
}

async fn settle_next(door: &Https, settled: Settled) -> Received {
    let file = next(door).await;
    door.settle(&file, &settled).await.expect("settled");
    file
}

#[tokio::test]
async fn who_sends_is_told_what_became_of_the_file() {
    let (control, party) = doors().await;
    let name = name();
    let (sent, file) = tokio::join!(control.send(&name, b"octets"), settle_next(&party, Settled::Taken));
    sent.expect("taken");
    assert_eq!(file.octets, b"octets");
    let refused = Settled::refused("LAB-ALTERED", "the signature does not hold");
    let (sent, _) = tokio::join!(control.send(&name, b"spoilt"), settle_next(&party, refused));
    let error = sent.expect_err("refused");
    assert!(matches!(&error, DoorError::Refused { status: 422, .. }), "{error}");
    assert!(error.to_string().contains("LAB-ALTERED: the signature does not hold"), "{error}");
    let error = party.settle(&file, &Settled::Taken).await.expect_err("settled before");
    assert!(matches!(error, DoorError::NotWaiting(_)), "{error}");
}

#[tokio::test]
async fn a_file_is_one_however_often_it_is_sent() {
    let (control, party) = doors().await;
    let name = name();
    // Longer than an answer is waited for: the sender asks again, by sending it again.
    let reading = async {
        let file = next(&party).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(next(&party).await, file, "until it is settled it is the first");
        party.settle(&file, &Settled::Taken).await.expect("settled");
    };
    let (sent, again, ()) = tokio::join!(control.send(&name, b"1"), control.send(&name, b"1"), reading);
    sent.and(again).expect("taken");
    control.send(&name, b"1").await.expect("taken before");
    assert_eq!(party.receive(Instant::now()).await.expect("a door"), None);
}

#[tokio::test]
async fn what_is_too_long_or_too_much_is_refused() {
    let (control, party) = doors().await;
    let error = control.send(&name(), &[b'x'; 65]).await.expect_err("too long");
    assert!(matches!(error, DoorError::TooLong { found: 65, limit: 64, .. }), "{error}");
    let poster = Poster::new(WORDS);
    let uri: Uri = control.to.to_string().parse().expect("an address");
    let long = poster.post(&uri, Bytes::from(vec![b'x'; 65]), soon()).await.expect("a reply");
    assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE);
    let empty = poster.post(&uri, Bytes::new(), soon()).await.expect("a reply");
    assert_eq!(empty.status, StatusCode::BAD_REQUEST);
    let mut posting = tokio::task::JoinSet::new();
    for n in 0..WAITING {
        let (poster, uri) = (poster.clone(), uri.clone());
        posting.spawn(async move { poster.post(&uri, Bytes::from(n.to_string()), soon()).await });
    }
    while let Some(reply) = posting.join_next().await {
        let reply = reply.expect("a task").expect("a reply");
        assert_eq!((reply.status.as_u16(), reply.retry_after.as_deref()), (503, Some("1")));
    }
    let more = poster.post(&uri, Bytes::from_static(b"one more"), soon()).await.expect("a reply");
    assert!(String::from_utf8_lossy(&more.body).contains("too many files wait"), "{more:?}");
    for _ in 0..WAITING {
        settle_next(&party, Settled::Taken).await;
    }
    assert_eq!(party.receive(Instant::now()).await.expect("a door"), None, "what found no room is not there");
}

#[tokio::test]
async fn nobody_there_is_said_with_the_attempts() {
    let control = door(&listener().await, NOWHERE, Duration::from_millis(900)).expect("a door");
    let error = control.send(&name(), b"1").await.expect_err("nobody");
    assert!(matches!(&error, DoorError::Unreachable { attempts: 2.., .. }), "{error}");
}

#[tokio::test]
async fn a_door_without_tls_stays_on_this_machine_and_knows_its_parties() {
    let listener = listener().await;
    for (to, words) in [
        ("http://party.example:8082/", "http goes no further than this machine"),
        ("https://party.example:8082/", "no certificates are given"),
        ("ftp://127.0.0.1/", "expected https://HOST:PORT/"),
        ("", "empty"),
    ] {
        let error = door(&listener, to, Duration::ZERO).expect_err(to);
        assert!(error.to_string().contains(words), "{to}: {error}");
    }
    let error = Https::new(&listener, PartyRole::Dco, NOWHERE, None, Duration::ZERO).expect_err("not known");
    assert!(error.to_string().contains("nobody listens for files of the dco"), "{error}");
    let everywhere = Listening::at(Some("0.0.0.0:0".parse().expect("an address")), None);
    let error = Listener::open(&everywhere, [ROLE]).await.expect_err("open to all");
    assert!(matches!(error, DoorError::Open(_)), "{error}");
    let stranger: Uri = listener.url(PartyRole::Smso).parse().expect("an address");
    let reply = Poster::new(WORDS).post(&stranger, Bytes::from_static(b"1"), soon()).await.expect("a reply");
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
}
