//! `refresh`: makes all generated files that are checked in anew.

use genauth_codegen::checked_in::{GROUPS, checked_in};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitCode, Stdio};
use std::{env, fs, io};

/// Tests that compare texts of the program with what is checked in. If this variable names a folder, they write their
/// texts there.
const INTO: &str = "GENAUTH_REFRESH_INTO";
/// There is no `-p`, so that the build is the one that `cargo test` needs next.
const TESTS: [&str; 5] = ["test", "--test", "cli", "--", "reviewed::"];

/// The folder of what these tests make, and of nothing else.
const SNAPSHOTS: &str = "cli/tests/snapshots";

/// Returns 0 if everything is up to date in the end, and 1 otherwise.
pub fn run(only_check: bool) -> ExitCode {
    match refresh(only_check) {
        Ok(stale) if stale > 0 && only_check => {
            eprintln!("Run `cargo run -p genauth-codegen -- refresh`, and review the difference.");
            ExitCode::FAILURE
        }
        Ok(0) => {
            println!("Everything that is generated is up to date.");
            ExitCode::SUCCESS
        }
        Ok(_) => {
            println!("Review the difference, and run `cargo test`.");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// Makes all files, and returns how many were out of date.
fn refresh(only_check: bool) -> Result<usize, String> {
    let root = root()?;
    let lines = |violations: Vec<_>| violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let texts = checked_in(&root).map_err(lines)?;
    let stale = settle(&root, GROUPS, texts.into_iter().collect(), only_check)?;
    // The program is built from what was just written.
    let snapshots = snapshots(&root, only_check)?.into_iter().map(|(name, text)| (format!("{SNAPSHOTS}/{name}"), text));
    Ok(stale + settle(&root, SNAPSHOTS, snapshots.collect(), only_check)?)
}

/// The root of the repository's clone that this runs in.
fn root() -> Result<PathBuf, String> {
    let here = env::current_dir().map_err(|error| format!("The current folder cannot be found: {error}."))?;
    let is_root =
        |folder: &&Path| ["openapi/genauth.yaml", "codegen/src/lib.rs"].iter().all(|path| folder.join(path).exists());
    let root = here.ancestors().find(is_root).map(Path::to_owned);
    root.ok_or_else(|| format!("{} is not in a clone of genauth's repository. Run this inside of one.", here.display()))
}

/// Makes each file what it should be, and reports it. Removes all other files in `folder`.
fn settle(root: &Path, folder: &str, made: BTreeMap<String, String>, only_check: bool) -> Result<usize, String> {
    let mut stale = 0;
    let known = texts(&root.join(folder)).map_err(|error| format!("{folder} cannot be read: {error}."))?;
    for name in known.into_keys().map(|name| format!("{folder}/{name}")).filter(|name| !made.contains_key(name)) {
        stale += 1;
        if only_check {
            println!("{name} belongs to something that is gone");
        } else {
            fs::remove_file(root.join(&name)).map_err(|error| format!("{name} cannot be removed: {error}."))?;
            println!("{name} removed");
        }
    }
    for (name, text) in made {
        let path = root.join(&name);
        if fs::read_to_string(&path).is_ok_and(|known| known == text) {
            continue;
        }
        stale += 1;
        if only_check {
            println!("{name} is out of date");
        } else {
            fs::write(&path, text).map_err(|error| format!("{name} cannot be written: {error}."))?;
            println!("{name} written");
        }
    }
    Ok(stale)
}

/// The snapshots as the program's tests make them, by name.
fn snapshots(root: &Path, only_check: bool) -> Result<BTreeMap<String, String>, String> {
    let into = env::temp_dir().join(format!("genauth-refresh-{}", process::id()));
    let made = make_snapshots(root, &into, only_check);
    // A failure is ignored: this is in the system's folder for temporary files.
    let _ = fs::remove_dir_all(&into);
    made
}

fn make_snapshots(root: &Path, into: &Path, only_check: bool) -> Result<BTreeMap<String, String>, String> {
    fs::create_dir(into).map_err(|error| format!("{} cannot be created: {error}.", into.display()))?;
    // `cargo run` sets this variable.
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(&TESTS[..1]).args(only_check.then_some("--locked")).args(&TESTS[1..]);
    cargo.current_dir(root).env(INTO, into).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = cargo.output().map_err(|error| format!("cargo cannot be run: {error}. Install it."))?;
    let made = texts(into).map_err(|error| format!("{} cannot be read: {error}.", into.display()))?;
    if output.status.success() && !made.is_empty() {
        return Ok(made);
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let command = TESTS.join(" ");
    Err(format!("{said}The snapshots of the program's help cannot be written. See above what `cargo {command}` says."))
}

/// The files of a folder by name.
fn texts(folder: &Path) -> io::Result<BTreeMap<String, String>> {
    let read = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path())?))
    };
    fs::read_dir(folder)?.map(read).collect()
}
