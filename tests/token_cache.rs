//! The token cache, its client and the mock server together.

use genauth::mock::{MockAnswer, MockGenAuth, MockGenAuthBuilder};
use genauth::types::GetWechatAccessTokenDto;
use genauth::wechat::{TokenCache, TokenUse};
use genauth::{AccessKeyUse, Client, Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

/// A clock that tests move, for server and client alike.
#[derive(Clone)]
struct Hands(Arc<AtomicU64>);

impl Hands {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_800_000_000)))
    }

    fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn read(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let hands = Arc::clone(&self.0);
        move || SystemTime::UNIX_EPOCH + Duration::from_secs(hands.load(Ordering::SeqCst))
    }

    async fn start(&self, mock: MockGenAuthBuilder) -> (MockGenAuth, Client) {
        let server = mock.clock(self.read()).start().await.unwrap();
        let client = server.client_builder().clock(self.read()).build().unwrap();
        (server, client)
    }
}

fn app(server: &MockGenAuth) -> GetWechatAccessTokenDto {
    GetWechatAccessTokenDto { app_id: server.wechat_app_id().to_owned(), app_secret: server.wechat_app_secret().into() }
}

fn paths(server: &MockGenAuth) -> Vec<String> {
    server.take_requests().into_iter().map(|request| request.path).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_callers_on_a_cold_cache_cause_exactly_one_request() {
    let server = MockGenAuth::start().await.unwrap();
    let tokens = TokenCache::new(server.client_builder().build().unwrap());
    let app = Arc::new(app(&server));
    let callers = (0..10_000).map(|_| {
        let (tokens, app) = (tokens.clone(), Arc::clone(&app));
        tokio::spawn(async move { tokens.get(&app).await.map(|token| token.expose_secret().to_owned()) })
    });
    let mut got = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        got.push(caller.await.unwrap().unwrap());
    }
    got.dedup();
    assert_eq!((got.len(), server.requests().len()), (1, 1));
}

/// Authing's Go SDK: the management client had a mutex that was local to the call, so it excluded nobody.
#[test]
fn handles_clones_threads_and_runtimes_share_one_refresh() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let main = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = main.block_on(MockGenAuth::start()).unwrap();
    let tokens = TokenCache::new(server.client_builder().build().unwrap());
    let app = app(&server);
    server.answer_next(MockAnswer::proceed().delay(Duration::from_millis(200)));
    let barrier = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (tokens, app, barrier) = (tokens.clone(), &app, &barrier);
            scope.spawn(move || {
                runtime().block_on(async {
                    barrier.wait();
                    let token = if number % 2 == 0 { tokens.get(app).await } else { tokens.app(app).get().await };
                    token.unwrap();
                    // The runtime stays until the request is answered, since it may be the one that carries it.
                    barrier.wait();
                });
            });
        }
    });
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn any_operation_that_answers_a_token_can_be_asked_and_the_default_follows_the_credentials() {
    let server = MockGenAuth::start().await.unwrap();
    let app = app(&server);
    let by_app = server.client_builder().build().unwrap();
    let by_key = Client::builder(server.url()).access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
    let by_token = by_key.clone().access_key_use(AccessKeyUse::ManagementToken).build().unwrap();
    let by_key = by_key.build().unwrap();
    TokenCache::new(by_app.clone()).get(&app).await.unwrap();
    TokenCache::new(by_key).get(&app).await.unwrap();
    TokenCache::new(by_token).get(&app).await.unwrap();
    let expected = [
        "/api/v3/get-wechat-access-token-info",
        "/api/v3/get-weixin-access-token",
        "/api/v3/get-management-token",
        "/api/v3/get-weixin-access-token",
    ];
    assert_eq!(paths(&server), expected);

    for (operation, path) in [
        ("getWechatMpAccessToken", "/api/v3/get-wechat-mp-access-token"),
        ("getWechatAccessToken", "/api/v3/get-wechat-access-token"),
        ("getWechatMpAccessTokenInfo", "/api/v3/get-wechat-access-token-info"),
    ] {
        let tokens = TokenCache::builder(by_app.clone()).operation(operation).build().unwrap();
        tokens.get(&app).await.unwrap();
        assert_eq!(paths(&server), [path]);
    }
    let error = TokenCache::builder(by_app).operation("getProfile").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let expected = "the client's configuration: `getProfile` does not return a WeChat access token; use one of \
                    getWechatMpAccessTokenInfo, getWechatAccessToken, getWechatMpAccessToken, getWeixinAccessToken";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_wrong_clock_of_the_client_is_found_out_by_the_date_of_the_answer() {
    for (server_ahead, client_ahead) in [(86_400, 0), (0, 86_400)] {
        let (server_hands, client_hands) = (Hands::new(), Hands::new());
        let pass = |seconds| [&server_hands, &client_hands].map(|hands| hands.pass(seconds));
        server_hands.pass(server_ahead);
        client_hands.pass(client_ahead);
        let server = MockGenAuth::builder().clock(server_hands.read()).start().await.unwrap();
        let client = server.client_builder().clock(client_hands.read()).build().unwrap();
        let tokens = TokenCache::new(client).app(&app(&server));
        let first = tokens.get().await.unwrap();
        let left = tokens.stats().remaining.unwrap().as_secs();
        assert!((7198..=7200).contains(&left), "{left}");
        pass(7000 - 400);
        assert_eq!((tokens.get().await.unwrap().expose_secret(), server.requests().len()), (first.expose_secret(), 1));
        pass(600);
        let second = tokens.get().await.unwrap();
        assert!(second.expose_secret() != first.expose_secret() && server.token_is_alive(second.expose_secret()));
    }
}

/// azure-sdk-for-rust #1225: the key of the cache lacked a part, so that a token went to the wrong resource.
#[tokio::test]
async fn two_apps_and_a_rotated_secret_share_no_token() {
    let server = MockGenAuth::builder().wechat_app("other", "other's secret").start().await.unwrap();
    let tokens = TokenCache::new(server.client_builder().build().unwrap());
    let first = app(&server);
    let other = GetWechatAccessTokenDto { app_id: "other".to_owned(), app_secret: "other's secret".into() };
    let wrong = GetWechatAccessTokenDto { app_secret: "wrong".into(), ..first.clone() };
    let (one, two) = (tokens.get(&first).await.unwrap(), tokens.get(&other).await.unwrap());
    assert_ne!(one.expose_secret(), two.expose_secret());
    let error = tokens.get(&wrong).await.unwrap_err();
    assert_eq!(error.status_code(), Some(602));
    tokens.get(&first).await.unwrap();
    assert_eq!(server.requests().len(), 3);
    let mut stats: Vec<_> = tokens.stats().into_iter().map(|(id, stats)| (id, stats.refreshes, stats.errors)).collect();
    stats.sort();
    let id = server.wechat_app_id();
    assert_eq!(stats, [("other".to_owned(), 1, 0), (id.to_owned(), 0, 1), (id.to_owned(), 1, 0)]);
}

#[tokio::test]
async fn apps_that_nobody_needs_any_more_are_forgotten() {
    let server = MockGenAuth::start().await.unwrap();
    let tokens = TokenCache::new(server.client_builder().build().unwrap());
    let app = app(&server);
    tokens.get(&app).await.unwrap();
    let handle = tokens.app(&GetWechatAccessTokenDto { app_id: "held".to_owned(), app_secret: "x".into() });
    for number in 0..1000 {
        let rotated = GetWechatAccessTokenDto { app_id: format!("wx{number}"), app_secret: "x".into() };
        let _: genauth::wechat::AppTokens = tokens.app(&rotated);
    }
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::task::yield_now().await;
    assert_eq!(tokens.stats().len(), 2);
    let kept = |id: &str| tokens.stats().iter().any(|(known, _)| known == id);
    assert!(kept("held") && kept(&app.app_id), "{handle:?}");
}

#[tokio::test]
async fn with_token_gets_a_newer_token_when_wechat_rejects_the_first() {
    let hands = Hands::new();
    let (server, client) = hands.start(MockGenAuth::builder()).await;
    let tokens = TokenCache::new(client).app(&app(&server));
    let wechat = async |token: &str| if server.token_is_alive(token) { 0 } else { 40001 };
    let call = || {
        tokens.with_token(async |token| {
            let errcode = wechat(token.expose_secret()).await;
            Ok::<_, Error>(TokenUse::by_errcode(errcode, (errcode, token.expose_secret().to_owned())))
        })
    };
    let (_, first) = call().await.unwrap();
    // Another system refreshes the token, and the old one dies after WeChat's grace.
    server.rotate(server.wechat_app_id());
    hands.pass(299);
    assert_eq!(call().await.unwrap(), (0, first.clone()));
    hands.pass(1);
    let (errcode, second) = call().await.unwrap();
    assert!(errcode == 0 && second != first);
    assert_eq!((server.requests().len(), tokens.stats().invalidations), (2, 1));
}

#[tokio::test]
async fn with_token_answers_what_wechat_says_when_it_rejects_the_second_as_well_and_passes_errors_on() {
    let hands = Hands::new();
    let (server, client) = hands.start(MockGenAuth::builder()).await;
    let tokens = TokenCache::new(client).app(&app(&server));
    tokens.get().await.unwrap();
    let calls = AtomicUsize::new(0);
    let answer = tokens.with_token(async |_| {
        hands.pass(1);
        server.rotate(server.wechat_app_id());
        Ok::<_, Error>(TokenUse::Rejected(calls.fetch_add(1, Ordering::SeqCst)))
    });
    assert_eq!(answer.await.unwrap(), 1);
    assert_eq!((server.requests().len(), tokens.stats().invalidations), (2, 2));

    let broken = tokens.with_token(async |_| Err::<TokenUse<()>, _>(Box::<dyn std::error::Error>::from("no route")));
    assert_eq!(broken.await.unwrap_err().to_string(), "no route");
}

#[tokio::test]
async fn a_server_that_hands_out_the_rejected_token_again_is_an_error_of_with_token() {
    let hands = Hands::new();
    let (server, client) = hands.start(MockGenAuth::builder()).await;
    let tokens = TokenCache::new(client).app(&app(&server));
    let answer = tokens.with_token(async |_| {
        hands.pass(1);
        Ok::<_, Error>(TokenUse::Rejected(()))
    });
    assert_eq!(answer.await.unwrap_err().kind(), ErrorKind::UnusableToken);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn wechats_codes_for_a_token_that_is_no_longer_good_are_known() {
    for code in [40001, 40014, 42001] {
        assert_eq!(TokenUse::by_errcode(code, "answer"), TokenUse::Rejected("answer"));
    }
    for code in [0, -1, 40013, 45009] {
        assert_eq!(TokenUse::by_errcode(code, "answer"), TokenUse::Accepted("answer"));
    }
}

/// A week of WeChat's two-hour tokens, in a server that fails one time in ten: no caller ever gets a dead token.
#[tokio::test]
async fn in_a_week_with_faults_no_caller_is_handed_a_dead_token() {
    let hands = Hands::new();
    let mock = MockGenAuth::builder().token_margin(Duration::from_secs(300));
    let (server, client) = hands.start(mock).await;
    let processes: Vec<_> = (0..4).map(|_| TokenCache::new(client.clone()).app(&app(&server))).collect();
    let (mut calls, mut errors, mut answered, mut random) = (0, 0, [0; 4], 1_u64);
    for _ in 0..(7 * 24 * 3600 / 30) {
        hands.pass(30);
        for (tokens, answered) in processes.iter().zip(&mut answered) {
            let stats = tokens.stats();
            if *answered != stats.refreshes + stats.failures {
                *answered = stats.refreshes + stats.failures;
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if random % 100 / 10 == 0 {
                    server.answer_next(MockAnswer::http(500, "text/html", "broken"));
                }
            }
            calls += 1;
            match tokens.get().await {
                Ok(token) => assert!(server.token_is_alive(token.expose_secret()), "dead at call {calls}"),
                Err(_) => errors += 1,
            }
        }
        // Refreshes in the background end before time goes on.
        while processes.iter().any(|tokens| tokens.stats().refreshing) {
            tokio::task::yield_now().await;
        }
    }
    let stats: Vec<_> = processes.iter().map(|tokens| tokens.stats()).collect();
    let failures: u64 = stats.iter().map(|stats| stats.failures).sum();
    assert!(failures > 10, "{failures} failures");
    let requests: u64 = stats.iter().map(|stats| stats.refreshes + stats.failures).sum();
    assert!(errors * 1000 < calls, "{errors} errors in {calls} calls");
    assert!(requests < 4 * 84 * 2, "{requests} requests for 4 processes and 84 lifetimes: {stats:?}");
}
