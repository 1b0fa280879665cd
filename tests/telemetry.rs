//! With the feature `opentelemetry`: each attempt is measured, spans and metrics have the names of the semantic
//! conventions, the server learns which trace a request belongs to, and gauges show the tokens that are held.

use genauth::Client;
use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::types::GetWechatAccessTokenDto;
use genauth::wechat::TokenCache;
use http::Method;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::propagation::TextMapCompositePropagator;
use opentelemetry::trace::{SpanKind, Status, TracerProvider as _};
use opentelemetry::{Context, KeyValue, Value, global};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use opentelemetry_semantic_conventions::{attribute, metric};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;

/// The names that our spans and metrics take from the conventions; all others are ours, and say so by their prefix.
const CONVENTIONS: [&str; 7] = [
    attribute::HTTP_REQUEST_METHOD,
    attribute::HTTP_RESPONSE_STATUS_CODE,
    attribute::HTTP_REQUEST_RESEND_COUNT,
    attribute::SERVER_ADDRESS,
    attribute::SERVER_PORT,
    attribute::URL_TEMPLATE,
    attribute::ERROR_TYPE,
];

type Attributes = BTreeMap<String, String>;

fn attributes<'a>(all: impl Iterator<Item = &'a KeyValue>) -> Attributes {
    let all: Attributes = all.map(|pair| (pair.key.to_string(), pair.value.to_string())).collect();
    for name in all.keys() {
        assert!(CONVENTIONS.contains(&name.as_str()) || name.starts_with("genauth."), "{name} is not a name");
    }
    all
}

/// What a program exports. Providers are global, so each test finds its own data by the port of its server.
struct Exported {
    provider: SdkMeterProvider,
    metrics: InMemoryMetricExporter,
    spans: InMemorySpanExporter,
    _tracers: SdkTracerProvider,
}

fn exported() -> &'static Exported {
    static EXPORTED: std::sync::LazyLock<Exported> = std::sync::LazyLock::new(|| {
        let metrics = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(metrics.clone()).with_interval(Duration::from_secs(86_400)).build();
        let provider = SdkMeterProvider::builder().with_reader(reader).build();
        global::set_meter_provider(provider.clone());
        let both = TextMapCompositePropagator::new(vec![
            Box::new(TraceContextPropagator::new()),
            Box::new(BaggagePropagator::new()),
        ]);
        global::set_text_map_propagator(both);
        // Spans are exported as in programs, by the layer for `tracing`.
        let spans = InMemorySpanExporter::default();
        let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(tracers.tracer("test"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
        Exported { provider, metrics, spans, _tracers: tracers }
    });
    &EXPORTED
}

impl Exported {
    /// The last values of a metric with this unit, by their attributes.
    fn read(&self, name: &str, unit: &str) -> Vec<(Attributes, f64)> {
        self.provider.force_flush().unwrap();
        let all = self.metrics.get_finished_metrics().unwrap();
        let last = all.last().expect("something was exported");
        let ours = last.scope_metrics().filter(|scope| scope.scope().name() == "genauth");
        // A metric without a value is not exported.
        let metric = ours.flat_map(|scope| scope.metrics()).find(|metric| metric.name() == name);
        let Some(metric) = metric else { return Vec::new() };
        assert_eq!(metric.unit(), unit);
        assert!(!metric.description().is_empty());
        match metric.data() {
            AggregatedMetrics::F64(MetricData::Histogram(histogram)) => histogram
                .data_points()
                .map(|point| {
                    let advised = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
                    assert_eq!(point.bounds().collect::<Vec<_>>(), advised);
                    assert!(point.sum() > 0.0 && point.sum() < 60.0, "seconds: {}", point.sum());
                    (attributes(point.attributes()), point.count() as f64)
                })
                .collect(),
            AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
                gauge.data_points().map(|point| (attributes(point.attributes()), point.value())).collect()
            }
            other => panic!("{name} is {other:?}"),
        }
    }

    /// How many attempts were measured for a server, by their attributes.
    fn attempts(&self, server: &MockGenAuth) -> Vec<(Attributes, f64)> {
        let port = port(server);
        let mut all = self.read(metric::HTTP_CLIENT_REQUEST_DURATION, "s");
        all.retain(|(attributes, _)| attributes["server.port"] == port);
        all
    }

    /// The one span of this name and this port; `None` stands for a span without a port.
    fn span(&self, name: &str, port: Option<&str>) -> SpanData {
        let mut all = self.spans.get_finished_spans().unwrap();
        all.retain(|span| {
            let said = span.attributes.iter().find(|pair| pair.key.as_str() == attribute::SERVER_PORT);
            span.name == name && said.map(|pair| pair.value.to_string()).as_deref() == port
        });
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }
}

fn port(server: &MockGenAuth) -> String {
    server.url().rsplit(':').next().unwrap().to_owned()
}

fn app(server: &MockGenAuth) -> GetWechatAccessTokenDto {
    let app_secret = server.wechat_app_secret().into();
    GetWechatAccessTokenDto { app_id: server.wechat_app_id().to_owned(), app_secret }
}

async fn token(client: &Client, server: &MockGenAuth) -> Result<(), genauth::Error> {
    client.get_wechat_mp_access_token_info().body(app(server)).send().await.map(drop)
}

#[tokio::test]
async fn each_attempt_is_measured_with_what_came_of_it() {
    let exported = exported();
    let server = MockGenAuth::start().await.unwrap();
    let pauses = (Duration::from_nanos(1), Duration::from_nanos(1));
    let client = server.client_builder().retry_pauses(pauses.0, pauses.1).build().unwrap();
    server.answer_next(MockAnswer::http(503, "text/html", "busy"));
    server.answer_next(MockAnswer::hang_up());
    token(&client, &server).await.unwrap();
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 499, "apiCode": 2011, "message": "no" })));
    token(&client, &server).await.unwrap_err();
    let strange = Method::from_bytes(b"c0de-4711").unwrap();
    server.answer_next(MockAnswer::http(405, "text/html", ""));
    client.call::<_, ()>(strange, "/api/v3/c0de-4711", &()).await.unwrap_err();

    let path = "/api/v3/get-wechat-access-token-info";
    let mut expected = Vec::new();
    for (method, template, status, error) in [
        ("POST", Some(path), Some("200"), None),
        ("POST", Some(path), Some("200"), Some("Api")),
        ("POST", Some(path), Some("503"), Some("Http")),
        ("POST", Some(path), None, Some("Transport")),
        ("_OTHER", None, Some("405"), Some("Http")),
    ] {
        let all = [
            (attribute::HTTP_REQUEST_METHOD, Some(method)),
            (attribute::SERVER_ADDRESS, Some("127.0.0.1")),
            (attribute::SERVER_PORT, Some(&*port(&server))),
            (attribute::URL_TEMPLATE, template),
            (attribute::HTTP_RESPONSE_STATUS_CODE, status),
            (attribute::ERROR_TYPE, error),
        ];
        let all = all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        expected.push((all.collect::<Attributes>(), 1.0));
    }
    let mut attempts = exported.attempts(&server);
    expected.sort_by_key(|(attributes, _)| format!("{attributes:?}"));
    attempts.sort_by_key(|(attributes, _)| format!("{attributes:?}"));
    assert_eq!(attempts, expected);
}

#[tokio::test]
async fn a_call_is_a_client_span_by_the_conventions_and_the_server_learns_of_it() {
    let exported = exported();
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().retries(1).build().unwrap();
    server.answer_next(MockAnswer::http(503, "text/html", "busy").header("retry-after", "0"));
    let trip = tracing::info_span!("a program's own");
    token(&client, &server).instrument(trip).await.unwrap();
    server.answer_next(MockAnswer::http(502, "text/html", "no gateway").header("retry-after", "600"));
    #[allow(deprecated, reason = "another operation, whatever it is")]
    client.get_wechat_access_token().body(app(&server)).send().await.unwrap_err();

    let outer = exported.span("a program's own", None);
    let port = port(&server);
    let call = exported.span("POST /api/v3/get-wechat-access-token-info", Some(&port));
    assert_eq!((&call.span_kind, &call.status), (&SpanKind::Client, &Status::Unset));
    assert_eq!(call.parent_span_id, outer.span_context.span_id());
    let said = attributes(call.attributes.iter());
    assert_eq!(said[attribute::HTTP_REQUEST_METHOD], "POST");
    assert_eq!(said[attribute::HTTP_RESPONSE_STATUS_CODE], "200");
    assert_eq!(said[attribute::HTTP_REQUEST_RESEND_COUNT], "1");
    assert_eq!(said[attribute::SERVER_ADDRESS], "127.0.0.1");
    assert_eq!(said[attribute::SERVER_PORT], port);
    assert_eq!(said[attribute::URL_TEMPLATE], "/api/v3/get-wechat-access-token-info");
    assert!(!said.contains_key(attribute::ERROR_TYPE));
    for name in [attribute::SERVER_PORT, attribute::HTTP_RESPONSE_STATUS_CODE, attribute::HTTP_REQUEST_RESEND_COUNT] {
        let number = call.attributes.iter().find(|pair| pair.key.as_str() == name);
        assert!(matches!(number.map(|pair| &pair.value), Some(Value::I64(_))), "{number:?}");
    }

    let failed = exported.span("POST /api/v3/get-wechat-access-token", Some(&port));
    assert!(matches!(failed.status, Status::Error { .. }));
    assert_eq!(attributes(failed.attributes.iter())[attribute::ERROR_TYPE], "Http");

    // Both attempts of the call are in its trace.
    let context = &call.span_context;
    let expected = format!("00-{}-{}-01", context.trace_id(), context.span_id());
    let requests = server.requests();
    for request in &requests[..2] {
        assert_eq!(request.header("traceparent"), Some(expected.as_str()));
    }
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn nothing_but_the_trace_goes_to_the_server_and_nothing_where_there_is_none() {
    exported();
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    let none = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::new());
    token(&client, &server).await.unwrap();
    drop(none);
    let context = Context::current_with_baggage([KeyValue::new("customer", "c0de-4711")]);
    let entered = context.attach();
    token(&client, &server).await.unwrap();
    drop(entered);
    let requests = server.requests();
    for name in ["traceparent", "tracestate", "baggage"] {
        assert_eq!(requests[0].header(name), None);
    }
    assert!(requests[1].header("traceparent").is_some());
    assert_eq!(requests[1].header("baggage"), None);
}

#[tokio::test]
async fn gauges_tell_how_old_a_token_is_and_how_long_it_is_good() {
    let exported = exported();
    let seconds = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(1_800_000_000));
    let read = std::sync::Arc::clone(&seconds);
    let now = move || SystemTime::UNIX_EPOCH + Duration::from_secs(read.load(std::sync::atomic::Ordering::SeqCst));
    let server = MockGenAuth::builder().clock(now.clone()).start().await.unwrap();
    let client = server.client_builder().clock(now).build().unwrap();
    let of = |name: &str| {
        let all = exported.read(name, "s").into_iter();
        let mut all = all.filter(|(said, _)| {
            said["genauth.token"] == "the WeChat access token" && said["genauth.token.of"] == server.wechat_app_id()
        });
        let found = all.next().map(|(_, value)| value);
        assert_eq!(all.next(), None);
        found
    };
    let tokens = TokenCache::new(client.clone());
    let handle = tokens.app(&app(&server));
    assert_eq!(of("genauth.token.remaining"), Some(0.0), "there is no token yet");
    assert_eq!(of("genauth.token.age"), None, "what is not there has no age");
    handle.get().await.unwrap();
    let remaining = of("genauth.token.remaining").unwrap();
    assert!(remaining > 7000.0 && remaining <= 7200.0, "{remaining}");
    seconds.fetch_add(1000, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(of("genauth.token.age"), Some(1000.0));
    assert_eq!(of("genauth.token.remaining"), Some(remaining - 1000.0));
    // Another cache for the same app that has no token does not hide this one's.
    let other = TokenCache::new(client);
    let _handle = other.app(&app(&server));
    assert_eq!(of("genauth.token.remaining"), Some(remaining - 1000.0));
    drop((tokens, handle, other, _handle));
    assert_eq!(of("genauth.token.remaining"), None, "what is gone is not told of");
}
