//! What the program can be told about the server and the credentials: one table, from which follow the options, the
//! environment variables and the keys of the configuration file.

use crate::config_file::ConfigFile;
use crate::failure::Failure;
use crate::{output, secret_input};
use clap::{Arg, ArgAction, ArgMatches};
use genauth::SecretString;
use genauth::mock::MockGenAuth;
use std::collections::BTreeMap;

/// One thing to be told.
pub(crate) struct Setting {
    /// Its key in the configuration file; the option is called the same, with dashes.
    pub(crate) key: &'static str,
    pub(crate) variable: &'static str,
    pub(crate) kind: Kind,
    group: Group,
    help: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The name of its value.
    Text(&'static str),
    /// Has a twin which names a file that holds it.
    Secret,
    /// An address that may hold a password.
    Url,
    Choice(&'static [&'static str]),
    Switch,
}

/// Which commands take a setting.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Connection,
    Wechat,
    Redis,
}

const fn setting(key: &'static str, variable: &'static str, kind: Kind, group: Group, help: &'static str) -> Setting {
    Setting { key, variable, kind, group, help }
}

use Group::{Connection, Redis, Wechat};
use Kind::{Choice, Secret, Switch, Text, Url};

pub(crate) const SETTINGS: &[Setting] = &[
    setting("host", "GENAUTH_HOST", Text("URL"), Connection, "The server, such as https://example.genauth.ai"),
    setting("app_id", "GENAUTH_APP_ID", Text("ID"), Connection, "The id of the GenAuth application that calls"),
    setting("app_secret", "GENAUTH_APP_SECRET", Secret, Connection, "The secret of the GenAuth application"),
    setting("access_token", "GENAUTH_ACCESS_TOKEN", Secret, Connection, "The access token of a signed-in user"),
    setting("access_key_id", "GENAUTH_ACCESS_KEY_ID", Text("ID"), Connection, "The id of an access key"),
    setting("access_key_secret", "GENAUTH_ACCESS_KEY_SECRET", Secret, Connection, "The secret of the access key"),
    setting(
        "access_key_use",
        "GENAUTH_ACCESS_KEY_USE",
        Choice(&["signature", "management-token"]),
        Connection,
        "Whether the access key signs requests or fetches a token for them; to sign otherwise",
    ),
    setting(
        "client_authentication",
        "GENAUTH_CLIENT_AUTHENTICATION",
        Choice(&["basic", "post", "none"]),
        Connection,
        "How the application proves itself where an operation takes its secret; basic otherwise",
    ),
    setting("tenant_id", "GENAUTH_TENANT_ID", Text("ID"), Connection, "The tenant that access key calls are for"),
    setting(
        "tenant_header",
        "GENAUTH_TENANT_HEADER",
        Choice(&["app-tenant-id", "tenant-id", "app-id"]),
        Connection,
        "The header that names the tenant, behind the brand's prefix; app-tenant-id otherwise",
    ),
    setting(
        "dialect",
        "GENAUTH_DIALECT",
        Choice(&["genauth", "authing"]),
        Connection,
        "Which brand's headers to send; by the host otherwise",
    ),
    setting(
        "lang",
        "GENAUTH_LANG",
        Choice(&["zh-CN", "en-US", "zh-TW", "ja-JP"]),
        Connection,
        "The language of the server's messages; zh-CN otherwise",
    ),
    setting("timeout", "GENAUTH_TIMEOUT", Text("SECONDS"), Connection, "How long a call may take; 10 otherwise"),
    setting(
        "retries",
        "GENAUTH_RETRIES",
        Text("NUMBER"),
        Connection,
        "How often to try again what may succeed without a change; 2 otherwise",
    ),
    setting(
        "root_certificates",
        "GENAUTH_ROOT_CERTIFICATES",
        Text("FILE"),
        Connection,
        "A PEM file of certificates to trust besides the system's",
    ),
    setting(
        "dangerously_allow_plain_http",
        "GENAUTH_DANGEROUSLY_ALLOW_PLAIN_HTTP",
        Switch,
        Connection,
        "Send secrets unencrypted to an http:// host that is not this machine",
    ),
    setting(
        "wechat_app_id",
        "WECHAT_APP_ID",
        Text("ID"),
        Wechat,
        "AppId of the WeChat mini program or official account",
    ),
    setting("wechat_app_secret", "WECHAT_APP_SECRET", Secret, Wechat, "Its AppSecret"),
    setting("redis", "GENAUTH_REDIS", Url, Redis, "A Redis in which a fleet shares its tokens, such as redis://host/"),
    setting(
        "redis_prefix",
        "GENAUTH_REDIS_PREFIX",
        Text("PREFIX"),
        Redis,
        "What its keys start with; genauth:wechat otherwise",
    ),
];

/// Shown without being asked for everything.
const FREQUENT: &[&str] = &["host", "app_id", "app_secret", "wechat_app_id", "wechat_app_secret", "redis"];

impl Setting {
    pub(crate) fn option(&self) -> String {
        self.key.replace('_', "-")
    }

    fn args(&self) -> Vec<Arg> {
        let heading = match self.group {
            Connection => "Server and credentials",
            Wechat => "WeChat app",
            Redis => "Token cache",
        };
        let arg = |option: &str| Arg::new(id(option)).long(option.to_owned()).help_heading(heading);
        let frequent = FREQUENT.contains(&self.key);
        let (option, variable, help) = (self.option(), self.variable, self.help);
        let named = format!("{help} [env: {variable}]");
        match self.kind {
            Text(value) => vec![arg(&option).value_name(value).help(named).hide_short_help(!frequent)],
            Url => vec![arg(&option).value_name("URL").help(named).hide_short_help(!frequent)],
            Choice(values) => vec![
                arg(&option).value_name("WHICH").value_parser(values.to_vec()).help(named).hide_short_help(!frequent),
            ],
            Switch => vec![arg(&option).action(ArgAction::SetTrue).help(named).hide_short_help(!frequent)],
            Secret => {
                let file = format!("{option}-file");
                let in_file = format!("{help}, in a file; - for stdin [env: {variable}, {variable}_FILE]");
                let warned = format!("{help}; others on this machine can see it here, so use another way");
                vec![
                    arg(&file).value_name("FILE").help(in_file).hide_short_help(!frequent),
                    arg(&option).value_name("SECRET").help(warned).conflicts_with(id(&file)).hide_short_help(true),
                ]
            }
        }
    }
}

/// The options of these groups, and those that say where the rest is read from. Options called as one of `taken` are
/// left out.
pub(crate) fn args(groups: &[Group], taken: &[String]) -> Vec<Arg> {
    let profile = Arg::new(id("profile")).long("profile").value_name("NAME");
    let profile = profile.help("The profile of the configuration file [env: GENAUTH_PROFILE]");
    let file = Arg::new(id("config")).long("config").value_name("FILE");
    let file = file.help("The configuration file; the platform's genauth/config.toml otherwise [env: GENAUTH_CONFIG]");
    let general = [profile, file].map(|arg| arg.help_heading("Server and credentials").hide_short_help(true));
    let settings = SETTINGS.iter().filter(|setting| groups.contains(&setting.group)).flat_map(Setting::args);
    let free = |arg: &Arg| arg.get_long().is_none_or(|long| !taken.iter().any(|taken| taken == long));
    settings.chain(general).filter(free).collect()
}

fn id(option: &str) -> String {
    // So that no field of an operation has the same.
    format!("setting:{option}")
}

/// The value of an option that a command may not have.
fn given<T: Clone + Send + Sync + 'static>(arguments: &[&ArgMatches], option: &str) -> Option<T> {
    arguments.iter().rev().find_map(|level| level.try_get_one::<T>(&id(option)).ok().flatten().cloned())
}

/// What was told, each from the first of these places where it is: options, environment, configuration file.
pub(crate) struct Settings(BTreeMap<&'static str, SecretString>);

impl Settings {
    /// `arguments` from the outermost command inwards.
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
        Ok(Self(values))
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
        Self(values.into_iter().map(|(key, value)| (key, value.into())).collect())
    }

    /// In the order of the table, with their variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static Setting, &str)> {
        SETTINGS.iter().filter_map(|setting| Some((setting, self.text(setting.key)?)))
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(SecretString::expose_secret)
    }

    pub(crate) fn secret(&self, key: &str) -> Option<SecretString> {
        self.0.get(key).cloned()
    }

    /// A value that the user was asked for.
    pub(crate) fn set(&mut self, key: &'static str, value: SecretString) {
        self.0.insert(key, value);
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
                "--{option}: others on this machine can see what stands on the command line; set {variable} instead"
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
            Failure::configuration(format!("{place} is none of {}; correct it or leave it out", known.join(", ")))
        })
    }
}

/// An environment variable; an empty one is none.
fn variable(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::configuration(format!("the environment variable {name} is not UTF-8; set it anew")))
        }
    }
}
