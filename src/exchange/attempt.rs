//! One attempt: the request that goes out, and the answer that comes back.

use super::body;
use super::call::Call;
use super::redaction::Secrets;
use crate::credentials::Outgoing;
use crate::keeper::Held;
use crate::{Credential, Error, ErrorKind, SecretString};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::{Request, Url};

/// A request as the caller made it, and the tokens for it, which are chosen anew for each attempt.
pub(super) struct Draft {
    /// The request has no headers: a copy of it is sent, with `headers` and with credentials.
    pub(super) request: Request,
    headers: HeaderMap,
    user: Option<SecretString>,
    token: Option<Held>,
    /// Whether the management token is new: fetched for this call, or since the server rejected the one before.
    is_new: bool,
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Why there is no management token to send.
pub(super) enum NoToken {
    /// This call has no time left to fetch one.
    TimeIsOver(Error),
    /// The call that fetches it failed, after its own retries.
    Failed(Error),
}

impl Draft {
    pub(super) fn new(mut request: Request) -> Self {
        let headers = std::mem::take(request.headers_mut());
        Self { request, headers, user: None, token: None, is_new: false }
    }

    /// The credentials to send.
    pub(super) fn choose<'a>(&mut self, call: &Call<'a>) -> Result<&'a [Credential], Error> {
        let credentials = &call.settings.credentials;
        // The token is read once: another task may replace it while this request is under way.
        self.user = credentials.user_access_token.get();
        if let Some(asked) = call.credentials {
            return credentials.held(asked, &call.subject, self.user.is_some());
        }
        let alternatives = call.operation.map(|operation| operation.credentials);
        credentials.choose(alternatives, &call.subject, self.user.is_some())
    }

    /// Finds the management token, if it is among the credentials; it may have to be fetched.
    pub(super) async fn find_token(&mut self, call: &Call<'_>, chosen: &[Credential]) -> Result<(), NoToken> {
        let Some(tokens) = &call.settings.credentials.management_access.0 else { return Ok(()) };
        if chosen.contains(&Credential::ManagementToken) && self.token.is_none() {
            let found = Box::pin(call.in_time(tokens.get())).await.map_err(NoToken::TimeIsOver)?;
            let (token, is_new) = found.map_err(NoToken::Failed)?;
            (self.token, self.is_new) = (Some(token), is_new);
        }
        Ok(())
    }

    /// After a failed attempt: whether there is another management token to send instead of one that the server
    /// rejected. A token may die before its time.
    pub(super) async fn renew_token(&mut self, call: &Call<'_>, error: &Error) -> Result<bool, Error> {
        let is_unauthorized = error.status_code() == Some(401) || error.http_status() == Some(StatusCode::UNAUTHORIZED);
        let sent = self.token.take().filter(|_| is_unauthorized && !self.is_new);
        let (Some(sent), Some(tokens)) = (sent, &call.settings.credentials.management_access.0) else {
            return Ok(false);
        };
        self.token = call.in_time(tokens.other_than(&sent)).await?;
        self.is_new = true;
        Ok(self.token.is_some())
    }

    /// The copy that goes out.
    pub(super) fn copy_with(&self, call: &Call<'_>, chosen: &[Credential]) -> Result<Request, Error> {
        let settings = call.settings;
        let copy = self.request.try_clone();
        let mut request = copy.ok_or_else(|| call.error(ErrorKind::Request, "its body is a stream"))?;
        // This is enough for most calls.
        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(ACCEPT, JSON);
        if request.body().is_some() {
            headers.insert(CONTENT_TYPE, JSON);
        }
        #[cfg(feature = "opentelemetry")]
        super::telemetry::propagate(&mut headers);
        for (name, value) in self.headers.iter().chain(&settings.headers) {
            headers.insert(name, value.clone());
        }
        *request.headers_mut() = headers;
        let outgoing = Outgoing {
            request: &mut request,
            subject: &call.subject,
            base_path: settings.host.base_path(),
            now: (settings.now)(),
            user_access_token: self.user.as_ref(),
            management_token: self.token.as_ref(),
            dialect: settings.credentials.dialect,
            tenant: settings.credentials.tenant.as_ref(),
        };
        settings.credentials.apply(chosen, outgoing)?;
        if settings.foreign_http_client {
            // A caller's own HTTP client may follow redirects, and would then send the body again, to any host. A body
            // that looks like a stream cannot be sent twice.
            if let Some(body) = request.body_mut().take() {
                *request.body_mut() = Some(reqwest::Body::wrap(body));
            }
        }
        Ok(request)
    }

    /// The secrets of the last attempt, which must not be repeated.
    pub(super) fn secrets<'a>(&'a self, call: &Call<'a>) -> Secrets<'a> {
        let tokens = [self.user.as_ref(), self.token.as_ref().map(Held::secret)];
        Secrets {
            settings: call.settings,
            request: &self.request,
            operation: call.operation,
            is_form: call.sends_form,
            tokens,
        }
    }
}

/// An answer that arrived completely.
pub(crate) struct Arrival {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What is wrong with an answer, and its headers; the map is empty if there was no answer.
pub(super) type Failed = (Error, HeaderMap);

/// Sends the request. An answer from another URL than `drafted` shows that the HTTP client has followed a redirect.
pub(super) fn deliver<'a>(
    call: &'a Call<'_>,
    mut request: Request,
    drafted: &'a Url,
) -> impl Future<Output = Result<Arrival, Failed>> {
    let settings = call.settings;
    let left = call.left();
    let allowed = settings.attempt_timeout.map_or(left, |most| most.min(left));
    let mut sent_to = None;
    if settings.foreign_http_client {
        // That client may have a time limit of its own; this one overrides it.
        *request.timeout_mut() = Some(allowed);
        sent_to = Some(drafted);
    }
    let sent = settings.http.execute(request);
    async move {
        let mut response = None;
        let exchanged = async {
            let answer = sent.await.map_err(|error| body::broken(call, error))?;
            body::read(call, response.insert(answer), sent_to).await
        };
        // The limit is not set on reqwest's request, which would allocate several times for it.
        let body = tokio::time::timeout(allowed, exchanged).await.unwrap_or_else(|_| Err(call.time_is_over()));
        let Some(mut response) = response else {
            return Err((body.err().unwrap_or_else(|| call.time_is_over()), HeaderMap::new()));
        };
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        match body {
            Ok(body) => Ok(Arrival { status, headers, body }),
            Err(error) => Err((error.with(|error| error.http_status = Some(status)), headers)),
        }
    }
}
