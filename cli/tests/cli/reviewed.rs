//! Texts of the program that are reviewed before they change: the help of its commands, and dry runs.
//!
//! `cargo run -p genauth-codegen -- refresh` has these tests write what they would compare, and takes over all of it.

use crate::program::{Program, genauth};
use std::collections::BTreeSet;
use std::path::Path;

const SNAPSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots");
/// The environment variable with the folder into which the tests write instead of comparing.
const INTO: &str = "GENAUTH_REFRESH_INTO";
const REFRESH: &str = "if that is meant, run `cargo run -p genauth-codegen -- refresh` and review the difference";

/// Holds a text against the snapshot that was reviewed.
#[track_caller]
fn reviewed(name: &str, text: &str) {
    if let Some(folder) = std::env::var_os(INTO) {
        return std::fs::write(Path::new(&folder).join(name), text).unwrap();
    }
    let known = std::fs::read_to_string(Path::new(SNAPSHOTS).join(name)).unwrap_or_default();
    assert!(known == text, "cli/tests/snapshots/{name} differs; {REFRESH}\n{text}");
}

/// The commands below one, as its help lists them.
pub fn below(command: &[&str]) -> Vec<String> {
    let help = genauth(&[command, &["--help"]].concat()).run().ok();
    // The subcommands of `api` are listed by group.
    let is_options = |line: &&str| ["Options:", "Server and credentials:"].contains(line);
    let lines = help.lines().skip_while(|line| !line.starts_with("Usage:")).take_while(|line| !is_options(line));
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())).map(str::to_owned).collect()
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
    if std::env::var_os(INTO).is_some() {
        return;
    }
    let known = std::fs::read_dir(SNAPSHOTS).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let gone: Vec<String> = known.filter(|name| name.starts_with("genauth") && !files.contains(name)).collect();
    assert!(gone.is_empty(), "these are of commands that are gone: {gone:?}; {REFRESH}");
}

/// A dry run of a host that is never asked.
fn dry_run(arguments: &[&str]) -> Program {
    let program = genauth(&[arguments, &["--dry-run"]].concat()).env("GENAUTH_HOST", "https://example.authing.cn/base");
    program.env("GENAUTH_APP_ID", "an app's id").env("GENAUTH_APP_SECRET", "canary-app-secret")
}

#[test]
fn a_dry_run_shows_what_would_be_sent_and_its_secrets_nowhere() {
    let wechat = ["api", "get-wechat-mp-access-token-info", "--app-id", "wx", "--app-secret-file", "-"];
    let sign_in = [
        "api",
        "sign-in-by-credentials",
        "--connection",
        "PASSWORD",
        "--password-payload.account",
        "o'neil",
        "--password-payload.password-file",
        "-",
    ];
    let key =
        |program: Program| program.env("GENAUTH_ACCESS_KEY_ID", "key").env("GENAUTH_ACCESS_KEY_SECRET", "canary-key");
    for (name, program) in [
        ("wechat", dry_run(&wechat)),
        ("basic", dry_run(&sign_in)),
        ("post", dry_run(&[&sign_in[..], &["--client-authentication", "post"]].concat())),
        ("user", dry_run(&["api", "get-profile", "--with-custom-data"]).env("GENAUTH_ACCESS_TOKEN", "canary-token")),
        ("signed", key(dry_run(&["api", "get-weixin-access-token", "--app-id", "wx", "--app-secret-file", "-"]))),
        (
            "managed",
            key(dry_run(&[
                "api",
                "get-weixin-access-token",
                "--app-id",
                "wx",
                "--app-secret-file",
                "-",
                "--access-key-use",
                "management-token",
            ])),
        ),
        (
            "tenant",
            key(dry_run(&[
                "api",
                "get-weixin-access-token",
                "--app-id",
                "wx",
                "--app-secret-file",
                "-",
                "--tenant-id",
                "tenant_1",
                "--tenant-header",
                "app-id",
            ])),
        ),
        (
            "undescribed",
            dry_run(&["call", "PUT", "/api/v3/x?a=canary-query", "--query", "b=canary query", "--body", "-"]),
        ),
    ] {
        let stdin =
            if name == "undescribed" { r#"{"deep":[{"er":"canary-body"},1,true,null]}"# } else { "canary\"secret" };
        let shown = program.stdin(stdin).run().ok();
        assert!(!shown.contains("canary"), "{shown}");
        // A signature's nonce and date are never the same.
        let lines = shown.lines().map(|line| {
            let fresh =
                ["signature-nonce: ", "date: "].iter().find_map(|name| Some((line.find(name)? + name.len(), line)));
            fresh.map_or_else(|| line.to_owned(), |(at, line)| format!("{}…", &line[..at]))
        });
        reviewed(&format!("dry-run-{name}.txt"), &(lines.collect::<Vec<_>>().join("\n") + "\n"));
    }
    let none = genauth(&["api", "get-profile", "--dry-run"]).env("GENAUTH_HOST", "https://example.com").run().fails(3);
    assert!(none.contains("give --app-id and --access-token-file"), "{none}");
}
