//! When a token is handed out, renewed, waited for.

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

/// WxJava #324: expired first, fetched later, so that others found nothing in between.
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

/// A server that caches hands out the same token again until it expires: asking it more and more often does not help.
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
        // A server that answers nothing but dead tokens is asked less and less.
        let least = if lifetime == 0 { 5 } else { 20 };
        assert!((least..=61).contains(&times.len()), "{lifetime}: {times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_comes_dead_is_an_error_that_says_so() {
    let server = Server::new(|_| token("dead", 0));
    let error = server.slot().get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnusableToken);
    let expected = "the WeChat access token: the server answered a token that expired at 2027-01-15T08:00:00Z; if it stays, \
                    check its clock";
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
