//! What a caller passes on unchecked is refused with one sentence before anything is sent, or it is sent whole.

use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::types::GetWechatAccessTokenDto;
use genauth::{CallOptions, Client, ClientAuthentication, ClientBuilder, Error, ErrorKind, encode_path_segment};
use http::Method;
use serde_json::{Value, json};

const HOST: &str = "https://example.genauth.ai";

/// Texts that no header can carry, with a word that no error may repeat.
const UNFIT: [&str; 10] = [
    "",
    "canary\r\nx-injected: 1",
    "canary\n",
    "\rcanary",
    "canary\0",
    "canary\t1",
    "canary\u{7f}",
    "canary-é",
    "canary\u{2028}",
    "ｃanary",
];

fn assert_refused(answer: Result<Client, Error>, what: &str, reason: &str) {
    let error = answer.unwrap_err();
    let sentence = format!("the client's configuration: the {what} is {reason}");
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Configuration, sentence));
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("canary") && !shown.contains("xxxx"), "{shown}");
}

#[test]
fn no_field_that_becomes_a_header_takes_what_a_header_cannot_carry() {
    type Set = fn(ClientBuilder, &str) -> Result<Client, Error>;
    let built = Client::builder(HOST).build().unwrap();
    let fields: [(&str, Set); 6] = [
        ("app id", |builder, value| builder.app(value, "secret").build()),
        ("app id", |builder, value| builder.app_id(value).build()),
        ("access token", |builder, value| builder.user_access_token(value).build()),
        ("access key id", |builder, value| builder.access_key(value, "secret").build()),
        ("tenant id", |builder, value| builder.tenant_id(value).build()),
        ("value of the header `x-a`", |builder, value| {
            builder.build().unwrap().with_options(&CallOptions::new().header("x-a", value))
        }),
    ];
    let unfit = "empty or holds a character that cannot be in an HTTP header; check it for line breaks";
    let enormous = "longer than 16 KiB, too long for a header; check what it is";
    for (what, set) in fields {
        for value in UNFIT {
            assert_refused(set(Client::builder(HOST), value), what, unfit);
        }
        assert_refused(set(Client::builder(HOST), &"x".repeat(1 << 20)), what, enormous);
        set(Client::builder(HOST), &"x".repeat(16_000)).unwrap();
    }
    for value in UNFIT {
        assert_refused(built.with_user_access_token(value), "access token", unfit);
        assert_refused(built.set_user_access_token(Some(value.into())).map(|()| built.clone()), "access token", unfit);
    }
}

#[test]
fn a_header_of_the_callers_needs_a_name_that_is_one() {
    let client = Client::builder(HOST).build().unwrap();
    for name in ["", "x a", "x:a", "x\r\na", "x\0", "é", ":path"] {
        let error = client.with_options(&CallOptions::new().header(name, "canary")).unwrap_err();
        let sentence = "the client's configuration: a header's name cannot be sent; use letters, digits and hyphens";
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Configuration, sentence), "{name:?}");
    }
}

#[tokio::test]
async fn a_path_that_is_none_is_refused_before_anything_is_sent() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    for (path, sentence) in [
        ("", "a path starts with `/`; the host is the client's"),
        ("https://canary.example/", "a path starts with `/`; the host is the client's"),
        ("@canary.example/", "a path starts with `/`; the host is the client's"),
        ("/a/../canary", "a path leads down only; leave out `.` and `..`"),
        ("/a/%2E%2e/canary", "a path leads down only; leave out `.` and `..`"),
        ("/..%2Fcanary", "a path leads down only; leave out `.` and `..`"),
        ("/a%2f%2e./canary", "a path leads down only; leave out `.` and `..`"),
        ("/..%5Ccanary", "a path leads down only; leave out `.` and `..`"),
        ("/..\\canary", "a path has no backslash; write `\\` as `%5C`"),
        ("/a\\..\\..\\canary", "a path has no backslash; write `\\` as `%5C`"),
        ("/\\canary.example", "a path has no backslash; write `\\` as `%5C`"),
        ("/canary\r\nx-injected: 1", "a path has no line breaks; encode what is in it"),
        ("/canary\n?a=b", "a path has no line breaks; encode what is in it"),
        ("/a?canary=\0", "a path has no line breaks; encode what is in it"),
        ("/a#canary", "a path has no fragment; write `#` as `%23`"),
        ("/\u{85}canary", "a path has no line breaks; encode what is in it"),
    ] {
        let error = client.call::<_, Value>(Method::POST, path, &json!({})).await.unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Request, format!("call: {sentence}")), "{path:?}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_path_stays_on_its_host_whatever_it_looks_like() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    for path in ["//other.example/x", "/@other.example", "/..a/b..", "/%5C", "/a?b=..\\c/../d", "/é x"] {
        let error = client.call::<_, Value>(Method::POST, path, &json!({})).await.unwrap_err();
        assert_eq!((error.kind(), server.take_requests().len()), (ErrorKind::Api, 1), "{path}: {error}");
    }
}

#[tokio::test]
async fn a_segment_of_a_path_stays_one_or_is_refused() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    for (value, segment) in [
        ("zhang", "zhang"),
        ("10.0.0.0/8", "10.0.0.0%2F8"),
        ("a\\b", "a%5Cb"),
        ("100%", "100%25"),
        ("%2e%2e", "%252e%252e"),
        ("%2F..%2F", "%252F..%252F"),
        ("...", "..."),
        ("a?b=c#d&e", "a%3Fb=c%23d&e"),
        ("{id} <>\"`", "%7Bid%7D%20%3C%3E%22%60"),
        ("é 张😀\u{2028}\u{85}", "%C3%A9%20%E5%BC%A0%F0%9F%98%80%E2%80%A8%C2%85"),
        (" \r\n\t\0\u{7f}", "%20%0D%0A%09%00%7F"),
        ("a:b@c;d=e,f+g|h^i[j]", "a:b@c;d=e,f+g|h^i[j]"),
    ] {
        assert_eq!(encode_path_segment(value).unwrap(), segment, "{value:?}");
        let path = format!("/api/v3/users/{segment}/roles");
        client.call::<_, Value>(Method::PUT, &path, &json!({})).await.unwrap_err();
        let sent = server.take_requests().pop().unwrap();
        let sent: Vec<&str> = sent.path.split(['/', '?', '#']).collect();
        assert_eq!((sent.len(), sent[5]), (6, "roles"), "{value:?}");
        assert_eq!(percent_decoded(sent[4]), value, "{value:?}");
    }
    assert_eq!(encode_path_segment(-7).unwrap(), "-7");
    for canary in ["", ".", "..", "../canary", "canary/..", "a/./canary", "..\\canary", "canary\\.."] {
        let error = encode_path_segment(canary).unwrap_err();
        let sentence = "a segment of a path: it is empty, or `.` or `..`, and leads to another path; check where the value \
                        comes from";
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Request, sentence.to_owned()), "{canary:?}");
    }
}

fn percent_decoded(text: &str) -> String {
    // In a query `+` stands for a space, in a path for a plus.
    let pairs = format!("k={}", text.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(pairs.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

/// JSON, Base64 and HMAC take any character, so callers need not care which ones a secret has.
#[tokio::test]
async fn secrets_that_no_header_carries_arrive_whole_where_none_has_to() {
    const ODD: &str = "nul \0, line \r\n, quote \", é, 😀, \u{2028}";
    let server = MockGenAuth::builder()
        .app("odd", ODD)
        .access_key("odd", ODD)
        .wechat_app(ODD, ODD)
        .user("account", ODD)
        .start()
        .await
        .unwrap();
    let wechat_app = || GetWechatAccessTokenDto { app_id: ODD.to_owned(), app_secret: ODD.into() };
    for how in [ClientAuthentication::Basic, ClientAuthentication::Post] {
        let client = Client::builder(server.url()).app("odd", ODD).client_authentication(how).build().unwrap();
        client.sign_in_by_password("account", ODD).await.unwrap();
        client.get_wechat_mp_access_token_info().body(wechat_app()).send().await.unwrap();
    }
    let client = Client::builder(server.url()).access_key("odd", ODD).build().unwrap();
    client.get_weixin_access_token().body(wechat_app()).send().await.unwrap();
}

#[tokio::test]
async fn empty_and_enormous_ids_in_a_body_are_the_servers_to_judge_and_stay_out_of_the_error() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    let enormous = "x".repeat(2 << 20);
    for (id, status) in [("", 602), (enormous.as_str(), 413)] {
        let app = GetWechatAccessTokenDto { app_id: id.to_owned(), app_secret: "secret".into() };
        let error = client.get_wechat_mp_access_token_info().body(app).send().await.unwrap_err();
        assert_eq!((error.kind(), error.status_code()), (ErrorKind::Api, Some(status)), "{error}");
        assert!(format!("{error} {error:?}").len() < 1000);
    }
    // This is how a gateway refuses a request that it does not read to the end.
    server.answer_next(MockAnswer::http(431, "text/html", "<h1>too large</h1>"));
    let app = GetWechatAccessTokenDto { app_id: "wx".to_owned(), app_secret: "secret".into() };
    let error = client.get_wechat_mp_access_token_info().body(app).send().await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Http, false));
}
