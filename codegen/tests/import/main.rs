//! A draft has every fact of a document that a fragment can have, none of its sentences, and passes the house rules but
//! for those.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/import");
const FRAGMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi");
const LIBRARY: &str = include_str!("library.yaml");
const MARKER: &str = genauth_codegen::rules::UNWRITTEN;

/// What the fragments can say about the document.
const OPERATIONS: [&str; 9] = [
    "BooksManagementController_listBooks",
    "addBook",
    "/api/v3/get-note",
    "findNote",
    "old",
    "whoseBook",
    "enter",
    "BooksManagementController_remove",
    "NotesController_remove",
];

/// A folder to import in, with the shipped fragments, one more and the document; gone when dropped.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        let place = Self::without_fragments();
        fs::create_dir(place.0.join("openapi")).unwrap();
        for entry in fs::read_dir(FRAGMENTS).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, place.0.join("openapi").join(path.file_name().unwrap())).unwrap();
        }
        place.write("openapi/readers.yaml", include_str!("readers.yaml"));
        place
    }

    fn without_fragments() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("import-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&dir).unwrap();
        let place = Self(dir);
        place.write("library.yaml", LIBRARY);
        place
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        fs::write(self.0.join(file), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_genauth-codegen")).args(arguments).current_dir(&self.0).output().unwrap()
    }

    fn import(&self, operations: &[&str]) -> String {
        let output = self.run(&[&["import", "library.yaml"], operations].concat());
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn refuses(&self, document: &str, operations: &[&str], expected: &[&str]) {
        let output = self.run(&[&["import", document], operations].concat());
        assert_eq!(String::from_utf8_lossy(&output.stderr).lines().collect::<Vec<_>>(), expected);
        assert_eq!(output.stdout, b"", "a refused import prints no draft");
        assert_eq!(output.status.code(), Some(2));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is left behind is in the build's own folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_draft_is_written_as_the_fragments_are() {
    let draft = Place::new().import(&OPERATIONS);
    let kept = Path::new(TESTS).join("library.draft.yaml");
    if std::env::var_os("GENAUTH_REFRESH").is_some() {
        fs::write(&kept, &draft).unwrap();
    }
    assert_eq!(draft, fs::read_to_string(kept).unwrap());
    assert!(draft.lines().all(|line| line.chars().count() <= 120));
}

#[test]
fn no_sentence_and_no_secret_of_the_document_is_copied() {
    let draft = Place::new().import(&OPERATIONS);
    for foreign in ["rose", "yesterday", "hunter", "s3cr3t", "eyJ"] {
        assert!(LIBRARY.contains(foreign));
        assert!(!draft.contains(foreign), "{foreign} stands in the draft");
    }
}

#[test]
fn the_rules_ask_for_the_sentences_and_for_nothing_else() {
    let place = Place::new();
    let draft = place.import(&OPERATIONS);
    place.write("openapi/library.yaml", &draft);
    let output = place.run(&["check", "openapi"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = draft.lines().collect();
    // The first comment says what the marker means, and a folded text is told by the line of its key.
    let marked = (1..lines.len()).filter(|index| lines[*index].contains(MARKER));
    let places = marked.map(|index| if lines[index - 1].ends_with(">-") { index } else { index + 1 });
    let places: Vec<String> = places.map(|line| format!("openapi/library.yaml:{line}")).collect();
    let told: Vec<&str> = told.lines().collect();
    assert!(told.iter().all(|line| line.contains(": [sentence] ")), "{told:#?}");
    let told: Vec<String> = told.iter().map(|line| line.split(':').take(2).collect::<Vec<_>>().join(":")).collect();
    assert_eq!(told, places);
}

#[test]
fn with_its_sentences_the_draft_is_a_fragment() {
    let place = Place::new();
    let draft = place.import(&OPERATIONS);
    place.write("openapi/library.yaml", draft.replace(MARKER, "A sentence stands here."));
    let compiled = genauth_codegen::compile(&place.0.join("openapi"), "openapi", &|_| true);
    let compiled = compiled.unwrap_or_else(|violations| panic!("{violations:#?}"));
    let group = compiled.groups.get("library").expect("the fragment's group");
    for text in
        ["fn list_books", "pub struct AddBookDto", "pub lock_password: ::std::option::Option<crate::SecretString>"]
    {
        assert!(group.contains(text), "{text} is not in {group}");
    }
}

#[test]
fn the_rules_say_what_a_missing_sentence_is_to_say() {
    let place = Place::new();
    let draft = place.import(&["listBooks"]);
    place.write("openapi/library.yaml", draft);
    let told = String::from_utf8(place.run(&["check"]).stderr).unwrap();
    for expected in [
        "openapi/library.yaml:10:7: [sentence] `summary` is not written yet. Say in one line what the operation does, in \
         place of `TODO(describe)`.",
        "openapi/library.yaml:11:7: [sentence] `description` is not written yet. Say in your own words what it means to a \
         caller, in place of `TODO(describe)`.",
    ] {
        assert!(told.lines().any(|line| line == expected), "{expected}\n{told}");
    }
    let reason = "`x-not-secret` is not written yet. Say why it is not a secret, or treat it as one, in place of";
    assert!(told.contains(reason), "{told}");
}

#[test]
fn an_own_project_has_the_schemas_of_genauth_and_its_own() {
    let place = Place::without_fragments();
    let draft = place.import(&["addBook", "whoseBook"]);
    assert!(draft.contains("$ref: '#/components/schemas/Envelope'") && !draft.contains("    Envelope:"), "{draft}");
    assert!(draft.contains("    ReaderDto:"), "what nobody has described is described: {draft}");
    fs::create_dir(place.0.join("fragments")).unwrap();
    place.write("fragments/readers.yaml", include_str!("readers.yaml"));
    // A shell creates this empty file for `> fragments/library.yaml` before anything runs.
    place.write("fragments/library.yaml", "");
    let draft = place.import(&["addBook", "whoseBook"]);
    assert!(draft.contains("schemas/ReaderDto'") && !draft.contains("    ReaderDto:"), "{draft}");
    place.write("fragments/library.yaml", draft.replace(MARKER, "A sentence stands here."));
    let compiled = genauth_codegen::compile_extension(&place.0.join("fragments"), "fragments");
    compiled.unwrap_or_else(|violations| panic!("{violations:#?}"));
}

#[test]
fn the_management_side_takes_an_access_key() {
    let place = Place::new();
    place.write("library.yaml", LIBRARY.replace("name: x-library-app-id", "name: x-library-userpool-id"));
    let draft = place.import(&["addBook"]);
    let security =
        "      security:\n        - accessKeySignature: []\n        - managementToken: []\n      requestBody:";
    assert!(draft.contains(security), "{draft}");
}

#[test]
fn json_is_read_even_where_it_is_not_yaml() {
    let place = Place::new();
    let json = "{\n\t\"openapi\": \"3.0.0\",\n\t\"paths\": { \"/api/v3/is-open\": { \"get\": { \"operationId\": \"isOpen\", \
                \"responses\": { \"200\": { \"content\": { \"application/json\": { \"schema\": { \"properties\": {\n\
                \"statusCode\": {}, \"message\": {}, \"data\": { \"type\": \"boolean\", \"description\": \"\\ud83d\\ude00\" }\
                } } } } } } } } }\n}\n";
    place.write("door.json", json);
    let output = place.run(&["import", "door.json", "isOpen"]);
    let draft = String::from_utf8(output.stdout).unwrap();
    assert!(draft.contains("data:\n              type: boolean"), "{draft}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_cannot_be_imported_is_told_with_the_mend() {
    let place = Place::new();
    place.refuses(
        "library.yaml",
        &["addBok", "remove", "picture", "getReader", "/api/v4/nothing"],
        &[
            "library.yaml has no operation `addBok`; did you mean `addBook`?",
            "`remove` is short for `BooksManagementController_remove` and `NotesController_remove` in library.yaml; give one \
             of these.",
            "`ReaderController_getReader` is already in openapi/readers.yaml:7; use that one, or change it there.",
            "library.yaml has no operation `/api/v4/nothing`; give an operationId of it, the id's short form or a path.",
            "`picture` does not answer JSON, which fragments cannot describe; call it with `Client::call`.",
        ],
    );
    place.refuses(
        "library.yaml",
        &["token", "upload", "picture", "sort"],
        &[
            "`DoorController_token` answers without an envelope, which fragments cannot describe; call it with `Client::call`.",
            "`upload` takes multipart/form-data, which fragments cannot describe; call it with `Client::call`.",
            "`picture` does not answer JSON, which fragments cannot describe; call it with `Client::call`.",
            "`sort` takes a body that is not an object, which fragments cannot describe; call it with `Client::call`.",
        ],
    );
    place.refuses(
        "library.yaml",
        &[],
        &["Nothing to import; name operations of library.yaml after it, such as `BooksManagementController_listBooks`."],
    );
}

#[test]
fn what_is_not_an_openapi_3_0_document_is_told_with_the_mend() {
    let place = Place::new();
    for (text, expected) in [
        ("openapi: 3.1.0\n", "odd.yaml is OpenAPI `3.1.0`; convert it to 3.0 and import from that."),
        ("swagger: '2.0'\n", "odd.yaml is a Swagger 2 document; convert it to OpenAPI 3.0 and import from that."),
        ("paths: {}\n", "odd.yaml has no `openapi: 3.0.x`; give an OpenAPI 3.0 document in JSON or YAML."),
        ("openapi: 3.0.0\n", "odd.yaml has no operations to import; give a document that has some."),
    ] {
        place.write("odd.yaml", text);
        place.refuses("odd.yaml", &["x"], &[expected]);
    }
    place.write("odd.yaml", "openapi: [\n");
    let output = place.run(&["import", "odd.yaml", "x"]);
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("odd.yaml:2:1: [yaml] YAML: "));
    assert_eq!(output.status.code(), Some(2));
    place.refuses("none.yaml", &["x"], &["none.yaml cannot be read; give the path of an OpenAPI 3.0 document."]);
}
