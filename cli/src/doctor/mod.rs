//! `genauth doctor`: what is fine, what is not, and what to do about it.
//!
//! The checks run in the order in which things can go wrong. A check that cannot succeed because an earlier one failed
//! is skipped, so that one fault makes one finding.

mod certificate;
mod finding;
mod network;
mod service;
mod store;

use crate::failure::{Exit, Failure};
use crate::settings::{self, Group, Settings};
use crate::{arguments, connect, output, spinner};
use clap::{ArgMatches, Command};
use finding::Report;
use genauth::Client;
use genauth::mock::MockGenAuth;

pub(crate) fn command() -> Command {
    Command::new("doctor")
        .about("Checks what a call needs, in order, and says what to do about what fails")
        .defer(with_details)
}

fn with_details(command: Command) -> Command {
    command
        .long_about(
            "Checks what a call needs, in order, and says what to do about what fails: configuration, DNS, TCP, TLS, \
             the server and its clock, the application's id and secret, the access key's signature, which of the four \
             endpoints for WeChat access tokens the host has, the WeChat app, and Redis. The endpoints are asked \
             without a WeChat app; a token is fetched only if one is set. The exit code is that of the first failure.",
        )
        .args([
            arguments::format(["table", "json"], "table, a line for each check; json, for a program"),
            arguments::demo("Check a mock server inside this program"),
        ])
        .args(settings::args(&[Group::Connection, Group::Wechat, Group::Redis], &[]))
}

pub(crate) async fn run(arguments: &ArgMatches) -> Result<(), Failure> {
    let mock = match arguments.get_flag("demo") {
        true => Some(
            MockGenAuth::start()
                .await
                .map_err(|error| Failure::other(format!("the mock server cannot start: {error}")))?,
        ),
        false => None,
    };
    let settings = match &mock {
        Some(mock) => Ok(Settings::of_mock(mock)),
        None => Settings::resolve(&[arguments]),
    };
    let report = spinner::during("checking", check(settings)).await;
    if arguments::format_of(arguments) == "json" {
        output::json(&report.json())?;
    } else {
        output::data(&report.text())?;
    }
    report.end()
}

async fn check(settings: Result<Settings, Failure>) -> Report {
    let mut report = Report::default();
    let configured = settings.and_then(|settings| {
        let client = connect::builder(connect::host(&settings)?, &settings)?.build()?;
        connect::redis(&settings)?;
        Ok((settings, client))
    });
    match configured {
        Ok((settings, client)) => {
            report.ok("configuration", format!("{}, {}", client.host(), credentials(&settings)));
            checks(&mut report, &settings, &client).await;
        }
        Err(failure) => {
            report.fail("configuration", Exit::Configuration, failure.line(), "");
            for check in network::CHECKS.iter().chain(service::CHECKS).chain([&store::CHECK]) {
                report.skip(check, "needs the configuration");
            }
        }
    }
    report
}

async fn checks(report: &mut Report, settings: &Settings, client: &Client) {
    match network::check(report, settings, client).await {
        Ok(clock) => service::check(report, settings, client, clock).await,
        Err(needed) => {
            for check in service::CHECKS {
                report.skip(check, format!("needs {needed}"));
            }
        }
    }
    store::check(report, settings).await;
}

fn credentials(settings: &Settings) -> String {
    let known = [
        ("app_id", "an app"),
        ("app_secret", "its secret"),
        ("access_token", "a user's token"),
        ("access_key_id", "an access key"),
    ];
    let held: Vec<&str> = known.iter().filter(|(key, _)| settings.text(key).is_some()).map(|(_, name)| *name).collect();
    if held.is_empty() { "without credentials".to_owned() } else { format!("with {}", held.join(", ")) }
}
