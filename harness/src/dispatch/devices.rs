//! The S1SP at the devices of a migration, with a hand at the rig that wakes a gas meter for it.
//!
//! A gas meter sleeps half an hour from wake to wake. Neither can its credential be changed meanwhile nor the one before given
//! back, and an installation is whole on one side only when its gas meter is. So it is woken first where the rig has a link to
//! its local port ([`rig_hand`]); where it has none, a batch waits until the meter wakes by itself, and says until when. A run
//! of scripts does not wait: there the gas proxy function vouches for the meter, and the records say that it keeps its
//! credential.

use std::sync::Arc;

use jiff::Timestamp;
use lab_config::Eui64;
use proto_lab::record::{Body, Note};
use proto_migration::{CommonInstallation, Holder, Secrets};

use super::Book;
use crate::driver::RigLinks;
use crate::migration::party::{BoxFuture, ContactReport, Contacts, KeyWrap, Refused};
use crate::migration::rig_hand;
use crate::s1sp::{Asleep, S1sp};

/// What the S1SP of a migration reaches the devices of one installation through.
pub(super) struct AtDevices {
    pub(super) s1sp: Arc<S1sp>,
    pub(super) links: RigLinks,
    /// Where it is said what was woken, and until when a device is waited for.
    pub(super) book: Option<Book>,
    /// Whether a device that nobody woke is waited for when it is to have its credential back.
    pub(super) asleep: Asleep,
}

impl AtDevices {
    async fn wake(&self) {
        if let Some(said) = rig_hand::wake(&self.links).await {
            self.say("bench", said);
        }
    }

    async fn back(&self, installation: Eui64) -> Result<String, String> {
        if self.s1sp.longest_sleep().is_some() {
            self.wake().await;
        }
        let given = self.s1sp.give_back().await;
        let (Err(stuck), Some(sleep), Asleep::WaitedFor) = (&given, self.s1sp.longest_sleep(), self.asleep)
        else {
            return given;
        };
        let until = (Timestamp::now() + sleep).strftime("%Y-%m-%d %H:%M:%S UTC");
        self.say(
            "S1SP",
            format!(
                "{installation}: {stuck}; it may sleep, and is waited for until {until}, when it has woken as its Device Model says"
            ),
        );
        let given = self.s1sp.give_back_awake().await;
        given.map_err(|stuck| {
            format!(
                "{stuck}; it was waited for until it should have woken: see to the device, and then run harness migrate --recover"
            )
        })
    }

    fn say(&self, who: &str, what: String) {
        say(self.book.as_ref(), who, what);
    }
}

/// Notes what was said, where there is a book.
pub(super) fn say(book: Option<&Book>, who: &str, what: String) {
    match book {
        // Evidence that cannot be written stops the run at its next record.
        Some(book) => drop(book.write(Body::Note(Note { who: who.to_owned(), what }))),
        None => tracing::warn!("{who}: {what}"),
    }
}

impl Contacts for AtDevices {
    fn viable(&self, declared: &CommonInstallation, secrets: &Secrets) -> Result<(), Refused> {
        self.s1sp.viable(declared, secrets)
    }

    fn new_keys(&self, declared: &CommonInstallation, secrets: &Secrets) -> Secrets {
        self.s1sp.new_keys(declared, secrets)
    }

    fn contact<'a>(
        &'a self,
        declared: &'a CommonInstallation,
        secrets: &'a Secrets,
        wrap: &'a dyn KeyWrap,
    ) -> BoxFuture<'a, ContactReport> {
        Box::pin(async move {
            self.wake().await;
            self.s1sp.contact(declared, secrets, wrap).await
        })
    }

    fn give_back(&self, installation: Eui64) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(self.back(installation))
    }

    fn hold<'a>(&'a self, installation: Eui64, holders: &'a [(Eui64, Holder)]) -> BoxFuture<'a, ()> {
        self.s1sp.hold(installation, holders)
    }
}
