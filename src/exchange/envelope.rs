//! Reads the bytes of an answer into a payload or an error.
//!
//! The API answers HTTP 200 in any case; only the envelope's `statusCode` tells success from failure. A success of the
//! usual shape is read in one go, payload included. Otherwise the envelope is read first, and `data` only if the
//! envelope says success: the `data` of a failure may be anything, or missing.

use super::attempt::Arrival;
use super::call::Call;
use super::redaction::Secrets;
use crate::encoding::one_line;
use crate::error::{COMPLETE, advice};
use crate::integer;
use crate::response::Head;
use crate::{Error, ErrorKind, Operation};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

/// An envelope, with its `data` either read or as raw JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<D> {
    #[serde(deserialize_with = "integer::deserialize")]
    status_code: i64,
    #[serde(default, deserialize_with = "text")]
    message: String,
    #[serde(default, deserialize_with = "integer::deserialize_option")]
    api_code: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    request_id: String,
    data: Option<D>,
}

/// Returns the payload of an answer that says success, and the rest of the envelope, with the call's secrets struck out
/// of the server's words.
pub(crate) fn open<T: DeserializeOwned>(
    call: &Call<'_>,
    secrets: &Secrets<'_>,
    arrival: &Arrival,
) -> Result<(T, Head), Error> {
    let minds_success =
        call.operation.is_some_and(|operation| operation.tells_success) && !call.settings.allow_not_done;
    if !minds_success
        && arrival.status.is_success()
        && !is_list(&arrival.body)
        // This also checks the fields that the payload does not have, whose text would otherwise go unchecked.
        && let Ok(body) = std::str::from_utf8(&arrival.body)
        && let Ok(envelope) = serde_json::from_str(body)
        && let Envelope { status_code: 200, message, api_code, request_id, data: Some(payload) } = envelope
    {
        return Ok((payload, head(200, message, api_code, request_id, secrets)));
    }
    let (head, data) = read(call, secrets, arrival)?;
    if minds_success && data.is_some_and(says_not_done) {
        return Err(with_answer(not_done(call, head), arrival));
    }
    // An operation without a payload needs no `data`: `()` is read from `null`.
    let payload = serde_json::from_str(data.unwrap_or("null"));
    payload.map_err(|error| unreadable(call, &error, data, arrival, &head)).map(|payload| (payload, head))
}

fn head(status_code: i64, message: String, api_code: Option<i64>, request_id: String, secrets: &Secrets<'_>) -> Head {
    let request_id = Some(request_id).filter(|id| !id.is_empty());
    Head {
        status_code,
        message: secrets.strike_out_of(message),
        api_code,
        request_id: request_id.map(|id| one_line(&secrets.strike_out_of(id))),
    }
}

/// Whether the JSON is a list. serde would read a struct from a list, too.
pub(super) fn is_list(json: &[u8]) -> bool {
    json.trim_ascii_start().starts_with(b"[")
}

/// Reads a text. A list of texts, which some gateways send as `message`, becomes its JSON; null becomes the empty text.
fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let json = <&RawValue>::deserialize(deserializer)?.get();
    let text = match json.as_bytes() {
        b"null" => Ok(String::new()),
        [b'"', ..] => serde_json::from_slice(json.as_bytes()),
        _ => compact(json),
    };
    // serde_json would add the error's place within this field, and read it back from its text as one in the whole
    // body.
    text.map_err(|_| serde::de::Error::custom("no text"))
}

/// Writes JSON without spaces, with its strings escaped as serde_json does it, which is how the secrets are looked for
/// in it. A `serde_json::Value` would do the same, but adds tens of KiB to every program.
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

/// Returns the envelope of an answer that says success, and its `data`; otherwise the error that the answer stands for.
fn read<'a>(call: &Call<'_>, secrets: &Secrets<'_>, arrival: &'a Arrival) -> Result<(Head, Option<&'a str>), Error> {
    let Arrival { status, body, .. } = arrival;
    let parsed = match is_list(body) {
        true => Err(serde::de::Error::custom("a list")),
        false => serde_json::from_slice::<Envelope<&RawValue>>(body),
    };
    let failure = match parsed {
        Ok(Envelope { status_code, message, api_code, request_id, data }) => {
            let head = head(status_code, message, api_code, request_id, secrets);
            let succeeded = head.status_code == 200 || is_complete(&head) && data.is_some_and(holds_tokens);
            if status.is_success() && succeeded {
                return Ok((head, data.map(RawValue::get)));
            }
            refusal(call, *status, head)
        }
        Err(_) if !status.is_success() => {
            let mut detail = format!("the server answered HTTP {status} with {}", describe(body));
            append(&mut detail, &http_advice(call.operation, *status));
            call.error(ErrorKind::Http, detail)
        }
        // serde's own message may quote the body, so only the place is told.
        Err(error) => {
            let what = describe(body);
            let place = format!("line {}, column {}", error.line(), error.column());
            let detail =
                format!("the server sent {what}, not the API's envelope ({place}); check that the host is right");
            call.error(ErrorKind::Response, detail)
        }
    };
    Err(with_answer(failure, arrival))
}

/// Adds the answer to an error, as it came.
pub(super) fn with_answer(error: Error, arrival: &Arrival) -> Error {
    error.with(|error| {
        error.http_status = Some(arrival.status);
        // The body is copied: a part of the connection's buffer would keep the whole buffer alive.
        error.body = Some(Bytes::copy_from_slice(&arrival.body));
    })
}

fn with_head(error: Error, Head { status_code, api_code, request_id, .. }: &Head) -> Error {
    error.with(|error| {
        (error.status_code, error.api_code) = (Some(*status_code), *api_code);
        error.request_id.clone_from(request_id);
    })
}

/// Whether `success` is false in `data`.
fn says_not_done(data: &str) -> bool {
    #[derive(Deserialize)]
    struct Told {
        success: Option<bool>,
    }
    data.starts_with('{') && matches!(serde_json::from_str(data), Ok(Told { success: Some(false) }))
}

fn not_done(call: &Call<'_>, head: Head) -> Error {
    let mut detail = "the server answered statusCode 200, but `data.success: false`: it was not done".to_owned();
    if !head.message.is_empty() {
        detail.push_str(&format!(" ({})", one_line(&head.message)));
    }
    append(&mut detail, "check that what the request names exists and may be changed like this");
    with_head(call.error(ErrorKind::NotDone, detail), &head).with(|error| error.server_message = Some(head.message))
}

/// Whether the server says that a sign-in is complete.
fn is_complete(head: &Head) -> bool {
    [Some(head.status_code), head.api_code].contains(&Some(COMPLETE))
}

/// Whether `data` holds a user's tokens.
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

/// The error of an envelope that does not say success.
fn refusal(call: &Call<'_>, http_status: StatusCode, head: Head) -> Error {
    use std::fmt::Write as _;
    let Head { status_code, ref message, api_code, ref request_id } = head;
    let mut detail = format!("the server answered statusCode {status_code}");
    // Writing to a String cannot fail.
    if let Some(code) = api_code {
        let _ = write!(detail, ", apiCode {code}");
    }
    if !http_status.is_success() {
        let _ = write!(detail, ", HTTP {}", http_status.as_u16());
    }
    if !message.is_empty() {
        let _ = write!(detail, " ({})", one_line(message));
    }
    let siblings =
        if http_status == StatusCode::NOT_FOUND { http_advice(call.operation, http_status) } else { String::new() };
    if siblings.is_empty() {
        append(&mut detail, advice(status_code, api_code).unwrap_or_default());
    } else {
        append(&mut detail, &siblings);
    }
    if let Some(id) = request_id {
        let _ = write!(detail, " [request id {id}]");
    }
    let kind = match status_code {
        200 => ErrorKind::Http,
        _ if is_complete(&head) => ErrorKind::NoData,
        _ => ErrorKind::Api,
    };
    with_head(call.error(kind, detail), &head).with(|error| error.server_message = Some(head.message))
}

/// What to do about an HTTP status. If the server does not know a path, this names the operations that may stand in.
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

/// The error of a payload that cannot be read. It is a function of its own because [`open`] is compiled for each type
/// of payload.
fn unreadable(call: &Call<'_>, error: &serde_json::Error, data: Option<&str>, arrival: &Arrival, head: &Head) -> Error {
    let data = data.filter(|data| *data != "null");
    let error = if data.is_none_or(|data| serde_json::from_str::<Empty>(data).is_ok()) {
        let detail = "the server said success (statusCode 200) but sent no data; ask its operators";
        call.error(ErrorKind::NoData, detail)
    } else {
        let place = format!("line {}, column {}", error.line(), error.column());
        let detail = match missing_field(&error.to_string()) {
            _ if !call.own_payload => {
                format!("`data` has another shape than documented (at its {place}); this crate may be too old")
            }
            Some(field) => format!(
                "`data` does not fit your type (at its {place}): `{field}` is missing; correct its name, or make it optional"
            ),
            None => format!(
                "`data` does not fit your type (at its {place}); read it into a `serde_json::Value` to see what it is"
            ),
        };
        call.error(ErrorKind::Response, detail)
    };
    with_head(with_answer(error, arrival), head)
}

/// The field of the caller's type that is missing, if that is the error. serde's other messages may quote the answer.
fn missing_field(error: &str) -> Option<&str> {
    error.strip_prefix("missing field `")?.split('`').next()
}

/// The empty object, `{}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

/// What a body looks like, in words that repeat none of it.
fn describe(body: &[u8]) -> &'static str {
    let text = body.trim_ascii_start();
    if text.is_empty() {
        "no body"
    } else if text.starts_with(b"<") {
        "an HTML page"
    } else if body.starts_with(b"\x1f\x8b") {
        "gzip, which nobody asked for"
    } else if serde_json::from_slice::<IgnoredAny>(body).is_ok() {
        "other JSON"
    } else if text.starts_with(b"{") {
        "broken JSON"
    } else {
        "something else than JSON"
    }
}

fn append(detail: &mut String, advice: &str) {
    if !advice.is_empty() {
        detail.push_str("; ");
        detail.push_str(advice);
    }
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
