//! What allocates nothing.

use futures_util::FutureExt as _;
use genauth::mock::MockGenAuth;
use genauth::types::GetWechatAccessTokenDto;
use genauth::wechat::TokenCache;

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
