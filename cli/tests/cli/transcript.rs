//! The transcript in `docs/cli.md`, played again.

use crate::program::{BINARY, clean};
use std::path::Path;
use std::process::Command;

/// The commands of the transcript, each with what it shows.
fn transcript() -> Vec<(String, String)> {
    let readme = include_str!("../../../docs/cli.md");
    let block = readme.split("```console\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let mut steps: Vec<(String, String)> = Vec::new();
    let mut lines = block.lines();
    while let Some(line) = lines.next() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => {
                let mut command = command.to_owned();
                while command.ends_with('\\') {
                    command.push('\n');
                    command.push_str(lines.next().unwrap());
                }
                steps.push((command, String::new()));
            }
            (None, Some((_, shown))) => shown.extend([line, "\n"]),
            (None, None) => panic!("what does this show? {line}"),
        }
    }
    steps
}

/// The text without what differs from one run to the next: times, and the ports of mock servers.
fn settled(text: &str) -> String {
    let mut settled = String::new();
    let mut digits = false;
    for letter in text.trim_end().chars() {
        if letter.is_ascii_digit() && !digits {
            settled.push('#');
        } else if !letter.is_ascii_digit() {
            settled.push(letter);
        }
        digits = letter.is_ascii_digit();
    }
    settled
}

#[test]
fn the_transcript_in_the_documentation_is_what_the_program_shows() {
    let folder = Path::new(BINARY).parent().unwrap().display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let steps = transcript();
    assert!(steps.len() >= 4, "{steps:?}");
    let mut before = String::new();
    for (command, shown) in steps {
        let mut shell = Command::new("sh");
        let script = format!("{before}{{ {command}\n}} 2>&1");
        let output = clean(&mut shell).args(["-c", &script]).env("PATH", &path).output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        assert_eq!(settled(&output), settled(&shown), "$ {command}\n{output}");
        if command.starts_with("export ") {
            before = format!("{command}\n");
        }
    }
}
