//! Which brand's headers a request carries, and what holds for the headers of every request.

use super::refusal::Refusal;
use super::request::RecordedRequest;
use crate::{Dialect, Language};

/// The dialect of a request whose headers are in order; GenAuth if it has no prefixed header at all.
pub(super) fn of(request: &RecordedRequest) -> Result<Dialect, Refusal> {
    let speaks = |dialect: &Dialect| request.headers.iter().any(|(name, _)| name.starts_with(dialect.prefix()));
    let mut spoken = Dialect::ALL.into_iter().filter(speaks);
    let dialect = spoken.next().unwrap_or_default();
    if spoken.next().is_some() {
        return Err(Refusal::new(400, "headers of two dialects, x-genauth- and x-authing-, in one request"));
    }
    // Who has not set a language sends an empty one, in the SDKs of some languages.
    let lang = request.header(&format!("{}lang", dialect.prefix())).filter(|lang| !lang.is_empty());
    if lang.is_some_and(|lang| lang.parse::<Language>().is_err()) {
        return Err(Refusal::new(400, format!("{}lang is no language of this API", dialect.prefix())));
    }
    // The generator can add this header by itself; no server of this API has ever asked for it.
    if request.header("api-version").is_some() {
        return Err(Refusal::new(400, "this API has no api-version header"));
    }
    let media_type = request.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default();
    if !request.body.is_empty() && !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(Refusal::new(400, "content-type must be application/json"));
    }
    Ok(dialect)
}
