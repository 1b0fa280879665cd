//! The mock as other clients see it, byte by byte.

mod common;

use common::raw;
use genauth::mock::{MockAnswer, MockGenAuth, MockGenAuthBuilder};
use serde_json::{Value, json};
use std::time::{Duration, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn connect(server: &MockGenAuth) -> TcpStream {
    TcpStream::connect(server.url().strip_prefix("http://").unwrap()).await.unwrap()
}

/// A POST of an application with these headers, such as for a WeChat token or to sign in.
fn post(path: &str, headers: &str, body: &Value) -> String {
    let body = body.to_string();
    let head = format!("POST {path} HTTP/1.1\r\nhost: mock\r\nx-genauth-app-id: {}\r\n{headers}", MockGenAuth::APP_ID);
    format!("{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Head and body of the answer.
async fn exchange(server: &MockGenAuth, request: &str) -> (String, Value) {
    let mut stream = connect(server).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    // An answer ends in the same way as a request.
    let answer = raw::request(&mut stream).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap())
}

fn wechat(server: &MockGenAuth, headers: &str) -> String {
    let app = json!({ "appId": server.wechat_app_id(), "appSecret": server.wechat_app_secret() });
    post("/api/v3/get-wechat-access-token", headers, &app)
}

/// The published sample: sign in, set the token, call. Returns the answers to the call; `authorization` says how the
/// token is sent.
async fn sample(server: MockGenAuthBuilder, authorization: impl Fn(&str) -> String) -> [Value; 2] {
    let server = server.start().await.unwrap();
    let password = json!({ "account": MockGenAuth::USER_ACCOUNT, "password": MockGenAuth::USER_PASSWORD });
    let user = json!({ "connection": "PASSWORD", "passwordPayload": password });
    let (_, signed_in) = exchange(&server, &post("/api/v3/signin", "", &user)).await;
    let header = format!("authorization: {}\r\n", authorization(signed_in["data"]["access_token"].as_str().unwrap()));
    let (_, answer) = exchange(&server, &wechat(&server, &header)).await;
    ["statusCode", "apiCode"].map(|code| answer[code].clone())
}

#[tokio::test]
async fn who_signed_in_calls_with_the_token_bare_or_behind_bearer_and_with_no_other() {
    let (bare, bearer) = (|token: &str| token.to_owned(), |token: &str| format!("Bearer {token}"));
    let lenient = MockGenAuth::builder;
    let strict = || MockGenAuth::builder().strict_authorization();
    assert_eq!(sample(lenient(), bare).await, [json!(200), Value::Null]);
    assert_eq!(sample(lenient(), bearer).await, [json!(200), Value::Null]);
    assert_eq!(sample(lenient(), |token| format!("{token}x")).await, [json!(401), json!(2020)]);
    assert_eq!(sample(lenient(), |token| format!("Bearer {token}x")).await, [json!(401), json!(2020)]);
    assert_eq!(sample(strict(), bare).await, [json!(400), Value::Null]);
    assert_eq!(sample(strict(), bearer).await, [json!(200), Value::Null]);
}

#[tokio::test]
async fn a_language_that_is_empty_is_none_and_one_that_is_unknown_is_refused() {
    let server = MockGenAuth::start().await.unwrap();
    for (language, code) in [("", 200), ("en-US", 200), ("tlh", 400)] {
        let (_, answer) = exchange(&server, &wechat(&server, &format!("x-genauth-lang: {language}\r\n"))).await;
        assert_eq!(answer["statusCode"], code, "{language}: {answer}");
    }
}

#[tokio::test]
async fn head_is_answered_as_get_is_without_the_body() {
    let page = MockAnswer::http(200, "text/html", "<h1>here</h1>");
    let server = MockGenAuth::builder().page("/", page).clock(|| UNIX_EPOCH).start().await.unwrap();
    let profile = format!("/api/v3/get-profile HTTP/1.1\r\nauthorization: {}", MockGenAuth::USER_ACCESS_TOKEN);
    for target in ["/ HTTP/1.1", &profile, "/api/v3/nothing HTTP/1.1"] {
        let mut answers =
            ["GET", "HEAD"].map(|method| format!("{method} {target}\r\nhost: mock\r\nconnection: close\r\n\r\n"));
        for text in &mut answers {
            let mut stream = connect(&server).await;
            stream.write_all(text.as_bytes()).await.unwrap();
            text.clear();
            stream.read_to_string(text).await.unwrap();
        }
        let [(get, body), (head, nothing)] = answers.each_ref().map(|answer| answer.split_once("\r\n\r\n").unwrap());
        // The answer to an unknown path repeats the method, and HEAD is a letter longer than GET.
        assert_eq!(get.replace("length: 57", "length: 58"), head, "{target}");
        assert!(!body.is_empty() && nothing.is_empty(), "{target}: {nothing}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_said_all_it_has_to_say_gets_its_answer_however_late() {
    let server = MockGenAuth::start().await.unwrap();
    server.answer_next(MockAnswer::proceed().delay(Duration::from_secs(5)));
    let mut stream = connect(&server).await;
    stream.write_all(wechat(&server, "").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("accessToken"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn headers_that_do_not_end_are_not_waited_for() {
    let server = MockGenAuth::start().await.unwrap();
    let mut stream = connect(&server).await;
    let start = tokio::time::Instant::now();
    let mut answer = String::new();
    let dribble = async {
        loop {
            stream.write_all(b"POST / HTTP/1.1\r\nx-slow: ").await?;
            let read = tokio::time::timeout(Duration::from_secs(7), stream.read_to_string(&mut answer)).await;
            if let Ok(read) = read {
                return read;
            }
        }
    };
    let closed = tokio::time::timeout(Duration::from_secs(600), dribble).await;
    assert!(closed.is_ok(), "still open after ten minutes");
    assert_eq!((answer.as_str(), start.elapsed().as_secs()), ("", 30));
}

#[tokio::test]
async fn what_is_recorded_is_bounded_in_bytes_and_can_be_nothing() {
    const MIB: usize = 1 << 20;
    for (server, most) in [(MockGenAuth::builder(), 16 * MIB), (MockGenAuth::builder().record_nothing(), 0)] {
        let server = server.start().await.unwrap();
        let mut stream = connect(&server).await;
        let request = post("/api/v3/signin", "", &json!("x".repeat(MIB - 2)));
        for _ in 0..20 {
            stream.write_all(request.as_bytes()).await.unwrap();
            assert!(!raw::request(&mut stream).await.is_empty());
        }
        let kept = server.requests();
        let bytes: usize = kept.iter().map(|request| request.body.len()).sum();
        assert!(bytes <= most && bytes + 2 * MIB > most, "{bytes} of {} requests", kept.len());
        assert!(kept.iter().all(|request| request.body.len() == MIB), "none is cut");
    }
}
