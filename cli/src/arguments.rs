//! The options that several commands have.

use clap::{Arg, ArgAction, ArgMatches};

/// The options of a request.
pub(crate) fn of_request() -> [Arg; 3] {
    let body = "A JSON object with the request's fields; - for stdin. Options take precedence over it";
    let dry_run = "Show the request, with its secrets struck out, and the same as curl; nothing is sent";
    [
        Arg::new("body").long("body").value_name("FILE").help(body),
        Arg::new("dry-run").long("dry-run").action(ArgAction::SetTrue).help(dry_run),
        format(["json", "data"], "json, the envelope; data, only what is in it"),
    ]
    .map(|arg| arg.help_heading("Request"))
}

/// The option for the output format, which is the first of these unless another is named.
pub(crate) fn format<const N: usize>(formats: [&'static str; N], help: &'static str) -> Arg {
    let format = Arg::new("format").long("format").short('f').value_name("FORMAT");
    format.value_parser(formats).default_value(formats[0]).help(help)
}

pub(crate) fn format_of(arguments: &ArgMatches) -> &str {
    arguments.get_one::<String>("format").map_or("", String::as_str)
}

pub(crate) fn demo(help: &'static str) -> Arg {
    Arg::new("demo").long("demo").action(ArgAction::SetTrue).help(help)
}
