//! The metrics for Prometheus. Only configured apps appear in them: a caller must not choose a label's value.

use super::apps::Apps;
use prometheus::{
    Encoder as _, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) struct Metrics {
    registry: Registry,
    /// The answers, by errcode.
    answers: IntCounterVec,
    /// Of these, the counter of tokens for each app, which is the usual answer.
    tokens: BTreeMap<String, IntCounter>,
    /// How long callers waited if there was no token at once.
    waits: Histogram,
    /// The cache's counters, by name.
    counted: BTreeMap<&'static str, IntCounterVec>,
    remaining: IntGaugeVec,
    ready: IntGaugeVec,
}

const COUNTED: [(&str, &str); 6] = [
    ("genauth_token_cache_hits_total", "Tokens handed out from memory"),
    ("genauth_token_cache_waits_total", "Callers that waited for a token"),
    ("genauth_token_refreshes_total", "Tokens that the GenAuth server sent"),
    ("genauth_token_refresh_failures_total", "Refreshes that failed"),
    ("genauth_tokens_shared_total", "Tokens taken over from Redis"),
    ("genauth_token_rejections_total", "Tokens forgotten because they were rejected"),
];

impl Metrics {
    pub(super) fn new(apps: &Apps) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGaugeVec::new(Opts::new(name, help), &["app_id"])?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let help = "Answers of the token interfaces, by app (empty for an unknown one) and errcode (0 for a token)";
        let answers = counter("genauth_token_answers_total", help, &["app_id", "errcode"])?;
        let counted = COUNTED.iter().map(|(name, help)| Ok((*name, counter(name, help, &["app_id"])?)));
        let counted = counted.collect::<Result<_, prometheus::Error>>()?;
        let remaining = gauge("genauth_token_remaining_seconds", "How long the token at hand is still valid")?;
        let ready = gauge("genauth_token_ready", "Whether there is a valid token")?;
        let waits =
            HistogramOpts::new("genauth_token_wait_seconds", "How long callers waited that were not answered at once");
        let waits = waits.buckets(vec![0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]);
        let waits = Histogram::with_opts(waits)?;
        registry.register(Box::new(waits.clone()))?;
        let tokens = apps.ids().map(|id| (id.to_owned(), answers.with_label_values(&[id, "0"]))).collect();
        Ok(Self { answers, tokens, waits, counted, remaining, ready, registry })
    }

    pub(super) fn answered(&self, app_id: &str, errcode: i64) {
        match self.tokens.get(app_id).filter(|_| errcode == 0) {
            Some(tokens) => tokens.inc(),
            None => self.answers.with_label_values(&[app_id, &errcode.to_string()]).inc(),
        }
    }

    pub(super) fn waited(&self, time: Duration) {
        self.waits.observe(time.as_secs_f64());
    }

    /// Writes the metrics in Prometheus' text format.
    pub(super) fn text(&self, apps: &Apps) -> Vec<u8> {
        for (app_id, stats) in apps.stats() {
            let values = [stats.hits, stats.waits, stats.refreshes, stats.failures, stats.shared, stats.invalidations];
            for ((name, _), value) in COUNTED.iter().zip(values) {
                if let Some(counter) = self.counted.get(name) {
                    let counter = counter.with_label_values(&[app_id]);
                    counter.inc_by(value.saturating_sub(counter.get()));
                }
            }
            let remaining = stats.remaining.unwrap_or_default().as_secs();
            self.remaining.with_label_values(&[app_id]).set(i64::try_from(remaining).unwrap_or(i64::MAX));
            self.ready.with_label_values(&[app_id]).set(i64::from(stats.remaining.is_some()));
        }
        let mut text = Vec::new();
        // Writing to a Vec does not fail.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        text
    }
}
