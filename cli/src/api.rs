//! `genauth api`: every operation of the document as a subcommand, built from the document when it is needed.

use crate::document::{self, Document};
use crate::failure::Failure;
use crate::secrecy::Secrecy;
use crate::settings::{self, Group, Settings};
use crate::{arguments, connect, dry_run, fields, output, spinner, token};
use clap::{Arg, ArgMatches, Command};
use genauth::{Client, Error, Operation, Response};
use serde_json::Value;

pub(crate) fn command() -> Command {
    Command::new("api")
        .about("Calls an operation of the API; each is a subcommand with its fields as options")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .defer(with_operations)
}

fn with_operations(command: Command) -> Command {
    let document = Document::parse();
    command
        // The template lists the operations by group, in place of one list of all subcommands: `before_help` would be
        // wrapped without its indentation. Every option but `--help` is under this heading anyway.
        .help_template(format!(
            "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}Server and credentials:\n{{options}}{{after-help}}",
            by_group(&document)
        ))
        .after_help(
            "If an option of a subcommand has the name of one of these, such as --app-id, it is the field; the \
             credential is then given before the subcommand: \
             genauth api --app-id ID get-wechat-mp-access-token-info --app-id wx…",
        )
        .args(settings::args(&[Group::Connection], &[]))
        .subcommands(genauth::operations().iter().map(|operation| subcommand(operation, &document)))
}

/// The operations, each group under its description: a flat list of a hundred says little.
fn by_group(document: &Document) -> String {
    let names: Vec<String> = genauth::operations().iter().map(name).collect();
    let width = names.iter().map(String::len).max().unwrap_or_default();
    let mut text = String::new();
    for (tag, about) in document.groups() {
        let of_tag = genauth::operations().iter().zip(&names).filter(|(operation, _)| document.group(operation) == tag);
        let lines = of_tag.map(|(operation, name)| format!("  {name:width$}  {}\n", about_of(operation)));
        text.push_str(&format!("{}:\n{}\n", about.trim_end_matches('.'), lines.collect::<String>()));
    }
    text
}

fn about_of(operation: &Operation) -> String {
    let mark = if operation.deprecated { "[deprecated] " } else { "" };
    let about = format!("{mark}{}", operation.summary.trim_end_matches('.'));
    match operation.replaced_by.and_then(Operation::by_id) {
        Some(replacement) => format!("{about}; use {}", name(replacement)),
        None => about,
    }
}

fn name(operation: &Operation) -> String {
    operation.method_name.replace('_', "-")
}

fn subcommand(operation: &'static Operation, document: &Document) -> Command {
    let own = arguments::of_request();
    let fields: Vec<Arg> = document.fields(operation).iter().flat_map(document::Field::args).collect();
    let taken: Vec<String> = fields.iter().chain(&own).filter_map(|arg| arg.get_long().map(str::to_owned)).collect();
    let about = about_of(operation);
    let long = format!("{} {}\n\n{}", operation.method, operation.path, document.description(operation));
    Command::new(name(operation))
        .alias(operation.id)
        .long_about(format!("{about}.\n\n{}", long.trim_end()))
        .about(about)
        .args(fields)
        .args(own)
        .args(settings::args(&[Group::Connection], &taken))
}

pub(crate) async fn run(arguments: &ArgMatches) -> Result<(), Failure> {
    let Some((chosen, inner)) = arguments.subcommand() else { return Ok(()) };
    let Some(operation) = genauth::operations().iter().find(|operation| name(operation) == chosen) else {
        return Ok(());
    };
    let mut settings = Settings::resolve(&[arguments, inner])?;
    let input = fields::collect(operation, &Document::parse(), inner)?;
    let call = async |client: Client| client.invoke(operation.id, input).await;
    send(call, operation.id, &mut settings, Some(operation), inner).await
}

/// Makes a call and prints the envelope, or only what is in it. A refusal's envelope is printed to stdout, too. In a
/// dry run, shows the request instead.
pub(crate) async fn send(
    call: impl AsyncFnOnce(Client) -> Result<Response<Value>, Error>,
    label: &str,
    settings: &mut Settings,
    operation: Option<&Operation>,
    arguments: &ArgMatches,
) -> Result<(), Failure> {
    let client = connect::client(settings)?;
    if arguments.get_flag("dry-run") {
        let secrecy = operation.map_or(Secrecy::Everything, |operation| Secrecy::Fields(operation.secret_fields));
        return dry_run::show(settings, &client, operation, secrecy, call).await;
    }
    let only_data = arguments::format_of(arguments) == "data";
    match spinner::during(label, call(client)).await {
        Ok(answer) if only_data => output::json(&*answer),
        Ok(answer) => output::json(&answer),
        Err(error) => {
            if !only_data {
                token::refusal(&error)?;
            }
            Err(Failure::call(&error, operation))
        }
    }
}
