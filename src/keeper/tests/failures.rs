//! What callers get while the server fails.

use super::*;
use futures_util::future::join_all;

/// google-cloud-rust #5809: a failed refresh displaced a good token.
#[tokio::test(start_paused = true)]
async fn for_ten_minutes_of_failures_a_good_token_is_served_and_requests_back_off() {
    let server = Server::new(|number| match number {
        1 => token("t1", LIFETIME),
        _ => failure(ErrorKind::Timeout).after(Duration::from_millis(1)),
    });
    let windows = Windows { refresh: SECOND * 720, ..Windows::default() };
    let slot = server.slot_with(windows);
    get(&slot).await.unwrap();
    pass(7200.0 - 650.0).await;
    // The random part may put the first try anywhere in the window.
    while server.requests() == 1 {
        get(&slot).await.unwrap();
        pass(0.5).await;
    }
    let start = server.times()[1];
    while server.0.start.elapsed().as_secs_f64() < 7200.0 - 1.0 {
        assert_eq!(get(&slot).await, Ok("t1".to_owned()));
        pass(0.5).await;
    }
    // The pauses are 1, 2, 4 … 60 s, each down to its half at random; in the token's last 30 s callers wait for a try,
    // but tries are no more frequent.
    let times: Vec<f64> = server.times()[1..].to_vec();
    let pauses: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (number, pause) in (0..).zip(&pauses) {
        let longest = f64::min(2.0_f64.powi(number), 60.0);
        assert!(*pause >= longest / 2.0 && *pause <= longest + 1.1, "{number}: {pause} of {pauses:?}");
    }
    let most = 7 + ((7200.0 - start) / 30.0).ceil() as usize;
    assert!(times.len() <= most, "{times:?}");
}

/// WxJava #1381: a wrong key or secret caused fetching without end.
#[tokio::test(start_paused = true)]
async fn a_wrong_secret_is_asked_about_twice_a_minute_however_many_call() {
    let server = Server::new(|_| failure(ErrorKind::Api));
    let slot = server.slot();
    for _ in 0..590 {
        let got = join_all((0..10).map(|_| get(&slot))).await;
        assert!(got.iter().all(|got| *got == Err(ErrorKind::Api)));
        pass(0.1).await;
    }
    assert_eq!(server.requests(), 2);
    assert!(slot.stats().errors == 5900 && slot.stats().failures == 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_an_outage_is_asked_about_once_a_second_and_its_end_is_seen_at_once() {
    let server = Server::new(|number| match number {
        ..=60 => failure(ErrorKind::Connect).after(Duration::ZERO),
        _ => token("t", LIFETIME),
    });
    let slot = server.slot();
    let mut calls = 0;
    while get(&slot).await.is_err() {
        calls += 1;
        pass(0.1).await;
    }
    let times = server.times();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 0.999), "{times:?}");
    assert!(calls > 500 && times.len() == 61 && times[60] < 67.0, "{calls} {times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_one_user_is_not_that_of_the_next() {
    let server = Server::new(|number| match number {
        1 => failure(ErrorKind::Api),
        _ => token("t", LIFETIME),
    });
    let slot = server.slot();
    get(&slot).await.unwrap_err();
    get(&slot).await.unwrap_err();
    assert_eq!(server.requests(), 1);
    *server.0.user.lock().unwrap() = Some("another".into());
    pass(1.0).await;
    assert_eq!(get(&slot).await, Ok("t".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_arrives_after_the_user_changed_is_still_that_of_the_first() {
    let server = Server::new(|number| match number {
        1 => failure(ErrorKind::Api),
        _ => token("t", LIFETIME),
    });
    let slot = server.slot();
    let change = async {
        settle().await;
        *server.0.user.lock().unwrap() = Some("another".into());
    };
    let (got, ()) = tokio::join!(get(&slot), change);
    assert_eq!(got, Err(ErrorKind::Api));
    pass(1.0).await;
    assert_eq!(get(&slot).await, Ok("t".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_empty_token_is_an_error_and_never_handed_out() {
    for text in ["", " "] {
        let server = Server::new(move |_| token(text, LIFETIME));
        assert_eq!(get(&server.slot()).await, Err(ErrorKind::NoData));
    }
}

/// WxJava #2803: an older answer overwrote a newer token.
#[tokio::test(start_paused = true)]
async fn an_older_token_than_the_one_held_is_no_renewal() {
    let server = Server::new(|number| match number {
        1 => token("t1", LIFETIME),
        2 => token("older", 100),
        _ => token("t3", LIFETIME),
    });
    let slot = server.slot();
    get(&slot).await.unwrap();
    pass(7200.0 - 170.0).await;
    assert_eq!(get(&slot).await, Ok("t1".to_owned()));
    pass(0.2).await;
    assert_eq!((get(&slot).await, slot.stats().failures), (Ok("t1".to_owned()), 1));
    pass(1.0).await;
    get(&slot).await.unwrap();
    pass(0.2).await;
    assert_eq!(get(&slot).await, Ok("t3".to_owned()));
}

/// Some servers compute the expiry anew for each answer, and are a second early now and then.
#[tokio::test(start_paused = true)]
async fn the_same_token_with_an_expiry_a_little_earlier_is_no_failure() {
    let server = Server::new(|number| match number {
        1 => token("t1", LIFETIME),
        _ => token("t1", 100),
    });
    let slot = server.slot();
    get(&slot).await.unwrap();
    pass(7200.0 - 170.0).await;
    get(&slot).await.unwrap();
    pass(0.2).await;
    assert_eq!((get(&slot).await, slot.stats().failures, server.requests()), (Ok("t1".to_owned()), 0, 2));
}

/// The keeper sent six requests in six seconds to a server that had asked for a pause of an hour.
#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_a_pause_gets_it_within_the_longest() {
    for (wanted, least, most) in [(10, 10.0, 10.5), (3600, 60.0, 60.5), (u64::MAX, 60.0, 60.5)] {
        for held in [false, true] {
            let server = Server::new(move |number| match number {
                1 if held => token("t", 400),
                _ => {
                    let error = Error::new(ErrorKind::Timeout, "test", "as planned");
                    failing(error.with(|error| error.retry_after = Some(Duration::from_secs(wanted))))
                }
            });
            let slot = server.slot();
            // A token that is held is due by then.
            let _ = get(&slot).await;
            pass(if held { 365.0 } else { 0.0 }).await;
            let first = usize::from(held);
            while server.requests() < first + 2 {
                let _ = get(&slot).await;
                pass(0.1).await;
            }
            let times = &server.times()[first..];
            let pause = times[1] - times[0];
            assert!((least - 0.2..=most).contains(&pause), "{wanted} {held}: {times:?}");
        }
    }
}

/// Sixty remembered failures used to take 58 MB.
#[tokio::test(start_paused = true)]
async fn what_is_remembered_of_a_failure_is_not_the_answer() {
    let server = Server::new(|_| {
        let error = Error::new(ErrorKind::Api, "test", "as planned");
        failing(error.with(|error| {
            (error.body, error.server_message) = (Some(vec![b'x'; 1 << 20].into()), Some("x".repeat(1 << 20)));
        }))
    });
    let slot = server.slot();
    assert_eq!(slot.get().await.unwrap_err().body().map(|body| body.len()), Some(1 << 20));
    let again = slot.get().await.unwrap_err();
    assert_eq!((again.to_string(), server.requests()), ("test: as planned".to_owned(), 1));
    assert!(again.body().is_none() && again.server_message().is_none(), "{:?}", again.server_message().map(str::len));
}
