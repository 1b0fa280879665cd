//! What is wrong with a fragment is reported by file, line, column, rule and remedy, and nothing else is reported.
//!
//! Each test edits the fragments in `sample/`, which stay as they are when endpoints are added, with `users.yaml` beside
//! them where an edit asks for it, and compares every message.

mod fragments;
mod operations;
mod paths;
mod schemas;
mod secrets;
mod shapes;

use genauth_codegen::Violation;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/house_rules/sample");
const USERS: &str = include_str!("users.yaml");

/// A folder of fragments, gone when dropped.
struct Fragments(PathBuf);

impl Fragments {
    fn empty() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("house-rules-{}-{count}", std::process::id());
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&dir).expect("a folder for the fragments");
        Self(dir)
    }

    fn sample() -> Self {
        let fragments = Self::empty();
        for entry in fs::read_dir(SAMPLE).expect("the sample fragments") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            fragments.write(&name, fs::read(&path).expect("a fragment"));
        }
        fragments
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        fs::write(self.0.join(file), text).expect("writing a fragment");
    }

    /// Replaces the first `from` by `to`.
    fn edit(&self, file: &str, from: &str, to: &str) {
        let before = fs::read_to_string(self.0.join(file)).expect("a fragment");
        let after = before.replacen(from, to, 1);
        assert_ne!(before, after, "the edit of {file} changes nothing: {from:?}");
        self.write(file, after);
    }

    /// Gives a description to each `type` and parameter that has none.
    fn describe(&self, file: &str) {
        let text = fs::read_to_string(self.0.join(file)).expect("a fragment");
        let lines: Vec<&str> = text.lines().collect();
        let mut described = String::new();
        for (index, line) in lines.iter().enumerate() {
            let indent = &line[..line.len() - line.trim_start().len()];
            let is_next =
                |word: &str| lines.get(index + 1).is_some_and(|next| next.starts_with(&format!("{indent}{word}:")));
            let lacks = line.trim_start().starts_with("type: ") || line.trim_start() == "in: query";
            if lacks && !is_next("description") {
                described += &format!("{indent}description: What it is.\n");
            }
            described += &format!("{line}\n");
        }
        self.write(file, described);
    }

    /// The violations that a whole compilation reports.
    fn compile(&self) -> Vec<String> {
        let compiled = genauth_codegen::compile(&self.0, "openapi", &|_| true);
        compiled.err().unwrap_or_default().iter().map(Violation::to_string).collect()
    }

    /// The violations, but for the sentences that `users.yaml` lacks, which is terse on purpose.
    fn violations(&self) -> Vec<String> {
        let terse =
            |line: &String| line.starts_with("openapi/users.yaml:") && line.ends_with("Say in a sentence what it is.");
        violations(&self.0).iter().map(Violation::to_string).filter(|line| !terse(line)).collect()
    }
}

impl Drop for Fragments {
    fn drop(&mut self) {
        // What is left behind is in the build's own folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a build does before it generates: each step only makes sense after the one before.
fn violations(dir: &Path) -> Vec<Violation> {
    match genauth_codegen::load::load(dir, "openapi") {
        Err(violations) => violations,
        Ok(document) => match genauth_codegen::shape::check(&document) {
            violations if violations.is_empty() => genauth_codegen::rules::check(&document, &["UnixTimestamp"]),
            violations => violations,
        },
    }
}

/// Asserts that the fragments after the edits (file, from, to) have exactly these violations.
#[track_caller]
fn refused(edits: &[(&str, &str, &str)], expected: &[&str]) {
    let fragments = Fragments::sample();
    if edits.iter().any(|(file, ..)| *file == "users.yaml") {
        fragments.write("users.yaml", USERS);
    }
    for (file, from, to) in edits {
        fragments.edit(file, from, to);
    }
    assert_eq!(fragments.violations(), expected, "after {edits:#?}");
}

#[test]
fn the_shipped_fragments_are_in_order() {
    assert_eq!(violations(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi"))), []);
    refused(&[], &[]);
}

#[test]
fn a_group_of_another_make_is_in_order() {
    let fragments = Fragments::sample();
    fragments.write("users.yaml", USERS);
    assert_eq!(fragments.violations(), Vec::<String>::new());
}

#[test]
fn a_secret_looking_parameter_passes_with_a_reason() {
    refused(
        &[
            ("users.yaml", "name: withRoles\n", "name: tokenHint\n          x-not-secret: says which of several\n"),
            ("users.yaml", "type: boolean\n          example: true", "type: string\n          example: x"),
        ],
        &[],
    );
}

#[test]
fn everything_wrong_is_told_at_once_and_by_place() {
    refused(
        &[
            ("wechat.yaml", "getWeixinAccessToken\n", "GetWeixinAccessToken\n"),
            ("wechat.yaml", "              appSecret: example-wechat-app-secret\n", ""),
            ("genauth.yaml", "    UnixTimestamp:", "    unixTimestamp:"),
            ("users.yaml", "          x-not-secret: names a kind of token\n", ""),
        ],
        &[
            "openapi/genauth.yaml: [replacement] The build replaces the schema `UnixTimestamp` by a hand-written type, but there is no such schema. Add it, or drop the replacement.",
            "openapi/genauth.yaml:68:5: [schema] The schema `unixTimestamp` is not PascalCase. Begin with a capital letter, and use only letters and digits.",
            "openapi/genauth.yaml:74:11: [schema] The generated type does not check `pattern`. Say it in the description.",
            "openapi/users.yaml:94:9: [secret] The property `tokenHint` looks secret (`token`) but is a plain string. Add `format: password`, or say why not in `x-not-secret`.",
            "openapi/wechat.yaml:28:13: [example] The example lacks `appSecret`, which is required. Add it.",
            "openapi/wechat.yaml:78:7: [operation-id] `GetWeixinAccessToken` is not camelCase. Begin with a small letter, and use only letters and digits.",
            "openapi/wechat.yaml:114:11: [reference] There is no schema `UnixTimestamp`. Did you mean `unixTimestamp`?",
        ],
    );
}

#[test]
fn what_the_generator_cannot_do_is_told_with_the_operation_and_without_a_panic() {
    let fragments = Fragments::sample();
    fragments.write("users.yaml", USERS);
    // The rules would refuse this document.
    fragments.edit("users.yaml", "          description: active or blocked.\n", "          default: 5\n");
    let document = genauth_codegen::load::load(&fragments.0, "openapi").expect("the fragments load");
    let told = genauth_codegen::generate::generate(&document).map(|_| ()).unwrap_err().to_string();
    let (place, problem) = told.split_once("] ").expect("a rule");
    assert_eq!(place, "openapi/users.yaml:7:5: [generator");
    assert!(problem.starts_with("progenitor cannot generate `getUser`: "), "{problem}");
    assert!(problem.ends_with("Describe it, or a schema it uses, with simpler means."), "{problem}");
}

#[test]
fn a_security_scheme_that_no_code_implements_is_told() {
    let fragments = Fragments::sample();
    fragments.edit("genauth.yaml", "    userAccessToken:\n", "    smokeSignal:\n");
    fragments.edit("wechat.yaml", "          userAccessToken: []\n", "          smokeSignal: []\n");
    assert_eq!(
        fragments.compile(),
        [
            "openapi/genauth.yaml:35:5: [credential] genauth has no credentials for the security scheme `smokeSignal`. Use `appId`, `userAccessToken`, `clientSecretBasic`, `accessKeySignature` or `managementToken`."
        ]
    );
}

#[test]
fn a_fragment_that_cannot_be_read_is_named() {
    let fragments = Fragments::empty();
    fragments.write("latin.yaml", b"tags: []\n# caf\xe9\n");
    fragments.write("void.yaml", "# to be written\n");
    fragments.write("words.yaml", "a word");
    assert_eq!(
        fragments.violations(),
        [
            "openapi/genauth.yaml: [yaml] The fragment does not exist. Add it.",
            "openapi/latin.yaml:2:1: [yaml] The line is not UTF-8. Save the fragment as UTF-8.",
            "openapi/void.yaml: [yaml] The fragment is empty. Fill it.",
            "openapi/words.yaml:1:1: [yaml] The fragment is not a mapping. Begin it with keys.",
        ]
    );
    let nowhere = violations(&fragments.0.join("nowhere"));
    assert!(nowhere[0].to_string().starts_with("openapi: [yaml] The folder cannot be read: "));
}

#[test]
fn a_fragment_of_another_ending_is_not_skipped() {
    let fragments = Fragments::sample();
    for file in ["groups.yml", "LOGS.YAML", "roles.json", "notes.md", "wechat.yaml~"] {
        fragments.write(file, "paths: {}\n");
    }
    assert_eq!(
        fragments.violations(),
        [
            "openapi/LOGS.YAML: [yaml] The build only reads `.yaml` files. Name it `LOGS.yaml`.",
            "openapi/groups.yml: [yaml] The build only reads `.yaml` files. Name it `groups.yaml`.",
            "openapi/roles.json: [yaml] The build only reads `.yaml` files. Name it `roles.yaml`.",
        ]
    );
}

/// The result is the same whether or not another crate of the build switches on `preserve_order` of serde_json.
#[test]
fn the_document_is_in_alphabetical_order() {
    fn keys_are_sorted(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::Object(members) => members.keys().is_sorted() && members.values().all(keys_are_sorted),
            serde_json::Value::Array(items) => items.iter().all(keys_are_sorted),
            _ => true,
        }
    }
    let document = genauth_codegen::load::load(Path::new(SAMPLE), "openapi").expect("the fragments load");
    assert!(keys_are_sorted(&document.value));
}

#[test]
fn a_tag_keeps_its_place_when_lists_are_joined() {
    refused(
        &[
            ("users.yaml", "paths:\n", "  - name: groups\npaths:\n"),
            ("wechat.yaml", "  - name: wechat\n", "  - name: group\n"),
        ],
        &[
            "openapi/users.yaml:5:5: [tag] No operation has the tag `groups`. Remove it.",
            "openapi/wechat.yaml:3:5: [tag] No operation has the tag `group`. Remove it.",
            "openapi/wechat.yaml:13:14: [tag] The tag `wechat` is not declared. Add it to the document's `tags`.",
            "openapi/wechat.yaml:50:14: [tag] The tag `wechat` is not declared. Add it to the document's `tags`.",
            "openapi/wechat.yaml:65:14: [tag] The tag `wechat` is not declared. Add it to the document's `tags`.",
            "openapi/wechat.yaml:82:14: [tag] The tag `wechat` is not declared. Add it to the document's `tags`.",
        ],
    );
}

#[test]
fn hostile_yaml_is_refused_without_a_panic() {
    let bomb: String =
        (1..12).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(","))).collect();
    let chain: String =
        (1..28).map(|n| format!("a{n}: &a{n} {}*a{}{}\n", "[".repeat(254), n - 1, "]".repeat(254))).collect();
    let stairs: String = (0..400).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    let inputs: Vec<Vec<u8>> = vec![
        b"".into(),
        b"# nothing\n".into(),
        b"~".into(),
        b"...\n".into(),
        b"[".into(),
        b"\"".into(),
        b"- a list\n".into(),
        b"a word".into(),
        b"a:\n\tb: c\n".into(),
        b"a: 1\na: 2\n".into(),
        b"a: &a {b: c}\nd:\n  <<: *a\n".into(),
        b"a: *nowhere\n".into(),
        b"a: &a [*a]\n".into(),
        b"? [a]\n: b\n".into(),
        b"{!!int a: b, c: d}".into(),
        b"%YAML 9.9\n---\na: 1\n".into(),
        b"a: \0b\n".into(),
        b"\0".into(),
        b"a: \xff\n".into(),
        b"\xff\xfea\0:\0".into(),
        b"\xef\xbb\xbfa: 1\n".into(),
        "[".repeat(100_000).into(),
        "{a: ".repeat(100_000).into(),
        "- ".repeat(100_000).into(),
        "? ".repeat(100_000).into(),
        "!".repeat(100_000).into(),
        stairs.into(),
        format!("a0: &a0 [{}]\n{bomb}", ["x"; 9].join(",")).into(),
        format!("a0: &a0 x\n{chain}").into(),
    ];
    for input in inputs {
        for file in ["genauth.yaml", "group.yaml"] {
            let fragments = Fragments::sample();
            fragments.write(file, &input);
            let start = String::from_utf8_lossy(&input[..input.len().min(40)]).into_owned();
            assert!(!fragments.violations().is_empty(), "{file} passes as {start:?}");
        }
    }
}

/// The rules may be asked about a document that the shape check has refused.
#[test]
fn no_value_in_any_place_makes_the_rules_panic() {
    let fragments = Fragments::sample();
    fragments.write("users.yaml", USERS);
    let document = genauth_codegen::load::load(&fragments.0, "openapi").expect("the fragments load");
    let values = [
        serde_json::json!(null),
        true.into(),
        7.into(),
        "".into(),
        serde_json::json!([{}]),
        serde_json::json!({"$ref": "#/components/schemas/UserDto"}),
    ];
    for pointer in document.marks.keys() {
        for value in &values {
            let mut changed = document.clone();
            *changed.value.pointer_mut(pointer).expect("a mark has a node") = value.clone();
            genauth_codegen::shape::check(&changed);
            genauth_codegen::rules::check(&changed, &["UnixTimestamp"]);
        }
    }
}
