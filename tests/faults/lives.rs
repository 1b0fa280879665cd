//! What the token cache makes of a life that cannot be: `expiresAt`, the answer's `Date` and this machine's clock, any
//! of which may be wrong.

use crate::common::{Log, raw};
use genauth::types::GetWechatAccessTokenDto;
use genauth::wechat::TokenCache;
use genauth::{Client, ErrorKind};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

/// This machine's time.
const NOW: i64 = 1_800_000_000;

/// What is wrong, what `expiresAt` says, and by how much the `Date` is ahead; for how many seconds the token is held,
/// if it is, and what is logged.
type Life = (&'static str, i64, Option<i64>, Option<u64>, &'static str);

const UNIT: &str = "the server's `expiresAt` is in milliseconds or smaller units";
const TOO_LONG: &str = "the server's `expiresAt` is further away than a token lives";
const DATE: &str = "the answer's `Date` is wrong and was ignored";
const OUR_CLOCK: &str = "this machine's clock is wrong and was ignored";

const LIVES: [Life; 15] = [
    ("nothing", NOW + 7200, Some(0), Some(7200), ""),
    ("no `Date`", NOW + 7200, None, Some(7200), ""),
    ("`expiresAt` in milliseconds", (NOW + 7200) * 1000, Some(0), Some(7200), UNIT),
    ("`expiresAt` in microseconds", (NOW + 7200) * 1_000_000, Some(0), Some(7200), UNIT),
    ("`expiresAt` in the year 2286", 10_000_000_000, Some(0), Some(300), TOO_LONG),
    ("`expiresAt` as large as a number can be", i64::MAX, Some(0), Some(300), TOO_LONG),
    ("`expiresAt` a few seconds too far", NOW + 7230, Some(0), Some(7200), ""),
    ("`expiresAt` in the past", NOW - 1, Some(0), None, ""),
    ("`expiresAt` below all time", i64::MIN, Some(0), None, ""),
    ("`Date` a day behind", NOW + 7200, Some(-86_400), Some(7200), DATE),
    ("`Date` a day ahead", NOW + 7200, Some(86_400), Some(7200), DATE),
    ("`Date` an hour ahead", NOW + 7200, Some(3600), Some(3599), ""),
    ("this machine's clock a day behind", NOW + 86_400 + 7200, Some(86_400), Some(7199), OUR_CLOCK),
    ("this machine's clock a day ahead", NOW - 86_400 + 7200, Some(-86_400), Some(7199), OUR_CLOCK),
    ("this machine's clock a day behind, and no `Date`", NOW + 86_400 + 7200, None, Some(300), TOO_LONG),
];

fn time(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs())
}

async fn check(&(name, expires_at, date, held, logged): &Life) {
    let (log, _guard) = Log::start(tracing::Level::WARN);
    let data = format!(r#"{{"accessToken":"61_t","expiresAt":{expires_at}}}"#);
    let body = format!(r#"{{"statusCode":200,"message":"","data":{data}}}"#);
    let date = date.map(|ahead| format!("\r\ndate: {}", httpdate::fmt_http_date(time(NOW + ahead))));
    let answer = raw::answer(&body).replacen("\r\n", &format!("{}\r\n", date.unwrap_or_default()), 1);
    let url = raw::serve(move |mut stream| {
        let answer = answer.clone();
        async move {
            while !raw::request(&mut stream).await.is_empty() {
                tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await.unwrap();
            }
        }
    });
    let client = Client::builder(url.await).app_id("app").clock(|| time(NOW)).build().unwrap();
    let tokens = TokenCache::builder(client).pause(Duration::ZERO).build().unwrap();
    let app = GetWechatAccessTokenDto { app_id: "wx".to_owned(), app_secret: "secret".into() };
    let tokens = tokens.app(&app);
    let got = tokens.get().await;
    let remaining = tokens.stats().remaining.map(|left| left.as_secs());
    assert_eq!(
        (got.as_ref().map_err(|error| error.kind()).err(), remaining),
        (held.is_none().then_some(ErrorKind::UnusableToken), held),
        "{name}"
    );
    let lines = log.lines();
    let told = if held.is_some() && logged.is_empty() { 0 } else { 1 };
    let logged = if held.is_none() { "there is no token" } else { logged };
    assert!(lines.len() == told && lines.iter().all(|line| line.contains(logged)), "{name}: {lines:#?}");
    // A second request does not log it again.
    if let Ok(token) = got {
        tokens.invalidate(&token);
        tokens.get().await.unwrap_err();
        assert!(log.lines().iter().filter(|line| line.contains(logged) && told == 1).count() <= 1, "{name}");
    }
}

#[tokio::test]
async fn each_life_that_cannot_be_is_held_as_long_as_the_table_says() {
    for life in &LIVES {
        check(life).await;
    }
}

/// The table for `docs/faults.md`.
pub fn rendered() -> String {
    let mut text = "\n## A token's life, for the token cache\n\n".to_owned();
    text += "The token is handed out for as long as it is held, and renewed before that ends. ";
    text += "Each warning is logged once.\n\n";
    text += "| what is wrong | what the caller gets | held for | logged |\n|---|---|---|---|\n";
    for (name, _, _, held, logged) in &LIVES {
        let (gets, held) = match held {
            Some(held) => ("the token", format!("{held} s")),
            None => ("`UnusableToken`", String::new()),
        };
        writeln!(text, "| {name} | {gets} | {held} | {logged} |").unwrap();
    }
    text
}
