//! The WeChat apps whose tokens are served.

use super::wechat::{Asked, Said};
use crate::{clock, errcode};
use genauth::types::GetWechatAccessTokenDto;
use genauth::wechat::{AccessToken, AppTokens, TokenCache, TokenStats};
use genauth::{Error, SecretString};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

/// The shortest time between two tokens fetched for `force_refresh`; an earlier caller gets the current token, as at
/// WeChat.
const BETWEEN_FORCED: Duration = Duration::from_secs(30);
/// How many such tokens there are in a day, as at WeChat.
const FORCED_A_DAY: u32 = 20;
const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) struct Apps(BTreeMap<String, App>);

struct App {
    secret: SecretString,
    tokens: AppTokens,
    forced: Mutex<Forced>,
}

/// Counts the tokens that were fetched for `force_refresh`.
#[derive(Default)]
struct Forced {
    last: Option<Instant>,
    day: Option<Instant>,
    count: u32,
}

impl Apps {
    pub(super) fn new(cache: &TokenCache, apps: Vec<(String, SecretString)>) -> Self {
        let apps = apps.into_iter().map(|(app_id, secret)| {
            let app = GetWechatAccessTokenDto { app_id: app_id.clone(), app_secret: secret.clone() };
            (app_id, App { secret, tokens: cache.app(&app), forced: Mutex::default() })
        });
        Self(apps.collect())
    }

    /// A command that asks for the token of the first app.
    pub(super) fn example(&self, at: String) -> Option<String> {
        let (id, app) = self.0.first_key_value()?;
        let secret = app.secret.expose_secret();
        Some(format!("curl '{at}/cgi-bin/token?grant_type=client_credential&appid={id}&secret={secret}'"))
    }

    /// The configured app id that equals this one.
    pub(super) fn known(&self, app_id: &str) -> Option<&str> {
        self.0.get_key_value(app_id).map(|(id, _)| id.as_str())
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn stats(&self) -> impl Iterator<Item = (&str, TokenStats)> {
        self.0.iter().map(|(id, app)| (id.as_str(), app.tokens.stats()))
    }

    /// The apps for which there is no token.
    pub(super) async fn without_token(&self) -> Vec<&str> {
        let mut without = Vec::new();
        for (id, app) in &self.0 {
            if app.tokens.get().await.is_err() {
                without.push(id.as_str());
            }
        }
        without
    }

    /// Answers as WeChat would.
    pub(super) async fn answer(&self, asked: &Asked<'_>, caller_secret: Option<&SecretString>, anybody: bool) -> Said {
        if asked.grant_type.as_deref() != Some("client_credential") {
            return Said::refused(40002, "invalid grant_type: it has to be client_credential");
        }
        let Some(app_id) = asked.app_id.as_deref().filter(|id| !id.is_empty()) else {
            return Said::refused(41002, "appid missing");
        };
        // A caller that may not ask is not told which apps there are.
        let app = self.0.get(app_id);
        let shown = asked.secret.as_deref().unwrap_or_default();
        let is = |secret: &SecretString| bool::from(secret.expose_secret().as_bytes().ct_eq(shown.as_bytes()));
        if !anybody && !caller_secret.is_some_and(is) && !app.is_some_and(|app| is(&app.secret)) {
            if shown.is_empty() {
                return Said::refused(41004, "appsecret missing: send the caller secret, or the AppSecret, as secret");
            }
            return Said::refused(40125, "invalid appsecret: send the caller secret, or the AppSecret, as secret");
        }
        let Some(app) = app else {
            return Said::refused(
                40013,
                "invalid appid: this token server has no such app; add it to its configuration",
            );
        };
        let token = if asked.force_refresh { app.force().await } else { Ok(app.tokens.get().await) };
        match token {
            Ok(Ok(token)) => Said::token(&token, clock::now()),
            Ok(Err(error)) => Said::failed(&error, errcode::named_in(&error)),
            Err(refused) => refused,
        }
    }
}

impl App {
    /// Fetches a newer token, for a caller who says that the current one was rejected. All others keep the current one
    /// until there is another: the caller may be mistaken, and the server may not have a newer one yet.
    async fn force(&self) -> Result<Result<AccessToken, Error>, Said> {
        let current = match self.tokens.get().await {
            Ok(current) => current,
            failed => return Ok(failed),
        };
        let is_first = self.count_forced()?;
        // All callers that come at once wait for what the first one gets.
        let newer = self.tokens.newer_than(&current, BETWEEN_FORCED).await;
        if is_first && newer.as_ref().is_ok_and(|newer| newer.expose_secret() == current.expose_secret()) {
            tracing::warn!(
                "a caller says that WeChat rejects the token, and the server answers the same one again; if WeChat rejects it, some \
                 other system fetches tokens for this WeChat app from WeChat itself: let it take them from here"
            );
        }
        Ok(Ok(newer.unwrap_or(current)))
    }

    /// Counts a forced refresh. Returns whether there was none just now.
    fn count_forced(&self) -> Result<bool, Said> {
        let mut forced = self.forced.lock().unwrap_or_else(PoisonError::into_inner);
        if forced.last.is_some_and(|last| last.elapsed() < BETWEEN_FORCED) {
            return Ok(false);
        }
        if forced.day.is_none_or(|day| day.elapsed() >= DAY) {
            *forced = Forced { day: Some(Instant::now()), ..Forced::default() };
        }
        if forced.count >= FORCED_A_DAY {
            return Err(Said::refused(45009, "reach max api daily quota limit: force_refresh works 20 times a day"));
        }
        forced.count += 1;
        forced.last = Some(Instant::now());
        Ok(true)
    }
}
