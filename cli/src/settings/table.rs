//! The table of settings, and their options.

use clap::{Arg, ArgAction};

/// A setting.
pub(crate) struct Setting {
    /// Its key in the configuration file. The option has the same name, with dashes.
    pub(crate) key: &'static str,
    pub(crate) variable: &'static str,
    pub(crate) kind: Kind,
    group: Group,
    help: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text, with the placeholder for it in the help.
    Text(&'static str),
    /// A secret, whose option has a twin that names a file with the secret.
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
    Serve,
}

const fn setting(key: &'static str, variable: &'static str, kind: Kind, group: Group, help: &'static str) -> Setting {
    Setting { key, variable, kind, group, help }
}

use Group::{Connection, Redis, Serve, Wechat};
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
        "How the application proves itself if an operation takes its secret; basic otherwise",
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
    setting(
        "listen",
        "GENAUTH_LISTEN",
        Text("ADDRESS"),
        Serve,
        "Where to listen, such as 127.0.0.1:4020, which is usual, or unix:/run/genauth.sock",
    ),
    setting("caller_secret", "GENAUTH_CALLER_SECRET", Secret, Serve, "The secret that callers must send as `secret`"),
];

/// The settings that the short help shows.
const FREQUENT: &[&str] =
    &["host", "app_id", "app_secret", "wechat_app_id", "wechat_app_secret", "redis", "listen", "caller_secret"];

impl Setting {
    pub(crate) fn option(&self) -> String {
        self.key.replace('_', "-")
    }

    fn args(&self) -> Vec<Arg> {
        let heading = match self.group {
            Connection => "Server and credentials",
            Wechat => "WeChat app",
            Redis => "Token cache",
            Serve => "Token server",
        };
        let frequent = FREQUENT.contains(&self.key);
        let arg = |option: &str| {
            Arg::new(id(option)).long(option.to_owned()).help_heading(heading).hide_short_help(!frequent)
        };
        let (option, variable, help) = (self.option(), self.variable, self.help);
        let named = format!("{help} [env: {variable}]");
        match self.kind {
            Text(value) => vec![arg(&option).value_name(value).help(named)],
            Url => vec![arg(&option).value_name("URL").help(named)],
            Choice(values) => vec![arg(&option).value_name("WHICH").value_parser(values.to_vec()).help(named)],
            Switch => vec![arg(&option).action(ArgAction::SetTrue).help(named)],
            Secret => {
                let file = format!("{option}-file");
                let in_file = format!("{help}, in a file; - for stdin [env: {variable}, {variable}_FILE]");
                let warned = format!("{help}; others on this machine can see it here, so use another way");
                vec![
                    arg(&file).value_name("FILE").help(in_file),
                    arg(&option).value_name("SECRET").help(warned).conflicts_with(id(&file)).hide_short_help(true),
                ]
            }
        }
    }
}

/// The options of these groups, and the options that name the configuration file and the profile. Options with a name
/// in `taken` are left out.
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

pub(super) fn id(option: &str) -> String {
    // The prefix keeps the id different from that of any field of an operation.
    format!("setting:{option}")
}
