//! The requests to WeChat's token interfaces, and their answers.

use genauth::Error;
use genauth::wechat::{AccessToken, Explanation};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::time::SystemTime;

/// What a request asks for. It holds secrets, so it deliberately has no `Debug`.
#[derive(Default)]
pub(super) struct Asked<'a> {
    pub(super) grant_type: Option<Cow<'a, str>>,
    pub(super) app_id: Option<Cow<'a, str>>,
    pub(super) secret: Option<Cow<'a, str>>,
    pub(super) force_refresh: bool,
}

impl<'a> Asked<'a> {
    /// Reads a query, or a body that is a form.
    pub(super) fn of_form(form: &'a [u8]) -> Self {
        let mut asked = Self::default();
        // As a rule, nothing in the form is encoded, and finding that out piece by piece takes longer than everything
        // else.
        match std::str::from_utf8(form) {
            Ok(plain) if !form.iter().any(|byte| matches!(byte, b'%' | b'+')) => {
                let pairs = plain.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
                pairs.for_each(|(name, value)| asked.take(name, value.into()));
            }
            _ => form_urlencoded::parse(form).for_each(|(name, value)| asked.take(&name, value)),
        }
        asked
    }

    fn take(&mut self, name: &str, value: Cow<'a, str>) {
        match name {
            "grant_type" => self.grant_type = Some(value),
            "appid" => self.app_id = Some(value),
            "secret" => self.secret = Some(value),
            "force_refresh" => self.force_refresh = value == "true" || value == "1",
            _ => {}
        }
    }

    /// Reads a body that is a JSON object.
    pub(super) fn of_json(body: &'a [u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body<'a> {
            #[serde(borrow)]
            grant_type: Option<Cow<'a, str>>,
            #[serde(borrow)]
            appid: Option<Cow<'a, str>>,
            #[serde(borrow)]
            secret: Option<Cow<'a, str>>,
            #[serde(default)]
            force_refresh: Value,
        }
        let body: Body<'a> = serde_json::from_slice(body).ok()?;
        // PHP programs may write a boolean as a text or a number.
        let force_refresh = match body.force_refresh {
            Value::Bool(force) => force,
            Value::String(text) => text == "true" || text == "1",
            Value::Number(number) => number.as_i64() == Some(1),
            _ => false,
        };
        Some(Self { grant_type: body.grant_type, app_id: body.appid, secret: body.secret, force_refresh })
    }

    /// Fills what is missing from another request.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            grant_type: self.grant_type.or(other.grant_type),
            app_id: self.app_id.or(other.app_id),
            secret: self.secret.or(other.secret),
            force_refresh: self.force_refresh || other.force_refresh,
        }
    }
}

/// An answer.
pub(super) struct Said {
    pub(super) json: String,
    /// WeChat's error code; 0 for a token.
    pub(super) errcode: i64,
    /// `None` for a token.
    pub(super) errmsg: Option<String>,
}

impl Said {
    pub(super) fn token(token: &AccessToken, now: SystemTime) -> Self {
        #[derive(Serialize)]
        struct Token<'a> {
            access_token: &'a str,
            expires_in: u64,
        }
        // The time is rounded down, so that a caller that keeps the token for so long stops before it expires.
        let token = Token { access_token: token.expose_secret(), expires_in: token.remaining(now).as_secs().max(1) };
        Self { json: serde_json::to_string(&token).unwrap_or_default(), errcode: 0, errmsg: None }
    }

    pub(super) fn refused(errcode: i64, errmsg: impl Into<String>) -> Self {
        #[derive(Serialize)]
        struct Refusal<'a> {
            errcode: i64,
            errmsg: &'a str,
        }
        let errmsg = errmsg.into();
        let json = serde_json::to_string(&Refusal { errcode, errmsg: &errmsg }).unwrap_or_default();
        Self { json, errcode, errmsg: Some(errmsg) }
    }

    /// The answer if the server gave no token. If the server names the code with which WeChat refused it one, the
    /// caller gets that code.
    pub(super) fn failed(error: &Error, named: Option<(Explanation, String)>) -> Self {
        match named {
            // Codes that a newer token helps against are left out: libraries would ask for a token again and again.
            Some((explanation, sentence)) if !explanation.newer_token_helps => {
                Self::refused(explanation.errcode, sentence)
            }
            _ => Self::refused(-1, format!("system error: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_reads_alike_whether_or_not_something_in_it_is_encoded() {
        let read = |form: &str| {
            let Asked { grant_type, app_id, secret, force_refresh } = Asked::of_form(form.as_bytes());
            [grant_type, app_id, secret, force_refresh.then(|| "forced".into())].map(|part| part.map(Cow::into_owned))
        };
        for form in [
            "",
            "appid",
            "appid=wx&secret=s&grant_type=client_credential&force_refresh=true",
            "appid=wx&appid=wy&&=&secret=&x=y=z&secret=a=b",
            "force_refresh=1&force_refresh=0",
        ] {
            // The appended part makes the whole form be read as an encoded one.
            assert_eq!(read(form), read(&format!("{form}&%20=+")), "{form}");
        }
        assert_eq!(
            read("secret=a%20b+c%2B&appid=%E5%BE%AE"),
            [None, Some("微".to_owned()), Some("a b c+".to_owned()), None]
        );
    }
}
