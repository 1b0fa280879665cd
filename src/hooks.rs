//! What happens to every request: credentials, deprecation notices, limits, tracing, and the verdict on the answer.

use crate::api::Client;
use crate::client::Inner;
use crate::credentials::Credentials;
use crate::envelope::{self, Outcome};
use crate::{Error, ErrorKind, Operation};
use bytes::{Bytes, BytesMut};
use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::{Request, Response};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

/// The largest answer that is read: 1 MiB. A token's is below one KiB.
const LARGEST_ANSWER: usize = 1 << 20;

impl ClientHooks<Inner> for Client {
    /// Never an error: a `reqwest::Error` cannot say what went wrong in our words, so the outcome travels as an
    /// extension of the response.
    async fn exec(&self, request: Request, info: &OperationInfo) -> reqwest::Result<Response> {
        Ok(exchange(self, request, Operation::by_method_name(info.operation_id)).await)
    }
}

/// Sends a request and judges the answer. The response holds the answer's status, headers and body, and the [`Outcome`].
pub(crate) async fn exchange(client: &Client, request: Request, operation: Option<&'static Operation>) -> Response {
    let span = span(client, &request, operation);
    let (outcome, mut parts) = carry_out(client, request, operation).instrument(span.clone()).await;
    record(&span, &outcome, &parts);
    let body = match &outcome {
        Ok(answer) => answer.body().clone(),
        Err(error) => error.body().cloned().unwrap_or_default(),
    };
    parts.extensions.insert::<Outcome>(outcome);
    http::Response::from_parts(parts, body).into()
}

async fn carry_out(
    client: &Client,
    mut request: Request,
    operation: Option<&'static Operation>,
) -> (Outcome, http::response::Parts) {
    let (mut parts, ()) = http::Response::new(()).into_parts();
    let path = request.url().path().to_owned();
    let subject = operation.map_or(path.as_str(), |operation| operation.id);
    let secrets = Secrets::of(&client.inner.credentials, &request, operation);
    if let Err(error) = prepare(client, &mut request, operation, subject) {
        return (Err(error), parts);
    }
    let sent_to = request.url().origin();
    let mut response = match client.client.execute(request).await {
        Ok(response) => response,
        Err(error) => return (Err(network_error(subject, error)), parts),
    };
    parts.status = response.status();
    parts.headers = std::mem::take(response.headers_mut());
    let redirected_to = if response.url().origin() != sent_to {
        Some(response.url().origin().ascii_serialization())
    } else if response.status().is_redirection() {
        let target = parts.headers.get(http::header::LOCATION).and_then(|to| to.to_str().ok());
        let target = target.and_then(|to| response.url().join(to).ok());
        Some(target.map_or_else(|| "nowhere".to_owned(), |to| to.origin().ascii_serialization()))
    } else {
        None
    };
    if let Some(target) = redirected_to {
        let status = parts.status;
        let detail = format!(
            "the server redirects (HTTP {}) to {target}, and requests do not follow; if that host is right, build the client for it",
            status.as_u16()
        );
        let error = Error::new(ErrorKind::Redirect, subject, detail);
        return (Err(error.with(|error| error.http_status = Some(status))), parts);
    }
    let outcome = match read(&mut response, subject).await {
        Ok(body) => envelope::judge(subject, operation, parts.status, body, |text| secrets.strike_out_of(text)),
        Err(error) => Err(error.with(|error| error.http_status = Some(parts.status))),
    };
    let outcome = match client.inner.notices.of_server(subject, operation, &parts.headers) {
        Err(refused) => outcome.and(Err(refused)),
        Ok(()) => outcome,
    };
    (outcome, parts)
}

/// All that has to happen before a request may go out.
fn prepare(
    client: &Client,
    request: &mut Request,
    operation: Option<&'static Operation>,
    subject: &str,
) -> Result<(), Error> {
    let Inner { credentials, notices, timeout, base_path, foreign_http_client, now, .. } = &client.inner;
    if let Some(operation) = operation {
        notices.of_document(operation)?;
    }
    // progenitor sends the document's version with every request; the server knows no such header.
    request.headers_mut().remove("api-version");
    let chosen = credentials.choose(operation, subject)?;
    credentials.apply(chosen, request, base_path, now(), subject)?;
    *request.timeout_mut() = Some(*timeout);
    if *foreign_http_client {
        // A client from outside may follow redirects, and would send the body again, to wherever it is told. A body
        // that looks like a stream cannot be sent twice.
        if let Some(body) = request.body_mut().take() {
            *request.body_mut() = Some(reqwest::Body::wrap(body));
        }
    }
    Ok(())
}

async fn read(response: &mut Response, subject: &str) -> Result<Bytes, Error> {
    let announced = response.content_length().unwrap_or_default();
    let mut body = BytesMut::with_capacity(usize::try_from(announced).unwrap_or_default().min(LARGEST_ANSWER));
    while let Some(chunk) = response.chunk().await.map_err(|error| network_error(subject, error))? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            let detail = format!("the answer is larger than {LARGEST_ANSWER} bytes; check that the host is right");
            return Err(Error::new(ErrorKind::TooLarge, subject, detail));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn network_error(subject: &str, error: reqwest::Error) -> Error {
    let (kind, detail) = if error.is_timeout() {
        (ErrorKind::Timeout, "no complete answer within the time allowed; try again, or allow more with `.timeout(..)`")
    } else if error.is_connect() {
        (ErrorKind::Connect, "the server cannot be reached; check the host, the network, a proxy and the certificate")
    } else if error.is_redirect() {
        (
            ErrorKind::Redirect,
            "the server redirects, and your HTTP client gave up; build this client for the right host",
        )
    } else if error.is_builder() {
        (ErrorKind::Request, "the request cannot be written; check its fields")
    } else {
        (ErrorKind::Transport, "the connection broke before the answer was complete; try again")
    };
    // The URL is not secret, but the caller's proxy or test host is nobody's business in a log.
    Error::new(kind, subject, detail).caused_by(error.without_url())
}

/// The secrets of a request, to strike out of what the server says about it. Looked for only when there is a text.
struct Secrets<'a> {
    credentials: &'a Credentials,
    body: Option<Bytes>,
    query: Option<String>,
    operation: Option<&'static Operation>,
}

impl<'a> Secrets<'a> {
    fn of(credentials: &'a Credentials, request: &Request, operation: Option<&'static Operation>) -> Self {
        let body = request.body().and_then(reqwest::Body::as_bytes).map(Bytes::copy_from_slice);
        // A described operation has no secret in its query: a house rule.
        let query = request.url().query().filter(|_| operation.is_none()).map(str::to_owned);
        Self { credentials, body, query, operation }
    }

    fn strike_out_of(&self, text: String) -> String {
        if !self.may_be_in(&text) {
            return text;
        }
        let mut secrets: Vec<String> = self.credentials.secrets().map(str::to_owned).collect();
        if let Some(body) = self.body.as_ref().and_then(|body| serde_json::from_slice(body).ok()) {
            collect(&body, self.operation.map(|operation| operation.secret_fields), &mut secrets);
        }
        let query = form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes());
        secrets.extend(query.map(|(_, value)| value.into_owned()));
        // A message that is no text is shown as its JSON, in which a quote is escaped.
        let escaped = secrets.iter().map(|secret| serde_json::Value::from(secret.as_str()).to_string());
        let escaped: Vec<String> = escaped.map(|json| json[1..json.len() - 1].to_owned()).collect();
        secrets.extend(escaped);
        secrets.retain(|secret| !secret.is_empty());
        // The longest first, so that none leaves a part of another behind.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), "[REDACTED]"))
    }

    /// A quick look, for the usual answer that repeats nothing: whether any string of the request is in the text. Where
    /// it would have to decode something to know, it says yes.
    fn may_be_in(&self, text: &str) -> bool {
        let body = self.body.as_deref().unwrap_or_default();
        let in_body = || match std::str::from_utf8(body) {
            Ok(body) => body.split('"').any(|part| part.contains('\\') || !part.is_empty() && text.contains(part)),
            Err(_) => true,
        };
        !text.is_empty()
            && (self.query.is_some() || self.credentials.secrets().any(|secret| text.contains(secret)) || in_body())
    }
}

/// The strings of the named fields, at any depth; all strings where the document names no fields.
fn collect(value: &serde_json::Value, fields: Option<&[&str]>, secrets: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) if fields.is_none() => secrets.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, fields, secrets)),
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                let secret = fields.is_some_and(|fields| fields.contains(&name.as_str()));
                collect(value, if secret { None } else { fields }, secrets);
            }
        }
        _ => {}
    }
}

fn record(span: &Span, outcome: &Outcome, parts: &http::response::Parts) {
    if span.is_disabled() {
        return;
    }
    match outcome {
        Ok(answer) => {
            span.record("http.response.status_code", parts.status.as_u16());
            span.record("genauth.status_code", answer.head().status_code);
            span.record("genauth.request_id", answer.head().request_id.as_deref());
        }
        Err(error) => {
            span.record("http.response.status_code", error.http_status().map(|status| status.as_u16()));
            span.record("genauth.status_code", error.status_code());
            span.record("genauth.api_code", error.api_code());
            span.record("genauth.request_id", error.request_id());
            span.record("error.type", tracing::field::debug(error.kind()));
            span.record("otel.status_code", "ERROR");
        }
    }
}

fn span(client: &Client, request: &Request, operation: Option<&'static Operation>) -> Span {
    let url = request.url();
    let method = request.method().as_str();
    let path = operation.map_or(url.path(), |operation| operation.path);
    tracing::info_span!(
        "genauth.request",
        otel.name = format_args!("{method} {path}"),
        otel.kind = "client",
        http.request.method = method,
        url.template = path,
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        genauth.operation_id = operation.map(|operation| operation.id),
        genauth.dialect = ?client.inner.credentials.dialect,
        http.response.status_code = Empty,
        genauth.status_code = Empty,
        genauth.api_code = Empty,
        genauth.request_id = Empty,
        error.r#type = Empty,
        otel.status_code = Empty,
    )
}
