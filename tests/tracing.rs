//! Each call is one span with OpenTelemetry's HTTP names, and the token cache logs what it does.

mod common;

use common::Log;
use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::types::GetWechatAccessTokenDto;
use genauth::wechat::{RedisStore, TokenCache};
use genauth::{DeprecationNotice, ErrorKind, OnDeprecation};
use http::Method;
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

async fn one_call(server: &MockGenAuth) -> String {
    let client = server.client_builder().retries(0).build().unwrap();
    let app = GetWechatAccessTokenDto::builder().app_id(server.wechat_app_id()).app_secret(server.wechat_app_secret());
    let (log, guard) = Log::start(tracing::Level::INFO);
    let _ = client.get_wechat_mp_access_token_info().body(app).send().await;
    drop(guard);
    let mut lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines.remove(0)
}

fn assert_fields(line: &str, server: &MockGenAuth, fields: &[&str]) {
    let port = server.url().rsplit(':').next().unwrap();
    let always = [
        "genauth.request",
        // This is the target, by which people filter.
        "}: genauth: close",
        r#"otel.name="POST /api/v3/get-wechat-access-token-info""#,
        r#"otel.kind="client""#,
        r#"http.request.method="POST""#,
        r#"url.template="/api/v3/get-wechat-access-token-info""#,
        r#"server.address="127.0.0.1""#,
        &format!("server.port={port}"),
        r#"genauth.operation_id="getWechatMpAccessTokenInfo""#,
    ];
    for field in always.iter().chain(fields) {
        assert!(line.contains(field), "no {field} in {line}");
    }
}

#[tokio::test]
async fn a_call_that_succeeds() {
    let server = MockGenAuth::start().await.unwrap();
    let line = one_call(&server).await;
    assert_fields(&line, &server, &["http.response.status_code=200", "genauth.status_code=200"]);
    assert!(!line.contains("error.type"), "{line}");
}

#[tokio::test]
async fn a_call_that_the_server_refuses() {
    let server = MockGenAuth::start().await.unwrap();
    let refusal = json!({ "statusCode": 499, "apiCode": 2011, "message": "no", "requestId": "r-42" });
    server.answer_next(MockAnswer::envelope(refusal));
    let line = one_call(&server).await;
    assert_fields(
        &line,
        &server,
        &[
            "http.response.status_code=200",
            "genauth.status_code=499",
            "genauth.api_code=2011",
            r#"genauth.request_id="r-42""#,
            "error.type=Api",
            r#"otel.status_code="ERROR""#,
        ],
    );
}

#[tokio::test]
async fn a_call_that_a_gateway_answers() {
    let server = MockGenAuth::start().await.unwrap();
    server.answer_next(MockAnswer::http(502, "text/html", "<h1>Bad Gateway</h1>"));
    let line = one_call(&server).await;
    assert_fields(&line, &server, &["http.response.status_code=502", "error.type=Http"]);
    assert!(!line.contains("genauth.status_code"), "{line}");
}

/// Such a path may hold anything, such as an invitation's code.
#[tokio::test]
async fn the_path_of_an_endpoint_that_the_document_does_not_describe_is_shown_nowhere() {
    const PATH: &str = "/api/v3/invitations/c0de-4711/accept%2Dit?for=c0de-4711";
    let (log, _guard) = Log::start(tracing::Level::TRACE);
    let seen = Arc::new(Mutex::new(String::new()));
    let notices = Arc::clone(&seen);
    let hook = move |notice: &DeprecationNotice<'_>| {
        notices.lock().unwrap().push_str(&format!("{notice} {notice:?}\n"));
        OnDeprecation::Refuse
    };
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().on_deprecation(hook).build().unwrap();
    let refusal = "no invitation c0de-4711 at /api/v3/invitations/C0DE-4711/accept-it";
    let refusal = json!({ "statusCode": 404, "message": refusal, "requestId": "c0de-4711" });
    let success = MockAnswer::envelope(json!({ "statusCode": 200, "message": "ok", "data": {} }));
    for (answer, kind) in [
        (MockAnswer::envelope(refusal), ErrorKind::Api),
        (MockAnswer::proceed(), ErrorKind::Api),
        (MockAnswer::http(404, "text/html", "<h1>c0de-4711</h1>"), ErrorKind::Http),
        (MockAnswer::http(302, "", "").header("location", PATH), ErrorKind::Redirect),
        (MockAnswer::hang_up(), ErrorKind::Transport),
        (success.clone().header("deprecation", "true"), ErrorKind::Deprecated),
        (success, ErrorKind::NoData),
    ] {
        server.answer_next(answer);
        let error = client.call::<_, String>(Method::POST, PATH, &json!({})).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().starts_with("an undescribed POST: "), "{error}");
        seen.lock().unwrap().push_str(&format!("{error} {error:?} {:?}\n", error.server_message()));
    }
    // A value that can be written neither as a query nor as JSON is not sent.
    let unwritable = std::collections::BTreeMap::from([([1], 1)]);
    for method in [Method::GET, Method::POST] {
        let error = client.call::<_, String>(method, PATH, &unwritable).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request);
        seen.lock().unwrap().push_str(&format!("{error} {error:?}\n"));
    }
    let shown = format!("{}{}", log.lines().join("\n"), seen.lock().unwrap());
    assert!(shown.contains("an undescribed POST is deprecated, says the server"), "{shown}");
    for part in ["c0de", "C0DE", "accept", "invitations/"] {
        assert!(!shown.contains(part), "{part}: {shown}");
    }
}

#[tokio::test]
async fn what_happens_is_told_to_tracing_and_counted_and_shows_no_token() {
    let (log, _guard) = Log::start(tracing::Level::TRACE);
    let seconds = Arc::new(AtomicU64::new(1_800_000_000));
    let read = Arc::clone(&seconds);
    let now = move || SystemTime::UNIX_EPOCH + Duration::from_secs(read.load(Ordering::SeqCst));
    let pass = |more| seconds.fetch_add(more, Ordering::SeqCst);
    let server =
        MockGenAuth::builder().clock(now.clone()).token_margin(Duration::from_secs(400)).start().await.unwrap();
    let tokens = TokenCache::new(server.client_builder().clock(now).build().unwrap());
    let app_secret = server.wechat_app_secret().into();
    let tokens = tokens.app(&GetWechatAccessTokenDto { app_id: server.wechat_app_id().to_owned(), app_secret });
    let first = tokens.get().await.unwrap();
    tokens.get().await.unwrap();
    pass(7200 - 170);
    server.answer_next(MockAnswer::http(503, "text/html", "busy"));
    tokens.get().await.unwrap();
    while tokens.stats().refreshing {
        tokio::task::yield_now().await;
    }
    pass(150);
    let second = tokens.get().await.unwrap();
    tokens.invalidate(&second);
    pass(10_000);
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 602, "message": "no" })));
    tokens.get().await.unwrap_err();

    let stats = tokens.stats();
    assert_eq!((stats.hits, stats.stale, stats.waits, stats.errors), (1, 1, 3, 1), "{stats:?}");
    assert_eq!((stats.refreshes, stats.failures, stats.invalidations), (2, 2, 1), "{stats:?}");
    assert_eq!((stats.age, stats.remaining), (None, None));
    let lines = log.lines().join("\n");
    for event in [
        "DEBUG",
        "a new token is held",
        "a token is handed out while its refresh is not done yet",
        "WARN",
        "a refresh failed; the token is still good",
        "left_seconds=170",
        "a rejected token is forgotten",
        "there is no token, and the server sends none",
    ] {
        assert!(lines.contains(event), "{event}: {lines}");
    }
    let shown = format!("{lines} {first:?} {second:?} {tokens:?} {:?}", tokens.get().await);
    for secret in [first.expose_secret(), second.expose_secret(), server.wechat_app_secret()] {
        assert!(!shown.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_store_that_fails_is_told_of_once() {
    let (log, _guard) = Log::start(tracing::Level::WARN);
    let server = MockGenAuth::start().await.unwrap();
    // The port was free for UDP a moment ago; most likely nothing listens on it for TCP.
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let store = RedisStore::open(&format!("redis://:hidden@127.0.0.1:{nobody}/")).unwrap();
    let store = store.timeout(Duration::from_millis(50));
    for _ in 0..3 {
        let client = server.client_builder().build().unwrap();
        let tokens = TokenCache::builder(client).redis(store.clone()).build().unwrap();
        let app_secret = server.wechat_app_secret().into();
        let app = GetWechatAccessTokenDto { app_id: server.wechat_app_id().to_owned(), app_secret };
        tokens.get(&app).await.unwrap();
    }
    assert_eq!(server.requests().len(), 3);
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let expected =
        "WARN genauth::keeper::redis: Redis fails; tokens come from the server until it answers again error=";
    assert!(lines[0].contains(expected) && !lines[0].contains("hidden"), "{lines:#?}");
}
