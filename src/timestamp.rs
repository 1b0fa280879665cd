//! A moment as the API writes it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment as whole seconds since 1970-01-01T00:00:00Z, such as a token's `expiresAt`.
///
/// Some servers send a number and some a decimal string (the editions of the documentation of `expiresAt` disagree).
/// Both are read, and so is a number whose fraction is zero. It is written as a number.
///
/// ```
/// use genauth::UnixTimestamp;
/// use std::time::Duration;
///
/// let expires_at: UnixTimestamp = serde_json::from_str("\"1772618400\"")?;
/// assert_eq!(expires_at.as_secs(), 1_772_618_400);
/// assert_eq!(expires_at.to_string(), "2026-03-04T10:00:00Z");
///
/// let an_hour_before = UnixTimestamp::from_secs(1_772_614_800).to_system_time().unwrap();
/// assert_eq!(expires_at.remaining(an_hour_before), Duration::from_secs(3600));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct UnixTimestamp(#[serde(deserialize_with = "crate::integer::deserialize")] i64);

impl UnixTimestamp {
    /// Returns the moment `seconds` after 1970-01-01T00:00:00Z, or before it if negative.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Returns the seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0
    }

    /// Returns the same moment as a [`SystemTime`]; `None` if the platform's clock cannot hold it.
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        let distance = Duration::from_secs(self.0.unsigned_abs());
        if self.0 < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
    }

    /// Returns how long after `now` this is; zero if it has passed.
    #[must_use]
    pub fn remaining(self, now: SystemTime) -> Duration {
        let moment = Duration::from_secs(self.0.max(0).unsigned_abs());
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        moment.saturating_sub(now)
    }
}

/// Gives the second that the moment lies in.
impl From<SystemTime> for UnixTimestamp {
    fn from(time: SystemTime) -> Self {
        Self(match time.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            // A time before the epoch is rounded down, as one after it is.
            Err(before) => {
                let seconds = before.duration().as_nanos().div_ceil(1_000_000_000);
                i64::try_from(seconds).map_or(i64::MIN, |seconds| -seconds)
            }
        })
    }
}

/// Shows RFC 3339 in UTC, such as `2026-03-04T10:00:00Z`, or `@` and the seconds outside the years 1970 to 9999.
impl fmt::Display for UnixTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const YEAR_10000: i64 = 253_402_300_800;
        match self.to_system_time() {
            Some(time) if (0..YEAR_10000).contains(&self.0) => humantime::format_rfc3339_seconds(time).fmt(f),
            _ => write!(f, "@{}", self.0),
        }
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for UnixTimestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "UnixTimestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "oneOf": [{ "type": "integer" }, { "type": "string", "pattern": "^-?[0-9]+$" }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Option<i64> {
        serde_json::from_str::<UnixTimestamp>(json).ok().map(UnixTimestamp::as_secs)
    }

    #[test]
    fn reads_a_number_a_decimal_string_and_a_zero_fraction() {
        for json in ["1772618400", "\"1772618400\"", "1772618400.0", "1.7726184e9", "\"0001772618400\""] {
            assert_eq!(parse(json), Some(1_772_618_400), "{json}");
        }
        assert_eq!(parse("-1"), Some(-1));
        assert_eq!(parse("\"-1\""), Some(-1));
    }

    #[test]
    fn refuses_what_is_no_whole_number_of_seconds() {
        for json in [
            "1.5",
            "\"\"",
            "\"-\"",
            "\"1e3\"",
            "\"1.0\"",
            "\" 1\"",
            "\"+1\"",
            "null",
            "true",
            "{}",
            "[1]",
            "1e300",
            "18446744073709551615",
            "\"9223372036854775808\"",
        ] {
            assert_eq!(parse(json), None, "{json}");
        }
    }

    #[test]
    fn comes_from_a_system_time_rounded_down() {
        for (time, seconds) in [
            (UNIX_EPOCH, 0),
            (UNIX_EPOCH + Duration::from_millis(1999), 1),
            (UNIX_EPOCH - Duration::from_millis(1), -1),
            (UNIX_EPOCH - Duration::from_secs(2), -2),
        ] {
            assert_eq!(UnixTimestamp::from(time).as_secs(), seconds);
        }
    }

    #[test]
    fn is_written_as_a_number() {
        assert_eq!(serde_json::to_string(&UnixTimestamp::from_secs(7)).unwrap(), "7");
    }

    #[test]
    fn displays_rfc_3339_and_survives_any_value() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_772_618_400, "2026-03-04T10:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (253_402_300_800, "@253402300800"),
            (-1, "@-1"),
            (i64::MAX, "@9223372036854775807"),
            (i64::MIN, "@-9223372036854775808"),
        ] {
            assert_eq!(UnixTimestamp::from_secs(seconds).to_string(), text);
        }
    }

    #[test]
    fn remaining_is_zero_once_passed_and_never_panics() {
        let now = UNIX_EPOCH + Duration::from_secs(100);
        assert_eq!(UnixTimestamp::from_secs(160).remaining(now), Duration::from_secs(60));
        assert_eq!(UnixTimestamp::from_secs(100).remaining(now), Duration::ZERO);
        assert_eq!(UnixTimestamp::from_secs(i64::MIN).remaining(now), Duration::ZERO);
        assert!(UnixTimestamp::from_secs(i64::MAX).remaining(now) > Duration::from_secs(1 << 60));
    }
}
