//! What goes wrong with Redis, or with the process that holds its lock.

use super::*;
use crate::common::Log;
use std::sync::Mutex;
use std::time::Instant;

fn store_as(redis: &Redis, user: &str) -> RedisStore {
    let url = redis.url().replace("redis://", &format!("redis://{user}@"));
    RedisStore::open(&url).unwrap().timeout(Duration::from_secs(10))
}

fn tokens_of(server: &MockGenAuth, store: RedisStore) -> AppTokens {
    let client = server.client_builder().timeout(Duration::from_secs(10)).build().unwrap();
    TokenCache::builder(client).redis(store).pause(Duration::ZERO).build().unwrap().app(&app(server))
}

async fn timed<T>(what: impl Future<Output = T>) -> (T, Duration) {
    #[allow(clippy::disallowed_methods, reason = "it is about real time that passes")]
    let start = Instant::now();
    (what.await, start.elapsed())
}

/// Each of these used to cost two seconds, and was logged as a Redis that does not answer.
#[tokio::test]
async fn a_redis_that_refuses_costs_no_time_and_is_named() {
    let (log, _guard) = Log::start(tracing::Level::WARN);
    let Some(mut redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    redis.run::<()>(&["ACL", "SETUSER", "app", "on", ">right", "~*", "+@all"]);
    let wrong = tokens_of(&server, store_as(&redis, "app:wrong"));
    let (_, wrong) = timed(get(&wrong)).await;
    redis.run::<()>(&["CONFIG", "SET", "requirepass", "right"]);
    let (_, missing) = timed(get(&process(&server, &redis))).await;
    redis.kill();
    let (_, refused) = timed(get(&process(&server, &redis))).await;
    // This takes milliseconds on an idle machine; the limit only rules out a pause.
    assert!(wrong.max(missing).max(refused) < Duration::from_secs(1), "{wrong:?} {missing:?} {refused:?}");
    let lines = log.lines();
    let said = ["the user or the password is wrong", "the user or the password is wrong", "the connection is refused"];
    assert!(lines.len() == 3 && lines.iter().zip(said).all(|(line, said)| line.contains(said)), "{lines:#?}");
}

#[tokio::test]
async fn the_rights_that_the_documentation_names_are_enough_and_a_missing_one_is_named() {
    let (log, _guard) = Log::start(tracing::Level::WARN);
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let rights = ["+eval", "+get", "+set", "+del", "+pttl"];
    let user = |rights: &[&str], keys: &str| {
        redis.run::<()>(&["FLUSHALL"]);
        let user = ["ACL", "SETUSER", "app", "reset", "on", ">right", keys];
        redis.run::<()>(&[&user, rights].concat());
        let store = store_as(&redis, "app:right");
        (tokens_of(&server, store.clone()), tokens_of(&server, store))
    };
    let (one, other) = user(&rights, "~genauth:wechat:*");
    let rejected = one.get().await.unwrap();
    get(&other).await;
    server.rotate(server.wechat_app_id());
    one.invalidate(&rejected);
    get(&one).await;
    other.invalidate(&rejected);
    get(&other).await;
    assert_eq!((server.requests().len(), other.stats().shared), (2, 2));
    assert_eq!(log.lines(), [""; 0]);
    for missing in ["+eval", "+get", "+set", "+pttl"] {
        let less: Vec<_> = rights.into_iter().filter(|right| *right != missing).collect();
        let (one, other) = user(&less, "~genauth:wechat:*");
        // It may be the second process that needs the right.
        let spent = timed(async { (get(&one).await, get(&other).await) }).await.1;
        let line = log.lines().pop().unwrap_or_default();
        let named = format!(
            "its user may not run {}; it needs ~genauth:wechat:* +eval +get +set +del +pttl",
            missing.trim_start_matches('+')
        );
        assert!(line.contains(&named) && spent < Duration::from_secs(2), "{missing} {spent:?}: {:#?}", log.lines());
    }
    let (one, _) = user(&rights, "~other:*");
    get(&one).await;
    let line = log.lines().pop().unwrap();
    assert!(line.contains("its user may not touch the keys; it needs ~genauth:wechat:*"), "{line}");
}

/// The lock used to stay, no record was written, and the next cold start waited 11 s.
#[tokio::test]
async fn without_the_right_to_delete_the_record_is_written_and_nobody_waits_for_a_lock() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let user = ["ACL", "SETUSER", "app", "on", ">right", "~genauth:wechat:*", "+eval", "+get", "+set", "+pttl"];
    redis.run::<()>(&user);
    let cold = || tokens_of(&server, store_as(&redis, "app:right").lease(Duration::from_secs(60)));
    let first = get(&cold()).await;
    assert_eq!(record(&redis)["token"], json!(first));
    let (second, spent) = timed(async {
        server.answer_next(MockAnswer::http(503, "text/html", "busy"));
        redis.run::<()>(&["FLUSHALL"]);
        cold().get().await.unwrap_err();
        get(&cold()).await
    })
    .await;
    assert!(second == first && spent < Duration::from_secs(2), "{spent:?}");
}

/// Connects to whatever `target` names at the time, as a name server or a load balancer does in a failover.
async fn switch(target: Arc<Mutex<String>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let address = target.lock().unwrap().replace("redis://", "").replace('/', "");
            tokio::spawn(async move {
                let mut to = tokio::net::TcpStream::connect(address).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    url
}

#[tokio::test]
async fn after_a_failover_the_store_leaves_the_demoted_primary() {
    let (Some(old), Some(new)) = (Redis::start(&[]), Redis::start(&[])) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let target = Arc::new(Mutex::new(old.url()));
    let store = RedisStore::open(&switch(Arc::clone(&target)).await).unwrap().timeout(Duration::from_secs(10));
    let tokens = tokens_of(&server, store);
    let rejected = tokens.get().await.unwrap();
    let port = new.url().rsplit(':').next().unwrap().replace('/', "");
    *target.lock().unwrap() = new.url();
    // The old primary is read-only from now on, but still reachable on the open connection.
    old.run::<()>(&["REPLICAOF", "127.0.0.1", &port]);
    server.rotate(server.wechat_app_id());
    tokens.invalidate(&rejected);
    let token = get(&tokens).await;
    assert_eq!(record(&new)["token"], json!(token));
    assert_eq!(get(&process(&server, &new)).await, token);
}

#[tokio::test]
async fn a_connection_that_was_closed_or_forgotten_meanwhile_costs_nothing() {
    let (log, _guard) = Log::start(tracing::Level::WARN);
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let tokens = process(&server, &redis);
    let other = process(&server, &redis);
    let connections = || {
        let stats = redis.run::<String>(&["INFO", "stats"]);
        let line = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:").map(str::to_owned));
        line.unwrap().trim().parse::<u32>().unwrap()
    };
    let rejected = tokens.get().await.unwrap();
    other.get().await.unwrap();
    redis.run::<i64>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    server.rotate(server.wechat_app_id());
    tokens.invalidate(&rejected);
    get(&tokens).await;
    other.invalidate(&rejected);
    get(&other).await;
    assert_eq!((server.requests().len(), other.stats().shared), (2, 2), "{:#?}", log.lines());
    // After a minute without a command, a network may have dropped the connection without notice.
    let rejected = tokens.get().await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    let before = connections();
    tokens.invalidate(&rejected);
    server.rotate(server.wechat_app_id());
    get(&tokens).await;
    // The store has opened one new connection, and the second look at the statistics another.
    assert_eq!(connections() - before, 2);
    assert_eq!(log.lines(), [""; 0]);
}

#[tokio::test]
async fn a_record_without_a_token_or_with_a_life_that_none_has_is_a_miss_and_is_replaced() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let token = get(&process(&server, &redis)).await;
    let key = redis.keys().pop().unwrap();
    let whole = record(&redis);
    let month = 30 * 86_400 * 1000_i64;
    for (field, value, life) in [
        ("token", json!(""), 7_000_000),
        ("token", json!(" \n"), 7_000_000),
        ("lifetime_ms", json!(month), 7_000_000),
        ("lifetime_ms", json!(month), month),
        ("generation", json!(9), month),
        ("generation", json!(9), 7_200_001),
        ("expires_at", json!(1), 7_000_000),
        ("expires_at", json!(1_800_000_000_000_i64), 7_000_000),
        ("lifetime_ms", json!(1), 7_000_000),
        ("lifetime_ms", json!(0), 7_000_000),
    ] {
        let mut other = whole.clone();
        other["token"] = json!("not this one");
        other[field] = value;
        redis.run::<()>(&["SET", &key, &other.to_string(), "PX", &life.to_string()]);
        assert_eq!(get(&process(&server, &redis)).await, token, "{other}");
        assert_eq!(record(&redis)["token"], json!(token), "{other}");
        assert!(redis.run::<i64>(&["PTTL", &key]) <= 7_200_000);
    }
}

#[tokio::test]
async fn a_record_has_the_age_that_it_has() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let token = get(&process(&server, &redis)).await;
    redis.run::<i64>(&["PEXPIRE", &redis.keys()[0], "5000000"]);
    let tokens = process(&server, &redis);
    assert_eq!(get(&tokens).await, token);
    let age = tokens.stats().age.unwrap().as_secs();
    assert!((2190..=2205).contains(&age), "{age}");
}

#[tokio::test]
async fn a_holder_that_is_slow_keeps_the_lock_and_one_that_died_delays_nobody_longer_than_its_lease() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let with_lease = || {
        let store = RedisStore::open(&redis.url()).unwrap().timeout(Duration::from_secs(10));
        tokens_of(&server, store.lease(Duration::from_millis(300)))
    };
    server.answer_next(MockAnswer::proceed().delay(Duration::from_millis(1500)));
    let (slow, waiting) = (with_lease(), with_lease());
    let slow = tokio::spawn(async move { get(&slow).await });
    requests(&server, 1).await;
    assert_eq!(get(&waiting).await, slow.await.unwrap());
    assert_eq!((server.requests().len(), waiting.stats().shared), (1, 1));
    // The holder of this lock is dead, so nobody renews it.
    let key = redis.keys().pop().unwrap();
    redis.run::<i64>(&["DEL", &key]);
    redis.run::<String>(&["SET", &format!("{key}:lock"), "dead", "PX", "300"]);
    let (_, spent) = timed(get(&with_lease())).await;
    assert!(spent < Duration::from_secs(2), "{spent:?}");
}

/// A deployment that replaced processes used to leave locks, and the new processes waited for them.
#[tokio::test]
async fn a_cache_that_ends_in_order_leaves_no_lock() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let store = RedisStore::open(&redis.url()).unwrap().lease(Duration::from_secs(600));
    let cache = || {
        server.answer_next(MockAnswer::proceed().delay(Duration::from_secs(60)));
        TokenCache::builder(server.client_builder().build().unwrap()).redis(store.clone()).build().unwrap()
    };
    for round in [1, 2] {
        let tokens = cache();
        let call = tokio::spawn({
            let tokens = tokens.app(&app(&server));
            async move { tokens.get().await.map(drop) }
        });
        requests(&server, round).await;
        assert_eq!(redis.keys().len(), 1);
        if round == 1 {
            tokens.close().await;
            let error = call.await.unwrap().unwrap_err();
            assert_eq!(error.to_string(), "the WeChat access token: the cache was closed; make another");
            assert!(tokens.get(&app(&server)).await.is_err());
            let other = GetWechatAccessTokenDto { app_id: "wx1".to_owned(), app_secret: "secret".into() };
            assert!(tokens.get(&other).await.is_err());
            assert_eq!((redis.keys(), server.requests().len()), (Vec::new(), 1));
        } else {
            call.abort();
            drop(tokens);
            let released = async {
                while !redis.keys().is_empty() {
                    tokio::task::yield_now().await;
                }
            };
            within(Duration::from_secs(10), released).await;
        }
    }
    // A cache that is closed still hands out the token that it holds.
    let server = MockGenAuth::start().await.unwrap();
    let tokens = TokenCache::new(server.client_builder().build().unwrap());
    let token = tokens.get(&app(&server)).await.unwrap();
    tokens.close().await;
    assert_eq!(tokens.get(&app(&server)).await.unwrap().expose_secret(), token.expose_secret());
}

/// A caller used to wait for sixteen seconds where ten were allowed, and nothing was logged.
#[tokio::test]
async fn whoever_holds_the_lock_a_caller_waits_as_long_as_it_allows() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    get(&process(&server, &redis)).await;
    let key = redis.keys().pop().unwrap();
    redis.run::<i64>(&["DEL", &key]);
    redis.run::<String>(&["SET", &format!("{key}:lock"), "another", "PX", "3600000"]);
    let cache = |wait: Option<Duration>| {
        let client = server.client_builder().timeout(Duration::from_secs(1)).build().unwrap();
        let builder = TokenCache::builder(client).redis(RedisStore::open(&redis.url()).unwrap());
        let builder = match wait {
            Some(wait) => builder.longest_wait(wait),
            None => builder,
        };
        builder.build().unwrap().app(&app(&server))
    };
    // By default a caller waits two seconds longer than a call takes; the refresh asks the server a little later.
    let tokens = cache(None);
    let (error, spent) = timed(tokens.get()).await;
    let least = Duration::from_millis(2900);
    assert!(error.unwrap_err().is_timeout() && (least..least * 2).contains(&spent), "{spent:?}");
    get(&tokens).await;
    redis.run::<i64>(&["DEL", &key]);
    server.answer_next(MockAnswer::proceed().delay(Duration::from_millis(700)));
    let tokens = cache(Some(Duration::from_millis(400)));
    let (error, spent) = timed(tokens.get()).await;
    let error = error.unwrap_err();
    assert!(error.is_timeout() && spent < Duration::from_millis(1000), "{spent:?} {error}");
    assert!(error.to_string().contains("there is no token after 400ms, and the refresh goes on"), "{error}");
    while tokens.stats().refreshing {
        tokio::task::yield_now().await;
    }
    get(&tokens).await;
}

/// Five of six processes used to give up, after each had asked for itself, while the sixth had the lock.
#[tokio::test]
async fn a_fleet_waits_together_for_a_server_that_is_slow() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    server.answer_next(MockAnswer::proceed().delay(Duration::from_millis(1500)).times(6));
    let fleet = (0..6).map(|number| {
        let client = server.client_builder().timeout(Duration::from_secs(2)).build().unwrap();
        let store = RedisStore::open(&redis.url()).unwrap().timeout(Duration::from_secs(10));
        let builder = TokenCache::builder(client).redis(store);
        // A process that waits for less time than the others does not fetch for itself.
        let builder = if number == 5 { builder.longest_wait(Duration::from_millis(500)) } else { builder };
        builder.build().unwrap().app(&app(&server))
    });
    let fleet: Vec<_> = fleet.collect();
    let calls = fleet
        .iter()
        .cloned()
        .map(|tokens| tokio::spawn(async move { tokens.get().await.map(|token| token.expose_secret().to_owned()) }));
    let mut got = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        got.push(call.await.unwrap());
    }
    assert!(got.pop().unwrap().unwrap_err().is_timeout());
    assert!(got.iter().all(|token| token.as_ref().ok() == got[0].as_ref().ok() && token.is_ok()), "{got:?}");
    assert_eq!(server.requests().len(), 1);
}

/// Each process used to fetch for itself, because the new token ended before the old one would have.
#[tokio::test]
async fn what_follows_a_rejected_token_is_shared_though_it_ends_sooner() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = MockGenAuth::start().await.unwrap();
    let fleet: Vec<_> = (0..4).map(|_| process(&server, &redis)).collect();
    let mut held = Vec::new();
    for tokens in &fleet {
        held.push(tokens.get().await.unwrap());
    }
    let data = json!({ "accessToken": "sooner", "expiresAt": unix_now() + 1000 });
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": data })).times(4));
    for (tokens, rejected) in fleet.iter().zip(&held) {
        tokens.invalidate(rejected);
        assert_eq!(get(tokens).await, "sooner");
    }
    assert_eq!(server.requests().len(), 2);
}

/// Closing used to take a minute for three apps whose tasks were on a runtime that nobody drove.
#[test]
fn to_close_takes_no_longer_than_it_says() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (idle, busy) = (runtime(), runtime());
    let server = busy.block_on(MockGenAuth::start()).unwrap();
    let tokens = TokenCache::new(server.client_builder().build().unwrap());
    idle.block_on(async {
        for number in 0..3 {
            let app = GetWechatAccessTokenDto { app_id: format!("wx{number}"), app_secret: "secret".into() };
            let _ = tokio::time::timeout(Duration::from_millis(5), tokens.get(&app)).await;
        }
    });
    let (_, spent) = busy.block_on(timed(tokens.close()));
    assert!(spent < Duration::from_secs(3), "{spent:?}");
}
