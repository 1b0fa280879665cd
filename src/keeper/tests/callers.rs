//! Any number of callers cause one request: who waits, who is cancelled, what is left behind.

use super::*;
use crate::keeper::keeper::Look;
use futures_util::FutureExt as _;
use futures_util::future::join_all;

#[tokio::test(start_paused = true)]
async fn ten_thousand_callers_on_a_cold_cache_cause_one_request() {
    let server = Server::renewing();
    let slot = server.slot();
    let got = join_all((0..10_000).map(|_| get(&slot))).await;
    assert!(got.iter().all(|got| *got == Ok("t1".to_owned())));
    assert_eq!(server.requests(), 1);
    assert_eq!((slot.stats().waits, slot.stats().refreshes), (10_000, 1));
}

/// WxJava #1222, #1293, #1554: there was no recheck after getting the lock, so that every waiter fetched in turn.
#[tokio::test(start_paused = true)]
async fn a_caller_that_waited_takes_the_new_token_and_fetches_none() {
    let server = Server::renewing();
    let slot = server.slot();
    let late = async |seconds| {
        pass(seconds).await;
        get(&slot).await
    };
    let got = tokio::join!(late(0.0), late(0.05), late(0.1), late(0.2));
    assert_eq!(
        [got.0, got.1, got.2, got.3],
        [const { Ok::<&str, ErrorKind>("t1") }; 4].map(|got| got.map(str::to_owned))
    );
    // The same holds for a caller that found the token stale, and got the lock after another had renewed it.
    pass(7100.0).await;
    get(&slot).await.unwrap();
    pass(0.2).await;
    assert!(matches!(slot.look(), Ok(Look::Token(token)) if token.expose_secret() == "t2"));
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fresh_token_is_handed_out_while_another_holds_the_lock_of_the_refresh() {
    let server = Server::renewing();
    let slot = server.slot();
    get(&slot).await.unwrap();
    let locked = slot.progress();
    assert_eq!(seen(slot.get().now_or_never().unwrap()), Ok("t1".to_owned()));
    drop(locked);
    assert_eq!(slot.stats().hits, 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_leader_takes_no_refresh_along() {
    let server = Server::renewing();
    let slot = server.slot();
    let leader = tokio::time::timeout(Duration::from_millis(50), get(&slot));
    let follower = async {
        settle().await;
        get(&slot).await
    };
    let (leader, follower) = tokio::join!(leader, follower);
    assert!(leader.is_err());
    assert_eq!(follower, Ok("t1".to_owned()));
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn followers_who_are_cancelled_disturb_nobody_and_where_all_are_the_token_is_still_fetched() {
    let server = Server::renewing();
    let slot = server.slot();
    let all = join_all((0..100).map(|_| tokio::time::timeout(Duration::from_millis(50), get(&slot)))).await;
    assert!(all.iter().all(Result::is_err));
    pass(1.0).await;
    assert_eq!(get(&slot).now_or_never(), Some(Ok("t1".to_owned())));
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_before_the_first_call() {
    let server = Server::renewing();
    let slot = server.slot();
    pass(10_000.0).await;
    assert_eq!((server.requests(), slot.stats()), (0, crate::keeper::TokenStats::default()));
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

/// restate #5154: refresh tasks leaked.
#[tokio::test(start_paused = true)]
async fn no_refresh_outlives_the_cache() {
    let server = Server::new(|_| token("never", LIFETIME).after(SECOND * 1_000_000));
    let slot = server.slot();
    assert!(tokio::time::timeout(SECOND, get(&slot)).await.is_err());
    assert_eq!(server.0.under_way.load(Ordering::SeqCst), 1);
    drop(slot);
    settle().await;
    assert_eq!(server.0.under_way.load(Ordering::SeqCst), 0);
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

/// google-cloud-rust #4541, #4593: the refresh task died and poisoned the cache.
#[tokio::test(start_paused = true)]
async fn a_refresh_that_panics_costs_a_second_one_and_no_more() {
    let server = Server::new(|number| match number {
        1 => panic!("as planned"),
        _ => token("t2", LIFETIME),
    });
    let slot = server.slot();
    let got = join_all((0..10).map(|_| get(&slot))).await;
    assert!(got.iter().all(|got| *got == Ok("t2".to_owned())));
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn where_every_refresh_panics_callers_get_an_error_and_nobody_asks_without_end() {
    let server = Server::new(|_| panic!("as planned"));
    let slot = server.slot();
    assert_eq!(get(&slot).await, Err(ErrorKind::Transport));
    assert_eq!(server.requests(), 2);
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let server = runtime.block_on(async { Server::renewing() });
    let slot = server.slot();
    let waker = futures_util::task::noop_waker();
    let mut context = std::task::Context::from_waker(&waker);
    let mut outside = || match std::pin::pin!(slot.get()).poll(&mut context) {
        std::task::Poll::Ready(got) => seen(got),
        std::task::Poll::Pending => panic!("it waits for a runtime that is not there"),
    };
    assert_eq!(outside(), Err(ErrorKind::Configuration));
    // A refresh that another caller has under way cannot be waited for here either.
    runtime.block_on(async { tokio::time::timeout(Duration::from_millis(10), get(&slot)).await.unwrap_err() });
    assert_eq!(outside(), Err(ErrorKind::Configuration));
    // A good token is handed out all the same, fresh or not.
    runtime.block_on(get(&slot)).unwrap();
    assert_eq!(outside(), Ok("t1".to_owned()));
    for seconds in [7100.0, 90.0] {
        runtime.block_on(async { tokio::time::sleep(Duration::from_secs_f64(seconds)).await });
        assert_eq!(outside(), Ok("t1".to_owned()));
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

#[test]
fn a_runtime_that_shuts_down_with_the_refresh_leaves_it_to_the_next() {
    let (first, second) = (runtime(), runtime());
    let server = first.block_on(async { Server::renewing() });
    let slot = server.slot();
    first.block_on(async { tokio::time::timeout(Duration::from_millis(10), get(&slot)).await.unwrap_err() });
    drop(first);
    assert_eq!(second.block_on(get(&slot)), Ok("t2".to_owned()));
    assert_eq!(server.requests(), 2);
}

#[test]
fn a_runtime_that_nobody_drives_holds_up_callers_on_another_for_a_bounded_time() {
    let (idle, busy) = (runtime(), runtime());
    let server = idle.block_on(async { Server::renewing() });
    let slot = server.slot();
    idle.block_on(async { tokio::time::timeout(Duration::from_millis(10), get(&slot)).await.unwrap_err() });
    let waited = busy.block_on(async {
        let start = Instant::now();
        assert_eq!(get(&slot).await, Ok("t2".to_owned()));
        start.elapsed()
    });
    assert!(waited < SECOND * 62, "{waited:?}");
    // The token that the idle runtime still brings comes too late to be kept.
    idle.block_on(pass(1.0));
    assert_eq!(busy.block_on(get(&slot)), Ok("t2".to_owned()));
}
