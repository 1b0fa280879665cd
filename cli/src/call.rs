//! `genauth call`: any endpoint, described or not.

use crate::failure::Failure;
use crate::settings::{self, Group, Settings};
use crate::{api, arguments, fields};
use clap::{Arg, ArgAction, ArgMatches, Command};
use genauth::Client;
use http::Method;
use serde_json::Value;

pub(crate) fn command() -> Command {
    Command::new("call").about("Calls any endpoint, with the same credentials and envelope").defer(with_details)
}

fn with_details(command: Command) -> Command {
    command
        .long_about(
            "Calls any endpoint, with the same credentials and envelope. Only the app secret is not sent: an endpoint \
             that the document does not describe may not take it.",
        )
        .args([
            Arg::new("method").value_name("METHOD").required(true).help("GET, POST, …"),
            Arg::new("path").value_name("PATH").required(true).help("Such as /api/v3/get-profile"),
            Arg::new("query")
                .long("query")
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .help("A parameter of the query")
                .help_heading("Request"),
        ])
        .args(arguments::of_request())
        .mut_arg("body", |body| body.help("The JSON body; - for stdin"))
        .args(settings::args(&[Group::Connection], &[]))
}

pub(crate) async fn run(arguments: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| arguments.get_one::<String>(name).cloned().unwrap_or_default();
    let method = Method::from_bytes(text("method").to_ascii_uppercase().as_bytes())
        .map_err(|_| Failure::usage("METHOD: this is not an HTTP method; GET and POST are"))?;
    let mut path = text("path");
    let body = arguments.get_one::<String>("body").map(|file| fields::json_of(file)).transpose()?;
    if matches!(method, Method::GET | Method::DELETE) && body.is_some() {
        return Err(Failure::usage(format!("--body: a {method} request has no body; use --query")));
    }
    for pair in arguments.get_many::<String>("query").into_iter().flatten() {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(Failure::usage("--query: this is not NAME=VALUE"));
        };
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(&form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish());
    }
    let mut settings = Settings::resolve(&[arguments])?;
    let operation = genauth::operations()
        .iter()
        .find(|operation| operation.method == method && path.split('?').next() == Some(operation.path));
    let body = body.unwrap_or(Value::Null);
    let call = async |client: Client| match (method == Method::GET, &body) {
        (true, _) => client.call::<_, Value>(method, &path, &()).await,
        (false, body) => client.call(method, &path, body).await,
    };
    api::send(call, "waiting for the answer", &mut settings, operation, arguments).await
}
