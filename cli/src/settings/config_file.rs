//! The configuration file: TOML, with profiles.
//!
//! No message repeats anything from the file except names of keys and profiles that the program knows: anything else
//! may be a secret in the wrong place.

use super::table::{Kind, SETTINGS};
use crate::failure::Failure;
use etcetera::BaseStrategy as _;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const PROFILE: &str = "profile";
const PROFILES: &str = "profiles";
/// The key of the tables of more WeChat apps, by their ids.
const WECHAT_APPS: &str = "wechat_apps";

/// The file's settings for the chosen profile. They may include secrets, so this deliberately has no `Debug`.
#[derive(Default)]
pub(crate) struct ConfigFile {
    path: PathBuf,
    values: BTreeMap<String, String>,
    wechat_apps: BTreeMap<String, AppSecretIn>,
}

const NOT_APPS: &str = "is not a table of WeChat apps; write [wechat_apps.ID], and in it `secret_file` or `secret`";

/// Where the secret of a WeChat app is.
#[derive(Clone)]
pub(crate) enum AppSecretIn {
    Text(String),
    File(String),
}

impl ConfigFile {
    /// Loads the file at `path`, which must exist, or else the platform's default file, which need not.
    pub(crate) fn load(path: Option<&str>, profile: Option<&str>) -> Result<Self, Failure> {
        let given = path.is_some();
        let Some(path) = path.map(PathBuf::from).or_else(default_path) else { return Ok(Self::default()) };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !given => {
                return match profile {
                    None => Ok(Self::default()),
                    Some(_) => Err(Failure::configuration(format!(
                        "a profile is asked for, but there is no configuration file {}; write one",
                        path.display()
                    ))),
                };
            }
            Err(error) => {
                let path = path.display();
                return Err(Failure::configuration(format!("the configuration file {path} cannot be read: {error}")));
            }
        };
        let file = Self { path, ..Self::default() }.parse(&text, profile)?;
        file.check_permissions(&text)?;
        Ok(file)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    pub(crate) fn wechat_apps(&self) -> &BTreeMap<String, AppSecretIn> {
        &self.wechat_apps
    }

    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn parse(mut self, text: &str, profile: Option<&str>) -> Result<Self, Failure> {
        let line_of = |at: usize| text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
        // The parser's own message quotes the line.
        let table = DeTable::parse(text).map_err(|error| match error.span() {
            Some(span) => self.refused(line_of(span.start), "is not TOML"),
            None => self.refused(1, "the file is not TOML"),
        })?;
        let table = table.get_ref();
        let string = |key: &str| match table.get(key).map(Spanned::get_ref) {
            Some(DeValue::String(name)) => Some(name.as_ref()),
            _ => None,
        };
        let profiles = table.get(PROFILES).and_then(|profiles| profiles.get_ref().as_table());
        let names: Vec<&str> = profiles.into_iter().flatten().map(|(name, _)| name.get_ref().as_ref()).collect();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                PROFILE if string(PROFILE).is_some() => {}
                PROFILES if profiles.is_some() => {}
                PROFILE => return Err(self.refused(line_of(value.span().start), "`profile` is not a text")),
                PROFILES => return Err(self.refused(line_of(value.span().start), "`profiles` is not a table")),
                _ => self.take(key, value, &line_of)?,
            }
        }
        let Some(chosen) = profile.or_else(|| string(PROFILE)) else { return Ok(self) };
        let settings = profiles.and_then(|profiles| profiles.get(chosen));
        let Some(settings) = settings.and_then(|settings| settings.get_ref().as_table()) else {
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(Failure::configuration(format!(
                "{} has no profile of that name; it has: {known}",
                self.path.display()
            )));
        };
        for (key, value) in settings {
            self.take(key, value, &line_of)?;
        }
        Ok(self)
    }

    /// Sets a setting, replacing any earlier value. A secret and the file that holds it are the same setting.
    fn take(
        &mut self,
        key: &Spanned<impl AsRef<str>>,
        value: &Spanned<DeValue<'_>>,
        line_of: &impl Fn(usize) -> usize,
    ) -> Result<(), Failure> {
        let line = line_of(key.span().start);
        let name = key.get_ref().as_ref();
        if name == WECHAT_APPS {
            return self.take_apps(value, line_of).map_err(|line| self.refused(line, NOT_APPS));
        }
        let setting = SETTINGS.iter().find(|setting| match name.strip_suffix("_file") {
            Some(secret) if setting.kind == Kind::Secret => setting.key == secret,
            _ => setting.key == name,
        });
        let Some(setting) = setting else {
            return Err(
                self.refused(line, "is a key that the program does not know; `genauth token --help` lists them")
            );
        };
        let wanted = match setting.kind {
            Kind::Switch => "true or false",
            _ if ["retries", "timeout"].contains(&setting.key) => "a number",
            _ => "a text",
        };
        let text = match value.get_ref() {
            DeValue::String(text) if wanted == "a text" => text.as_ref().to_owned(),
            DeValue::Boolean(on) if setting.kind == Kind::Switch => on.to_string(),
            DeValue::Integer(number) if wanted == "a number" => number.as_str().to_owned(),
            DeValue::Float(number) if wanted == "a number" => number.as_str().to_owned(),
            _ => return Err(self.refused(line, &format!("`{name}` is not {wanted}"))),
        };
        let is_path = name != setting.key || setting.key == "root_certificates";
        let text = if is_path { self.beside(&text) } else { text };
        self.values.remove(setting.key);
        self.values.remove(&format!("{}_file", setting.key));
        self.values.insert(name.to_owned(), text);
        Ok(())
    }

    /// Adds WeChat apps, replacing those of the same ids. The error is the number of a line.
    fn take_apps(&mut self, apps: &Spanned<DeValue<'_>>, line_of: &impl Fn(usize) -> usize) -> Result<(), usize> {
        let apps = apps.get_ref().as_table().ok_or(line_of(apps.span().start))?;
        for (id, app) in apps {
            let line = line_of(id.span().start);
            let app = app.get_ref().as_table().filter(|app| app.len() == 1).ok_or(line)?;
            let text = |key: &str| match app.get(key).map(Spanned::get_ref) {
                Some(DeValue::String(text)) if !text.is_empty() => Some(text.as_ref()),
                _ => None,
            };
            let secret = text("secret").map(|secret| AppSecretIn::Text(secret.to_owned()));
            let secret = secret.or_else(|| text("secret_file").map(|path| AppSecretIn::File(self.beside(path))));
            self.wechat_apps.insert(id.get_ref().as_ref().to_owned(), secret.ok_or(line)?);
        }
        Ok(())
    }

    /// Resolves a path relative to the file's folder.
    fn beside(&self, path: &str) -> String {
        match self.path.parent() {
            Some(folder) if path != "-" => folder.join(path).display().to_string(),
            _ => path.to_owned(),
        }
    }

    fn refused(&self, line: usize, problem: &str) -> Failure {
        Failure::configuration(format!("{}, line {line}: {problem}", self.path.display()))
    }

    /// Refuses a file that others can read if it holds secrets of any profile.
    #[cfg(unix)]
    fn check_permissions(&self, text: &str) -> Result<(), Failure> {
        use std::os::unix::fs::PermissionsExt as _;

        let others_read = |path: &Path| path.metadata().is_ok_and(|file| file.permissions().mode() & 0o044 != 0);
        if holds_secrets(text) && others_read(&self.path) {
            let path = self.path.display();
            return Err(Failure::configuration(format!(
                "{path} holds secrets and others can read it; run chmod 600 on it, and replace the secrets if others may have"
            )));
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn check_permissions(&self, _text: &str) -> Result<(), Failure> {
        Ok(())
    }
}

/// Whether the file itself contains a secret, rather than the name of a file that does.
#[cfg(unix)]
fn holds_secrets(text: &str) -> bool {
    fn in_table(table: &DeTable<'_>) -> bool {
        table.iter().any(|(key, value)| match value.get_ref() {
            DeValue::Table(table) => in_table(table),
            // This is the secret of a WeChat app.
            DeValue::String(_) if key.get_ref().as_ref() == "secret" => true,
            DeValue::String(value) => SETTINGS.iter().any(|setting| {
                let holds = setting.kind == Kind::Secret || setting.kind == Kind::Url && value.contains('@');
                holds && setting.key == key.get_ref().as_ref()
            }),
            _ => false,
        })
    }
    DeTable::parse(text).is_ok_and(|table| in_table(table.get_ref()))
}

fn default_path() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join(Path::new("genauth")).join("config.toml"))
}
