//! How often something allocates: not at all, or little more often than what one would write by hand.

#[path = "../benches/common/mod.rs"]
mod common;

use futures_util::FutureExt as _;
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
    // The first one on a thread sets up what the thread keeps.
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

#[test]
fn a_call_allocates_at_most_fifteen_times_more_than_one_on_bare_reqwest() {
    const CALLS: u64 = 20;
    let (server, runtime) = (common::Server::start(Duration::ZERO), common::runtime());
    let sides = common::Sides::of(&server.url);
    let allocations = |call: &dyn Fn()| {
        // The first one connects.
        call();
        allocation_counter::measure(|| (0..CALLS).for_each(|_| call())).count_total
    };
    let bare = allocations(&|| {
        runtime.block_on(sides.bare());
    });
    let ours = allocations(&|| {
        runtime.block_on(sides.ours());
    });
    assert!(bare > 0 && ours <= bare + CALLS * 15, "{ours}, and {bare} on bare reqwest");
}
