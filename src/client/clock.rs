//! The clock that callers may replace, and the system's.

use std::sync::Arc;
use std::time::SystemTime;

pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Now, give or take the hundredth of a second. Every token that comes from a cache reads it, and the exact clock takes
/// longer than all the rest of that.
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
