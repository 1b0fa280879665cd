//! Operations of a dependent's own: what is generated from them, and what is wrong with them. `examples/extending` is a
//! whole project with some.

use genauth_codegen::compile_extension;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const GET: &str = "
      security: [{ appId: [] }]
      responses:
        '200':
          description: The envelope.
          content:
            application/json:
              schema: { $ref: '#/components/schemas/Envelope' }
              example: { statusCode: 200, message: Success }
";

fn operation(path: &str, id: &str, tag: &str) -> String {
    let words = "summary: One.\n      description: Answers nothing.";
    format!("  {path}:\n    get:\n      operationId: {id}\n      {words}\n      tags: [{tag}]{GET}")
}

fn compiled(name: &str, fragment: &str) -> Result<String, Vec<String>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("extension").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("own.yaml"), fragment).unwrap();
    compile_extension(&folder, "own").map_err(|violations| violations.iter().map(ToString::to_string).collect())
}

#[test]
fn what_genauth_has_is_referred_to_and_not_made_again() {
    let group = "
paths:
  /api/v3/read-clock:
    post:
      operationId: readClock
      summary: The time.
      description: Answers the time, and whose it is.
      tags: [own]
      security: [{ appId: [] }]
      requestBody:
        required: true
        content:
          application/json:
            schema: { $ref: '#/components/schemas/GetWechatAccessTokenDto' }
            example: { appId: wx0123456789abcdef, appSecret: example-secret }
      responses:
        '200':
          description: The envelope.
          content:
            application/json:
              schema: { $ref: '#/components/schemas/ReadClockRespDto' }
              example: { statusCode: 200, message: Success, data: { now: 1772618400 } }
components:
  schemas:
    ReadClockRespDto:
      description: The envelope around the time.
      allOf:
        - $ref: '#/components/schemas/Envelope'
        - type: object
          properties:
            data: { $ref: '#/components/schemas/ClockDto' }
    ClockDto:
      description: The time.
      type: object
      required: [now]
      properties:
        now: { $ref: '#/components/schemas/UnixTimestamp' }
        owner: { $ref: '#/components/schemas/GetWechatAccessTokenDto' }
        key: { type: string, format: password, description: What opens it. }
";
    let text = compiled("refers", &format!("tags: [{{ name: own, description: Own. }}]{group}")).unwrap();
    for present in [
        "pub struct ClockDto {",
        "pub now: ::genauth::UnixTimestamp,",
        "::std::option::Option<::genauth::types::GetWechatAccessTokenDto>",
        "pub key: ::std::option::Option<::genauth::SecretString>,",
        "#[serde(serialize_with = \"::genauth::generated::Exposed::serialize_exposed\")]",
        "secret_fields: &[\"appSecret\"],",
    ] {
        assert!(text.contains(present), "{present} in\n{text}");
    }
    for absent in ["pub struct GetWechatAccessTokenDto", "pub struct Envelope", "crate::", "getProfile", "feature ="] {
        assert!(!text.contains(absent), "{absent} in\n{text}");
    }
}

#[test]
fn a_name_of_genauth_is_refused() {
    let paths = [
        operation("/api/v3/get-profile", "readProfile", "own"),
        operation("/api/v3/other", "getProfile", "own"),
        operation("/api/v3/another", "signIn", "own"),
    ];
    let fragment = |paths: &[String], rest: &str| {
        format!("tags: [{{ name: own, description: Own. }}]\npaths:\n{}{rest}", paths.concat())
    };
    let schemas = "components:\n  schemas:\n    UserDto: { type: object, description: A user. }\n";
    assert_eq!(
        compiled("merged", &fragment(&paths, schemas)).unwrap_err(),
        [
            "own/own.yaml:3:3: [merge] `/api/v3/get-profile` already exists in genauth. \
             Take another name, or leave it out and use that one.",
            "own/own.yaml:47:5: [merge] `UserDto` already exists in genauth. \
             Take another name, or leave it out and use that one.",
        ]
    );
    assert_eq!(
        compiled("ids", &fragment(&paths[1..], "")).unwrap_err(),
        [
            "own/own.yaml:5:7: [operation-id] `getProfile` is the id of one of genauth's own operations already. Choose another.",
            "own/own.yaml:19:7: [operation-id] `signIn` is a method of the client already. Choose another id.",
        ]
    );
}

#[test]
fn what_only_the_root_of_a_document_has_is_refused() {
    let fragment = format!("openapi: 3.0.3\npaths:\n{}", operation("/api/v3/other", "getOther", "wechat"));
    assert_eq!(
        compiled("root", &fragment).unwrap_err(),
        ["own/own.yaml:1:1: [merge] `openapi` has no place in a group, which has `tags`, `paths` and `components`. \
          Remove it."]
    );
}

#[test]
fn a_folder_that_is_empty_or_not_there_is_told() {
    let nowhere = compile_extension(Path::new("/nowhere/at/all"), "fragments").unwrap_err();
    assert!(nowhere[0].to_string().starts_with("fragments: [yaml] The folder cannot be read: "), "{nowhere:?}");
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("extension/empty");
    fs::create_dir_all(&empty).unwrap();
    let violations = compile_extension(&empty, "fragments").unwrap_err();
    assert_eq!(
        violations.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["fragments: [yaml] The folder has no fragment. Put a file into it whose name ends in `.yaml`."]
    );
}

/// The message for an unknown scheme names the known ones.
#[test]
fn a_scheme_that_genauth_does_not_have_is_refused() {
    let operation = operation("/api/v3/other", "getOther", "wechat").replace("appId: []", "mine: []");
    let scheme = "components:\n  securitySchemes:\n    mine: { type: http, scheme: bearer, description: Mine. }\n";
    assert_eq!(
        compiled("scheme", &format!("paths:\n{operation}{scheme}")).unwrap_err(),
        ["own/own.yaml:18:5: [credential] genauth has no credentials for the security scheme `mine`. Use `appId`, \
          `userAccessToken`, `clientSecretBasic`, `accessKeySignature` or `managementToken`."]
    );
}

/// Generated code names the types of genauth without having seen them.
#[test]
fn the_types_of_genauth_have_the_names_by_which_extensions_call_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let fragments =
        genauth_codegen::compile(&root.join("openapi"), "openapi", &|_| true).unwrap_or_else(|_| panic!("in order"));
    let text = fragments.groups.into_values().chain([fragments.api]).collect::<String>();
    let document: serde_json::Value = serde_json::from_str(&fragments.openapi).unwrap();
    for schema in document["components"]["schemas"].as_object().unwrap().keys().filter(|name| *name != "UnixTimestamp")
    {
        let name = genauth_codegen::extension::type_name(schema);
        let defined = ["struct", "enum", "type"].iter().any(|word| text.contains(&format!("pub {word} {name} ")));
        assert!(defined || text.contains(&format!("pub struct {name}(")), "{schema} is not {name}");
    }
}

#[test]
fn the_tool_takes_the_folder_of_an_extension() {
    let tool = |arguments: &[&str]| -> Output {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/extending");
        Command::new(env!("CARGO_BIN_EXE_genauth-codegen")).args(arguments).current_dir(root).output().unwrap()
    };
    let checked = String::from_utf8(tool(&["check", "fragments"]).stdout).unwrap();
    assert_eq!(checked, "fragments: 2 operations, all in order.\n");
    let compared = String::from_utf8(tool(&["diff", "fragments", "../../openapi"]).stdout).unwrap();
    let [post, posts] = ["createPost", "listPosts"].map(|id| format!("gone      {id}  the operation (wire, Rust)\n"));
    assert_eq!(compared, format!("{post}{posts}0 breaking, 2 gone, 0 looser, 0 new.\n"));
}
