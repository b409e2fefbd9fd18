use super::*;
use proptest::prelude::*;
use proto_duis::{RequestBody, RequestId, Srv};

const NOW: Timestamp = Timestamp::constant(1_795_253_400, 0);
const OWNER: Eui64 = Eui64::new([1; 8]);
const OTHER: Eui64 = Eui64::new([2; 8]);
const DEVICE: Eui64 = Eui64::new([3; 8]);

fn asked(owner: Eui64, fields: &[(&str, &str)]) -> Request {
    let usual = [
        ("ScheduleFrequency", "Daily"),
        ("ScheduleStartDate", "2026-11-21"),
        ("ScheduleExecutionStartTime", "09:30:05Z"),
        ("DSPScheduledServiceReferenceVariant", "4.16"),
    ];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut all: BTreeMap<String, String> = usual.into_iter().map(owned).collect();
    all.insert("DeviceID".to_owned(), DEVICE.to_string());
    all.extend(fields.iter().copied().map(owned));
    let id = RequestId { originator: owner, target: Eui64::ACCESS_CONTROL_BROKER, counter: 1 };
    Request::new(id, RequestBody::from_fields(Srv::CreateSchedule, &all).unwrap())
}

fn create(schedules: &mut Schedules, request: &Request) -> Result<ScheduleId, String> {
    let RequestBody::CreateSchedule(details) = &request.body else { panic!("not a Create Schedule") };
    let created = schedules.create((&Bytes::new(), request), details, NOW);
    created.map_err(|refusal| refusal.code.to_string())
}

fn later(seconds: i64) -> Timestamp {
    NOW + jiff::SignedDuration::from_secs(seconds)
}

fn due(schedules: &mut Schedules, at: Timestamp) -> Vec<DueReading> {
    schedules.take_due(at, &mut 0)
}

#[test]
fn a_schedule_is_due_at_its_time_and_again_the_next_day() {
    let mut schedules = Schedules::default();
    let id = create(&mut schedules, &asked(OWNER, &[])).unwrap();
    assert_eq!(schedules.next(), Some(later(5)));
    assert_eq!(due(&mut schedules, later(4)), []);
    let readings = due(&mut schedules, later(5));
    assert_eq!((readings.len(), readings[0].reading.schedule, readings[0].at), (1, id, later(5)));
    let request = &readings[0].request;
    assert_eq!(
        (request.srv(), request.id.originator, request.id.target),
        (Srv::ReadActivePowerImport, OWNER, DEVICE)
    );
    assert_eq!(schedules.next(), Some(later(5 + 86_400)));
    // Three days away: one read, and not three.
    assert_eq!(due(&mut schedules, later(4 * 86_400)).len(), 1);
    assert_eq!(schedules.next(), Some(later(5 + 4 * 86_400)));
}

#[test]
fn a_schedule_that_has_ended_is_gone() {
    let mut schedules = Schedules::default();
    let id = create(&mut schedules, &asked(OWNER, &[("ScheduleEndDate", "2026-11-21")])).unwrap();
    assert_eq!(due(&mut schedules, later(5)).len(), 1);
    let selection = ScheduleSelection::Id(id);
    assert_eq!(schedules.read(OWNER, &selection).unwrap_err().code.as_str(), NOTHING_TO_READ.0);
}

#[test]
fn what_would_begin_in_the_past_or_never_be_due_is_refused() {
    let mut schedules = Schedules::default();
    let yesterday = asked(OWNER, &[("ScheduleStartDate", "2026-11-20")]);
    assert_eq!(create(&mut schedules, &yesterday), Err(START_PASSED.0.to_owned()));
    let ended = [("ScheduleStartDate", "2026-11-22"), ("ScheduleEndDate", "2026-11-21")];
    assert_eq!(create(&mut schedules, &asked(OWNER, &ended)), Err(NEVER_DUE.0.to_owned()));
    let passed = [("ScheduleExecutionStartTime", "09:29:00Z"), ("ScheduleEndDate", "2026-11-21")];
    assert_eq!(create(&mut schedules, &asked(OWNER, &passed)), Err(NEVER_DUE.0.to_owned()));
}

#[test]
fn a_user_sees_and_deletes_only_its_own() {
    let mut schedules = Schedules::default();
    let mine = create(&mut schedules, &asked(OWNER, &[])).unwrap();
    let theirs = create(&mut schedules, &asked(OTHER, &[])).unwrap();
    let (one, all) = (ScheduleSelection::Id, ScheduleSelection::Device(DEVICE));
    let ids = |found: Vec<StoredSchedule>| found.iter().map(|found| found.id).collect::<Vec<_>>();
    assert_eq!(ids(schedules.read(OWNER, &all).unwrap()), [mine]);
    assert_eq!(schedules.read(OWNER, &one(theirs)).unwrap_err().code.as_str(), NOTHING_TO_READ.0);
    assert_eq!(schedules.delete(OWNER, &one(theirs)).unwrap_err().code.as_str(), NOTHING_TO_DELETE.0);
    schedules.delete(OWNER, &one(mine)).unwrap();
    assert_eq!(schedules.delete(OWNER, &all).unwrap_err().code.as_str(), NONE_TO_DELETE.0);
    assert_eq!(schedules.read(OWNER, &all).unwrap_err().code.as_str(), NONE_TO_READ.0);
    schedules.withdraw_device(DEVICE);
    assert_eq!(schedules.read(OTHER, &one(theirs)).unwrap_err().code.as_str(), NOTHING_TO_READ.0);
}

#[test]
fn a_user_has_as_many_for_a_device_as_an_answer_lists() {
    let mut schedules = Schedules::default();
    for _ in 0..MOST_FOR_A_DEVICE {
        create(&mut schedules, &asked(OWNER, &[])).unwrap();
    }
    assert_eq!(create(&mut schedules, &asked(OWNER, &[])), Err(TOO_MANY_SCHEDULES.0.to_owned()));
    assert!(create(&mut schedules, &asked(OTHER, &[])).is_ok());
    assert_eq!(
        schedules.read(OWNER, &ScheduleSelection::Device(DEVICE)).unwrap().len(),
        StoredSchedule::MOST
    );
}

proptest! {
    /// However the clock runs, no two reads have one counter, and none is made before its time.
    #[test]
    fn each_read_is_made_once_and_not_before_its_time(steps in proptest::collection::vec(0i64..200_000, 1..40)) {
        let mut schedules = Schedules::default();
        for _ in 0..3 {
            create(&mut schedules, &asked(OWNER, &[])).unwrap();
        }
        let (mut now, mut counter, mut seen) = (NOW, 0, std::collections::BTreeSet::new());
        for step in steps {
            now += jiff::SignedDuration::from_secs(step);
            for due in schedules.take_due(now, &mut counter) {
                prop_assert!(due.at <= now);
                prop_assert!(seen.insert(due.request.id.counter));
                prop_assert!(seen.len() < 10_000);
            }
            prop_assert!(schedules.next().unwrap() > now);
        }
    }
}
