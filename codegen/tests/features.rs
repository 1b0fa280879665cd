//! What belongs to a tag's `x-feature` is only there with the feature, and types that several features need with any.

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = "openapi: 3.0.3
info: { title: Colours, version: 1.0.0 }
components:
  securitySchemes:
    appId: { type: apiKey, in: header, name: x-genauth-app-id, description: Who calls. }
  schemas:
    Envelope:
      description: The envelope.
      type: object
      required: [statusCode, message]
      properties:
        statusCode: { type: integer, description: A number. }
        message: { type: string, description: In words. }
    UnixTimestamp: { description: A moment., type: integer }
";

/// An operation that answers `fields`, which are schemas.
fn group(name: &str, tag: &str, fields: &[&str], schemas: &[&str]) -> String {
    let fields = fields.iter().map(|name| format!("        of{name}: {{ $ref: '#/components/schemas/{name}Dto' }}\n"));
    let schemas = schemas.iter().map(|name| {
        let kind = "{ type: string, enum: [ONE, TWO], description: Its kind. }";
        format!(
            "    {name}Dto:\n      description: It.\n      type: object\n      required: [kind]\n      properties:\n        kind: {kind}\n"
        )
    });
    let (fields, schemas) = (fields.collect::<String>(), schemas.collect::<String>());
    format!(
        "tags: [{{ {tag} }}]
paths:
  /api/v3/get-{name}:
    get:
      operationId: get{name}
      summary: One of them.
      description: Answers that one.
      tags: [{name}]
      security: [{{ appId: [] }}]
      responses:
        '200':
          description: The envelope.
          content:
            application/json:
              schema: {{ $ref: '#/components/schemas/Get{name}RespDto' }}
              example: {{ statusCode: 200, message: Success, data: {{ id: one }} }}
components:
  schemas:
    Get{name}RespDto:
      description: The envelope.
      allOf:
        - $ref: '#/components/schemas/Envelope'
        - type: object
          properties:
            data: {{ $ref: '#/components/schemas/Of{name}Dto' }}
    Of{name}Dto:
      description: One of them.
      type: object
      required: [id]
      properties:
        id: {{ type: string, description: Its id. }}
        at: {{ $ref: '#/components/schemas/UnixTimestamp' }}
{fields}{schemas}"
    )
}

/// Three groups: two with a feature each, one without; a type of one alone, one of both, one of one and of what is always
/// there.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("features-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let write = |file: &str, text: String| fs::write(folder.join(file), text).unwrap();
    write("genauth.yaml", ROOT.to_owned());
    let tag = "name: Red, description: About red., x-feature: red";
    write("red.yaml", group("Red", tag, &["Both", "Alone", "Everywhere"], &["Both", "Alone", "Everywhere"]));
    let tag = "name: Blue, description: About blue., x-feature: dark-blue";
    let wrap = "    WrapDto:\n      description: It again.\n      allOf: [{ $ref: '#/components/schemas/BothDto' }]\n";
    write("blue.yaml", group("Blue", tag, &["Both", "Wrap"], &[]) + wrap);
    write("plain.yaml", group("Plain", "name: Plain, description: About others.", &["Everywhere"], &[]));
    folder
}

fn compile(name: &str, is_on: &dyn Fn(&str) -> bool) -> genauth_codegen::Compiled {
    genauth_codegen::compile(&folder(name), "openapi", is_on).unwrap_or_else(|violations| {
        panic!("{}", violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

/// For each item of a part whose text has the name: whether it begins with the attribute.
fn items_with(part: &str, name: &str, attribute: &str) -> Vec<bool> {
    let file = syn::parse_file(part).unwrap();
    let syn::Item::Mod(types) = &file.items[1] else { panic!("no types") };
    let (_, items) = types.content.as_ref().unwrap();
    let builders = items.iter().find_map(|item| match item {
        syn::Item::Mod(builders) => builders.content.as_ref(),
        _ => None,
    });
    let texts =
        items.iter().chain(&builders.unwrap().1).filter(|item| !matches!(item, syn::Item::Mod(_) | syn::Item::Use(_)));
    let texts = texts.map(|item| quote::ToTokens::to_token_stream(item).to_string());
    texts.filter(|text| text.contains(name)).map(|text| text.starts_with(attribute)).collect()
}

#[test]
fn each_feature_has_a_part_and_what_several_need_says_which() {
    let all = compile("all", &|_| true);
    assert!(all.groups.keys().eq(["dark_blue", "plain", "red", "shared"]), "{:?}", all.groups.keys());
    let has = |part: &str, ty: &str| all.groups[part].contains(&format!("pub struct {ty} "));
    assert!(has("red", "AloneDto") && has("dark_blue", "OfBlueDto") && has("plain", "OfPlainDto"));
    let both =
        items_with(&all.groups["shared"], "BothDto", "# [cfg (any (feature = \"dark-blue\" , feature = \"red\"))]");
    // These are the type and its enum, the builder, and the conversions.
    assert!(both.len() > 6 && both.iter().all(|has| *has), "{both:?}");
    let everywhere = items_with(&all.groups["shared"], "EverywhereDto", "# [cfg");
    assert!(everywhere.len() > 6 && !everywhere.contains(&true), "{everywhere:?}");
    // A conversion between two types is where both are.
    assert!(all.groups["dark_blue"].contains("From<WrapDto> for BothDto") && !all.groups["shared"].contains("WrapDto"));
    for text in [&all.api, &all.operations] {
        assert!(text.contains("#[cfg(feature = \"red\")]") && text.contains("#[cfg(feature = \"dark-blue\")]"));
    }
}

#[test]
fn what_is_off_is_not_generated_but_described() {
    let red = compile("red", &|feature| feature == "red");
    assert!(red.groups.keys().eq(["plain", "red", "shared"]), "{:?}", red.groups.keys());
    assert!(red.groups["red"].contains("pub struct BothDto ") && !red.operations.contains("getBlue"));
    let none = compile("none", &|_| false);
    let all: String = none.groups.values().map(String::as_str).collect();
    assert!(all.contains("pub struct EverywhereDto ") && !all.contains("BothDto"));
    assert_eq!(none.openapi, compile("whole", &|_| true).openapi);
}

#[test]
fn a_name_that_cargo_would_not_take_is_refused_and_so_is_a_feature_of_an_extension() {
    let folder = folder("bad");
    let text = fs::read_to_string(folder.join("red.yaml")).unwrap().replace("x-feature: red", "x-feature: 'Red Wine'");
    fs::write(folder.join("red.yaml"), text).unwrap();
    let told = genauth_codegen::check(&folder, "openapi").unwrap_err();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].to_string().contains("`Red Wine` is not the name of a Cargo feature"), "{}", told[0]);
    fs::remove_file(folder.join("genauth.yaml")).unwrap();
    let told = genauth_codegen::check_either(&folder, "fragments").unwrap_err();
    assert!(
        told.iter().any(|one| one.to_string().contains("An extension has no features: it is there as a whole")),
        "{told:?}"
    );
}
