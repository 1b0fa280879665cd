//! What a token from the cache costs while it is fresh: time and allocations, on one thread and on all cores.
//!
//!     cargo bench -p genauth-benches --bench token_cache
//!
//! Each sample is a thousand calls: what it says in microseconds is what a call takes in nanoseconds.
//!
//! `clock` is what reading the system's clock costs, which every call does once; `arc` is the clone of a pointer that
//! all threads share, as a cache behind a lock would hand it out.

use common::{Server, Sides, app, runtime};
use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use futures_util::FutureExt as _;
use genauth::types::GetWechatAccessTokenDto;
use genauth::wechat::TokenCache;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// A cache that holds a token, and the app that it is for.
static WARM: LazyLock<(TokenCache, GetWechatAccessTokenDto)> = LazyLock::new(|| {
    runtime().block_on(async {
        let tokens = TokenCache::new(Sides::of(&Server::start(Duration::ZERO).url).client);
        let app = app();
        tokens.get(&app).await.expect("a token");
        (tokens, app)
    })
});

/// Runs the call as a task would: an `await` and nothing around it.
fn repeat<T>(bencher: Bencher<'_, '_>, call: impl AsyncFn() -> T + Sync) {
    const CALLS: usize = 1000;
    bencher.counter(ItemsCount::new(CALLS)).bench(|| {
        let calls = async {
            for _ in 0..CALLS {
                black_box(call().await);
            }
        };
        calls.now_or_never()
    });
}

#[divan::bench(threads = [1, 0])]
fn get_by_handle(bencher: Bencher<'_, '_>) {
    let (tokens, app) = &*WARM;
    let tokens = tokens.app(app);
    repeat(bencher, async || tokens.get().await.is_ok());
}

#[divan::bench(threads = [1, 0])]
fn get_by_app(bencher: Bencher<'_, '_>) {
    let (tokens, app) = &*WARM;
    repeat(bencher, async || tokens.get(app).await.is_ok());
}

#[divan::bench(threads = [1, 0])]
fn clock(bencher: Bencher<'_, '_>) {
    #[allow(clippy::disallowed_methods, reason = "it is what is measured")]
    repeat(bencher, async || SystemTime::now());
}

#[divan::bench(threads = [1, 0])]
fn arc(bencher: Bencher<'_, '_>) {
    let shared = Arc::new(0);
    repeat(bencher, async || Arc::clone(&shared));
}
