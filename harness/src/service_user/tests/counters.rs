//! Counters under many hands, over restarts, and of two programs.

use super::*;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// However requests of several users are made at the same time, the DCC sees each user's counters strictly rise.
    #[test]
    fn counters_arrive_strictly_increasing(gas in proptest::collection::vec(any::<bool>(), 1..12)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (sent, seen) = runtime.block_on(submitted(&gas));
        prop_assert_eq!(seen.len(), gas.len());
        for user in user_ids().values() {
            let counters: Vec<u64> =
                seen.iter().filter(|id| id.originator == *user).map(|id| id.counter).collect();
            prop_assert!(counters.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", counters);
            prop_assert!(counters.first().is_none_or(|first| *first == 100));
        }
        let (sent, seen): (std::collections::BTreeSet<_>, std::collections::BTreeSet<_>) =
            (sent.into_iter().collect(), seen.into_iter().collect());
        prop_assert_eq!(sent, seen);
    }
}

/// Submits all at once; the identifiers as the user gave them and as the DCC saw them.
async fn submitted(gas: &[bool]) -> (Vec<RequestId>, Vec<RequestId>) {
    let desks = desks(Manner::Code("I99")).await;
    let (dcc, user) = (Arc::clone(&desks.dcc), Arc::new(desks.user));
    let mut tasks = tokio::task::JoinSet::new();
    for gas in gas {
        let user = Arc::clone(&user);
        let role = if *gas { UserRole::GasSupplier } else { SUPPLIER };
        tasks.spawn(async move {
            user.submit(role, Target::Device(METER), read_registers(), None, soon()).await.unwrap().request_id
        });
    }
    (tasks.join_all().await, dcc.ids())
}

const LATER: u64 = 1_000_000;

fn originators() -> std::collections::BTreeSet<Eui64> {
    [examples::USER].into()
}

/// Takes so many counters, as a process does that ends then.
async fn taken(store: &CounterStore, count: usize) -> (Vec<u64>, Vec<String>) {
    let (counters, told) = Counters::open(store, originators()).unwrap();
    let mut turn = counters.turn(examples::USER, soon()).await.unwrap();
    ((0..count).map(|_| turn.take().unwrap().unwrap()).collect(), told)
}

fn file_of(folder: &std::path::Path, ending: &str) -> std::path::PathBuf {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.into_iter().find(|file| file.to_string_lossy().ends_with(ending)).unwrap()
}

#[tokio::test]
async fn a_restart_goes_on_above_what_was_used_before() {
    let folder = tempfile::tempdir().unwrap();
    let store = |first| CounterStore::kept(folder.path().to_owned(), "https://dcc.example:8079/", first);
    let (first, told) = taken(&store(LATER), 3).await;
    assert_eq!((first, told), (vec![LATER, LATER + 1, LATER + 2], Vec::new()));
    // Whatever the clock says now.
    let (again, told) = taken(&store(5), 2500).await;
    assert!(again[0] > LATER + 2 && again.windows(2).all(|pair| pair[0] < pair[1]) && told.is_empty());
    let (last, _) = taken(&store(5), 1).await;
    assert!(last[0] > again[2499], "{last:?}");
    // Another DCC counts for itself.
    let other = CounterStore::kept(folder.path().to_owned(), "https://other.example/", 7);
    assert_eq!(taken(&other, 1).await.0, [7]);
}

#[tokio::test]
async fn a_counter_that_is_lost_begins_by_the_clock_and_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let store =
        |first| CounterStore::kept(folder.path().to_owned(), "https://dcc.example:8079/", first).alone();
    let (_, told) = taken(&store(10), 1).await;
    assert!(told[0].contains("no counter of 90-B3-D5-1F-30-01-00-00 was kept here before"), "{told:?}");
    std::fs::remove_file(file_of(folder.path(), ".json")).unwrap();
    let (begun, told) = taken(&store(LATER), 1).await;
    assert_eq!(begun, [LATER]);
    for part in ["is lost", ".json is gone", "begin at 1000000, by the clock"] {
        assert!(told[0].contains(part), "{part} in {told:?}");
    }
    assert_eq!(taken(&store(LATER), 1).await.1, Vec::<String>::new());
}

#[tokio::test]
async fn a_counter_of_something_else_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = CounterStore::kept(folder.path().to_owned(), "https://dcc.example:8079/", 1);
    taken(&store, 1).await;
    let file = file_of(folder.path(), ".json");
    for (text, found) in [
        ("", "found ``"),
        ("{\"originator\":\"00\",\"dcc\":\"x\",\"used\":1}", "found the counter of 00 at x"),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = Counters::open(&store, originators()).unwrap_err().to_string();
        assert!(error.contains(found) && error.contains("\"used\":NUMBER"), "{error}");
    }
}

#[tokio::test]
async fn two_programs_never_send_in_one_name_to_one_dcc() {
    let folder = tempfile::tempdir().unwrap();
    let store = CounterStore::kept(folder.path().to_owned(), "https://dcc.example:8079/", 1).alone();
    let (first, _) = Counters::open(&store, originators()).unwrap();
    let error = Counters::open(&store, originators()).unwrap_err();
    assert!(matches!(error, CounterFault::Held { .. }), "{error}");
    assert!(error.to_string().contains("wait for it to end"), "{error}");
    drop(first);
    assert!(Counters::open(&store, originators()).is_ok());
}

#[tokio::test]
async fn two_programs_with_a_dcc_each_share_the_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let store = CounterStore::kept(folder.path().to_owned(), "DCC stub", 1);
    let (one, other) =
        (Counters::open(&store, originators()).unwrap().0, Counters::open(&store, originators()).unwrap().0);
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..2500 {
        let counters = if round % 3 == 0 { &one } else { &other };
        let counter = counters.turn(examples::USER, soon()).await.unwrap().take().unwrap().unwrap();
        assert!(seen.insert(counter), "{counter} used twice");
    }
}

#[tokio::test]
async fn counters_end_and_do_not_begin_again() {
    let (counters, _) = Counters::open(&CounterStore::passing(u64::MAX), originators()).unwrap();
    let mut turn = counters.turn(examples::USER, soon()).await.unwrap();
    assert_eq!((turn.take(), turn.take()), (Ok(Some(u64::MAX)), Ok(None)));
}
