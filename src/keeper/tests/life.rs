//! What is believed of what a server says about a token's life.

use super::*;
use crate::keeper::life::{Doubt, Told, in_seconds};

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
    // Our clock is a day slow, then an hour fast.
    assert_eq!(life(86_500, Some(86_400.0), 0.0, 0.5), (98.5, Some(Doubt::OurClock)));
    assert_eq!(life(-3500, Some(-3600.0), 0.0, 0.5), (98.5, Some(Doubt::OurClock)));
    // The other clock is.
    assert_eq!(life(100, Some(-86_400.0), 0.0, 0.5), (99.5, Some(Doubt::Date)));
    assert_eq!(life(100, Some(3600.0), 0.0, 0.5), (99.5, Some(Doubt::Date)));
    // Both lives are possible; the shorter one counts.
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
    // The token is dead by one clock, and lives far too long by the other.
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
