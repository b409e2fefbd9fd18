//! From the folder of run folders to publications: every run and book that is not finished yet is followed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use proto_lab::publish::{BookFold, Publication, RunFold, Topics};
use proto_lab::record::{Body, Record};
use tokio::sync::mpsc;

use crate::evidence::RunFolder;
use crate::watch::Follow;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Folders followed at a time; a lab has a rig for each run.
const FOLLOWED: usize = 256;

enum Fold {
    Run(Box<RunFold>),
    Book(Box<BookFold>),
}

impl Fold {
    fn of(first: &Record, topics: &Topics) -> Option<Fold> {
        match &first.body {
            Body::RunStarted(started) => {
                Some(Fold::Run(Box::new(RunFold::new(topics.clone(), &started.run))))
            }
            Body::BookOpened(_) => Some(Fold::Book(Box::new(BookFold::new(topics.clone())))),
            _ => None,
        }
    }

    fn take(&mut self, record: &Record) -> Vec<Publication> {
        match self {
            Fold::Run(run) => run.take(record),
            Fold::Book(book) => book.take(record),
        }
    }
}

/// One folder.
struct Following {
    follow: Follow,
    fold: Option<Fold>,
    over: bool,
    /// Of a folder that was there before: nothing is published until its end is reached, then how it stands. What is over by
    /// then is history.
    catching_up: Option<BTreeMap<String, Publication>>,
}

impl Following {
    /// What there is to publish since the last look. A file that cannot be read is left alone: `verify` says what is wrong.
    fn look(&mut self, topics: &Topics) -> Vec<Publication> {
        let Ok(records) = self.follow.poll() else {
            self.over = true;
            return Vec::new();
        };
        let mut all = Vec::new();
        for record in &records {
            if self.fold.is_none() {
                self.fold = Fold::of(record, topics);
            }
            all.extend(self.fold.iter_mut().flat_map(|fold| fold.take(record)));
            self.over |= matches!(record.body, Body::RunFinished(_) | Body::BookClosed(_));
        }
        match &mut self.catching_up {
            Some(stands) if !records.is_empty() => {
                let states = all.into_iter().filter(|each| each.retained);
                stands.extend(states.map(|each| (each.topic.clone(), each)));
                Vec::new()
            }
            _ => self.catching_up.take().map(|stands| stands.into_values().collect()).unwrap_or(all),
        }
    }
}

/// Looks for ever; drops nothing itself.
pub(super) async fn follow(runs: PathBuf, topics: Topics, to: mpsc::Sender<Vec<Publication>>) {
    let mut shelf = Shelf { runs, topics, following: BTreeMap::new(), left: BTreeSet::new(), before: None };
    loop {
        let looked = tokio::task::spawn_blocking(move || {
            let all = shelf.look();
            (shelf, all)
        });
        let Ok((back, all)) = looked.await else { return };
        shelf = back;
        if !all.is_empty() && to.send(all).await.is_err() {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

struct Shelf {
    runs: PathBuf,
    topics: Topics,
    following: BTreeMap<PathBuf, Following>,
    /// Folders that are done with.
    left: BTreeSet<PathBuf>,
    /// The folders that were there at the first look.
    before: Option<BTreeSet<PathBuf>>,
}

impl Shelf {
    fn look(&mut self) -> Vec<Publication> {
        self.find();
        let mut all = Vec::new();
        for (path, following) in &mut self.following {
            all.extend(following.look(&self.topics));
            if following.over {
                self.left.insert(path.clone());
            }
        }
        self.following.retain(|_, following| !following.over);
        all
    }

    fn find(&mut self) {
        let entries = std::fs::read_dir(&self.runs).into_iter().flatten().flatten();
        let found: BTreeSet<PathBuf> = entries.map(|entry| entry.path()).collect();
        let before = self.before.get_or_insert_with(|| found.clone());
        for path in found {
            if self.following.len() >= FOLLOWED {
                return;
            }
            if self.left.contains(&path) || self.following.contains_key(&path) {
                continue;
            }
            if let Ok(follow) = Follow::open(RunFolder::new(&path)) {
                let catching_up = before.contains(&path).then(BTreeMap::new);
                self.following.insert(path, Following { follow, fold: None, over: false, catching_up });
            }
        }
    }
}
