//! What happens to every request: credentials, deprecation notices, limits, tracing, and the verdict on the answer.

use crate::api::Client;
use crate::client::Settings;
use crate::client::management::management_token;
use crate::credentials::{ManagementToken, Occasion};
use crate::envelope::{self, Outcome};
use crate::operation::{climbs, subject};
use crate::redaction::Secrets;
use crate::retry;
use crate::{Credential, Error, ErrorKind, Operation, SecretString};
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::LOCATION;
use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::{Request, Response, Url};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

impl ClientHooks<Settings> for Client {
    /// Never an error: a `reqwest::Error` cannot say what went wrong in our words, so the outcome travels as an
    /// extension of the response.
    async fn exec(&self, request: Request, info: &OperationInfo) -> reqwest::Result<Response> {
        Ok(exchange(self, request.into(), Operation::by_method_name(info.operation_id)).await)
    }
}

/// Sends a request and judges the answer. The response holds the answer's status and headers, and the [`Outcome`].
pub(crate) async fn exchange(
    client: &Client,
    request: Box<Request>,
    operation: Option<&'static Operation>,
) -> Response {
    let span = span(client, &request, operation);
    // Boxed: the future of a whole call is large, and every await around this one would carry it about.
    let (outcome, response) = Box::pin(with_retries(client, request, operation)).instrument(span.clone()).await;
    record(&span, &outcome, response.as_ref());
    let mut response = response.unwrap_or_else(|| http::Response::new(Bytes::new()).into());
    response.extensions_mut().insert::<Outcome>(outcome);
    response
}

/// Tries again what may succeed without a change, as long as there is time and the document lets it.
async fn with_retries(
    client: &Client,
    mut request: Box<Request>,
    operation: Option<&'static Operation>,
) -> (Outcome, Option<Response>) {
    let Settings { credentials, notices, timeout, retry, now, .. } = &client.inner;
    if let Some(Err(refused)) = operation.map(|operation| notices.of_document(operation)) {
        return (Err(refused), None);
    }
    let subject = &*subject(operation, request.method());
    let repeatable = retry.retries > 0 && operation.is_some_and(|operation| operation.idempotent);
    let managed = credentials.management_access.0.as_ref();
    let time = Time { start: Instant::now(), allowed: *timeout };
    let (mut token, mut attempts) = (None, 0);
    loop {
        let mut again = if repeatable || managed.is_some() { request.try_clone().map(Box::new) } else { None };
        let (fetches, renewing) = (managed.map_or(0, |tokens| tokens.fetches()), token.is_some());
        let (mut outcome, response) = carry_out(client, request, operation, subject, &time, &mut token).await;
        if let (Err(error), true) = (&outcome, again.is_some())
            && let Some(sent) = token.take_if(|sent| !renewing && sent.fetch <= fetches)
            && (error.status_code() == Some(401) || error.http_status() == Some(StatusCode::UNAUTHORIZED))
        {
            // A management token may die before its time; with another one the request goes out once more.
            let next = time.bound(subject, management_token(client, Some(&sent)));
            let next = Box::pin(next).await.map_err(|error| error.with(|error| error.attempts = 1));
            match (next.and_then(|next| next), again.take()) {
                (Ok(next), Some(again)) if !Arc::ptr_eq(&next, &sent) => {
                    (request, token, attempts) = (again, Some(next), attempts + 1);
                    continue;
                }
                (Ok(_), unused) => again = unused,
                (Err(error), _) => outcome = Err(error),
            }
        }
        token = None;
        if let Some(response) = &response
            && let Err(refused) = notices.of_server(subject, operation, response.headers())
        {
            outcome = outcome.and(Err(refused));
        }
        let error = match outcome {
            Ok(mut answer) => {
                retry.budget.earn();
                answer.attempts += attempts;
                return (Ok(answer), response);
            }
            // An operation that this one needed: its own call has tried again what there was to try.
            Err(error) if error.subject() != subject => return (Err(error), response),
            Err(error) => error.with(|error| {
                error.attempts += attempts;
                error.retry_after =
                    response.as_ref().and_then(|response| retry::retry_after(response.headers(), now()));
            }),
        };
        attempts = error.attempts();
        let pause = retry.pause_after(attempts, &error, retry::random()).filter(|pause| *pause < time.left());
        let (Some(again), Some(pause), true) = (again, pause, repeatable) else { return (Err(error), response) };
        if !retry.budget.spend() {
            return (Err(error), response);
        }
        // With what is left of an answer goes its connection.
        drop(response);
        Span::current().record("http.request.resend_count", attempts);
        tracing::info!(attempts, pause_ms = pause.as_millis(), %error, "trying again");
        tokio::time::sleep(pause).await;
        request = again;
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
        tokio::time::timeout(self.left(), what).await.map_err(|_| time_is_over(subject))
    }
}

fn time_is_over(subject: &str) -> Error {
    Error::new(ErrorKind::Timeout, subject, TIME_IS_OVER)
}

const TIME_IS_OVER: &str = "no complete answer within the time allowed; try again, or allow more with `.timeout(..)`";

/// `token` is the management token to send, if that is known before, and then the one that went out.
async fn carry_out(
    client: &Client,
    mut request: Box<Request>,
    operation: Option<&'static Operation>,
    subject: &str,
    time: &Time,
    token: &mut Option<Arc<ManagementToken>>,
) -> (Outcome, Option<Response>) {
    let secrets = Secrets::of(&client.inner.credentials, &client.inner.headers, &request, operation);
    // One look: another task may replace the user's token while this request is under way.
    let user = client.inner.credentials.user_access_token();
    if let Err(error) = prepare(client, &mut request, operation, subject, time, user.as_ref(), token).await {
        return (Err(error), None);
    }
    let secrets = secrets.and([user.as_ref(), token.as_ref().map(|token| &token.secret)]);
    let mut turn = None;
    if let Some(turns) = &client.inner.concurrency {
        turn = match time.bound(subject, turns.acquire()).await {
            Ok(turn) => turn.ok(),
            Err(error) => return (Err(error), None),
        };
    }
    let allowed = client.inner.attempt_timeout.map_or(time.left(), |most| most.min(time.left()));
    let mut sent_to = None;
    if client.inner.foreign_http_client {
        // It may have a time limit of its own, and this one counts.
        *request.timeout_mut() = Some(allowed);
        sent_to = Some(request.url().clone());
    }
    let mut response = None;
    let exchanged = async {
        let answer = client.client.execute(*request).await.map_err(|error| network_error(subject, error))?;
        read(response.insert(answer), subject, sent_to.as_ref(), client.inner.largest_answer).await
    };
    // Not by reqwest, which allocates several times for it.
    let body = tokio::time::timeout(allowed, exchanged).await.unwrap_or_else(|_| Err(time_is_over(subject)));
    drop(turn);
    let status = response.as_ref().map(Response::status);
    let outcome = body
        .map_err(|error| error.with(|error| error.http_status = status))
        .and_then(|body| envelope::judge(subject, operation, status.unwrap_or_default(), body, &secrets));
    (outcome.map_err(|error| error.with(|error| error.attempts = 1)), response)
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
    let Settings { credentials, headers, base_path, foreign_http_client, now, .. } = &client.inner;
    if operation.is_some_and(|operation| leads_elsewhere(request.url().path(), base_path, operation)) {
        let detail = "a parameter of its path is empty or leads to another path; leave out `\\`, `.` and `..`";
        return Err(Error::new(ErrorKind::Request, subject, detail));
    }
    request.headers_mut().extend(headers.clone());
    let chosen = credentials.choose(operation.map(|operation| operation.credentials), subject, user.is_some())?;
    if chosen.contains(&Credential::ManagementToken) && token.is_none() {
        let get = time.bound(subject, management_token(client, None));
        *token = Some(Box::pin(get).await??);
    }
    let management_token = token.as_ref().map(|token| &token.secret);
    let userpool_id = token.as_ref().and_then(|token| token.userpool_id.as_ref());
    let occasion = Occasion { subject, base_path, now: now(), user_access_token: user, management_token, userpool_id };
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

/// Whether a parameter made the path of an operation another one's: a URL's parser resolves `..`, and takes `\` for `/`.
fn leads_elsewhere(path: &str, base_path: &str, operation: &Operation) -> bool {
    operation.path.contains('{')
        && !path.strip_prefix(base_path).is_some_and(|path| operation.fits(path) && !climbs(path))
}

/// The origin that a redirect names, or that answered after one; its path and query may hold anything.
fn redirected_to(sent_to: Option<&Url>, response: &Response) -> Option<String> {
    if sent_to.is_some_and(|url| url != response.url()) {
        // The caller's own HTTP client has followed: whoever answered, it was not asked what we asked.
        return Some(response.url().origin().ascii_serialization());
    }
    if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
        return None;
    }
    let target = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
    let target = target.and_then(|to| response.url().join(to).ok());
    Some(target.map_or_else(|| "nowhere".to_owned(), |to| to.origin().ascii_serialization()))
}

/// The body of an answer from where the request was sent to.
async fn read(response: &mut Response, subject: &str, sent_to: Option<&Url>, largest: usize) -> Result<Bytes, Error> {
    if let Some(target) = redirected_to(sent_to, response) {
        let detail = format!(
            "the server redirects (HTTP {}) to {target}, and requests do not follow; if that host is right, build the \
             client for it",
            response.status().as_u16()
        );
        return Err(Error::new(ErrorKind::Redirect, subject, detail));
    }
    // It usually comes in one piece, which need not be copied.
    let (mut body, mut whole) = (Bytes::new(), BytesMut::new());
    while let Some(chunk) = response.chunk().await.map_err(|error| network_error(subject, error))? {
        if body.len().max(whole.len()) + chunk.len() > largest {
            let detail = format!(
                "the answer is larger than {largest} bytes; check that the host is right, or allow more with `.largest_answer(..)`"
            );
            return Err(Error::new(ErrorKind::TooLarge, subject, detail));
        }
        if body.is_empty() {
            body = chunk;
        } else {
            if whole.is_empty() {
                whole.extend_from_slice(&body);
            }
            whole.extend_from_slice(&chunk);
        }
    }
    Ok(if whole.is_empty() { body } else { whole.freeze() })
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

fn record(span: &Span, outcome: &Outcome, response: Option<&Response>) {
    if span.is_disabled() {
        return;
    }
    match outcome {
        Ok(answer) => {
            span.record("http.response.status_code", response.map(|response| response.status().as_u16()));
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
    // As in `subject`, no path of an endpoint that the document does not describe.
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

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    static GET_USER: Operation = Operation {
        id: "getUser",
        method_name: "get_user",
        method: Method::GET,
        path: "/api/v3/users/{userId}",
        summary: "",
        credentials: &[&[]],
        idempotent: true,
        deprecated: false,
        replaced_by: None,
        secret_fields: &[],
        siblings: &[],
    };

    #[tokio::test]
    async fn no_parameter_of_a_path_leads_to_another_path() {
        // Nobody listens there, so what is not refused fails to connect.
        let client = Client::builder("http://127.0.0.1:1/base").retries(0).build().unwrap();
        for (user, expected) in [
            ("zhang", ErrorKind::Connect),
            ("a..b/c?d#e é", ErrorKind::Connect),
            ("%2e%2e", ErrorKind::Connect),
            ("", ErrorKind::Request),
            (".", ErrorKind::Request),
            ("..", ErrorKind::Request),
            ("../orgs", ErrorKind::Request),
            ("..\\orgs", ErrorKind::Request),
            ("..\\..\\..\\..\\..\\api\\v3\\orgs", ErrorKind::Request),
            ("zhang\\roles", ErrorKind::Request),
        ] {
            // As the generated code writes it.
            let url = format!("{}/api/v3/users/{}", client.host(), progenitor_client::encode_path(user));
            let request = Request::new(Method::GET, url.parse().unwrap());
            let mut response = exchange(&client, request.into(), Some(&GET_USER)).await;
            let error = response.extensions_mut().remove::<Outcome>().unwrap().map(drop).unwrap_err();
            assert_eq!((error.kind(), error.subject()), (expected, "getUser"), "{user}: {error}");
        }
    }
}
