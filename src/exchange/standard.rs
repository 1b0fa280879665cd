//! Endpoints of other standards than this API's: the request is a form, and the answer is not an envelope.

use super::attempt::Arrival;
use super::attempts::Attempts;
use super::call::Call;
use super::envelope;
use super::redaction::Secrets;
use crate::client::Settings;
use crate::encoding::one_line;
use crate::response::Head;
use crate::{Credential, Error, ErrorKind};
use reqwest::Request;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A request to such an endpoint.
pub(crate) struct Standard<'a> {
    /// What errors and logs call the call.
    pub(crate) subject: &'static str,
    pub(crate) request: Result<Request, reqwest::Error>,
    pub(crate) credentials: &'a [Credential],
    pub(crate) idempotent: bool,
}

/// A failure by OAuth 2.0 (RFC 6749, section 5.2), and the field that identifies an envelope.
#[derive(Deserialize)]
struct Failure {
    error: Option<String>,
    error_description: Option<String>,
    #[serde(rename = "statusCode")]
    status_code: Option<i64>,
}

impl Standard<'_> {
    pub(crate) async fn send<T: DeserializeOwned>(self, settings: &Settings) -> Result<T, Error> {
        let Self { subject, request, credentials, idempotent } = self;
        let method = request.as_ref().map_or(http::Method::POST, |request| request.method().clone());
        let mut call = Call::new(settings, None, &method);
        (call.subject, call.idempotent, call.credentials, call.sends_form) =
            (subject.into(), idempotent, Some(credentials), true);
        let request = request.map_err(|error| call.unwritten(error))?;
        let answer = super::carry_with(Attempts::begin(call, request), open::<T>).await?;
        Ok(answer.into_payload())
    }
}

fn open<T: DeserializeOwned>(call: &Call<'_>, secrets: &Secrets<'_>, arrival: &Arrival) -> Result<(T, Head), Error> {
    let body: &[u8] = if arrival.body.is_empty() { b"null" } else { &arrival.body };
    let failure = serde_json::from_slice::<Option<Failure>>(body).ok().flatten().filter(|_| !envelope::is_list(body));
    let is_envelope = failure.as_ref().is_some_and(|failure| failure.status_code.is_some());
    if !arrival.status.is_success() && !is_envelope {
        let Some(Failure { error: Some(code), error_description, .. }) = failure else {
            return envelope::open(call, secrets, arrival);
        };
        let mut detail = format!("the server answered `{}`", one_line(&secrets.strike_out_of(code.clone())));
        if let Some(description) = error_description {
            detail.push_str(&format!(" ({})", one_line(&secrets.strike_out_of(description))));
        }
        detail.push_str(advice(&code));
        let error = envelope::with_answer(call.error(ErrorKind::Api, detail), arrival);
        return Err(error.with(|error| error.oauth_error = Some(secrets.strike_out_of(code))));
    }
    if is_envelope {
        return envelope::open(call, secrets, arrival);
    }
    let head = Head { status_code: 200, message: String::new(), api_code: None, request_id: None };
    // serde's own message may quote the body, so only the place is told.
    serde_json::from_slice(body).map(|payload| (payload, head)).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let detail = format!("the answer is not what the standard says ({place}); check that the host is right");
        envelope::with_answer(call.error(ErrorKind::Response, detail), arrival)
    })
}

fn advice(code: &str) -> &'static str {
    match code {
        "invalid_client" => "; check the app id and the app secret, and how the application authenticates",
        "invalid_grant" => "; the code or token is used up, expired or another application's: begin again",
        "invalid_scope" => "; ask for scopes that the application may have",
        "unauthorized_client" => "; allow the grant in the application's settings",
        "invalid_token" => "; get a new token",
        "invalid_request" => "; check the request, such as its redirect URI",
        _ => "",
    }
}
