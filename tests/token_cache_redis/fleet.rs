//! Eight processes with fifty tasks each, for twenty lifetimes of two seconds.
//!
//! The processes run this same test program, with the ignored test below as its only test.

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::sync::Mutex;

const PROCESSES: usize = 8;
const TASKS: usize = 50;
const LIFETIME: Duration = Duration::from_secs(2);
const LIFETIMES: u32 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_asks_for_a_token_once_per_lifetime_and_never_uses_a_dead_one() {
    let Some(redis) = Redis::start(&[]) else { return };
    // `expiresAt` is in whole seconds, so rounding takes up to one of them: without the extra quarter a token might
    // live for only one second.
    let lifetime = LIFETIME + Duration::from_millis(250);
    // The server renews a token for anybody who asks in its last half second.
    let mock = MockGenAuth::builder().token_lifetime(lifetime).token_margin(Duration::from_millis(500));
    let server = mock.start().await.unwrap();
    let program = std::env::current_exe().unwrap();
    // The end is the same for all processes, however long each takes to start.
    let end = (unix_millis() + (LIFETIME * LIFETIMES).as_millis()).to_string();
    let members = (0..PROCESSES).map(|_| {
        let mut member = Command::new(&program);
        member.args(["--exact", "fleet::member", "--ignored", "--nocapture"]);
        member.env("FLEET_SERVER", server.url()).env("FLEET_REDIS", redis.url()).env("FLEET_END", &end);
        member.stdout(Stdio::piped()).spawn().unwrap()
    });
    let members: Vec<_> = members.collect();
    let reports = tokio::task::spawn_blocking(|| {
        let outputs = members.into_iter().map(|member| member.wait_with_output().unwrap());
        outputs.map(|output| String::from_utf8(output.stdout).unwrap()).collect::<Vec<_>>()
    });
    let mut totals = BTreeMap::<String, u64>::new();
    let mut tokens = BTreeSet::new();
    for report in reports.await.unwrap() {
        let report = report.lines().find_map(|line| line.split_once("REPORT ")).expect("a report").1;
        let report: Value = serde_json::from_str(report).unwrap();
        for (name, number) in report["counts"].as_object().unwrap() {
            *totals.entry(name.clone()).or_default() += number.as_u64().unwrap();
        }
        tokens.extend(report["tokens"].as_array().unwrap().iter().map(|token| token.as_str().unwrap().to_owned()));
    }
    let requests = server.requests().len();
    println!("{PROCESSES} processes, {TASKS} tasks each: {requests} requests, {} tokens, {totals:?}", tokens.len());
    assert_eq!((totals["errors"], totals["dead"]), (0, 0), "{totals:?}");
    // One request, one token: nobody was sent away with what another had fetched already.
    assert_eq!(requests, tokens.len(), "{totals:?}");
    let lifetimes = LIFETIMES as usize;
    assert!(
        (lifetimes..=lifetimes + 1).contains(&requests),
        "{requests} for {lifetimes} lifetimes and the one under way"
    );
}

/// Runs one process of the fleet; it is not a test by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the test above"]
async fn member() {
    let (Ok(server), Ok(redis)) = (std::env::var("FLEET_SERVER"), std::env::var("FLEET_REDIS")) else { return };
    let client = Client::builder(server).app(MockGenAuth::APP_ID, MockGenAuth::APP_SECRET).build().unwrap();
    let tokens = TokenCache::builder(client).redis(RedisStore::open(&redis).unwrap()).build().unwrap();
    // The document's example, which the mock knows.
    let app = GetWechatAccessTokenDto {
        app_id: "wx0123456789abcdef".to_owned(),
        app_secret: "example-wechat-app-secret".into(),
    };
    let tokens = tokens.app(&app);
    let (errors, dead, calls) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let counts = Arc::new((errors, dead, calls, Mutex::new(BTreeSet::new())));
    let end: u128 = std::env::var("FLEET_END").unwrap().parse().unwrap();
    let tasks = (0..TASKS).map(|number| {
        let (tokens, counts) = (tokens.clone(), Arc::clone(&counts));
        tokio::spawn(async move {
            let (errors, dead, calls, seen) = &*counts;
            let mut pace = tokio::time::interval(Duration::from_millis(10 + number as u64));
            loop {
                pace.tick().await;
                let asked_at = unix_millis();
                if asked_at >= end {
                    return;
                }
                calls.fetch_add(1, Ordering::Relaxed);
                match tokens.get().await {
                    Err(_) => drop(errors.fetch_add(1, Ordering::Relaxed)),
                    Ok(token) => {
                        // Only a token that was dead already when it was asked for counts: delays of this task after
                        // that are not the cache's fault.
                        if asked_at >= token.expires_at().as_secs() as u128 * 1000 {
                            dead.fetch_add(1, Ordering::Relaxed);
                        }
                        seen.lock().unwrap().insert(token.expose_secret().to_owned());
                    }
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let (errors, dead, calls, seen) = &*counts;
    let stats = tokens.stats();
    let report = json!({
        "counts": {
            "errors": errors, "dead": dead, "calls": calls,
            "hits": stats.hits, "stale": stats.stale, "waits": stats.waits,
            "refreshes": stats.refreshes, "shared": stats.shared, "failures": stats.failures,
        },
        "tokens": &*seen.lock().unwrap(),
    });
    println!("REPORT {report}");
}

fn unix_millis() -> u128 {
    #[allow(clippy::disallowed_methods, reason = "the processes of the fleet live by the system's clock")]
    let now = SystemTime::now();
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()
}
