//! The path of a call: a request goes one way, and an answer comes back the other.
//!
//! [`send`] gets the request that the generated code has built. [`Attempts`] send it, more than once if the call is
//! idempotent, and [`envelope`] opens the answer. Only the last step depends on the type of the payload; everything
//! else is compiled once.
//! else is compiled once.

mod attempt;
mod attempts;
mod body;
mod call;
mod envelope;
#[cfg(feature = "invoke")]
mod input;
#[cfg(feature = "invoke")]
mod invoke;
pub(crate) mod path;
mod redaction;
#[cfg(feature = "oidc")]
pub(crate) mod standard;
#[cfg(feature = "opentelemetry")]
mod telemetry;
mod trace;
pub(crate) mod undescribed;

#[cfg(feature = "invoke")]
pub use self::input::{Input, Invoking, unknown};
#[cfg(feature = "__fuzz")]
pub(crate) use self::{attempt::Arrival, envelope::open, redaction::Secrets};

use self::attempts::Attempts;
pub(crate) use self::call::Call;
use crate::client::Settings;
use crate::{Error, Operation, Response};
use reqwest::Request;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes the body of a request, or says why it cannot be written.
pub fn json<T: Serialize>(body: &T) -> Result<Vec<u8>, String> {
    serde_json::to_vec(body).map_err(|error| error.to_string())
}

/// Sends the request that the generated code has built, or returns why it could not be built.
pub(crate) fn send<T: DeserializeOwned>(
    settings: &Settings,
    operation: &'static Operation,
    request: Result<Request, progenitor_client::Error<()>>,
) -> impl Future<Output = Result<Response<T>, Error>> {
    let call = Call::new(settings, Some(operation), &operation.method);
    carry(match request {
        Ok(request) => Attempts::begin(call, request),
        Err(problem) => Err(call.unwritable(problem)),
    })
}

/// The error of a request that the generated code could not build.
pub(crate) fn unwritable(
    settings: &Settings,
    operation: &'static Operation,
    problem: progenitor_client::Error<()>,
) -> Error {
    Call::new(settings, Some(operation), &operation.method).unwritable(problem)
}

/// Sends a request and opens its answer.
async fn carry<T: DeserializeOwned>(begun: Result<Box<Attempts<'_>>, Error>) -> Result<Response<T>, Error> {
    carry_with(begun, envelope::open).await
}

/// A function that opens an answer.
type Opener<T> = fn(&Call<'_>, &redaction::Secrets<'_>, &attempt::Arrival) -> Result<(T, crate::response::Head), Error>;

async fn carry_with<T>(begun: Result<Box<Attempts<'_>>, Error>, open: Opener<T>) -> Result<Response<T>, Error> {
    let mut attempts = begun?;
    let mut failed = None;
    loop {
        let arrival = attempts.next(failed).await?;
        match open(&attempts.call, &attempts.secrets(), &arrival) {
            Ok((payload, head)) => return attempts.succeed(arrival, head, payload),
            Err(error) => failed = Some((error, arrival.headers)),
        }
    }
}
