//! The body of an answer: it must come from where the request was sent, and be no larger than allowed.

use super::call::Call;
use crate::{Error, ErrorKind};
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::LOCATION;
use reqwest::{Response, Url};

/// The origin that a redirect names, or that answered after one. Only the origin: path and query may hold anything.
fn redirected_to(sent_to: Option<&Url>, response: &Response) -> Option<String> {
    if sent_to.is_some_and(|url| url != response.url()) {
        // The caller's own HTTP client has followed a redirect: the server that answered did not get our request.
        return Some(response.url().origin().ascii_serialization());
    }
    if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
        return None;
    }
    let target = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
    let target = target.and_then(|to| response.url().join(to).ok());
    Some(target.map_or_else(|| "nowhere".to_owned(), |to| to.origin().ascii_serialization()))
}

pub(super) async fn read(call: &Call<'_>, response: &mut Response, sent_to: Option<&Url>) -> Result<Bytes, Error> {
    let largest = call.settings.largest_answer;
    if let Some(target) = redirected_to(sent_to, response) {
        let detail = format!(
            "the server redirects (HTTP {}) to {target}, and requests do not follow; if that host is right, build the \
             client for it",
            response.status().as_u16()
        );
        return Err(call.error(ErrorKind::Redirect, detail));
    }
    // The body usually comes in one piece, which need not be copied.
    let (mut body, mut whole) = (Bytes::new(), BytesMut::new());
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(call, error))? {
        if body.len().max(whole.len()) + chunk.len() > largest {
            let detail = format!(
                "the answer is larger than {largest} bytes; check that the host is right, or allow more with `.largest_answer(..)`"
            );
            return Err(call.error(ErrorKind::TooLarge, detail));
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

pub(super) fn broken(call: &Call<'_>, error: reqwest::Error) -> Error {
    if error.is_timeout() {
        return call.time_is_over().caused_by(error.without_url());
    }
    if error.is_builder() {
        return call.unwritten(error);
    }
    let (kind, detail) = if error.is_connect() {
        (ErrorKind::Connect, "the server cannot be reached; check the host, the network, a proxy and the certificate")
    } else if error.is_redirect() {
        (
            ErrorKind::Redirect,
            "the server redirects, and your HTTP client gave up; build this client for the right host",
        )
    } else {
        (ErrorKind::Transport, "the connection broke before the answer was complete; try again")
    };
    // The URL is not secret, but the caller's proxy or test host does not belong in a log.
    call.error(kind, detail).caused_by(error.without_url())
}
