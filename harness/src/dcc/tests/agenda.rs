//! Schedules and future-dated requests as their users see them, the clock in the test's hand.

use axum::http::StatusCode;
use proto_duis::{
    DccContent, DeviceStatus, Eui64, Request, RequestBody, RequestId, Response, ResponseBody, ResponseCode,
    ScheduleId, Srv,
};

use super::lab::{ESME, GS, GSME, IS, KEYS, Lab, S1sp, for_the_dcc, request};
use crate::dcc::{NOT_HELD, NOTHING_TO_DELETE, NOTHING_TO_READ, START_PASSED, TAKES_BACK};

const ESME_TEXT: &str = "00-DB-00-00-00-00-00-02";
const GSME_TEXT: &str = "00-DB-00-00-00-00-00-03";

/// A schedule that is due five seconds after the tests' clock begins.
fn create(counter: u64, device: &str, srv: &str) -> Request {
    for_the_dcc(
        Srv::CreateSchedule,
        counter,
        &[
            ("ScheduleFrequency", "Daily"),
            ("ScheduleStartDate", "2026-11-21"),
            ("ScheduleExecutionStartTime", "09:30:05Z"),
            ("DSPScheduledServiceReferenceVariant", srv),
            ("DeviceID", device),
        ],
    )
}

fn content(response: Response) -> DccContent {
    match response.body {
        ResponseBody::Dcc(message) => message.content,
        _ => panic!("not the DCC's own answer"),
    }
}

async fn created(lab: &Lab, counter: u64) -> ScheduleId {
    match content(lab.ask(&create(counter, ESME_TEXT, "4.16")).await) {
        DccContent::ScheduleId(id) => id,
        other => panic!("{other:?}"),
    }
}

fn by_gas(request: Request) -> Request {
    Request { id: RequestId { originator: GS, ..request.id }, ..request }
}

#[tokio::test]
async fn a_schedule_reads_by_itself_and_its_answer_names_it() {
    let mut lab = Lab::start(S1sp::Answers).await;
    let id = created(&lab, 1).await;
    lab.pass(5);
    let answer = lab.next().await.message;
    assert_eq!((answer.request, answer.response.unwrap().target), (None, IS));
    let ResponseBody::Smets1(message) = answer.body else { panic!("not a device's answer") };
    assert_eq!((message.schedule, message.srv), (Some(id), Some(Srv::ReadActivePowerImport)));
    assert_eq!((message.signed.content().device, message.signed.content().user), (ESME, IS));
    lab.pass(86_400);
    assert_ne!(lab.next().await.message.response, answer.response, "the DSP's counter goes on");
}

#[tokio::test]
async fn a_schedule_whose_device_is_out_of_reach_says_so_by_its_number() {
    let mut lab = Lab::start(S1sp::Unreachable).await;
    let id = created(&lab, 1).await;
    lab.pass(5);
    let answer = lab.next().await.message;
    assert_eq!((answer.code, answer.request), (ResponseCode::CANNOT_COMMUNICATE, None));
    assert_eq!(content(answer), DccContent::ScheduleId(id));
}

#[tokio::test]
async fn schedules_are_listed_and_deleted_by_their_owner_only() {
    let mut lab = Lab::start(S1sp::Answers).await;
    let id = created(&lab, 1).await.get().to_string();
    let read = |counter| for_the_dcc(Srv::ReadSchedule, counter, &[("DSPScheduleID", &id)]);
    let delete = |counter| for_the_dcc(Srv::DeleteSchedule, counter, &[("DeviceID", ESME_TEXT)]);
    let DccContent::Schedules(listed) = content(lab.ask(&read(2)).await) else { panic!("no schedules") };
    assert_eq!((listed.len(), listed[0].details.request.device), (1, ESME));
    assert_eq!(lab.ask_as(&by_gas(read(2)), &KEYS.gs).await.code.as_str(), NOTHING_TO_READ.0);
    let by_id = for_the_dcc(Srv::DeleteSchedule, 3, &[("DSPScheduleID", &id)]);
    assert_eq!(lab.ask_as(&by_gas(by_id), &KEYS.gs).await.code.as_str(), NOTHING_TO_DELETE.0);
    assert_eq!(lab.ask(&delete(4)).await.code, ResponseCode::SUCCESS);
    assert!(lab.ask(&delete(5)).await.code.is_warning());
    // Nothing comes of it: the next thing to come is an alert that the test makes.
    lab.pass(5);
    lab.dcc.pass_device_alert(&super::lab::device_alert(IS)).unwrap();
    assert!(matches!(lab.next().await.message.body, ResponseBody::Smets1(message) if message.srv.is_none()));
}

#[tokio::test]
async fn a_schedule_is_refused_where_its_read_would_be() {
    let lab = Lab::start(S1sp::Answers).await;
    let lab = &lab;
    let code = |request: Request| async move { lab.ask(&request).await.code };
    assert_eq!(code(create(1, GSME_TEXT, "4.15")).await, ResponseCode::NOT_RESPONSIBLE);
    assert_eq!(code(create(2, "00-DB-00-00-00-00-00-09", "4.16")).await, ResponseCode::UNKNOWN_DEVICE);
    // Doubtful, and this lab does not take it.
    assert_eq!(code(create(3, ESME_TEXT, "4.12.1")).await, ResponseCode::DEVICE_TYPE);
    lab.pass(86_400);
    assert_eq!(code(create(4, ESME_TEXT, "4.16")).await.as_str(), START_PASSED.0);
}

#[tokio::test]
async fn a_schedule_ends_when_its_user_may_read_no_more() {
    let lab = Lab::start(S1sp::Answers).await;
    let id = created(&lab, 1).await.get().to_string();
    lab.dcc.with_inventory(|inventory| inventory.set_status(ESME, DeviceStatus::Suspended)).unwrap();
    lab.pass(5);
    // The agenda is looked at by a task of its own.
    for counter in 2.. {
        let read = for_the_dcc(Srv::ReadSchedule, counter, &[("DSPScheduleID", &id)]);
        if lab.ask(&read).await.code.as_str() == NOTHING_TO_READ.0 {
            return;
        }
        tokio::task::yield_now().await;
        assert!(counter < 10_000, "the schedule is still there");
    }
}

fn later(counter: u64, at: &str) -> Request {
    let fields = [("ExecutionDateTime".to_owned(), at.to_owned())].into();
    let body = RequestBody::from_fields(Srv::ReadInstantaneousImportRegisters, &fields).unwrap();
    Request::new(RequestId { originator: IS, target: ESME, counter }, body)
}

#[tokio::test]
async fn a_future_dated_request_is_done_at_its_time() {
    let mut lab = Lab::start(S1sp::Answers).await;
    let asked = later(1, "2026-11-21T10:00:00Z");
    assert_eq!(lab.ask(&asked).await.code, ResponseCode::ACKNOWLEDGED);
    // What is asked later is answered first.
    let now = request(Srv::ArmSupply, ESME, 2);
    lab.ask(&now).await;
    assert_eq!(lab.next().await.message.request, Some(now.id));
    lab.pass(1_800);
    let answer = lab.next().await.message;
    assert_eq!((answer.request, answer.response), (Some(asked.id), Some(asked.id.response_id())));
}

#[tokio::test]
async fn a_future_dated_request_is_replaced_and_taken_back() {
    let mut lab = Lab::start(S1sp::Answers).await;
    lab.ask(&later(1, "2026-11-21T10:00:00Z")).await;
    lab.ask(&later(2, "2026-11-21T10:30:00Z")).await;
    lab.pass(3_600);
    assert_eq!(lab.next().await.message.request.unwrap().counter, 2);
    lab.ask(&later(3, "2026-11-21T11:00:00Z")).await;
    assert_eq!(lab.ask(&later(4, &TAKES_BACK.0.to_string())).await.code, ResponseCode::SUCCESS);
    lab.pass(3_600);
    let now = request(Srv::ArmSupply, ESME, 5);
    lab.ask(&now).await;
    assert_eq!(lab.next().await.message.request, Some(now.id));
    for (counter, at) in [(6, "2026-11-21T09:00:00Z"), (7, "2027-03-01T00:00:00Z")] {
        assert_eq!(lab.ask(&later(counter, at)).await.code.as_str(), NOT_HELD.0);
    }
}

#[tokio::test]
async fn who_lost_the_device_meanwhile_is_told_when_the_time_comes() {
    let mut lab = Lab::start(S1sp::Answers).await;
    let asked = later(1, "2026-11-21T10:00:00Z");
    lab.ask(&asked).await;
    lab.dcc.with_inventory(|inventory| {
        let mut enrolment = inventory.withdraw(ESME).unwrap();
        enrolment.responsible = [GS].into();
        inventory.enrol(enrolment).unwrap();
    });
    lab.pass(1_800);
    let answer = lab.next().await.message;
    assert_eq!((answer.request, answer.code), (Some(asked.id), ResponseCode::NOT_RESPONSIBLE));
}

#[tokio::test]
async fn what_finds_no_place_in_time_is_given_up_with_e30() {
    let mut lab = Lab::start(S1sp::Stalls).await;
    let asked = later(1, "2026-11-21T10:00:00Z");
    lab.ask(&asked).await;
    for counter in 2.. {
        let command = request(Srv::ArmSupply, ESME, counter).sign(&KEYS.is).unwrap();
        if lab.post("serviceS", command).await.0 == StatusCode::SERVICE_UNAVAILABLE {
            break;
        }
        assert!(counter < 100, "the line is never full");
    }
    lab.pass(1_800);
    lab.pass(660);
    let answer = lab.next().await.message;
    assert_eq!((answer.request, answer.code), (Some(asked.id), ResponseCode::FUTURE_DATED_TIMEOUT));
}

#[test]
fn devices_are_those_of_the_lab() {
    assert_eq!([ESME, GSME].map(|id: Eui64| id.to_string()), [ESME_TEXT, GSME_TEXT]);
}
