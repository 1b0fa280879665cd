//! The tree of commands.

use crate::failure::EXIT_CODES;
use crate::{api, call, doctor, mock, reference, serve, token};
use clap::Command;

const ABOUT: &str = "WeChat access tokens from a GenAuth (Authing) server, and every other call of its V3 API";

const CONFIGURATION: &str = "\
Options take precedence over environment variables, and those over the configuration file,
which is genauth/config.toml where this platform keeps configuration (~/.config on Linux):

  host = \"https://example.genauth.ai\"    # for every profile
  profile = \"test\"                       # unless --profile says otherwise

  [profiles.test]
  app_id = \"64a0000000000000000000aa\"
  app_secret_file = \"test.secret\"        # or app_secret, if only you can read the file

Its keys are named like the options, with underscores. Secrets also come from environment
variables, a file (--…-file PATH), stdin (--…-file -) or, at a terminal, an answer that is not
shown.";

pub(crate) fn command() -> Command {
    Command::new("genauth")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .after_long_help(format!("{CONFIGURATION}\n\n{EXIT_CODES}"))
        .after_help("`genauth --help` also describes the configuration file and the exit codes.")
        .max_term_width(100)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommands([token::command(), serve::command()])
        .subcommands([api::command(), call::command(), doctor::command(), mock::command()])
        .subcommands(reference::commands())
}
