//! Half an hour of traffic in a few seconds: caches and clients against a server that fails one time in ten, in every
//! way.
//!
//! `cargo test --test soak -- --nocapture` prints the numbers.

use futures_util::future::join_all;
use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::types::GetWechatAccessTokenDto;
use genauth::wechat::{AppTokens, TokenCache, TokenStats, TokenUse};
use genauth::{AccessKeyUse, Client, ClientBuilder, Error};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

const SECONDS: u64 = 1800;
const WARM_UP: u64 = 300;
const APPS: usize = 8;

/// A seeded random number generator, so that the faults are the same each time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn fault(dice: &mut Dice) -> MockAnswer {
    match dice.throw(100) {
        // A fault that costs real time is rare.
        0 => MockAnswer::proceed().delay(Duration::from_secs(3600)),
        1..=14 => MockAnswer::hang_up(),
        15..=29 => MockAnswer::http(503, "text/html", "<h1>busy</h1>"),
        30..=39 => MockAnswer::http(502, "", ""),
        40..=49 => MockAnswer::envelope(json!({ "statusCode": 500, "message": "broken" })),
        50..=59 => MockAnswer::envelope(json!({ "statusCode": 429, "message": "slow" })).header("retry-after", "0"),
        60..=69 => MockAnswer::http(200, "text/html", "<h1>hotel</h1>"),
        70..=77 => MockAnswer::empty_data(),
        78..=85 => MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": { "accessToken": 1 } })),
        86..=93 => MockAnswer::http(302, "", "").header("location", "https://other.example/"),
        _ => MockAnswer::http(200, "application/json", vec![b' '; (1 << 20) + 1]),
    }
}

/// Memory in KiB, and open sockets.
fn resources() -> Option<(u64, usize)> {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    let open = std::fs::read_dir("/proc/self/fd").ok()?.filter_map(Result::ok);
    let is_socket = |to: std::path::PathBuf| to.to_string_lossy().starts_with("socket:");
    Some((pages * 4, open.filter(|entry| std::fs::read_link(entry.path()).is_ok_and(is_socket)).count()))
}

struct Traffic {
    server: MockGenAuth,
    by_app: Client,
    by_key: Client,
    apps: Vec<GetWechatAccessTokenDto>,
    caches: Vec<AppTokens>,
    dice: Dice,
    errors: BTreeMap<String, u64>,
    cached: u64,
    direct: u64,
    requests: u64,
    fetches: u64,
    faults: u64,
    waiting: u64,
}

impl Traffic {
    async fn start(clock: impl Fn() -> SystemTime + Clone + Send + Sync + 'static) -> Self {
        let mut mock = MockGenAuth::builder()
            .clock(clock.clone())
            .token_lifetime(Duration::from_secs(600))
            .token_margin(Duration::from_secs(60))
            .management_token_lifetime(Duration::from_secs(300));
        let app =
            |number: usize| GetWechatAccessTokenDto { app_id: format!("wx{number}"), app_secret: "secret".into() };
        let apps: Vec<_> = (0..APPS).map(app).collect();
        for app in &apps {
            mock = mock.wechat_app(app.app_id.as_str(), "secret");
        }
        let server = mock.start().await.unwrap();
        let build = |builder: ClientBuilder| {
            let builder = builder.clock(clock.clone()).attempt_timeout(Duration::from_millis(300));
            builder.retry_pauses(Duration::from_millis(1), Duration::from_secs(1)).build().unwrap()
        };
        let by_app = build(server.client_builder());
        let key = Client::builder(server.url()).access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
        let by_key = build(key.access_key_use(AccessKeyUse::ManagementToken));
        // The two caches stand for two processes.
        let caches = [TokenCache::new(by_app.clone()), TokenCache::new(by_app.clone())];
        let caches = caches.iter().flat_map(|cache| apps.iter().map(|app| cache.app(app))).collect();
        let (errors, dice) = (BTreeMap::new(), Dice(1));
        let (cached, direct, requests, fetches, faults, waiting) = Default::default();
        Self { server, by_app, by_key, apps, caches, dice, errors, cached, direct, requests, fetches, faults, waiting }
    }

    /// Makes the calls of one second, all at once.
    async fn second(&mut self, second: u64) {
        // More answers are queued than the second can use, so that one in ten is a fault, whichever request takes it.
        for _ in self.waiting..100 {
            let faulty = self.dice.throw(10) == 0;
            self.faults += u64::from(faulty);
            let answer = if faulty { fault(&mut self.dice) } else { MockAnswer::proceed() };
            self.server.answer_next(answer);
        }
        if second.is_multiple_of(19) {
            // Another system asks WeChat for a token, and the one before dies in five minutes.
            self.server.rotate(&self.apps[usize::try_from(self.dice.throw(8)).unwrap()].app_id);
        }
        if second.is_multiple_of(211) {
            self.server.revoke_management_tokens();
        }
        let server = &self.server;
        let alive = |token: &str| server.token_is_alive(token);
        let cached = self.caches.iter().map(|tokens| async move {
            let used = tokens.with_token(async |token| {
                let errcode = if alive(token.expose_secret()) { 0 } else { 40001 };
                Ok::<_, Error>(TokenUse::by_errcode(errcode, errcode))
            });
            used.await.map(|errcode| assert_eq!(errcode, 0, "a dead token in second {second}"))
        });
        let direct = (0..4).map(|number| {
            let app = self.apps[usize::try_from((second + number) % 8).unwrap()].clone();
            let (by_app, by_key) = (&self.by_app, &self.by_key);
            async move {
                let token = if number % 2 == 0 {
                    by_app.get_wechat_mp_access_token_info().body(app).send().await
                } else {
                    by_key.get_weixin_access_token().body(app).send().await
                };
                token.map(|token| assert!(alive(token.access_token.expose_secret()), "a dead token in second {second}"))
            }
        });
        let (cached, direct) = tokio::join!(join_all(cached), join_all(direct));
        self.cached += u64::try_from(cached.len()).unwrap();
        self.direct += u64::try_from(direct.len()).unwrap();
        for error in cached.into_iter().chain(direct).filter_map(Result::err) {
            *self.errors.entry(format!("{:?}", error.kind())).or_default() += 1;
        }
        // Refreshes in the background end before time goes on.
        while self.caches.iter().any(|tokens| tokens.stats().refreshing) {
            tokio::task::yield_now().await;
        }
        let seen = self.server.take_requests();
        let count = u64::try_from(seen.len()).unwrap();
        self.waiting = 100_u64.checked_sub(count).expect("fewer requests in a second than answers waited");
        self.requests += count;
        let fetch = |path: &str| path == "/api/v3/get-management-token";
        self.fetches += u64::try_from(seen.iter().filter(|request| fetch(&request.path)).count()).unwrap();
    }
}

#[tokio::test]
async fn half_an_hour_of_faults_leaves_no_dead_token_no_storm_and_nothing_that_grows() {
    let hands = Arc::new(AtomicU64::new(1_800_000_000));
    let read = Arc::clone(&hands);
    let mut traffic = Traffic::start(move || SystemTime::UNIX_EPOCH + Duration::from_secs(read.load(SeqCst))).await;
    let start = tokio::time::Instant::now();
    let (at_start, mut warm, mut most) = (resources(), None, 0);
    for second in 1..=SECONDS {
        hands.fetch_add(1, SeqCst);
        traffic.second(second).await;
        if let Some((_, sockets)) = resources() {
            most = most.max(sockets);
        }
        if second == WARM_UP {
            warm = resources();
        }
    }
    let (at_end, took) = (resources(), start.elapsed());
    let stats: Vec<_> = traffic.caches.iter().map(|tokens| tokens.stats()).collect();
    let sum = |count: fn(&TokenStats) -> u64| stats.iter().map(count).sum::<u64>();
    let (refreshes, failures) = (sum(|stats| stats.refreshes), sum(|stats| stats.failures));
    let rejected = sum(|stats| stats.invalidations);
    let Traffic { cached, direct, requests, fetches, faults, waiting, errors, .. } = &traffic;
    println!("{SECONDS} s in {took:.1?}: {cached} calls of a cache ({rejected} tokens rejected), {direct} of a client");
    println!("{requests} requests: {refreshes} refreshes and {failures} failed ones, {fetches} for management tokens");
    println!("{faults} faults, {waiting} answers left; errors: {errors:?}");
    println!(
        "KiB and sockets: at the start {at_start:?}, warm {warm:?}, at the end {at_end:?}; at most {most} sockets"
    );

    for kind in ["Redirect", "Response", "NoData", "TooLarge"] {
        assert!(errors.contains_key(kind), "no {kind} in {errors:?}");
    }
    // A call is one request, or two if the server had forgotten its management token; retries add a tenth.
    let calls = direct + refreshes + failures + 2 * fetches;
    assert!(*requests > *direct && *requests <= calls + calls / 10 + 20, "{requests} requests of {calls} calls");
    // A token is refreshed once in its lifetime, and after WeChat has rejected it.
    let due = 16 * (1 + SECONDS / 540) + rejected;
    assert!(rejected > 0 && refreshes <= due && failures < refreshes, "{refreshes} of {due}, {failures} failed");
    let refused: u64 = errors.values().sum();
    assert!(refused * 20 < cached + direct, "{refused} errors");
    if let (Some((warm, _)), Some((end, _))) = (warm, at_end) {
        assert!(end < warm + 8 * 1024, "{warm} KiB became {end}");
        // Both ends of each connection count: there are no more connections than calls at once, and a few sockets for
        // the runtime.
        assert!(most <= 2 * (16 + 4) + 10, "{most} sockets");
    }
}
