//! What all steps of a call know about it.

use crate::client::Settings;
use crate::encoding::one_line;
use crate::operation::subject;
use crate::{Credential, Error, ErrorKind, Operation};
use http::Method;
use std::borrow::Cow;
use std::time::Duration;
use tokio::time::Instant;

pub(crate) struct Call<'a> {
    pub(super) settings: &'a Settings,
    /// `None` for an endpoint that the document does not describe.
    pub(super) operation: Option<&'static Operation>,
    /// What errors, warnings and logs call the call.
    pub(super) subject: Cow<'static, str>,
    /// Whether it may be sent more than once.
    pub(super) idempotent: bool,
    /// The credentials that the caller chose, if it did.
    pub(super) credentials: Option<&'a [Credential]>,
    /// Whether the type of the payload is the caller's rather than the document's.
    pub(super) own_payload: bool,
    /// Whether the body is a form rather than JSON.
    pub(super) sends_form: bool,
    start: Instant,
}

const UNWRITABLE: &str = "the request cannot be written; check its fields";

impl<'a> Call<'a> {
    pub(crate) fn new(settings: &'a Settings, operation: Option<&'static Operation>, method: &Method) -> Self {
        Self {
            settings,
            operation,
            subject: subject(operation, method),
            idempotent: operation.is_some_and(|operation| operation.idempotent),
            credentials: None,
            own_payload: false,
            sends_form: false,
            start: Instant::now(),
        }
    }

    /// The same call, with its time counted from now on.
    pub(super) fn begun_now(self) -> Self {
        Self { start: Instant::now(), ..self }
    }

    pub(super) fn error(&self, kind: ErrorKind, detail: impl Into<String>) -> Error {
        Error::new(kind, &*self.subject, detail)
    }

    /// The error of a request that the generated code could not build.
    pub(super) fn unwritable(&self, problem: progenitor_client::Error<()>) -> Error {
        use progenitor_client::Error::{CommunicationError, InvalidRequest};
        match problem {
            InvalidRequest(problem) => {
                let (what, advice) = match problem.ends_with("is not set") {
                    true => ("the request is incomplete", "set it"),
                    false => ("the request does not fit", "set a value that does; see the field's type"),
                };
                self.error(ErrorKind::Request, format!("{what}: {}; {advice}", one_line(&problem)))
            }
            CommunicationError(error) => self.unwritten(error),
            // The `Display` of these prints payloads.
            _ => self.error(ErrorKind::Request, UNWRITABLE),
        }
    }

    /// The error of a request that reqwest could not build.
    pub(super) fn unwritten(&self, error: reqwest::Error) -> Error {
        self.error(ErrorKind::Request, UNWRITABLE).caused_by(error.without_url())
    }

    /// How much of the call's time is left, which all attempts share.
    pub(super) fn left(&self) -> Duration {
        self.settings.timeout.saturating_sub(self.start.elapsed())
    }

    /// Runs a future for as long as there is time left.
    pub(super) async fn in_time<T>(&self, what: impl Future<Output = T>) -> Result<T, Error> {
        tokio::time::timeout(self.left(), what).await.map_err(|_| self.time_is_over())
    }

    pub(super) fn time_is_over(&self) -> Error {
        self.error(
            ErrorKind::Timeout,
            "no complete answer within the time allowed; try again, or allow more with `.timeout(..)`",
        )
    }
}
