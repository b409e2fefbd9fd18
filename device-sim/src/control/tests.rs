//! The control port as a client meets it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lab_config::Lab;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::estate::Estate;
use crate::sim_clock::SimClock;

fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

async fn started() -> (Arc<Estate>, SocketAddr) {
    let lab = Lab::embedded().unwrap();
    let estate = Arc::new(Estate::start(&lab, SimClock::real(), 1).await.unwrap());
    let control = Control::bind(loopback()).await.unwrap();
    let address = control.address().unwrap();
    let served = estate.clone();
    tokio::spawn(async move { control.serve(&served).await });
    (estate, address)
}

#[tokio::test]
async fn what_a_person_does_is_done_over_the_port_and_what_cannot_be_is_said() {
    let (_estate, address) = started().await;
    let ok = async |command: &str| {
        let answer = ask(address, command).await.unwrap();
        assert!(answer.get("ok").is_some(), "{command}: {answer}");
        answer["ok"].clone()
    };
    let refused =
        async |command: &str| ask(address, command).await.unwrap()["error"].as_str().unwrap().to_owned();
    assert_eq!(ok("list").await.as_array().unwrap().len(), 5);
    assert_eq!(ok("state ESME").await["supply"], 1);
    ok("load ESME 500").await;
    assert_eq!(ok("state rig-1/ESME").await["load"], 500);
    let fault = ok("fault ESME: clock-jump -2h").await;
    assert_eq!(fault["fault"], "ESME: clock-jump -2h");
    assert_eq!(ok("faults").await[0]["state"], "striking");
    assert_eq!(ok(&format!("clear rig-1 {}", fault["number"])).await["cleared"], 1);
    ok("plug ESME/optical off").await;
    ok("plug ESME/optical on").await;
    assert_eq!(ok("keys ESME AB").await, "Nothing");
    assert_eq!(ok("token ESME 1").await["refused"], "incomplete: not 20 digits");
    ok("clock GSME +90s").await;
    ok("drift GSME -5").await;
    let set = serde_json::json!("[[load]]\ndevice = \"ESME\"\nload = 750\nbalance-pence = -50\n");
    assert_eq!(ok(&format!("data-set rig-1 {set}")).await["loaded"][0], "ESME");
    let state = ok("state ESME").await;
    assert_eq!((&state["load"], &state["balance_millipence"]), (&750.into(), &(-50_000).into()));
    let set = serde_json::json!("[[load]]\ndevice = \"ESME\"\nload = -1\n");
    let words = refused(&format!("data-set {set}")).await;
    assert!(words.contains("data set:3:8: found -1"), "{words}");
    let long = "# ".to_owned() + &"x".repeat(100_000) + "\n[[load]]\ndevice = \"GSME\"\nload = 7\n";
    ok(&format!("data-set {}", serde_json::json!(long))).await;
    assert_eq!(ok("state GSME").await["load"], 7);
    assert!(refused("data-set rig-1 [[load]]").await.contains("a string of JSON"));
    assert!(refused("fault ESME: silense").await.contains("did you mean `silence`"));
    assert!(refused("fault ESME: flat-battery").await.contains("has no battery"));
    assert!(refused("state rig-9/ESME").await.contains("simulated rigs: rig-1"));
    assert!(refused("load PPMID 5").await.contains("has no load"));
}

#[tokio::test]
async fn who_does_not_speak_the_language_is_shown_out() {
    let (_estate, address) = started().await;
    for words in ["POST / HTTP/1.1\r\nHost: x\r\n\r\nlist\n".to_owned(), "x".repeat(5000)] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // A connection closed on unread octets may end in a reset; either way it ends.
        let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut answer)).await;
        assert!(ended.is_ok() && !answer.contains("\"ok\""), "{answer}");
    }
}

#[tokio::test]
async fn it_listens_on_loopback_alone() {
    let error = Control::bind("0.0.0.0:0".parse().unwrap()).await.expect_err("another address");
    assert!(error.to_string().contains("loopback"), "{error}");
}

proptest! {
    #[test]
    fn no_line_panics(line in "\\PC{0,80}") {
        let _ = line.parse::<Command>();
    }

    #[test]
    fn verbs_with_anything_behind_them_never_panic(
        verb in proptest::sample::select(vec!["state", "fault", "clear", "keys", "load", "clock", "mains", "plug", "data-set"]),
        rest in "[A-Z0-9a-z/ :+-]{0,30}",
    ) {
        let _ = format!("{verb} {rest}").parse::<Command>();
    }
}
