//! The settings for the server and the credentials: one table defines the options, the environment variables and the
//! keys of the configuration file.

mod config_file;
mod table;

use crate::failure::Failure;
use crate::{output, secret_input};
use clap::ArgMatches;
use config_file::{AppSecretIn, ConfigFile};
use genauth::SecretString;
use genauth::mock::MockGenAuth;
use std::collections::BTreeMap;
use table::Kind::{Choice, Secret, Switch, Url};
use table::id;
pub(crate) use table::{Group, Kind, SETTINGS, Setting, args};

/// The value of an option, which a command need not have.
fn given<T: Clone + Send + Sync + 'static>(arguments: &[&ArgMatches], option: &str) -> Option<T> {
    arguments.iter().rev().find_map(|level| level.try_get_one::<T>(&id(option)).ok().flatten().cloned())
}

/// The values of the settings. Each comes from the first of these places that has it: options, environment,
/// configuration file.
pub(crate) struct Settings {
    values: BTreeMap<&'static str, SecretString>,
    /// The apps in the configuration file.
    wechat_apps: BTreeMap<String, AppSecretIn>,
}

impl Settings {
    /// Resolves all settings. `arguments` are those of each command, from the outermost inwards.
    pub(crate) fn resolve(arguments: &[&ArgMatches]) -> Result<Self, Failure> {
        let option_or_variable = |option: &str, name: &str| match given::<String>(arguments, option) {
            Some(value) => Ok(Some(value)),
            None => variable(name),
        };
        let path = option_or_variable("config", "GENAUTH_CONFIG")?;
        let profile = option_or_variable("profile", "GENAUTH_PROFILE")?;
        let file = ConfigFile::load(path.as_deref(), profile.as_deref())?;
        let mut values = BTreeMap::new();
        for setting in SETTINGS {
            let value = match setting.of_arguments(arguments)? {
                Some(value) => Some(value),
                None => match setting.of_environment()? {
                    Some(value) => Some(value),
                    None => setting.of_file(&file)?,
                },
            };
            values.extend(value.map(|value| (setting.key, value)));
        }
        Ok(Self { values, wechat_apps: file.wechat_apps().clone() })
    }

    /// Everything that a mock knows by default.
    pub(crate) fn of_mock(mock: &MockGenAuth) -> Self {
        let values = [
            ("host", mock.url()),
            ("app_id", MockGenAuth::APP_ID),
            ("app_secret", MockGenAuth::APP_SECRET),
            ("access_key_id", MockGenAuth::ACCESS_KEY_ID),
            ("access_key_secret", MockGenAuth::ACCESS_KEY_SECRET),
            ("wechat_app_id", mock.wechat_app_id()),
            ("wechat_app_secret", mock.wechat_app_secret()),
        ];
        let values = values.into_iter().map(|(key, value)| (key, value.into())).collect();
        Self { values, wechat_apps: BTreeMap::new() }
    }

    /// The values with their settings, in the order of the table.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static Setting, &str)> {
        SETTINGS.iter().filter_map(|setting| Some((setting, self.text(setting.key)?)))
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(SecretString::expose_secret)
    }

    pub(crate) fn secret(&self, key: &str) -> Option<SecretString> {
        self.values.get(key).cloned()
    }

    /// The WeChat apps that are set: those in the configuration file's tables, and the one that every command takes.
    pub(crate) fn wechat_apps(&self) -> Result<Vec<(String, SecretString)>, Failure> {
        let mut apps = BTreeMap::new();
        for (id, secret) in &self.wechat_apps {
            let secret = match secret {
                AppSecretIn::Text(secret) => secret.as_str().into(),
                AppSecretIn::File(path) => secret_input::read_secret(path, "`secret_file` of a WeChat app")?,
            };
            apps.insert(id.clone(), secret);
        }
        if let Some(id) = self.text("wechat_app_id") {
            let secret = self.secret("wechat_app_secret").or_else(|| apps.remove(id));
            let secret = secret.ok_or_else(|| {
                Failure::configuration(
                    "the WeChat app's secret is missing; give --wechat-app-secret-file, or set WECHAT_APP_SECRET",
                )
            })?;
            apps.insert(id.to_owned(), secret);
        }
        Ok(apps.into_iter().collect())
    }

    /// Sets a value that the user was asked for.
    pub(crate) fn set(&mut self, key: &'static str, value: SecretString) {
        self.values.insert(key, value);
    }
}

impl Setting {
    fn of_arguments(&self, arguments: &[&ArgMatches]) -> Result<Option<SecretString>, Failure> {
        let option = self.option();
        if self.kind == Switch {
            return Ok(given::<bool>(arguments, &option).filter(|on| *on).map(|_| "true".into()));
        }
        if let Some(path) = given::<String>(arguments, &format!("{option}-file")).filter(|_| self.kind == Secret) {
            return secret_input::read_secret(&path, &format!("--{option}-file")).map(Some);
        }
        let value: Option<String> = given(arguments, &option);
        let shows = |value: &String| self.kind == Secret || self.kind == Url && value.contains('@');
        if value.as_ref().is_some_and(shows) {
            let variable = self.variable;
            output::warning(&format!(
                "--{option}: others on this machine can see the command line; set {variable} instead"
            ));
        }
        Ok(value.map(SecretString::from))
    }

    fn of_environment(&self) -> Result<Option<SecretString>, Failure> {
        let name = self.variable;
        let value = variable(name)?;
        match self.kind {
            Secret if value.is_none() => {
                let name = format!("{name}_FILE");
                variable(&name)?.map(|path| secret_input::read_secret(&path, &name)).transpose()
            }
            Choice(known) => match value {
                Some(value) => self.chosen(known, &value, name).map(Some),
                None => Ok(None),
            },
            Switch => match value.as_deref() {
                Some("1" | "true") => Ok(Some("true".into())),
                Some("0" | "false") | None => Ok(None),
                Some(_) => Err(Failure::configuration(format!("{name} is neither 1 nor 0; correct or unset it"))),
            },
            _ => Ok(value.map(SecretString::from)),
        }
    }

    fn of_file(&self, file: &ConfigFile) -> Result<Option<SecretString>, Failure> {
        if let Some(path) = file.get(&format!("{}_file", self.key)) {
            return secret_input::read_secret(path, &format!("`{}_file` of {}", self.key, file.name())).map(Some);
        }
        match (file.get(self.key), self.kind) {
            (Some(value), Choice(known)) => {
                self.chosen(known, value, &format!("`{}` of {}", self.key, file.name())).map(Some)
            }
            (Some("false"), Switch) => Ok(None),
            (value, _) => Ok(value.map(SecretString::from)),
        }
    }

    fn chosen(&self, known: &[&'static str], value: &str, place: &str) -> Result<SecretString, Failure> {
        let found = known.iter().find(|known| known.eq_ignore_ascii_case(value));
        found.map(|known| SecretString::from(*known)).ok_or_else(|| {
            Failure::configuration(format!("{place} is not one of {}; correct it or leave it out", known.join(", ")))
        })
    }
}

/// An environment variable. An empty one counts as absent.
fn variable(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::configuration(format!("the environment variable {name} is not UTF-8; set it anew")))
        }
    }
}
