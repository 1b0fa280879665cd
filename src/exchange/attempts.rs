//! The attempts of a call: what may succeed without a change is tried again, as long as there is time and the document lets
//! it.

use super::attempt::Arrival;
use super::call::Call;
use super::redaction::Secrets;
use super::trace;
use crate::credentials::ManagementToken;
use crate::operation::climbs;
use crate::response::Head;
use crate::{Error, ErrorKind, Operation, Response, SecretString, retry};
use http::{HeaderMap, StatusCode};
use reqwest::Request;
use std::sync::Arc;
use tracing::{Instrument as _, Span};

pub(super) struct Attempts<'a> {
    pub(super) call: Call<'a>,
    /// As the caller made it, without its headers. What is sent is a copy, with these and with credentials.
    pub(super) request: Request,
    pub(super) headers: HeaderMap,
    span: Span,
    pub(super) made: u32,
    /// The tokens that go with an attempt; they are chosen anew for each.
    pub(super) user: Option<SecretString>,
    pub(super) token: Option<Arc<ManagementToken>>,
    /// Whether the management token was fetched because the server had rejected the one before.
    pub(super) renewed: bool,
    /// How many management tokens there had been before the attempt.
    pub(super) fetches: u64,
}

impl<'a> Attempts<'a> {
    pub(super) fn begin(call: Call<'a>, mut request: Request) -> Result<Box<Self>, Error> {
        let span = trace::span(&call, &request);
        let headers = std::mem::take(request.headers_mut());
        let attempts =
            Self { call, request, headers, span, made: 0, user: None, token: None, renewed: false, fetches: 0 };
        if let Some(operation) = attempts.call.operation {
            let noticed = attempts.span.in_scope(|| attempts.call.settings.notices.of_document(operation));
            noticed.inspect_err(|refused| trace::failure(&attempts.span, refused))?;
            let path = attempts.request.url().path();
            if leads_elsewhere(path, attempts.call.settings.host.base_path(), operation) {
                let detail = "a parameter of its path is empty or leads to another path; leave out `\\`, `.` and `..`";
                return Err(attempts.call.error(ErrorKind::Request, detail));
            }
        }
        Ok(Box::new(attempts))
    }

    /// The next answer that comes whole.
    pub(super) async fn next(&mut self) -> Result<Arrival, Error> {
        let span = self.span.clone();
        let next = async {
            loop {
                let chosen = self.choose().await?;
                let turn = self.turn().await?;
                let request = self.request_with(chosen)?;
                let delivered = self.deliver(request).await;
                drop(turn);
                match delivered {
                    Ok(arrival) => return Ok(arrival),
                    Err((error, headers)) => Box::pin(self.go_on(error, &headers)).await?,
                }
            }
        };
        // Boxed: a future of this size would be moved about by all that await it.
        Box::pin(next.instrument(span)).await.inspect_err(|error| trace::failure(&self.span, error))
    }

    /// After an answer that says no: the call's error, unless there is to be another attempt.
    pub(super) async fn fail(&mut self, error: Error, headers: &HeaderMap) -> Result<(), Error> {
        let span = self.span.clone();
        Box::pin(self.go_on(error, headers).instrument(span))
            .await
            .inspect_err(|error| trace::failure(&self.span, error))
    }

    pub(super) fn succeed<T>(&self, arrival: Arrival, head: Head, payload: T) -> Result<Response<T>, Error> {
        self.settle(&head, &arrival)?;
        Ok(Response { payload, head, http_status: arrival.status, headers: arrival.headers })
    }

    fn settle(&self, head: &Head, arrival: &Arrival) -> Result<(), Error> {
        if let Err(refused) = self.span.in_scope(|| self.notice(&arrival.headers)) {
            let refused = self.counted(refused);
            trace::failure(&self.span, &refused);
            return Err(refused);
        }
        self.call.settings.retry.budget.earn();
        trace::success(&self.span, arrival.status, head);
        Ok(())
    }

    async fn go_on(&mut self, mut error: Error, headers: &HeaderMap) -> Result<(), Error> {
        let retry = &self.call.settings.retry;
        let rejected = self.token.take().filter(|sent| !self.renewed && sent.fetch() <= self.fetches);
        if let Some(rejected) = rejected.filter(|_| is_unauthorized(&error)) {
            // A management token may die before its time; with another one the request goes out once more.
            match self.management_token(Some(&rejected)).await {
                Ok(Ok(next)) if !Arc::ptr_eq(&next, &rejected) => {
                    self.token = Some(next);
                    return Ok(());
                }
                Ok(Ok(_)) => {}
                // The call for it has tried again what there was to try.
                Ok(Err(of_token)) => return Err(of_token.with(|error| error.attempts = 1)),
                Err(time_is_over) => error = time_is_over,
            }
        }
        // What was carried out fails for the refusal, whether or not its payload reads; what failed anyway for its own reason.
        let carried_out =
            matches!(error.kind(), ErrorKind::NoData | ErrorKind::Response) && error.status_code() == Some(200);
        let refused = self.notice(headers).err().filter(|_| carried_out);
        let error = self.counted(refused.unwrap_or(error));
        let error = error.with(|error| error.retry_after = retry::retry_after(headers, (self.call.settings.now)()));
        let pause = retry.pause_after(self.made, &error, retry::random()).filter(|pause| *pause < self.call.left());
        let repeatable = self.call.operation.is_some_and(|operation| operation.idempotent);
        let Some(pause) = pause.filter(|_| repeatable && retry.budget.spend()) else { return Err(error) };
        self.span.record("http.request.resend_count", self.made);
        tracing::info!(attempts = self.made, pause_ms = pause.as_millis(), %error, "trying again");
        tokio::time::sleep(pause).await;
        Ok(())
    }

    fn notice(&self, headers: &HeaderMap) -> Result<(), Error> {
        self.call.settings.notices.of_server(&self.call.subject, self.call.operation, headers)
    }

    /// The error of this call, and not of one that it needed.
    pub(super) fn counted(&self, error: Error) -> Error {
        error.with(|error| error.attempts = self.made)
    }

    /// What of the last attempt must not be repeated.
    pub(super) fn secrets(&self) -> Secrets<'_> {
        let tokens = [self.user.as_ref(), self.token.as_ref().map(|token| token.secret())];
        Secrets::new(self.call.settings, &self.request, self.call.operation, tokens)
    }
}

fn is_unauthorized(error: &Error) -> bool {
    error.status_code() == Some(401) || error.http_status() == Some(StatusCode::UNAUTHORIZED)
}

/// Whether a parameter made the path of an operation another one's: a URL's parser resolves `..`, and takes `\` for `/`.
fn leads_elsewhere(path: &str, base_path: &str, operation: &Operation) -> bool {
    operation.path.contains('{')
        && !path.strip_prefix(base_path).is_some_and(|path| operation.fits(path) && !climbs(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Client;
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
            let sent = crate::exchange::send::<serde::de::IgnoredAny>(&client.settings, &GET_USER, Ok(request));
            let error = sent.await.map(drop).unwrap_err();
            assert_eq!((error.kind(), error.subject()), (expected, "getUser"), "{user}: {error}");
        }
    }
}
