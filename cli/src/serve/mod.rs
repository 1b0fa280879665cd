//! `genauth serve`: a token server for the fleet, which speaks as WeChat does, for programs in any language.

// `apps` holds the apps whose tokens are served, `wechat` what WeChat would answer, `server` is HTTP, `address` where
// it listens, and `metrics` what can be observed.
mod address;
mod apps;
mod metrics;
mod server;
mod wechat;

use crate::failure::Failure;
use crate::settings::{self, Group, Settings};
use crate::{arguments, connect, output};
use address::Address;
use apps::Apps;
use clap::{ArgMatches, Command};
use genauth::mock::MockGenAuth;
use genauth::wechat::TokenCache;
use server::{Needs, Server};

pub(crate) fn command() -> Command {
    Command::new("serve")
        .about("Serves WeChat access tokens to programs in any language, as WeChat itself does")
        .long_about(
            "Serves WeChat access tokens to programs in any language, at the paths and in the words of WeChat itself: \
             GET /cgi-bin/token and POST /cgi-bin/stable_token. They use their ordinary WeChat library, with this \
             address instead of https://api.weixin.qq.com. The GenAuth server is asked for each token once per \
             lifetime, however many callers ask here; with --redis it is shared with other servers and with programs \
             that use the library.\n\n\
             /healthz says that the server runs, /readyz whether there is a token for each app, and /metrics has \
             metrics for Prometheus. The log on stderr is JSON lines. SIGTERM lets requests finish and releases what is \
             held in Redis.\n\n\
             On this machine anybody may ask, unless there is a caller secret; elsewhere callers must send it, or the \
             AppSecret, as `secret`. Programs elsewhere need TLS in front of this.",
        )
        .args([arguments::demo("Get the tokens from a mock server inside this program; nothing needs to be configured")])
        .args(settings::args(&[Group::Connection, Group::Wechat, Group::Redis, Group::Serve], &[]))
        .after_help(
            "For more than one WeChat app, write a table for each into the configuration file:\n\n  \
             [wechat_apps.wx0123456789abcdef]\n  secret_file = \"shop.secret\"     # or secret, if only you can read the file",
        )
}

pub(crate) fn run(arguments: &ArgMatches) -> Result<(), Failure> {
    // The warnings of other crates are logged as well: a failure that no caller sees must show somewhere.
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_span_list(false);
    let _ = log.with_writer(std::io::stderr).with_max_level(tracing::Level::INFO).try_init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::other(format!("the event loop cannot start: {error}")))?;
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: &ArgMatches) -> Result<(), Failure> {
    let mut settings = Settings::resolve(&[arguments])?;
    let mock = if arguments.get_flag("demo") { Some(start_mock().await?) } else { None };
    let (client, apps) = match &mock {
        Some(mock) => {
            let app = (mock.wechat_app_id().to_owned(), mock.wechat_app_secret().into());
            (mock.client_builder().build()?, vec![app])
        }
        None => (connect::client(&mut settings)?, settings.wechat_apps()?),
    };
    if apps.is_empty() {
        return Err(Failure::configuration(
            "no WeChat app is set; give --wechat-app-id with its secret, or a table [wechat_apps.ID] in the configuration file",
        ));
    }
    let caller_secret = settings.secret("caller_secret");
    let address = Address::parse(settings.text("listen").unwrap_or("127.0.0.1:4020"))?;
    if !address.is_of_this_machine() && caller_secret.is_none() {
        return Err(Failure::configuration(
            "others can reach that address, and no caller secret is set; give --caller-secret-file, or listen on \
             127.0.0.1 or unix:PATH",
        ));
    }
    let mut cache = TokenCache::builder(client);
    if let Some(store) = connect::redis(&settings)? {
        cache = cache.redis(store);
    }
    let cache = cache.build()?;
    let listener = address.bind().await?;
    let apps = Apps::new(&cache, apps);
    if mock.is_some() {
        output::say("WeChat does not accept a mock's tokens. Try:");
        if let Some(example) = apps.example(listener.name()) {
            output::say(&format!("  {example}"));
        }
    }
    let needs = Needs { caller_secret, browsers_get_here: listener.is_open_to_browsers() };
    Server::new(apps, needs).run(listener).await;
    // What is held in a shared store is released, so that no other process waits for it.
    cache.close().await;
    tracing::info!("stopped");
    Ok(())
}

async fn start_mock() -> Result<MockGenAuth, Failure> {
    let mock = MockGenAuth::start().await;
    mock.map_err(|error| Failure::other(format!("the mock server cannot start: {error}")))
}
