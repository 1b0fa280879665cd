//! `genauth openapi`, `schema`, `completions` and `man`: what the program knows about the API and itself.

use crate::failure::Failure;
use crate::output;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use clap_complete::Shell;
use std::path::PathBuf;

pub(crate) fn commands() -> [Command; 4] {
    let names: Vec<&str> = genauth::schema::names().collect();
    [
        Command::new("openapi").about("Prints the OpenAPI document that this program was made from"),
        Command::new("schema").about("Prints the JSON Schema of a type of the document, or the names of all").arg(
            Arg::new("type")
                .value_name("TYPE")
                .value_parser(names)
                .hide_possible_values(true)
                .help("Such as GetWechatAccessTokenDto"),
        ),
        Command::new("completions")
            .about("Prints a script with which a shell completes this program's commands and options")
            .long_about(
                "Prints a script with which a shell completes this program's commands and options. For bash: \
                 genauth completions bash > ~/.local/share/bash-completion/completions/genauth",
            )
            .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell))),
        Command::new("man").about("Prints the manual page of this program or of one of its commands").args([
            Arg::new("command").value_name("COMMAND").action(ArgAction::Append).help("Such as: api get-profile"),
            Arg::new("directory")
                .long("directory")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .conflicts_with("command")
                .help("Write the pages of all commands there instead"),
        ]),
    ]
}

pub(crate) fn openapi() -> Result<(), Failure> {
    output::bytes(genauth::OPENAPI.as_bytes())
}

pub(crate) fn schema(arguments: &ArgMatches) -> Result<(), Failure> {
    match arguments.get_one::<String>("type") {
        Some(name) => output::json(&genauth::schema::of(name)),
        None => output::data(&genauth::schema::names().collect::<Vec<_>>().join("\n")),
    }
}

pub(crate) fn completions(arguments: &ArgMatches, mut tree: Command) -> Result<(), Failure> {
    let Some(shell) = arguments.get_one::<Shell>("shell") else { return Ok(()) };
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut tree, "genauth", &mut script);
    output::bytes(&script)
}

pub(crate) fn man(arguments: &ArgMatches, mut root: Command) -> Result<(), Failure> {
    root.build();
    if let Some(directory) = arguments.get_one::<PathBuf>("directory") {
        return clap_mangen::generate_to(root, directory)
            .map_err(|error| Failure::other(format!("{} cannot be written to: {error}", directory.display())));
    }
    let mut command = &root;
    for name in arguments.get_many::<String>("command").into_iter().flatten() {
        command = command.find_subcommand(name).ok_or_else(|| {
            Failure::usage("there is no such command; `genauth --help` and `genauth api --help` list them")
        })?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page).map_err(|error| Failure::output(&error))?;
    output::bytes(&page)
}
