//! What a caller gets for each fault, which is really injected; `docs/faults.md` records what this test has seen.
//!
//! `GENAUTH_REFRESH=1 cargo test --test faults` writes it anew.

mod answers;
#[path = "../common/mod.rs"]
mod common;
mod connections;
mod lives;
mod row;
mod server;

use genauth::types::GetWechatAccessTokenDto;
use genauth::{Client, Error, ErrorKind};
use row::{Gets, How, Row};
use server::{Seen, Stage};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::runtime::{Builder, Handle};

const SECRET: &str = "wechat-app-secret-5b1c";

fn table() -> [(&'static str, Vec<Row>); 5] {
    [
        ("The network", connections::network()),
        ("TLS", connections::tls()),
        ("HTTP", connections::http()),
        ("An answer that is not a token", answers::bodies()),
        ("A status that is not a success", answers::statuses()),
    ]
}

async fn call(client: &Client) -> Result<(), Error> {
    let app = GetWechatAccessTokenDto { app_id: "wx".to_owned(), app_secret: SECRET.into() };
    client
        .get_wechat_mp_access_token_info()
        .body(app)
        .send()
        .await
        .map(|token| assert_eq!(token.expires_at.as_secs(), 1))
}

/// Lets everything run until `done`, but only for a limited time by the real clock.
async fn until(what: &str, done: impl Fn() -> bool) {
    let patience = tokio::time::timeout(Duration::from_secs(60), async {
        while !done() {
            tokio::task::yield_now().await;
        }
    });
    patience.await.unwrap_or_else(|_| panic!("{what}"));
}

/// Whether `text` is `pattern`, whose first `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == text };
    text.strip_prefix(before).is_some_and(|rest| rest.ends_with(after))
}

fn judge(row: &Row, answer: Result<(), Error>, attempts: u32) {
    let error = match (answer, &row.gets) {
        (Ok(()), Gets::Token) => return,
        (Ok(()), Gets::Error { .. }) => panic!("a token"),
        (Err(error), _) => error,
    };
    let Gets::Error { kind, retryable, says } = &row.gets else { panic!("{error}") };
    let text = error.to_string();
    let detail = text.strip_prefix("getWechatMpAccessTokenInfo: ").unwrap();
    let suffix = if attempts > 1 { format!(" [{attempts} attempts]") } else { String::new() };
    let detail = detail.strip_suffix(&suffix).unwrap_or_else(|| panic!("{attempts} attempts: {text}"));
    assert!(fits(says, detail), "says {detail:?}, and not {says:?}: {error:?}");
    assert_eq!((error.kind(), error.is_retryable(), error.attempts()), (*kind, *retryable, attempts), "{error:?}");
    assert_eq!(error.is_timeout(), *kind == ErrorKind::Timeout);
    let mut shown = format!("{error} {error:?}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        write!(shown, " {cause} {cause:?}").unwrap();
        source = cause.source();
    }
    assert!(!shown.contains(SECRET), "{shown}");
    // Other TLS libraries word their errors differently.
    let words = !row.https || cfg!(not(feature = "native-tls"));
    assert!(!words || shown.contains(row.because), "not because of {}: {shown}", row.because);
}

/// Calls with a client that does not retry, whose error says what the fault is.
async fn alone(row: &Row) {
    let Stage { client, seen, held: _held } = Stage::set(row).await;
    let client = client.retries(0).build().unwrap();
    let start = tokio::time::Instant::now();
    let answer = call(&client).await;
    assert_eq!(start.elapsed().as_secs(), row.seconds);
    judge(row, answer, 1);
    if seen.paused.load(SeqCst) {
        tokio::time::resume();
    }
    if row.kept {
        judge(row, call(&client).await, 1);
        assert_eq!(seen.connections.load(SeqCst), 1, "the connection is not used again");
    } else {
        until("a connection stays open that is good for nothing", || seen.open.load(SeqCst) == 0).await;
    }
    drop(client);
    nothing_left(&seen).await;
}

/// Calls with a client as it is by default, which retries where that may help.
async fn insistent(row: &Row) {
    let Stage { client, seen, held: _held } = Stage::set(row).await;
    // The pauses are too short to be waited for.
    let client = client.retry_pauses(Duration::from_millis(1), Duration::from_secs(5)).build().unwrap();
    judge(row, call(&client).await, row.attempts);
    if seen.paused.load(SeqCst) {
        tokio::time::resume();
    }
    drop(client);
    nothing_left(&seen).await;
    let (connections, requests) = (seen.connections.load(SeqCst), seen.requests.load(SeqCst));
    let attempts = usize::try_from(row.attempts).unwrap();
    match &row.how {
        How::Refused | How::Nameless | How::Blackhole => assert_eq!((connections, requests), (0, 0)),
        // Ten redirects are followed.
        How::Followed(_) => assert_eq!((connections, requests), (1, 11)),
        _ if row.kept => assert_eq!((connections, requests), (1, attempts)),
        _ => assert_eq!(connections, attempts),
    }
}

/// Checks that no connection is open, and that no task is alive but the one that accepts connections.
async fn nothing_left(seen: &Seen) {
    until("a connection outlives its client", || seen.open.load(SeqCst) == 0).await;
    until("a task outlives its client", || Handle::current().metrics().num_alive_tasks() <= 1).await;
}

fn takes(row: &Row) -> String {
    if row.seconds == 0 { "at once".to_owned() } else { format!("{} s", row.seconds) }
}

fn rendered(table: &[(&str, Vec<Row>)]) -> String {
    let mut text = INTRODUCTION.to_owned();
    for (group, rows) in table {
        let heads = ["fault", "what the caller gets", "says", "retryable", "requests", "takes", "connection"];
        write!(text, "\n## {group}\n\n| {} |\n|{}\n", heads.join(" | "), "---|".repeat(heads.len())).unwrap();
        for row in rows {
            let (gets, says, retryable) = match &row.gets {
                Gets::Token => ("the token".to_owned(), String::new(), String::new()),
                Gets::Error { kind, retryable, says } => {
                    (format!("`{kind:?}`"), says.replace('*', "…"), if *retryable { "yes" } else { "no" }.to_owned())
                }
            };
            let connection = if row.kept { "kept" } else { "closed" };
            let (requests, takes) = (row.attempts.to_string(), takes(row));
            let cells = [row.name.as_str(), &gets, &says, &retryable, &requests, &takes, connection];
            writeln!(text, "| {} |", cells.join(" | ")).unwrap();
        }
    }
    text + &lives::rendered()
}

const INTRODUCTION: &str = "\
# Faults

`tests/faults` injects each of these faults for real, and fails if it sees anything else than what stands here: on
loopback, with servers that write bytes, an operation that the document calls idempotent, and a client with its default
settings. `requests` is the number of attempts, with the two retries of such a client; `takes` is the time that a call
takes because of the server, at most the 10 seconds that a client allows by default. Nothing is left behind: once the
client is gone, no connection is open and no task alive, and a connection that cannot be used again is closed at once.
";

#[test]
fn each_fault_ends_as_the_table_says_and_leaves_nothing_behind() {
    let table = table();
    let names: BTreeSet<&str> = table.iter().flat_map(|(_, rows)| rows).map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), table.iter().map(|(_, rows)| rows.len()).sum::<usize>(), "two rows of one name");
    let mut failures = Vec::new();
    for row in table.iter().flat_map(|(_, rows)| rows) {
        for run in [true, false] {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async { if run { alone(row).await } else { insistent(row).await } });
            }));
            if outcome.is_err() {
                failures.push(format!("{}{}", row.name, if run { "" } else { ", with retries" }));
            }
        }
    }
    assert!(failures.is_empty(), "{} rows are not as the table says: {failures:#?}", failures.len());

    let text = rendered(&table);
    println!("{text}\n{} rows", names.len());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    if std::env::var_os("GENAUTH_REFRESH").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(known == text, "docs/faults.md is out of date; run GENAUTH_REFRESH=1 cargo test --test faults");
}
