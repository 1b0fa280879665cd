//! The attempts of a call: what may succeed without a change is tried again, as long as there is time and the call is
//! idempotent.

use super::attempt::{Arrival, Draft, Failed, NoToken, deliver};
use super::call::Call;
use super::redaction::Secrets;
#[cfg(feature = "opentelemetry")]
use super::telemetry;
use super::trace;
use crate::operation::climbs;
use crate::response::Head;
use crate::{Error, ErrorKind, Operation, Response, retry};
use http::{HeaderMap, StatusCode};
use reqwest::Request;
use tokio::sync::SemaphorePermit;
use tracing::{Instrument as _, Span};

pub(super) struct Attempts<'a> {
    pub(super) call: Call<'a>,
    draft: Draft,
    span: Span,
    made: u32,
    /// How long the last attempt took until its answer was complete.
    #[cfg(feature = "opentelemetry")]
    took: std::time::Duration,
}

impl<'a> Attempts<'a> {
    pub(super) fn begin(call: Call<'a>, request: Request) -> Result<Box<Self>, Error> {
        let span = trace::span(&call, &request);
        let attempts = Box::new(Self {
            call,
            draft: Draft::new(request),
            span,
            made: 0,
            #[cfg(feature = "opentelemetry")]
            took: std::time::Duration::ZERO,
        });
        let may_begin = attempts.span.in_scope(|| attempts.check());
        may_begin.inspect_err(|error| trace::failure(&attempts.span, error))?;
        Ok(attempts)
    }

    /// Refuses a call for which nothing must be sent.
    fn check(&self) -> Result<(), Error> {
        let Call { settings, operation: Some(operation), .. } = self.call else { return Ok(()) };
        settings.notices.of_document(operation)?;
        if leads_elsewhere(self.draft.request.url().path(), settings.host.base_path(), operation) {
            let detail = "a parameter of its path is empty or leads to another path; leave out `\\`, `.` and `..`";
            return Err(self.call.error(ErrorKind::Request, detail));
        }
        Ok(())
    }

    /// Returns the next complete answer. After an answer that `failed`, makes another attempt or returns the call's
    /// error.
    pub(super) async fn next(&mut self, failed: Option<Failed>) -> Result<Arrival, Error> {
        let span = self.span.clone();
        // The future is boxed: all futures that await it would otherwise carry its size.
        let next = Box::pin(self.arrive(failed).instrument(span)).await;
        next.inspect_err(|error| trace::failure(&self.span, error))
    }

    async fn arrive(&mut self, mut failed: Option<Failed>) -> Result<Arrival, Error> {
        loop {
            if let Some((error, headers)) = failed {
                Box::pin(self.go_on(error, &headers)).await?;
            }
            let chosen = self.draft.choose(&self.call).map_err(|error| self.counted(error))?;
            match self.draft.find_token(&self.call, chosen).await {
                Ok(()) => {}
                Err(NoToken::TimeIsOver(error)) => return Err(self.counted(error)),
                Err(NoToken::Failed(error)) => return Err(error),
            }
            let turn = self.turn().await.map_err(|error| self.counted(error))?;
            let request = self.draft.copy_with(&self.call, chosen).map_err(|error| self.counted(error))?;
            self.made += 1;
            #[cfg(feature = "opentelemetry")]
            let start = tokio::time::Instant::now();
            let delivered = deliver(&self.call, request, self.draft.request.url()).await;
            #[cfg(feature = "opentelemetry")]
            {
                self.took = start.elapsed();
            }
            drop(turn);
            match delivered {
                Ok(arrival) => return Ok(arrival),
                Err(broken) => failed = Some(broken),
            }
        }
    }

    /// Waits while too many requests are under way.
    async fn turn(&self) -> Result<Option<SemaphorePermit<'a>>, Error> {
        let Some(turns) = &self.call.settings.concurrency else { return Ok(None) };
        Box::pin(self.call.in_time(turns.acquire())).await.map(Result::ok)
    }

    /// Returns the call's error unless there is to be another attempt.
    async fn go_on(&mut self, mut error: Error, headers: &HeaderMap) -> Result<(), Error> {
        self.measure(error.http_status(), Some(&error));
        match self.draft.renew_token(&self.call, &error).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(time_is_over) => error = time_is_over,
        }
        // A call that was carried out fails with the refusal, whether or not its payload can be read; one that failed
        // anyway keeps its own error.
        let carried_out =
            matches!(error.kind(), ErrorKind::NoData | ErrorKind::Response) && error.status_code() == Some(200);
        let refused = self.notice(headers).err().filter(|_| carried_out);
        let error = self.counted(refused.unwrap_or(error));
        let error = error.with(|error| error.retry_after = retry::retry_after(headers, (self.call.settings.now)()));
        let retry = &self.call.settings.retry;
        let pause = retry.pause_after(self.made, &error, retry::random()).filter(|pause| *pause < self.call.left());
        let Some(pause) = pause.filter(|_| self.call.idempotent && retry.budget.spend()) else { return Err(error) };
        self.span.record("http.request.resend_count", i64::from(self.made));
        tracing::info!(target: "genauth", attempts = self.made, pause_ms = pause.as_millis(), %error, "trying again");
        tokio::time::sleep(pause).await;
        Ok(())
    }

    pub(super) fn succeed<T>(&self, arrival: Arrival, head: Head, payload: T) -> Result<Response<T>, Error> {
        self.settle(&head, &arrival)?;
        Ok(Response { payload, head, http_status: arrival.status, headers: arrival.headers })
    }

    fn settle(&self, head: &Head, arrival: &Arrival) -> Result<(), Error> {
        self.measure(Some(arrival.status), None);
        if let Err(refused) = self.span.in_scope(|| self.notice(&arrival.headers)) {
            let refused = self.counted(refused);
            trace::failure(&self.span, &refused);
            return Err(refused);
        }
        self.call.settings.retry.budget.earn();
        trace::success(&self.span, arrival.status, head);
        Ok(())
    }

    fn notice(&self, headers: &HeaderMap) -> Result<(), Error> {
        self.call.settings.notices.of_server(&self.call.subject, self.call.operation, headers)
    }

    /// Tells OpenTelemetry how the last attempt ended.
    #[cfg_attr(not(feature = "opentelemetry"), allow(clippy::unused_self, unused_variables, reason = "nobody is told"))]
    fn measure(&self, status: Option<StatusCode>, error: Option<&Error>) {
        #[cfg(feature = "opentelemetry")]
        telemetry::attempt(&self.call, &self.draft.request, self.took, status, error);
    }

    fn counted(&self, error: Error) -> Error {
        error.with(|error| error.attempts = self.made)
    }

    pub(super) fn secrets(&self) -> Secrets<'_> {
        self.draft.secrets(&self.call)
    }
}

/// Whether a parameter turned an operation's path into another one: a URL parser resolves `..`, and takes `\` for `/`.
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
        tells_success: false,
        secret_fields: &[],
        siblings: &[],
        fellows: crate::operation::Fellows(crate::operations),
    };

    #[tokio::test]
    async fn no_parameter_of_a_path_leads_to_another_path() {
        // Nothing listens on this port, so a request that is not refused fails to connect.
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
            // The generated code writes the URL like this.
            let url = format!("{}/api/v3/users/{}", client.host(), progenitor_client::encode_path(user));
            let request = Request::new(Method::GET, url.parse().unwrap());
            let sent = crate::exchange::send::<serde::de::IgnoredAny>(&client.settings, &GET_USER, Ok(request));
            let error = sent.await.map(drop).unwrap_err();
            assert_eq!((error.kind(), error.subject()), (expected, "getUser"), "{user}: {error}");
        }
    }
}
