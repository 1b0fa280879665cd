//! What a test can dictate to the mock: answers by operation and by path, and routes.

use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::types::GetWechatAccessTokenDto;
use genauth::{Client, ErrorKind};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// A client with a user's token, which does not retry.
fn client(server: &MockGenAuth) -> Client {
    server.client_builder().retries(0).user_access_token(MockGenAuth::USER_ACCESS_TOKEN).build().unwrap()
}

/// The result of asking for the user, and below for a WeChat token: 200, or the kind of the error and its codes.
async fn profile(client: &Client) -> String {
    client.get_profile().send().await.map_or_else(|error| shown(&error), |_| "200".to_owned())
}

async fn token(server: &MockGenAuth, client: &Client) -> String {
    let app = GetWechatAccessTokenDto::builder().app_id(server.wechat_app_id()).app_secret(server.wechat_app_secret());
    let sent = client.get_wechat_mp_access_token_info().body(app).send().await;
    sent.map_or_else(|error| shown(&error), |_| "200".to_owned())
}

fn shown(error: &genauth::Error) -> String {
    match error.kind() {
        ErrorKind::Api => format!("{:?} {:?}", error.status_code().unwrap(), error.api_code()),
        kind => format!("{kind:?}"),
    }
}

#[tokio::test]
async fn an_answer_for_an_operation_is_taken_by_no_other_however_many_ask_at_once() {
    let server = MockGenAuth::start().await.unwrap();
    let client = client(&server);
    server.on("getProfile").unwrap().answer_next(MockAnswer::error(499, 2011, "no").times(8));
    let asked = futures_util::future::join_all(
        (0..8).map(|_| async { tokio::join!(token(&server, &client), profile(&client), token(&server, &client)) }),
    );
    for (first, profile, second) in asked.await {
        assert_eq!((first.as_str(), profile.as_str(), second.as_str()), ("200", "499 Some(2011)", "200"));
    }
    assert_eq!(profile(&client).await, "200");
}

#[tokio::test]
async fn an_answer_holds_once_or_always_and_can_be_taken_back() {
    let server = MockGenAuth::start().await.unwrap();
    let client = client(&server);
    let target = server.on("getProfile").unwrap();
    target.answer_always(MockAnswer::error(500, None, "no"));
    target.answer_next(MockAnswer::hang_up());
    target.answer_next(MockAnswer::http(503, "text/html", "busy"));
    server.answer_next(MockAnswer::error(402, 4021, "whatever is next"));
    for told in ["402 Some(4021)", "Transport", "Http", "500 None", "500 None"] {
        assert_eq!(profile(&client).await, told);
    }
    target.answer_always(MockAnswer::proceed());
    assert_eq!(profile(&client).await, "200");
    target.answer_next(MockAnswer::hang_up());
    target.answer_as_usual();
    assert_eq!(profile(&client).await, "200");
}

#[tokio::test(start_paused = true)]
async fn a_delay_for_a_path_delays_nothing_else() {
    let server = MockGenAuth::builder().path_prefix("/base").start().await.unwrap();
    let builder = Client::builder(format!("{}/base", server.url())).app_id(MockGenAuth::APP_ID);
    let client = builder.user_access_token(MockGenAuth::USER_ACCESS_TOKEN).build().unwrap();
    server.on_path("/api/v3/get-profile").answer_always(MockAnswer::proceed().delay(Duration::from_secs(3)));
    let start = Instant::now();
    assert_eq!(token(&server, &client).await, "200");
    assert_eq!(start.elapsed().as_secs(), 0);
    assert_eq!(profile(&client).await, "200");
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test]
async fn a_route_serves_what_the_document_lacks_and_stands_in_for_what_it_has() {
    let server = MockGenAuth::start().await.unwrap();
    let client = client(&server);
    let user = |name: &str| MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": { "name": name } }));
    server.route(Method::GET, "/api/v3/users/{id}", move |request| {
        user(request.path.split(['/', '?']).nth(4).unwrap()).header("x-route", "yes")
    });
    server.route(Method::POST, "/api/v3/users/{id}", move |request| {
        user(request.json().unwrap()["name"].as_str().unwrap())
    });
    let got = client.call::<_, Value>(Method::GET, "/api/v3/users/zhang", &[("page", 1)]).await.unwrap();
    assert_eq!((&got["name"], got.headers()["x-route"].as_bytes()), (&json!("zhang"), &b"yes"[..]));
    let posted = client.call::<_, Value>(Method::POST, "/api/v3/users/1", &json!({ "name": "li" })).await.unwrap();
    assert_eq!(posted["name"], "li");
    let unknown = client.call::<_, Value>(Method::GET, "/api/v3/users/a/b", &()).await.unwrap_err();
    assert_eq!(unknown.http_status().unwrap(), 404);
    assert_eq!(server.take_requests().len(), 3, "what a route answers is recorded like the rest");

    // A fault takes precedence over the route; a delay or a header is added to its answer.
    let target = server.on_path("/api/v3/users/zhang");
    target.answer_next(MockAnswer::error(429, None, "slowly"));
    target.answer_next(MockAnswer::proceed().header("x-dictated", "yes"));
    let get = || client.call::<_, Value>(Method::GET, "/api/v3/users/zhang", &());
    assert_eq!(get().await.unwrap_err().status_code(), Some(429));
    let got = get().await.unwrap();
    assert!(got.headers().contains_key("x-route") && got.headers().contains_key("x-dictated"));

    server.route(Method::GET, "/api/v3/get-profile", |_| MockAnswer::error(404, 2004, "no such user"));
    assert_eq!(profile(&client).await, "404 Some(2004)");
    server.route(Method::GET, "/api/v3/get-profile", |request| match request.header("authorization") {
        Some(_) => MockAnswer::proceed(),
        None => MockAnswer::hang_up(),
    });
    assert_eq!(profile(&client).await, "200");
}

#[tokio::test]
async fn an_error_needs_no_json_and_has_a_request_id() {
    let server = MockGenAuth::start().await.unwrap();
    let client = client(&server);
    server.answer_next(MockAnswer::error(499, 2_120_008, "the user is suspended"));
    let error = client.get_profile().send().await.unwrap_err();
    assert_eq!((error.status_code(), error.api_code()), (Some(499), Some(2_120_008)));
    assert!(error.request_id().is_some() && error.to_string().contains("the user is suspended"), "{error}");
    let shown = format!("{:?}", MockAnswer::error(499, 1, "canary"));
    assert!(shown.contains("499") && !shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn an_operation_that_there_is_not_is_an_error_that_names_it() {
    let server = MockGenAuth::start().await.unwrap();
    let error = server.on("getProfil").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert_eq!(error.to_string(), "there is no operation `getProfil`; `genauth::operations()` lists them");
}
