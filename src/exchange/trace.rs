//! The span of a call: it says what happened, and holds no secret. Its integers are signed because OpenTelemetry's are.

use super::call::Call;
use crate::Error;
use crate::response::Head;
use http::{Method, StatusCode};
use reqwest::Request;
use tracing::Span;
use tracing::field::Empty;

pub(super) fn span(call: &Call<'_>, request: &Request) -> Span {
    let operation = call.operation;
    let url = request.url();
    let method = known_method(request.method());
    // As in `subject`, the path of an endpoint that the document does not describe is not shown.
    let path = operation.map(|operation| operation.path);
    tracing::info_span!(
        // The target is fixed, independent of this module's path, because people filter by it.
        target: "genauth",
        "genauth.request",
        otel.name = path.map_or_else(|| method.to_owned(), |path| format!("{method} {path}")),
        otel.kind = "client",
        http.request.method = method,
        url.template = path,
        server.address = url.host_str(),
        server.port = url.port_or_known_default().map(i64::from),
        genauth.operation_id = operation.map(|operation| operation.id),
        genauth.dialect = ?call.settings.credentials.dialect,
        http.request.resend_count = Empty,
        http.response.status_code = Empty,
        genauth.status_code = Empty,
        genauth.api_code = Empty,
        genauth.request_id = Empty,
        error.r#type = Empty,
        otel.status_code = Empty,
    )
}

/// The name of a method in telemetry. By the conventions, all methods that HTTP does not know share one name: there
/// could be too many.
pub(super) fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}

pub(super) fn success(span: &Span, http_status: StatusCode, head: &Head) {
    if span.is_disabled() {
        return;
    }
    span.record("http.response.status_code", i64::from(http_status.as_u16()));
    span.record("genauth.status_code", head.status_code);
    span.record("genauth.request_id", head.request_id.as_deref());
}

pub(super) fn failure(span: &Span, error: &Error) {
    span.record("http.response.status_code", error.http_status().map(|status| i64::from(status.as_u16())));
    span.record("genauth.status_code", error.status_code());
    span.record("genauth.api_code", error.api_code());
    span.record("genauth.request_id", error.request_id());
    span.record("error.type", tracing::field::debug(error.kind()));
    span.record("otel.status_code", "ERROR");
}
