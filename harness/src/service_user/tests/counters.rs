//! Counters under many hands.

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
