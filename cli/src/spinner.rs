//! A sign of life on a terminal, for work that takes longer than a moment.

use std::io::{IsTerminal as _, Write as _};
use std::pin::pin;
use std::time::Duration;

const SILENCE: Duration = Duration::from_millis(300);
const STEP: Duration = Duration::from_millis(100);
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];

/// Waits for `work`. On a terminal, stderr shows `label` after 300 ms, and clears it once the work is done.
pub(crate) async fn during<T>(label: &str, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut stderr = std::io::stderr();
    if !stderr.is_terminal() {
        return work.await;
    }
    let mut patience = SILENCE;
    for frame in FRAMES.into_iter().cycle() {
        match tokio::time::timeout(patience, work.as_mut()).await {
            Ok(done) => {
                if patience == STEP {
                    let _ = write!(stderr, "\r\x1b[K").and_then(|()| stderr.flush());
                }
                return done;
            }
            Err(_) => {
                patience = STEP;
                let _ = write!(stderr, "\r{frame} {label}").and_then(|()| stderr.flush());
            }
        }
    }
    work.await
}
