//! Configuration from the environment.

use crate::{ClientBuilder, Error};
use std::time::Duration;

/// Sets what a variable says; `None` if its value is not as expected.
type Add = fn(ClientBuilder, &str) -> Option<ClientBuilder>;

/// The variables that need no other one, and what each is expected to hold.
const ALONE: [(&str, &str, Add); 5] = [
    ("GENAUTH_ACCESS_TOKEN", "a token", |builder, token| Some(builder.user_access_token(token))),
    ("GENAUTH_DIALECT", "`genauth` or `authing`", |builder, name| Some(builder.dialect(name.parse().ok()?))),
    ("GENAUTH_LANG", "zh-CN, en-US, zh-TW or ja-JP", |builder, tag| Some(builder.language(tag.parse().ok()?))),
    ("GENAUTH_TIMEOUT", "a number of seconds above 0", |builder, seconds| {
        let timeout = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
        (!timeout.is_zero()).then(|| builder.timeout(timeout))
    }),
    ("GENAUTH_RETRIES", "a whole number", |builder, number| Some(builder.retries(number.parse().ok()?))),
];

impl ClientBuilder {
    /// Returns a builder with what the environment sets, for you to add to; see
    /// [`Client::from_env`](crate::Client::from_env).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), naming the variable.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty());
            value.map(|value| value.into_string().map_err(|_| bad(name, "UTF-8; set it anew"))).transpose()
        })
    }

    fn from_variables(variable: impl Fn(&str) -> Result<Option<String>, Error>) -> Result<Self, Error> {
        let missing = |name: &str, beside: &str| bad(name, &format!("set, though {beside} is; set both or none"));
        let host = variable("GENAUTH_HOST")?.ok_or_else(|| bad("GENAUTH_HOST", "set; set it to https://your-host"))?;
        let mut builder = Self::new(host);
        builder = match (variable("GENAUTH_APP_ID")?, variable("GENAUTH_APP_SECRET")?) {
            (Some(id), Some(secret)) => builder.app(id, secret),
            (Some(id), None) => builder.app_id(id),
            (None, Some(_)) => return Err(missing("GENAUTH_APP_ID", "GENAUTH_APP_SECRET")),
            (None, None) => builder,
        };
        builder = match (variable("GENAUTH_ACCESS_KEY_ID")?, variable("GENAUTH_ACCESS_KEY_SECRET")?) {
            (Some(id), Some(secret)) => builder.access_key(id, secret),
            (None, None) => builder,
            (Some(_), None) => return Err(missing("GENAUTH_ACCESS_KEY_SECRET", "GENAUTH_ACCESS_KEY_ID")),
            (None, Some(_)) => return Err(missing("GENAUTH_ACCESS_KEY_ID", "GENAUTH_ACCESS_KEY_SECRET")),
        };
        for (name, expected, add) in ALONE {
            if let Some(value) = variable(name)? {
                builder = add(builder, &value).ok_or_else(|| bad(name, &format!("{expected}; correct or unset it")))?;
            }
        }
        Ok(builder)
    }
}

/// Returns the error of a variable; `problem` says what its value is not, and what to do.
fn bad(name: &str, problem: &str) -> Error {
    Error::configuration(format!("the environment variable {name} is not {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, Dialect, ErrorKind, Language};

    fn client(variables: &[(&str, &str)]) -> Result<Client, Error> {
        let value =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        ClientBuilder::from_variables(|name| Ok(value(name)))?.build()
    }

    #[test]
    fn host_and_app_are_enough_and_every_variable_is_taken() {
        let host = ("GENAUTH_HOST", "https://example.genauth.ai");
        assert!(client(&[host, ("GENAUTH_APP_ID", "app"), ("GENAUTH_APP_SECRET", "secret")]).is_ok());
        assert!(client(&[host, ("GENAUTH_APP_ID", "app")]).is_ok());
        let full = client(&[
            host,
            ("GENAUTH_APP_ID", "app"),
            ("GENAUTH_APP_SECRET", "secret"),
            ("GENAUTH_ACCESS_TOKEN", "token"),
            ("GENAUTH_ACCESS_KEY_ID", "key"),
            ("GENAUTH_ACCESS_KEY_SECRET", "key-secret"),
            ("GENAUTH_DIALECT", "Authing"),
            ("GENAUTH_LANG", "en-us"),
            ("GENAUTH_TIMEOUT", "2.5"),
            ("GENAUTH_RETRIES", "7"),
        ]);
        let inner = full.unwrap().settings;
        assert_eq!((inner.timeout, inner.retry.retries), (Duration::from_millis(2500), 7));
        assert_eq!((inner.credentials.dialect, inner.credentials.language), (Dialect::Authing, Language::English));
        let mut secrets = Vec::new();
        inner.credentials.each_secret(|secret| secrets.push(secret.to_owned()));
        assert_eq!(secrets, ["secret", "YXBwOnNlY3JldA==", "key-secret"]);
        assert_eq!(inner.credentials.user_access_token.get().unwrap().expose_secret(), "token");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_and_its_value_is_not() {
        let host = ("GENAUTH_HOST", "https://example.genauth.ai");
        for (variables, named) in [
            (&[][..], "GENAUTH_HOST is not set"),
            (&[host, ("GENAUTH_APP_SECRET", "canary")], "GENAUTH_APP_ID is not set, though GENAUTH_APP_SECRET is"),
            (&[host, ("GENAUTH_ACCESS_KEY_ID", "canary")], "GENAUTH_ACCESS_KEY_SECRET is not set"),
            (&[host, ("GENAUTH_ACCESS_KEY_SECRET", "canary")], "GENAUTH_ACCESS_KEY_ID is not set"),
            (&[host, ("GENAUTH_DIALECT", "canary")], "GENAUTH_DIALECT is not `genauth` or `authing`"),
            (&[host, ("GENAUTH_LANG", "canary")], "GENAUTH_LANG is not zh-CN, en-US, zh-TW or ja-JP"),
            (&[host, ("GENAUTH_TIMEOUT", "canary")], "GENAUTH_TIMEOUT is not a number of seconds above 0"),
            (&[host, ("GENAUTH_TIMEOUT", "0")], "GENAUTH_TIMEOUT is not"),
            (&[host, ("GENAUTH_TIMEOUT", "-1")], "GENAUTH_TIMEOUT is not"),
            (&[host, ("GENAUTH_TIMEOUT", "1e300")], "GENAUTH_TIMEOUT is not"),
            (&[host, ("GENAUTH_RETRIES", "-1")], "GENAUTH_RETRIES is not a whole number"),
            (&[("GENAUTH_HOST", "canary")], "the host is not a URL"),
        ] {
            let error = client(variables).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains(named), "{error}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}
