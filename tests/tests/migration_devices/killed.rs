//! An S1SP killed between any two steps: another one, which has the store and nothing else, gives every device back.

use std::task::Poll;

use harness::migration::party::Contacts;

use super::bench::{Bench, Dco};

/// Runs a future until it has been polled `polls` times, and drops it there. True when it ended before.
async fn poll_and_drop<F: Future>(future: F, polls: usize) -> bool {
    let (mut future, mut left) = (std::pin::pin!(future), polls);
    std::future::poll_fn(|context| match left {
        0 => Poll::Ready(false),
        _ => {
            left -= 1;
            future.as_mut().poll(context).map(|_| true)
        }
    })
    .await
}

async fn killed_at_every_point(bench: &Bench, step: usize) {
    let known = bench.known().await;
    let dco = Dco::of(&known);
    let (mut ended, mut polls, mut found) = (false, 0, 0);
    while !ended {
        polls += step;
        let first = bench.s1sp();
        ended =
            poll_and_drop(Contacts::contact(&*first.s1sp, &known.common, &known.for_s1sp, &dco), polls).await;
        drop(first);
        let second = bench.s1sp();
        let changed =
            bench.dlms().filter_map(|device| Some((device.eui64, device.client(lab_config::Path::Wan)?)));
        found += changed.filter(|(id, client)| second.links.keyring().changed(*id, *client)).count();
        ended &= poll_and_drop(Contacts::give_back(&*second.s1sp, bench.installation()), polls).await;
        drop(second);
        let third = bench.s1sp();
        let given = Contacts::give_back(&*third.s1sp, bench.installation()).await;
        given.unwrap_or_else(|stuck| panic!("killed after {polls} polls: {stuck}"));
        bench.assert_smso(true, &format!("killed after {polls} polls")).await;
    }
    assert!(found > 3, "the kills must meet the change of a credential");
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_given_back_wherever_the_s1sp_was_killed() {
    let bench = Bench::start().await;
    killed_at_every_point(&bench, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_suite_0_are_given_back_wherever_the_s1sp_was_killed() {
    let bench = Bench::changed("cohorts.toml", "moc-secure", &[]).await;
    killed_at_every_point(&bench, 5).await;
}
