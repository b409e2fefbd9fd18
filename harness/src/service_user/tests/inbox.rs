//! The inbox against a plain model of it.

use super::super::inbox::Inbox;
use super::*;
use proptest::prelude::*;

const SRV: Srv = Srv::ReadInstantaneousImportRegisters;

#[derive(Debug, Clone, Copy)]
enum Event {
    Open(u64),
    Deliver(u64),
    Refuse(u64),
    Take(u64),
    GiveUp(u64),
}

fn event() -> impl Strategy<Value = Event> {
    (0..5u8, 0..4u64).prop_map(|(kind, request)| match kind {
        0 => Event::Open(request),
        1 => Event::Deliver(request),
        2 => Event::Refuse(request),
        3 => Event::Take(request),
        _ => Event::GiveUp(request),
    })
}

const fn id(counter: u64) -> RequestId {
    RequestId { originator: examples::USER, target: METER, counter }
}

fn answer(counter: u64) -> Answer {
    Answer {
        request: id(counter),
        schedule: None,
        srv: SRV,
        code: ResponseCode::SUCCESS,
        time: TIME,
        success: Some(true),
        debug: Vec::new(),
        data: None,
        device_time: None,
        content: proto_duis::DccContent::Nothing,
        signed_by: Vec::new(),
        raw: Bytes::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// No answer is lost, doubled, or given to another request, and nothing outgrows its limit.
    #[test]
    fn every_answer_ends_in_one_place(events in proptest::collection::vec(event(), 0..60)) {
        let limits = Limits { open: 3, closed: 3, strays: 5, ..Limits::default() };
        let mut inbox = Inbox::new(limits);
        let (mut delivered, mut taken) = (0, 0);
        for event in events {
            match event {
                Event::Open(n) => { let _ = inbox.open(id(n), SRV, Instant::now()); }
                Event::Refuse(n) => inbox.refuse(&id(n), ResponseCode::UNKNOWN_DEVICE),
                Event::GiveUp(n) => inbox.give_up(&id(n)),
                Event::Deliver(n) => {
                    prop_assert_eq!(inbox.deliver(answer(n)), Ok(()));
                    delivered += 1;
                }
                Event::Take(n) => if let Waiting::Answered(answer) = inbox.take(&id(n)) {
                    prop_assert_eq!(answer.request, id(n));
                    taken += 1;
                },
            }
        }
        for n in 0..4 {
            taken += usize::from(matches!(inbox.take(&id(n)), Waiting::Answered(_)));
        }
        prop_assert!(inbox.untaken() <= 5);
        let left = inbox.take_leftovers();
        prop_assert_eq!(delivered, taken + left.strays.len() + left.strays_dropped);
    }
}

#[tokio::test]
async fn what_is_long_closed_is_forgotten() {
    let mut inbox = Inbox::new(Limits { closed: 2, ..Limits::default() });
    for n in 0..3 {
        inbox.open(id(n), SRV, Instant::now()).unwrap();
        inbox.give_up(&id(n));
    }
    for n in 0..3 {
        inbox.deliver(answer(n)).unwrap();
    }
    let kinds: Vec<_> = inbox.take_strays().into_iter().map(|stray| stray.kind).collect();
    assert_eq!(kinds, [StrayKind::Unsolicited, StrayKind::Late, StrayKind::Late]);
}
