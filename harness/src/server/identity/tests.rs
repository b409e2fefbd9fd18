//! Rights at each listener, sessions, and people.

use axum::http::Method;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proto_lab::Digest;
use proto_lab::record::{Actor, Credential, Role};

use super::people::PeopleFile;
use super::right::{Door, permit};
use super::session::{COOKIE, LASTS, Sessions, Token};
use super::sign_in::{Asked, Failures};
use super::*;

fn somebody(role: Role) -> Who {
    let credential = Credential::Certificate(Digest::of(b"x"));
    Who::Actor(Actor { name: "ann".parse().unwrap(), role, credential })
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

const CALLS: [(&str, &str); 9] = [
    ("POST", "/smets1.lab.v1.Watch/Records"),
    ("POST", "/smets1.lab.v1.Cosign/Submit"),
    ("POST", "/smets1.lab.v1.Queue/Join"),
    ("POST", "/smets1.lab.v1.Control/Abort"),
    ("POST", "/smets1.lab.v1.Station/Attach"),
    ("GET", "/"),
    ("POST", "/control/abort"),
    ("POST", "/cosign"),
    ("POST", "/anything"),
];

/// Who may make which of [`CALLS`] at which listener. The watch listener's router holds none of the acts; they are refused
/// by role before that is found out.
#[test]
fn rights_by_listener_and_role() {
    let station = Who::Station("bench-3".parse().unwrap());
    let callers = [
        ("engineer", somebody(Role::Engineer)),
        ("scheduler", somebody(Role::Scheduler)),
        ("witness", somebody(Role::Witness)),
        ("board", somebody(Role::Board)),
        ("station", station),
        ("nobody", Who::Nobody),
    ];
    let mut table = String::new();
    for door in [Door::Watch, Door::Control] {
        for (name, who) in &callers {
            let may = |(method, path): &(&str, &str)| {
                let may = permit(door, who, &method.parse().unwrap(), path).is_ok();
                if may { 'x' } else { '.' }
            };
            let row: String = CALLS.iter().map(may).collect();
            table.push_str(&format!("{door:8} {name:10} {row}\n"));
        }
    }
    insta::assert_snapshot!(table, @r"
    watch    engineer   x.xx.xx..
    watch    scheduler  x.x..xx..
    watch    witness    xx...x.x.
    watch    board      x....x...
    watch    station    .........
    watch    nobody     .........
    control  engineer   x.xx.xx..
    control  scheduler  x.x..xx..
    control  witness    .........
    control  board      .........
    control  station    ....x....
    control  nobody     .........
    ");
}

#[test]
fn everybody_may_sign_in_and_nothing_else_is_for_everybody() {
    for door in [Door::Watch, Door::Control] {
        for (method, path, may) in [
            (Method::POST, "/sign-in", true),
            (Method::GET, "/sign-in", true),
            (Method::GET, "/assets/lab.css", true),
            (Method::POST, "/assets/lab.css", false),
            (Method::GET, "/assets", false),
            (Method::GET, "/sign-in/..", false),
            (Method::GET, "/who", false),
        ] {
            assert_eq!(permit(door, &Who::Nobody, &method, path).is_ok(), may, "{method} {path}");
        }
    }
}

proptest! {
    /// Whatever the path: at the control listener a witness and a board may do nothing that nobody may not.
    #[test]
    fn a_witness_has_no_right_at_the_control_listener(path in "/[a-zA-Z0-9./-]{0,40}", post: bool) {
        let method = if post { Method::POST } else { Method::GET };
        let nobody = permit(Door::Control, &Who::Nobody, &method, &path).is_ok();
        for role in [Role::Witness, Role::Board] {
            prop_assert_eq!(permit(Door::Control, &somebody(role), &method, &path).is_ok(), nobody);
        }
    }
}

proptest! {
    /// Of whatever cookies: the session's own, whole, or none.
    #[test]
    fn a_cookie_is_found_among_others_and_no_text_is_taken_for_one(before in "[^;=]{0,20}(=[^;]{0,20})?", octets: [u8; 32], any in ".{0,60}") {
        let token = Token::new(octets);
        let set = token.cookie();
        let pair = set.split(';').next().unwrap();
        prop_assume!(before.split('=').next().unwrap().trim() != COOKIE);
        prop_assert_eq!(Token::of_cookies(&format!("{before}; {pair}")), Some(token.clone()));
        prop_assert!(Token::of_cookies(&any).is_none_or(|found| any.contains(COOKIE) && found != token));
    }

    /// What is no sign-in is refused, and one that is damaged is never one of somebody else's password.
    #[test]
    fn a_damaged_sign_in_is_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..80), at in 0_usize..60, octet: u8) {
        let _ = Asked::read(&octets);
        let mut whole = br#"{"name":"ann","password":"correct horse battery"}"#.to_vec();
        if let Some(place) = whole.get_mut(at) {
            *place = octet;
        }
        if let Ok(asked) = Asked::read(&whole) {
            prop_assert!(asked.name.as_str() == "ann" || asked.password == "correct horse battery");
        }
    }

    /// A file of people that is damaged is read as people, or refused in words.
    #[test]
    fn a_damaged_file_of_people_is_read_or_refused(at in 0_usize..200, gone in 0_usize..8, put in "\\PC{0,6}") {
        let hash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let whole = format!("[[person]]\nname = \"ann\"\nrole = \"engineer\"\npassword = \"{hash}\"\n");
        let at = at.min(whole.len());
        let text = format!("{}{put}{}", &whole[..at], whole.get(at + gone..).unwrap_or_default());
        match People::parse(&text) {
            Ok(people) => prop_assert!(people.iter().count() <= 1),
            Err(reason) => prop_assert!(!reason.is_empty()),
        }
    }
}

fn actor(name: &str) -> Actor {
    Actor { name: name.parse().unwrap(), role: Role::Engineer, credential: Credential::SignIn }
}

#[test]
fn a_session_ends_in_time_and_when_it_is_ended() {
    let mut sessions = Sessions::default();
    let (one, two) = (Token::new([1; 32]), Token::new([2; 32]));
    sessions.begin(&one, actor("ann"), now());
    sessions.begin(&two, actor("ben"), now());
    assert_eq!(sessions.actor(&one, now()), Some((actor("ann"), now() + LASTS)));
    assert_eq!(sessions.actor(&Token::new([3; 32]), now()), None);
    sessions.end(&one);
    assert_eq!(sessions.actor(&one, now()), None);
    let last = now() + LASTS - SignedDuration::from_secs(1);
    assert_eq!(sessions.actor(&two, last), Some((actor("ben"), now() + LASTS)));
    assert_eq!(sessions.actor(&two, now() + LASTS), None);
}

#[test]
fn there_is_a_bound_to_sessions_and_the_oldest_gives_way() {
    let mut sessions = Sessions::default();
    let token = |n: u32| Token::new(*Digest::of(&n.to_be_bytes()).as_bytes());
    for n in 0..3000_u32 {
        sessions.begin(&token(n), actor("ann"), now() + SignedDuration::from_secs(n.into()));
    }
    assert_eq!(sessions.len(), 1000);
    assert!(sessions.actor(&token(0), now()).is_none() && sessions.actor(&token(2999), now()).is_some());
}

#[test]
fn the_cookie_is_for_this_host_over_tls_and_out_of_reach_of_scripts() {
    let token = Token::new([7; 32]);
    let cookie = token.cookie();
    for part in ["__Host-lab-session=", "Path=/;", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    let (name_and_value, _) = cookie.split_once(';').unwrap();
    assert_eq!(Token::of_cookies(&format!("a=b; {name_and_value}; c=d")), Some(token));
    assert_eq!(Token::of_cookies(&format!("x{COOKIE}=1")), None);
}

#[test]
fn after_so_many_failures_nobody_is_heard_until_the_window_has_passed() {
    let mut failures = Failures::default();
    let (here, there) = (vec!["192.0.2.1".to_owned()], vec!["192.0.2.2".to_owned()]);
    for _ in 0..10 {
        assert!(failures.hears(&here, now()));
        failures.count(here.clone(), now());
    }
    assert!(!failures.hears(&here, now()));
    assert!(failures.hears(&there, now()));
    assert!(failures.hears(&here, now() + SignedDuration::from_mins(5)));
    for n in 0..20_000 {
        failures.count(vec![format!("name {n}")], now());
    }
    assert!(!failures.hears(&there, now()));
}

#[test]
fn people_are_kept_by_hashes_in_a_file_of_their_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("people.toml");
    let mut people = People::read(&path).unwrap();
    let password = "correct horse battery";
    let name = |name: &str| name.parse::<proto_lab::record::ActorName>().unwrap();
    people.add(Person::new(name("ann"), Role::Witness, Some(password), &[]).unwrap()).unwrap();
    assert!(matches!(
        people.add(Person::new(name("ann"), Role::Board, Some(password), &[]).unwrap()),
        Err(PeopleError::There(_))
    ));
    people.write(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("$argon2id$v=19$m=19456,t=2,p=1$") && !text.contains(password), "{text}");
    let read = People::read(&path).unwrap();
    assert_eq!(read, people);
    assert_eq!(read.signed_in(&name("ann"), password), Some(Role::Witness));
    assert_eq!(read.signed_in(&name("ann"), "correct horse batterz"), None);
    assert_eq!(read.signed_in(&name("eve"), password), None);
    let file = PeopleFile::new(&path);
    assert!(file.current().has(&name("ann"), Role::Witness));
    people.remove(&name("ann")).unwrap();
    people.write(&path).unwrap();
    assert!(!file.current().has(&name("ann"), Role::Witness));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(People::read(&path).unwrap_err().to_string().contains("can be read by others"));
}

#[test]
fn who_could_do_nothing_or_guess_a_password_is_not_added() {
    let new = |role, password: Option<&str>| Person::new("ann".parse().unwrap(), role, password, &[]);
    assert!(matches!(new(Role::Witness, None), Err(PeopleError::Nothing(_))));
    assert!(matches!(new(Role::Witness, Some("short")), Err(PeopleError::Password { found: 5 })));
    let key = crate::evidence::CosigningKey::from_seed("ann".parse().unwrap(), &[1; 32]).cosigner();
    let engineer = Person::new("ann".parse().unwrap(), Role::Engineer, None, &[key]);
    assert!(matches!(engineer, Err(PeopleError::NoWitness(_))));
}

#[test]
fn a_file_of_people_that_says_something_else_is_refused_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("people.toml");
    for (text, said) in [
        ("[[person]]\nname = \"ann\"\nrole = \"king\"\n", "king"),
        ("[[person]]\nname = \"ann\"\nrole = \"board\"\npassword = \"plain\"\n", "password of ann"),
        ("[[person]]\nname = \"ann\"\nrole = \"witness\"\ncosigner-keys = [\"x\"]\n", "key of ann"),
        (
            "[[person]]\nname = \"ann\"\nrole = \"board\"\n[[person]]\nname = \"ann\"\nrole = \"board\"\n",
            "twice",
        ),
        ("[[people]]\n", "people"),
    ] {
        crate::server::pki::files::replace(&path, text, crate::server::pki::files::Readers::Owner).unwrap();
        let error = People::read(&path).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("people.toml"), "{error}");
    }
}
