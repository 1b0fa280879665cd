//! Whatever the server answers becomes the payload or one error that says what happened, by each way to call.

use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::types::{GetWechatAccessTokenDataDto, GetWechatAccessTokenDto};
use genauth::{Client, Error, ErrorKind, Response};
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::pin::Pin;
use std::rc::Rc;

const PATH: &str = "/api/v3/get-wechat-access-token-info";
const NO_DATA: &str = "the server said success (statusCode 200) but sent no data; ask its operators";

type Payload = Result<Response<GetWechatAccessTokenDataDto>, Error>;

/// One answer, as each way to call sees it.
struct Seen {
    send: Payload,
    deprecated: Payload,
    call: Payload,
    /// What `call` returns for an endpoint that the document does not describe.
    undescribed: Payload,
}

fn app() -> genauth::types::builder::GetWechatAccessTokenDto {
    GetWechatAccessTokenDto::builder().app_id("wx").app_secret("the app's secret")
}

async fn mock() -> (MockGenAuth, Client) {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().retries(0).build().unwrap();
    (server, client)
}

async fn seen(answer: MockAnswer) -> Seen {
    let (server, client) = mock().await;
    server.answer_next(answer.times(4));
    let body = json!({ "appId": "wx", "appSecret": "the app's secret" });
    #[allow(deprecated, reason = "the deprecated operation reads answers in the same way")]
    let deprecated = client.get_wechat_mp_access_token().body(app()).send().await;
    Seen {
        send: client.get_wechat_mp_access_token_info().body(app()).send().await,
        deprecated,
        call: client.call(Method::POST, PATH, &body).await,
        undescribed: client.call(Method::POST, "/api/v3/undescribed", &body).await,
    }
}

impl Seen {
    /// The error of `send`, after checking that every other way to call returns the same one, each under its own name.
    fn error(self) -> Error {
        let error = self.send.map(|_| ()).unwrap_err();
        let detail = error.to_string();
        let detail = detail.strip_prefix("getWechatMpAccessTokenInfo: ").unwrap();
        let others = [
            ("getWechatMpAccessTokenInfo", self.call),
            ("getWechatMpAccessToken", self.deprecated),
            ("an undescribed POST", self.undescribed),
        ];
        for (subject, other) in others {
            let other = other.map(|_| ()).unwrap_err();
            // The advice on an unknown path names the others, and so differs.
            if error.http_status() != Some(StatusCode::NOT_FOUND) {
                let expected = match detail.strip_prefix("`data` has another shape than documented (") {
                    // The type that `call` reads is the caller's, so its error says so.
                    Some(_) if *subject != *"getWechatMpAccessToken" => {
                        assert!(
                            other
                                .to_string()
                                .starts_with(&format!("{subject}: `data` does not fit your type (at its "))
                        );
                        continue;
                    }
                    _ => format!("{subject}: {detail}"),
                };
                assert_eq!(other.to_string(), expected);
            }
            assert_eq!(facts(&other), facts(&error), "{subject}");
        }
        error
    }
}

/// What an error tells a program.
type Facts<'a> =
    (ErrorKind, Option<StatusCode>, Option<i64>, Option<i64>, Option<&'a str>, Option<&'a str>, Option<&'a [u8]>, bool);

fn facts(error: &Error) -> Facts<'_> {
    (
        error.kind(),
        error.http_status(),
        error.status_code(),
        error.api_code(),
        error.request_id(),
        error.server_message(),
        error.body().map(|body| &body[..]),
        error.is_retryable(),
    )
}

/// The text of `send`'s error without the operation in front.
fn detail(error: &Error) -> String {
    error.to_string().strip_prefix("getWechatMpAccessTokenInfo: ").unwrap().to_owned()
}

/// The same as [`detail`], with `*` for the place in the body.
fn placeless(error: &Error) -> String {
    let text = detail(error);
    let Some((before, rest)) = text.split_once("line ") else { return text };
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit() || " ,column".contains(c));
    format!("{before}*{after}")
}

fn success(data: &Value) -> Value {
    json!({ "statusCode": 200, "message": "ok", "requestId": "r-1", "data": data })
}

fn token(expires_at: &Value) -> Value {
    json!({ "accessToken": "61_t", "expiresAt": expires_at })
}

#[tokio::test]
async fn a_failing_status_code_is_the_api_error_whatever_data_holds() {
    let envelope = json!({ "statusCode": 401, "apiCode": 2020, "message": "not logged in", "requestId": "r-1" });
    let rows = [
        None,
        Some(Value::Null),
        Some(token(&json!(1))),
        Some(json!({})),
        Some(json!("61_t")),
        Some(json!(["61_t"])),
        Some(json!(1)),
        Some(json!({ "accessToken": 1 })),
    ];
    for data in rows {
        let mut body = envelope.clone();
        if let Some(data) = data {
            body["data"] = data;
        }
        let error = seen(MockAnswer::envelope(body.clone())).await.error();
        assert_eq!(
            detail(&error),
            "the server answered statusCode 401, apiCode 2020 (not logged in); sign the user in again and set the new \
             user access token [request id r-1]",
            "{body}"
        );
        let bytes = body.to_string().into_bytes();
        let expected = (
            ErrorKind::Api,
            Some(StatusCode::OK),
            Some(401),
            Some(2020),
            Some("r-1"),
            Some("not logged in"),
            Some(&bytes[..]),
            false,
        );
        assert_eq!(facts(&error), expected, "{body}");
    }
}

#[tokio::test]
async fn success_without_data_is_no_data_and_not_an_empty_token() {
    for data in [None, Some(Value::Null), Some(json!({}))] {
        let mut body = json!({ "statusCode": 200, "message": "Success", "requestId": "r-1" });
        if let Some(data) = data {
            body["data"] = data;
        }
        let error = seen(MockAnswer::envelope(body.clone())).await.error();
        assert_eq!(detail(&error), NO_DATA, "{body}");
        let bytes = body.to_string().into_bytes();
        let known =
            (ErrorKind::NoData, Some(StatusCode::OK), Some(200), None, Some("r-1"), None, Some(&bytes[..]), false);
        assert_eq!(facts(&error), known, "{body}");
    }
    let error = seen(MockAnswer::empty_data()).await.error();
    assert_eq!(error.kind(), ErrorKind::NoData);
}

#[tokio::test]
async fn success_with_data_of_another_shape_is_a_response_error_that_says_where() {
    let rows = [
        json!("61_t"),
        json!(["61_t"]),
        json!(["61_t", "later"]),
        json!(1),
        json!(true),
        json!({ "accessToken": "61_t" }),
        json!({ "expiresAt": 1 }),
        json!({ "accessToken": 1, "expiresAt": 1 }),
        json!({ "accessToken": null, "expiresAt": 1 }),
        json!({ "access_token": "61_t", "expires_at": 1 }),
    ];
    for data in rows {
        let body = success(&data);
        let error = seen(MockAnswer::envelope(body.clone())).await.error();
        assert_eq!(
            placeless(&error),
            "`data` has another shape than documented (at its *); this crate may be too old",
            "{body}"
        );
        let bytes = body.to_string().into_bytes();
        let known =
            (ErrorKind::Response, Some(StatusCode::OK), Some(200), None, Some("r-1"), None, Some(&bytes[..]), false);
        assert_eq!(facts(&error), known, "{body}");
    }
    let error = seen(MockAnswer::envelope(success(&json!({ "accessToken": "61_t" })))).await.error();
    let expected = "`data` has another shape than documented (at its line 1, column 22); this crate may be too old";
    assert_eq!(detail(&error), expected);
}

#[tokio::test]
async fn what_does_not_fit_the_callers_type_is_laid_to_the_type_and_not_to_the_crate() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[allow(dead_code, reason = "none is read")]
    struct User {
        user_id: String,
        #[serde(default)]
        roles: Vec<Role>,
    }
    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code, reason = "none is read")]
    struct Role {
        code: u8,
    }
    let missing = |field: &str, place: &str| {
        format!("(at its {place}): `{field}` is missing; correct its name, or make it optional")
    };
    let other = |place: &str| format!("(at its {place}); read it into a `serde_json::Value` to see what it is");
    let rows = [
        (json!({ "id": 1 }), other("line 1, column 5")),
        (json!({ "roles": [] }), missing("userId", "line 1, column 12")),
        (json!({ "roles": [{ "secret": 1 }], "userId": "" }), missing("code", "line 1, column 22")),
        (json!({ "roles": [{ "code": "a secret, expected" }] }), other("line 1, column 38")),
        (json!("a secret"), other("line 1, column 10")),
        (json!({ "missing field `secret`": 1 }), other("line 1, column 25")),
    ];
    let (server, client) = mock().await;
    for path in ["/api/v3/undescribed", PATH] {
        for (data, expected) in &rows {
            server.answer_next(MockAnswer::envelope(success(data)));
            let error = client.call::<_, User>(Method::POST, path, &json!({})).await.unwrap_err();
            let subject = if path == PATH { "getWechatMpAccessTokenInfo" } else { "an undescribed POST" };
            assert_eq!(error.to_string(), format!("{subject}: `data` does not fit your type {expected}"));
            assert_eq!((error.kind(), error.request_id()), (ErrorKind::Response, Some("r-1")));
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("secret") && error.body().is_some(), "{shown}");
        }
    }
}

#[tokio::test]
async fn an_error_about_data_keeps_the_answer_that_it_is_about() {
    let body = success(&json!("61_t"));
    let error = seen(MockAnswer::envelope(body.clone())).await.error();
    assert_eq!(error.body().map(|kept| &kept[..]), Some(body.to_string().as_bytes()));
    assert_eq!((error.status_code(), error.request_id()), (Some(200), Some("r-1")));
}

#[tokio::test]
async fn expires_at_is_read_from_a_number_a_decimal_string_and_a_zero_fraction() {
    let rows = [
        ("1772618400", 1_772_618_400),
        ("\"1772618400\"", 1_772_618_400),
        ("1772618400.0", 1_772_618_400),
        ("1.7726184e9", 1_772_618_400),
        ("0", 0),
        ("-1", -1),
    ];
    for (written, seconds) in rows {
        let body =
            format!(r#"{{"statusCode":200,"message":"","data":{{"accessToken":"61_t","expiresAt":{written}}}}}"#);
        let seen = seen(MockAnswer::http(200, "application/json", body)).await;
        for payload in [seen.send, seen.deprecated, seen.call, seen.undescribed] {
            let payload = payload.unwrap();
            assert_eq!(payload.expires_at.as_secs(), seconds, "{written}");
            assert_eq!(payload.access_token.expose_secret(), "61_t");
        }
    }
}

#[tokio::test]
async fn expires_at_in_a_form_that_tells_no_second_is_refused() {
    let rows = [
        "1.5",
        "1e300",
        "18446744073709551615",
        "true",
        "null",
        "{}",
        "[1772618400]",
        "\"\"",
        "\"soon\"",
        "\"1.0\"",
        "\"2026-03-04T10:00:00Z\"",
        "\" 1772618400\"",
        "\"9223372036854775808\"",
    ];
    for written in rows {
        let body =
            format!(r#"{{"statusCode":200,"message":"","data":{{"accessToken":"61_t","expiresAt":{written}}}}}"#);
        let error = seen(MockAnswer::http(200, "application/json", body)).await.error();
        assert_eq!(error.kind(), ErrorKind::Response, "{written}");
        assert!(!error.to_string().contains("61_t"), "{error}");
    }
}

/// What to do about a status, and whether to try again.
const ADVICE: [(u16, &str, bool); 10] = [
    (400, "; check the request's fields", false),
    (401, "; check the credentials", false),
    (403, "; these credentials may not do that; grant the permission in the console", false),
    (
        404,
        "; this host does not know the path; the same is answered by `get_wechat_access_token` \
         (/api/v3/get-wechat-access-token), `get_wechat_mp_access_token` (/api/v3/get-wechat-mp-access-token), \
         `get_weixin_access_token` (/api/v3/get-weixin-access-token)",
        false,
    ),
    (413, "; send less at once", false),
    (429, "; wait before the next request, and cache what this one answers", true),
    (500, "; try again later; if this persists, give the request id to the server's operators", true),
    (502, "; try again later; if this persists, give the request id to the server's operators", true),
    (503, "; try again later; if this persists, give the request id to the server's operators", true),
    (504, "", true),
];

#[tokio::test]
async fn an_http_error_with_an_envelope_is_an_api_error() {
    for (status, advice, retryable) in ADVICE {
        let body = json!({ "statusCode": status, "message": "no", "requestId": "r-1" }).to_string();
        let error = seen(MockAnswer::http(status, "application/json", body.clone())).await.error();
        let text = format!("the server answered statusCode {status}, HTTP {status} (no){advice} [request id r-1]");
        assert_eq!(detail(&error), text);
        let known = (
            ErrorKind::Api,
            StatusCode::from_u16(status).ok(),
            Some(i64::from(status)),
            None,
            Some("r-1"),
            Some("no"),
            Some(body.as_bytes()),
            retryable,
        );
        assert_eq!(facts(&error), known);
    }
}

#[tokio::test]
async fn an_http_error_without_an_envelope_is_an_http_error_that_shows_none_of_the_body() {
    let bodies = [
        ("application/json", r#"{"error":"shown nowhere"}"#, "other JSON"),
        ("application/json", r#"["shown nowhere"]"#, "other JSON"),
        ("application/json", r#"{"statusCode":"shown nowhere"}"#, "other JSON"),
        ("application/json", r#"{"statusCode":5"#, "broken JSON"),
        ("text/html", "\n <html>shown nowhere</html>", "an HTML page"),
        ("text/plain", "shown nowhere", "something else than JSON"),
        ("", "", "no body"),
        ("text/plain", " \n", "no body"),
    ];
    for (status, advice, retryable) in ADVICE {
        for (content_type, body, described) in bodies {
            let error = seen(MockAnswer::http(status, content_type, body)).await.error();
            let reason = StatusCode::from_u16(status).unwrap();
            assert_eq!(detail(&error), format!("the server answered HTTP {reason} with {described}{advice}"));
            let known = (ErrorKind::Http, Some(reason), None, None, None, None, Some(body.as_bytes()), retryable);
            assert_eq!(facts(&error), known);
        }
    }
}

#[tokio::test]
async fn an_unknown_path_names_the_operations_that_answer_the_same_and_a_path_without_any_the_host() {
    let (server, client) = mock().await;
    server.answer_next(MockAnswer::http(404, "text/html", "<h1>nginx</h1>"));
    #[allow(deprecated, reason = "the path that is most often unknown")]
    let error = client.get_wechat_mp_access_token().body(app()).send().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "getWechatMpAccessToken: the server answered HTTP 404 Not Found with an HTML page; this host does not know the \
         path; the same is answered by `get_wechat_access_token` (/api/v3/get-wechat-access-token), \
         `get_wechat_mp_access_token_info` (/api/v3/get-wechat-access-token-info), `get_weixin_access_token` \
         (/api/v3/get-weixin-access-token)"
    );
    let error = client.call::<_, Value>(Method::POST, "/api/v3/undescribed", &json!({})).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "an undescribed POST: the server answered statusCode 404, HTTP 404 (Cannot POST /api/v3/[REDACTED]); check the \
         host: it does not know this path"
    );
}

#[tokio::test]
async fn a_404_of_the_api_is_about_ids_and_not_about_the_path() {
    let error = seen(MockAnswer::envelope(json!({ "statusCode": 404, "message": "no such app" }))).await.error();
    assert_eq!(
        detail(&error),
        "the server answered statusCode 404 (no such app); check the ids in the request, and the host"
    );
}

#[tokio::test]
async fn a_message_that_is_no_text_is_shown_as_its_json() {
    let rows = [
        (
            json!(["appId should not be empty", "appSecret must be a string"]),
            r#" (["appId should not be empty","appSecret must be a string"])"#,
        ),
        (json!({ "zh": "no" }), r#" ({"zh":"no"})"#),
        (json!(7), " (7)"),
        (Value::Null, ""),
        (json!(""), ""),
    ];
    for (message, shown) in rows {
        let body = json!({ "statusCode": 400, "message": message, "error": "Bad Request" });
        let error = seen(MockAnswer::envelope(body)).await.error();
        assert_eq!(detail(&error), format!("the server answered statusCode 400{shown}; check the request's fields"));
    }
}

#[tokio::test]
async fn fields_that_the_document_does_not_know_are_ignored() {
    let mut data = token(&json!(1_772_618_400));
    data["refreshToken"] = json!({ "nested": [1, 2] });
    let mut body = success(&data);
    body["traceId"] = json!("t");
    body["dataCount"] = json!([]);
    let seen = seen(MockAnswer::envelope(body)).await;
    for payload in [seen.send, seen.deprecated, seen.call, seen.undescribed] {
        assert_eq!(payload.unwrap().access_token.expose_secret(), "61_t");
    }
}

#[tokio::test]
async fn unknown_status_and_api_codes_are_kept() {
    for (status_code, api_code) in [(1637, 1_000_001), (-1, -7), (0, 0), (201, 9999), (i64::MAX, i64::MIN)] {
        let body = json!({ "statusCode": status_code, "apiCode": api_code, "message": "?" });
        let error = seen(MockAnswer::envelope(body)).await.error();
        assert_eq!(
            (error.kind(), error.status_code(), error.api_code()),
            (ErrorKind::Api, Some(status_code), Some(api_code))
        );
        assert_eq!(detail(&error), format!("the server answered statusCode {status_code}, apiCode {api_code} (?)"));
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn success_by_http_that_is_no_envelope_is_a_response_error_that_says_what_came_instead() {
    let rows: [(&str, &[u8], &str); 17] = [
        ("text/html", b"<!doctype html><title>shown nowhere</title>", "an HTML page"),
        ("application/json", b"", "no body"),
        ("application/json", b" \r\n\t", "no body"),
        ("application/json", br#"{"statusCode":200,"message":"shown"#, "broken JSON"),
        ("application/json", br#"{"statusCode":200,"message":"a"} trailing"#, "broken JSON"),
        ("application/json", b"{}", "other JSON"),
        ("application/json", br#"{"message":"shown nowhere"}"#, "other JSON"),
        ("application/json", br#"{"statusCode":null}"#, "other JSON"),
        ("application/json", br#"{"statusCode":"two hundred"}"#, "other JSON"),
        ("application/json", br#"{"statusCode":200.5}"#, "other JSON"),
        ("application/json", br#"{"statusCode":200,"statusCode":400}"#, "other JSON"),
        ("application/json", b"[]", "other JSON"),
        ("application/json", br#"[{"statusCode":200}]"#, "other JSON"),
        ("application/json", br#""shown nowhere""#, "other JSON"),
        ("application/json", b"null", "other JSON"),
        ("application/json", b"{\"statusCode\":200,\"message\":\"\xff\xfe\"", "broken JSON"),
        ("application/octet-stream", b"\xff\xfe\x00", "something else than JSON"),
    ];
    for status in [200, 201] {
        for (content_type, body, described) in rows {
            let error = seen(MockAnswer::http(status, content_type, body)).await.error();
            let expected =
                format!("the server sent {described}, not the API's envelope (*); check that the host is right");
            assert_eq!(placeless(&error), expected, "{}", String::from_utf8_lossy(body));
            let http_status = StatusCode::from_u16(status).ok();
            assert_eq!(facts(&error), (ErrorKind::Response, http_status, None, None, None, None, Some(body), false));
        }
    }
    let error = seen(MockAnswer::http(200, "text/html", "<html>")).await.error();
    let expected =
        "the server sent an HTML page, not the API's envelope (line 1, column 1); check that the host is right";
    assert_eq!(detail(&error), expected);
}

#[tokio::test]
async fn a_json_list_is_no_envelope_even_if_its_items_would_fit() {
    for body in ["[200]", r#"[200,"ok",null,"r-1",{"accessToken":"61_t","expiresAt":1}]"#] {
        let error = seen(MockAnswer::http(200, "application/json", body)).await.error();
        assert_eq!(
            placeless(&error),
            "the server sent other JSON, not the API's envelope (*); check that the host is right"
        );
    }
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_a_response_error() {
    let body: &[u8] = b"{\"statusCode\":200,\"message\":\"\",\"data\":{\"accessToken\":\"\xff\",\"expiresAt\":1}}";
    let error = seen(MockAnswer::http(200, "application/json", body)).await.error();
    assert_eq!((error.kind(), error.body().map(|kept| &kept[..])), (ErrorKind::Response, Some(body)));
}

#[tokio::test]
async fn data_nested_without_end_is_an_error_and_no_crash() {
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = format!(r#"{{"statusCode":200,"message":"","data":{nested}}}"#);
    let (server, client) = mock().await;
    server.answer_next(MockAnswer::http(200, "application/json", body).times(2));
    let error = client.get_wechat_mp_access_token_info().body(app()).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Response);
    let error = client.call::<_, Value>(Method::POST, PATH, &json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Response);
}

#[tokio::test]
async fn http_201_with_an_envelope_is_success_and_http_204_has_nothing_to_read() {
    let body = success(&token(&json!(1))).to_string();
    let seen_201 = seen(MockAnswer::http(201, "application/json", body)).await;
    assert_eq!(seen_201.send.unwrap().http_status(), StatusCode::CREATED);

    let error = seen(MockAnswer::http(204, "", "")).await.error();
    assert_eq!(
        detail(&error),
        "the server sent no body, not the API's envelope (line 1, column 0); check that the host is right"
    );
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Response, Some(StatusCode::NO_CONTENT)));
}

#[tokio::test]
async fn a_status_code_and_an_api_code_may_be_a_decimal_string_or_have_a_zero_fraction() {
    for written in ["200", "\"200\"", "200.0", "2e2"] {
        let body = format!(r#"{{"statusCode":{written},"message":"","data":{{"accessToken":"61_t","expiresAt":1}}}}"#);
        let seen = seen(MockAnswer::http(200, "application/json", body)).await;
        for payload in [seen.send, seen.deprecated, seen.call, seen.undescribed] {
            assert_eq!(payload.unwrap().status_code(), 200, "{written}");
        }
    }
    for (status_code, api_code) in [("\"401\"", "\"2020\""), ("401.0", "2020.0")] {
        let body = format!(r#"{{"statusCode":{status_code},"apiCode":{api_code},"message":"no"}}"#);
        let error = seen(MockAnswer::http(200, "application/json", body)).await.error();
        assert_eq!((error.kind(), error.status_code(), error.api_code()), (ErrorKind::Api, Some(401), Some(2020)));
    }
}

#[tokio::test]
async fn an_http_error_whose_envelope_says_success_is_an_http_error() {
    let body = success(&token(&json!(1)));
    for (status, retryable) in [(400, false), (503, true), (504, true)] {
        let error = seen(MockAnswer::http(status, "application/json", body.to_string())).await.error();
        assert_eq!(detail(&error), format!("the server answered statusCode 200, HTTP {status} (ok) [request id r-1]"));
        assert_eq!((error.kind(), error.status_code()), (ErrorKind::Http, Some(200)));
        assert_eq!(error.http_status().map(|status| status.as_u16()), Some(status));
        assert_eq!(error.is_retryable(), retryable, "HTTP {status}");
    }
}

#[tokio::test]
async fn only_what_may_pass_by_itself_is_retryable() {
    let envelopes = [
        (json!({ "statusCode": 408 }), true),
        (json!({ "statusCode": 429 }), true),
        (json!({ "statusCode": 500 }), true),
        (json!({ "statusCode": 502 }), true),
        (json!({ "statusCode": 503 }), true),
        (json!({ "statusCode": 504 }), true),
        (json!({ "statusCode": 401, "apiCode": 1306 }), true),
        (json!({ "statusCode": 401, "apiCode": 1305 }), false),
        (json!({ "statusCode": 400 }), false),
        (json!({ "statusCode": 402 }), false),
        (json!({ "statusCode": 409 }), false),
        (json!({ "statusCode": 422 }), false),
        (json!({ "statusCode": 499 }), false),
        (json!({ "statusCode": 501 }), false),
        (json!({ "statusCode": 601 }), false),
        (json!({ "statusCode": 602 }), false),
        (json!({ "statusCode": 603 }), false),
        (json!({ "statusCode": 200 }), false),
        (json!({ "statusCode": 200, "data": 1 }), false),
    ];
    for (body, retryable) in envelopes {
        let error = seen(MockAnswer::envelope(body.clone())).await.error();
        assert_eq!((error.is_retryable(), error.is_timeout()), (retryable, false), "{body}");
    }
    let error = seen(MockAnswer::http(307, "", "")).await.error();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Redirect, false));
    let error = seen(MockAnswer::hang_up()).await.error();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Transport, true));
    let (server, client) = mock().await;
    let error = client.get_wechat_mp_access_token_info().send().await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Request, false));
    let stranger = Client::builder(server.url()).build().unwrap();
    let error = stranger.get_weixin_access_token().body(app()).send().await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Credentials, false));
    let refusing = server.client_builder().on_deprecation(|_| genauth::OnDeprecation::Refuse).build().unwrap();
    #[allow(deprecated, reason = "it is refused for that")]
    let error = refusing.get_wechat_mp_access_token().body(app()).send().await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Deprecated, false));
}

#[tokio::test]
async fn each_code_of_the_error_page_comes_with_what_to_do() {
    let rows = [
        (401, Some(1300), "check the access key's secret"),
        (401, Some(1301), "the server expects another signature method than this crate's; please report it"),
        (401, Some(1302), "the server expects another signature method than this crate's; please report it"),
        (401, Some(1303), "the server wants dates in milliseconds: `.signature_date(SignatureDate::UnixMilliseconds)`"),
        (401, Some(1304), "the header `date` was lost on the way; have proxies let it through"),
        (401, Some(1305), "set this machine's clock (NTP): the server refuses requests with another date"),
        (401, Some(1306), "the signature's nonce was used before; send the request again"),
        (404, Some(2004), "there is no such user; check the account"),
        (403, Some(2005), "the user is locked; unlock it in the console"),
        (403, Some(2006), "check the account and the password"),
        (404, Some(2011), "check the app id, and that the host is this application's own"),
        (401, Some(2020), "sign the user in again and set the new user access token"),
        (404, Some(2224), "check the user pool id and the host"),
        (403, Some(2333), "check the account and the password"),
        (402, Some(4021), "the plan does not include this; see the billing page of the console"),
        (402, None, "the plan does not include this; see the billing page of the console"),
        (501, None, "this server does not offer the operation"),
        (601, None, "the third party (such as WeChat) refused or failed: check its app id, secret and IP allow-list"),
        (602, None, "the third party (such as WeChat) refused or failed: check its app id, secret and IP allow-list"),
        (603, None, "look into the custom code (pipeline) of the application in the console"),
        // Where one code is unknown, the other gives the advice.
        (401, Some(7), "check the credentials"),
    ];
    for (status_code, api_code, advice) in rows {
        let mut body = json!({ "statusCode": status_code, "message": "no" });
        let mut codes = format!("statusCode {status_code}");
        if let Some(api_code) = api_code {
            body["apiCode"] = json!(api_code);
            codes.push_str(&format!(", apiCode {api_code}"));
        }
        let error = seen(MockAnswer::envelope(body)).await.error();
        assert_eq!(detail(&error), format!("the server answered {codes} (no); {advice}"));
    }
}

#[tokio::test]
async fn every_code_of_the_vendors_table_comes_with_what_to_do() {
    let table: Vec<Value> = serde_json::from_str(include_str!("vectors/api_codes.json")).unwrap();
    assert_eq!(table.len(), 43);
    for row in table {
        // This statusCode has no advice of its own.
        let body = json!({ "statusCode": 409, "message": "no", "apiCode": row["apiCode"] });
        let error = seen(MockAnswer::envelope(body)).await.error();
        let told = detail(&error);
        let advice =
            told.strip_prefix(&format!("the server answered statusCode 409, apiCode {} (no); ", row["apiCode"]));
        assert!(advice.is_some_and(|advice| advice.contains(row["says"].as_str().unwrap())), "{row}: {told}");
        let step = error.next_step().map(|step| format!("{:?}", step.kind()));
        assert_eq!(step.as_deref(), row["step"].as_str(), "{row}");
    }
}

#[tokio::test]
async fn a_text_of_the_server_stays_on_one_line_of_bounded_length() {
    let rows = [
        ("line\r\nbreaks\n".to_owned(), "line  breaks ".to_owned()),
        ("bell\u{7}, escape\u{1b}[31m, nul\0, nel\u{85}".to_owned(), "bell , escape [31m, nul , nel ".to_owned()),
        ("x".repeat(10_000), format!("{}…", "x".repeat(300))),
        ("错".repeat(301), format!("{}…", "错".repeat(300))),
        ("错".repeat(300), "错".repeat(300)),
    ];
    for (text, shown) in rows {
        let body = json!({ "statusCode": 400, "message": text, "requestId": text });
        let error = seen(MockAnswer::envelope(body)).await.error();
        assert_eq!(error.server_message(), Some(text.as_str()), "whole where a program reads it");
        assert_eq!(error.request_id(), Some(shown.as_str()));
        let expected =
            format!("the server answered statusCode 400 ({shown}); check the request's fields [request id {shown}]");
        assert_eq!(detail(&error), expected);
    }
}

#[tokio::test]
async fn a_separator_of_unicode_breaks_no_line_either() {
    let body = json!({ "statusCode": 400, "message": "a\u{2028}b\u{2029}c", "requestId": "r\u{2028}1" });
    let error = seen(MockAnswer::envelope(body)).await.error();
    assert!(!error.to_string().contains(['\u{2028}', '\u{2029}']), "{error:?}");
}

#[tokio::test]
async fn a_request_id_stays_on_one_line_where_the_envelope_says_success() {
    let long = format!("r\n{}", "x".repeat(10_000));
    for data in [Value::Null, json!("61_t")] {
        let mut body = success(&data);
        body["requestId"] = json!(long);
        let error = seen(MockAnswer::envelope(body)).await.error();
        let request_id = error.request_id().unwrap();
        assert!(!request_id.contains('\n') && request_id.chars().count() <= 301, "{}", request_id.len());
    }
}

#[tokio::test]
async fn a_secret_of_the_request_is_struck_out_of_the_servers_words() {
    for message in [json!("the app's secret is wrong"), json!(["bad: the app's secret"])] {
        let body = json!({ "statusCode": 602, "message": message, "requestId": "the app's secret" });
        let error = seen(MockAnswer::envelope(body)).await.error();
        assert!(!format!("{error} {error:?} {:?}", error.server_message()).contains("the app's secret"), "{error}");
        assert_eq!(error.request_id(), Some("[REDACTED]"));
    }
}

#[tokio::test]
async fn a_response_gives_the_payload_and_what_came_around_it() {
    let (server, client) = mock().await;
    let envelope = json!({
        "statusCode": 200,
        "message": "ok",
        "apiCode": 7,
        "requestId": "r-1",
        "data": token(&json!("1772618400")),
    });
    server.answer_next(MockAnswer::envelope(envelope).header("x-trace", "t-1").header("x-trace", "t-2"));
    let mut response = client.get_wechat_mp_access_token_info().body(app()).send().await.unwrap();
    assert_eq!(response.access_token.expose_secret(), "61_t");
    assert_eq!(response.expires_at.to_string(), "2026-03-04T10:00:00Z");
    assert_eq!((response.status_code(), response.message(), response.api_code()), (200, "ok", Some(7)));
    assert_eq!((response.request_id(), response.http_status()), (Some("r-1"), StatusCode::OK));
    let traces: Vec<_> = response.headers().get_all("x-trace").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(traces, ["t-1", "t-2"]);
    assert_eq!(
        serde_json::to_string(&response).unwrap(),
        r#"{"statusCode":200,"message":"ok","apiCode":7,"requestId":"r-1","#.to_owned()
            + r#""data":{"accessToken":"61_t","expiresAt":1772618400}}"#
    );
    assert_eq!(
        format!("{response:?}"),
        "Response { status_code: 200, message: \"ok\", api_code: Some(7), request_id: Some(\"r-1\"), data: \
         GetWechatAccessTokenDataDto { access_token: [REDACTED], expires_at: UnixTimestamp(1772618400) }, .. }"
    );
    response.access_token = "another".into();
    assert_eq!(response.clone().into_payload().access_token.expose_secret(), "another");
}

#[tokio::test]
async fn an_envelope_comes_out_of_a_response_as_it_went_in() {
    let rows = [
        json!({ "statusCode": 200, "message": "ok", "data": token(&json!(1)) }),
        json!({ "statusCode": 200, "message": "成功", "requestId": "r", "data": { "any": [1, null, { "a": "b" }] } }),
        json!({ "statusCode": 200, "message": "", "apiCode": 0, "requestId": "r-1", "data": [] }),
        json!({ "statusCode": 200, "message": "", "data": null }),
    ];
    let (server, client) = mock().await;
    for envelope in rows {
        server.answer_next(MockAnswer::envelope(envelope.clone()));
        let response: Response<Value> = client.call(Method::POST, PATH, &json!({})).await.unwrap();
        assert_eq!(serde_json::to_value(&response).unwrap(), envelope);
    }
}

#[tokio::test]
async fn a_call_that_expects_no_payload_takes_an_envelope_without_one() {
    let (server, client) = mock().await;
    for body in
        [json!({ "statusCode": 200, "message": "ok" }), json!({ "statusCode": 200, "message": "ok", "data": null })]
    {
        server.answer_next(MockAnswer::envelope(body));
        let response: Response<()> = client.call(Method::POST, "/api/v3/undescribed", &()).await.unwrap();
        assert_eq!(response.message(), "ok");
    }
}

#[tokio::test]
async fn an_error_can_be_cloned_sent_and_kept_with_its_body() {
    fn holds<T: Clone + Send + Sync + std::error::Error + 'static>(error: &T) -> T {
        error.clone()
    }
    let body = json!({ "statusCode": 500, "message": "no", "data": { "trace": "kept" } });
    let error = seen(MockAnswer::envelope(body.clone())).await.error();
    let copy = tokio::spawn(std::future::ready(holds(&error))).await.unwrap();
    assert_eq!((copy.to_string(), facts(&copy)), (error.to_string(), facts(&error)));
    drop(error);
    assert_eq!(serde_json::from_slice::<Value>(copy.body().unwrap()).unwrap(), body);
    assert!(!format!("{copy} {copy:?}").contains("kept"));
}

#[tokio::test]
async fn what_is_no_utf_8_is_refused_also_where_no_field_is_for_it() {
    let body = b"{\"statusCode\":200,\"data\":{\"accessToken\":\"61_t\",\"expiresAt\":1,\"other\":\"\xff\"}}";
    let error = seen(MockAnswer::http(200, "application/json", body.as_slice())).await.error();
    assert_eq!((error.kind(), error.status_code()), (ErrorKind::Response, None));
}

/// A payload exists only in the caller's task: a payload that is not `Send` does not keep a call from moving to another
/// thread.
#[tokio::test]
async fn a_call_may_be_spawned_whatever_its_payload() {
    type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<Response<T>, Error>> + Send + 'a>>;
    fn boxed<'a, T: DeserializeOwned + 'a>(client: &'a Client, body: &'a Value) -> Boxed<'a, T> {
        client.call(Method::POST, PATH, body).into_future()
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct NotSend {
        expires_at: i64,
        #[serde(skip)]
        _here: Rc<()>,
    }
    let (server, client) = mock().await;
    let body = json!({ "appId": "wx", "appSecret": "s" });
    server.answer_next(MockAnswer::envelope(success(&token(&json!(1)))).times(2));
    assert_eq!(boxed::<Value>(&client, &body).await.unwrap()["expiresAt"], 1);
    let spawned = tokio::spawn(async move { boxed::<NotSend>(&client, &body).await.map(|data| data.expires_at) });
    assert_eq!(spawned.await.unwrap().unwrap(), 1);
}
