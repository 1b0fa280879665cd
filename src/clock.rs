//! The system's clock.

use std::time::SystemTime;

/// Now, give or take the hundredth of a second. Every token that comes from a cache reads it, and the exact clock takes
/// longer than all the rest of that.
#[cfg(any(target_os = "android", target_os = "linux"))]
pub(crate) fn now() -> SystemTime {
    use nix::time::{ClockId, clock_gettime};
    use std::time::{Duration, UNIX_EPOCH};
    let since_epoch = clock_gettime(ClockId::CLOCK_REALTIME_COARSE)
        .ok()
        .and_then(|now| Some(Duration::new(now.tv_sec().try_into().ok()?, now.tv_nsec().try_into().ok()?)));
    UNIX_EPOCH + since_epoch.unwrap_or_default()
}

/// Now.
#[allow(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
#[cfg(not(any(target_os = "android", target_os = "linux")))]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
