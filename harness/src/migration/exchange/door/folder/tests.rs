use std::os::unix::fs::symlink;

use super::*;

fn pair(folder: &Path) -> (Folder, Folder) {
    (Folder::of_control(folder).expect("folders"), Folder::of_party(folder).expect("folders"))
}

fn name(text: &str) -> FileName {
    text.parse().expect("a name")
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn listed(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

async fn next(door: &Folder) -> Received {
    match door.receive(soon()).await.expect("a folder").expect("a file") {
        Came::File(file) => file,
        other => panic!("expected a file, found {other:?}"),
    }
}

#[tokio::test]
async fn who_sent_a_file_hears_once_that_it_was_refused_and_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let (control, party) = pair(folder.path());
    let names = ["DC-1", "DC-2", "DC-3"].map(name);
    for name in &names {
        control.send(name, b"octets").await.expect("sent");
    }
    let refused = Settled::refused("LAB-F01", "it breaks off");
    for settled in [&refused, &Settled::Taken] {
        let file = next(&party).await;
        party.settle(&file, settled).await.expect("settled");
    }
    let heard = control.receive(soon()).await.expect("a folder");
    assert_eq!(heard, Some(Came::Refused { name: names[0].clone(), settled: refused }));
    assert_eq!(control.receive(Instant::now()).await.expect("a folder"), None, "one was taken, one waits");
    // Somebody else's words, without a code.
    fs::write(folder.path().join("in/refused/DC-3.xml.txt"), "we do not\nlike it").expect("words");
    fs::rename(folder.path().join("in/DC-3.xml"), folder.path().join("in/refused/DC-3.xml")).expect("moved");
    let heard = control.receive(soon()).await.expect("a folder");
    let settled = Settled::refused("refused", "we do not like it");
    assert_eq!(heard, Some(Came::Refused { name: names[2].clone(), settled }));
}

#[tokio::test]
async fn files_arrive_in_the_order_they_were_sent_and_are_put_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let (control, party) = pair(folder.path());
    // Not the order of their names, and faster than the clock of any disk.
    for (file, octets) in [("z", "1"), ("a", "2"), ("m", "3")] {
        control.send(&name(file), octets.as_bytes()).await.expect("sent");
    }
    let mut read = Vec::new();
    for settled in [Settled::Taken, Settled::refused("LAB-REPLAYED", "seen before"), Settled::Taken] {
        let file = next(&party).await;
        party.settle(&file, &settled).await.expect("settled");
        read.push(String::from_utf8(file.octets).expect("text"));
    }
    assert_eq!(read, ["1", "2", "3"]);
    let incoming = folder.path().join("in");
    assert_eq!(listed(&incoming), ["refused", "taken"]);
    assert_eq!(listed(&incoming.join("taken")), ["m.xml", "z.xml"]);
    assert_eq!(listed(&incoming.join("refused")), ["a.xml", "a.xml.txt"]);
    let words = fs::read_to_string(incoming.join("refused/a.xml.txt")).expect("words");
    assert!(words.starts_with("code:   LAB-REPLAYED\nreason: seen before\nat:     2"), "{words}");
}

#[tokio::test]
async fn a_file_not_settled_is_there_again_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (control, party) = pair(folder.path());
    control.send(&name("DC-1"), b"octets").await.expect("sent");
    let file = next(&party).await;
    assert_eq!(file.name, "DC-1.xml");
    drop(party);
    let party = Folder::of_party(folder.path()).expect("folders");
    assert_eq!(next(&party).await, file);
    party.settle(&file, &Settled::Taken).await.expect("settled");
    assert_eq!(party.receive(Instant::now()).await.expect("a folder"), None);
    let error = party.settle(&file, &Settled::Taken).await.expect_err("settled before");
    assert!(matches!(error, DoorError::NotWaiting(_)), "{error}");
}

#[tokio::test]
async fn a_file_sent_twice_is_one_and_a_name_is_used_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (control, party) = pair(folder.path());
    control.send(&name("a"), b"1").await.expect("sent");
    control.send(&name("a"), b"1").await.expect("sent again");
    let error = control.send(&name("a"), b"2").await.expect_err("other octets");
    assert!(matches!(error, DoorError::NameUsed(_)), "{error}");
    let file = next(&party).await;
    party.settle(&file, &Settled::Taken).await.expect("settled");
    assert_eq!(party.receive(Instant::now()).await.expect("a folder"), None);
}

#[tokio::test]
async fn two_programs_do_not_read_one_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Folder::of_party(folder.path()).expect("folders");
    let error = Folder::of_party(folder.path()).expect_err("held");
    assert!(error.to_string().contains("another program reads the files here"), "{error}");
    drop(first);
    Folder::of_party(folder.path()).expect("free again");
}

#[tokio::test]
async fn what_is_no_file_is_left_or_refused_and_nothing_else_is_held_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let (outgoing, incoming) = (folder.path().join("out"), folder.path().join("in"));
    let door = Folder::between(&outgoing, &incoming, 8).expect("folders");
    for (file, octets) in [
        (".hidden.xml", "left"),
        ("half.xml.part", "left"),
        ("half.tmp", "left"),
        ("being-written.xml", ""),
        ("notes.txt", "refused"),
        ("long.xml", "refused!!"),
        ("good.xml", "good"),
    ] {
        fs::write(incoming.join(file), octets).expect("a file");
    }
    fs::create_dir(incoming.join("folder.xml")).expect("a folder");
    symlink("/etc/hostname", incoming.join("link.xml")).expect("a link");
    let file = next(&door).await;
    assert_eq!((file.name.as_str(), &file.octets[..]), ("good.xml", &b"good"[..]));
    let both = |name: &str| [name.to_owned(), format!("{name}.txt")];
    let refused: Vec<String> =
        ["folder.xml", "link.xml", "long.xml", "notes.txt"].into_iter().flat_map(both).collect();
    assert_eq!(listed(&incoming.join("refused")), refused);
    let words = fs::read_to_string(incoming.join("refused/long.xml.txt")).expect("words");
    assert!(words.contains("LAB-F14") && words.contains("found 9 octets; expected at most 8"), "{words}");
    assert_eq!(
        listed(&incoming),
        ["being-written.xml", "good.xml", "half.tmp", "half.xml.part", "refused", "taken"]
    );
    let error = door.send(&name("a"), b"nine octets").await.expect_err("too long");
    assert!(matches!(error, DoorError::TooLong { found: 11, limit: 8, .. }), "{error}");
}

/// A file of a name that was there before takes no other's place.
#[tokio::test]
async fn what_was_put_away_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, party) = pair(folder.path());
    let incoming = folder.path().join("in");
    for octets in ["first", "second"] {
        fs::write(incoming.join("a.xml"), octets).expect("a file");
        let file = next(&party).await;
        party.settle(&file, &Settled::Taken).await.expect("settled");
    }
    assert_eq!(listed(&incoming.join("taken")), ["a.xml", "a.xml.2"]);
    assert_eq!(fs::read_to_string(incoming.join("taken/a.xml")).expect("a file"), "first");
}

#[tokio::test]
async fn nothing_comes_until_the_deadline_and_something_that_comes_meanwhile_is_had() {
    let folder = tempfile::tempdir().expect("a folder");
    let (control, party) = pair(folder.path());
    let begun = Instant::now();
    let nothing = party.receive(begun + Duration::from_millis(120)).await.expect("a folder");
    assert!(nothing.is_none() && begun.elapsed() >= Duration::from_millis(120));
    let (received, sent) = tokio::join!(party.receive(soon()), async {
        tokio::task::yield_now().await;
        control.send(&name("late"), b"1").await
    });
    sent.expect("sent");
    let received = received.expect("a folder");
    assert!(matches!(&received, Some(Came::File(file)) if file.name == "late.xml"), "{received:?}");
}
