//! OpenID Connect: what goes to the endpoints, and what comes back.

use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::oidc::Oidc;
use genauth::{Client, ClientAuthentication, Error, ErrorKind, SecretString};
use hmac_sha256::Hash;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const APP_ID: &str = MockGenAuth::APP_ID;
const APP_SECRET: &str = MockGenAuth::APP_SECRET;
const REDIRECT: &str = "https://app.example.com/callback?a=1";

async fn start() -> (MockGenAuth, Oidc) {
    let server = MockGenAuth::start().await.unwrap();
    let oidc = client(&server).build().unwrap().oidc();
    (server, oidc)
}

fn client(server: &MockGenAuth) -> genauth::ClientBuilder {
    Client::builder(server.url()).app(APP_ID, APP_SECRET).retries(1)
}

fn answers(server: &MockGenAuth, method: Method, path: &str, status: u16, body: Value) {
    server.route(method, path, move |_| MockAnswer::http(status, "application/json", body.to_string()));
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn tokens() -> Value {
    json!({ "access_token": "canary-access", "id_token": "canary-id", "refresh_token": "canary-refresh", "token_type": "Bearer",
        "expires_in": 3600, "scope": "openid profile" })
}

#[tokio::test]
async fn a_browser_goes_and_comes_back() {
    let (server, oidc) = start().await;
    let begun = oidc.authorize(REDIRECT).scope("openid offline_access").parameter("prompt", "login").begin().unwrap();
    let (url, query) = begun.url.split_once('?').unwrap();
    assert_eq!(url, format!("{}/oidc/auth", server.url()));
    let query = pairs(query);
    let expected = [
        ("client_id", APP_ID),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "openid offline_access"),
        ("prompt", "login"),
        ("state", &begun.state),
        ("nonce", &begun.nonce),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in expected {
        assert_eq!(query[name], value, "{name}");
    }
    let verifier = begun.code_verifier.expose_secret();
    let hash = Hash::hash(verifier.as_bytes());
    let challenge = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, hash);
    assert_eq!((&query["code_challenge"], query.len()), (&challenge, 9));
    assert!((43..=128).contains(&verifier.len()) && !begun.url.contains(verifier));
    let again = oidc.authorize(REDIRECT).begin().unwrap();
    assert!(again.state != begun.state && again.nonce != begun.nonce && begun.state != begun.nonce);
    let error = oidc.authorize(REDIRECT).parameter("state", "mine").begin().unwrap_err();
    assert!(error.to_string().contains("`state` is made here"), "{error}");
    let nobody = Client::builder(server.url()).build().unwrap().oidc();
    assert_eq!(nobody.authorize(REDIRECT).begin().unwrap_err().kind(), ErrorKind::Configuration);

    let code = |callback: &str| oidc.authorization_code(callback, "s-1").map(|code| code.expose_secret().to_owned());
    for callback in
        ["code=c%201&state=s-1", "?state=s-1&code=c+1", "https://app.example.com/callback?code=c%201&state=s-1#x"]
    {
        assert_eq!(code(callback).unwrap(), "c 1");
    }
    for callback in [
        "code=c&state=s-2",
        "code=c",
        "code=c&state=",
        "state=s-1",
        "state=s-1&code=",
        "",
        "state=s-1&state=s-1&code=c",
        "state=s-1&code=a&code=b",
    ] {
        assert_eq!(code(callback).unwrap_err().kind(), ErrorKind::Request, "{callback}");
    }
    assert!(oidc.authorization_code("code=c&state=", "").is_err());
    let denied = code("error=access_denied&state=s-1").unwrap_err();
    assert_eq!((denied.kind(), denied.oauth_error()), (ErrorKind::Api, Some("access_denied")));
}

#[tokio::test]
async fn the_app_proves_itself_as_it_is_set() {
    let (server, _) = start().await;
    answers(&server, Method::POST, "/oidc/token", 200, tokens());
    for by in [ClientAuthentication::Basic, ClientAuthentication::Post, ClientAuthentication::None] {
        let oidc = client(&server).client_authentication(by).build().unwrap().oidc();
        let given = oidc.exchange_code("c 1", REDIRECT, Some("canary-verifier".into())).await.unwrap();
        assert_eq!(given.access_token.expose_secret(), "canary-access");
        assert_eq!(given.refresh_token.as_ref().map(SecretString::expose_secret), Some("canary-refresh"));
        assert_eq!((given.expires_in, given.scope.as_deref()), (Some(3600), Some("openid profile")));
        assert!(!format!("{given:?}").contains("canary"));
        let [request] = &server.take_requests()[..] else { panic!("not one request") };
        assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!(request.header("accept"), Some("application/json"));
        let mut form = pairs(std::str::from_utf8(&request.body).unwrap());
        let basic = request.header("authorization").is_some_and(|value| value.starts_with("Basic "));
        assert_eq!(basic, by == ClientAuthentication::Basic);
        assert_eq!(form.remove("client_secret").as_deref(), (by == ClientAuthentication::Post).then_some(APP_SECRET));
        assert_eq!(form.remove("client_id").as_deref(), (by != ClientAuthentication::Basic).then_some(APP_ID));
        let expected = [
            ("code", "c 1"),
            ("code_verifier", "canary-verifier"),
            ("grant_type", "authorization_code"),
            ("redirect_uri", REDIRECT),
        ];
        assert!(form.iter().map(|(name, value)| (&**name, &**value)).eq(expected), "{form:?}");
    }
}

#[tokio::test]
async fn every_endpoint_answers_as_the_standards_say() {
    let (server, oidc) = start().await;
    answers(&server, Method::POST, "/oidc/token", 200, tokens());
    answers(&server, Method::POST, "/oidc/token/introspection", 200, json!({ "active": true, "sub": "user-1" }));
    answers(&server, Method::GET, "/oidc/me", 200, json!({ "sub": "user-1", "email": "zhang@example.com" }));
    answers(&server, Method::GET, "/oidc/.well-known/openid-configuration", 200, json!({ "issuer": oidc.issuer() }));
    answers(&server, Method::GET, "/oidc/.well-known/jwks.json", 200, json!({ "keys": [] }));
    server.route(Method::POST, "/oidc/token/revocation", |_| MockAnswer::http(200, "", ""));
    let token: SecretString = "canary-token".into();
    assert!(oidc.refresh("canary-refresh").await.unwrap().id_token.is_some());
    oidc.client_credentials("announce:read").await.unwrap();
    let said = oidc.introspect(&token).await.unwrap();
    assert_eq!((said.active, &said.others["sub"]), (true, &json!("user-1")));
    oidc.revoke(&token).await.unwrap();
    let user = oidc.user_info(&token).await.unwrap();
    assert_eq!((&*user.sub, &user.others["email"]), ("user-1", &json!("zhang@example.com")));
    assert_eq!(oidc.discover().await.unwrap()["issuer"], oidc.issuer());
    assert_eq!(oidc.keys().await.unwrap()["keys"], json!([]));
    let requests = server.take_requests();
    let form = |at: usize| pairs(std::str::from_utf8(&requests[at].body).unwrap());
    assert_eq!(form(0)["grant_type"], "refresh_token");
    assert_eq!((&*form(1)["grant_type"], &*form(1)["scope"]), ("client_credentials", "announce:read"));
    assert_eq!((&*form(2)["token"], &*form(3)["token"]), ("canary-token", "canary-token"));
    assert_eq!(requests[4].header("authorization"), Some("Bearer canary-token"));
    assert!(requests[5..].iter().all(|request| request.header("authorization").is_none()));
    // Some servers answer a revocation with this API's envelope.
    answers(
        &server,
        Method::POST,
        "/oidc/token/revocation",
        200,
        json!({ "statusCode": 200, "message": "", "data": null }),
    );
    oidc.revoke(&token).await.unwrap();

    let url = oidc.log_out_url(Some(&token), Some("https://app.example.com/"), Some("s-1"));
    assert!(!format!("{url:?}").contains("canary"));
    let (path, query) = url.expose_secret().split_once('?').unwrap();
    assert_eq!(path, format!("{}/oidc/session/end", server.url()));
    let query = pairs(query);
    assert_eq!(
        (&*query["id_token_hint"], &*query["post_logout_redirect_uri"], &*query["state"]),
        ("canary-token", "https://app.example.com/", "s-1")
    );
}

#[tokio::test]
async fn a_failure_names_the_code_of_the_standard_and_repeats_no_secret() {
    let (server, oidc) = start().await;
    let body =
        json!({ "error": "invalid_grant", "error_description": "code canary-code of canary-verifier is used up" });
    answers(&server, Method::POST, "/oidc/token", 400, body);
    let error = oidc.exchange_code("canary-code", REDIRECT, Some("canary-verifier".into())).await.unwrap_err();
    assert_eq!((error.kind(), error.oauth_error(), error.attempts()), (ErrorKind::Api, Some("invalid_grant"), 1));
    assert_eq!(error.http_status().unwrap(), 400);
    let text = format!("{error} {error:?}");
    assert!(text.contains("oidc.token: the server answered `invalid_grant` (code [REDACTED] of [REDACTED] is used up); the code or token is used up"), "{text}");
    assert!(!text.contains("canary"), "{text}");

    let failing: [(u16, &str, ErrorKind, u32); 6] = [
        // A code can be used once, so it is sent once, whatever happens to it.
        (503, "<h1>canary-code</h1>", ErrorKind::Http, 1),
        (200, "<h1>canary-code</h1>", ErrorKind::Response, 1),
        (200, "{\"token_type\":\"Bearer\"}", ErrorKind::Response, 1),
        (200, "", ErrorKind::Response, 1),
        (200, "{\"statusCode\":401,\"message\":\"canary-code\",\"apiCode\":2011}", ErrorKind::Api, 1),
        (302, "", ErrorKind::Http, 1),
    ];
    for (status, body, kind, attempts) in failing {
        server.route(Method::POST, "/oidc/token", move |_| MockAnswer::http(status, "application/json", body));
        let error = oidc.exchange_code("canary-code", REDIRECT, None).await.unwrap_err();
        assert!(
            error.kind() == kind || status == 302 && error.kind() == ErrorKind::Redirect,
            "{status} {body}: {error}"
        );
        assert_eq!(error.attempts(), attempts, "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
    // A request that changes nothing is retried.
    server.route(Method::POST, "/oidc/token/introspection", |_| MockAnswer::http(503, "text/html", "busy"));
    let error: Error = oidc.introspect(&"t".into()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.is_retryable()), (ErrorKind::Http, 2, true));
}
