//! `--dry-run`: shows the request that would be sent.
//!
//! The library sends it, credentials and all, to a server inside this program, and what that server recorded is shown.

use crate::failure::Failure;
use crate::secrecy::{self, Secrecy};
use crate::settings::Settings;
use crate::{connect, curl, output};
use genauth::mock::{MockAnswer, MockGenAuth, RecordedRequest};
use genauth::{Client, Error, Operation, Response};
use serde_json::{Value, json};

const STRUCK: &str = "[REDACTED]";

/// Shows what `call` would send with the client of these settings.
pub(crate) async fn show(
    settings: &Settings,
    client: &Client,
    operation: Option<&Operation>,
    secrecy: Secrecy,
    call: impl AsyncFnOnce(Client) -> Result<Response<Value>, Error>,
) -> Result<(), Failure> {
    let cannot = |error| Failure::other(format!("the recording server cannot start: {error}"));
    let recorder = MockGenAuth::start().await.map_err(cannot)?;
    let management_token = json!({ "access_token": "none", "expires_in": 7200 });
    recorder.answer_next(
        MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": management_token })).times(2),
    );
    let (origin, base_path) = split(client.host());
    let builder = connect::builder(&format!("{}{base_path}", recorder.url()), settings)?.dialect(client.dialect());
    // The outcome does not matter: the recorder's answer does not fit every operation.
    let outcome = call(builder.build()?).await;
    let requests = recorder.take_requests();
    let Some(request) = requests.last() else {
        return match outcome {
            Err(error) => Err(Failure::call(&error, operation)),
            Ok(_) => Err(Failure::other("nothing was recorded")),
        };
    };
    let url = format!("{origin}{}", request.path);
    let told = told(request, &url, secrecy);
    let curl = curl::command(request, &url, settings, secrecy);
    output::data(&format!("{told}\n{curl}"))
}

/// Splits a host into origin and path.
fn split(host: &str) -> (&str, &str) {
    let start = host.find("://").map_or(0, |at| at + 3);
    match host[start..].find('/') {
        Some(at) => host.split_at(start + at),
        None => (host, ""),
    }
}

fn told(request: &RecordedRequest, url: &str, secrecy: Secrecy) -> String {
    let mut told = format!("{} {}\n", request.method, struck_url(url, secrecy));
    for (name, value) in secrecy::headers(request) {
        let value = if name == "authorization" { struck_authorization(value) } else { value.to_owned() };
        told.push_str(&format!("{name}: {value}\n"));
    }
    if let Some(mut body) = request.json() {
        strike(&mut body, secrecy, matches!(secrecy, Secrecy::Everything));
        told.push_str(&format!("\n{body:#}\n"));
    }
    told
}

/// Strikes out an `authorization`, except for its first word and the key id of a signature.
fn struck_authorization(value: &str) -> String {
    match value.split_once(' ') {
        Some((word @ ("Basic" | "Bearer"), _)) => format!("{word} {STRUCK}"),
        Some((word, signature)) => match signature.split_once(':') {
            Some((key, _)) => format!("{word} {key}:{STRUCK}"),
            None => format!("{word} {STRUCK}"),
        },
        None => STRUCK.to_owned(),
    }
}

/// Strikes out a URL. The values of a query that the document does not describe may be secret.
fn struck_url(url: &str, secrecy: Secrecy) -> String {
    match (url.split_once('?'), secrecy) {
        (Some((path, query)), Secrecy::Everything) => {
            let pairs = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
            format!("{path}?{}", pairs.map(|name| format!("{name}={STRUCK}")).collect::<Vec<_>>().join("&"))
        }
        _ => url.to_owned(),
    }
}

fn strike(value: &mut Value, secrecy: Secrecy, secret: bool) {
    match value {
        Value::Object(members) => {
            members.iter_mut().for_each(|(name, value)| strike(value, secrecy, secret || secrecy.covers(name)));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strike(item, secrecy, secret)),
        Value::Null | Value::Bool(_) => {}
        value if secret => *value = STRUCK.into(),
        _ => {}
    }
}
