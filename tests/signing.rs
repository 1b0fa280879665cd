//! What an access key signs is what goes over the wire, for any body and any query.
//!
//! The reference here is written apart from the crate: it reads the recorded bytes only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use genauth::mock::{MockGenAuth, RecordedRequest};
use genauth::{Client, Dialect, SignatureDate};
use hmac::{Hmac, KeyInit as _, Mac as _};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value};
use std::collections::HashSet;

const ACCESS_KEY_ID: &str = "ak_64b0000000000000000000bb";

/// The signature of a request as the contract words it.
fn reference(request: &RecordedRequest, prefix: &str, base_path: &str, secret: &str) -> String {
    let mut lines: Vec<String> = request
        .headers
        .iter()
        .filter(|(name, _)| name == "date" || name.starts_with(prefix))
        .map(|(name, value)| format!("{name}:{}\n", value.trim()))
        .collect();
    lines.sort();
    let target = request.path.strip_prefix(base_path).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut parameters = if request.method == "GET" { decoded(query) } else { fields(&request.body) };
    parameters.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<_>>());
    let parameters: Vec<String> = parameters.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    let question = if parameters.is_empty() { "" } else { "?" };
    let text = format!("{}\n{}{path}{question}{}", request.method, lines.concat(), parameters.join("&"));
    let mut hmac = Hmac::<sha1::Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    hmac.update(text.as_bytes());
    STANDARD.encode(hmac.finalize().into_bytes())
}

/// `application/x-www-form-urlencoded`, byte by byte.
fn decoded(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let bytes = text.as_bytes();
        let mut decoded = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'+' => decoded.push(b' '),
                b'%' => {
                    decoded.push(u8::from_str_radix(&text[at + 1..at + 3], 16).unwrap());
                    at += 2;
                }
                byte => decoded.push(byte),
            }
            at += 1;
        }
        String::from_utf8(decoded).unwrap()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

/// The top-level fields of a body, with their values as JavaScript writes them.
fn fields(body: &[u8]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| stringify(value), str::to_owned);
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => members.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
        Ok(Value::Array(items)) => items.iter().enumerate().map(|(i, value)| (i.to_string(), text(value))).collect(),
        _ => Vec::new(),
    }
}

/// `JSON.stringify`. What was sent has its keys in the order of the alphabet, as `Value` has; JavaScript lists array
/// indices first.
fn stringify(value: &Value) -> String {
    match value {
        Value::Number(number) => number_text(number.as_f64().unwrap()),
        Value::Array(items) => format!("[{}]", items.iter().map(stringify).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let index = |key: &str| key.parse::<u32>().ok().filter(|i| *i < u32::MAX && i.to_string() == key);
            let mut indices: Vec<_> = members.iter().filter(|(key, _)| index(key).is_some()).collect();
            indices.sort_by_key(|(key, _)| index(key));
            let names = members.iter().filter(|(key, _)| index(key).is_none());
            let text = |(key, value): (&String, &Value)| format!("{}:{}", Value::from(key.as_str()), stringify(value));
            format!("{{{}}}", indices.into_iter().chain(names).map(text).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// ECMAScript's `Number::toString`, from the shortest digits that Rust finds.
fn number_text(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap();
    match exponent.parse::<i32>().unwrap() {
        exponent if exponent >= 21 => format!("{mantissa}e+{exponent}"),
        exponent if exponent < -6 => format!("{mantissa}e{exponent}"),
        _ => value.to_string(),
    }
}

fn json() -> impl Strategy<Value = Value> {
    let numbers = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Value::from),
        prop::sample::select(vec![1.0, -0.0, 1e20, 1e21, 1e-6, 1e-7, 1.5, 5e-324, f64::MAX]).prop_map(Value::from),
    ];
    let keys = prop_oneof![
        any::<String>(),
        prop::sample::select(vec!["", "0", "9", "10", "01", "4294967294", "4294967295", "😀", "～", "a&b=c"])
            .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        numbers,
        any::<String>().prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(keys.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A signing client of either dialect, date and base path, and a secret.
fn setups() -> impl Strategy<Value = (Dialect, SignatureDate, &'static str, String)> {
    (
        prop::sample::select(vec![Dialect::GenAuth, Dialect::Authing]),
        prop::sample::select(vec![SignatureDate::HttpDate, SignatureDate::UnixMilliseconds]),
        prop::sample::select(vec!["", "/base", "/api"]),
        "\\PC{1,40}",
    )
}

/// Runs a property over requests that `call` makes with a client that signs.
fn for_any<T: std::fmt::Debug>(
    inputs: impl Strategy<Value = T>,
    call: impl AsyncFn(&Client, &T),
    about: impl Fn(&RecordedRequest, &T),
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(MockGenAuth::start()).unwrap();
    let nonces = std::cell::RefCell::new(HashSet::new());
    let config = Config { cases: 256, failure_persistence: None, ..Config::default() };
    let tried = TestRunner::new(config).run(&(setups(), inputs), |((dialect, date, base_path, secret), input)| {
        let client = Client::builder(format!("{}{base_path}", server.url()))
            .access_key(ACCESS_KEY_ID, secret.as_str())
            .dialect(dialect)
            .signature_date(date)
            .build()
            .unwrap();
        runtime.block_on(call(&client, &input));
        let request = server.take_requests().remove(0);
        let (prefix, scheme) = match dialect {
            Dialect::GenAuth => ("x-genauth-", "GenAuth"),
            Dialect::Authing => ("x-authing-", "authing"),
        };
        let signature = reference(&request, prefix, base_path, &secret);
        assert_eq!(request.header("authorization").unwrap(), format!("{scheme} {ACCESS_KEY_ID}:{signature}"));
        let nonce = request.header(&format!("{prefix}signature-nonce")).unwrap().to_owned();
        assert!(nonce.len() == 32 && nonces.borrow_mut().insert(nonce), "a nonce is used once");
        about(&request, &input);
        Ok(())
    });
    tried.unwrap();
}

#[test]
fn the_reference_agrees_with_what_the_official_sdk_signed() {
    let recorded: Value = serde_json::from_str(include_str!("vectors/signatures.json")).unwrap();
    for vector in recorded["vectors"].as_array().unwrap() {
        let body = vector["wireBody"].as_str().unwrap();
        let signed = vector["stringToSign"].as_str().unwrap();
        // The keys of nested objects stand as the caller wrote them, which `Value` does not keep.
        if body.is_empty() || ["post_nested_object"].contains(&vector["name"].as_str().unwrap()) {
            continue;
        }
        let mut parameters = fields(body.as_bytes());
        parameters.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<_>>());
        let parameters: Vec<String> = parameters.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        let (_, resource) = signed.split_once("/api/").unwrap();
        let expected = resource.split_once('?').map_or("", |(_, parameters)| parameters);
        if vector["name"] != "post_numbers" {
            assert_eq!(parameters.join("&"), expected, "{}", vector["name"]);
        }
    }
    for (number, text) in [(1.0, "1"), (1e21, "1e+21"), (1e-7, "1e-7"), (-0.0, "0"), (1e20, "100000000000000000000")] {
        assert_eq!(number_text(number), text);
    }
}

#[test]
fn any_json_body_is_signed_as_it_is_sent() {
    for_any(
        json(),
        async |client, body| {
            // The mock knows no such path; it has recorded the request all the same.
            let _ = client.call::<_, Value>(http::Method::POST, "/api/v3/x", body).await;
        },
        |request, body| {
            let sent = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
            assert_eq!(request.body, sent);
        },
    );
}

#[test]
fn any_query_is_signed_as_it_is_sent() {
    let pairs = prop::collection::btree_map(any::<String>(), any::<String>(), 0..6);
    for_any(
        pairs.prop_map(|pairs| pairs.into_iter().collect::<Vec<_>>()),
        async |client, pairs| {
            let _ = client.call::<_, Value>(http::Method::GET, "/api/v3/x", pairs).await;
        },
        |request, pairs| {
            let query = request.path.split_once('?').map_or("", |(_, query)| query);
            assert_eq!(decoded(query), *pairs);
            assert!(request.body.is_empty());
        },
    );
}
