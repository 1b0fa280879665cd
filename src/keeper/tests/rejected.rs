//! Tokens that WeChat rejects before their time.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_forgotten_and_the_next_caller_gets_a_newer_one() {
    let server = Server::renewing();
    let slot = server.slot();
    let token = slot.get().await.unwrap();
    pass(10.0).await;
    slot.invalidate(&token);
    assert_eq!(get(&slot).await, Ok("t2".to_owned()));
    assert_eq!((server.requests(), slot.stats().invalidations), (2, 1));
}

/// WxJava #1300: a late caller expired the token that another had just renewed.
#[tokio::test(start_paused = true)]
async fn a_late_caller_does_not_forget_what_another_has_renewed() {
    let server = Server::renewing();
    let slot = server.slot();
    let token = slot.get().await.unwrap();
    pass(10.0).await;
    let callers = (0..100).map(|late| {
        let (slot, token) = (Arc::clone(&slot), token.clone());
        tokio::spawn(async move {
            pass(f64::from(late) / 10.0).await;
            slot.invalidate(&token);
            assert_eq!(get(&slot).await, Ok("t2".to_owned()));
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    assert_eq!((server.requests(), slot.stats().invalidations), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_the_rejected_token_again_is_an_error_and_no_loop() {
    let server = Server::new(|number| token(if number < 5 { "t1" } else { "t2" }, LIFETIME));
    let slot = server.slot();
    let first = slot.get().await.unwrap();
    pass(10.0).await;
    slot.invalidate(&first);
    let error = slot.get().await.unwrap_err();
    assert_eq!((error.kind(), server.requests()), (ErrorKind::UnusableToken, 2));
    assert!(error.is_retryable() && error.to_string().contains("let it take them from this server"), "{error}");
    assert_eq!((get(&slot).await, server.requests()), (Err(ErrorKind::UnusableToken), 2));
    while get(&slot).await.is_err() {
        pass(0.1).await;
    }
    assert_eq!((get(&slot).await, server.requests()), (Ok("t2".to_owned()), 5));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_rejected_while_it_is_fetched_once_more_is_fetched_again() {
    let server = Server::new(|number| match number {
        1 | 2 => token("t1", LIFETIME).after(SECOND * 5),
        _ => token("t2", LIFETIME),
    });
    let slot = server.slot();
    let first = slot.get().await.unwrap();
    pass(7200.0 - 170.0).await;
    // The refresh is under way, and will bring the same token, when WeChat rejects it.
    get(&slot).await.unwrap();
    pass(1.0).await;
    slot.invalidate(&first);
    assert_eq!(get(&slot).await, Ok("t2".to_owned()));
    assert_eq!(server.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_handed_out_token_does_not_change_under_its_owner() {
    let server = Server::renewing();
    let slot = server.slot();
    let first = slot.get().await.unwrap();
    let clone = first.clone();
    pass(7200.0).await;
    assert_eq!(get(&slot).await, Ok("t2".to_owned()));
    assert_eq!((first.expose_secret(), clone.expose_secret()), ("t1", "t1"));
    drop(first);
    assert_eq!(clone.expose_secret(), "t1");
}

/// An app that calls WeChat with another app's token is refused whatever token it gets.
#[tokio::test(start_paused = true)]
async fn where_wechat_rejects_every_new_token_the_server_is_asked_less_and_less() {
    let server = Server::renewing();
    let slot = server.slot();
    let mut errors = 0;
    while server.0.start.elapsed() < SECOND * 600 {
        match slot.get().await {
            Ok(token) => slot.invalidate(&token),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::UnusableToken);
                errors += 1;
            }
        }
        pass(0.1).await;
    }
    assert!(errors > 5000 && server.requests() < 30, "{errors} errors, {} requests", server.requests());

    // A token that lives for a while clears the count, so the next rejection starts anew.
    while slot.get().await.is_err() {
        pass(1.0).await;
    }
    let token = slot.get().await.unwrap();
    pass(100.0).await;
    slot.invalidate(&token);
    assert!(slot.get().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_goes_on_answering_the_rejected_token_is_asked_less_and_less() {
    let server = Server::new(|_| token("t1", LIFETIME));
    let slot = server.slot();
    let first = slot.get().await.unwrap();
    pass(100.0).await;
    slot.invalidate(&first);
    while server.0.start.elapsed() < SECOND * 700 {
        assert_eq!(get(&slot).await, Err(ErrorKind::UnusableToken));
        pass(0.1).await;
    }
    assert!(server.requests() < 30, "{:?}", server.times());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_lived_well_makes_up_for_those_that_were_rejected_before() {
    let server = Server::renewing();
    let slot = server.slot();
    for _ in 0..2 {
        slot.invalidate(&slot.get().await.unwrap());
        pass(2.0).await;
    }
    // For three days, tokens end as they should.
    while server.0.start.elapsed() < SECOND * 3 * 86_400 {
        slot.get().await.unwrap();
        pass(60.0).await;
    }
    while slot.stats().age.unwrap() > SECOND * 10 {
        slot.get().await.unwrap();
        pass(1.0).await;
    }
    slot.invalidate(&slot.get().await.unwrap());
    slot.get().await.expect("one rejection in three days");
}

/// The server has the same token for all, and sends it again when it is asked early.
#[tokio::test(start_paused = true)]
async fn a_token_that_is_answered_once_more_is_not_new_by_that() {
    let server = Server::new(|number| match number {
        1 => token("t", 400),
        2 => token("t", LIFETIME),
        _ => token(format!("t{number}"), LIFETIME),
    });
    let slot = server.slot();
    get(&slot).await.unwrap();
    pass(390.0).await;
    get(&slot).await.unwrap();
    assert_eq!(server.requests(), 2);
    assert!(slot.stats().age.unwrap() >= SECOND * 390, "{:?}", slot.stats());
}

/// Nobody asked in between, or no token lived long enough to count.
#[tokio::test(start_paused = true)]
async fn rejections_that_are_days_apart_are_not_in_a_row() {
    for lifetime in [LIFETIME, 50] {
        let server = Server::new(move |number| token(format!("t{number}"), lifetime));
        let slot = server.slot();
        for _ in 0..2 {
            slot.invalidate(&slot.get().await.unwrap());
            pass(2.0).await;
        }
        pass(100_000.0).await;
        slot.invalidate(&slot.get().await.unwrap());
        pass(2.0).await;
        slot.get().await.expect("one rejection in a day");
    }
}
