//! When a token is due, and how long to wait after a failure.

use crate::retry::{random, share};
use crate::{Error, ErrorKind};
use std::time::Duration;

/// The settings of a cache, all of them lengths of time.
#[derive(Debug, Clone)]
pub(super) struct Windows {
    pub(super) refresh: Duration,
    pub(super) mandatory: Duration,
    /// Between two requests, whatever comes.
    pub(super) pause: Duration,
    pub(super) failure_pause: Duration,
    pub(super) longest_failure_pause: Duration,
    pub(super) refusal_pause: Duration,
    /// How long a caller waits.
    pub(super) longest_wait: Duration,
    /// What no token is believed to live longer than.
    pub(super) longest_life: Duration,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(300),
            mandatory: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            failure_pause: Duration::from_secs(1),
            longest_failure_pause: Duration::from_secs(60),
            refusal_pause: Duration::from_secs(30),
            longest_wait: Duration::MAX,
            longest_life: Duration::from_secs(7200),
        }
    }
}

impl Windows {
    /// How long before its end a token is due: at random up to two fifths later than set, so that the processes of a
    /// fleet do not come at once, and never so late that callers would have to wait.
    pub(super) fn refresh_of(&self, lifetime: Duration, random: f64) -> Duration {
        share(self.refresh.min(lifetime / 10), 1.0 - 0.4 * random)
    }

    /// How long before a token's end callers wait for the next one.
    pub(super) fn mandatory_of(&self, lifetime: Duration) -> Duration {
        self.mandatory.min(lifetime / 20)
    }

    /// How long nobody asks again after the `failures`th failure in a row, while there is a token to hand out.
    pub(super) fn pause_after(&self, failures: u32, random: f64) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(31));
        let longest = self.failure_pause.saturating_mul(doubled).min(self.longest_failure_pause);
        share(longest, 1.0 - 0.5 * random)
    }

    /// How long callers without a token get the same error: what a wrong secret does not get past now, it will not get
    /// past a second later, and a server that repeats itself is asked less and less.
    pub(super) fn memory_of(&self, error: &Error, failures: u32) -> Duration {
        let memory = match error.kind() {
            ErrorKind::UnusableToken => self.pause_after(failures, random()),
            _ if error.is_retryable() => self.failure_pause,
            _ => self.refusal_pause,
        };
        memory.max(self.wanted_by(error))
    }

    /// What the server asks for, within the longest pause.
    pub(super) fn wanted_by(&self, error: &Error) -> Duration {
        error.retry_after().unwrap_or_default().min(self.longest_failure_pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_long_life_has_the_windows_that_are_set_and_a_short_one_its_share() {
        let windows = Windows::default();
        assert_eq!(windows.refresh_of(SECOND * 7200, 0.0), SECOND * 300);
        assert_eq!(windows.refresh_of(SECOND * 7200, 1.0), SECOND * 180);
        assert_eq!(windows.mandatory_of(SECOND * 7200), SECOND * 30);
        assert_eq!(windows.refresh_of(SECOND * 100, 0.0), SECOND * 10);
        assert_eq!(windows.mandatory_of(SECOND * 100), SECOND * 5);
        assert_eq!(windows.refresh_of(Duration::ZERO, 0.5), Duration::ZERO);
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_never_overflow() {
        let windows = Windows::default();
        let pauses: Vec<u64> = (1..9).map(|failures| windows.pause_after(failures, 0.0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(windows.pause_after(3, 1.0), SECOND * 2);
        assert_eq!(windows.pause_after(u32::MAX, 0.0), SECOND * 60);
    }
}
