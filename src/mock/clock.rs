//! The clock of a mock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The first second that an HTTP date cannot write: the year 10000.
const END_OF_TIME: Duration = Duration::from_secs(253_402_300_800);

/// A clock that tells the time since the Unix epoch, because durations cannot overflow where `SystemTime` would panic.
pub(super) struct MockClock(Box<dyn Fn() -> SystemTime + Send + Sync>);

impl MockClock {
    pub(super) fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Box::new(now))
    }

    #[allow(clippy::disallowed_methods, reason = "the one place where the mock reads the system's clock")]
    pub(super) fn system() -> Self {
        Self::new(SystemTime::now)
    }

    /// Returns the time since the Unix epoch, within what an HTTP date can write.
    pub(super) fn now(&self) -> Duration {
        let since_epoch = (self.0)().duration_since(UNIX_EPOCH).unwrap_or_default();
        since_epoch.min(END_OF_TIME - Duration::from_secs(1))
    }

    /// Returns the time as the value of a `date` header.
    pub(super) fn http_date(&self) -> String {
        httpdate::fmt_http_date(UNIX_EPOCH + self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_out_of_range_is_brought_back_into_it() {
        let before = MockClock::new(|| UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(before.http_date(), "Thu, 01 Jan 1970 00:00:00 GMT");
        let after = MockClock::new(|| UNIX_EPOCH + END_OF_TIME * 2);
        assert_eq!(after.http_date(), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
