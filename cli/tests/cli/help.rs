//! The tree of commands, and what each says of itself.

use crate::program::{genauth, reviewed};
use std::collections::BTreeSet;
use std::path::Path;

/// The commands below one, as its help lists them.
fn below(command: &[&str]) -> Vec<String> {
    let help = genauth(&[command, &["--help"]].concat()).run().ok();
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

fn tree() -> Vec<Vec<String>> {
    let mut open = vec![Vec::new()];
    let mut all = Vec::new();
    while let Some(command) = open.pop() {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        open.extend(below(&words).into_iter().map(|name| [command.as_slice(), &[name]].concat()));
        all.push(command);
    }
    all
}

#[test]
fn the_help_of_every_command_is_the_one_that_was_reviewed() {
    let mut files = BTreeSet::new();
    for command in tree() {
        let name = [&["genauth".to_owned()], command.as_slice()].concat().join("-") + ".txt";
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let [short, long] = ["-h", "--help"].map(|help| genauth(&[words.as_slice(), &[help]].concat()).run().ok());
        reviewed(&name, &format!("{short}\n{}\n{long}", "-".repeat(100)));
        files.insert(name);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let known = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let gone: Vec<String> = known.filter(|name| name.starts_with("genauth") && !files.contains(name)).collect();
    assert!(gone.is_empty(), "these commands are gone, delete their snapshots: {gone:?}");
}

#[test]
fn every_operation_is_a_command_and_a_deprecated_one_says_so() {
    let commands: BTreeSet<String> = below(&["api"]).into_iter().collect();
    let named: BTreeSet<String> =
        genauth::operations().iter().map(|operation| operation.method_name.replace('_', "-")).collect();
    assert_eq!(commands, named);
    for operation in genauth::operations() {
        // By its id as well.
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
