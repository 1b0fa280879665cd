//! Tokens that are good, and tokens that somebody would like to pass for good.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::oidc::TokenVerifier;
use genauth::{Error, ErrorKind, SecretString};
use http::Method;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const APP_ID: &str = MockGenAuth::APP_ID;
const APP_SECRET: &str = MockGenAuth::APP_SECRET;
const RSA: &str = include_str!("vectors/jwt_rsa.pem");
const OTHER_RSA: &str = include_str!("vectors/jwt_rsa_of_another.pem");
const SHORT_RSA: &str = include_str!("vectors/jwt_rsa_short.pem");
const EC: &str = include_str!("vectors/jwt_ec.pem");
const ED: &str = include_str!("vectors/jwt_ed.pem");

fn rsa(pem: &str) -> EncodingKey {
    EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
}

fn jwk(key: &EncodingKey, algorithm: Algorithm, id: &str) -> Value {
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(key, algorithm).unwrap()).unwrap();
    (jwk["kid"], jwk["use"]) = (json!(id), json!("sig"));
    jwk
}

/// The keys that the server publishes.
fn all_keys() -> Value {
    let _ = jsonwebtoken::crypto::CryptoProvider::install_default(&jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER);
    let mut for_encryption = jwk(&rsa(OTHER_RSA), Algorithm::RS256, "encryption");
    for_encryption["use"] = json!("enc");
    json!({ "keys": [
        jwk(&rsa(RSA), Algorithm::RS256, "rsa"),
        jwk(&EncodingKey::from_ec_pem(EC.as_bytes()).unwrap(), Algorithm::ES256, "ec"),
        jwk(&EncodingKey::from_ed_pem(ED.as_bytes()).unwrap(), Algorithm::EdDSA, "ed"),
        jwk(&rsa(SHORT_RSA), Algorithm::RS256, "short"),
        for_encryption,
        { "kty": "oct", "kid": "oct", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode("everybody knows it") },
        { "kty": "new", "kid": "of the future" },
    ]})
}

/// A server that publishes these keys, and counts how often they are fetched.
struct Server {
    mock: MockGenAuth,
    keys: Arc<Mutex<Value>>,
}

impl Server {
    async fn start() -> Self {
        let mock = MockGenAuth::start().await.unwrap();
        let keys = Arc::new(Mutex::new(all_keys()));
        let served = Arc::clone(&keys);
        mock.route(Method::GET, "/oidc/.well-known/jwks.json", move |_| {
            MockAnswer::http(200, "application/json", served.lock().unwrap().to_string())
        });
        Self { mock, keys }
    }

    fn verifier(&self) -> TokenVerifier {
        let client = self.mock.client_builder().app(APP_ID, APP_SECRET).retries(1).build().unwrap();
        client.oidc().verifier().unwrap()
    }

    fn issuer(&self) -> String {
        format!("{}/oidc", self.mock.url())
    }

    fn claims(&self) -> Map<String, Value> {
        let now = now();
        let claims = json!({
            "sub": "user-1", "iss": self.issuer(), "aud": APP_ID, "exp": now + 600, "iat": now - 1, "scope": "openid",
        });
        claims.as_object().unwrap().clone()
    }

    fn with(&self, name: &str, value: impl Into<Value>) -> Map<String, Value> {
        let mut claims = self.claims();
        claims.insert(name.to_owned(), value.into());
        claims
    }

    fn without(&self, name: &str) -> Map<String, Value> {
        let mut claims = self.claims();
        claims.remove(name).unwrap();
        claims
    }

    fn fetches(&self) -> usize {
        self.mock.take_requests().len()
    }
}

fn now() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64
}

fn signed(algorithm: Algorithm, id: Option<&str>, key: &EncodingKey, claims: &Map<String, Value>) -> String {
    let mut header = Header::new(algorithm);
    header.kid = id.map(str::to_owned);
    encode(&header, claims, key).unwrap()
}

fn by_rsa(claims: &Map<String, Value>) -> String {
    signed(Algorithm::RS256, Some("rsa"), &rsa(RSA), claims)
}

/// Signs these texts, as the first two parts of a token, with the server's RSA key.
fn by_rsa_as_it_is(header: &str, claims: &str) -> String {
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = jsonwebtoken::crypto::sign(text.as_bytes(), &rsa(RSA), Algorithm::RS256).unwrap();
    format!("{text}.{signature}")
}

fn unsigned(header: &Value, claims: &Map<String, Value>, signature: &str) -> String {
    let part = |value: String| URL_SAFE_NO_PAD.encode(value);
    format!("{}.{}.{signature}", part(header.to_string()), part(Value::from(claims.clone()).to_string()))
}

async fn access(verifier: &TokenVerifier, token: impl Into<SecretString>) -> Result<String, Error> {
    verifier.access_token(&token.into()).await.map(|claims| claims.sub)
}

#[tokio::test]
async fn good_tokens_are_good() {
    let server = Server::start().await;
    let verifier = server.verifier();
    let (ec, ed) = (EncodingKey::from_ec_pem(EC.as_bytes()).unwrap(), EncodingKey::from_ed_pem(ED.as_bytes()).unwrap());
    for token in [
        by_rsa(&server.claims()),
        signed(Algorithm::ES256, Some("ec"), &ec, &server.claims()),
        signed(Algorithm::EdDSA, Some("ed"), &ed, &server.claims()),
        // Without a `kid` it is clear which key is meant, since only one is for this algorithm.
        signed(Algorithm::ES256, None, &ec, &server.claims()),
        by_rsa(&server.with("aud", json!(["another", APP_ID]))),
        by_rsa(&server.with("exp", now() as f64 + 10.5)),
    ] {
        assert_eq!(access(&verifier, token).await.unwrap(), "user-1");
    }
    assert_eq!(server.fetches(), 1);

    let mut claims = server.with("nonce", "n-1");
    claims.insert("email".to_owned(), json!("zhang@example.com"));
    let said = verifier.id_token(&by_rsa(&claims).into(), Some("n-1")).await.unwrap();
    assert_eq!((said.aud, said.scope.as_deref()), (vec![APP_ID.to_owned()], Some("openid")));
    assert_eq!(said.others["email"], "zhang@example.com");

    let by_secret = signed(Algorithm::HS256, None, &EncodingKey::from_secret(APP_SECRET.as_bytes()), &server.claims());
    assert_eq!(access(&verifier.clone().hs256(APP_SECRET), by_secret).await.unwrap(), "user-1");
    let of_domain = by_rsa(&server.with("iss", "https://id.example.com/oidc"));
    assert!(access(&verifier.clone().issuer("https://id.example.com/oidc"), of_domain).await.is_ok());
    assert!(access(&verifier.clone().audience("api"), by_rsa(&server.with("aud", "api"))).await.is_ok());
}

#[tokio::test]
async fn hostile_tokens_are_refused() {
    let server = Server::start().await;
    let verifier = server.verifier();
    let (good, claims) = (by_rsa(&server.claims()), server.claims());
    let parts: Vec<&str> = good.split('.').collect();
    let secret = |secret: &[u8]| EncodingKey::from_secret(secret);
    let public = std::process::Command::new("openssl")
        .args(["rsa", "-pubout", "-in", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/jwt_rsa.pem")])
        .output();
    let public = public.map(|output| output.stdout).unwrap_or_default();
    assert!(!public.is_empty() || std::env::var_os("GENAUTH_CI").is_none(), "CI has OpenSSL");
    let modulus = all_keys()["keys"][0]["n"].as_str().unwrap().to_owned();
    let mut embedded = Header::new(Algorithm::RS256);
    embedded.jwk = Some(Jwk::from_encoding_key(&rsa(OTHER_RSA), Algorithm::RS256).unwrap());
    let mut linked = Header::new(Algorithm::RS256);
    (linked.jku, linked.kid) = (Some("https://evil.example/jwks.json".to_owned()), Some("evil".to_owned()));
    let text = Value::from(claims.clone()).to_string();
    let with_kid = |id: &str| signed(Algorithm::RS256, Some(id), &rsa(OTHER_RSA), &claims);
    let rs256 = r#"{"alg":"RS256","kid":"rsa","typ":"JWT"}"#;
    let hostile: Vec<(&str, String)> = vec![
        ("no algorithm", unsigned(&json!({ "alg": "none", "typ": "JWT" }), &claims, "")),
        ("no algorithm, with a signature", unsigned(&json!({ "alg": "none" }), &claims, parts[2])),
        ("no algorithm, capital", unsigned(&json!({ "alg": "None" }), &claims, "")),
        ("no algorithm, mixed", unsigned(&json!({ "alg": "nOnE", "kid": "rsa" }), &claims, parts[2])),
        ("an algorithm that is null", unsigned(&json!({ "alg": null, "kid": "rsa" }), &claims, parts[2])),
        ("no word of an algorithm", unsigned(&json!({ "kid": "rsa" }), &claims, parts[2])),
        ("a list of algorithms", unsigned(&json!({ "alg": ["RS256"], "kid": "rsa" }), &claims, parts[2])),
        ("the public key as a secret", signed(Algorithm::HS256, Some("rsa"), &secret(&public), &claims)),
        ("the modulus as a secret", signed(Algorithm::HS256, Some("rsa"), &secret(modulus.as_bytes()), &claims)),
        ("the app's secret, unasked", signed(Algorithm::HS256, None, &secret(APP_SECRET.as_bytes()), &claims)),
        ("an empty secret", signed(Algorithm::HS256, None, &secret(b""), &claims)),
        ("a secret among the keys", signed(Algorithm::HS256, Some("oct"), &secret(b"everybody knows it"), &claims)),
        ("HS512", signed(Algorithm::HS512, Some("rsa"), &secret(APP_SECRET.as_bytes()), &claims)),
        ("another's key with our id", with_kid("rsa")),
        ("an id that is unknown", with_kid("evil")),
        ("the id of a key of another kind", with_kid("ec")),
        ("a key for encryption", with_kid("encryption")),
        ("a key that is too short", signed(Algorithm::RS256, Some("short"), &rsa(SHORT_RSA), &claims)),
        ("an empty id", with_kid("")),
        ("no id, another's key", signed(Algorithm::RS256, None, &rsa(OTHER_RSA), &claims)),
        ("another algorithm than the key's", signed(Algorithm::RS512, Some("rsa"), &rsa(RSA), &claims)),
        ("another padding than the key's", signed(Algorithm::PS256, Some("rsa"), &rsa(RSA), &claims)),
        ("a key in the header", encode(&embedded, &claims, &rsa(OTHER_RSA)).unwrap()),
        ("a URL of keys in the header", encode(&linked, &claims, &rsa(OTHER_RSA)).unwrap()),
        ("an extension", by_rsa_as_it_is(r#"{"alg":"RS256","kid":"rsa","crit":["exp"]}"#, &text)),
        (
            "an extension that turns base64 off",
            by_rsa_as_it_is(r#"{"alg":"RS256","kid":"rsa","b64":false,"crit":["b64"]}"#, &text),
        ),
        ("expired", by_rsa(&server.with("exp", now() - 1))),
        ("expired now", by_rsa(&server.with("exp", now()))),
        ("no expiry", by_rsa(&server.without("exp"))),
        ("an expiry that is a text", by_rsa(&server.with("exp", (now() + 600).to_string()))),
        ("an expiry that is null", by_rsa(&server.with("exp", Value::Null))),
        ("an expiry below all time", by_rsa(&server.with("exp", i64::MIN))),
        ("an expiry beyond numbers", by_rsa_as_it_is(rs256, &text.replacen("\"exp\":", "\"exp\":1e999,\"x\":", 1))),
        ("an expiry twice", by_rsa_as_it_is(rs256, &text.replacen('{', "{\"exp\":1,", 1))),
        ("not good yet", by_rsa(&server.with("nbf", now() + 60))),
        ("not good yet, a text", by_rsa(&server.with("nbf", "tomorrow"))),
        ("issued tomorrow", by_rsa(&server.with("iat", now() + 86_400))),
        ("another issuer", by_rsa(&server.with("iss", "https://evil.example/oidc"))),
        ("nearly the issuer", by_rsa(&server.with("iss", format!("{}/", server.issuer())))),
        ("the issuer in capitals", by_rsa(&server.with("iss", server.issuer().to_uppercase()))),
        ("no issuer", by_rsa(&server.without("iss"))),
        ("a list of issuers", by_rsa(&server.with("iss", json!([server.issuer()])))),
        ("another application", by_rsa(&server.with("aud", "another"))),
        ("no application", by_rsa(&server.without("aud"))),
        ("an empty list of applications", by_rsa(&server.with("aud", json!([])))),
        ("other applications", by_rsa(&server.with("aud", json!(["a", "b", format!("{APP_ID}x")])))),
        ("an application that is an object", by_rsa(&server.with("aud", json!({ "id": APP_ID })))),
        ("nobody", by_rsa(&server.with("sub", ""))),
        ("no word of whom", by_rsa(&server.without("sub"))),
        ("a number for a user", by_rsa(&server.with("sub", 1))),
        ("an id token", by_rsa(&server.with("nonce", "n-1"))),
        ("an id token of the implicit flow", by_rsa(&server.with("at_hash", "x"))),
        (
            "claims that were changed",
            [parts[0], &URL_SAFE_NO_PAD.encode(text.replace("user-1", "admin")), parts[2]].join("."),
        ),
        (
            "a header that was changed",
            [&URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"rsa"}"#), parts[1], parts[2]].join("."),
        ),
        ("half a signature", [parts[0], parts[1], &parts[2][..100]].join(".")),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        (
            "a signature of zeros",
            unsigned(&json!({ "alg": "ES256", "kid": "ec" }), &claims, &URL_SAFE_NO_PAD.encode([0; 64])),
        ),
        (
            "a signature in ASN.1",
            unsigned(
                &json!({ "alg": "ES256", "kid": "ec" }),
                &claims,
                &URL_SAFE_NO_PAD.encode([0x30, 6, 2, 1, 1, 2, 1, 1]),
            ),
        ),
        ("two parts", parts[..2].join(".")),
        ("four parts", format!("{good}.x")),
        ("five parts", format!("{good}.x.y")),
        ("padding", [&URL_SAFE.encode(r#"{"alg":"RS256","kid":"rsa"}"#), parts[1], parts[2]].join(".") + "=="),
        ("a space before it", format!(" {good}")),
        ("a line after it", format!("{good}\n")),
        ("the word before it", format!("Bearer {good}")),
        ("nothing", String::new()),
        ("points", "..".to_owned()),
        ("not base64", "é.é.é".to_owned()),
        ("not JSON", by_rsa_as_it_is("RS256", &text)),
        ("a header that is a list", by_rsa_as_it_is("[\"RS256\"]", &text)),
        ("a header as deep as a stack", by_rsa_as_it_is(&"[".repeat(5000), &text)),
        ("claims that are a list", by_rsa_as_it_is(rs256, "[]")),
        ("claims that are a text", by_rsa_as_it_is(rs256, "\"user-1\"")),
        ("claims that are not text at all", by_rsa_as_it_is(rs256, "\u{0}")),
        ("megabytes", format!("{}.{}.{}", parts[0], "A".repeat(4 << 20), parts[2])),
        ("megabytes of points", ".".repeat(4 << 20)),
    ];
    println!("{} hostile tokens", hostile.len());
    for (what, token) in hostile {
        let error = match access(&verifier, token.clone()).await {
            Ok(_) => panic!("{what} was taken"),
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::InvalidToken, "{what}: {error}");
        assert!(token.len() < 20 || !error.to_string().contains(&token), "{what}: {error}");
        assert!(!error.is_retryable(), "{what}");
        // With `hs256`, tokens that are signed with the secret are accepted as well, and no others.
        let taken = access(&verifier.clone().hs256(APP_SECRET), token).await.is_ok();
        assert_eq!(taken, what == "the app's secret, unasked", "{what}");
    }
    assert!(server.fetches() <= 2, "ids that are unknown cost no request each");
    assert_eq!(access(&verifier, good).await.unwrap(), "user-1");
}

#[tokio::test]
async fn an_id_token_is_for_this_sign_in_and_this_application() {
    let server = Server::start().await;
    let verifier = server.verifier();
    let check =
        async |claims: &Map<String, Value>, nonce| verifier.id_token(&by_rsa(claims).into(), nonce).await.map(drop);
    let claims = server.with("nonce", "n-1");
    check(&claims, Some("n-1")).await.unwrap();
    check(&claims, None).await.unwrap();
    for (claims, nonce, says) in [
        (claims, Some("n-2"), "`nonce`"),
        (server.claims(), Some("n-1"), "`nonce`"),
        (server.with("azp", "another"), None, "`azp`"),
        (server.with("aud", json!([APP_ID, "another"])), None, "`azp`"),
    ] {
        let error = check(&claims, nonce).await.unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidToken && error.to_string().contains(says), "{error}");
    }
    let mut claims = server.with("aud", json!([APP_ID, "another"]));
    claims.insert("azp".to_owned(), json!(APP_ID));
    check(&claims, None).await.unwrap();
    let token =
        by_rsa_as_it_is(r#"{"alg":"RS256","kid":"rsa","typ":"at+jwt"}"#, &Value::from(server.claims()).to_string());
    assert!(access(&verifier, token.clone()).await.is_ok());
    let error = verifier.id_token(&token.into(), None).await.unwrap_err();
    assert!(error.to_string().contains("it is an access token"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn keys_are_kept_and_those_that_are_new_are_found() {
    let server = Server::start().await;
    let (verifier, good) = (server.verifier(), by_rsa(&server.claims()));
    let many = (0..10).map(|_| {
        let (verifier, token) = (verifier.clone(), good.clone());
        tokio::spawn(async move { access(&verifier, token).await })
    });
    for one in many.collect::<Vec<_>>() {
        one.await.unwrap().unwrap();
    }
    assert_eq!(server.fetches(), 1);

    // The server has a new key, which is fetched as soon as half a minute has passed.
    let new = signed(Algorithm::RS256, Some("new"), &rsa(OTHER_RSA), &server.claims());
    *server.keys.lock().unwrap() = json!({ "keys": [jwk(&rsa(OTHER_RSA), Algorithm::RS256, "new")] });
    assert!(access(&verifier, new.clone()).await.is_err());
    assert_eq!(server.fetches(), 0);
    tokio::time::advance(Duration::from_secs(31)).await;
    access(&verifier, new.clone()).await.unwrap();
    let error = access(&verifier, good.clone()).await.unwrap_err();
    assert!(error.to_string().contains("no key that it names"), "the old one is gone: {error}");
    assert_eq!(server.fetches(), 1);

    // While the server cannot be asked, the known keys do for a day; it is tried every few seconds, and nobody waits
    // for that.
    server.mock.on_path("/oidc/.well-known/jwks.json").answer_always(MockAnswer::http(503, "text/html", "busy"));
    tokio::time::advance(Duration::from_secs(3601)).await;
    let mut seconds = 0;
    while server.mock.requests().len() < 6 {
        access(&verifier, new.clone()).await.unwrap();
        tokio::time::advance(Duration::from_millis(100)).await;
        seconds += 1;
    }
    assert!((40..300).contains(&seconds), "each of three with one more: {seconds}");
    server.fetches();
    let error = access(&verifier, good.clone()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Http, true), "nobody can tell: {error}");
    tokio::time::advance(Duration::from_secs(24 * 3600)).await;
    assert_eq!(access(&verifier, new.clone()).await.unwrap_err().kind(), ErrorKind::Http);
    server.mock.on_path("/oidc/.well-known/jwks.json").answer_as_usual();
    tokio::time::advance(Duration::from_secs(6)).await;
    access(&verifier, new).await.unwrap();
}

/// A token that names an unknown key makes the server be asked, and it hangs: callers with good tokens do not wait for
/// that.
#[tokio::test]
async fn nobody_waits_for_a_key_that_another_names() {
    let server = Server::start().await;
    let (verifier, good) = (server.verifier(), by_rsa(&server.claims()));
    tokio::time::pause();
    access(&verifier, good.clone()).await.unwrap();
    tokio::time::advance(Duration::from_secs(31)).await;
    server
        .mock
        .on_path("/oidc/.well-known/jwks.json")
        .answer_always(MockAnswer::proceed().delay(Duration::from_secs(9)));
    let unknown = signed(Algorithm::RS256, Some("unknown"), &rsa(OTHER_RSA), &server.claims());
    let waiting = tokio::spawn({
        let verifier = verifier.clone();
        async move { access(&verifier, unknown).await }
    });
    // If the idle connection was closed meanwhile, it takes one more pause.
    while server.mock.requests().len() < 2 {
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    let begin = tokio::time::Instant::now();
    access(&verifier, good).await.unwrap();
    assert_eq!((begin.elapsed(), waiting.is_finished()), (Duration::ZERO, false));
    assert_eq!(waiting.await.unwrap().unwrap_err().kind(), ErrorKind::InvalidToken);
}

#[tokio::test]
async fn what_is_no_set_of_keys_is_an_error() {
    let server = Server::start().await;
    for (keys, kind) in [
        (json!([]), ErrorKind::Response),
        (json!({ "keys": 1 }), ErrorKind::Response),
        (json!({ "keys": [1] }), ErrorKind::InvalidToken),
    ] {
        *server.keys.lock().unwrap() = keys;
        assert_eq!(access(&server.verifier(), by_rsa(&server.claims())).await.unwrap_err().kind(), kind);
    }
}
