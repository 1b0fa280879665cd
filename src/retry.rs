//! When a failed call is tried again, and after how long a pause.

use crate::Error;
use http::HeaderMap;
use http::header::RETRY_AFTER;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

/// How often and when a client tries again. Only idempotent calls are tried again.
#[derive(Clone)]
pub(crate) struct Retry {
    pub(crate) retries: u32,
    pub(crate) first_pause: Duration,
    pub(crate) longest_pause: Duration,
    pub(crate) budget: Arc<Budget>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            retries: 2,
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(5),
            budget: Arc::default(),
        }
    }
}

impl Retry {
    /// How long to wait after the `attempts`th attempt, which ended in `error`; `None` if that was the last one.
    pub(crate) fn pause_after(&self, attempts: u32, error: &Error, random: f64) -> Option<Duration> {
        // There are no attempts if no time was left to send anything.
        if attempts == 0 || attempts > self.retries || !error.is_retryable() {
            return None;
        }
        // The pause has full jitter, so that callers that failed together do not come back together.
        let pause = share(doubled(self.first_pause, attempts, self.longest_pause), random);
        match error.retry_after() {
            // The pause is at least what the server asks for; a server that asks for more than the longest pause is not
            // asked again.
            Some(wanted) if wanted > self.longest_pause => None,
            Some(wanted) => Some(pause.max(wanted)),
            None => Some(pause),
        }
    }
}

/// How long a keeper does not ask for a token after a failure.
#[derive(Debug, Clone)]
pub(crate) struct FailurePauses {
    /// The pause after the first failure that may pass by itself; it doubles with each further one.
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
    /// The pause after a refusal: a wrong secret that is refused now will still be refused a second later.
    pub(crate) refusal: Duration,
}

pub(crate) const FAILURES: FailurePauses =
    FailurePauses { first: Duration::from_secs(1), longest: Duration::from_secs(60), refusal: Duration::from_secs(30) };

impl FailurePauses {
    /// How long no token is asked for after the `failures`th failure in a row, while there is a token to hand out.
    pub(crate) fn pause_after(&self, error: &Error, failures: u32, random: f64) -> Duration {
        share(doubled(self.first, failures, self.longest), 1.0 - 0.5 * random).max(self.wanted(error))
    }

    /// How long callers without a token get the same error.
    pub(crate) fn memory_of(&self, error: &Error) -> Duration {
        let memory = if error.is_retryable() { self.first } else { self.refusal };
        memory.max(self.wanted(error))
    }

    /// The pause that the server asks for, up to the longest.
    fn wanted(&self, error: &Error) -> Duration {
        error.retry_after().unwrap_or_default().min(self.longest)
    }
}

/// The pause after this many failures: `first`, doubled with each failure after the first.
fn doubled(first: Duration, failures: u32, longest: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(31))).min(longest)
}

/// The pause that a server asks for in `Retry-After`, in seconds or as a date. More seconds than fit become the most
/// that fit.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits alone only fail to parse if there are too many.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// A fraction of a duration, without a panic for the longest.
pub(crate) fn share(of: Duration, part: f64) -> Duration {
    Duration::try_from_secs_f64(of.as_secs_f64() * part).unwrap_or(of)
}

/// A random number from 0 to 1; the middle if the system has no random numbers, since that only loses the spread.
pub(crate) fn random() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

/// What a client and its clones may spend on retries: ten, and one more for every ten calls that succeed. In an outage
/// it is soon empty, so that retries do not multiply the load.
pub(crate) struct Budget(AtomicU32);

impl Budget {
    const FULL: u32 = 100;
    const RETRY: u32 = 10;

    /// Spends a retry, and returns whether there was enough left for it.
    pub(crate) fn spend(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(Self::RETRY)).is_ok()
    }

    /// Credits a call that succeeded.
    pub(crate) fn earn(&self) {
        // The budget is full as a rule; then not all cores write to it at once.
        if self.0.load(Ordering::Relaxed) < Self::FULL {
            let earned = |left: u32| Some((left + 1).min(Self::FULL));
            let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, earned);
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use http::HeaderValue;

    fn error(kind: ErrorKind, retry_after: Option<u64>) -> Error {
        let error = Error::new(kind, "test", "as planned");
        error.with(|error| error.retry_after = retry_after.map(Duration::from_secs))
    }

    #[test]
    fn pauses_double_are_jittered_down_to_nothing_and_end_with_the_retries() {
        let retry = Retry { retries: 8, ..Retry::default() };
        let broken = error(ErrorKind::Transport, None);
        let pauses: Vec<_> =
            (1..10).map(|n| retry.pause_after(n, &broken, 1.0).map(|pause| pause.as_millis())).collect();
        let expected = [100, 200, 400, 800, 1600, 3200, 5000, 5000];
        assert_eq!(pauses[..8], expected.map(Some));
        assert_eq!(pauses[8], None);
        assert_eq!(retry.pause_after(4, &broken, 0.0), Some(Duration::ZERO));
        assert_eq!(
            Retry { retries: u32::MAX, ..retry }.pause_after(u32::MAX, &broken, 0.5),
            Some(Duration::from_millis(2500))
        );
    }

    #[test]
    fn only_what_may_succeed_without_a_change_is_tried_again() {
        let retry = Retry::default();
        assert_eq!(retry.pause_after(1, &error(ErrorKind::Credentials, None), 0.5), None);
        assert_eq!(Retry { retries: 0, ..retry }.pause_after(1, &error(ErrorKind::Timeout, None), 0.5), None);
    }

    #[test]
    fn a_server_that_asks_for_a_pause_gets_it_or_no_second_request() {
        let retry = Retry::default();
        let pause = |seconds| retry.pause_after(1, &error(ErrorKind::Timeout, Some(seconds)), 0.5);
        assert_eq!(pause(0), Some(Duration::from_millis(50)));
        assert_eq!(pause(5), Some(Duration::from_secs(5)));
        assert_eq!(pause(6), None);
        assert_eq!(pause(u64::MAX), None);
        let patient = Retry { longest_pause: Duration::MAX, ..retry };
        let pause = patient.pause_after(1, &error(ErrorKind::Timeout, Some(u64::MAX)), 1.0);
        assert_eq!(pause, Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn a_failure_is_remembered_for_longer_each_time_a_refusal_longer_still_and_as_long_as_the_server_asks_for() {
        let (busy, refused) = (error(ErrorKind::Timeout, None), error(ErrorKind::Credentials, None));
        let pauses = |random| [1, 2, 3, 7, u32::MAX].map(|n| FAILURES.pause_after(&busy, n, random).as_millis());
        assert_eq!(pauses(0.0), [1000, 2000, 4000, 60_000, 60_000]);
        assert_eq!(pauses(1.0), [500, 1000, 2000, 30_000, 30_000]);
        assert_eq!([&busy, &refused].map(|error| FAILURES.memory_of(error).as_secs()), [1, 30]);
        for (asked, least) in [(0, 1), (20, 20), (60, 60), (u64::MAX, 60)] {
            let asks = error(ErrorKind::Timeout, Some(asked));
            assert_eq!(FAILURES.memory_of(&asks).as_secs(), least);
            assert_eq!(FAILURES.pause_after(&asks, 1, 0.0).as_secs(), least);
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (value, expected) in [
            ("7", Some(7)),
            (" 7 ", Some(7)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
            ("18446744073709551615", Some(u64::MAX)),
            ("99999999999999999999", Some(u64::MAX)),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn the_budget_is_ten_retries_and_a_tenth_for_each_success() {
        let budget = Budget::default();
        assert_eq!((0..20).filter(|_| budget.spend()).count(), 10);
        (0..9).for_each(|_| budget.earn());
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend() && !budget.spend());
        (0..1000).for_each(|_| budget.earn());
        assert_eq!((0..20).filter(|_| budget.spend()).count(), 10);
    }
}
