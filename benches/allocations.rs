//! How often a call allocates, beside one on bare `reqwest`. Where it is more often than promised here, the run fails.
//!
//!     cargo bench -p genauth-benches --bench allocations

use common::{Server, Sides, runtime};
use std::process::ExitCode;
use std::time::Duration;

/// More than bare reqwest.
const MORE: u64 = 6;

fn main() -> ExitCode {
    const CALLS: u64 = 20;
    let (server, runtime) = (Server::start(Duration::ZERO), runtime());
    let sides = Sides::of(&server.url);
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
    let kept = bare > 0 && ours <= bare + CALLS * MORE;
    println!("allocations a call   {}; bare: {}", ours / CALLS, bare / CALLS);
    println!("promised             {MORE} more than bare: {}", if kept { "kept" } else { "broken" });
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
