//! What is tried with inputs that nobody thought of. Each function takes any bytes and panics on a finding; the fuzz
//! targets run them, and so does `tests/fuzzing.rs`, with the committed corpus.

#[allow(dead_code, reason = "shared with the tests of signatures, which use all of it")]
#[path = "../../tests/common/signature.rs"]
mod reference;

use genauth::types::GetWechatAccessTokenDataDto;
use genauth::{Error, Response, SecretString, UnixTimestamp, fuzzing};
use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use std::time::{Duration, UNIX_EPOCH};
use std::{fs, path::PathBuf};

/// 2026-11-21T08:53:20Z
const NOW: Duration = Duration::from_secs(1_795_251_200);

/// The first byte chooses the HTTP status, the rest is the body of the answer.
pub fn envelope(data: &[u8]) {
    const STATUSES: [u16; 8] = [200, 201, 204, 400, 401, 404, 429, 503];
    const SECRET: &str = "s3cr3t";
    let Some((first, body)) = data.split_first() else { return };
    let status = StatusCode::from_u16(STATUSES[usize::from(*first) % STATUSES.len()]).unwrap();
    let secret = SecretString::from(SECRET);
    let any: Result<Response<Value>, Error> = fuzzing::answer(status, body, &secret);
    let token: Result<Response<GetWechatAccessTokenDataDto>, Error> = fuzzing::answer(status, body, &secret);
    for error in [any.as_ref().err(), token.as_ref().err()].into_iter().flatten() {
        let shown = error.to_string();
        assert!(!shown.contains(char::is_control) && shown.chars().count() < 2000, "{shown:?}");
        let shown = format!("{shown} {error:?} {:?}", error.server_message());
        assert!(!shown.contains(SECRET), "{shown}");
        assert_eq!(error.http_status(), Some(status));
        assert!(error.body().is_some_and(|kept| kept == body));
    }
    assert!(any.is_ok() || token.is_err(), "what is a token is any JSON");
    let Ok(any) = any else { return };
    assert!(status.is_success() && any.status_code() == 200);
    if let Ok(whole) = serde_json::from_slice::<Value>(body) {
        assert_eq!(whole["data"], *any);
        let again = serde_json::to_vec(&any).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&again).unwrap()["data"], whole["data"]);
    }
}

/// The input is JSON.
pub fn timestamp(data: &[u8]) {
    let Ok(time) = serde_json::from_slice::<UnixTimestamp>(data) else {
        // Whatever `i64` writes is a moment.
        let text = std::str::from_utf8(data).unwrap_or_default();
        assert!(text.parse::<i64>().map_or(true, |number| number.to_string() != text), "{text}");
        return;
    };
    let again = serde_json::to_string(&time).unwrap();
    assert_eq!(serde_json::from_str::<UnixTimestamp>(&again).unwrap(), time);
    let digits = |text: &str| text.trim_matches([' ', '\t', '\r', '\n', '"']).parse::<i64>().ok();
    if let Some(number) = std::str::from_utf8(data).ok().and_then(digits) {
        assert_eq!(time.as_secs(), number);
    }
    let shown = time.to_string();
    assert!(shown.starts_with('@') || shown.len() == "2026-11-21T08:53:20Z".len(), "{shown}");
    let remaining = time.remaining(UNIX_EPOCH + NOW).as_secs();
    assert_eq!(remaining, u64::try_from(time.as_secs()).unwrap_or_default().saturating_sub(NOW.as_secs()));
    if let Some(moment) = time.to_system_time() {
        assert_eq!(UnixTimestamp::from(moment), time);
    }
}

/// The first byte chooses the method; then a header's value, a line of it, and the body; the query is made of the body.
pub fn signature(data: &[u8]) {
    const PREFIX: &str = "x-genauth-";
    let Some((first, rest)) = data.split_first() else { return };
    let (header, body) = rest.split_at(rest.iter().position(|byte| *byte == b'\n').unwrap_or_default());
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    let method = if first.is_multiple_of(2) { "GET" } else { "POST" };
    let query = if method == "GET" { query(body) } else { String::new() };
    let body = if method == "GET" { &[] } else { body };
    let mut headers = HeaderMap::new();
    for name in [DATE, HeaderName::from_static("x-genauth-b"), HeaderName::from_static("x-genauth-a")] {
        headers.append(name, HeaderValue::from_bytes(header).unwrap_or(HeaderValue::from_static("none")));
    }
    headers.append("x-other", HeaderValue::from_static("unsigned"));
    let signed = fuzzing::string_to_sign(method, "/api/v3/x", Some(&query), &headers, body, PREFIX);
    let Ok(signed) = signed else {
        let json = body.is_empty() || serde_json::from_slice::<Value>(body).is_ok();
        assert!(!json || !header.iter().all(|byte| (b' '..=b'~').contains(byte)), "{signed:?}");
        return;
    };
    let body = std::str::from_utf8(body).expect("no JSON otherwise");
    if body.contains("$serde_json") || body.contains("\\u") && body.contains("serde_json") {
        // serde_json marks a number like that within a build; nobody calls a field so.
        return;
    }
    let lines = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let target = format!("/api/v3/x?{query}");
    assert_eq!(signed, reference::string_to_sign(method, &target, &lines.collect::<Vec<_>>(), body, PREFIX));
}

/// Makes a query of lines: each is a parameter, its name before the first space. A name counts once.
fn query(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let mut names = Vec::new();
    let mut pairs = Vec::new();
    for (name, value) in text.lines().map(|line| line.split_once(' ').unwrap_or((line, ""))) {
        if !names.contains(&name) {
            names.push(name);
            pairs.push(format!("{}={}", encoded(name), encoded(value)));
        }
    }
    pairs.join("&")
}

/// The input is any text.
pub fn host(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let host = match fuzzing::host(&text) {
        Ok(host) => host,
        Err(error) => {
            let shown = error.to_string();
            assert!(shown.starts_with("the client's configuration: the host") && shown.len() < 250, "{shown}");
            assert!(!shown.contains(char::is_control), "{shown:?}");
            return;
        }
    };
    assert_eq!(fuzzing::host(&host).ok().as_deref(), Some(host.as_str()), "it is its own host");
    assert!(!host.contains(['@', '?', '#', ' ', '\r', '\n']) || host.contains("/"), "{host}");
    assert!(!host.ends_with('/') && host.is_ascii(), "{host}");
    let (scheme, rest) = host.split_once("://").expect("a scheme");
    let name = rest.split(['/', ':']).next().unwrap_or_default();
    assert!(!rest.split('/').next().unwrap_or_default().contains('@'), "{host}");
    let here = name == "localhost" || name.starts_with("127.") || name.starts_with('[');
    assert!(scheme == "https" || scheme == "http" && here, "{host}");
}

/// The value of a `Retry-After`.
pub fn retry_after(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let asked = fuzzing::retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value)]), UNIX_EPOCH + NOW);
    let text = String::from_utf8_lossy(data);
    if !text.is_ascii() {
        return assert_eq!(asked, None, "{text}");
    }
    match text.trim().parse::<u64>() {
        Ok(seconds) if !text.contains('+') => {
            assert_eq!(asked, Some(Duration::from_secs(seconds)), "{text}")
        }
        Err(_) if !text.trim().is_empty() && text.trim().bytes().all(|byte| byte.is_ascii_digit()) => {
            assert_eq!(asked, Some(Duration::from_secs(u64::MAX)), "{text}")
        }
        // A date, which ends with the year 9999.
        _ => assert!(asked.is_none_or(|pause| pause < Duration::from_secs(260_000_000_000)), "{text}"),
    }
}

/// A fragment: the root if it says which OpenAPI it is, and otherwise a group beside the root of the tests.
pub fn loader(data: &[u8]) {
    const ROOT: &str = include_str!("../../codegen/tests/house_rules/sample/genauth.yaml");
    let dir: PathBuf = std::env::temp_dir().join(format!("genauth-fuzz-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let is_root = data.starts_with(b"openapi:") || data.windows(9).any(|window| window == b"\nopenapi:");
    let group = dir.join("group.yaml");
    if is_root {
        fs::write(dir.join("genauth.yaml"), data).unwrap();
        let _ = fs::remove_file(&group);
    } else {
        fs::write(dir.join("genauth.yaml"), ROOT).unwrap();
        fs::write(&group, data).unwrap();
    }
    match genauth_codegen::compile(&dir, "openapi", &|_| true) {
        Ok(compiled) => {
            serde_json::from_str::<Value>(&compiled.openapi).expect("JSON");
            for (path, text) in compiled.files().iter().filter(|(path, _)| path.ends_with(".rs")) {
                syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
            }
        }
        Err(violations) => {
            assert!(!violations.is_empty());
            for violation in violations {
                let shown = violation.to_string();
                assert!(violation.file.starts_with("openapi") && !shown.contains(char::is_control), "{shown:?}");
                assert!(violation.message.ends_with(['.', '?']), "{shown}");
            }
        }
    }
    fs::remove_dir_all(&dir).unwrap();
}
