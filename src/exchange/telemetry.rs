//! What OpenTelemetry is told about each attempt, by the semantic conventions for HTTP clients: no secret, and no URL.

use super::call::Call;
use super::trace::known_method;
use crate::Error;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use opentelemetry::metrics::Histogram;
use opentelemetry::propagation::Injector;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue, global};
use reqwest::Request;
use std::sync::LazyLock;
use std::time::Duration;

/// The buckets that the conventions recommend, in seconds.
const BUCKETS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

static DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    global::meter("genauth")
        .f64_histogram("http.client.request.duration")
        .with_unit("s")
        .with_description("Duration of HTTP client requests.")
        .with_boundaries(BUCKETS.to_vec())
        .build()
});

/// Records an attempt: how long it took until its answer was complete, and how it ended.
pub(super) fn attempt(
    call: &Call<'_>,
    request: &Request,
    took: Duration,
    status: Option<StatusCode>,
    error: Option<&Error>,
) {
    let url = request.url();
    let mut attributes = Vec::with_capacity(6);
    attributes.push(KeyValue::new("http.request.method", known_method(request.method())));
    if let Some(host) = url.host_str() {
        attributes.push(KeyValue::new("server.address", host.to_owned()));
    }
    if let Some(port) = url.port_or_known_default() {
        attributes.push(KeyValue::new("server.port", i64::from(port)));
    }
    if let Some(operation) = call.operation {
        attributes.push(KeyValue::new("url.template", operation.path));
    }
    if let Some(status) = status {
        attributes.push(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    }
    if let Some(error) = error {
        attributes.push(KeyValue::new("error.type", format!("{:?}", error.kind())));
    }
    DURATION.record(took.as_secs_f64(), &attributes);
}

/// Tells the server which span is active, if any, in the format of the propagator that the program has set.
pub(super) fn propagate(headers: &mut HeaderMap) {
    let context = Context::current();
    if context.span().span_context().is_valid() {
        global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut TraceContext(headers)));
    }
}

/// Takes the W3C's trace context headers, and no others: baggage belongs to the program, and the server is a third
/// party's.
struct TraceContext<'a>(&'a mut HeaderMap);

impl Injector for TraceContext<'_> {
    fn set(&mut self, key: &str, value: String) {
        const NAMES: [&str; 2] = ["traceparent", "tracestate"];
        let name = NAMES.into_iter().find(|name| name.eq_ignore_ascii_case(key));
        if let (Some(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            self.0.insert(HeaderName::from_static(name), value);
        }
    }
}
