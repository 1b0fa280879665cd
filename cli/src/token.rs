//! `genauth token`: a WeChat access token.

use crate::ending::told_to_end;
use crate::failure::{Exit, Failure};
use crate::rows::Rows;
use crate::settings::{self, Group, Settings};
use crate::sink::Sink;
use crate::{arguments, clock, connect, curl, output, secret_input, spinner};
use clap::{Arg, ArgAction, ArgMatches, Command};
use genauth::mock::MockGenAuth;
use genauth::types::GetWechatAccessTokenDto;
use genauth::wechat::{AccessToken, AppTokens, RedisStore, TokenCache};
use genauth::{Client, Error, Operation, UnixTimestamp};
use serde_json::json;
use std::time::Duration;

/// The operation that returns the token for an app's credentials.
const FOR_APPS: &str = "getWechatMpAccessTokenInfo";
/// The operation that returns the token for an access key.
const FOR_ACCESS_KEYS: &str = "getWeixinAccessToken";

/// The operations that return a token, the current one first.
pub(crate) fn operations() -> Vec<&'static Operation> {
    let first = Operation::by_id(FOR_APPS).into_iter();
    first
        .flat_map(|first| [first.id].into_iter().chain(first.siblings.iter().copied()))
        .filter_map(Operation::by_id)
        .collect()
}

/// The operation to call unless another is named.
pub(crate) fn default_operation(settings: &Settings) -> &'static str {
    let by_access_key = settings.text("access_key_id").is_some() && settings.text("app_id").is_none();
    if by_access_key { FOR_ACCESS_KEYS } else { FOR_APPS }
}

pub(crate) fn command() -> Command {
    let ids: Vec<&str> = operations().iter().map(|operation| operation.id).collect();
    Command::new("token")
        .about("Fetches the WeChat access token that the server keeps")
        .long_about(
            "Fetches the WeChat access token that the server keeps. With --redis it comes through the cache that a \
             fleet shares, and the server is only asked if that has none.",
        )
        .args([
            arguments::format(
                ["table", "json", "value", "env"],
                "table, for people; json, the envelope; value, only the token; env, a line for a shell",
            ),
            Arg::new("sink")
                .long("sink")
                .value_name("FILE")
                .help("Write the token to a file that only this user can read"),
            Arg::new("watch")
                .long("watch")
                .action(ArgAction::SetTrue)
                .requires("sink")
                .help("Keep running, and write the next token in time, until stopped"),
            Arg::new("show").long("show").action(ArgAction::SetTrue).help("Show the whole token in the table"),
            arguments::demo("Ask a mock server inside this program; no account and no configuration is needed"),
            Arg::new("operation")
                .long("operation")
                .value_name("ID")
                .value_parser(ids)
                .help("Which operation to ask; by the credentials otherwise")
                .hide_short_help(true),
        ])
        .args(settings::args(&[Group::Connection, Group::Wechat, Group::Redis], &[]))
        .after_help(
            "In a shell: eval \"$(genauth token --format env)\"\n\
             For another program: genauth token --watch --sink /run/shop/token",
        )
}

/// Where to ask, for which WeChat app, and by which operation.
struct Question {
    client: Client,
    app: GetWechatAccessTokenDto,
    operation: &'static str,
    redis: Option<RedisStore>,
    /// The mock, which is kept here because it stops when it is dropped.
    mock: Option<MockGenAuth>,
}

/// A token, and the envelope that it came in.
struct Fetched {
    envelope: String,
    token: String,
    expires_at: UnixTimestamp,
}

pub(crate) async fn run(arguments: &ArgMatches) -> Result<(), Failure> {
    let question = if arguments.get_flag("demo") { Question::demo(arguments).await? } else { Question::of(arguments)? };
    let format = arguments::format_of(arguments);
    let operation = Operation::by_id(question.operation);
    if let Some(path) = arguments.get_one::<String>("sink") {
        return question.write_to(&Sink::new(path), format, arguments.get_flag("watch")).await;
    }
    let fetched = match spinner::during("asking for the token", question.ask()).await {
        Ok(fetched) => fetched,
        Err(error) => {
            if format == "json" {
                refusal(&error)?;
            }
            return Err(Failure::call(&error, operation));
        }
    };
    match format {
        "json" => output::data(&fetched.envelope),
        "value" => output::data(&fetched.token),
        "env" => output::data(&format!("export WECHAT_ACCESS_TOKEN={}", curl::quoted(&fetched.token))),
        _ => output::data(&table(&question, &fetched, arguments.get_flag("show"))),
    }
}

/// Prints the envelope of a refusal, as far as it is known to hold no secret.
pub(crate) fn refusal(error: &Error) -> Result<(), Failure> {
    let Some(status_code) = error.status_code().filter(|_| Exit::from(error.kind()) == Exit::Refused) else {
        return Ok(());
    };
    let mut envelope = json!({ "statusCode": status_code, "message": error.server_message().unwrap_or_default() });
    if let Some(code) = error.api_code() {
        envelope["apiCode"] = code.into();
    }
    if let Some(id) = error.request_id() {
        envelope["requestId"] = id.into();
    }
    output::json(&envelope)
}

impl Question {
    async fn demo(arguments: &ArgMatches) -> Result<Self, Failure> {
        let mock = MockGenAuth::start().await;
        let mock = mock.map_err(|error| Failure::other(format!("the mock server cannot start: {error}")))?;
        Ok(Self {
            client: mock.client_builder().build()?,
            app: GetWechatAccessTokenDto {
                app_id: mock.wechat_app_id().to_owned(),
                app_secret: mock.wechat_app_secret().into(),
            },
            operation: chosen(arguments).unwrap_or(FOR_APPS),
            redis: None,
            mock: Some(mock),
        })
    }

    fn of(arguments: &ArgMatches) -> Result<Self, Failure> {
        let mut settings = Settings::resolve(&[arguments])?;
        let client = connect::client(&mut settings)?;
        let app_id = settings.text("wechat_app_id").map(str::to_owned).ok_or_else(|| {
            Failure::configuration("no WeChat app is set; give --wechat-app-id, or set WECHAT_APP_ID")
        })?;
        let app_secret = match settings.secret("wechat_app_secret") {
            Some(secret) => Some(secret),
            None => secret_input::ask("The AppSecret of the WeChat app")?,
        };
        let app_secret = app_secret.ok_or_else(|| {
            Failure::configuration(
                "the WeChat app's secret is missing; give --wechat-app-secret-file, or set WECHAT_APP_SECRET",
            )
        })?;
        let operation = chosen(arguments).unwrap_or_else(|| default_operation(&settings));
        let redis = connect::redis(&settings)?;
        Ok(Self { client, app: GetWechatAccessTokenDto { app_id, app_secret }, operation, redis, mock: None })
    }

    /// Writes the token to a file for another program, once or for as long as this runs.
    async fn write_to(&self, sink: &Sink, format: &str, watch: bool) -> Result<(), Failure> {
        let cache = TokenCache::builder(self.client.clone()).operation(self.operation);
        let cache = match &self.redis {
            Some(store) => cache.redis(store.clone()).build()?,
            None => cache.build()?,
        };
        let tokens = cache.app(&self.app);
        let first = tokens.get().await.map_err(|error| Failure::call(&error, Operation::by_id(self.operation)))?;
        sink.write(&line(&first, format))?;
        if watch {
            output::say("the token is written, and the next one will be in time; stop with Ctrl-C or SIGTERM");
            tokio::select! {
                failed = keep_written(&tokens, first, sink, format) => return Err(failed),
                () = told_to_end() => {}
            }
        }
        // What is held in a shared store is released, so that no other process waits for it.
        cache.close().await;
        Ok(())
    }

    async fn ask(&self) -> Result<Fetched, Error> {
        match &self.redis {
            Some(store) => self.ask_cache(store.clone()).await,
            None => self.ask_server().await,
        }
    }

    async fn ask_server(&self) -> Result<Fetched, Error> {
        let app = json!({ "appId": self.app.app_id, "appSecret": self.app.app_secret.expose_secret() });
        let fields = app.as_object().cloned().unwrap_or_default();
        let answer = self.client.invoke(self.operation, fields).await?;
        let token = answer["accessToken"].as_str().unwrap_or_default().to_owned();
        let expires_at = UnixTimestamp::from_secs(answer["expiresAt"].as_i64().unwrap_or_default());
        let envelope = output::pretty(&answer);
        Ok(Fetched { envelope, token, expires_at })
    }

    async fn ask_cache(&self, store: RedisStore) -> Result<Fetched, Error> {
        let cache = TokenCache::builder(self.client.clone()).operation(self.operation).redis(store).build()?;
        let token = cache.get(&self.app).await?;
        let shared = cache.stats().iter().any(|(_, stats)| stats.shared > 0);
        let message = if shared { "taken over from Redis" } else { "fetched from the server" };
        let data = json!({ "accessToken": token.expose_secret(), "expiresAt": token.expires_at().as_secs() });
        Ok(Fetched {
            envelope: output::pretty(&json!({ "statusCode": 200, "message": message, "data": data })),
            token: token.expose_secret().to_owned(),
            expires_at: token.expires_at(),
        })
    }
}

/// Writes each next token, until the file cannot be written. If a refresh brings none, the last one stays, and the
/// cache has logged why.
async fn keep_written(tokens: &AppTokens, mut written: AccessToken, sink: &Sink, format: &str) -> Failure {
    loop {
        // Asking the cache costs nothing; it only asks the server when the token is due.
        let pause = match written.remaining(clock::now()) {
            Duration::ZERO => Duration::from_secs(10),
            left => (left / 20).clamp(Duration::from_millis(100), Duration::from_secs(10)),
        };
        tokio::time::sleep(pause).await;
        match tokens.get().await {
            Ok(token) if token.expose_secret() != written.expose_secret() => {
                if let Err(failure) = sink.write(&line(&token, format)) {
                    return failure;
                }
                written = token;
            }
            Ok(_) => {}
            Err(error) if written.remaining(clock::now()).is_zero() => {
                output::warning(&format!("the token in the file has expired, and there is no other: {error}"));
            }
            Err(_) => {}
        }
    }
}

/// What is written to the file: the token alone, unless another format is asked for.
fn line(token: &AccessToken, format: &str) -> String {
    let (secret, expires_at) = (token.expose_secret(), token.expires_at().as_secs());
    match format {
        "json" => format!("{}\n", json!({ "access_token": secret, "expires_at": expires_at })),
        "env" => format!("WECHAT_ACCESS_TOKEN={}\n", curl::quoted(secret)),
        _ => secret.to_owned(),
    }
}

fn chosen(arguments: &ArgMatches) -> Option<&'static str> {
    let id = arguments.get_one::<String>("operation")?;
    Operation::by_id(id).map(|operation| operation.id)
}

fn table(question: &Question, fetched: &Fetched, show: bool) -> String {
    let demo = question.mock.is_some();
    // A mock's token is good for nothing, so it is not a secret.
    let token = if show || demo { fetched.token.clone() } else { shortened(&fetched.token) };
    let left = fetched.expires_at.remaining(clock::now());
    let mut rows = Rows::default();
    rows.add("token", token);
    rows.add("expires at", format!("{}, in {}", fetched.expires_at, in_words(left)));
    rows.add("WeChat app", question.app.app_id.clone());
    rows.add(
        "from",
        match &question.mock {
            Some(mock) => format!("{} of a mock server at {}", question.operation, mock.url()),
            None => format!("{} of {}", question.operation, question.client.host()),
        },
    );
    rows.text()
}

fn shortened(token: &str) -> String {
    // This is enough to tell two tokens apart, and no more than a quarter of one.
    let shown = (token.chars().count() / 4).min(6);
    token.chars().take(shown).chain(['…']).collect()
}

fn in_words(left: Duration) -> String {
    let minutes = left.as_secs().div_ceil(60);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
