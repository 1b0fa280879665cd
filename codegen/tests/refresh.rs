//! `genauth-codegen refresh`, in folders that look like a clone, with a cargo that only writes what the tests of the program
//! would write.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/house_rules/sample");

/// A clone, gone when dropped.
struct Repository(PathBuf);

impl Repository {
    fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("refresh-{name}-{}", std::process::id()));
        let repository = Self(root);
        repository.write("codegen/src/lib.rs", "");
        repository.write("generated/groups/gone.rs", "");
        repository.write("cli/tests/snapshots/gone.txt", "");
        for file in fs::read_dir(SAMPLE).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            repository.write(&format!("openapi/{name}"), &fs::read_to_string(path).unwrap());
        }
        repository.cargo("printf help > $GENAUTH_REFRESH_INTO/genauth.txt");
        repository
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The script that stands in for cargo.
    fn cargo(&self, script: &str) {
        self.write("cargo", &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(self.0.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Whether it went well, and what was said on stdout and stderr.
    fn refresh(&self, arguments: &[&str]) -> (bool, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_genauth-codegen"));
        command
            .arg("refresh")
            .args(arguments)
            .current_dir(self.0.join("codegen/src"))
            .env("CARGO", self.0.join("cargo"));
        let output = command.output().unwrap();
        let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.success(), stdout, stderr)
    }

    fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        // What is left behind is in the build's own folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_is_out_of_date_is_told_then_written_then_in_order() {
    let repository = Repository::new("whole");
    let (in_order, told, advice) = repository.refresh(&["--check"]);
    assert!(!in_order && advice.contains("-- refresh`"), "{advice}");
    assert!(told.contains("generated/openapi.json is out of date\n"), "{told}");
    assert!(told.contains("generated/groups/gone.rs belongs to something that is gone\n"), "{told}");
    assert!(told.contains("cli/tests/snapshots/genauth.txt is out of date\n"), "{told}");
    assert!(
        repository.has("generated/groups/gone.rs") && !repository.has("generated/openapi.json"),
        "a check changes nothing"
    );

    let (went_well, told, _) = repository.refresh(&[]);
    assert!(went_well, "{told}");
    for written in ["generated/groups/wechat.rs", "codegen/src/openapi.json", "cli/tests/snapshots/genauth.txt"] {
        assert!(told.contains(&format!("{written} written\n")) && repository.has(written), "{written}: {told}");
    }
    for gone in ["generated/groups/gone.rs", "cli/tests/snapshots/gone.txt"] {
        assert!(told.contains(&format!("{gone} removed\n")) && !repository.has(gone), "{gone}: {told}");
    }
    let in_order = (true, "Everything that is generated is up to date.\n".to_owned(), String::new());
    assert_eq!(repository.refresh(&["--check"]), in_order);
    assert_eq!(repository.refresh(&[]), in_order);
}

#[test]
fn snapshots_that_cannot_be_made_are_none_that_are_gone() {
    let repository = Repository::new("broken");
    for script in ["echo what a test says; exit 101", "echo what a test says"] {
        repository.cargo(script);
        let (went_well, _, problem) = repository.refresh(&[]);
        assert!(
            !went_well
                && problem.starts_with("what a test says\nThe snapshots of the program's help cannot be written.")
        );
        assert!(repository.has("cli/tests/snapshots/gone.txt"));
    }
}

#[test]
fn a_fragment_that_breaks_a_rule_is_told_and_nothing_is_written() {
    let repository = Repository::new("rules");
    repository.write("openapi/users.yaml", "path: {}\n");
    let (went_well, told, problem) = repository.refresh(&[]);
    assert!(
        !went_well && told.is_empty() && problem.starts_with("openapi/users.yaml:1:1: [merge] `path`"),
        "{problem}"
    );
    assert!(!repository.has("generated/openapi.json"));
}

#[test]
fn outside_of_a_clone_is_said_so() {
    let folder = std::env::temp_dir();
    let mut command = Command::new(env!("CARGO_BIN_EXE_genauth-codegen"));
    let output = command.arg("refresh").current_dir(&folder).output().unwrap();
    let problem = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && problem.contains(" is not in a clone of genauth's repository. "), "{problem}");
}
