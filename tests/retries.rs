//! Calls that are retried, and calls that are not.

use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::types::{GetWechatAccessTokenDto, GetWechatMiniProgramPhoneDto};
use genauth::{AccessKeyUse, CallOptions, Client, ClientBuilder, Error, ErrorKind, Language, Operation};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const PATH: &str = "/api/v3/get-wechat-access-token-info";

fn busy() -> MockAnswer {
    MockAnswer::http(503, "text/html", "busy")
}

fn app() -> GetWechatAccessTokenDto {
    GetWechatAccessTokenDto { app_id: "wx0123456789abcdef".to_owned(), app_secret: "example-wechat-app-secret".into() }
}

/// Makes the pauses so short that no test has to wait for them.
fn hasty(builder: ClientBuilder) -> ClientBuilder {
    builder.retry_pauses(Duration::from_millis(1), Duration::from_secs(5))
}

async fn token(client: &Client) -> Result<(), Error> {
    client.get_wechat_mp_access_token_info().body(app()).send().await.map(drop)
}

#[tokio::test]
async fn what_fails_for_the_moment_is_tried_again_twice() {
    let server = MockGenAuth::start().await.unwrap();
    let throttled = MockAnswer::envelope(json!({ "statusCode": 429, "message": "slow" }));
    for answer in [busy(), MockAnswer::hang_up(), throttled] {
        let client = hasty(server.client_builder()).build().unwrap();
        server.answer_next(answer.clone().times(2));
        token(&client).await.unwrap();
        assert_eq!(server.take_requests().len(), 3);

        server.answer_next(answer.times(3));
        let error = token(&client).await.unwrap_err();
        assert_eq!((error.attempts(), server.take_requests().len()), (3, 3));
        assert!(error.to_string().ends_with(" [3 attempts]"), "{error}");
    }
}

#[tokio::test]
async fn what_will_not_pass_by_itself_is_sent_once() {
    let server = MockGenAuth::start().await.unwrap();
    let client = hasty(server.client_builder()).build().unwrap();
    let refusal = |status: i64| MockAnswer::envelope(json!({ "statusCode": status, "message": "no" }));
    for answer in [refusal(400), refusal(401), refusal(602), MockAnswer::http(404, "", ""), MockAnswer::empty_data()] {
        server.answer_next(answer);
        let error = token(&client).await.unwrap_err();
        assert_eq!((error.attempts(), server.take_requests().len()), (1, 1), "{error}");
    }
    let nothing = Client::builder(server.url()).build().unwrap();
    assert_eq!(token(&nothing).await.unwrap_err().attempts(), 0);
}

#[tokio::test]
async fn an_operation_that_the_document_does_not_call_idempotent_is_sent_once() {
    let server = MockGenAuth::start().await.unwrap();
    let client = hasty(server.client_builder()).build().unwrap();
    assert!(!Operation::by_id("getWechatMiniProgramPhone").unwrap().idempotent);
    server.answer_next(busy());
    let body = GetWechatMiniProgramPhoneDto { ext_idp_connidentifier: "mini".to_owned(), code: "once".into() };
    client.get_wechat_mini_program_phone().body(body).send().await.unwrap_err();
    assert_eq!(server.take_requests().len(), 1);
    // `call` treats the path of a described operation as the document says.
    server.answer_next(busy());
    client.call::<_, Value>(Method::POST, PATH, &app()).await.unwrap();
    assert_eq!(server.take_requests().len(), 2);
    server.answer_next(busy());
    let path = Operation::by_id("getWechatMiniProgramPhone").unwrap().path;
    client.call::<_, Value>(Method::POST, path, &json!({})).idempotent().await.unwrap_err();
    assert_eq!(server.take_requests().len(), 1);
}

#[tokio::test]
async fn an_undescribed_endpoint_is_tried_again_where_http_or_the_caller_calls_it_idempotent() {
    const UNDESCRIBED: &str = "/api/v3/users/{id}";
    let server = MockGenAuth::start().await.unwrap();
    for (method, idempotent) in [
        (Method::GET, true),
        (Method::PUT, true),
        (Method::DELETE, true),
        (Method::POST, false),
        (Method::PATCH, false),
        (Method::from_bytes(b"PURGE").unwrap(), false),
    ] {
        let done = json!({ "statusCode": 200, "message": "", "data": true });
        server.route(method.clone(), UNDESCRIBED, move |_| MockAnswer::envelope(done.clone()));
        // Each client has a retry budget of its own.
        let client = hasty(server.client_builder()).build().unwrap();
        let call = || client.call::<_, bool>(method.clone(), "/api/v3/users/1", &[("a", "b")]);
        server.answer_next(busy());
        assert_eq!(call().await.is_ok(), idempotent, "{method}");
        let requests = server.take_requests();
        assert_eq!(requests.len(), if idempotent { 2 } else { 1 }, "{method}");

        server.answer_next(MockAnswer::hang_up().times(2));
        assert!(*call().idempotent().await.unwrap());
        let requests = server.take_requests();
        assert_eq!(requests.len(), 3, "{method}");
        assert!(
            requests.iter().all(|request| (&request.path, &request.body) == (&requests[0].path, &requests[0].body))
        );
    }
    // A refusal does not pass by itself, so it is not retried.
    let client = hasty(server.client_builder()).build().unwrap();
    server.answer_next(MockAnswer::error(400, None, "no"));
    client.call::<_, bool>(Method::GET, "/api/v3/users/1", &()).idempotent().await.unwrap_err();
    assert_eq!(server.take_requests().len(), 1);
}

#[tokio::test]
async fn a_call_begins_when_it_is_awaited_and_so_does_its_time() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    let call = client.call::<_, Value>(Method::POST, PATH, &app());
    assert!(server.requests().is_empty());
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3600)).await;
    tokio::time::resume();
    call.await.unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn each_attempt_is_signed_afresh() {
    let server = MockGenAuth::start().await.unwrap();
    let key = Client::builder(server.url()).access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
    let client = hasty(key).build().unwrap();
    server.answer_next(busy());
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 401, "apiCode": 1306, "message": "replayed" })));
    client.get_weixin_access_token().body(app()).send().await.unwrap();
    let requests = server.take_requests();
    let nonces: BTreeSet<_> = requests.iter().map(|request| request.header("x-genauth-signature-nonce")).collect();
    assert_eq!((requests.len(), nonces.len()), (3, 3));
}

#[tokio::test]
async fn a_management_token_that_cannot_be_had_is_not_asked_for_once_more_by_who_needs_it() {
    let server = MockGenAuth::start().await.unwrap();
    let key = Client::builder(server.url()).access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
    let client = hasty(key.access_key_use(AccessKeyUse::ManagementToken)).build().unwrap();
    server.answer_next(busy().times(9));
    let error = client.get_weixin_access_token().body(app()).send().await.unwrap_err();
    assert!(error.to_string().starts_with("getManagementToken: "), "{error}");
    let fetch = Operation::by_id("getManagementToken").unwrap();
    assert_eq!(server.take_requests().len(), if fetch.idempotent { 3 } else { 1 });
}

#[tokio::test]
async fn in_an_outage_the_clones_of_a_client_try_again_ten_times_in_all() {
    let server = MockGenAuth::start().await.unwrap();
    let client = hasty(server.client_builder()).build().unwrap();
    server.answer_next(busy().times(1000));
    for _ in 0..100 {
        token(&client.clone()).await.unwrap_err();
    }
    assert_eq!(server.take_requests().len(), 110);
}

#[tokio::test]
async fn a_server_that_asks_for_more_patience_than_allowed_is_not_asked_again() {
    let server = MockGenAuth::start().await.unwrap();
    let client = hasty(server.client_builder()).build().unwrap();
    for (value, seconds) in [("6", 6), ("Sat, 01 Jan 2124 00:00:00 GMT", 1_000_000_000)] {
        server.answer_next(busy().header("retry-after", value));
        let error = token(&client).await.unwrap_err();
        assert!(error.retry_after().unwrap() >= Duration::from_secs(seconds), "{error:?}");
        assert_eq!((error.attempts(), server.take_requests().len()), (1, 1));
    }
    server.answer_next(busy().header("retry-after", "0"));
    token(&client).await.unwrap();
    assert_eq!(server.take_requests().len(), 2);
}

#[tokio::test]
async fn the_time_of_a_call_bounds_all_its_attempts() {
    let server = MockGenAuth::start().await.unwrap();
    let builder = server.client_builder().retries(1000);
    // A pause that is longer than the time left is not begun.
    let client = builder.clone().timeout(Duration::from_millis(200)).build().unwrap();
    server.answer_next(busy().header("retry-after", "1"));
    assert_eq!(token(&client).await.unwrap_err().attempts(), 1);

    // One attempt that hangs leaves time for another.
    let client =
        hasty(builder).timeout(Duration::from_secs(10)).attempt_timeout(Duration::from_millis(100)).build().unwrap();
    server.answer_next(MockAnswer::proceed().delay(Duration::from_secs(3600)));
    token(&client).await.unwrap();

    let client = server.client_builder().retries(1000).timeout(Duration::from_millis(200)).build().unwrap();
    server.answer_next(MockAnswer::proceed().delay(Duration::from_secs(3600)).times(9));
    assert_eq!(token(&client).await.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_requests_are_under_way_than_allowed() {
    let server = MockGenAuth::start().await.unwrap();
    let key = Client::builder(server.url()).access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
    let key = key.access_key_use(AccessKeyUse::ManagementToken);
    // A call that needs a token first must not wait for its own turn to end.
    let client = key.concurrency(1).build().unwrap();
    let calls = (0..20).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.get_weixin_access_token().body(app()).send().await.map(drop) })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(server.take_requests().len(), 21);

    let client = server.client_builder().concurrency(1).retries(0).build().unwrap();
    server.answer_next(MockAnswer::proceed().delay(Duration::from_secs(3600)));
    let first = tokio::spawn({
        let client = client.clone();
        async move { token(&client).await }
    });
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let hurried = client.with_options(&CallOptions::new().timeout(Duration::from_millis(50))).unwrap();
    let error = token(&hurried).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), server.take_requests().len()), (ErrorKind::Timeout, 0, 1));
    // A call that is given up gives its turn back.
    first.abort();
    token(&client).await.unwrap();
}

#[tokio::test]
async fn single_calls_may_have_another_time_language_and_header_and_no_retries() {
    let server = MockGenAuth::start().await.unwrap();
    let client = hasty(server.client_builder()).build().unwrap();
    let options = CallOptions::new().retries(0).language(Language::Japanese).header("X-Gateway-Key", "hidden-key");
    let special = client.with_options(&options).unwrap();
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 503, "message": "no hidden-key" })));
    let error = token(&special).await.unwrap_err();
    let requests = server.take_requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].header("x-gateway-key"), Some("hidden-key"));
    assert_eq!(requests[0].header("x-genauth-lang"), Some("ja-JP"));
    assert!(!format!("{options:?} {error} {error:?}").contains("hidden-key"));

    token(&client).await.unwrap();
    let requests = server.take_requests();
    assert_eq!((requests[0].header("x-gateway-key"), requests[0].header("x-genauth-lang")), (None, Some("zh-CN")));
    // Both clients still share the user's token.
    client.set_user_access_token(Some(MockGenAuth::USER_ACCESS_TOKEN.into())).unwrap();
    special.get_profile().send().await.unwrap();
}

#[test]
fn options_that_cannot_be_are_refused_with_a_sentence_that_shows_no_value() {
    let client = Client::builder("https://example.genauth.ai").build().unwrap();
    let made = |name: &str| format!("the call's options: the header `{name}` is made by the client; leave it out");
    for (options, expected) in [
        (CallOptions::new().header("authorization", "canary"), made("authorization")),
        (CallOptions::new().header("Content-Type", "canary"), made("content-type")),
        (CallOptions::new().header("x-genauth-app-id", "canary"), made("x-genauth-app-id")),
        (CallOptions::new().header("x-authing-lang", "canary"), made("x-authing-lang")),
        (
            CallOptions::new().header("canary canary", "x"),
            "the client's configuration: a header's name cannot be sent; use letters, digits and hyphens".to_owned(),
        ),
        (
            CallOptions::new().header("x-a", "canary\r\nx-b: c"),
            "the client's configuration: the value of the header `x-a` is empty or holds a character that cannot be in an HTTP \
             header; check it for line breaks"
                .to_owned(),
        ),
        (
            CallOptions::new().timeout(Duration::ZERO),
            "the client's configuration: a timeout of zero leaves no time for any call; allow some".to_owned(),
        ),
    ] {
        let error = client.with_options(&options).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Configuration, expected));
    }
}

#[tokio::test]
async fn the_largest_answer_can_be_set() {
    let server = MockGenAuth::start().await.unwrap();
    for (largest, fits) in [(1 << 21, true), (1 << 20, false)] {
        let client = server.client_builder().largest_answer(largest).build().unwrap();
        let padding = "x".repeat(1 << 20);
        server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": padding, "data": {} })));
        let kind = token(&client).await.unwrap_err().kind();
        assert_eq!(kind, if fits { ErrorKind::NoData } else { ErrorKind::TooLarge });
    }
}
