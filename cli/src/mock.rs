//! `genauth mock`: the mock server on a port, for people and for clients in other languages.

use crate::failure::Failure;
use crate::faults::{self, Fault};
use crate::rows::Rows;
use crate::settings::Settings;
use crate::{arguments, clock, curl, output, page};
use clap::{Arg, ArgAction, ArgMatches, Command};
use genauth::UnixTimestamp;
use genauth::mock::{MockExchange, MockGenAuth};
use serde_json::{Value, json};

pub(crate) fn command() -> Command {
    Command::new("mock")
        .about("Serves a mock of the API on this machine, with its reference at /")
        .long_about(
            "Serves a mock of the API on this machine, with its reference at /, until it is stopped. What it knows is \
             printed; it is not a secret. Each request is logged on stderr: its path, and what became of it.",
        )
        .args([
            Arg::new("port")
                .long("port")
                .short('p')
                .value_name("PORT")
                .value_parser(clap::value_parser!(u16))
                .default_value("4010")
                .help("The port to listen on; 0 for a free one"),
            Arg::new("fault")
                .long("fault")
                .value_name("KIND[@WHERE][=VALUE]")
                .action(ArgAction::Append)
                .help("A fault to inject; may be given more than once")
                .long_help(faults::help()),
            arguments::format(
                ["table", "json", "env"],
                "How to print what it knows: table, json, or env, lines for a shell",
            ),
            Arg::new("quiet").long("quiet").short('q').action(ArgAction::SetTrue).help("Log no requests"),
        ])
}

pub(crate) async fn run(arguments: &ArgMatches) -> Result<(), Failure> {
    let port = arguments.get_one::<u16>("port").copied().unwrap_or_default();
    let faults = arguments.get_many::<String>("fault").into_iter().flatten();
    let faults = faults.map(|text| Fault::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let mut builder = page::add(MockGenAuth::builder().port(port).record_nothing());
    if !arguments.get_flag("quiet") {
        builder = builder.on_exchange(log);
    }
    for fault in &faults {
        builder = fault.build(builder);
    }
    let server = builder.start().await.map_err(|error| {
        Failure::other(format!("port {port} cannot be used: {error}; choose another with --port, 0 for a free one"))
    })?;
    faults.into_iter().try_for_each(|fault| fault.set(&server))?;
    let knows = Settings::of_mock(&server);
    output::data(&match arguments::format_of(arguments) {
        "json" => {
            let values = knows.variables().map(|(setting, value)| (setting.variable.to_owned(), value.into()));
            output::pretty(&Value::Object(values.collect()))
        }
        "env" => {
            let line = |(name, value): (&str, &str)| format!("export {name}={}\n", curl::quoted(value));
            knows.variables().map(|(setting, value)| line((setting.variable, value))).collect()
        }
        _ => {
            let mut rows = Rows::default();
            rows.add("reference", format!("{}/", server.url()));
            knows.variables().for_each(|(setting, value)| rows.add(setting.variable, value));
            rows.add("user", format!("{}, password {}", MockGenAuth::USER_ACCOUNT, MockGenAuth::USER_PASSWORD));
            rows.add("user's token", MockGenAuth::USER_ACCESS_TOKEN);
            rows.text()
        }
    })?;
    std::future::pending().await
}

/// Logs a request and what became of it on one line, without headers, query and body, which may hold secrets.
fn log(exchange: &MockExchange<'_>) {
    let path = exchange.request.path.split('?').next().unwrap_or_default();
    let now = UnixTimestamp::from(clock::now());
    let Some(status) = exchange.http_status else {
        return output::say(&format!("{now} {} {path}: hung up", exchange.request.method));
    };
    let envelope: Value = serde_json::from_slice(exchange.body).unwrap_or_else(|_| json!({}));
    let code = envelope["statusCode"].as_i64().map(|code| format!(", statusCode {code}")).unwrap_or_default();
    let message = envelope["message"].as_str().filter(|_| envelope["statusCode"] != 200);
    let message = message.map(|message| format!(": {message}")).unwrap_or_default();
    output::say(&format!("{now} {} {path}: HTTP {status}{code}{message}", exchange.request.method));
}
