//! Whether the Redis of the token cache answers.

use super::finding::Report;
use crate::failure::Exit;
use crate::settings::Settings;
use redis::{ErrorKind, RedisError};
use std::time::Duration;

pub(super) const CHECK: &str = "redis";

/// How long the cache allows a command to take.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn check(report: &mut Report, settings: &Settings) {
    let Some(url) = settings.text("redis") else { return report.skip(CHECK, "no Redis is set") };
    match tokio::time::timeout(PATIENCE, ping(url)).await {
        Ok(Ok(())) => report.ok(CHECK, "answers"),
        Ok(Err(error)) => {
            report.fail(CHECK, Exit::Network, what_of(&error), "check --redis, and that Redis runs there")
        }
        Err(_) => {
            report.fail(CHECK, Exit::Network, format!("no answer within {PATIENCE:?}"), "check the network to it")
        }
    }
}

async fn ping(url: &str) -> Result<(), RedisError> {
    let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    redis::cmd("PING").query_async(&mut connection).await
}

/// What is wrong, without the client's own words: they may quote the URL, which may hold a password.
fn what_of(error: &RedisError) -> String {
    match error.kind() {
        ErrorKind::Io if error.is_connection_refusal() => "the connection is refused".to_owned(),
        ErrorKind::Io => "it cannot be reached".to_owned(),
        ErrorKind::AuthenticationFailed => "it refuses the user name or password".to_owned(),
        kind => match error.code() {
            Some(code) => format!("it refuses: {code}"),
            None => format!("it does not answer as Redis does: {kind:?}"),
        },
    }
}
