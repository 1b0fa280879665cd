//! A request as the API reads it: the dialect of its headers, and the checks of the headers of every request.

use std::time::Duration;

use super::refusal::Refusal;
use super::request::RecordedRequest;
use crate::{Dialect, Language};

/// A request and what has been found out about it so far.
pub(super) struct IncomingCall<'a> {
    pub(super) request: &'a RecordedRequest,
    /// The path without the base path.
    pub(super) path: &'a str,
    /// The query without the question mark.
    pub(super) query: &'a str,
    /// The dialect of the headers; GenAuth's if no header has a prefix.
    pub(super) dialect: Dialect,
    /// The time since the Unix epoch.
    pub(super) now: Duration,
}

impl<'a> IncomingCall<'a> {
    /// Makes the call of a request whose headers are in order; `path` is the one below the base path.
    pub(super) fn new(request: &'a RecordedRequest, path: &'a str, now: Duration) -> Result<Self, Refusal> {
        let speaks = |dialect: &Dialect| request.headers.iter().any(|(name, _)| name.starts_with(dialect.prefix()));
        let mut spoken = Dialect::ALL.into_iter().filter(speaks);
        let dialect = spoken.next().unwrap_or_default();
        if spoken.next().is_some() {
            return Err(Refusal::new(400, "headers of two dialects, x-genauth- and x-authing-, in one request"));
        }
        let call = Self { request, path, query: request.target().1, dialect, now };
        if call.header("lang").is_some_and(|lang| lang.parse::<Language>().is_err()) {
            return Err(Refusal::new(400, format!("{}lang is not a language of this API", dialect.prefix())));
        }
        // A code generator can add this header by itself; no server of this API has ever asked for it.
        if request.header("api-version").is_some() {
            return Err(Refusal::new(400, "this API has no api-version header"));
        }
        let media_type = request.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default();
        if !request.body.is_empty() && !media_type.trim().eq_ignore_ascii_case("application/json") {
            return Err(Refusal::new(400, "content-type must be application/json"));
        }
        Ok(call)
    }

    /// Returns the header whose name is the dialect's prefix and `suffix`. An empty one counts as missing, because the
    /// SDKs of some languages send empty headers for what is not set.
    pub(super) fn header(&self, suffix: &str) -> Option<&'a str> {
        let value = self.request.header(&format!("{}{suffix}", self.dialect.prefix()));
        value.filter(|value| !value.is_empty())
    }

    /// Returns what follows `word` in the `authorization` header.
    pub(super) fn authorization(&self, word: &str) -> Option<&'a str> {
        let (scheme, credentials) = self.request.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case(word).then_some(credentials.trim())
    }
}
