//! What a call costs over the same request on bare `reqwest` with `serde_json`: time one after the other, time of 64 at
//! once, allocations.
//!
//!     cargo bench -p genauth-benches --bench call
//!
//! Both sides ask a server on another thread, in turns, so that whatever else the machine does affects both. The ratio
//! is that of neighbouring rounds; its median and quartiles are printed.

use common::{Server, Sides, runtime, spread};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const ROUNDS: usize = 100;
const CALLS: usize = 384;
const AT_ONCE: usize = 64;

/// How many seconds all calls take, `at_once` of them at a time.
fn timed(runtime: &Runtime, at_once: usize, call: &impl AsyncFn() -> usize) -> f64 {
    #[allow(clippy::disallowed_methods, reason = "time is what is measured")]
    let start = Instant::now();
    runtime.block_on(async {
        for _ in 0..CALLS / at_once {
            if at_once == 1 {
                call().await;
            } else {
                futures_util::future::join_all((0..at_once).map(|_| call())).await;
            }
        }
    });
    start.elapsed().as_secs_f64()
}

fn main() {
    let (server, runtime) = (Server::start(Duration::ZERO), runtime());
    let sides = Sides::of(&server.url);
    let (bare, ours) = (async || sides.bare().await, async || sides.ours().await);

    println!("{ROUNDS} rounds of {CALLS} calls each, in turns; ratio to bare reqwest: median (quartiles)");
    for (name, at_once) in [("one after the other", 1), ("64 at once", AT_ONCE)] {
        let (mut ratios, mut micros) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            // The sides take turns in going first.
            let (theirs, mine) = if round % 2 == 0 {
                (timed(&runtime, at_once, &bare), timed(&runtime, at_once, &ours))
            } else {
                let mine = timed(&runtime, at_once, &ours);
                (timed(&runtime, at_once, &bare), mine)
            };
            // The first round connects, so it is not counted.
            if round > 0 {
                ratios.push(mine / theirs);
                micros.push(theirs * 1e6 / CALLS as f64);
            }
        }
        let ((median, low, high), micros) = (spread(ratios), spread(micros).0);
        println!("{name:20} {median:.3} ({low:.3} to {high:.3}); bare: {micros:.1} µs a call");
    }
    let allocations = |call: &dyn Fn()| {
        call();
        allocation_counter::measure(|| (0..100).for_each(|_| call())).count_total as f64 / 100.0
    };
    let theirs = allocations(&|| {
        runtime.block_on(bare());
    });
    let mine = allocations(&|| {
        runtime.block_on(ours());
    });
    println!("allocations a call   {mine:.1}, bare: {theirs:.1}, more: {:.1}", mine - theirs);
}
