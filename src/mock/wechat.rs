//! The cache of WeChat access tokens behind the API, and whether WeChat would accept them.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::lock::lock;
use super::refusal::Refusal;

/// The two ways in which servers write the Unix seconds of `expiresAt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpiresAt {
    /// A JSON number: `1772618400`.
    #[default]
    Number,
    /// A decimal string: `"1772618400"`.
    String,
}

/// How long WeChat accepts a token after it has been replaced.
const GRACE: Duration = Duration::from_secs(300);

/// The known WeChat apps with their secrets and tokens. All times are times since the Unix epoch. There is deliberately
/// no `Debug`.
pub(super) struct WechatApps {
    secrets: HashMap<String, String>,
    lifetime: Duration,
    /// How long before its end a token is replaced when it is asked for.
    margin: Duration,
    expires_at: ExpiresAt,
    issued: Mutex<Issued>,
}

#[derive(Default)]
struct Issued {
    count: u64,
    /// The tokens of each app, the oldest first.
    tokens: HashMap<String, Vec<Token>>,
}

/// A token and its expiry in Unix seconds.
#[derive(Clone)]
struct Token {
    text: String,
    expires_at: u64,
    replaced_at: Option<Duration>,
}

impl Token {
    fn is_expired(&self, now: Duration) -> bool {
        now >= Duration::from_secs(self.expires_at)
    }

    fn is_alive(&self, now: Duration) -> bool {
        !self.is_expired(now) && self.replaced_at.is_none_or(|at| now < at + GRACE)
    }
}

impl WechatApps {
    pub(super) fn new(
        secrets: HashMap<String, String>,
        lifetime: Duration,
        margin: Duration,
        expires_at: ExpiresAt,
    ) -> Self {
        Self { secrets, lifetime, margin, expires_at, issued: Mutex::default() }
    }

    /// Returns the token of the app, as the payload of an answer.
    pub(super) fn answer(&self, app_id: &str, app_secret: &str, now: Duration) -> Result<Value, Refusal> {
        let token = self.token(app_id, app_secret, now)?;
        let expires_at = match self.expires_at {
            ExpiresAt::Number => json!(token.expires_at),
            ExpiresAt::String => json!(token.expires_at.to_string()),
        };
        Ok(json!({ "accessToken": token.text, "expiresAt": expires_at }))
    }

    /// Returns the cached token of the app, or a new one if that has expired or is about to.
    fn token(&self, app_id: &str, app_secret: &str, now: Duration) -> Result<Token, Refusal> {
        match self.secrets.get(app_id) {
            None => return Err(Refusal::new(602, "invalid appid")),
            Some(secret) if secret != app_secret => return Err(Refusal::new(602, "invalid appsecret")),
            Some(_) => {}
        }
        let mut issued = lock(&self.issued);
        let cached = issued.tokens.get(app_id).and_then(|tokens| tokens.last());
        match cached.filter(|token| !token.is_expired(now.saturating_add(self.margin))) {
            Some(token) => Ok(token.clone()),
            None => Ok(issued.renew(app_id, now, self.lifetime)),
        }
    }

    /// Replaces the token of the app; returns false if the app is unknown.
    pub(super) fn rotate(&self, app_id: &str, now: Duration) -> bool {
        let known = self.secrets.contains_key(app_id);
        if known {
            lock(&self.issued).renew(app_id, now, self.lifetime);
        }
        known
    }

    pub(super) fn is_alive(&self, token: &str, now: Duration) -> bool {
        lock(&self.issued).tokens.values().flatten().any(|known| known.text == token && known.is_alive(now))
    }
}

impl Issued {
    fn renew(&mut self, app_id: &str, now: Duration, lifetime: Duration) -> Token {
        self.count += 1;
        let token = Token {
            text: format!("61_mock_{app_id}_{}", self.count),
            expires_at: now.saturating_add(lifetime).as_secs(),
            replaced_at: None,
        };
        let tokens = self.tokens.entry(app_id.to_owned()).or_default();
        if let Some(previous) = tokens.last_mut() {
            previous.replaced_at = Some(now);
        }
        // Tokens that are no longer good are dropped, because a demonstration may run for days.
        tokens.retain(|token| token.is_alive(now));
        tokens.push(token.clone());
        token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(1_000_000 + seconds)
    }

    fn apps() -> WechatApps {
        apps_with_margin(Duration::ZERO)
    }

    fn apps_with_margin(margin: Duration) -> WechatApps {
        WechatApps::new(
            HashMap::from([("wx".to_owned(), "right".to_owned())]),
            Duration::from_secs(7200),
            margin,
            ExpiresAt::Number,
        )
    }

    fn token(apps: &WechatApps, now: Duration) -> Token {
        apps.token("wx", "right", now).expect("the app is known")
    }

    #[test]
    fn a_token_is_kept_until_it_expires() {
        let apps = apps();
        let first = token(&apps, at(0));
        assert_eq!(first.expires_at, at(7200).as_secs());
        assert_eq!(token(&apps, at(7199)).text, first.text);
        assert!(apps.is_alive(&first.text, at(7199)));
        assert!(!apps.is_alive(&first.text, at(7200)));
        assert_ne!(token(&apps, at(7200)).text, first.text);
    }

    #[test]
    fn a_token_that_is_about_to_expire_is_replaced_for_whoever_asks() {
        let apps = apps_with_margin(Duration::from_secs(200));
        let first = token(&apps, at(0));
        assert_eq!(token(&apps, at(6999)).text, first.text);
        assert_ne!(token(&apps, at(7000)).text, first.text);
        assert!(apps.is_alive(&first.text, at(7199)));
    }

    #[test]
    fn a_replaced_token_lives_for_another_five_minutes() {
        let apps = apps();
        let first = token(&apps, at(0));
        assert!(apps.rotate("wx", at(10)));
        let second = token(&apps, at(10));
        assert_ne!(first.text, second.text);
        assert!(apps.is_alive(&first.text, at(309)));
        assert!(!apps.is_alive(&first.text, at(310)));
        assert!(apps.is_alive(&second.text, at(310)));
    }

    #[test]
    fn grace_does_not_outlast_expiry() {
        let apps = apps();
        let first = token(&apps, at(0));
        apps.rotate("wx", at(7100));
        assert!(!apps.is_alive(&first.text, at(7200)));
    }

    #[test]
    fn strangers_get_nothing() {
        let apps = apps();
        assert!(apps.token("wx", "wrong", at(0)).is_err());
        assert!(apps.token("other", "right", at(0)).is_err());
        assert!(!apps.rotate("other", at(0)));
        assert!(!apps.is_alive("61_mock_wx_1", at(0)));
    }
}
