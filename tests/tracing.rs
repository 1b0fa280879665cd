//! Each call is one span with OpenTelemetry's HTTP names.

mod common;

use common::Log;
use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::types::GetWechatAccessTokenDto;
use serde_json::json;

async fn one_call(server: &MockGenAuth) -> String {
    let client = server.client_builder().build().unwrap();
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
