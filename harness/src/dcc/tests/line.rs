//! Quiescing, in virtual time: requests are handed to the DCC without HTTP, and the S1SP notes what reaches it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use proto_duis::{CountersignedRequest, ResponseCode, Srv};

use super::lab::{ESME, KEYS, config, request};
use crate::dcc::line::NoPlace;
use crate::dcc::{Address, Dcc, S1spError, S1spPort, S1spReply};

/// How long this S1SP takes for any request.
const TAKES: Duration = Duration::from_secs(20);

#[derive(Clone, Default)]
struct Slow {
    begun: Arc<Mutex<Vec<Srv>>>,
    ended: Arc<Mutex<Vec<Srv>>>,
}

impl S1spPort for Slow {
    async fn serve(&self, countersigned: Bytes) -> Result<S1spReply, S1spError> {
        let opened = CountersignedRequest::open(&countersigned, &KEYS.trust).unwrap();
        let srv = opened.message.request().content().srv();
        self.begun.lock().unwrap().push(srv);
        tokio::time::sleep(TAKES).await;
        self.ended.lock().unwrap().push(srv);
        Err(S1spError::NoAnswer("too slow".to_owned()))
    }
}

impl Slow {
    fn begun(&self) -> Vec<Srv> {
        self.begun.lock().unwrap().clone()
    }

    fn ended(&self) -> Vec<Srv> {
        self.ended.lock().unwrap().clone()
    }
}

async fn start() -> (Dcc<Slow>, Slow) {
    let port = Slow::default();
    let dcc = Dcc::start(config(Duration::from_secs(60)), port.clone()).await.unwrap();
    (dcc, port)
}

fn ask(dcc: &Dcc<Slow>, srv: Srv, counter: u64) -> Result<ResponseCode, NoPlace> {
    let asked = request(srv, ESME, counter);
    let octets = Bytes::from(asked.sign(&KEYS.is).unwrap());
    dcc.shared.answer(octets, asked, Address::SendCommand, dcc.users()).map(|response| response.code)
}

#[tokio::test(start_paused = true)]
async fn a_disable_behind_a_slow_request_never_reaches_the_s1sp_once_quiesced() {
    let (dcc, port) = start().await;
    assert_eq!(ask(&dcc, Srv::ReadSupplyStatus, 1), Ok(ResponseCode::ACKNOWLEDGED));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(ask(&dcc, Srv::DisableSupply, 2), Ok(ResponseCode::ACKNOWLEDGED));
    let quiet = dcc.quiesce(Duration::from_secs(30)).await;
    assert_eq!((quiet.dropped, quiet.still_busy), (1, false));
    assert!(quiet.waited.abs_diff(Duration::from_secs(15)) < Duration::from_millis(50), "{quiet:?}");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(port.begun(), [Srv::ReadSupplyStatus]);
    assert_eq!(port.ended(), [Srv::ReadSupplyStatus]);
    assert_eq!(ask(&dcc, Srv::ArmSupply, 3), Ok(ResponseCode::ACKNOWLEDGED));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(port.ended(), [Srv::ReadSupplyStatus, Srv::ArmSupply]);
}

#[tokio::test(start_paused = true)]
async fn a_request_in_flight_is_cut_off_at_the_limit() {
    let (dcc, port) = start().await;
    ask(&dcc, Srv::DisableSupply, 1).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let quiet = dcc.quiesce(Duration::from_secs(4)).await;
    assert_eq!((quiet.dropped, quiet.still_busy), (0, true));
    assert!(quiet.waited.abs_diff(Duration::from_secs(4)) < Duration::from_millis(50), "{quiet:?}");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!((port.begun(), port.ended()), (vec![Srv::DisableSupply], vec![]));
    // The line is served on.
    ask(&dcc, Srv::ArmSupply, 2).unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(port.ended(), [Srv::ArmSupply]);
}

#[tokio::test(start_paused = true)]
async fn requests_are_turned_away_while_the_dcc_is_quiesced_and_taken_again_when_that_is_dropped() {
    let (dcc, port) = start().await;
    ask(&dcc, Srv::ReadSupplyStatus, 1).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let quiescing = tokio::time::timeout(Duration::from_secs(2), async {
        let (quiet, turned_away) =
            tokio::join!(dcc.quiesce(Duration::from_secs(30)), async { ask(&dcc, Srv::DisableSupply, 2) });
        assert_eq!(turned_away, Err(NoPlace::Quiescing));
        quiet
    });
    assert!(quiescing.await.is_err());
    // Its counter was not used up.
    assert_eq!(ask(&dcc, Srv::DisableSupply, 2), Ok(ResponseCode::ACKNOWLEDGED));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(port.ended(), [Srv::ReadSupplyStatus, Srv::DisableSupply]);
}

#[tokio::test(start_paused = true)]
async fn a_dcc_with_nothing_to_do_is_quiet_at_once() {
    let (dcc, _) = start().await;
    let quiet = dcc.quiesce(Duration::from_secs(30)).await;
    assert_eq!((quiet.dropped, quiet.still_busy), (0, false));
    assert!(quiet.waited < Duration::from_millis(50));
}
