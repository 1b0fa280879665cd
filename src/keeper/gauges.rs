//! The OpenTelemetry gauges of the tokens that a process holds: how old each is, and how long it is still good.

use super::keeper::Keeper;
use super::stats::TokenStats;
use opentelemetry::metrics::AsyncInstrument;
use opentelemetry::{KeyValue, global};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Duration;

/// All keepers, and some that are gone.
static KEEPERS: Mutex<Vec<Weak<Keeper>>> = Mutex::new(Vec::new());

/// The value to show, or `None` to show nothing.
type Read = fn(&TokenStats) -> Option<Duration>;

static GAUGES: LazyLock<()> = LazyLock::new(|| {
    gauge("genauth.token.age", "How long ago the token that is held was fetched.", |stats| stats.age);
    gauge("genauth.token.remaining", "How long the token that is held is still good.", |stats| {
        // A dead token is shown as zero seconds, so that an alert has something to see.
        Some(stats.remaining.unwrap_or_default())
    });
});

fn gauge(name: &'static str, description: &'static str, read: Read) {
    let meter = global::meter("genauth");
    let gauge = meter.f64_observable_gauge(name).with_unit("s").with_description(description);
    gauge.with_callback(move |observer| observe(observer, read)).build();
}

/// Has the gauges show a keeper until it is gone.
pub(crate) fn show(keeper: &Arc<Keeper>) {
    LazyLock::force(&GAUGES);
    let mut keepers = KEEPERS.lock().unwrap_or_else(PoisonError::into_inner);
    // The vector is searched for keepers that are gone only when it is full, so about once each time it doubles.
    if keepers.len() == keepers.capacity() {
        keepers.retain(|keeper| keeper.strong_count() > 0);
    }
    keepers.push(Arc::downgrade(keeper));
}

/// Of several tokens of one owner, such as those of two caches, the one that is good for longest is shown.
fn observe(observer: &dyn AsyncInstrument<f64>, read: Read) {
    let keepers: Vec<Arc<Keeper>> = {
        let keepers = KEEPERS.lock().unwrap_or_else(PoisonError::into_inner);
        keepers.iter().filter_map(Weak::upgrade).collect()
    };
    let mut longest = BTreeMap::<_, TokenStats>::new();
    for keeper in &keepers {
        let stats = keeper.stats();
        let shown = longest.entry((keeper.words().subject, keeper.of.as_str())).or_insert_with(|| stats.clone());
        if stats.remaining > shown.remaining {
            *shown = stats;
        }
    }
    for ((subject, of), stats) in longest {
        let Some(value) = read(&stats) else { continue };
        let attributes = [KeyValue::new("genauth.token", subject), KeyValue::new("genauth.token.of", of.to_owned())];
        observer.observe(value.as_secs_f64(), &attributes);
    }
}
