//! Several caches over one store, as the processes of a fleet have them.

use super::memory::{LEASE, MemoryStore};
use super::*;
use crate::keeper::held::Record;
use futures_util::future::join_all;

/// A server that answers each request as planned, and further ones with more and more tokens.
fn answering<const N: usize>(planned: [fn() -> Planned; N]) -> Server {
    Server::new(move |number| {
        planned.get(number - 1).map_or_else(|| token(format!("t{number}"), LIFETIME), |one| one())
    })
}

fn fleet(server: &Server, store: &MemoryStore, size: usize) -> Vec<Arc<Keeper>> {
    (0..size).map(|_| server.process(store)).collect()
}

async fn timed<T>(what: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    (what.await, start.elapsed())
}

/// A call in a process, which does not wait for others of this test.
fn asking(process: &Arc<Keeper>) -> tokio::task::JoinHandle<Result<String, ErrorKind>> {
    let process = Arc::clone(process);
    tokio::spawn(async move { get(&process).await })
}

fn ok(token: &str) -> Result<String, ErrorKind> {
    Ok(token.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_fleet_fetches_a_token_once_per_lifetime() {
    let (server, store) = (Server::renewing(), MemoryStore::default());
    let fleet = fleet(&server, &store, 8);
    for second in 0..20_000 {
        let got = join_all(fleet.iter().map(get)).await;
        assert!(got.iter().all(Result::is_ok), "{second}: {got:?}");
        pass(1.0).await;
    }
    assert_eq!(server.requests(), 3, "{:?}", server.times());
    assert_eq!(fleet.iter().map(|process| process.stats().shared).sum::<u64>(), 7 * 3);
    assert_eq!(fleet.iter().map(|process| process.stats().failures).sum::<u64>(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_taken_over_with_the_age_and_the_rest_of_life_that_it_has() {
    let (server, store) = (Server::renewing(), MemoryStore::default());
    get(&server.process(&store)).await.unwrap();
    pass(2000.0).await;
    // This holds by whatever clock.
    for ahead in [0, -86_400, 86_400] {
        server.0.our_clock.store(ahead, Ordering::SeqCst);
        let late = server.process(&store);
        assert_eq!(get(&late).await, ok("t1"));
        let TokenStats { age, remaining, .. } = late.stats();
        let (age, remaining) = (age.unwrap().as_secs(), remaining.unwrap().as_secs());
        assert!((1999..=2002).contains(&age) && (5198..=5200).contains(&remaining), "{age} {remaining}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_died_delays_the_others_until_its_lease_ends() {
    let (server, store) = (Server::renewing(), MemoryStore::default());
    store.lock_for(LEASE);
    let fleet = fleet(&server, &store, 3);
    let (got, spent) = timed(join_all(fleet.iter().map(get))).await;
    assert_eq!(got, [ok("t1"), ok("t1"), ok("t1")]);
    assert!((LEASE..LEASE + SECOND).contains(&spent) && server.requests() == 1, "{spent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_neither_answers_nor_goes_away_is_waited_for_as_long_as_a_call_and_a_lease_take() {
    let (server, store) = (Server::renewing(), MemoryStore::default());
    store.lock_for(SECOND * 3600);
    let process = server.process(&store);
    let (got, spent) = timed(get(&process)).await;
    assert_eq!(got, ok("t1"));
    assert!((SECOND * 13..SECOND * 14).contains(&spent), "{spent:?}");
    assert!(store.is_locked(), "nobody takes another's lock away");
    // The others get what it got.
    assert_eq!((get(&server.process(&store)).await, server.requests()), (ok("t1"), 1));
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_is_slow_keeps_the_lock_and_the_others_wait_for_what_it_gets() {
    let (server, store) = (answering([|| token("t1", LIFETIME).after(LEASE * 3)]), MemoryStore::default());
    let fleet = fleet(&server, &store, 6);
    let (got, spent) = timed(join_all(fleet.iter().map(get))).await;
    assert!(got.iter().all(|got| *got == ok("t1")), "{got:?}");
    assert!(spent < LEASE * 3 + SECOND && server.requests() == 1, "{spent:?}");
    assert!(!store.is_locked());
}

#[tokio::test(start_paused = true)]
async fn a_holder_whose_fetch_fails_lets_the_others_go_at_once() {
    let (server, store) = (answering([|| failure(ErrorKind::Timeout)]), MemoryStore::default());
    let fleet = fleet(&server, &store, 2);
    let first = asking(&fleet[0]);
    settle().await;
    let (got, spent) = timed(get(&fleet[1])).await;
    assert_eq!((first.await.unwrap(), got), (Err(ErrorKind::Timeout), ok("t2")));
    assert!(spent < SECOND / 2, "{spent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_is_closed_or_dropped_leaves_no_lock() {
    let never = || token("never", LIFETIME).after(SECOND * 3600);
    for close in [true, false] {
        let (server, store) = (answering([never]), MemoryStore::default());
        let (going, waiting) = (server.process(&store), server.process(&store));
        let call = asking(&going);
        pass(5.0).await;
        let waiting = asking(&waiting);
        pass(1.0).await;
        assert!(store.is_locked() && server.requests() == 1);
        let start = Instant::now();
        if close {
            going.end();
            going.ended().await;
            assert_eq!(call.await.unwrap(), Err(ErrorKind::Configuration));
        } else {
            call.abort();
            drop(going);
        }
        assert_eq!(waiting.await.unwrap(), ok("t2"));
        assert!(start.elapsed() < SECOND, "{close}");
    }
}

/// WxJava #2803: an older answer overwrote a newer token.
#[tokio::test(start_paused = true)]
async fn a_newer_token_wins_wherever_it_comes_from() {
    let old = || token("old", LIFETIME - 100).after(SECOND * 2);
    let (server, store) = (answering([old, || token("new", LIFETIME)]), MemoryStore::default());
    let fleet = fleet(&server, &store, 2);
    let slow = asking(&fleet[0]);
    pass(0.5).await;
    store.break_lock();
    assert_eq!(get(&fleet[1]).await, ok("new"));
    assert_eq!((slow.await.unwrap(), server.requests()), (ok("new"), 2));
    assert_eq!(store.record(), Some(("new".to_owned(), false)));
    // The same holds the other way round.
    let old = || token("old", LIFETIME - 100);
    let (server, store) = (answering([|| token("new", LIFETIME).after(SECOND * 2), old]), MemoryStore::default());
    let fleet = [server.process(&store), server.process(&store)];
    let slow = asking(&fleet[0]);
    pass(0.5).await;
    store.break_lock();
    assert_eq!((get(&fleet[1]).await, slow.await.unwrap()), (ok("old"), ok("new")));
    assert_eq!(store.record(), Some(("new".to_owned(), false)));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_the_same_token_to_all_is_asked_once_for_each_time_that_it_is_due() {
    // The server's token is good until a certain second, whenever it is asked.
    let start = Instant::now();
    let server = Server::new(move |_| token("same", 400 - (start.elapsed() + SECOND / 10).as_secs()));
    let store = MemoryStore::default();
    let fleet = fleet(&server, &store, 4);
    // Due from 360 s to 376 s on, at random, and not yet so near its end that callers wait.
    for _ in 0..378 {
        assert!(join_all(fleet.iter().map(get)).await.iter().all(|got| *got == ok("same")));
        pass(1.0).await;
    }
    assert_eq!(server.requests(), 2, "{:?}", server.times());
}

/// WxJava #369: several processes fetched in a circle, each invalidating the others' token.
#[tokio::test(start_paused = true)]
async fn what_one_process_fetched_for_a_rejected_token_is_taken_over_by_all_though_it_may_end_sooner() {
    let (server, store) = (answering([|| token("t1", LIFETIME), || token("t2", 1000)]), MemoryStore::default());
    let fleet = fleet(&server, &store, 4);
    let held = join_all(fleet.iter().map(|process| process.get())).await;
    for (process, rejected) in fleet.iter().zip(held) {
        pass(2.0).await;
        process.invalidate(&rejected.unwrap());
        assert_eq!(get(process).await, ok("t2"));
    }
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_the_fleet_knows_is_rejected_is_taken_by_nobody_from_the_store_or_from_the_server() {
    let (server, store) =
        (Server::new(|number| token(if number < 4 { "t1" } else { "t2" }, LIFETIME)), MemoryStore::default());
    let process = server.process(&store);
    process.invalidate(&process.get().await.unwrap());
    assert_eq!(get(&process).await, Err(ErrorKind::UnusableToken));
    assert_eq!(store.record(), Some(("t1".to_owned(), true)));
    assert_eq!(get(&server.process(&store)).await, Err(ErrorKind::UnusableToken));
    assert_eq!(get(&server.process(&store)).await, ok("t2"));
    assert_eq!((store.record(), server.requests()), (Some(("t2".to_owned(), false)), 4));
}

/// The first process used to hand out the rejected token once more.
#[tokio::test(start_paused = true)]
async fn a_token_that_another_process_saw_rejected_while_it_was_fetched_is_not_handed_out() {
    // When the first process gets its answer, the second has the next token already, or is still waiting for it.
    for takes in [1, 8] {
        let (server, store) = (
            Server::new(move |number| match number {
                1 => token("t1", LIFETIME - 5).after(SECOND * 5),
                2 => token("t1", LIFETIME),
                _ => token("t2", LIFETIME).after(SECOND * takes),
            }),
            MemoryStore::default(),
        );
        let fleet = fleet(&server, &store, 2);
        let slow = asking(&fleet[0]);
        pass(1.0).await;
        store.break_lock();
        let rejected = fleet[1].get().await.unwrap();
        pass(1.0).await;
        fleet[1].invalidate(&rejected);
        let other = asking(&fleet[1]);
        assert_eq!((slow.await.unwrap(), other.await.unwrap()), (ok("t2"), ok("t2")), "{takes}");
        assert_eq!((store.record(), server.requests()), (Some(("t2".to_owned(), false)), 3), "{takes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_refuses_costs_nobody_a_token_and_no_time() {
    let (server, store) = (Server::renewing(), MemoryStore::default());
    store.refuse(true);
    let fleet = fleet(&server, &store, 3);
    let (got, spent) = timed(join_all(fleet.iter().map(get))).await;
    assert!(got.iter().all(Result::is_ok) && spent < SECOND / 2, "{spent:?} {got:?}");
    assert_eq!(server.requests(), 3);
    // Each process has a token of its own now; what is fetched from then on is shared.
    store.refuse(false);
    pass(7100.0).await;
    join_all(fleet.iter().map(get)).await;
    pass(1.0).await;
    let got = join_all(fleet.iter().map(get)).await;
    assert!(got.iter().all(|got| *got == ok("t4")), "{got:?}");
    assert_eq!(server.requests(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_costs_two_of_its_timeouts_and_keeps_no_lock() {
    for fails in [false, true] {
        let server = Server::new(move |number| match number {
            1 if fails => failure(ErrorKind::Timeout),
            _ => token("t", LIFETIME),
        });
        let store = MemoryStore::default();
        store.hang(true);
        let (got, spent) = timed(get(&server.process(&store))).await;
        assert_eq!(got, if fails { Err(ErrorKind::Timeout) } else { ok("t") });
        assert!((SECOND * 2..SECOND * 5 / 2).contains(&spent), "{spent:?}");
        // The claim had taken the lock.
        assert!(!store.is_locked());
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_between_lock_and_record_costs_the_others_a_lease_and_the_holder_nothing() {
    let (server, store) = (answering([|| token("t1", LIFETIME).after(SECOND)]), MemoryStore::default());
    let (holder, other) = (server.process(&store), server.process(&store));
    let call = asking(&holder);
    pass(0.5).await;
    store.refuse(true);
    assert_eq!(call.await.unwrap(), ok("t1"));
    store.refuse(false);
    let (got, spent) = timed(get(&other)).await;
    assert!(got == ok("t2") && spent < LEASE + SECOND, "{spent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_about_to_end_is_handed_out_where_the_server_fails_and_only_until_it_ends() {
    for (takes, got) in [(1, ok("t1")), (9, ok("t1")), (25, Err(ErrorKind::Timeout))] {
        let server = Server::new(move |number| match number {
            1 => token("t1", LIFETIME),
            _ => failure(ErrorKind::Timeout).after(SECOND * takes),
        });
        let store = MemoryStore::default();
        get(&server.process(&store)).await.unwrap();
        store.change(|_, left| *left = SECOND * 20);
        assert_eq!(get(&server.process(&store)).await, got, "{takes}");
        assert!(!store.is_locked());
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_about_to_end_is_handed_out_no_more_when_another_process_sees_it_rejected() {
    let (server, store) =
        (answering([|| token("t1", LIFETIME), || failure(ErrorKind::Timeout)]), MemoryStore::default());
    get(&server.process(&store)).await.unwrap();
    store.change(|_, left| *left = SECOND * 20);
    store.lock_for(SECOND);
    let call = asking(&server.process(&store));
    pass(0.5).await;
    store.change(|record, _| record.as_mut().unwrap().rejected = true);
    assert_eq!((call.await.unwrap(), server.requests()), (Err(ErrorKind::Timeout), 2));
}

#[tokio::test(start_paused = true)]
async fn what_no_process_of_the_fleet_can_have_written_is_fetched_anew_and_replaced() {
    type Change = fn(&mut Record, &mut Duration);
    let changes: [Change; 8] = [
        |record, _| record.secret = " \n".into(),
        |record, _| record.expires_at = UnixTimestamp::from_secs(1),
        |record, _| record.expires_at = UnixTimestamp::from_secs(1_800_000_000_000),
        |record, _| record.generation = u64::MAX,
        |record, _| record.lifetime = SECOND * 7201,
        |record, _| record.lifetime = SECOND,
        |_, left| *left = SECOND * 7201,
        |record, left| (record.lifetime, *left) = (SECOND * 86_400, SECOND * 86_400),
    ];
    let none = |record: &mut Option<Record>, _: &mut Duration| *record = None;
    for number in 0..=changes.len() {
        let (server, store) = (Server::renewing(), MemoryStore::default());
        get(&server.process(&store)).await.unwrap();
        match changes.get(number) {
            Some(change) => store.change(|record, left| change(record.as_mut().unwrap(), left)),
            None => store.change(none),
        }
        assert_eq!(get(&server.process(&store)).await, ok("t2"), "{number}");
        assert_eq!(store.record(), Some(("t2".to_owned(), false)), "{number}");
        assert_eq!((get(&server.process(&store)).await, server.requests()), (ok("t2"), 2), "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_token_is_handed_out_without_a_look_at_the_store() {
    let (server, store) = (Server::renewing(), MemoryStore::default());
    let process = server.process(&store);
    get(&process).await.unwrap();
    let before = store.commands();
    for _ in 0..100 {
        get(&process).await.unwrap();
    }
    // The first token takes two commands: a claim and a publication.
    assert_eq!((before, store.commands()), (2, 2));
}
