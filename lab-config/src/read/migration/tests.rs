use std::path::Path;
use std::time::Duration;

use crate::sources::EMBEDDED_LAB;
use crate::{Document, Door, Lab, MigrationLimits, PartyRole};

fn with(more: &str) -> Result<Lab, crate::FileError> {
    Lab::parse(&Document::new("lab.toml", format!("{EMBEDDED_LAB}\n{more}")))
}

fn refusal(more: &str) -> String {
    with(more).expect_err("refused").to_string()
}

#[test]
fn without_a_word_every_party_is_inside_and_has_a_minute() {
    let lab = Lab::embedded().expect("the embedded lab");
    assert!(PartyRole::ALL.into_iter().all(|role| *lab.migration.door(role) == Door::Inside));
    assert_eq!(lab.migration.outside().count(), 0);
    assert_eq!(lab.migration.limits, MigrationLimits { answer_within: Duration::from_secs(60) });
}

const TLS: &str =
    "listen = '192.0.2.7:8090'\ntls = { ca = 'ca.pem', certificate = 'a.pem', key = 'a.key' }\n";

#[test]
fn a_party_is_outside_behind_a_folder_or_a_url() {
    let lab = with(&format!(
        "[migration]\nanswer-within = '5s'\n{TLS}\
         [migration.party.requesting-party]\neui-64 = '90-B3-D5-1F-30-0B-00-01'\nfolder = 'exchange/rp'\ncertificate = 'rp.pem'\n\
         [migration.party.dco]\nurl = 'https://dco.lab:8443/files'\ncertificate = 'dco.pem'\nseal-to = 'dco-seal.pem'\n\
         [migration.party.s1sp]\ncertificate = 's1sp.pem'\nkey = {{ env = 'S1SP_KEY' }}\nopening-key = 's1sp-open.key'\n"
    ));
    let migration = lab.unwrap_or_else(|error| panic!("{error}")).migration;
    assert_eq!(migration.door(PartyRole::RequestingParty), &Door::Folder("exchange/rp".into()));
    let Door::Https(url) = migration.door(PartyRole::Dco) else { panic!("{migration:?}") };
    assert_eq!(url.to_string(), "https://dco.lab:8443/files");
    assert_eq!(*migration.door(PartyRole::S1sp), Door::Inside);
    assert_eq!(migration.outside().collect::<Vec<_>>(), [PartyRole::RequestingParty, PartyRole::Dco]);
    let dco = migration.party(PartyRole::Dco).expect("a party");
    assert_eq!(dco.files.seal_to.as_deref(), Some(Path::new("dco-seal.pem")));
    assert_eq!(migration.limits.answer_within, Duration::from_secs(5));
}

#[test]
fn what_is_wrong_with_the_parties_is_said() {
    for (written, said) in [
        ("[migration.party.requesting-part]\nfolder = 'x'", "did you mean `requesting-party`?"),
        (
            "[migration.party.smso]\nfolder = 'x'\nurl = 'https://x/'\ncertificate = 'c.pem'",
            "both `folder` and `url`",
        ),
        (
            "[migration.party.smso]\nurl = 'http://x/'\ncertificate = 'c.pem'",
            "do not cross a network without TLS",
        ),
        ("[migration.party.smso]\nfolder = 'x'", "no `certificate` of the smso"),
        (
            "[migration.party.smso]\nfolder = 'x'\ncertificate = 'c.pem'\nkey = 'c.key'",
            "they stay with the party",
        ),
        ("[migration.party.dco]\nfolder = 'x'\ncertificate = 'c.pem'", "no `seal-to` of the dco"),
        ("[migration.party.smso]\nseal-to = 'c.pem'", "only s1sp and dco have one"),
        ("[migration.party.s1sp]\nseal-to = 'c.pem'", "`seal-to` of a party inside"),
        ("[migration.party.smso]\ncertificate = 'c.pem'", "only one of `certificate` and `key`"),
        (
            "[migration.party.smso]\nurl = 'https://x/'\ncertificate = 'c.pem'",
            "the smso behind a URL, and no `listen`",
        ),
        ("[migration.party.migration-control]\nfolder = 'x'", "the harness is migration control"),
        ("[migration]\nlisten = '192.0.2.7:8090'", "a loopback address, or TLS"),
        ("[migration]\nanswer-within = 60", "a time from 1ms to 600s"),
        ("[migration]\nanswer-within = '11m'", "write a number and ms or s"),
        ("[migration]\nanswer-witin = '5s'", "did you mean `answer-within`?"),
    ] {
        let refused = refusal(written);
        assert!(refused.contains(said), "{written}\n{refused}");
        assert!(refused.starts_with("lab.toml:"), "{refused}");
    }
}
