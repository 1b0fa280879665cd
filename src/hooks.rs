//! What happens to every request: credentials, deprecation notices, limits, tracing, and the verdict on the answer.

use crate::api::Client;
use crate::client::Inner;
use crate::credentials::{AccessKeyUse, Occasion};
use crate::envelope::{self, Outcome};
use crate::management::ManagementToken;
use crate::redaction::Secrets;
use crate::retry;
use crate::{Credential, Error, ErrorKind, Operation, SecretString};
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::{HeaderMap, LOCATION};
use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::{Request, Response, Url};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

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
    // Boxed: the future of a whole call is large, and every await around this one would carry it about.
    let (outcome, mut parts) = Box::pin(with_retries(client, request, operation)).instrument(span.clone()).await;
    record(&span, &outcome, &parts);
    let body = match &outcome {
        Ok(answer) => answer.body().clone(),
        Err(error) => error.body().cloned().unwrap_or_default(),
    };
    parts.extensions.insert::<Outcome>(outcome);
    http::Response::from_parts(parts, body).into()
}

/// Tries again what may succeed without a change, as long as there is time and the document lets it.
async fn with_retries(
    client: &Client,
    request: Request,
    operation: Option<&'static Operation>,
) -> (Outcome, http::response::Parts) {
    let Inner { notices, timeout, retry, now, .. } = &client.inner;
    if let Some(Err(refused)) = operation.map(|operation| notices.of_document(operation)) {
        return (Err(refused), http::Response::new(()).into_parts().0);
    }
    let path = request.url().path().to_owned();
    let subject = operation.map_or(path.as_str(), |operation| operation.id);
    let repeatable = retry.retries > 0 && operation.is_some_and(|operation| operation.idempotent);
    let time = Time { start: Instant::now(), allowed: *timeout };
    let (mut next, mut attempts) = (request, 0);
    loop {
        let again = if repeatable { next.try_clone() } else { None };
        let (outcome, parts) = with_fresh_token(client, next, operation, subject, &time).await;
        let error = match outcome {
            Ok(mut answer) => {
                retry.budget.earn();
                answer.attempts += attempts;
                return (Ok(answer), parts);
            }
            // An operation that this one needed: its own call has tried again what there was to try.
            Err(error) if error.subject() != subject => return (Err(error), parts),
            Err(error) => error.with(|error| {
                error.attempts += attempts;
                error.retry_after = retry::retry_after(&parts.headers, now());
            }),
        };
        attempts = error.attempts();
        let pause = retry.pause_after(attempts, &error, retry::random()).filter(|pause| *pause < time.left());
        let (Some(again), Some(pause)) = (again, pause) else { return (Err(error), parts) };
        if !retry.budget.spend() {
            return (Err(error), parts);
        }
        Span::current().record("http.request.resend_count", attempts);
        tracing::info!(attempts, pause_ms = pause.as_millis(), %error, "trying again");
        tokio::time::sleep(pause).await;
        next = again;
    }
}

/// What a call has of it, all attempts together.
struct Time {
    start: Instant,
    allowed: Duration,
}

impl Time {
    fn left(&self) -> Duration {
        self.allowed.saturating_sub(self.start.elapsed())
    }

    /// Runs something that is given what is left.
    async fn bound<T>(&self, subject: &str, what: impl Future<Output = T>) -> Result<T, Error> {
        let over = |_| Error::new(ErrorKind::Timeout, subject, TIME_IS_OVER);
        tokio::time::timeout(self.left(), what).await.map_err(over)
    }
}

const TIME_IS_OVER: &str = "no complete answer within the time allowed; try again, or allow more with `.timeout(..)`";

/// A management token may die before its time; then a new one is fetched and the request goes out once more.
async fn with_fresh_token(
    client: &Client,
    request: Request,
    operation: Option<&'static Operation>,
    subject: &str,
    time: &Time,
) -> (Outcome, http::response::Parts) {
    let once_more = match client.inner.credentials.access_key_use {
        AccessKeyUse::ManagementToken => request.try_clone(),
        AccessKeyUse::Signature => None,
    };
    let fetches = client.inner.management_tokens.fetches();
    let mut sent = None;
    let (mut outcome, mut parts) = carry_out(client, request, operation, subject, time, &mut sent).await;
    let unauthorized =
        |error: &Error| error.status_code() == Some(401) || error.http_status() == Some(StatusCode::UNAUTHORIZED);
    if let (Some(token), Some(request)) = (&sent, once_more)
        && token.fetch() <= fetches
        && outcome.as_ref().err().is_some_and(unauthorized)
    {
        (outcome, parts) = carry_out(client, request, operation, subject, time, &mut sent).await;
        outcome = outcome.map_err(|error| error.with(|error| error.attempts += 1));
    }
    if let Err(refused) = client.inner.notices.of_server(subject, operation, &parts.headers) {
        outcome = outcome.and(Err(refused));
    }
    (outcome, parts)
}

/// `token` is the management token that the server has rejected before, and then the one that went out.
async fn carry_out(
    client: &Client,
    mut request: Request,
    operation: Option<&'static Operation>,
    subject: &str,
    time: &Time,
    token: &mut Option<Arc<ManagementToken>>,
) -> (Outcome, http::response::Parts) {
    let (mut parts, ()) = http::Response::new(()).into_parts();
    let secrets = Secrets::of(&client.inner.credentials, &client.inner.headers, &request, operation);
    // One look: another task may replace the user's token while this request is under way.
    let user = client.inner.credentials.user_access_token();
    if let Err(error) = prepare(client, &mut request, operation, subject, time, user.as_ref(), token).await {
        return (Err(error), parts);
    }
    let secrets = secrets.and([user.as_ref(), token.as_ref().map(|token| token.secret())]);
    let mut turn = None;
    if let Some(turns) = &client.inner.concurrency {
        turn = match time.bound(subject, turns.acquire()).await {
            Ok(turn) => turn.ok(),
            Err(error) => return (Err(error), parts),
        };
    }
    *request.timeout_mut() = Some(client.inner.attempt_timeout.map_or(time.left(), |most| most.min(time.left())));
    let outcome = send(client, request, operation, subject, &secrets, &mut parts).await;
    drop(turn);
    (outcome.map_err(|error| error.with(|error| error.attempts = 1)), parts)
}

/// Sends a request that is ready, and judges the answer, whose head goes to `parts`.
async fn send(
    client: &Client,
    request: Request,
    operation: Option<&'static Operation>,
    subject: &str,
    secrets: &Secrets<'_>,
    parts: &mut http::response::Parts,
) -> Outcome {
    let sent_to = request.url().clone();
    let mut response = client.client.execute(request).await.map_err(|error| network_error(subject, error))?;
    parts.status = response.status();
    parts.headers = std::mem::take(response.headers_mut());
    if let Some(target) = redirected_to(&sent_to, &response, &parts.headers) {
        let status = parts.status;
        let detail = format!(
            "the server redirects (HTTP {}) to {target}, and requests do not follow; if that host is right, build the \
             client for it",
            status.as_u16()
        );
        let error = Error::new(ErrorKind::Redirect, subject, detail);
        return Err(error.with(|error| error.http_status = Some(status)));
    }
    let body = read(&mut response, subject, client.inner.largest_answer).await;
    let body = body.map_err(|error| error.with(|error| error.http_status = Some(parts.status)))?;
    envelope::judge(subject, operation, parts.status, body, secrets)
}

/// All that has to happen before a request may go out.
async fn prepare(
    client: &Client,
    request: &mut Request,
    operation: Option<&'static Operation>,
    subject: &str,
    time: &Time,
    user: Option<&SecretString>,
    token: &mut Option<Arc<ManagementToken>>,
) -> Result<(), Error> {
    let Inner { credentials, headers, base_path, foreign_http_client, management_tokens, now, .. } = &client.inner;
    // progenitor sends the document's version with every request; the server knows no such header.
    request.headers_mut().remove("api-version");
    request.headers_mut().extend(headers.clone());
    let chosen = credentials.choose(operation, subject, user.is_some())?;
    if chosen.contains(&Credential::ManagementToken) {
        *token = Some(time.bound(subject, management_tokens.get(client, token.as_ref())).await??);
    }
    let management_token = token.as_deref();
    let occasion = Occasion { subject, base_path, now: now(), user_access_token: user, management_token };
    credentials.apply(chosen, request, &occasion)?;
    if *foreign_http_client {
        // A client from outside may follow redirects, and would send the body again, to wherever it is told. A body
        // that looks like a stream cannot be sent twice.
        if let Some(body) = request.body_mut().take() {
            *request.body_mut() = Some(reqwest::Body::wrap(body));
        }
    }
    Ok(())
}

/// The origin that a redirect names, or that answered after one; its path and query may hold anything.
fn redirected_to(sent_to: &Url, response: &Response, headers: &HeaderMap) -> Option<String> {
    if response.url() != sent_to {
        // The caller's own HTTP client has followed: whoever answered, it was not asked what we asked.
        return Some(response.url().origin().ascii_serialization());
    }
    if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
        return None;
    }
    let target = headers.get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| sent_to.join(to).ok());
    Some(target.map_or_else(|| "nowhere".to_owned(), |to| to.origin().ascii_serialization()))
}

async fn read(response: &mut Response, subject: &str, largest: usize) -> Result<Bytes, Error> {
    let announced = response.content_length().unwrap_or_default();
    let mut body = BytesMut::with_capacity(usize::try_from(announced).unwrap_or_default().min(largest));
    while let Some(chunk) = response.chunk().await.map_err(|error| network_error(subject, error))? {
        if body.len() + chunk.len() > largest {
            let detail = format!(
                "the answer is larger than {largest} bytes; check that the host is right, or allow more with `.largest_answer(..)`"
            );
            return Err(Error::new(ErrorKind::TooLarge, subject, detail));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn network_error(subject: &str, error: reqwest::Error) -> Error {
    let (kind, detail) = if error.is_timeout() {
        (ErrorKind::Timeout, TIME_IS_OVER)
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
    // The path of an endpoint that the document does not describe may hold anything, an invitation's code for one.
    let path = operation.map(|operation| operation.path);
    tracing::info_span!(
        "genauth.request",
        otel.name = path.map_or_else(|| method.to_owned(), |path| format!("{method} {path}")),
        otel.kind = "client",
        http.request.method = method,
        url.template = path,
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        genauth.operation_id = operation.map(|operation| operation.id),
        genauth.dialect = ?client.inner.credentials.dialect,
        http.request.resend_count = Empty,
        http.response.status_code = Empty,
        genauth.status_code = Empty,
        genauth.api_code = Empty,
        genauth.request_id = Empty,
        error.r#type = Empty,
        otel.status_code = Empty,
    )
}
