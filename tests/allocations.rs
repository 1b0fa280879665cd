//! How often something allocates, and how much it keeps. `benches/allocations.rs` measures what a call allocates.

#[path = "../benches/lib.rs"]
#[allow(dead_code, reason = "benchmarks need more of it")]
mod common;

use futures_util::FutureExt as _;
use genauth::Error;
use genauth::mock::MockGenAuth;
use genauth::types::GetWechatAccessTokenDto;
use genauth::wechat::TokenCache;
use std::time::Duration;

#[tokio::test]
async fn a_fresh_token_from_the_cache_costs_no_allocation() {
    let server = MockGenAuth::start().await.unwrap();
    let app_secret = server.wechat_app_secret().into();
    let app = GetWechatAccessTokenDto { app_id: server.wechat_app_id().to_owned(), app_secret };
    let cache = TokenCache::new(server.client_builder().build().unwrap());
    let tokens = cache.app(&app);
    // The first call on a thread sets up what the thread keeps.
    let held = tokens.get().await.unwrap();
    drop(tokens.get().await.unwrap());
    let counted = allocation_counter::measure(|| {
        for _ in 0..100 {
            tokens.get().now_or_never().unwrap().unwrap();
            cache.get(&app).now_or_never().unwrap().unwrap();
        }
    });
    assert_eq!((counted.count_total, held.expose_secret().is_empty()), (0, false));
}

/// A slice of the connection's buffer would keep the whole buffer alive: errors used to take a hundred times the memory
/// of what they say.
#[test]
fn an_error_that_is_kept_keeps_the_answer_and_not_the_connections_buffer() {
    const ERRORS: usize = 500;
    let (server, runtime) = (common::Server::start(Duration::ZERO), common::runtime());
    let client = common::Sides::of(&server.url).client;
    // The payload is not a number, so the call fails.
    let call = || client.call::<_, u8>(http::Method::POST, "/api/v3/x", &()).into_future();
    let mut kept: Vec<Error> = Vec::with_capacity(ERRORS);
    let mut call = || kept.push(runtime.block_on(call()).map(drop).unwrap_err());
    call();
    let counted = allocation_counter::measure(|| (1..ERRORS).for_each(|_| call()));
    let each = counted.bytes_current / i64::try_from(ERRORS).unwrap();
    assert!(each < 2048 && kept.iter().all(|error| error.body().is_some()), "{each} bytes for each");
}

/// Each new app used to copy the map of all others: beside 6000 apps that took ten times the memory that it took beside
/// 600.
#[test]
fn a_new_app_costs_the_same_however_many_there_are() {
    let client = genauth::Client::builder("https://example.genauth.ai").app_id("an app").build().unwrap();
    let cache = TokenCache::new(client);
    let mut handles = Vec::with_capacity(12_600);
    let mut bytes = |apps: std::ops::Range<u32>| {
        let app = |number| GetWechatAccessTokenDto { app_id: format!("wx{number}"), app_secret: "secret".into() };
        let count = u64::from(apps.end - apps.start);
        allocation_counter::measure(|| handles.extend(apps.map(|number| cache.app(&app(number))))).bytes_total / count
    };
    let (few, many) = (bytes(0..600), bytes(600..12_600));
    assert!(many < few * 2, "{many} bytes for each, {few} at first");
}
