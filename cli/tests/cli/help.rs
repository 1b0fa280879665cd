//! The tree of commands, and the help of each.

use crate::program::genauth;
use crate::reviewed::below;
use std::collections::BTreeSet;

#[test]
fn every_operation_is_a_command_and_a_deprecated_one_says_so() {
    let commands: BTreeSet<String> = below(&["api"]).into_iter().collect();
    let named: BTreeSet<String> =
        genauth::operations().iter().map(|operation| operation.method_name.replace('_', "-")).collect();
    assert_eq!(commands, named);
    for operation in genauth::operations() {
        // The operation's id works as well.
        let help = genauth(&["api", operation.id, "--help"]).run().ok();
        assert!(help.contains(operation.path), "{help}");
        assert_eq!(help.starts_with("[deprecated]"), operation.deprecated, "{help}");
        let replacement = operation.replaced_by.and_then(genauth::Operation::by_id);
        if let Some(replacement) = replacement {
            let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(&format!("; use {}.", replacement.method_name.replace('_', "-"))), "{help}");
        }
    }
}

#[test]
fn a_wrong_command_or_option_is_a_matter_of_usage() {
    for arguments in [&[][..], &["tokn"], &["token", "--nothing"], &["api"], &["api", "nothing"], &["token", "stray"]] {
        let run = genauth(arguments).run();
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(run.stderr.contains("Usage: genauth"), "{run:?}");
    }
    let run = genauth(&["tokn"]).run();
    assert!(run.stderr.contains("a similar subcommand exists: 'token'"), "{run:?}");
    assert_eq!(genauth(&["--version"]).run().ok(), concat!("genauth ", env!("CARGO_PKG_VERSION"), "\n"));
}
