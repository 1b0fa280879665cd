//! What `diff` says about two documents. The examples are those of `docs/diff.md`, so that the page cannot lie.

use genauth_codegen::document::Document;
use genauth_codegen::features;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/diff.md");

fn file(name: &str, text: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("diff");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn diff(old: &Path, new: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_genauth-codegen")).arg("diff").args([old, new]).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The blocks of the page, each with its language.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let fenced = page.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n')).collect()
}

#[test]
fn the_examples_of_the_page_are_what_is_said() {
    let page = fs::read_to_string(PAGE).unwrap();
    let blocks = blocks(&page);
    let examples: Vec<_> = blocks.chunks(3).collect();
    assert_eq!(examples.len(), 3);
    for (index, example) in examples.into_iter().enumerate() {
        let [("yaml", old), ("yaml", new), ("text", expected)] = example else { panic!("two documents and an answer") };
        let [old, new] = [("old", old), ("new", new)].map(|(name, text)| file(&format!("{index}-{name}.yaml"), text));
        let output = diff(&old, &new);
        assert_eq!(said(&output), *expected, "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(said(&diff(&old, &old)), "0 breaking, 0 gone, 0 looser, 0 new.\n");
    }
}

#[test]
fn the_shipped_fragments_are_their_own_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = diff(&root.join("openapi"), &root.join("generated/openapi.json"));
    assert_eq!(said(&output), "0 breaking, 0 gone, 0 looser, 0 new.\n");
    assert_eq!(output.status.code(), Some(0));
}

/// The paths, as JSON pointers, of all properties of named schemas, parameters and operations.
fn parts(document: &Value) -> Vec<String> {
    let members =
        |value: &Value| value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    let mut parts = Vec::new();
    for path in members(&document["paths"]) {
        parts.push(format!("/paths/{}", path.replace('/', "~1")));
    }
    for schema in members(&document["components"]["schemas"]) {
        for property in members(&document["components"]["schemas"][&schema]["properties"]) {
            parts.push(format!("/components/schemas/{schema}/properties/{property}"));
        }
    }
    parts
}

#[test]
fn nothing_goes_without_a_word() {
    // The operations without a feature have every shape, and twice as many parts would take four times as long.
    let document = features::only(&Document::genauth(), &|_| false).value;
    let old = file("whole.json", &document.to_string());
    for pointer in parts(&document) {
        let mut less = document.clone();
        let (around, name) = pointer.rsplit_once('/').unwrap();
        less.pointer_mut(around).unwrap().as_object_mut().unwrap().remove(&name.replace("~1", "/"));
        let new = file("less.json", &less.to_string());
        let output = diff(&old, &new);
        assert_eq!(output.status.code(), Some(1), "without {pointer}: {}", said(&output));
        // What is gone in one direction is new in the other.
        let back = said(&diff(&new, &old));
        assert!(back.contains("new  ") || back.contains("is new, and required"), "{pointer} is not new: {back}");
    }
}

#[test]
fn what_refers_to_itself_or_to_nothing_ends() {
    let schema = json!({ "$ref": "#/components/schemas/Loop" });
    let around = json!({ "allOf": [{ "$ref": "#/components/schemas/Loop" }], "properties": { "self": schema, "list": { "items": schema } } });
    let document = json!({
        "paths": { "/a": { "get": { "operationId": "a", "responses": { "200": { "content": { "application/json": { "schema": schema } } } } } } },
        "components": { "schemas": { "Loop": around, "Nothing": { "$ref": "#/nowhere" } } },
    });
    let path = file("loop.json", &document.to_string());
    assert_eq!(said(&diff(&path, &path)), "0 breaking, 0 gone, 0 looser, 0 new.\n");
}

const TWICE: &str = r#"{"paths":{"/a":{"get":{"operationId":"a"}},"/b":{"get":{"operationId":"a"}}}}"#;

/// Each of 20 schemas refers twice to the next, so that written out they are 2^20.
fn wide() -> String {
    let schema = |n: usize| json!({ "$ref": format!("#/components/schemas/S{n}") });
    let schemas: serde_json::Map<_, _> = (0..20)
        .map(|n| (format!("S{n}"), json!({ "properties": { "a": schema(n + 1), "b": schema(n + 1) } })))
        .collect();
    let content = json!({ "application/json": { "schema": schema(0) } });
    let operation = json!({ "operationId": "a", "requestBody": { "content": content } });
    json!({ "paths": { "/a": { "post": operation } }, "components": { "schemas": schemas } }).to_string()
}

/// Finding by finding: two versions of one operation, and what `diff` says about them.
#[test]
fn security_and_formats_are_judged() {
    let document = |id: &str, security: Value, format: &str| {
        let schema = json!({ "type": "object", "properties": { "a": { "type": "integer", "format": format } } });
        let content = json!({ "application/json": { "schema": schema } });
        let operation = json!({ "operationId": id, "security": security, "requestBody": { "content": content } });
        json!({ "paths": { "/a": { "post": operation } } })
    };
    let none = || json!([]);
    let some = || json!([{ "appId": [] }]);
    for (old, new, expected) in [
        (
            document("a", none(), "int64"),
            document("a", some(), "int64"),
            "breaking  a  security  nothing is not enough any more (wire)",
        ),
        (
            document("a", some(), "int64"),
            document("a", none(), "int64"),
            "looser    a  security  nothing is enough, too",
        ),
        (document("a", json!([{}]), "int64"), document("a", none(), "int64"), "0 breaking, 0 gone, 0 looser, 0 new."),
        (
            document("a", some(), "int32"),
            document("a", some(), "int64"),
            "breaking  a  body.a  had the format int32 and has the format int64 (Rust)",
        ),
        (document("X_a", some(), ""), document("Y_a", some(), ""), "0 breaking, 0 gone, 0 looser, 0 new."),
    ] {
        let [old, new] =
            [("one.json", old), ("other.json", new)].map(|(name, document)| file(name, &document.to_string()));
        let said = said(&diff(&old, &new));
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn what_cannot_be_read_is_one_sentence_and_another_exit_code() {
    let good = file("good.yaml", "paths: {}\n");
    for (bad, told) in [
        (PathBuf::from("/nowhere.json"), "cannot be read"),
        (file("bad.json", "{"), "is not JSON"),
        (file("list.yaml", "- a\n"), "[yaml]"),
        (file("other.json", "{\"a\":1}"), "has no `paths` of OpenAPI 3"),
        (file("old.json", r#"{"swagger":"2.0","paths":{}}"#), "has no `paths` of OpenAPI 3"),
        (file("twice.json", TWICE), "are both called a. Rename one."),
        (file("wide.json", &wide()), "has more than 20000 fields"),
    ] {
        let output = diff(&good, &bad);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(told) && error.lines().count() == 1, "{error}");
    }
}
