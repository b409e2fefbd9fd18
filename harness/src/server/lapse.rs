//! Who is believed no more while they are connected: a certificate taken back or expired, a session ended, a person removed.
//!
//! The list of what was taken back is looked at again and again, and what it names is closed, whatever streams over it.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::pki::{Certified, Pki, Serial};

/// How often it is looked whether somebody is still believed.
pub(super) const LOOK: Duration = Duration::from_secs(1);
/// A clock may be set: the end of a certificate is not slept for longer than this at a time.
const NAP: Duration = Duration::from_secs(60);

/// The certificates taken back, or why that cannot be told; then nobody's counts.
type List = Result<BTreeSet<Serial>, String>;

/// The list as it is now, for every connection.
#[derive(Debug, Clone)]
pub(super) struct TakenBack(watch::Receiver<Arc<List>>);

impl TakenBack {
    /// Follows the list of an authority until stopped.
    pub(super) fn follow(pki: Pki, stop: CancellationToken) -> Self {
        let (tell, list) = watch::channel(Arc::new(Ok(BTreeSet::new())));
        tokio::spawn(async move { stop.run_until_cancelled(following(pki, tell)).await });
        Self(list)
    }

    /// Waits until this certificate counts no more, and says why.
    pub(super) async fn lapse(mut self, certified: &Certified) -> String {
        loop {
            match &**self.0.borrow_and_update() {
                Err(reason) => return format!("the list of certificates taken back: {reason}"),
                Ok(list) if list.contains(&certified.serial) => {
                    return "the certificate was taken back".to_owned();
                }
                Ok(_) => {}
            }
            let left = certified.expires.duration_since(Timestamp::now());
            let Some(left) = Duration::try_from(left).ok().filter(|left| !left.is_zero()) else {
                return format!("the certificate expired at {}", certified.expires);
            };
            // When nobody follows the list any more the server has stopped.
            if let Ok(Err(_)) = tokio::time::timeout(left.min(NAP), self.0.changed()).await {
                return std::future::pending().await;
            }
        }
    }
}

async fn following(pki: Pki, tell: watch::Sender<Arc<List>>) {
    let mut seen = None;
    loop {
        let stamp = stamp(&pki);
        if seen != Some(stamp) {
            let asked = pki.clone();
            let list =
                tokio::task::spawn_blocking(move || asked.taken_back().map_err(|e| e.to_string())).await;
            let list = list.unwrap_or_else(|e| Err(e.to_string()));
            seen = Some(stamp);
            tell.send_replace(Arc::new(list));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// By this a change is noticed: a list that is replaced is a new inode.
fn stamp(pki: &Pki) -> (Option<SystemTime>, u64) {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(pki.revoked()).map_or((None, 0), |m| (m.modified().ok(), m.ino()))
}

/// Waits until somebody is no longer believed.
pub(super) type Lapse = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Waits until this is no longer so.
pub(super) fn once_not(mut still: impl FnMut() -> bool + Send + 'static) -> Lapse {
    Box::pin(async move {
        while still() {
            tokio::time::sleep(LOOK).await;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_certificate_lapses_when_it_is_taken_back_or_when_it_ends() {
        let dir = tempfile::TempDir::new().unwrap();
        let pki = Pki::new(dir.path().join("pki"));
        let now = Timestamp::now();
        pki.init(&"lab".parse().unwrap(), &[], now).unwrap();
        let issue = |name: &str, at: Timestamp| {
            let holder = crate::server::pki::Holder {
                name: name.parse().unwrap(),
                standing: "engineer".parse().unwrap(),
            };
            pki.issue(&holder, 1, dir.path(), at).unwrap().certified
        };
        let (ann, old) = (issue("ann", now), issue("old", now - jiff::SignedDuration::from_hours(24)));
        let stop = CancellationToken::new();
        let taken_back = TakenBack::follow(pki.clone(), stop.clone());
        assert!(taken_back.clone().lapse(&old).await.contains("expired"));
        let lapsing = tokio::spawn(taken_back.clone().lapse_of(ann));
        pki.revoke("ann", now).unwrap();
        assert_eq!(lapsing.await.unwrap(), "the certificate was taken back");
        std::fs::remove_file(pki.revoked()).unwrap();
        let ben = issue("ben", now);
        assert!(taken_back.lapse(&ben).await.contains("revoked.crl"));
    }

    impl TakenBack {
        async fn lapse_of(self, certified: Certified) -> String {
            self.lapse(&certified).await
        }
    }
}
