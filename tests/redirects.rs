//! No secret follows a redirect: not with the client's own HTTP client, and no body with the caller's.

mod common;

use common::reqwest_client_builder;
use genauth::mock::{MockAnswer, MockGenAuth, RecordedRequest};
use genauth::types::{GetWechatAccessTokenDataDto, GetWechatAccessTokenDto};
use genauth::{Client, ClientBuilder, Error, ErrorKind, Response};
use http::StatusCode;

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

/// A WeChat AppSecret, and what a `Location` holds beside its origin: neither may turn up anywhere.
const SECRET: &str = "wechat-app-secret-5b1c";
const CANARY: &str = "location-canary-9e4d";

type Answer = Result<Response<GetWechatAccessTokenDataDto>, Error>;

async fn token(builder: ClientBuilder) -> Answer {
    let client = builder.build().unwrap();
    let app = GetWechatAccessTokenDto::builder().app_id("wx").app_secret(SECRET);
    client.get_wechat_mp_access_token_info().body(app).send().await
}

fn redirect(status: u16, location: Option<&str>) -> MockAnswer {
    let answer = MockAnswer::http(status, "text/html", "<h1>moved</h1>");
    match location {
        Some(location) => answer.header("location", location),
        None => answer,
    }
}

fn refusal(status: u16, target: &str) -> String {
    format!(
        "getWechatMpAccessTokenInfo: the server redirects (HTTP {status}) to {target}, and requests do not follow; if \
         that host is right, build the client for it"
    )
}

#[track_caller]
fn assert_redirect(answer: Answer, status: u16, target: &str) {
    let error = answer.map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Redirect, refusal(status, target)));
    assert_eq!(error.http_status(), StatusCode::from_u16(status).ok());
    assert!(!error.is_retryable());
    let shown = format!("{error:?}");
    assert!(!shown.contains(CANARY) && !shown.contains(SECRET), "{shown}");
}

/// Whether a request holds part of the first request's body.
fn carries_a_body(request: &RecordedRequest) -> bool {
    !request.body.is_empty() || request.path.contains(SECRET) || request.headers.iter().any(|(_, v)| v.contains(SECRET))
}

/// Locations, each with the origin that an error may name.
fn locations(server: &MockGenAuth, other: &MockGenAuth) -> Vec<(Option<String>, String)> {
    let (here, there) = (server.url().to_owned(), other.url().to_owned());
    let localhost = there.replace("127.0.0.1", "localhost");
    vec![
        // The first is the same host with another port, the second another host.
        (Some(format!("{there}/{CANARY}?token={CANARY}#{CANARY}")), there.clone()),
        (Some(format!("{localhost}/?{CANARY}")), localhost),
        (Some(there.replace("http://", "http://user:location-canary-9e4d@")), there.clone()),
        (Some(there.replace("http:", "")), there),
        (Some(format!("{here}/api/v3/{CANARY}")), here.clone()),
        (Some(format!("/api/v3/get-weixin-access-token?{CANARY}")), here.clone()),
        (Some(CANARY.to_owned()), here.clone()),
        (Some(String::new()), here),
        (Some("https://genauth.example:8443/login".to_owned()), "https://genauth.example:8443".to_owned()),
        (Some(format!("http://[{CANARY}")), "nowhere".to_owned()),
        (Some(format!("http://location host/{CANARY}")), "nowhere".to_owned()),
        (Some(format!("data:text/plain,{CANARY}")), "null".to_owned()),
        (None, "nowhere".to_owned()),
    ]
}

#[tokio::test]
async fn a_redirect_is_an_error_that_names_the_origin_only_and_nothing_follows_it() {
    let (server, other) = (MockGenAuth::start().await.unwrap(), MockGenAuth::start().await.unwrap());
    for status in STATUSES {
        for (location, target) in locations(&server, &other) {
            server.answer_next(redirect(status, location.as_deref()));
            assert_redirect(token(server.client_builder()).await, status, &target);
            assert_eq!(server.take_requests().len(), 1, "{location:?}");
            assert!(other.requests().is_empty(), "{location:?}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_an_error_by_each_way_to_call() {
    let (server, other) = (MockGenAuth::start().await.unwrap(), MockGenAuth::start().await.unwrap());
    let client = server.client_builder().build().unwrap();
    server.answer_next(redirect(307, Some(other.url())).times(3));
    let app = GetWechatAccessTokenDto::builder().app_id("wx").app_secret(SECRET);
    let call = client.call::<_, serde_json::Value>(http::Method::POST, "/api/v3/x", &[SECRET]).await.map(|_| ());
    let get = client.call::<_, serde_json::Value>(http::Method::GET, "/api/v3/x", &[("a", SECRET)]).await.map(|_| ());
    let send = client.get_wechat_mp_access_token_info().body(app).send().await.map(|_| ());
    for answer in [call, get, send] {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Redirect);
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_is_an_error_even_if_its_body_is_an_envelope_that_says_success() {
    let server = MockGenAuth::start().await.unwrap();
    let body = r#"{"statusCode":200,"message":"","data":{"accessToken":"61_t","expiresAt":1}}"#;
    for status in [300, 302, 307] {
        let answer = MockAnswer::http(status, "application/json", body).header("location", "/elsewhere");
        server.answer_next(answer);
        assert_redirect(token(server.client_builder()).await, status, server.url());
    }
}

#[tokio::test]
async fn with_an_http_client_that_follows_redirects_no_other_server_receives_a_body() {
    let (server, other) = (MockGenAuth::start().await.unwrap(), MockGenAuth::start().await.unwrap());
    let http_client = reqwest_client_builder().build().unwrap();
    for status in STATUSES {
        for (location, _) in locations(&server, &other) {
            // A redirect within the server may be followed, and then the server answers with an error of its own.
            server.answer_next(redirect(status, location.as_deref()));
            let answer = token(server.client_builder().http_client(http_client.clone())).await;
            assert!(answer.is_err(), "{status} {location:?}");
            for request in other.take_requests() {
                assert!(!matches!(status, 307 | 308), "{status} {location:?}: {request:?}");
                assert!(!carries_a_body(&request), "{status} {location:?}: {request:?}");
                assert_eq!(request.header("authorization"), None);
            }
            let first = server.take_requests().remove(0);
            assert!(carries_a_body(&first));
        }
    }
}

#[tokio::test]
async fn with_an_http_client_that_follows_redirects_a_307_or_308_is_the_same_error_as_without() {
    let (server, other) = (MockGenAuth::start().await.unwrap(), MockGenAuth::start().await.unwrap());
    let http_client = reqwest_client_builder().build().unwrap();
    for status in [307, 308] {
        for (location, target) in locations(&server, &other) {
            server.answer_next(redirect(status, location.as_deref()));
            let answer = token(server.client_builder().http_client(http_client.clone())).await;
            assert_redirect(answer, status, &target);
            assert_eq!(server.take_requests().len(), 1);
        }
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn an_answer_from_another_origin_is_an_error_even_if_it_says_success() {
    let (server, other) = (MockGenAuth::start().await.unwrap(), MockGenAuth::start().await.unwrap());
    let http_client = reqwest_client_builder().build().unwrap();
    let success = r#"{"statusCode":200,"message":"","data":{"accessToken":"61_t","expiresAt":1}}"#;
    for status in [301, 302, 303] {
        let location = format!("{}/{CANARY}?{CANARY}", other.url());
        // The redirect comes at once, or after a step on the same server.
        for steps in [1, 2] {
            if steps == 2 {
                server.answer_next(redirect(status, Some("/step")));
            }
            server.answer_next(redirect(status, Some(&location)));
            other.answer_next(MockAnswer::http(200, "application/json", success));
            let answer = token(server.client_builder().http_client(http_client.clone())).await;
            assert_redirect(answer, 200, other.url());
            let requests = other.take_requests();
            assert_eq!((requests.len(), requests[0].method.as_str()), (1, "GET"));
            assert!(!carries_a_body(&requests[0]));
        }
    }
}

#[tokio::test]
async fn with_an_http_client_that_follows_no_redirects_the_error_is_the_same_as_without() {
    let (server, other) = (MockGenAuth::start().await.unwrap(), MockGenAuth::start().await.unwrap());
    let http_client = reqwest_client_builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for status in STATUSES {
        server.answer_next(redirect(status, Some(other.url())));
        let answer = token(server.client_builder().http_client(http_client.clone())).await;
        assert_redirect(answer, status, other.url());
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn an_http_client_that_gives_up_on_redirects_is_a_redirect_error_and_not_a_broken_connection() {
    let server = MockGenAuth::start().await.unwrap();
    let http_client = reqwest_client_builder().redirect(reqwest::redirect::Policy::limited(2)).build().unwrap();
    server.answer_next(redirect(302, Some("/again")).times(10));
    let error = token(server.client_builder().http_client(http_client)).await.map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect, "{error}");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn an_http_client_of_the_callers_own_sends_what_the_clients_own_sends() {
    let server = MockGenAuth::start().await.unwrap();
    let call = async |builder: ClientBuilder| {
        let client: Client = builder.build().unwrap();
        let app = GetWechatAccessTokenDto::builder();
        let app = app.app_id(server.wechat_app_id()).app_secret(server.wechat_app_secret());
        client.get_wechat_mp_access_token_info().body(app).send().await.unwrap();
        server.take_requests().remove(0)
    };
    let app = || Client::builder(server.url()).app(MockGenAuth::APP_ID, MockGenAuth::APP_SECRET);
    let own = call(app()).await;
    let foreign = call(app().http_client(reqwest_client_builder().build().unwrap())).await;
    let sorted = |mut headers: Vec<(String, String)>| {
        headers.sort();
        headers
    };
    assert_eq!((&foreign.method, &foreign.path, &foreign.body), (&own.method, &own.path, &own.body));
    assert_eq!(sorted(foreign.headers), sorted(own.headers));
    // The signature covers the body, which must still be there to sign.
    call(server.client_builder().http_client(reqwest_client_builder().build().unwrap())).await;
}
