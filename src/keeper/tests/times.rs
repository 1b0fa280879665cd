//! When a token is handed out, renewed and waited for.

use super::*;
use futures_util::FutureExt as _;

#[tokio::test(start_paused = true)]
async fn a_fresh_token_costs_no_request() {
    let server = Server::renewing();
    let slot = server.slot();
    for _ in 0..68 {
        assert_eq!(get(&slot).await, Ok("t1".to_owned()));
        pass(100.0).await;
    }
    assert_eq!(server.requests(), 1);
}

/// WxJava #324: the token was expired first and fetched later, so that others found none in between.
#[tokio::test(start_paused = true)]
async fn a_due_token_is_handed_out_while_one_refresh_runs_beside() {
    let server = Server::new(|number| token(format!("t{number}"), LIFETIME).after(SECOND * 5));
    let slot = server.slot();
    get(&slot).await.unwrap();
    pass(7200.0 - 180.0 + 1.0).await;
    for _ in 0..100 {
        assert_eq!(get(&slot).now_or_never(), Some(Ok("t1".to_owned())));
        settle().await;
    }
    assert_eq!((server.requests(), slot.stats().stale), (2, 100));
    pass(6.0).await;
    assert_eq!(get(&slot).now_or_never(), Some(Ok("t2".to_owned())));
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn processes_of_a_fleet_do_not_come_at_once() {
    let mut first = Vec::new();
    for _ in 0..50 {
        let server = Server::renewing();
        let slot = server.slot();
        get(&slot).await.unwrap();
        pass(7200.0 - 301.0).await;
        while server.requests() == 1 {
            get(&slot).await.unwrap();
            pass(1.0).await;
        }
        first.push(server.times()[1]);
    }
    first.sort_by(f64::total_cmp);
    assert!(first[0] >= 6899.0 && first[49] <= 7200.0 - 178.0, "{first:?}");
    assert!(first[49] - first[0] > 60.0, "{first:?}");
}

#[tokio::test(start_paused = true)]
async fn shortly_before_its_end_callers_wait_for_the_next_token() {
    let server = Server::renewing();
    let slot = server.slot();
    get(&slot).await.unwrap();
    pass(7200.0 - 20.0).await;
    assert_eq!(get(&slot).await, Ok("t2".to_owned()));
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn shortly_before_its_end_a_token_is_still_handed_out_where_the_refresh_fails() {
    let server = Server::new(|number| match number {
        1 => token("t1", LIFETIME),
        _ => failure(ErrorKind::Timeout),
    });
    let slot = server.slot();
    get(&slot).await.unwrap();
    pass(7200.0 - 20.0).await;
    for _ in 0..100 {
        assert_eq!(get(&slot).await, Ok("t1".to_owned()));
    }
    pass(20.0).await;
    assert_eq!(get(&slot).await, Err(ErrorKind::Timeout));
}

/// A caching server sends the same token again until it expires: asking it more and more often does not help.
#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_renew_early_is_asked_a_few_times_only() {
    let server = Server::renewing();
    let start = server.0.start;
    let cached = Server::new(move |_| {
        let life = u64::try_from(start.elapsed().as_millis()).unwrap();
        token(format!("t{}", life / 7_200_000), LIFETIME - life / 1000 % LIFETIME)
    });
    let slot = cached.slot();
    for _ in 0..7150 {
        assert_eq!(get(&slot).await, Ok("t0".to_owned()));
        pass(1.0).await;
    }
    assert!(cached.requests() <= 4, "{:?}", cached.times());
}

/// google-cloud-rust #6678: a busy loop on a short lifetime.
#[tokio::test(start_paused = true)]
async fn a_short_life_causes_no_more_than_a_request_a_second() {
    for lifetime in [0, 1, 2] {
        let server = Server::new(move |number| token(format!("t{number}"), lifetime).after(Duration::from_millis(1)));
        let slot = server.slot();
        let end = Instant::now() + SECOND * 60;
        while Instant::now() < end {
            let _ = get(&slot).await;
            pass(0.01).await;
        }
        let times = server.times();
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 0.999), "{times:?}");
        // A server that sends nothing but dead tokens is asked less and less.
        let least = if lifetime == 0 { 5 } else { 20 };
        assert!((least..=61).contains(&times.len()), "{lifetime}: {times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_comes_dead_is_an_error_that_says_so() {
    let server = Server::new(|_| token("dead", 0));
    let error = server.slot().get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnusableToken);
    let expected = "the WeChat access token: the server sent a token that expired at 2027-01-15T08:00:00Z; if this \
                    persists, check its clock";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_neither_serves_a_dead_token_nor_fetches_a_good_one_again() {
    for (ours, its) in [(86_400, 0), (-86_400, 0), (0, 86_400), (0, -86_400), (40, -40)] {
        let server = Server::renewing();
        server.0.our_clock.store(ours, Ordering::SeqCst);
        server.0.its_clock.store(its, Ordering::SeqCst);
        let slot = server.slot();
        for _ in 0..68 {
            assert_eq!(get(&slot).await, Ok("t1".to_owned()), "{ours} {its}");
            pass(100.0).await;
        }
        assert_eq!(server.requests(), 1);
        pass(400.0).await;
        assert_eq!(get(&slot).await, Ok("t2".to_owned()), "{ours} {its}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_makes_the_cache_ask_again() {
    let server = Server::renewing();
    let slot = server.slot();
    get(&slot).await.unwrap();
    pass(60.0).await;
    server.0.our_clock.store(-3600, Ordering::SeqCst);
    assert_eq!(get(&slot).await, Ok("t1".to_owned()));
    pass(1.0).await;
    assert_eq!(get(&slot).await, Ok("t2".to_owned()));
    pass(60.0).await;
    assert_eq!((get(&slot).await, server.requests()), (Ok("t2".to_owned()), 2));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_by_more_than_the_tokens_life_makes_callers_wait_for_another() {
    let server = Server::new(|number| match number {
        1 => token("t1", LIFETIME),
        _ => failure(ErrorKind::Timeout),
    });
    let slot = server.slot();
    get(&slot).await.unwrap();
    server.0.our_clock.store(-86_400, Ordering::SeqCst);
    assert_eq!(get(&slot).await, Err(ErrorKind::Timeout));
}

/// No clock has that many seconds: each of these kept a token for thirty days.
#[tokio::test(start_paused = true)]
async fn whatever_expires_at_says_no_token_is_held_longer_than_wechats_live() {
    type Telling = fn(i64) -> i64;
    let tellings: [(Telling, f64); 5] = [
        (|seconds| seconds * 1000 + 999, 7199.0),
        (|seconds| seconds * 1_000_000, 7199.0),
        (|seconds| seconds.saturating_mul(1_000_000_000), 7199.0),
        (|_| 10_000_000_000, 0.0),
        (|_| i64::MAX, 0.0),
    ];
    for (told, least) in tellings {
        let server = Server::new(move |number| token(format!("t{number}"), LIFETIME).telling(told));
        let slot = server.slot();
        assert_eq!(get(&slot).await, Ok("t1".to_owned()));
        let left = slot.stats().remaining.unwrap().as_secs_f64();
        assert!((least..=7200.0).contains(&left), "{}: {left}", told(1_800_000_000));
        let shown = slot.get().await.unwrap().expires_at().as_secs();
        assert!((1_800_000_000..=1_800_007_201).contains(&shown), "{shown}");
        pass(7200.0).await;
        get(&slot).await.unwrap();
        pass(1.0).await;
        assert_ne!(get(&slot).await, Ok("t1".to_owned()), "{}", told(1_800_000_000));
    }
}

/// The token's life is unknown then: regular requests keep the time short in which a dead token may be held.
#[tokio::test(start_paused = true)]
async fn a_token_whose_expiry_is_no_time_is_looked_after_every_few_minutes() {
    let server = Server::new(|_| token("cached", LIFETIME).telling(|_| i64::MAX));
    let slot = server.slot();
    for _ in 0..7200 {
        get(&slot).await.unwrap();
        pass(1.0).await;
    }
    assert!((24..=40).contains(&server.requests()), "{:?}", server.times());
}

#[tokio::test(start_paused = true)]
async fn a_life_that_is_longer_by_the_settings_is_believed() {
    let server = Server::new(|number| token(format!("t{number}"), 86_400));
    let slot = server.slot_with(Windows { longest_life: SECOND * 86_400, ..Windows::default() });
    get(&slot).await.unwrap();
    pass(80_000.0).await;
    assert_eq!((get(&slot).await, server.requests()), (Ok("t1".to_owned()), 1));
}

/// A gateway a day behind kept a dead token for another day; one a day ahead left no token at all.
#[tokio::test(start_paused = true)]
async fn a_gateway_with_a_wrong_clock_is_not_believed_where_two_others_agree() {
    for gateway in [-86_400, 86_400, -8000, 8000, -3600, 3600] {
        let server = Server::renewing();
        server.0.gateways_clock.store(gateway, Ordering::SeqCst);
        let slot = server.slot();
        assert_eq!(get(&slot).await, Ok("t1".to_owned()), "{gateway}");
        let left = slot.stats().remaining.unwrap().as_secs_f64();
        // A life below two hours is possible by either clock; then the shorter one does no harm.
        let least = if gateway == 3600 { 3597.0 } else { 7198.0 };
        assert!((least..=7200.0).contains(&left), "{gateway}: {left}");
        pass(7200.0).await;
        assert_eq!(get(&slot).await, Ok("t2".to_owned()), "{gateway}");
    }
}

#[test]
fn a_long_life_has_the_windows_that_are_set_and_a_short_one_its_share() {
    let windows = Windows::default();
    assert_eq!(windows.refresh_of(SECOND * 7200, 0.0), SECOND * 300);
    assert_eq!(windows.refresh_of(SECOND * 7200, 1.0), SECOND * 180);
    assert_eq!(windows.mandatory_of(SECOND * 7200), SECOND * 30);
    assert_eq!(windows.refresh_of(SECOND * 100, 0.0), SECOND * 10);
    assert_eq!(windows.mandatory_of(SECOND * 100), SECOND * 5);
    assert_eq!(windows.refresh_of(Duration::ZERO, 0.5), Duration::ZERO);
}
