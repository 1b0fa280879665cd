//! Requests carry exactly the headers that the contract names, in either dialect.

use genauth::mock::{MockGenAuth, RecordedRequest};
use genauth::types::{GetWechatAccessTokenDto, SignInByPasswordPayloadDto, SigninByCredentialsDto};
use genauth::{Client, ClientBuilder, Dialect, ErrorKind, Method};

const SDK_VERSION: &str = concat!("genauth-rust:", env!("CARGO_PKG_VERSION"));

fn app(server: &MockGenAuth) -> genauth::types::builder::GetWechatAccessTokenDto {
    GetWechatAccessTokenDto::builder().app_id(server.wechat_app_id()).app_secret(server.wechat_app_secret())
}

/// The one request that a call of the current operation sends.
async fn request_of(server: &MockGenAuth, builder: ClientBuilder) -> RecordedRequest {
    let client = builder.build().unwrap();
    client.get_wechat_mp_access_token_info().body(app(server)).send().await.unwrap();
    let mut requests = server.take_requests();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

/// Name and value of each header, sorted; what changes from call to call is replaced by a placeholder.
fn headers(request: &RecordedRequest) -> Vec<(String, String)> {
    let mut headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| {
            let varies = name == "host" || name == "date" || name.ends_with("-nonce") || name == "content-length";
            let signature = name == "authorization" && !value.starts_with("Bearer");
            let value = match value.split_once(':') {
                Some((key, _)) if signature => format!("{key}:*"),
                _ if varies => "*".to_owned(),
                _ => value.clone(),
            };
            (name.clone(), value)
        })
        .collect();
    headers.sort();
    headers
}

fn expected(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    let http =
        [("accept", "application/json"), ("content-length", "*"), ("content-type", "application/json"), ("host", "*")];
    let mut rows: Vec<_> =
        rows.iter().chain(&http).map(|(name, value)| (name.to_string(), value.to_string())).collect();
    rows.sort();
    rows
}

#[tokio::test]
async fn app_credentials_in_each_dialect_send_these_headers_and_no_others() {
    let server = MockGenAuth::start().await.unwrap();
    for (dialect, prefix) in [(Dialect::GenAuth, "x-genauth-"), (Dialect::Authing, "x-authing-")] {
        let builder = Client::builder(server.url()).app(MockGenAuth::APP_ID, MockGenAuth::APP_SECRET).dialect(dialect);
        let request = request_of(&server, builder).await;
        let name = |suffix: &str| format!("{prefix}{suffix}");
        assert_eq!(
            headers(&request),
            expected(&[
                (&name("app-id"), MockGenAuth::APP_ID),
                (&name("sdk-version"), SDK_VERSION),
                (&name("request-from"), "sdk"),
                (&name("lang"), "zh-CN"),
            ])
        );
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/api/v3/get-wechat-access-token-info"));
        let body = format!(r#"{{"appId":"{}","appSecret":"{}"}}"#, server.wechat_app_id(), server.wechat_app_secret());
        assert_eq!(request.body, body);
    }
}

#[tokio::test]
async fn a_path_of_the_host_is_a_prefix_that_no_signature_covers() {
    let server = MockGenAuth::builder().path_prefix("/base").start().await.unwrap();
    for host in [format!("{}/base", server.url()), format!("{}/base/", server.url())] {
        let builder = Client::builder(host).access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
        assert_eq!(request_of(&server, builder).await.path, "/base/api/v3/get-wechat-access-token-info");
    }
}

#[tokio::test]
async fn call_sends_what_a_described_operation_sends_and_a_get_has_a_query_and_no_body() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    let fields = serde_json::json!({ "appId": server.wechat_app_id(), "appSecret": server.wechat_app_secret() });
    let path = "/api/v3/get-wechat-access-token-info";
    client.call::<_, serde_json::Value>(http::Method::POST, path, &fields).await.unwrap();
    client.get_wechat_mp_access_token_info().body(app(&server)).send().await.unwrap();
    let requests = server.take_requests();
    assert_eq!(headers(&requests[0]), headers(&requests[1]));
    assert_eq!(requests[0].body, requests[1].body);

    let error = client
        .call::<_, serde_json::Value>(http::Method::GET, "/api/v3/list-things", &[("withCustomData", true)])
        .await
        .unwrap_err();
    assert_eq!(error.http_status(), Some(http::StatusCode::NOT_FOUND));
    let error = client.call::<_, ()>(http::Method::POST, "/api/v3/nothing", &()).await.unwrap_err();
    assert_eq!(error.http_status(), Some(http::StatusCode::NOT_FOUND));
    let requests = server.take_requests();
    assert_eq!(requests[0].path, "/api/v3/list-things?withCustomData=true");
    for request in requests {
        assert!(request.body.is_empty());
        assert_eq!(request.header("content-type"), None);
    }

    let error = client.call::<_, ()>(http::Method::POST, "https://elsewhere.example", &()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
}

#[tokio::test]
async fn a_call_writes_lists_and_nested_values_into_the_query_of_a_get_and_a_delete_and_into_the_body_of_others() {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Request {
        user_ids: [&'static str; 2],
        options: Options,
        absent: Option<u8>,
    }
    #[derive(serde::Serialize)]
    struct Options {
        a: f64,
        b: [Option<bool>; 2],
    }
    let request = Request { user_ids: ["u1", "u2"], options: Options { a: 1.0, b: [Some(true), None] }, absent: None };
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    // The official SDK for Node sent this query, behind the one that the path has already.
    let query = "userIds%5B%5D=u1&userIds%5B%5D=u2&options%5Ba%5D=1&options%5Bb%5D%5B0%5D=true";
    let body = r#"{"userIds":["u1","u2"],"options":{"a":1.0,"b":[true,null]},"absent":null}"#;
    for method in [Method::GET, Method::DELETE, Method::PUT, Method::POST, Method::PATCH] {
        let call = client.call::<_, serde_json::Value>(method.clone(), "/api/v3/x?page=1", &request);
        assert_eq!(call.await.unwrap_err().http_status(), Some(http::StatusCode::NOT_FOUND));
        let sent = server.take_requests().pop().unwrap();
        let in_query = matches!(method, Method::GET | Method::DELETE);
        let expected = if in_query { format!("/api/v3/x?page=1&{query}") } else { "/api/v3/x?page=1".to_owned() };
        assert_eq!((sent.method.as_str(), sent.path), (method.as_str(), expected));
        assert_eq!(sent.body, if in_query { "" } else { body });
        assert_eq!(sent.headers.iter().any(|(name, _)| name == "content-type"), !in_query);
    }
    let unnamed = client.call::<_, ()>(Method::GET, "/api/v3/x", &["u1"]).await.unwrap_err();
    assert_eq!(
        unnamed.to_string(),
        "an undescribed GET: the query needs a name for each value; give a struct, a map or a list of pairs"
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_ipv6_host_works() {
    let Ok(listener) = tokio::net::TcpListener::bind("[::1]:0").await else {
        eprintln!("skipped: this machine has no IPv6 loopback");
        return;
    };
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        let body = r#"{"statusCode":200,"message":"","data":{"accessToken":"t","expiresAt":1}}"#;
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let client = Client::builder(format!("http://{address}")).app_id("app").build().unwrap();
    let dto = GetWechatAccessTokenDto::builder().app_id("wx").app_secret("s");
    let token = client.get_wechat_mp_access_token_info().body(dto).send().await.unwrap();
    assert_eq!(token.expires_at.as_secs(), 1);
    assert!(server.await.unwrap().to_ascii_lowercase().contains(&format!("host: {address}")));
}

#[tokio::test]
async fn an_incomplete_request_says_what_is_missing_and_is_not_sent() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    let dto = GetWechatAccessTokenDto::builder().app_id("wx");
    let error = client.get_wechat_mp_access_token_info().body(dto).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    let text = error.to_string();
    assert_eq!(text, "getWechatMpAccessTokenInfo: the request is incomplete: `app_secret` is not set; set it");

    // A builder may be passed for an optional field of another builder.
    let password = SignInByPasswordPayloadDto::builder().account("ada");
    let dto = SigninByCredentialsDto::builder().connection("PASSWORD").password_payload(password);
    let error = client.sign_in_by_credentials().body(dto).send().await.unwrap_err();
    let text = error.to_string();
    assert!(text.ends_with("incomplete: `password_payload.password` is not set; set it"), "{text}");

    // The value that was given may be a secret, so no error repeats it.
    let dto = SigninByCredentialsDto::builder().connection("hunter2");
    let error = client.sign_in_by_credentials().body(dto).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    let text = error.to_string();
    assert!(text.contains("`connection` is not one of `PASSWORD`") && !text.contains("hunter2"), "{text}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn what_may_be_null_is_sent_as_null_or_as_a_value_or_not_at_all() {
    use genauth::setter::Null;
    use genauth::types::UpdateRoleDto;
    use serde_json::json;

    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
    let client = client.build().unwrap();
    let role = || UpdateRoleDto::builder().code("admin").new_code("admin").name("Admin");
    let bodies = [
        role().disable_time(Null),
        role().disable_time("1669881887852"),
        role().disable_time(Some("1")),
        role().disable_time(None::<String>),
        role(),
    ];
    for body in bodies {
        // It does not matter here whether the mock knows the role.
        let _ = client.update_role().body(body).send().await;
    }
    let fields = json!({ "code": "admin", "newCode": "admin", "name": "Admin", "disableTime": null });
    let _ = client.invoke("updateRole", fields.as_object().unwrap().clone()).await;
    let sent: Vec<_> =
        server.requests().iter().map(|request| request.json().unwrap().get("disableTime").cloned()).collect();
    let null = Some(json!(null));
    assert_eq!(sent, [null.clone(), Some(json!("1669881887852")), Some(json!("1")), None, None, null]);
}
