//! The token cache of a fleet, on a real Redis server.

#[path = "../common/mod.rs"]
mod common;
mod fleet;
mod server;
mod trouble;

use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::types::GetWechatAccessTokenDto;
use genauth::wechat::{AppTokens, RedisStore, TokenCache};
use genauth::{Client, ClientBuilder, ErrorKind};
use serde_json::{Value, json};
use server::Redis;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

fn app(server: &MockGenAuth) -> GetWechatAccessTokenDto {
    GetWechatAccessTokenDto { app_id: server.wechat_app_id().to_owned(), app_secret: server.wechat_app_secret().into() }
}

/// The tokens of another process of the fleet.
fn process(server: &MockGenAuth, redis: &Redis) -> AppTokens {
    process_of(server, redis, |client| client)
}

/// The tokens of another process, whose client `change` configures.
fn process_of(server: &MockGenAuth, redis: &Redis, change: impl Fn(ClientBuilder) -> ClientBuilder) -> AppTokens {
    // The timeout is long, so that a machine under load does not look like a Redis that hangs.
    process_with(server, redis, Duration::from_secs(10), change)
}

fn process_with(
    server: &MockGenAuth,
    redis: &Redis,
    timeout: Duration,
    change: impl Fn(ClientBuilder) -> ClientBuilder,
) -> AppTokens {
    let store = RedisStore::open(&redis.url()).unwrap().timeout(timeout);
    let client = change(server.client_builder().timeout(Duration::from_secs(5))).build().unwrap();
    TokenCache::builder(client).redis(store).pause(Duration::ZERO).build().unwrap().app(&app(server))
}

async fn get(tokens: &AppTokens) -> String {
    tokens.get().await.unwrap().expose_secret().to_owned()
}

fn record(redis: &Redis) -> Value {
    let key = redis.keys().into_iter().find(|key| !key.ends_with(":lock")).unwrap();
    serde_json::from_str(&redis.run::<String>(&["GET", &key])).unwrap()
}

/// Waits until the server has seen that many requests.
async fn requests(server: &MockGenAuth, count: usize) {
    let seen = async {
        while server.requests().len() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), seen).await.expect("the request comes");
}

async fn within<T>(time: Duration, what: impl Future<Output = T>) -> T {
    tokio::time::timeout(time, what).await.expect("it ends in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_processes_of_a_fleet_fetch_a_token_once() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    server.answer_next(MockAnswer::proceed().delay(Duration::from_millis(100)));
    let fleet: Vec<_> = (0..8).map(|_| process(&server, &redis)).collect();
    let calls = fleet.iter().flat_map(|tokens| (0..50).map(|_| tokens.clone()));
    let calls: Vec<_> = calls.map(|tokens| tokio::spawn(async move { get(&tokens).await })).collect();
    let mut got = Vec::new();
    for call in calls {
        got.push(call.await.unwrap());
    }
    got.dedup();
    assert_eq!((got.len(), server.requests().len()), (1, 1));
    let shared: u64 = fleet.iter().map(|tokens| tokens.stats().shared).sum();
    assert_eq!(shared, 7);
}

#[tokio::test]
async fn what_stands_in_redis_is_the_token_and_no_other_secret_and_ends_with_it() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let token = get(&process(&server, &redis)).await;
    let keys = redis.keys();
    assert_eq!(keys.len(), 1, "the lock is released: {keys:?}");
    assert!(keys[0].starts_with("genauth:wechat:{wx0123456789abcdef:"), "{keys:?}");
    let left: i64 = redis.run(&["PTTL", &keys[0]]);
    assert!((7_190_000..=7_200_000).contains(&left), "{left}");
    let text: String = redis.run(&["GET", &keys[0]]);
    assert!(text.contains(&token));
    for secret in [server.wechat_app_secret(), MockGenAuth::APP_SECRET, MockGenAuth::APP_ID] {
        assert!(!format!("{keys:?} {text}").contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_process_with_a_wrong_clock_takes_over_what_another_fetched() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let now = |days: i64| {
        let clock = Arc::new(AtomicU64::new(1_800_000_000_u64.saturating_add_signed(days * 86_400)));
        move || SystemTime::UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst))
    };
    let token = get(&process(&server, &redis)).await;
    for days in [-3, 3] {
        let tokens = process_of(&server, &redis, |client| client.clock(now(days)));
        assert_eq!(get(&tokens).await, token);
        let left = tokens.stats().remaining.unwrap().as_secs();
        assert!((7190..=7200).contains(&left), "{left}");
    }
    assert_eq!(server.requests().len(), 1);
}

/// WxJava #369: several processes fetched in a circle, each invalidating the others' token.
#[tokio::test]
async fn a_token_that_one_process_renewed_is_taken_over_by_all_whom_wechat_rejects() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    for round in 1..6 {
        let fleet: Vec<_> = (0..4).map(|_| process(&server, &redis)).collect();
        let mut held = Vec::new();
        for tokens in &fleet {
            held.push(tokens.get().await.unwrap());
        }
        server.rotate(server.wechat_app_id());
        for (tokens, rejected) in fleet.iter().zip(&held) {
            tokens.invalidate(rejected);
            assert_ne!(get(tokens).await, rejected.expose_secret());
        }
        assert_eq!(server.requests().len(), round + 1);
    }
}

/// WxJava #2803: an older answer overwrote a newer token.
#[tokio::test]
async fn an_answer_that_was_slow_does_not_overwrite_a_newer_token() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let old =
        json!({ "statusCode": 200, "message": "", "data": { "accessToken": "old", "expiresAt": unix_now() + 7000 } });
    server.answer_next(MockAnswer::envelope(old).delay(Duration::from_millis(500)));
    let (slow, quick) = (process(&server, &redis), process(&server, &redis));
    let slow = tokio::spawn(async move { get(&slow).await });
    requests(&server, 1).await;
    // The lock is deleted, as if its lease had ended.
    let lock = redis.keys().pop().unwrap();
    assert!(lock.ends_with(":lock"), "{lock}");
    redis.run::<i64>(&["DEL", &lock]);
    let token = get(&quick).await;
    assert_eq!(slow.await.unwrap(), token, "the slow one takes over what it was not to overwrite");
    assert_eq!(record(&redis)["token"], json!(token));
}

#[tokio::test]
async fn an_answer_that_was_slow_does_not_bring_a_rejected_token_back() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let tokens = process(&server, &redis);
    let rejected = tokens.get().await.unwrap();
    let data = json!({ "accessToken": rejected.expose_secret(), "expiresAt": rejected.expires_at() });
    let again = json!({ "statusCode": 200, "message": "", "data": data });
    server.rotate(server.wechat_app_id());
    tokens.invalidate(&rejected);
    // The server sends the same token again, which is refused and from then on marked as rejected in Redis.
    server.answer_next(MockAnswer::envelope(again.clone()));
    tokens.get().await.unwrap_err();
    assert_eq!(
        (record(&redis)["rejected"].clone(), record(&redis)["token"].clone()),
        (json!(true), json!(rejected.expose_secret()))
    );

    server.answer_next(MockAnswer::envelope(again).delay(Duration::from_millis(300)));
    let slow = process(&server, &redis);
    let slow = tokio::spawn(async move { slow.get().await.map(drop) });
    requests(&server, 3).await;
    redis.run::<i64>(&["DEL", &redis.keys().into_iter().find(|key| key.ends_with(":lock")).unwrap()]);
    let token = get(&process(&server, &redis)).await;
    assert_eq!(slow.await.unwrap().unwrap_err().kind(), ErrorKind::UnusableToken);
    assert_eq!(record(&redis)["token"], json!(token));
}

/// WxJava #3888, #3043, #2195, #2667: waiters were stuck for the whole lease, or in an endless loop around the lock.
#[tokio::test]
async fn a_lock_whose_holder_crashed_delays_the_others_at_most_by_its_lease() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    get(&process(&server, &redis)).await;
    let record = redis.keys().pop().unwrap();
    let lock = format!("{record}:lock");
    for lease in ["300", "3600000"] {
        redis.run::<i64>(&["DEL", &record]);
        redis.run::<String>(&["SET", &lock, "crashed", "PX", lease]);
        // No process of this crate holds a lock like these; the holder is waited for as long as a call and a lease
        // take.
        let store = RedisStore::open(&redis.url()).unwrap().timeout(Duration::from_secs(10));
        let client = server.client_builder().timeout(Duration::from_secs(2)).build().unwrap();
        let waiting = TokenCache::builder(client).redis(store).longest_wait(Duration::from_secs(60));
        let waiting = waiting.build().unwrap().app(&app(&server));
        let before = server.requests().len();
        within(Duration::from_secs(8), waiting.get()).await.unwrap();
        assert_eq!(server.requests().len(), before + 1);
    }
    assert_eq!(redis.run::<String>(&["GET", &lock]), "crashed", "nobody takes another's lock away");
}

#[tokio::test]
async fn a_holder_whose_fetch_fails_lets_the_others_go_at_once() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    server.answer_next(MockAnswer::http(503, "text/html", "busy").delay(Duration::from_millis(100)));
    // A call may take an hour here, so that a waiter which is not let go would wait far too long.
    let hour = |client: ClientBuilder| client.timeout(Duration::from_secs(3600)).retries(0);
    let (first, second) = (process_of(&server, &redis, hour), process_of(&server, &redis, hour));
    let first = tokio::spawn(async move { first.get().await.map(drop) });
    requests(&server, 1).await;
    get(&second).await;
    first.await.unwrap().unwrap_err();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn redis_that_dies_and_comes_back_during_a_refresh_fails_no_call() {
    let Some(mut redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    server.answer_next(MockAnswer::proceed().delay(Duration::from_millis(300)));
    let tokens = process(&server, &redis);
    let call = tokio::spawn({
        let tokens = tokens.clone();
        async move { get(&tokens).await }
    });
    requests(&server, 1).await;
    redis.kill();
    let token = call.await.unwrap();
    assert_eq!(get(&process(&server, &redis)).await, token);
    redis.restart();
    // Sharing goes on: the next fetch is stored, and after that none is needed.
    assert_eq!(get(&process(&server, &redis)).await, token);
    let before = server.requests().len();
    assert_eq!(get(&process(&server, &redis)).await, token);
    assert_eq!(server.requests().len(), before);
    // The first process finds its way back to Redis by itself as well.
    let mut rejected = tokens.get().await.unwrap();
    for _ in 0..10 {
        if tokens.stats().shared > 0 {
            return;
        }
        server.rotate(server.wechat_app_id());
        get(&process(&server, &redis)).await;
        tokens.invalidate(&rejected);
        let other = process(&server, &redis);
        other.invalidate(&other.get().await.unwrap());
        get(&other).await;
        rejected = tokens.get().await.unwrap();
    }
    panic!("it does not: {:?}", tokens.stats());
}

#[tokio::test]
async fn redis_that_hangs_delays_a_call_by_its_timeout_and_no_more() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let warm = process(&server, &redis);
    let cold = process_with(&server, &redis, Duration::from_millis(500), |client| client);
    let token = get(&warm).await;
    redis.run::<()>(&["FLUSHALL"]);
    redis.freeze();
    let got = tokio::time::timeout(Duration::from_secs(5), async { (get(&warm).await, get(&cold).await) }).await;
    redis.thaw();
    assert_eq!(got.unwrap(), (token.clone(), token.clone()));
    assert_eq!(server.requests().len(), 2);
    // The command that was given up may have come through and taken the lock, which is then released rather than kept
    // until its lease ends.
    let hour = |client: ClientBuilder| client.timeout(Duration::from_secs(3600)).retries(0);
    assert_eq!(within(Duration::from_secs(30), get(&process_of(&server, &redis, hour))).await, token);
}

/// silenceper/wechat: a write error of the store failed the call.
#[tokio::test]
async fn redis_that_is_full_fails_no_call() {
    let Some(redis) = Redis::start(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let tokens = process(&server, &redis);
    let token = get(&tokens).await;
    assert_eq!((get(&tokens).await, server.requests().len()), (token, 1));
    assert!(redis.keys().is_empty());

    // Memory is full after the lock was taken and before the record is written.
    redis.run::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    server.answer_next(MockAnswer::proceed().delay(Duration::from_millis(200)));
    let tokens = process(&server, &redis);
    let call = tokio::spawn(async move { get(&tokens).await });
    requests(&server, 2).await;
    redis.run::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    call.await.unwrap();
    assert!(redis.keys().iter().all(|key| !key.ends_with(":lock")), "{:?}", redis.keys());
}

/// silenceper/wechat: a read error of the store was counted as a miss. Here each process that cannot read asks the
/// server once, and keeps what it has.
#[tokio::test]
async fn without_redis_a_process_asks_the_server_once_per_lifetime() {
    let Some(mut redis) = Redis::start(&[]) else { return };
    redis.kill();
    let server = MockGenAuth::start().await.unwrap();
    let tokens = process(&server, &redis);
    for _ in 0..100 {
        get(&tokens).await;
    }
    assert_eq!((server.requests().len(), tokens.stats().hits), (1, 99));
}

#[tokio::test]
async fn a_record_of_another_format_is_a_miss_and_is_replaced() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let token = get(&process(&server, &redis)).await;
    let key = redis.keys().pop().unwrap();
    let whole = record(&redis);
    let mut garbage: Vec<Value> = [json!("\u{0}\u{1}"), json!(7), json!([]), json!({}), Value::Null].to_vec();
    for field in ["token", "expires_at", "generation", "lifetime_ms"] {
        let mut less = whole.clone();
        less.as_object_mut().unwrap().remove(field);
        garbage.push(less);
        let mut other = whole.clone();
        other[field] = json!({ "not": "it" });
        garbage.push(other);
    }
    // Numbers that Lua and this crate read differently, or that lead out of range.
    for (field, number) in [
        ("generation", json!(1.5)),
        ("generation", json!(u64::MAX)),
        ("lifetime_ms", json!(-1)),
        ("expires_at", json!(9e18)),
        ("expires_at", json!(i64::MAX)),
    ] {
        let mut other = whole.clone();
        other[field] = number;
        garbage.push(other);
    }
    let mut texts: Vec<String> = garbage.iter().map(Value::to_string).collect();
    texts.extend(["", "{", "not json", r#"{"expires_at":1e999}"#].map(str::to_owned));
    // A record without an expiry was written by something else.
    let without_end = (whole.to_string(), None);
    for (text, end) in texts.into_iter().map(|text| (text, Some(["PX", "60000"]))).chain([without_end]) {
        let set = ["SET", &key, &text];
        redis.run::<String>(&[&set[..], end.as_ref().map_or(&[], |end| end)].concat());
        let before = server.requests().len();
        assert_eq!(get(&process(&server, &redis)).await, token, "{text}");
        assert_eq!(server.requests().len(), before + 1, "{text}");
        assert_eq!(record(&redis)["token"], json!(token), "{text}");
    }
    redis.run::<i64>(&["DEL", &key]);
    redis.run::<i64>(&["RPUSH", &key, "a list"]);
    assert_eq!(get(&process(&server, &redis)).await, token);
    assert_eq!(record(&redis)["token"], json!(token));
}

#[tokio::test]
async fn records_have_the_prefix_that_is_set_and_are_apart_for_apps_secrets_hosts_and_operations() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::builder().wechat_app("other", "secret").start().await.unwrap();
    let other_host = MockGenAuth::start().await.unwrap();
    let store = RedisStore::open(&redis.url()).unwrap().key_prefix("shop");
    let cache = |client: Client, operation: &str| {
        TokenCache::builder(client).redis(store.clone()).operation(operation).build().unwrap()
    };
    let (info, older) = ("getWechatMpAccessTokenInfo", "getWechatAccessToken");
    let client = server.client_builder().build().unwrap();
    let other = GetWechatAccessTokenDto { app_id: "other".to_owned(), app_secret: "secret".into() };
    let by_key = Client::builder(server.url()).access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
    cache(client.clone(), info).get(&app(&server)).await.unwrap();
    cache(client.clone(), info).get(&other).await.unwrap();
    cache(client.clone(), older).get(&app(&server)).await.unwrap();
    cache(by_key.clone().build().unwrap(), info).get(&app(&server)).await.unwrap();
    cache(by_key.tenant_id("tenant").build().unwrap(), info).get(&app(&server)).await.unwrap();
    cache(other_host.client_builder().build().unwrap(), info).get(&app(&other_host)).await.unwrap();
    // Asking for the same token again adds no record.
    cache(client.clone(), info).get(&app(&server)).await.unwrap();
    let keys = redis.keys();
    assert!(keys.iter().all(|key| key.starts_with("shop:{")), "{keys:?}");
    assert_eq!((keys.len(), server.requests().len(), other_host.requests().len()), (6, 5, 1), "{keys:?}");

    let rotated = GetWechatAccessTokenDto { app_secret: "rotated".into(), ..other };
    cache(client, info).get(&rotated).await.unwrap_err();
    assert_eq!((redis.keys().len(), server.requests().len()), (6, 6));
}

#[tokio::test]
async fn a_process_without_a_token_does_not_take_the_one_that_the_fleet_knows_is_rejected() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let tokens = process(&server, &redis);
    let rejected = tokens.get().await.unwrap();
    tokens.invalidate(&rejected);
    // The server has not noticed yet, and sends the same token to all.
    assert_eq!(tokens.get().await.unwrap_err().kind(), ErrorKind::UnusableToken);
    let cold = process(&server, &redis);
    assert_eq!(cold.get().await.unwrap_err().kind(), ErrorKind::UnusableToken);
    server.rotate(server.wechat_app_id());
    assert_ne!(get(&process(&server, &redis)).await, rejected.expose_secret());
}

#[tokio::test]
async fn a_server_that_reckons_the_expiry_a_second_earlier_each_time_is_not_asked_again_and_again() {
    let Some(redis) = Redis::start(&[]) else { return };
    let seconds = Arc::new(AtomicU64::new(unix_now()));
    let read = Arc::clone(&seconds);
    let now = move || SystemTime::UNIX_EPOCH + Duration::from_secs(read.load(Ordering::SeqCst));
    let server = MockGenAuth::builder().clock(now.clone()).start().await.unwrap();
    let tokens = process_of(&server, &redis, |client| client.clock(now.clone()));
    let first = tokens.get().await.unwrap();
    seconds.fetch_add(7200 - 170, Ordering::SeqCst);
    let data = json!({ "accessToken": first.expose_secret(), "expiresAt": first.expires_at().as_secs() - 1 });
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": data })).times(100));
    for _ in 0..20 {
        get(&tokens).await;
        while tokens.stats().refreshing {
            tokio::task::yield_now().await;
        }
        seconds.fetch_add(1, Ordering::SeqCst);
    }
    assert!(server.requests().len() <= 3, "{}", server.requests().len());
}

#[tokio::test]
async fn a_record_that_is_about_to_end_is_better_than_an_error() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let token = get(&process(&server, &redis)).await;
    let key = redis.keys().pop().unwrap();
    redis.run::<i64>(&["PEXPIRE", &key, "20000"]);
    server.answer_next(MockAnswer::http(503, "text/html", "busy").times(2));
    let cold = || process_of(&server, &redis, |client| client.retries(0));
    assert_eq!(get(&cold()).await, token);
    redis.run::<i64>(&["DEL", &key]);
    cold().get().await.unwrap_err();
}

#[tokio::test]
async fn the_lock_is_a_short_lease_however_long_a_call_may_take() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    for (number, timeout) in [Duration::from_secs(5), Duration::MAX].into_iter().enumerate() {
        redis.run::<()>(&["FLUSHALL"]);
        server.answer_next(MockAnswer::proceed().delay(Duration::from_millis(300)));
        let tokens = process_of(&server, &redis, |client| client.timeout(timeout));
        let call = tokio::spawn(async move { get(&tokens).await });
        requests(&server, number + 1).await;
        let lock = redis.keys().pop().unwrap();
        let lease: i64 = redis.run(&["PTTL", &lock]);
        assert!((1..=3000).contains(&lease), "{lock} {lease}");
        call.await.unwrap();
        assert!(redis.keys().iter().all(|key| !key.ends_with(":lock")));
    }
}

#[test]
fn a_store_is_opened_without_a_runtime_and_a_url_that_is_none_is_not_shown() {
    assert!(RedisStore::open("redis://127.0.0.1/").is_ok());
    let error = RedisStore::open("canary://:canary@canary").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
}

fn unix_now() -> u64 {
    #[allow(clippy::disallowed_methods, reason = "the mock of this test runs on the system's clock")]
    let now = SystemTime::now();
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}
