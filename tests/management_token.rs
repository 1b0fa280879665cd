//! The management token: it is fetched once, shared and renewed in time; it is never empty, and never fetched for each
//! call.

use base64::Engine as _;
use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::types::GetWechatAccessTokenDto;
use genauth::{AccessKeyUse, CallOptions, Client, ClientBuilder, Error, ErrorKind};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

const FETCH: &str = "/api/v3/get-management-token";

fn builder(server: &MockGenAuth) -> ClientBuilder {
    Client::builder(server.url())
        .access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET)
        .access_key_use(AccessKeyUse::ManagementToken)
        .retries(0)
}

async fn call(client: &Client, server: &MockGenAuth) -> Result<(), Error> {
    let app = GetWechatAccessTokenDto::builder().app_id(server.wechat_app_id()).app_secret(server.wechat_app_secret());
    client.get_weixin_access_token().body(app).send().await.map(drop)
}

/// How many of the requests since the last look fetched a token, and how many did something else.
fn requests(server: &MockGenAuth) -> (usize, usize) {
    let requests = server.take_requests();
    let fetches = requests.iter().filter(|request| request.path == FETCH).count();
    (fetches, requests.len() - fetches)
}

/// A clock that tests move, in seconds since the epoch, for server and client alike.
fn clock() -> (Arc<AtomicU64>, impl Fn() -> SystemTime + Clone + Send + Sync + 'static) {
    let seconds = Arc::new(AtomicU64::new(1_800_000_000));
    let read = Arc::clone(&seconds);
    (seconds, move || SystemTime::UNIX_EPOCH + Duration::from_secs(read.load(Ordering::SeqCst)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn any_number_of_callers_and_clones_cause_one_fetch() {
    let server = MockGenAuth::start().await.unwrap();
    let client = builder(&server).build().unwrap();
    let calls = (0..50).map(|_| {
        let client = client.clone();
        let app =
            GetWechatAccessTokenDto::builder().app_id(server.wechat_app_id()).app_secret(server.wechat_app_secret());
        tokio::spawn(async move { client.get_weixin_access_token().body(app).send().await.map(drop) })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(requests(&server), (1, 50));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires_and_not_sooner() {
    let (seconds, now) = clock();
    let server = MockGenAuth::builder().clock(now.clone()).start().await.unwrap();
    let client = builder(&server).clock(now).build().unwrap();
    call(&client, &server).await.unwrap();
    seconds.fetch_add(7200 - 61, Ordering::SeqCst);
    call(&client, &server).await.unwrap();
    assert_eq!(requests(&server), (1, 2));
    // From now on the token is renewed at a random time, so that a fleet does not come at once; in the last half minute
    // callers wait for it.
    seconds.fetch_add(31, Ordering::SeqCst);
    call(&client, &server).await.unwrap();
    assert_eq!(requests(&server), (1, 1));
}

#[tokio::test]
async fn a_token_that_the_server_rejects_is_fetched_anew_once_and_the_call_goes_out_once_more() {
    let server = MockGenAuth::start().await.unwrap();
    let client = builder(&server).build().unwrap();
    call(&client, &server).await.unwrap();
    requests(&server);
    server.revoke_management_tokens();
    call(&client, &server).await.unwrap();
    assert_eq!(requests(&server), (1, 2));
}

#[tokio::test]
async fn an_operation_that_is_always_refused_renews_the_token_of_all_clones_every_few_seconds_at_most() {
    // Whenever the server looks at its clock, the token that it handed out last is dead.
    let hours = AtomicU64::new(0);
    let server = MockGenAuth::builder()
        .clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(3600) * hours.fetch_add(3, Ordering::SeqCst) as u32)
        .start()
        .await
        .unwrap();
    let (seconds, now) = clock();
    let client = builder(&server).clock(now).build().unwrap();
    for expected in [(2, 1 + 2 + 8), (1, 2 + 9), (1, 2 + 9)] {
        for _ in 0..10 {
            let error = call(&client.clone(), &server).await.unwrap_err();
            assert_eq!(error.status_code(), Some(401));
            assert!(error.to_string().starts_with("getWeixinAccessToken: "), "{error}");
        }
        assert_eq!(requests(&server), expected);
        seconds.fetch_add(5, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_replaced_yet_is_by_whoever_comes_later() {
    let server = MockGenAuth::start().await.unwrap();
    let (seconds, now) = clock();
    let client = builder(&server).clock(now).build().unwrap();
    call(&client, &server).await.unwrap();
    server.revoke_management_tokens();
    call(&client, &server).await.unwrap();
    server.revoke_management_tokens();
    requests(&server);
    let error = call(&client, &server).await.unwrap_err();
    assert_eq!((error.status_code(), error.attempts()), (Some(401), 1));
    assert_eq!(requests(&server), (0, 1));
    seconds.fetch_add(5, Ordering::SeqCst);
    call(&client, &server).await.unwrap();
    assert_eq!(requests(&server), (1, 2));
}

#[tokio::test]
async fn a_token_that_was_fetched_for_the_call_that_the_server_refuses_is_not_fetched_again() {
    let server = MockGenAuth::start().await.unwrap();
    let client = builder(&server).build().unwrap();
    server.answer_next(MockAnswer::proceed());
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 401, "message": "no" })));
    let error = call(&client, &server).await.unwrap_err();
    assert_eq!(error.status_code(), Some(401));
    assert_eq!(requests(&server), (1, 1));

    // The next call was not part of that fetch.
    server.revoke_management_tokens();
    call(&client, &server).await.unwrap();
    assert_eq!(requests(&server), (1, 2));
}

#[tokio::test]
async fn a_fetch_that_fails_is_the_error_of_all_who_waited_for_it_and_nothing_is_sent_without_a_token() {
    let server = MockGenAuth::start().await.unwrap();
    let client = Client::builder(server.url())
        .access_key(MockGenAuth::ACCESS_KEY_ID, "wrong")
        .access_key_use(AccessKeyUse::ManagementToken)
        .build()
        .unwrap();
    let (one, other, third) = tokio::join!(call(&client, &server), call(&client, &server), call(&client, &server));
    for error in [one, other, third] {
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.status_code()), (ErrorKind::Api, Some(401)));
        assert!(error.to_string().starts_with("getManagementToken: "), "{error}");
    }
    assert_eq!(requests(&server), (1, 0));
}

#[tokio::test]
async fn a_key_that_is_refused_is_not_tried_again_with_each_call_but_after_half_a_minute() {
    let server = MockGenAuth::start().await.unwrap();
    let (seconds, now) = clock();
    let client = builder(&server).access_key(MockGenAuth::ACCESS_KEY_ID, "wrong").clock(now).build().unwrap();
    for _ in 0..10 {
        let error = call(&client.clone(), &server).await.unwrap_err();
        assert_eq!((error.kind(), error.status_code()), (ErrorKind::Api, Some(401)));
        seconds.fetch_add(2, Ordering::SeqCst);
    }
    assert_eq!(requests(&server), (1, 0));
    seconds.fetch_add(10, Ordering::SeqCst);
    call(&client, &server).await.unwrap_err();
    assert_eq!(requests(&server), (1, 0), "the key may have been set right at the server");
}

#[tokio::test]
async fn a_server_that_fails_is_asked_for_a_token_once_a_second_or_as_rarely_as_it_asks_for() {
    let server = MockGenAuth::start().await.unwrap();
    let (seconds, now) = clock();
    let client = builder(&server).clock(now).build().unwrap();
    let busy = |header: &str| {
        let answer = MockAnswer::http(503, "text/html", "busy");
        if header.is_empty() { answer } else { answer.header("retry-after", header) }
    };
    for (retry_after, memory) in [("", 1), ("20", 20), ("0", 1), ("86400", 60)] {
        server.answer_next(busy(retry_after));
        for _ in 0..5 {
            let error = call(&client, &server).await.unwrap_err();
            assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Http, true), "{retry_after}");
        }
        seconds.fetch_add(memory - 1, Ordering::SeqCst);
        call(&client, &server).await.unwrap_err();
        assert_eq!(requests(&server), (1, 0), "{retry_after}");
        seconds.fetch_add(1, Ordering::SeqCst);
    }
    call(&client, &server).await.unwrap();
    assert_eq!(requests(&server), (1, 1));
}

#[tokio::test]
async fn a_failed_fetch_is_never_taken_for_the_answer_of_the_operation_that_needed_it() {
    let server = MockGenAuth::start().await.unwrap();
    for envelope in
        [json!({ "statusCode": 401, "message": "no" }), json!({ "statusCode": 200, "message": "", "data": {} })]
    {
        let client = builder(&server).build().unwrap();
        server.answer_next(MockAnswer::envelope(envelope));
        let app = GetWechatAccessTokenDto::builder().app_id("wx").app_secret("s");
        let error = client.get_weixin_access_token().body(app).send().await.unwrap_err();
        assert!(error.to_string().starts_with("getManagementToken: "), "{error}");
        assert_eq!(requests(&server), (1, 0));
    }
}

#[tokio::test]
async fn a_renewal_that_fails_costs_nobody_the_token_that_still_lives() {
    let (seconds, now) = clock();
    let server = MockGenAuth::builder().clock(now.clone()).start().await.unwrap();
    let client = builder(&server).clock(now).build().unwrap();
    call(&client, &server).await.unwrap();
    seconds.fetch_add(7200 - 30, Ordering::SeqCst);
    requests(&server);
    server.answer_next(MockAnswer::http(503, "text/html", "busy"));
    call(&client, &server).await.unwrap();
    call(&client, &server).await.unwrap();
    assert_eq!(requests(&server), (1, 2), "one try, and a pause before the next");
    seconds.fetch_add(5, Ordering::SeqCst);
    call(&client, &server).await.unwrap();
    assert_eq!(requests(&server), (1, 1));
}

#[tokio::test]
async fn callers_whose_token_was_rejected_at_the_same_time_cause_one_fetch() {
    let server = MockGenAuth::start().await.unwrap();
    let client = builder(&server).build().unwrap();
    call(&client, &server).await.unwrap();
    requests(&server);
    server.revoke_management_tokens();
    let calls = || async {
        let (one, other, third) = tokio::join!(call(&client, &server), call(&client, &server), call(&client, &server));
        [one, other, third]
    };
    assert!(calls().await.iter().all(Result::is_ok));
    let (fetches, others) = requests(&server);
    assert_eq!((fetches, others), (1, 6));
}

#[tokio::test]
async fn a_deprecated_operation_that_is_sent_once_more_is_told_of_once() {
    let server = MockGenAuth::start().await.unwrap();
    let told = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&told);
    let client = builder(&server)
        .on_deprecation(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            genauth::OnDeprecation::Proceed
        })
        .build()
        .unwrap();
    call(&client, &server).await.unwrap();
    server.revoke_management_tokens();
    let app = GetWechatAccessTokenDto::builder().app_id(server.wechat_app_id()).app_secret(server.wechat_app_secret());
    #[allow(deprecated, reason = "this test is about calling it")]
    client.get_wechat_access_token().body(app).send().await.unwrap();
    assert_eq!(told.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_empty_token_is_an_error_and_never_sent() {
    let server = MockGenAuth::start().await.unwrap();
    for token in ["", " "] {
        let client = builder(&server).build().unwrap();
        let data = json!({ "access_token": token, "expires_in": 7200 });
        server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": data })));
        assert_eq!(call(&client, &server).await.unwrap_err().kind(), ErrorKind::NoData);
        assert_eq!(requests(&server), (1, 0));
    }
}

#[tokio::test]
async fn a_lifetime_is_read_in_whichever_way_the_server_writes_it() {
    for lifetime in [json!(7200), json!("7200"), json!(7200.0)] {
        let server = MockGenAuth::start().await.unwrap();
        let client = builder(&server).build().unwrap();
        let data = json!({ "access_token": "opaque", "expires_in": lifetime });
        server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": data })));
        let enough = json!({ "statusCode": 499, "message": "enough" });
        server.answer_next(MockAnswer::envelope(enough).times(2));
        for _ in 0..2 {
            assert_eq!(call(&client, &server).await.unwrap_err().status_code(), Some(499), "{lifetime}");
        }
        assert_eq!(requests(&server), (1, 2), "{lifetime}");
    }
}

#[tokio::test]
async fn a_lifetime_of_nothing_is_a_few_seconds() {
    for lifetime in [0, -5, i64::MIN, 1, 4] {
        let (seconds, now) = clock();
        let server = MockGenAuth::builder().clock(now.clone()).start().await.unwrap();
        let client = builder(&server).clock(now).build().unwrap();
        let data = json!({ "access_token": "opaque", "expires_in": lifetime });
        server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": data })));
        server.answer_next(MockAnswer::envelope(json!({ "statusCode": 499, "message": "enough" })).times(10));
        for _ in 0..10 {
            assert_eq!(call(&client, &server).await.unwrap_err().status_code(), Some(499));
        }
        assert_eq!(requests(&server), (1, 10), "{lifetime}");
        seconds.fetch_add(5, Ordering::SeqCst);
        call(&client, &server).await.unwrap();
        assert_eq!(requests(&server), (1, 1), "{lifetime}");
    }
}

#[tokio::test]
async fn a_lifetime_beyond_all_clocks_is_no_panic() {
    let server = MockGenAuth::start().await.unwrap();
    let client = builder(&server).build().unwrap();
    let data = json!({ "access_token": "opaque", "expires_in": i64::MAX });
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": data })));
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 499, "message": "enough" })).times(2));
    for _ in 0..2 {
        assert_eq!(call(&client, &server).await.unwrap_err().status_code(), Some(499));
    }
    assert_eq!(requests(&server), (1, 2));
}

#[tokio::test]
async fn a_token_that_names_no_user_pool_goes_out_with_the_keys_id_which_is_one_for_a_pools_own_key() {
    // The claim is missing, empty, or one that no header can carry.
    let with_claim = |claims: &str| format!("e30.{}.", base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(claims));
    for token in [
        "opaque".to_owned(),
        with_claim(r#"{"exp":1}"#),
        with_claim(r#"{"scoped_userpool_id":""}"#),
        with_claim(r#"{"scoped_userpool_id":"a\nb"}"#),
    ] {
        let server = MockGenAuth::start().await.unwrap();
        let client = builder(&server).build().unwrap();
        let data = json!({ "access_token": token, "expires_in": 7200 });
        server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": data })));
        server.answer_next(MockAnswer::envelope(json!({ "statusCode": 499, "message": "enough" })));
        assert_eq!(call(&client, &server).await.unwrap_err().status_code(), Some(499));
        let sent = server.take_requests().pop().unwrap();
        assert_eq!(sent.header("x-genauth-userpool-id"), Some(MockGenAuth::ACCESS_KEY_ID), "{token}");
    }
}

/// An operation that was allowed used to fail for half a minute, because the renewal that another one caused had
/// failed.
#[tokio::test]
async fn an_operation_that_is_refused_costs_no_other_one_the_token_where_there_is_no_new_one() {
    let server = MockGenAuth::start().await.unwrap();
    let (seconds, now) = clock();
    let client = builder(&server).clock(now).build().unwrap();
    call(&client, &server).await.unwrap();
    seconds.fetch_add(60, Ordering::SeqCst);
    let other = "/api/v3/not-for-this-user";
    server.route(http::Method::POST, other, |_| MockAnswer::error(401, None, "no"));
    for refusal in
        [MockAnswer::error(403, None, "no"), MockAnswer::error(429, None, "busy").header("retry-after", "3600")]
    {
        server.on_path(FETCH).answer_next(refusal);
        requests(&server);
        let error = client.call::<_, serde_json::Value>(http::Method::POST, other, &json!({})).await.unwrap_err();
        assert_eq!(error.status_code(), Some(401), "{error}");
        for _ in 0..10 {
            call(&client, &server).await.unwrap();
            seconds.fetch_add(1, Ordering::SeqCst);
        }
        assert_eq!(requests(&server), (1, 11));
        seconds.fetch_add(60, Ordering::SeqCst);
    }
}

/// Each call that was given up used to cause another fetch, and neither token nor failure was ever remembered.
#[tokio::test]
async fn a_caller_that_gives_up_loses_neither_the_token_nor_the_failure() {
    for wrong in [true, false] {
        let server = MockGenAuth::start().await.unwrap();
        let key = if wrong { "wrong" } else { MockGenAuth::ACCESS_KEY_SECRET };
        let client = builder(&server).access_key(MockGenAuth::ACCESS_KEY_ID, key).build().unwrap();
        server.on_path(FETCH).answer_always(MockAnswer::proceed().delay(Duration::from_millis(300)));
        let impatient = tokio::time::timeout(Duration::from_millis(50), call(&client, &server));
        assert!(impatient.await.is_err());
        assert_eq!(call(&client, &server).await.is_ok(), !wrong);
        assert_eq!(call(&client, &server).await.is_ok(), !wrong);
        assert_eq!(requests(&server), (1, if wrong { 0 } else { 2 }));
    }
}

#[tokio::test]
async fn a_caller_in_a_hurry_fails_nobody_else() {
    let server = MockGenAuth::start().await.unwrap();
    let client = builder(&server).build().unwrap();
    let hurried = client.with_options(&CallOptions::new().timeout(Duration::from_millis(50))).unwrap();
    server.on_path(FETCH).answer_always(MockAnswer::proceed().delay(Duration::from_millis(300)));
    let (first, second) = tokio::join!(call(&hurried, &server), call(&client, &server));
    assert!(first.unwrap_err().is_timeout());
    second.unwrap();
    assert_eq!(requests(&server), (1, 1));
}
