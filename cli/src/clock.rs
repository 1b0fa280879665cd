//! The time.

use std::time::SystemTime;

#[allow(clippy::disallowed_methods, reason = "the one place where the program reads the system's clock")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
