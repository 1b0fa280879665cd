//! The clock that callers may replace, and the system's.

use std::sync::Arc;
use std::time::SystemTime;

pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Returns the time, give or take a hundredth of a second. It is read for every token that a cache hands out, and
/// reading the exact clock would take longer than everything else there.
#[cfg(any(target_os = "android", target_os = "linux"))]
pub(crate) fn now() -> SystemTime {
    use rustix::time::{ClockId, clock_gettime};
    use std::time::{Duration, UNIX_EPOCH};
    let since_epoch = Duration::try_from(clock_gettime(ClockId::RealtimeCoarse));
    UNIX_EPOCH + since_epoch.unwrap_or_default()
}

#[allow(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
#[cfg(not(any(target_os = "android", target_os = "linux")))]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
