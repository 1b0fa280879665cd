//! What an access key signs is what goes over the wire, for any body and any query.
//!
//! The signature is computed a second time, from the recorded bytes, by a reference that shares no code with the crate:
//! it reads JSON itself, because serde_json's reading of numbers depends on the features of the whole build.

#[path = "common/signature.rs"]
mod reference;

use genauth::mock::{MockGenAuth, RecordedRequest};
use genauth::{Client, Dialect, Language, SignatureDate};
use http::{Method, StatusCode};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseResult, TestError, TestRunner};
use serde::Serialize;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Debug;
use std::time::{Duration, SystemTime};

/// Recorded from the official Node SDK, with nonce and date pinned.
const VECTORS: &str = include_str!("vectors/signatures.json");

/// The vector that is not followed: Node sends a GET's arrays in brackets but signs them as JSON, and here what is sent
/// is what is signed.
const LEFT_OUT: &str = "get_query_array_and_object";

const PATH: &str = "/api/v3/x";

#[test]
fn the_reference_signs_as_the_official_sdk_did_in_every_recorded_vector_but_the_one_left_out() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 18);
    for vector in vectors {
        let text = |key: &str| vector[key].as_str().unwrap_or_else(|| panic!("{key} of {}", vector["name"]));
        let options = &vector["options"];
        let mut headers = vec![
            ("x-authing-signature-version", "1.0"),
            ("x-authing-signature-nonce", text("nonce")),
            ("x-authing-signature-method", "HMAC-SHA1"),
            ("x-authing-sdk-version", "authing-node-sdk:4.0.1"),
            ("x-authing-lang", options["lang"].as_str().unwrap_or("zh-CN")),
            ("date", text("date")),
            ("content-type", "application/json"),
        ];
        // Node sends the tenant in this header.
        headers.extend(options["tenantId"].as_str().map(|tenant| ("x-authing-app-id", tenant)));
        let headers: Vec<_> = headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let target = text("wireRequestLine").split(' ').nth(1).unwrap();
        let signed = reference::string_to_sign(text("method"), target, &headers, text("wireBody"), "x-authing-");
        let alike = text("name") != LEFT_OUT;
        assert_eq!(signed == text("stringToSign"), alike, "{}", text("name"));
        let signature = reference::sign(&signed, text("accessKeySecret"));
        assert_eq!(signature == text("signature"), alike, "{}", text("name"));
    }
}

#[test]
fn the_reference_writes_json_as_node_does() {
    for (json, stringified) in [
        (
            "[1.0,-0.0,0.5,-12.5,1e20,123456789012345678901,1e21]",
            "[1,0,0.5,-12.5,100000000000000000000,123456789012345680000,1e+21]",
        ),
        (
            "[0.000001,1.5e-6,1e-7,1.25e-7,5e-324,1.7976931348623157e308]",
            "[0.000001,0.0000015,1e-7,1.25e-7,5e-324,1.7976931348623157e+308]",
        ),
        (
            "[9007199254740993,18446744073709551615,-9223372036854775808]",
            "[9007199254740992,18446744073709552000,-9223372036854776000]",
        ),
        (
            "[0.9767130503302537,1384260683622967.25,3e-96,-1e-97]",
            "[0.9767130503302537,1384260683622967.2,3e-96,-1e-97]",
        ),
        (
            r#"{"b":1,"10":2,"9":3,"01":4,"":5,"4294967295":6,"4294967294":7,"-1":8,"0":9}"#,
            r#"{"0":9,"9":3,"10":2,"4294967294":7,"b":1,"01":4,"":5,"4294967295":6,"-1":8}"#,
        ),
        (
            r#" [ "\u0041\ud83d\ude00\/\"\\\b\f\n\r\t\u0001\u001F\u007f\u2028" , { "a" : null } ] "#,
            "[\"A😀/\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\u{7f}\u{2028}\",{\"a\":null}]",
        ),
        (r#"{"b":1,"a":2,"b":3}"#, r#"{"b":3,"a":2}"#),
    ] {
        assert_eq!(reference::stringify(&reference::parse(json)), stringified, "{json}");
    }
}

/// Any Unicode text; characters that JSON, URLs or JavaScript treat specially come more often than by chance.
fn text() -> impl Strategy<Value = String> {
    let special = "[\"\\\\/\u{0}-\u{1f}\u{7f}\u{85}\u{2028}\u{2029}\u{feff}😀～é張 +&=%#?\\[\\]{}:,0-9]{0,8}";
    prop_oneof![any::<String>(), special]
}

fn key() -> impl Strategy<Value = String> {
    let special: &[_] = &[
        "",
        "0",
        "9",
        "10",
        "01",
        "00",
        "-0",
        "-1",
        "+1",
        "1.0",
        "1e3",
        " 1",
        "１",
        "4294967294",
        "4294967295",
        "4294967296",
        "18446744073709551616",
        "a",
        "B",
        "_",
        "～",
        "😀",
        "__proto__",
        "toJSON",
        "length",
    ];
    prop_oneof![text(), select(special).prop_map(str::to_owned), any::<u32>().prop_map(|index| index.to_string())]
}

fn number() -> impl Strategy<Value = Value> {
    let special: &[_] = &[
        1.0,
        -0.0,
        0.1,
        -1.5,
        1e20,
        1e21,
        1.5e21,
        -1e21,
        1e-6,
        1e-7,
        1.25e-7,
        3e-96,
        5e-324,
        f64::MIN_POSITIVE,
        f64::MAX,
        9_007_199_254_740_993.0,
        123_456_789_012_345_680_000.0,
        0.976_713_050_330_253_7,
    ];
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        // Any finite number: zero, subnormal or normal, of either sign.
        (prop::num::f64::ZERO
            | prop::num::f64::SUBNORMAL
            | prop::num::f64::NORMAL
            | prop::num::f64::NEGATIVE
            | prop::num::f64::POSITIVE)
            .prop_map(Value::from),
        (0.0..1000.0).prop_map(|number: f64| Value::from(number)),
        select(special).prop_map(Value::from),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        3 => number(),
        3 => text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key(), inner, 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// A body: most often an object, as bodies are, and sometimes any other value.
fn body() -> impl Strategy<Value = Value> {
    let object = prop::collection::btree_map(key(), json(), 0..8).prop_map(|members| members.into_iter().collect());
    prop_oneof![2 => object, 1 => json()]
}

/// Who signs, and how.
#[derive(Clone, Debug)]
struct Signer {
    id: String,
    secret: String,
    tenant_id: Option<String>,
    dialect: Dialect,
    language: Language,
    date: SignatureDate,
    milliseconds: u64,
    /// The path of the host as it is written, and as it goes over the wire.
    base_path: (&'static str, &'static str),
}

fn signer() -> impl Strategy<Value = Signer> {
    let base_paths: &[_] = &[
        ("", ""),
        ("/", ""),
        ("/base", "/base"),
        ("/api/", "/api"),
        ("/api/v3/x", "/api/v3/x"),
        ("/ü b", "/%C3%BC%20b"),
    ];
    (
        "[!-~]([ -~]{0,20}[!-~])?",
        // HMAC replaces a secret of more than 64 characters with its digest.
        prop_oneof!["[ -~]{1,100}", "\\PC{1,20}"],
        prop::option::of("[ -~]{0,3}[!-~][ -~]{0,10}"),
        select(vec![Dialect::GenAuth, Dialect::Authing]),
        select(vec![Language::SimplifiedChinese, Language::English, Language::Japanese]),
        select(vec![SignatureDate::HttpDate, SignatureDate::UnixMilliseconds]),
        0..253_402_300_800_000_u64,
        select(base_paths),
    )
        .prop_map(|(id, secret, tenant_id, dialect, language, date, milliseconds, base_path)| Signer {
            id,
            secret,
            tenant_id,
            dialect,
            language,
            date,
            milliseconds,
            base_path,
        })
}

impl Signer {
    fn client(&self, server: &MockGenAuth) -> Client {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(self.milliseconds);
        let mut builder = Client::builder(format!("{}{}", server.url(), self.base_path.0))
            .access_key(self.id.as_str(), self.secret.as_str())
            .dialect(self.dialect)
            .language(self.language)
            .signature_date(self.date)
            .clock(move || now);
        if let Some(tenant_id) = &self.tenant_id {
            builder = builder.tenant_id(tenant_id.as_str());
        }
        builder.build().unwrap()
    }

    /// Checks what was received. Returns the nonce.
    fn check(&self, request: &RecordedRequest) -> Result<String, TestCaseError> {
        let (prefix, scheme) = match self.dialect {
            Dialect::GenAuth => ("x-genauth-", "GenAuth"),
            Dialect::Authing => ("x-authing-", "authing"),
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        let header = |name: &str| request.header(name).ok_or_else(|| TestCaseError::fail(format!("no {name}")));
        let target = request.path.strip_prefix(self.base_path.1).unwrap_or_default();
        prop_assert_eq!(target.split('?').next(), Some(PATH), "outside of the base path: {}", request.path);

        let body = std::str::from_utf8(&request.body).unwrap();
        let signed = reference::string_to_sign(&request.method, target, &request.headers, body, prefix);
        let signature = reference::sign(&signed, &self.secret);
        let expected = format!("{scheme} {}:{signature}", self.id);
        prop_assert_eq!(header("authorization")?, expected, "the server would sign {:?}", signed);

        let date = header("date")?;
        match self.date {
            SignatureDate::UnixMilliseconds => prop_assert_eq!(date, self.milliseconds.to_string()),
            _ => prop_assert!(date.len() == 29 && date.ends_with(" GMT"), "not an HTTP date: {}", date),
        }
        if let Some(tenant_id) = &self.tenant_id {
            prop_assert_eq!(header(&format!("{prefix}app-tenant-id"))?, tenant_id.trim_matches(' '));
        }
        let nonce = header(&format!("{prefix}signature-nonce"))?;
        let hex = nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit());
        prop_assert!(hex, "not 32 hex digits: {}", nonce);
        Ok(nonce.to_owned())
    }
}

/// Lets any signer send any content with `call`, checks the signature of what arrives, and then calls `check`.
fn for_any<T: Debug, Req: Serialize + ?Sized>(
    method: &Method,
    contents: impl Strategy<Value = T>,
    content: impl Fn(&T) -> &Req,
    check: impl Fn(&T, &RecordedRequest) -> TestCaseResult,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(MockGenAuth::start()).unwrap();
    let nonces = RefCell::new(HashSet::new());
    let config = Config { cases: 256, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&(signer(), contents), |(signer, sent)| {
        let client = signer.client(&server);
        let answer = runtime.block_on(client.call::<_, Value>(method.clone(), PATH, content(&sent)).into_future());
        // The mock has no such endpoint, but it has recorded the request.
        let error = answer.err().ok_or_else(|| TestCaseError::fail("an answer from nowhere"))?;
        prop_assert_eq!(error.http_status(), Some(StatusCode::NOT_FOUND), "{}", error);
        let requests = server.take_requests();
        prop_assert_eq!(requests.len(), 1);
        let nonce = signer.check(&requests[0])?;
        prop_assert!(nonces.borrow_mut().insert(nonce), "a nonce was used twice");
        check(&sent, &requests[0])
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, (signer, sent))) => panic!("{reason}\nsigner: {signer:?}\nsent: {sent:?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

#[test]
fn any_body_is_signed_as_it_is_sent() {
    for_any(
        &Method::POST,
        body(),
        |body| body,
        |body, request| {
            // `null` is how `call` is told that there is no body.
            let expected = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
            prop_assert_eq!(&request.body[..], &expected[..]);
            Ok(())
        },
    );
}

#[test]
fn any_number_is_signed_as_it_is_sent() {
    let numbers = prop::collection::vec(number(), 0..64);
    for_any(
        &Method::POST,
        numbers,
        |numbers| &numbers[..],
        |numbers, request| {
            prop_assert_eq!(&request.body[..], &serde_json::to_vec(numbers).unwrap()[..]);
            Ok(())
        },
    );
}

#[test]
fn any_query_is_signed_as_it_is_sent() {
    let pairs =
        prop::collection::btree_map(key(), text(), 0..8).prop_map(|pairs: BTreeMap<_, _>| Vec::from_iter(pairs));
    for_any(
        &Method::GET,
        pairs.prop_shuffle(),
        |pairs| &pairs[..],
        |pairs, request| {
            let query = request.path.split_once('?').map_or("", |(_, query)| query);
            prop_assert_eq!(&reference::pairs(query), pairs);
            prop_assert!(request.body.is_empty());
            Ok(())
        },
    );
}

/// The query of a DELETE, which the signature does not cover, has to arrive whole as well.
#[test]
fn any_nested_query_is_signed_as_it_is_sent() {
    for method in [Method::GET, Method::DELETE] {
        let fields = prop::collection::btree_map(key(), json(), 0..8);
        for_any(
            &method,
            fields,
            |fields| fields,
            |fields, request| {
                let query = request.path.split_once('?').map_or("", |(_, query)| query);
                let names = reference::pairs(query).into_iter().map(|(name, _)| name);
                let known = |name: &String| fields.keys().any(|field| name.starts_with(field.as_str()));
                prop_assert!(names.into_iter().all(|name| known(&name)), "{}", query);
                prop_assert!(request.body.is_empty() && request.header("content-type").is_none());
                Ok(())
            },
        );
    }
}

#[test]
fn any_body_of_a_put_is_signed_as_it_is_sent() {
    for_any(
        &Method::PUT,
        body().prop_filter("which is not a body", |body| !body.is_null()),
        |body| body,
        |body, request| {
            prop_assert_eq!(&request.body[..], &serde_json::to_vec(body).unwrap()[..]);
            Ok(())
        },
    );
}
