//! Calls that are spoilt on their way: refused or cut off within a deadline, recorded each, and nothing is changed.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::json;

use crate::lab::{Lab, Refused, ask, plan, refused};
use crate::ports::changes_nothing;

/// The longest deadline of the server for what is said too slowly, in seconds, with what a busy machine may add.
const WITHIN: f64 = 45.0;

#[test]
fn whatever_is_spoilt_on_its_way_is_refused_within_its_deadline_and_recorded() {
    let lab = Lab::new();
    let served = lab.serve(&[]);
    let engineer = lab.issue("eng", "engineer", 0);
    let mut asked = plan(&lab.pki, &served.control, Some(&engineer), json!([]));
    asked.as_object_mut().unwrap().remove("calls");
    let told = ask("spoiler.py", asked);
    let book = served.book();
    changes_nothing(&book);
    let refused: Vec<Refused> = book.into_iter().filter_map(refused).collect();
    let mut table = String::new();
    for case in &told {
        let (name, port) = (case["name"].as_str().unwrap(), case["port"].as_u64().unwrap());
        assert!(case["ended"] == true && case["seconds"].as_f64().unwrap() < WITHIN, "{case}");
        let from = format!("127.0.0.1:{port}");
        let of_case: Vec<&Refused> = refused.iter().filter(|refused| refused.from == from).collect();
        let [refused] = of_case.as_slice() else { panic!("{case}: {of_case:?}") };
        table.push_str(&format!("{name}\n    {}: {}\n", refused.call, refused.reason));
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_flood_of_refused_calls_is_counted_and_does_not_fill_the_disk() {
    let lab = Lab::new();
    let served = lab.serve(&[]);
    let target: SocketAddr = served.control.rsplit_once('/').unwrap().1.parse().unwrap();
    for _ in 0..400 {
        let mut stream = TcpStream::connect(target).unwrap();
        let _ = stream.write_all(b"not TLS at all, and no HTTP either\r\n\r\n");
        let _ = stream.read(&mut [0; 64]);
    }
    let refused: Vec<Refused> = served.book().into_iter().filter_map(refused).collect();
    assert!(refused.len() <= 2 * 31, "{} records", refused.len());
    assert_eq!(refused.iter().map(Refused::count).sum::<usize>(), 400);
}
