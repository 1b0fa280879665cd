//! Editors are told the shape of fragments that the generator demands.

use genauth_codegen::document::Document;
use genauth_codegen::{fragment_schema, load, shape};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Folders of fragments.
const FOLDERS: [&str; 4] =
    ["openapi", "examples/extending/fragments", "codegen/tests/house_rules/sample", "tests/other_fragments"];

fn validator(of: &str) -> Validator {
    let text = fragment_schema::files().into_iter().find(|(name, _)| name.starts_with(of)).expect("a schema").1;
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    assert!(jsonschema::meta::is_valid(&schema), "no schema of draft 7");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// The schema by which a fragment is edited.
fn of(path: &Path) -> &'static str {
    if path.ends_with("genauth.yaml") { "root" } else { "group" }
}

fn fragments() -> Vec<PathBuf> {
    let folders = FOLDERS.iter().map(|folder| Path::new(ROOT).join(folder));
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).expect("a folder of fragments"));
    let paths = files.map(|file| file.expect("a file").path());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect()
}

fn read(path: &Path) -> Value {
    load::read(path, "fragment").expect("a fragment").value
}

#[test]
fn every_fragment_fits_the_schema_of_its_kind() {
    let fragments = fragments();
    assert!(fragments.len() >= 8, "{fragments:?}");
    for path in fragments {
        let value = read(&path);
        let problem = validator(of(&path)).validate(&value).err().map(|problem| problem.to_string());
        assert_eq!(problem, None, "{}", path.display());
        let other = if of(&path) == "root" { "group" } else { "root" };
        assert!(!validator(other).is_valid(&value), "{} fits both", path.display());
    }
}

/// The modeline that editors read names the schema.
#[test]
fn a_schema_that_is_named_to_editors_is_the_right_one() {
    for path in fragments().iter().filter(|path| !path.to_string_lossy().contains("/tests/")) {
        let text = std::fs::read_to_string(path).expect("a fragment");
        let named = text.lines().next().and_then(|line| line.strip_prefix("# yaml-language-server: $schema="));
        // The line is for editors only; the build does not need it.
        let Some(named) = named else { continue };
        let named = path.with_file_name(named);
        let schema = Path::new(ROOT).join("codegen").join(of(path).to_owned() + ".schema.json");
        assert_eq!(named.canonicalize().expect("a schema"), schema.canonicalize().expect("a schema"));
    }
}

/// Every place of a value, from the top on.
fn places(value: &Value, pointer: &str, found: &mut Vec<String>) {
    found.push(pointer.to_owned());
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| places(item, &format!("{pointer}/{at}"), found))
        }
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| places(value, &format!("{pointer}/{}", escaped(key)), found));
        }
        _ => {}
    }
}

/// What the generator and an editor say about a document.
fn verdicts(document: &Document, value: Value, validator: &Validator) -> (bool, bool) {
    let document = Document { value, ..document.clone() };
    (shape::check(&document).is_empty(), validator.is_valid(&document.value))
}

#[test]
fn an_editor_refuses_the_keys_that_the_generator_refuses_and_nothing_that_it_takes() {
    let folder = Path::new(ROOT).join("codegen/tests/house_rules/sample");
    let (document, validator) = (load::load(&folder, "sample").expect("a document"), validator("root"));
    let (mut all, mut misspelt, mut missing) = (Vec::new(), 0, 0);
    places(&document.value, "", &mut all);
    for place in all {
        for wrong in [json!(null), json!(true), json!(1), json!(-1), json!("text"), json!(" "), json!([]), json!({})] {
            let mut value = document.value.clone();
            *value.pointer_mut(&place).expect("a place") = wrong;
            let (taken, fits) = verdicts(&document, value, &validator);
            assert!(fits || !taken, "{place} is taken, and an editor refuses it");
        }
        let members = document.value.pointer(&place).and_then(Value::as_object).into_iter().flatten();
        for (key, member) in members {
            let mut value = document.value.clone();
            let members = value.pointer_mut(&place).and_then(Value::as_object_mut).expect("a mapping");
            members.remove(key);
            let without = verdicts(&document, value.clone(), &validator);
            assert_eq!(without.0, without.1, "{place} without {key}");
            value.pointer_mut(&place).expect("a place")[format!("{key}z")] = member.clone();
            let renamed = verdicts(&document, value, &validator);
            assert_eq!(renamed.0, renamed.1, "{place} with {key}z for {key}");
            missing += usize::from(!without.1);
            misspelt += usize::from(!renamed.1);
        }
    }
    assert!(missing > 20 && misspelt > 100, "{missing} and {misspelt} refused");
}

#[test]
fn a_group_may_have_what_the_merge_takes() {
    let schema: Value = serde_json::from_str(&fragment_schema::files()[0].1).expect("JSON");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("group-keys-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let keys = schema["properties"].as_object().expect("keys").keys();
    for key in keys {
        let value = json!({ key: if key == "tags" { json!([]) } else { json!({}) } });
        std::fs::write(folder.join("group.yaml"), value.to_string()).expect("a fragment");
        let taken = load::load_onto(Document::default(), &folder, "group").is_ok();
        assert_eq!(taken, validator("group").is_valid(&value), "{key}");
    }
    std::fs::remove_dir_all(&folder).expect("a folder");
}
