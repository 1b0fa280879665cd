//! How long 10,000 callers wait who come at once to a token cache that holds nothing yet, over how long a single one
//! waits for the request that they share.
//!
//!     cargo bench -p genauth-benches --bench cold_cache
//!
//! The server answers after 100 ms, like a quick one across a network; on plain loopback there would be nothing to
//! share. The callers are tasks on all cores. The ratio is that of neighbouring rounds; its median and quartiles are
//! printed.

use common::{Server, Sides, app, spread};
use genauth::wechat::TokenCache;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const ROUNDS: usize = 20;
const CALLERS: usize = 10_000;
const ANSWERS_AFTER: Duration = Duration::from_millis(100);

/// How many seconds pass until all callers have a token from a new cache.
fn timed(runtime: &Runtime, sides: &Sides, callers: usize) -> f64 {
    let cache = TokenCache::new(sides.client.clone());
    #[allow(clippy::disallowed_methods, reason = "time is what is measured")]
    let start = Instant::now();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..callers {
            let cache = cache.clone();
            tasks.spawn(async move { cache.get(&app()).await.map(|token| token.expose_secret().len()) });
        }
        while let Some(task) = tasks.join_next().await {
            assert!(task.expect("a task").expect("a token") > 0);
        }
    });
    start.elapsed().as_secs_f64()
}

fn main() {
    let server = Server::start(ANSWERS_AFTER);
    let sides = Sides::of(&server.url);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    timed(&runtime, &sides, CALLERS);
    let (mut ratios, mut millis, mut requests) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let one = timed(&runtime, &sides, 1);
        let before = server.requests.load(Ordering::Relaxed);
        let all = timed(&runtime, &sides, CALLERS);
        requests = requests.max(server.requests.load(Ordering::Relaxed) - before);
        ratios.push(all / one);
        millis.push(one * 1e3);
    }
    let ((median, low, high), one) = (spread(ratios), spread(millis).0);
    println!("{ROUNDS} rounds, {CALLERS} callers; ratio to one caller: median (quartiles)");
    println!("until all have it    {median:.3} ({low:.3} to {high:.3}); one: {one:.1} ms");
    println!("requests a round     {requests} at most");
}
