//! From the bytes of an answer to a payload or an error.
//!
//! The API answers HTTP 200 whatever happened; only the envelope's `statusCode` tells. So the envelope is read first, and
//! `data` only once the envelope says success: a failing answer may carry anything, or nothing, there.

use crate::error::advice;
use crate::redaction::Secrets;
use crate::response::Head;
use crate::session::COMPLETE;
use crate::{Error, ErrorKind, Operation, Response};
use bytes::Bytes;
use http::StatusCode;
use progenitor_client::ResponseValue;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;
use std::ops::Range;

/// An answer that says success; travels as an extension of the response from the hooks to [`open`].
#[derive(Clone)]
pub(crate) struct Answer {
    head: Head,
    body: Bytes,
    /// Where `data` stands in the body.
    data: Option<Range<usize>>,
    /// How many requests it took.
    pub(crate) attempts: u32,
}

impl Answer {
    pub(crate) fn head(&self) -> &Head {
        &self.head
    }
}

/// How an exchange ended.
pub(crate) type Outcome = Result<Answer, Error>;

/// The envelope as it stands in a body.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(deserialize_with = "crate::integer::deserialize")]
    status_code: i64,
    #[serde(default, deserialize_with = "text")]
    message: String,
    #[serde(default, deserialize_with = "optional_integer")]
    api_code: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    request_id: String,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

fn optional_integer<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    struct Integer(#[serde(deserialize_with = "crate::integer::deserialize")] i64);
    Ok(Option::<Integer>::deserialize(deserializer)?.map(|Integer(value)| value))
}

/// A text; a list of texts, which some gateways send as `message`, as its JSON; nothing for null.
fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let json = <&RawValue>::deserialize(deserializer)?.get();
    let text = match json.as_bytes() {
        b"null" => Ok(String::new()),
        [b'"', ..] => serde_json::from_slice(json.as_bytes()),
        _ => compact(json),
    };
    // serde_json would read a place from its own text, one within this field.
    text.map_err(|_| serde::de::Error::custom("no text"))
}

/// JSON without spaces, its strings escaped as serde_json does: as the secrets are that will be looked for in it. A
/// `serde_json::Value` would do, but adds tens of KiB to every program.
fn compact(json: &str) -> serde_json::Result<String> {
    let mut compact = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(quote) = rest.find('"') {
        compact.extend(rest[..quote].split_ascii_whitespace());
        rest = &rest[quote..];
        let mut strings = serde_json::Deserializer::from_slice(rest.as_bytes()).into_iter::<String>();
        let text = strings.next().transpose()?.unwrap_or_default();
        rest = &rest[strings.byte_offset()..];
        compact.push_str(&serde_json::to_string(&text)?);
    }
    compact.extend(rest.split_ascii_whitespace());
    Ok(compact)
}

/// Judges an answer by HTTP status and envelope. What it keeps of the server's words repeats none of the secrets.
pub(crate) fn judge(
    subject: &str,
    operation: Option<&'static Operation>,
    http_status: StatusCode,
    body: Bytes,
    secrets: &Secrets<'_>,
) -> Outcome {
    // serde would read a struct from a list, too.
    let parsed = match body.trim_ascii_start().first() {
        Some(b'[') => Err(serde::de::Error::custom("a list")),
        _ => serde_json::from_slice::<Wire<'_>>(&body),
    };
    let failure = match parsed {
        Ok(wire) => {
            let head = Head {
                status_code: wire.status_code,
                message: secrets.strike_out_of(wire.message),
                api_code: wire.api_code,
                request_id: Some(one_line(&secrets.strike_out_of(wire.request_id))).filter(|id| !id.is_empty()),
            };
            let succeeded = head.status_code == 200 || is_complete(&head) && wire.data.is_some_and(holds_tokens);
            if http_status.is_success() && succeeded {
                let data = wire.data.map(|data| place_of(data.get(), &body));
                return Ok(Answer { head, body, data, attempts: 1 });
            }
            refusal(subject, operation, http_status, head)
        }
        Err(_) if !http_status.is_success() => {
            let mut detail = format!("the server answered HTTP {http_status} with {}", describe(&body));
            append(&mut detail, &http_advice(operation, http_status));
            Error::new(ErrorKind::Http, subject, detail)
        }
        // serde's own text may quote the body, so it says only where.
        Err(error) => {
            let what = describe(&body);
            let place = format!("line {}, column {}", error.line(), error.column());
            let detail =
                format!("the answer is {what}, not the API's envelope ({place}); check that the host is right");
            Error::new(ErrorKind::Response, subject, detail)
        }
    };
    Err(failure.with(|error| {
        error.http_status = Some(http_status);
        error.body = Some(Bytes::copy_from_slice(&body));
    }))
}

/// Whether the server says of a sign-in that nothing is left to do.
fn is_complete(head: &Head) -> bool {
    [Some(head.status_code), head.api_code].contains(&Some(COMPLETE))
}

/// Whether there are a user's tokens in it.
fn holds_tokens(data: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Tokens {
        access_token: Option<IgnoredAny>,
        id_token: Option<IgnoredAny>,
    }
    // serde would read a struct from a list, too.
    let tokens = Some(data.get()).filter(|data| data.starts_with('{')).map(serde_json::from_str::<Tokens>);
    matches!(tokens, Some(Ok(tokens)) if tokens.access_token.is_some() || tokens.id_token.is_some())
}

/// The error of an envelope that says no.
fn refusal(subject: &str, operation: Option<&'static Operation>, http_status: StatusCode, head: Head) -> Error {
    use std::fmt::Write as _;
    let complete = is_complete(&head);
    let Head { status_code, message, api_code, request_id } = head;
    let mut detail = format!("the server answered statusCode {status_code}");
    // Writing to a String cannot fail.
    if let Some(code) = api_code {
        let _ = write!(detail, ", apiCode {code}");
    }
    if !http_status.is_success() {
        let _ = write!(detail, ", HTTP {}", http_status.as_u16());
    }
    if !message.is_empty() {
        let _ = write!(detail, " ({})", one_line(&message));
    }
    let siblings =
        if http_status == StatusCode::NOT_FOUND { http_advice(operation, http_status) } else { String::new() };
    if siblings.is_empty() {
        append(&mut detail, advice(status_code, api_code).unwrap_or_default());
    } else {
        append(&mut detail, &siblings);
    }
    if let Some(id) = &request_id {
        let _ = write!(detail, " [request id {id}]");
    }
    let kind = match status_code {
        200 => ErrorKind::Http,
        _ if complete => ErrorKind::NoData,
        _ => ErrorKind::Api,
    };
    Error::new(kind, subject, detail).with(|error| {
        error.status_code = Some(status_code);
        error.api_code = api_code;
        error.request_id = request_id;
        error.server_message = Some(message);
    })
}

/// What to do about an HTTP status; where a path is unknown to the server, the operations that may stand in.
fn http_advice(operation: Option<&'static Operation>, status: StatusCode) -> String {
    match status {
        StatusCode::NOT_FOUND => {
            let siblings = operation.map(|operation| operation.siblings).unwrap_or_default();
            let siblings = siblings.iter().filter_map(|id| Operation::by_id(id));
            let named = siblings.map(|o| format!("`{}` ({})", o.method_name, o.path)).collect::<Vec<_>>();
            if named.is_empty() {
                "check the host: it does not know this path".to_owned()
            } else {
                format!("this host does not know the path; the same is answered by {}", named.join(", "))
            }
        }
        status => advice(status.as_u16().into(), None).unwrap_or_default().to_owned(),
    }
}

/// The payload of an answer that says success.
pub(crate) fn open<T: DeserializeOwned>(
    subject: &'static str,
    exchanged: Result<reqwest::Response, progenitor_client::Error<()>>,
) -> Result<Response<T>, Error> {
    open_response(subject, exchanged.map_err(|error| before_sending(subject, error))?)
}

pub(crate) fn open_response<T: DeserializeOwned>(
    subject: &str,
    mut response: reqwest::Response,
) -> Result<Response<T>, Error> {
    let Answer { head, body, data, attempts } = outcome(&mut response)?;
    let data = data.and_then(|place| body.get(place)).filter(|data| *data != b"null");
    // An operation without a payload is content with no data: `()` reads from `null`.
    match serde_json::from_slice(data.unwrap_or(b"null")) {
        Ok(payload) => {
            let http_status = response.status();
            Ok(Response { payload, head, http_status, headers: std::mem::take(response.headers_mut()) })
        }
        Err(error) => Err(unreadable(subject, &error, data).with(|error| {
            error.http_status = Some(response.status());
            error.status_code = Some(head.status_code);
            error.api_code = head.api_code;
            error.request_id.clone_from(&head.request_id);
            error.body = Some(Bytes::copy_from_slice(&body));
            error.attempts = attempts;
        })),
    }
}

/// The error of a payload that does not read. Apart from the above, of which there is one for each type of payload.
fn unreadable(subject: &str, error: &serde_json::Error, data: Option<&[u8]>) -> Error {
    if data.is_none_or(|data| serde_json::from_slice::<Empty>(data).is_ok()) {
        let detail = "the server said success (statusCode 200) but sent no data; ask its operators";
        return Error::new(ErrorKind::NoData, subject, detail);
    }
    let place = format!("line {}, column {}", error.line(), error.column());
    let detail = format!("`data` has another shape than documented (at its {place}); this crate may be too old");
    Error::new(ErrorKind::Response, subject, detail)
}

/// As [`open`], for an operation without a payload: `data` may be anything, or absent.
#[allow(dead_code, reason = "the document need not have an operation without a payload")]
pub(crate) fn open_empty(
    subject: &'static str,
    exchanged: Result<reqwest::Response, progenitor_client::Error<()>>,
) -> Result<Response<()>, Error> {
    let Response { head, http_status, headers, .. } = open::<IgnoredAny>(subject, exchanged)?;
    Ok(Response { payload: (), head, http_status, headers })
}

/// The whole envelope as the document describes it, whatever its `statusCode`.
pub(crate) fn raw<T: DeserializeOwned>(
    subject: &'static str,
    exchanged: Result<reqwest::Response, progenitor_client::Error<()>>,
) -> Result<ResponseValue<T>, Error> {
    let mut response = exchanged.map_err(|error| before_sending(subject, error))?;
    let outcome = outcome(&mut response);
    // With the texts that the secrets of the request are struck out of: an envelope's `Debug` shows them.
    let (body, message, request_id) = match &outcome {
        Ok(Answer { head, body, .. }) => (Some(body), Some(head.message.as_str()), head.request_id.as_deref()),
        Err(error) => (error.body(), error.server_message(), error.request_id()),
    };
    let envelope = body.and_then(|body| serde_json::from_slice::<serde_json::Value>(body).ok());
    let envelope = envelope.and_then(|mut envelope| {
        for (name, text) in [("message", message), ("requestId", request_id)] {
            if let (Some(field @ serde_json::Value::String(_)), Some(text)) = (envelope.get_mut(name), text) {
                *field = text.into();
            }
        }
        // `{}` is how servers say that there is no data; only where the document allows an empty object is it one.
        serde_json::from_value(envelope.clone()).ok().or_else(|| {
            let data = envelope.as_object_mut()?.remove("data")?;
            if data == serde_json::json!({}) { serde_json::from_value(envelope).ok() } else { None }
        })
    });
    match (envelope, outcome) {
        (Some(envelope), _) => {
            Ok(ResponseValue::new(envelope, response.status(), std::mem::take(response.headers_mut())))
        }
        (None, Err(error)) => Err(error),
        (None, Ok(Answer { head, body, attempts, .. })) => {
            let detail = "the envelope has another shape than documented; this crate may be too old";
            Err(Error::new(ErrorKind::Response, subject, detail).with(|error| {
                error.http_status = Some(response.status());
                error.status_code = Some(head.status_code);
                error.api_code = head.api_code;
                error.request_id = head.request_id;
                error.body = Some(Bytes::copy_from_slice(&body));
                error.attempts = attempts;
            }))
        }
    }
}

/// Takes what the hooks found out.
fn outcome(response: &mut reqwest::Response) -> Outcome {
    let without_hooks = || Err(Error::new(ErrorKind::Response, "the answer", "it did not pass this crate's hooks"));
    response.extensions_mut().remove::<Outcome>().unwrap_or_else(without_hooks)
}

/// The hooks report through the outcome, so what progenitor itself reports happened before anything was sent.
fn before_sending(subject: &'static str, error: progenitor_client::Error<()>) -> Error {
    match error {
        progenitor_client::Error::InvalidRequest(problem) => Error::new(
            ErrorKind::Request,
            subject,
            format!("the request is incomplete: {}; set it", one_line(&problem)),
        ),
        progenitor_client::Error::CommunicationError(error) => {
            let error = error.without_url();
            Error::new(ErrorKind::Request, subject, "the request cannot be written; check its fields").caused_by(error)
        }
        // Display of the others prints payloads.
        _ => Error::new(ErrorKind::Request, subject, "the request was refused before it was sent"),
    }
}

/// `{}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

/// What a body looks like, in words that show none of it.
fn describe(body: &[u8]) -> &'static str {
    let text = body.trim_ascii_start();
    if text.is_empty() {
        "no body"
    } else if text.starts_with(b"<") {
        "an HTML page"
    } else if body.starts_with(b"\x1f\x8b") {
        "gzip, which nobody asked for"
    } else if serde_json::from_slice::<IgnoredAny>(body).is_ok() {
        "JSON that is no envelope"
    } else if text.starts_with(b"{") {
        "broken JSON"
    } else {
        "something else than JSON"
    }
}

fn place_of(part: &str, whole: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.len()
}

fn append(detail: &mut String, advice: &str) {
    if !advice.is_empty() {
        detail.push_str("; ");
        detail.push_str(advice);
    }
}

/// A server's text, fit for one line of a log: no control characters, and not endless.
pub(crate) fn one_line(text: &str) -> String {
    const LONGEST: usize = 300;
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let mut line: String = text.chars().take(LONGEST).map(|c| if breaks(c) { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_message_that_is_no_text_has_no_spaces_and_is_escaped_in_the_one_way() {
        let written = super::compact("[ \"\\u0061 \\/\\\"\" , {\"k\\n\": 1.0}\n, null ]").unwrap();
        assert_eq!(written, r#"["a /\"",{"k\n":1.0},null]"#);
        assert!(super::compact(r#"["\ud800"]"#).is_err());
    }
}
