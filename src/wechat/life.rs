//! How long a token is good for, by what the server says of it, whatever that is.

use crate::UnixTimestamp;
use std::time::{Duration, SystemTime};

/// What an answer says of a token's life, and when the answer came.
pub(super) struct Told {
    pub(super) expires_at: UnixTimestamp,
    /// What the server takes for now, to the second; a gateway may have written it, by a clock of its own.
    pub(super) date: Option<SystemTime>,
    pub(super) sent_at: SystemTime,
    pub(super) now: SystemTime,
}

/// What is believed of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) left: Duration,
    /// By the server's clock.
    pub(super) expires_at: UnixTimestamp,
    pub(super) doubt: Option<Doubt>,
}

/// What is wrong with an answer that can be used nevertheless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    Unit,
    TooLong,
    Date,
    OurClock,
}

impl Doubt {
    /// What is wrong, and what to do.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Unit => {
                "the server's `expiresAt` is in milliseconds or smaller units and was read as such; it is to be Unix seconds"
            }
            Self::TooLong => {
                "the server's `expiresAt` is further away than a token lives, so that the token is looked after every few \
                 minutes; check the server's clock and this machine's, or allow more with `.longest_life(..)`"
            }
            Self::Date => {
                "the answer's `Date` is off and was not believed: `expiresAt` and this machine's clock agree; set the clock \
                 of the server or gateway that writes it"
            }
            Self::OurClock => {
                "this machine's clock is off and was not believed: `expiresAt` and the answer's `Date` agree; set it (NTP)"
            }
        }
    }
}

impl Told {
    /// Of the clocks that may tell the time until the expiry, this machine's and the answer's `Date`, one is believed if it
    /// makes of the expiry a life that a token can have; of two, the one that makes the shorter.
    pub(super) fn life(&self, longest: Duration) -> Life {
        /// By so much clocks differ that are right.
        const SKEW: Duration = Duration::from_secs(300);
        const WECHATS: Duration = Duration::from_secs(7200);
        let (expires_at, is_seconds) = in_seconds(self.expires_at);
        let unit = if is_seconds { None } else { Some(Doubt::Unit) };
        let expiry = expires_at.to_system_time().unwrap_or(SystemTime::UNIX_EPOCH);
        let ours = expiry.duration_since(self.now).unwrap_or_default();
        let by_date = self.other_now().map(|now| expiry.duration_since(now).unwrap_or_default());
        // Who allows less than WeChat's tokens live does not doubt that they do.
        let can_be = |left: &Duration| !left.is_zero() && *left <= longest.max(WECHATS).saturating_add(SKEW);
        let (left, doubt) = match (can_be(&ours), by_date.map(|left| (can_be(&left), left))) {
            (true, None) => (ours, unit),
            (true, Some((true, by_date))) => (ours.min(by_date), unit),
            (true, Some((false, _))) => (ours, unit.or(Some(Doubt::Date))),
            (false, Some((true, by_date))) => (by_date, unit.or(Some(Doubt::OurClock))),
            (false, _) if ours.is_zero() || by_date.is_some_and(|left| left.is_zero()) => (Duration::ZERO, unit),
            // It is good for nobody knows how long.
            (false, _) => {
                let left = longest / 24;
                let end = self.now.checked_add(left).unwrap_or(self.now);
                return Life { left, expires_at: end.into(), doubt: Some(Doubt::TooLong) };
            }
        };
        Life { left: left.min(longest), expires_at, doubt }
    }

    /// Now by the answer's date, where that is not the time of this machine as well.
    fn other_now(&self) -> Option<SystemTime> {
        let date = self.date?;
        // The date was written between our two looks at the clock, and has lost up to a second.
        let latest = date.checked_add(Duration::from_secs(1)).unwrap_or(date);
        let agrees = date <= self.now && self.sent_at <= latest;
        let took = self.now.duration_since(self.sent_at).unwrap_or_default();
        (!agrees).then(|| latest.checked_add(took).unwrap_or(latest))
    }
}

/// Unix seconds, whatever unit they come in: what would be the year 5138 is in a smaller one. And whether it was seconds.
pub(super) fn in_seconds(told: UnixTimestamp) -> (UnixTimestamp, bool) {
    const NO_SECONDS: i64 = 100_000_000_000;
    let mut seconds = told.as_secs();
    while seconds >= NO_SECONDS {
        seconds /= 1000;
    }
    (UnixTimestamp::from_secs(seconds), seconds == told.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(7200);

    fn at(seconds: f64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs_f64(1_800_000_000.0 + seconds)
    }

    fn life(expires: i64, date: Option<f64>, sent_at: f64, now: f64) -> (f64, Option<Doubt>) {
        let expires_at = UnixTimestamp::from_secs(expires.saturating_add(1_800_000_000));
        let told = Told { expires_at, date: date.map(at), sent_at: at(sent_at), now: at(now) };
        let life = told.life(LONGEST);
        (life.left.as_secs_f64(), life.doubt)
    }

    #[test]
    fn where_both_clocks_may_agree_ours_counts() {
        assert_eq!(life(100, None, 0.0, 0.5), (99.5, None));
        assert_eq!(life(100, Some(0.0), 0.25, 0.5), (99.5, None));
        assert_eq!(life(100, Some(0.0), 0.75, 1.25), (98.75, None));
    }

    #[test]
    fn where_they_differ_the_one_counts_that_makes_a_life_of_it_less_what_is_uncertain() {
        // Ours is a day slow, then an hour fast.
        assert_eq!(life(86_500, Some(86_400.0), 0.0, 0.5), (98.5, Some(Doubt::OurClock)));
        assert_eq!(life(-3500, Some(-3600.0), 0.0, 0.5), (98.5, Some(Doubt::OurClock)));
        // The other is.
        assert_eq!(life(100, Some(-86_400.0), 0.0, 0.5), (99.5, Some(Doubt::Date)));
        assert_eq!(life(100, Some(3600.0), 0.0, 0.5), (99.5, Some(Doubt::Date)));
        // Either may be.
        assert_eq!(life(3700, Some(3600.0), 0.0, 0.5), (98.5, None));
        assert_eq!(life(3700, Some(-3000.0), 0.0, 0.5), (3699.5, None));
    }

    #[test]
    fn a_life_is_never_longer_than_the_longest_and_the_expired_is_expired() {
        assert_eq!(life(7400, None, 0.0, 0.0), (7200.0, None));
        assert_eq!(life(7501, None, 0.0, 0.0), (300.0, Some(Doubt::TooLong)));
        assert_eq!(life(100_000, Some(-50.0), 0.0, 1.0), (300.0, Some(Doubt::TooLong)));
        assert_eq!(life(0, None, 0.0, 1.0), (0.0, None));
        assert_eq!(life(-86_400, Some(86_400.0), 0.0, 1.0), (0.0, None));
        // Dead by one and immortal by the other.
        assert_eq!(life(-1, Some(-86_400.0), 0.0, 1.0), (0.0, None));
    }

    #[test]
    fn any_number_is_no_panic() {
        let numbers = [i64::MIN, i64::MIN + 1, -1_800_000_001, -1_800_000_000, -1, 0, i64::MAX / 2, i64::MAX];
        for (expires, date) in numbers.into_iter().flat_map(|expires| [(expires, None), (expires, Some(50.0))]) {
            let (left, _) = life(expires, date, 0.0, 1.0);
            assert_eq!(left, if expires > 0 { 300.0 } else { 0.0 }, "{expires}");
        }
    }

    #[test]
    fn smaller_units_than_seconds_are_told_by_their_size() {
        for (told, seconds, is_seconds) in [
            (0, 0, true),
            (-1, -1, true),
            (i64::MIN, i64::MIN, true),
            (99_999_999_999, 99_999_999_999, true),
            (1_800_000_000_999, 1_800_000_000, false),
            (1_800_000_000_999_999, 1_800_000_000, false),
            (1_800_000_000_999_999_999, 1_800_000_000, false),
        ] {
            assert_eq!(in_seconds(UnixTimestamp::from_secs(told)), (UnixTimestamp::from_secs(seconds), is_seconds));
        }
    }
}
