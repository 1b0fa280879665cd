//! The canary test: recognizable secrets go through everything that can happen, and turn up in nothing that is shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use genauth::mock::{ExpiresAt, MockAnswer, MockGenAuth};
use genauth::types::{
    ExchangeTokenSetWithQRcodeTicketDto, GetWechatAccessTokenDataDto, GetWechatAccessTokenDto,
    GetWechatAccessTokenInfoRespDto, SigninByMobileDto, builder,
};
use genauth::wechat::{RedisStore, TokenCache};
use genauth::{
    AccessKeyUse, Client, ClientAuthentication, ClientBuilder, Credential, Error, ErrorKind, OnDeprecation, Response,
    SignIn, UnixTimestamp,
};
use http::Method;
use serde_json::{Value, json};
use std::fmt::{Debug, Display};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing_subscriber::fmt::format::FmtSpan;

/// What to look for, and the secret around it. The characters around it change when a text is quoted or encoded, so
/// they would hide the secret from a search for the whole of it.
struct Canary {
    core: &'static str,
    secret: &'static str,
}

const APP_SECRET: Canary = Canary { core: "canaryapp7f3a9c51d2", secret: r#"canaryapp7f3a9c51d2/+="%"# };
const USER_TOKEN: Canary = Canary { core: "canaryuser0b64e8f713", secret: r#"canaryuser0b64e8f713.a"b\c"# };
const KEY_SECRET: Canary = Canary { core: "canarykey5d92c07ab6", secret: r#"canarykey5d92c07ab6&"?"# };
const WECHAT_SECRET: Canary = Canary { core: "canarywechat3e18fa604b", secret: r#"canarywechat3e18fa604b"\/{}"# };
const WECHAT_TOKEN: Canary = Canary { core: "canarytoken91b7d3e05f", secret: r#"canarytoken91b7d3e05f"\_-"# };
const ALL: [Canary; 5] = [APP_SECRET, USER_TOKEN, KEY_SECRET, WECHAT_SECRET, WECHAT_TOKEN];

/// The secrets of a request. The server's own token is not among them: a client cannot tell it in a server's sentence.
const SENT: [Canary; 4] = [APP_SECRET, USER_TOKEN, KEY_SECRET, WECHAT_SECRET];

const PATH: &str = "/api/v3/get-wechat-access-token-info";
const APP_ID: &str = "an-app-id";
const KEY_ID: &str = "an-access-key-id";

impl Canary {
    /// The core as itself and as encodings show it, in Base64 at each of the three places where it may start.
    fn forms(&self) -> Vec<String> {
        let bytes = self.core.as_bytes();
        let mut forms = vec![
            self.core.to_owned(),
            self.core.chars().rev().collect(),
            bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            bytes.iter().map(|byte| format!("%{byte:02X}")).collect(),
            format!("{bytes:?}").trim_matches(['[', ']']).to_owned(),
        ];
        for skipped in 0..3 {
            let whole = (bytes.len() - skipped) / 3 * 3;
            forms.push(STANDARD.encode(&bytes[skipped..skipped + whole]));
        }
        forms
    }
}

/// The canaries that a text shows.
fn found_in(text: &str) -> Vec<&'static str> {
    let shows = |canary: &Canary| canary.forms().iter().any(|form| text.contains(form));
    ALL.into_iter().filter(shows).map(|canary| canary.core).collect()
}

/// Where everything that is shown or logged arrives.
#[derive(Clone, Default)]
struct Collector {
    text: Arc<Mutex<Vec<u8>>>,
    leaks: Arc<Mutex<Vec<String>>>,
}

impl io::Write for Collector {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Collector {
    fn subscribe(&self) {
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    }

    fn note(&self, text: &str) {
        self.text.lock().unwrap().extend_from_slice(format!("{text}\n").as_bytes());
    }

    fn debug(&self, value: &impl Debug) {
        self.note(&format!("{value:?} {value:#?}"));
    }

    /// An error with all that is behind it.
    fn error(&self, error: &(dyn std::error::Error + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.note(&format!("{error} {error:#} {error:?} {error:#?}"));
            next = error.source();
        }
    }

    /// An error of the crate, with what it tells beside its text.
    fn failure(&self, error: &Error) {
        self.error(error);
        self.debug(&(error.kind(), error.http_status(), error.status_code(), error.api_code()));
        self.debug(&(error.request_id(), error.server_message()));
    }

    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.text.lock().unwrap())).unwrap()
    }

    /// Returns what was collected since the last check, and keeps the lines that show a canary for the verdict.
    fn check(&self, after: &str) -> String {
        let text = self.take();
        let leaks = text.lines().filter(|line| !found_in(line).is_empty()).map(|line| format!("{after}: {line}"));
        self.leaks.lock().unwrap().extend(leaks);
        text
    }

    fn verdict(&self) {
        let leaks = self.leaks.lock().unwrap();
        assert!(leaks.is_empty(), "{} lines show a secret:\n{}", leaks.len(), leaks.join("\n"));
    }
}

fn collector() -> Collector {
    // The process has one subscriber, hence this one test.
    let collector = Collector::default();
    collector.subscribe();
    collector
}

async fn server() -> MockGenAuth {
    let builder = MockGenAuth::builder()
        .app_id(APP_ID)
        .user_access_token(USER_TOKEN.secret)
        .access_key(KEY_ID, KEY_SECRET.secret)
        .wechat_app("wx", WECHAT_SECRET.secret)
        .expires_at_as(ExpiresAt::String);
    builder.start().await.unwrap()
}

fn client_builder(host: &str) -> ClientBuilder {
    let builder = Client::builder(host).app(APP_ID, APP_SECRET.secret).user_access_token(USER_TOKEN.secret);
    builder.access_key(KEY_ID, KEY_SECRET.secret).retries(0)
}

/// A client with only an application's credentials, so that `call` knows which ones to use.
fn app_client(host: &str) -> Client {
    Client::builder(host)
        .app(APP_ID, APP_SECRET.secret)
        .user_access_token(USER_TOKEN.secret)
        .retries(0)
        .build()
        .unwrap()
}

fn app() -> builder::GetWechatAccessTokenDto {
    GetWechatAccessTokenDto::builder().app_id("wx").app_secret(WECHAT_SECRET.secret)
}

fn fields() -> serde_json::Map<String, Value> {
    let fields = json!({ "appId": "wx", "appSecret": WECHAT_SECRET.secret });
    fields.as_object().unwrap().clone()
}

/// Notes all that a successful answer shows, and checks that the token is in it where it may be.
fn note_answer(collector: &Collector, response: &Response<GetWechatAccessTokenDataDto>) {
    collector.debug(response);
    collector.debug(&**response);
    collector.note(&format!("{} {}", response.expires_at, response.message()));
    collector.debug(&response.clone().into_payload().access_token);
    let token = response.access_token.expose_secret();
    assert!(serde_json::to_string(response).unwrap().contains(serde_json::to_string(token).unwrap().as_str()));
}

/// Makes every kind of call, each with the next answer, and collects what can be seen of it. Returns the errors of the
/// typed calls.
async fn calls(collector: &Collector, server: &MockGenAuth, answer: &MockAnswer) -> Vec<Error> {
    let client = client_builder(server.url()).build().unwrap();
    // The answer is queued for as many requests as the calls below may send.
    server.answer_next(answer.clone().times(6));
    let mut errors = Vec::new();

    #[allow(deprecated, reason = "the deprecated operations must keep a secret, too")]
    {
        errors.push(client.get_wechat_mp_access_token().body(app()).send().await);
        errors.push(client.get_wechat_access_token().body(app()).send().await);
    }
    errors.push(client.get_weixin_access_token().body(app()).send().await);
    errors.push(client.get_wechat_mp_access_token_info().body(app()).send().await);
    let errors = errors.into_iter().filter_map(|answer| answer.inspect(|answer| note_answer(collector, answer)).err());
    let errors: Vec<Error> = errors.collect();

    match client.invoke("getWechatMpAccessTokenInfo", fields()).await {
        Ok(answer) => collector.note(answer.request_id().unwrap_or_default()),
        Err(error) => collector.failure(&error),
    }
    match client.call::<_, GetWechatAccessTokenDataDto>(Method::POST, PATH, &fields()).await {
        Ok(answer) => note_answer(collector, &answer),
        Err(error) => collector.failure(&error),
    }
    errors.iter().for_each(|error| collector.failure(error));
    server.requests().iter().for_each(|request| collector.debug(request));
    collector.debug(server);
    errors
}

fn success(data: &Value) -> MockAnswer {
    MockAnswer::envelope(json!({ "statusCode": 200, "message": "ok", "requestId": "request-id-4711", "data": data }))
}

fn token() -> Value {
    json!({ "accessToken": WECHAT_TOKEN.secret, "expiresAt": 1_772_618_400 })
}

/// Everything a server may answer with a secret in it, and what becomes of it.
fn answers() -> Vec<(String, MockAnswer, Option<ErrorKind>)> {
    let html = |secret: &str| format!("<html><p>{secret}</p></html>");
    let token_json = token().to_string();
    let mut rows = vec![
        ("success".to_owned(), success(&token()), None),
        ("no data".to_owned(), MockAnswer::empty_data(), Some(ErrorKind::NoData)),
        ("data as a list".to_owned(), success(&json!([WECHAT_TOKEN.secret])), Some(ErrorKind::Response)),
        ("data as a string".to_owned(), success(&json!(WECHAT_TOKEN.secret)), Some(ErrorKind::Response)),
        (
            "a token in a field's name".to_owned(),
            success(&json!({ WECHAT_TOKEN.secret: 1 })),
            Some(ErrorKind::Response),
        ),
        (
            "a token in a list".to_owned(),
            success(&json!({ "accessToken": [WECHAT_TOKEN.secret], "expiresAt": 1 })),
            Some(ErrorKind::Response),
        ),
        (
            "expiresAt of another form".to_owned(),
            success(&json!({ "accessToken": WECHAT_TOKEN.secret, "expiresAt": "soon" })),
            Some(ErrorKind::Response),
        ),
        (
            "a token for expiresAt".to_owned(),
            success(&json!({ "accessToken": WECHAT_TOKEN.secret, "expiresAt": WECHAT_TOKEN.secret })),
            Some(ErrorKind::Response),
        ),
        (
            "broken JSON".to_owned(),
            MockAnswer::http(200, "application/json", format!(r#"{{"statusCode":200,"data":{token_json}"#)),
            Some(ErrorKind::Response),
        ),
        (
            "other JSON".to_owned(),
            MockAnswer::http(200, "application/json", token_json.clone()),
            Some(ErrorKind::Response),
        ),
        (
            "a secret for statusCode".to_owned(),
            MockAnswer::envelope(json!({ "statusCode": WECHAT_TOKEN.secret })),
            Some(ErrorKind::Response),
        ),
        (
            "a secret for apiCode".to_owned(),
            MockAnswer::envelope(json!({ "statusCode": 400, "apiCode": WECHAT_SECRET.secret })),
            Some(ErrorKind::Response),
        ),
        (
            "a failing envelope with the token in data".to_owned(),
            MockAnswer::envelope(json!({ "statusCode": 602, "message": "no", "data": token() })),
            Some(ErrorKind::Api),
        ),
        (
            "too much".to_owned(),
            MockAnswer::http(200, "application/json", WECHAT_TOKEN.secret.repeat(60_000)),
            Some(ErrorKind::TooLarge),
        ),
        ("a closed connection".to_owned(), MockAnswer::hang_up(), Some(ErrorKind::Transport)),
    ];
    for secret in ALL.map(|canary| canary.secret) {
        let named = |what: &str| format!("{what} with {secret}");
        let location = |location: String| MockAnswer::http(307, "", "").header("location", location);
        let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let deprecated = |name: &str| success(&token()).header(name, secret).header("set-cookie", secret);
        rows.extend([
            (named("HTML"), MockAnswer::http(200, "text/html", html(secret)), Some(ErrorKind::Response)),
            (named("HTTP 500 and HTML"), MockAnswer::http(500, "text/html", html(secret)), Some(ErrorKind::Http)),
            (named("HTTP 502 and text"), MockAnswer::http(502, "text/plain", secret), Some(ErrorKind::Http)),
            (
                named("HTTP 401 and JSON"),
                MockAnswer::http(401, "application/json", json!({ "error": secret }).to_string()),
                Some(ErrorKind::Http),
            ),
            (named("a content type"), MockAnswer::http(200, secret, "text"), Some(ErrorKind::Response)),
            (named("a query"), location(format!("http://127.0.0.1:1/?token={encoded}")), Some(ErrorKind::Redirect)),
            (named("a user"), location(format!("http://{encoded}@127.0.0.1:1/")), Some(ErrorKind::Redirect)),
            (named("a path"), location(format!("/{encoded}#{encoded}")), Some(ErrorKind::Redirect)),
            (named("a bad location"), location(format!("http://[{secret}")), Some(ErrorKind::Redirect)),
            (named("a Deprecation header"), deprecated("deprecation"), None),
            (named("a Sunset header"), deprecated("sunset"), None),
        ]);
    }
    for secret in SENT.map(|canary| canary.secret) {
        let refusal = json!({ "statusCode": 400, "apiCode": 7 });
        let envelope = |message: Value, request_id: &str| {
            let mut envelope = refusal.clone();
            envelope["message"] = message;
            envelope["requestId"] = json!(request_id);
            envelope
        };
        let echoes = [
            ("a message", envelope(json!(format!("no app with secret {secret}, {secret}")), "r"), 200),
            ("a request id", envelope(json!("no"), secret), 200),
            ("HTTP 400 and an envelope", envelope(json!(secret), secret), 400),
            ("HTTP 404 and an envelope", envelope(json!(secret), secret), 404),
            ("HTTP 503 and an envelope", envelope(json!(secret), secret), 503),
            ("a message of many lines", envelope(json!(format!("{}\n{secret}\n{secret}", "x".repeat(270))), "r"), 200),
            ("a list of messages", envelope(json!([secret, format!("appSecret {secret} is wrong")]), "r"), 200),
            ("an object for a message", envelope(json!({ secret: [secret] }), "r"), 200),
        ];
        for (what, envelope, status) in echoes {
            let answer = MockAnswer::http(status, "application/json", envelope.to_string());
            rows.push((format!("{what} with {secret}"), answer, Some(ErrorKind::Api)));
        }
        let no_data = json!({ "statusCode": 200, "message": secret, "requestId": secret });
        rows.push((format!("no data with {secret}"), MockAnswer::envelope(no_data), Some(ErrorKind::NoData)));
        let other_shape = json!({ "statusCode": 200, "message": secret, "requestId": secret, "data": 1 });
        let other_shape = MockAnswer::envelope(other_shape);
        rows.push((format!("data of another shape with {secret}"), other_shape, Some(ErrorKind::Response)));
        let answer = json!({ "statusCode": 200, "message": secret, "requestId": secret, "data": token() });
        rows.push((format!("success with {secret}"), MockAnswer::envelope(answer), None));
    }
    rows
}

async fn whatever_the_server_answers(collector: &Collector) {
    let server = server().await;
    let retries =
        client_builder(server.url()).retries(2).retry_pauses(Duration::from_millis(1), Duration::from_secs(1));
    let echo = json!({ "statusCode": 503, "message": format!("no {} {}", WECHAT_SECRET.secret, USER_TOKEN.secret) });
    server.answer_next(MockAnswer::envelope(echo).times(3));
    let error = retries.build().unwrap().get_wechat_mp_access_token_info().body(app()).send().await.unwrap_err();
    assert_eq!(error.attempts(), 3);
    collector.failure(&error);
    assert!(collector.check("retries").contains("trying again"));
    for (name, answer, kind) in answers() {
        server.take_requests();
        let errors = calls(collector, &server, &answer).await;
        collector.debug(&answer);
        match kind {
            None => assert!(errors.is_empty(), "{name}"),
            Some(kind) => {
                assert_eq!(errors.len(), 4, "{name}");
                errors.iter().for_each(|error| assert_eq!(error.kind(), kind, "{name}"));
            }
        }
        let log = collector.check(&name);
        // The collector does see the log.
        assert!(log.contains("genauth.request") && log.contains("getWechatMpAccessTokenInfo"), "{name}:\n{log}");
        // The secrets did go out with the requests.
        let sent = server.requests();
        assert!(sent.iter().all(|request| request.json().unwrap()["appSecret"] == WECHAT_SECRET.secret), "{name}");
        assert_eq!(sent[0].header("authorization"), Some(format!("Bearer {}", USER_TOKEN.secret).as_str()));
    }

    // The mock's own answers are checked too; their token differs each time.
    calls(collector, &server, &MockAnswer::proceed()).await;
    let log = collector.check("the mock's own answer");
    assert!(log.contains("genauth.status_code=200"), "{log}");
    let wrong = MockGenAuth::start().await.unwrap();
    let errors = calls(collector, &wrong, &MockAnswer::proceed()).await;
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Api) && errors.len() == 4);
    let log = collector.check("credentials that are wrong");
    assert!(log.contains(errors[0].request_id().unwrap()), "{log}");
}

async fn what_the_network_does(collector: &Collector) {
    // A socket that is bound but does not listen refuses connections.
    let deaf = tokio::net::TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", deaf.local_addr().unwrap());
    let proxy = format!("http://{}:{}@{}", "user", APP_SECRET.core, url.trim_start_matches("http://"));
    let rows = [
        client_builder(&url),
        client_builder(&url).proxy(reqwest::Proxy::all(&proxy).unwrap()).dangerously_allow_plain_http(),
        client_builder("https://127.0.0.1:1").proxy(reqwest::Proxy::all(&proxy).unwrap()),
    ];
    for builder in rows {
        collector.debug(&builder);
        let client = builder.build().unwrap();
        collector.debug(&client);
        let error = client.get_wechat_mp_access_token_info().body(app()).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        collector.failure(&error);
        collector.check("a connection that is refused");
    }
}

async fn what_is_refused_before_it_is_sent(collector: &Collector) {
    let server = server().await;
    let client = client_builder(server.url()).build().unwrap();
    let info = || client.get_wechat_mp_access_token_info();

    let incomplete = GetWechatAccessTokenDto::builder().app_secret(WECHAT_SECRET.secret);
    let errors = [
        info().send().await.unwrap_err(),
        info().body(incomplete.clone()).send().await.unwrap_err(),
        info().body_map(|_| incomplete.clone()).send().await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Request);
        collector.failure(&error);
        let log = collector.check("an incomplete request");
        assert!(log.contains("app_id") || log.contains("GetWechatAccessTokenDto"), "{log}");
    }

    for secret in ALL.map(|canary| canary.secret) {
        let odd = [
            json!({ "appId": "wx", "appSecret": [secret] }),
            json!({ "appId": "wx", "appSecret": { "value": secret } }),
            json!({ "appId": { secret: secret }, "appSecret": secret }),
            json!({ "appId": [secret], "appSecret": 1 }),
            json!({ "appSecret": secret }),
            json!({ secret: secret }),
        ];
        for fields in odd {
            let error =
                client.invoke("getWechatMpAccessTokenInfo", fields.as_object().unwrap().clone()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Request);
            collector.failure(&error);
        }
        collector.check("an invocation with fields of the wrong type");
    }
    // A query cannot hold a lone string, nor JSON a map whose keys are lists.
    let core = WECHAT_SECRET.core;
    let secret = WECHAT_SECRET.secret;
    let unwritable = std::collections::BTreeMap::from([([secret], secret)]);
    let errors = [
        client.call::<_, Value>(Method::GET, "/api/v3/x", secret).await,
        client.call::<_, Value>(Method::GET, &format!("/api/v3/x?token={core}"), secret).await,
        client.call::<_, Value>(Method::POST, "/api/v3/x", &unwritable).await,
        client.call::<_, Value>(Method::POST, &format!("/api/v3/x?token={core}"), &unwritable).await,
        client.call::<_, Value>(Method::POST, &format!("https://user:{core}@elsewhere.example/{core}"), &()).await,
        client.call::<_, Value>(Method::DELETE, &format!("/api/v3/{core}"), &[[secret]]).await,
        client.call::<_, Value>(Method::DELETE, "/api/v3/x", &unwritable).await,
        client.call::<_, Value>(Method::PUT, &format!("/api/v3/{core}"), &unwritable).await,
        client.call::<_, Value>(Method::GET, "/api/v3/x", &[(1, secret)]).await,
        genauth::encode_path_segment(format!("../{core}")).map(|_| panic!("it climbs")),
    ];
    for error in errors {
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request);
        collector.failure(&error);
        collector.check("a call that cannot be written");
    }

    let error = app_client(server.url()).get_weixin_access_token().body(app()).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    collector.failure(&error);
    collector.check("a call without the credentials that it takes");

    let refusing = client_builder(server.url()).on_deprecation(|_| OnDeprecation::Refuse).build().unwrap();
    #[allow(deprecated, reason = "it is refused for that")]
    let error = refusing.get_wechat_mp_access_token().body(app()).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deprecated);
    collector.failure(&error);
    assert!(server.requests().is_empty());
    server
        .answer_next(success(&token()).header("deprecation", WECHAT_TOKEN.secret).header("sunset", APP_SECRET.secret));
    let error = refusing.get_wechat_mp_access_token_info().body(app()).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deprecated);
    collector.failure(&error);
    collector.check("a refusal by on_deprecation");
}

/// `call` puts what it is given into a body or a query, and a server that echoes any of it shows nothing.
async fn a_call_with_secrets_everywhere(collector: &Collector) {
    let server = server().await;
    let client = app_client(server.url());
    for secret in ALL.map(|canary| canary.secret) {
        let body = json!({ "a": secret, "b": [secret, { "c": secret }], "deep": { "er": { "still": secret } } });
        let echo = json!({ "statusCode": 400, "message": format!("bad value {secret}"), "requestId": secret });
        for path in ["/api/v3/undescribed", PATH] {
            // For a described operation only the fields that the document calls secret are struck out, and the body
            // above has none of them.
            let body = if path == PATH { json!({ "appId": "wx", "appSecret": secret }) } else { body.clone() };
            server.answer_next(MockAnswer::envelope(echo.clone()));
            let error = client.call::<_, Value>(Method::POST, path, &body).await.unwrap_err();
            assert!(error.to_string().contains("[REDACTED]"), "{path}: {}", found_in(&error.to_string()).len());
            collector.failure(&error);
        }
        server.answer_next(MockAnswer::http(500, "text/html", secret));
        let error = client.call::<_, Value>(Method::GET, "/api/v3/x", &[("token", secret)]).await.unwrap_err();
        collector.failure(&error);

        server.take_requests().iter().for_each(|request| collector.debug(request));

        // The secret is in the path, in a list and in nested fields, and is sent again. The mock's record shows a path,
        // as a server's log does.
        let path = format!("/api/v3/users/{}", genauth::encode_path_segment(secret).unwrap());
        let fields = json!({ "list": [secret], "deep": { "er": [{ "still": secret }] } });
        let busy = json!({ "statusCode": 503, "message": format!("busy with {secret}"), "requestId": secret });
        for method in [Method::GET, Method::DELETE, Method::PUT, Method::POST] {
            // Each client has a retry budget of its own.
            let builder = client_builder(server.url()).retries(2);
            let client = builder.retry_pauses(Duration::from_millis(1), Duration::from_secs(1)).build().unwrap();
            let call = || client.call::<_, Value>(method.clone(), &path, &fields).idempotent();
            collector.debug(&call());
            let call = || call().credentials(&[Credential::AppId, Credential::UserAccessToken]);
            server.answer_next(MockAnswer::envelope(busy.clone()).times(3));
            let error = call().await.unwrap_err();
            assert_eq!(error.attempts(), 3, "{method}");
            assert!(error.to_string().contains("[REDACTED]"), "{method}");
            collector.failure(&error);
            let refused = call().credentials(&[Credential::ManagementToken]);
            collector.debug(&refused);
            collector.failure(&refused.await.unwrap_err());
        }
        #[derive(Debug, serde::Deserialize)]
        struct Other {
            _one: u8,
        }
        for data in [json!({ secret: secret }), json!({ "_one": secret }), json!({ "_one": [secret] }), json!(secret)] {
            server.answer_next(success(&data));
            let error = client.call::<_, Other>(Method::POST, &path, &fields).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Response);
            collector.failure(&error);
        }
        server.take_requests();
        collector.check("a call with a secret in every field");
    }
}

/// Signs in with canaries for the password and for each form of the application's secret, and checks the tokens that
/// come back.
async fn a_sign_in(collector: &Collector) {
    let server = server().await;
    let password = WECHAT_SECRET.secret;
    let token = WECHAT_TOKEN.secret;
    let basic = STANDARD.encode(format!("{APP_ID}:{}", APP_SECRET.secret));
    for how in [ClientAuthentication::Basic, ClientAuthentication::Post, ClientAuthentication::None] {
        let client = client_builder(server.url()).client_authentication(how).build().unwrap();
        for echoed in [password, APP_SECRET.secret, basic.as_str()] {
            let refusal =
                json!({ "statusCode": 400, "apiCode": 2333, "message": format!("no: {echoed}"), "requestId": echoed });
            server.answer_next(MockAnswer::envelope(refusal));
            let error = client.sign_in_by_password("account", password).await.unwrap_err();
            assert!(error.to_string().contains("[REDACTED]"), "{how:?}");
            assert!(!format!("{error} {error:?} {:?}", error.server_message()).contains(&basic), "{how:?}");
            collector.failure(&error);
        }
        let step = json!({ "statusCode": 1636, "message": format!("for {password}"), "data": { "mfaToken": token } });
        server.answer_next(MockAnswer::envelope(step));
        collector.debug(&client.sign_in_by_password("account", password).await.unwrap());
        let data = json!({ "access_token": token, "id_token": token, "refresh_token": token, "token_type": "Bearer", "expire_in": 1 });
        server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "ok", "data": data })));
        let signed_in = client.sign_in_by_password("account", password).await.unwrap();
        collector.debug(&signed_in);
        let SignIn::SignedIn(user) = signed_in else { panic!("no token") };
        server.answer_next(MockAnswer::envelope(json!({ "statusCode": 401, "message": token, "requestId": token })));
        let error = user.client.get_profile().send().await.unwrap_err();
        assert!(error.to_string().contains("[REDACTED]"), "{how:?}");
        collector.failure(&error);
        for (operation, fields) in other_sign_ins(token) {
            let refusal = json!({ "statusCode": 400, "message": format!("no: {token}"), "requestId": token });
            server.answer_next(MockAnswer::envelope(refusal));
            let error = client.invoke(operation, fields.as_object().unwrap().clone()).await.unwrap_err();
            assert!(error.to_string().contains("[REDACTED]"), "{operation}, {how:?}");
            collector.failure(&error);
        }
        server.take_requests().iter().for_each(|request| collector.debug(request));
        collector.check("a sign-in");
    }
}

/// The bodies of the other operations that sign a user in, with a secret in each field that takes one.
fn other_sign_ins(secret: &str) -> [(&'static str, Value); 5] {
    let mobile = |connection: &str, payload: &str, fields: Value| {
        let mut body = json!({ "extIdpConnidentifier": "wx", "connection": connection });
        body[payload] = fields;
        ("signInByMobile", body)
    };
    let code = json!({ "code": secret, "encryptedData": secret, "iv": "iv" });
    let both = json!({ "wxLoginInfo": code, "wxPhoneInfo": { "code": secret } });
    [
        mobile("wechat_mini_program_code", "wechatMiniProgramCodePayload", code),
        mobile("wechat_mini_program_code_and_phone", "wechatMiniProgramCodeAndPhonePayload", both),
        mobile("yidun", "yidunPayload", json!({ "token": secret, "accessToken": secret })),
        mobile("line", "linePayload", json!({ "access_token": secret, "id_token": secret })),
        ("exchangeTokenSetWithQrCodeTicket", json!({ "ticket": secret })),
    ]
}

/// Exchanges an access key, which goes out in the body, for a token.
async fn a_management_token(collector: &Collector) {
    let server = server().await;
    let client = client_builder(server.url()).access_key_use(AccessKeyUse::ManagementToken).build().unwrap();
    let (key, token) = (KEY_SECRET.secret, WECHAT_TOKEN.secret);
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 401, "message": key, "requestId": key })));
    let error = client.get_weixin_access_token().body(app()).send().await.unwrap_err();
    assert!(error.to_string().contains("[REDACTED]"));
    collector.failure(&error);
    let data = json!({ "access_token": token, "expires_in": 7200 });
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "ok", "data": data })));
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 403, "message": token, "requestId": token })));
    let error = client.get_weixin_access_token().body(app()).send().await.unwrap_err();
    assert!(error.to_string().contains("[REDACTED]"), "the token that went out is known");
    collector.failure(&error);
    collector.debug(&client);
    server.take_requests().iter().for_each(|request| collector.debug(request));
    collector.check("a management token");
}

/// A GET carries its fields in the query, and a gateway may repeat that.
async fn a_get_whose_query_is_echoed(collector: &Collector) {
    let server = server().await;
    let client = app_client(server.url());
    for secret in ALL.map(|canary| canary.secret) {
        let echo = json!({ "statusCode": 400, "message": format!("bad value {secret}"), "requestId": secret });
        let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        server.answer_next(MockAnswer::envelope(echo).times(2));
        let errors = [
            client.call::<_, Value>(Method::GET, "/api/v3/x", &[("token", secret)]).await,
            client.call::<_, Value>(Method::GET, &format!("/api/v3/x?token={encoded}"), &()).await,
        ];
        errors.into_iter().for_each(|error| collector.failure(&error.unwrap_err()));
        collector.check("a GET whose query is echoed");
    }
}

fn builders_that_are_refused(collector: &Collector) {
    const HOST: &str = "https://example.genauth.ai";
    for secret in ALL.map(|canary| canary.secret) {
        let lines = format!("{secret}\n");
        let core = found_in(secret)[0];
        let rows = [
            Client::builder(secret),
            Client::builder(format!("https://{core}:{core}@example.genauth.ai")),
            Client::builder(format!("https://example.genauth.ai/?{core}")),
            Client::builder(format!("http://{core}.example")),
            Client::builder(format!("{core}://example.genauth.ai")),
            Client::builder(HOST).app(lines.as_str(), secret),
            Client::builder(HOST).app(APP_ID, secret).user_access_token(lines.as_str()),
            Client::builder(HOST).access_key(lines.as_str(), secret),
            Client::builder(HOST).root_certificates(secret),
            client_builder(HOST).root_certificates(format!("-----BEGIN CERTIFICATE-----\n{secret}")),
        ];
        for builder in rows {
            collector.debug(&builder);
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            collector.failure(&error);
            collector.check("a builder that is refused");
        }
    }
}

/// Collects the `Debug` output of every type that may hold a secret.
fn values(collector: &Collector) {
    let builder = client_builder("https://example.genauth.ai");
    collector.debug(&builder);
    let client = builder.build().unwrap();
    collector.debug(&client);
    let store = RedisStore::open(&format!("redis://:{}@127.0.0.1/", WECHAT_SECRET.core)).unwrap();
    collector.debug(&store);
    let cache = TokenCache::builder(client.clone()).redis(store);
    collector.debug(&cache);
    let cache = cache.build().unwrap();
    collector.debug(&cache.app(&GetWechatAccessTokenDto::try_from(app()).unwrap()));
    collector.debug(&cache);
    #[allow(deprecated, reason = "the deprecated builders hold the same secret")]
    {
        collector.debug(&client.get_wechat_mp_access_token().body(app()));
        collector.debug(&client.get_wechat_access_token().body(app()));
    }
    collector.debug(&client.get_weixin_access_token().body(app()));
    collector.debug(&client.get_wechat_mp_access_token_info().body(app()));
    collector.debug(&client.get_wechat_mp_access_token_info().body_map(|_| app()));
    collector.debug(&app());
    let dto = GetWechatAccessTokenDto::try_from(app()).unwrap();
    collector.debug(&dto);
    let data = json!({ "accessToken": WECHAT_TOKEN.secret, "expiresAt": 1 });
    let envelope = json!({ "statusCode": 200, "message": "ok", "data": data });
    collector.debug(&serde_json::from_value::<GetWechatAccessTokenDataDto>(data).unwrap());
    #[allow(deprecated, reason = "the deprecated envelope holds the same secret")]
    collector.debug(&serde_json::from_value::<genauth::types::GetWechatAccessTokenRespDto>(envelope.clone()).unwrap());
    let envelope = serde_json::from_value::<GetWechatAccessTokenInfoRespDto>(envelope).unwrap();
    collector.debug(&envelope);
    for (operation, fields) in other_sign_ins(WECHAT_TOKEN.secret) {
        if operation == "signInByMobile" {
            collector.debug(&serde_json::from_value::<SigninByMobileDto>(fields).unwrap());
        } else {
            collector.debug(&serde_json::from_value::<ExchangeTokenSetWithQRcodeTicketDto>(fields).unwrap());
        }
    }
    collector
        .debug(&MockGenAuth::builder().wechat_app("wx", WECHAT_SECRET.secret).access_key(KEY_ID, KEY_SECRET.secret));
    let log = collector.check("Debug of the values");
    assert!(log.contains("[REDACTED]") && log.contains("GetWechatAccessTokenDataDto") && log.contains("ClientBuilder"));

    // What is asked for explicitly is shown.
    assert_eq!(dto.app_secret.expose_secret(), WECHAT_SECRET.secret);
    assert_eq!(serde_json::to_value(&dto).unwrap()["appSecret"], WECHAT_SECRET.secret);
    assert_eq!(serde_json::to_value(&envelope).unwrap()["data"]["accessToken"], WECHAT_TOKEN.secret);
}

/// Checks that the canaries show where the server's words may be read; otherwise this test would prove nothing.
async fn where_secrets_may_be_seen() {
    let server = server().await;
    let client = app_client(server.url());
    let call = || client.get_wechat_mp_access_token_info().body(app());

    server.answer_next(success(&token()));
    let answer = call().send().await.unwrap();
    assert_eq!(found_in(&serde_json::to_string(&answer).unwrap()), [WECHAT_TOKEN.core]);
    assert_eq!(answer.access_token.expose_secret(), WECHAT_TOKEN.secret);
    server.answer_next(success(&token()));
    let answer = client.invoke("getWechatMpAccessTokenInfo", fields()).await.unwrap();
    assert_eq!(answer["accessToken"], WECHAT_TOKEN.secret);

    for canary in ALL {
        let body = format!("<html>{}</html>", canary.secret);
        server.answer_next(MockAnswer::http(500, "text/html", body));
        let error = call().send().await.unwrap_err();
        assert_eq!(found_in(&String::from_utf8_lossy(error.body().unwrap())), [canary.core]);
    }
}

fn the_collector_is_not_blind(collector: &Collector) {
    for canary in ALL {
        let encoded: String = form_urlencoded::byte_serialize(canary.secret.as_bytes()).collect();
        let logged = [
            canary.secret.to_owned(),
            format!("{:?}", canary.secret),
            json!([canary.secret]).to_string(),
            encoded,
            STANDARD.encode(canary.secret),
            STANDARD.encode(format!("u:{}", canary.secret)),
            STANDARD.encode(format!("id:{}", canary.secret)),
            format!("{:?}", canary.secret.as_bytes()),
            format!("{:?}", bytes::Bytes::from_static(canary.secret.as_bytes())),
        ];
        for text in logged {
            tracing::trace!("{text}");
            assert_eq!(found_in(&collector.take()), [canary.core], "{text}");
            tracing::info_span!("control", text).in_scope(|| ());
            assert_eq!(found_in(&collector.take()), [canary.core], "{text}");
        }
    }
}

fn show(collector: &Collector, value: &(impl Debug + Display)) {
    collector.note(&format!("{value} {value:?}"));
}

#[tokio::test]
async fn no_secret_turns_up_in_anything_that_is_shown_or_logged() {
    let collector = collector();
    the_collector_is_not_blind(&collector);
    values(&collector);
    builders_that_are_refused(&collector);
    what_is_refused_before_it_is_sent(&collector).await;
    what_the_network_does(&collector).await;
    whatever_the_server_answers(&collector).await;
    a_call_with_secrets_everywhere(&collector).await;
    a_get_whose_query_is_echoed(&collector).await;
    a_sign_in(&collector).await;
    a_management_token(&collector).await;
    where_secrets_may_be_seen().await;
    show(&collector, &UnixTimestamp::from_secs(1));
    collector.check("the end");
    collector.verdict();
}
