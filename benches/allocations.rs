//! How often a call allocates, compared with one on bare `reqwest`. The run fails if it is more often than promised
//! here.
//!
//!     cargo bench -p genauth-benches --bench allocations

use common::{Server, Sides, runtime};
use std::process::ExitCode;
use std::time::Duration;

/// How many more allocations a call may take than one on bare reqwest.
const MORE: u64 = 6;

fn main() -> ExitCode {
    const CALLS: u64 = 20;
    let (server, runtime) = (Server::start(Duration::ZERO), runtime());
    let sides = Sides::of(&server.url);
    let allocations = |call: &dyn Fn()| {
        // The first call connects, so it is not counted.
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
