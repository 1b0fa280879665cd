//! The part of OpenAPI 3.0.3 that the generator handles, as tables, and the check against them.
//!
//! progenitor ignores what it does not know, panics on some of it, and reports none of it by line. So a fragment may
//! only contain what is in these tables.

use crate::document::{Document, escape, shown};
use crate::near::did_you_mean;
use crate::violation::Violation;
use Shape::{Any, Count, Flag, FlagOrSchema, List, Map, Number, OneOf, Schema, Text, True, Version, Words};
use serde_json::Value;

/// What a value may be.
pub(crate) enum Shape {
    Any,
    Flag,
    /// `true`, and nothing else.
    True,
    Number,
    /// A whole number from 0.
    Count,
    Text,
    /// A text that is not blank.
    Words,
    /// The version of OpenAPI.
    Version,
    OneOf(&'static [&'static str]),
    List(&'static Shape),
    /// Names of the author's choice, each with a value of the same shape.
    Map(&'static Shape),
    Object(&'static Object),
    /// A schema: either a reference, or [`SCHEMA`].
    Schema,
    FlagOrSchema,
}

/// A mapping whose keys are known.
pub(crate) struct Object {
    /// The object's name with an article.
    pub what: &'static str,
    pub required: &'static [&'static str],
    pub known: &'static [(&'static str, Shape)],
    /// Why other keys are refused, if the reason is not just that they are unknown.
    pub mend: Option<&'static str>,
}

pub(crate) static DOCUMENT: Object = Object {
    what: "the document",
    required: &["openapi", "info", "paths", "components"],
    known: &[
        ("openapi", Version),
        ("info", Shape::Object(&INFO)),
        ("servers", List(&Shape::Object(&SERVER))),
        ("tags", List(&Shape::Object(&TAG))),
        ("paths", Map(&Shape::Object(&PATH))),
        ("components", Shape::Object(&COMPONENTS)),
        ("externalDocs", Shape::Object(&EXTERNAL_DOCS)),
    ],
    mend: None,
};

static INFO: Object = Object {
    what: "an info",
    required: &["title", "version"],
    known: &[
        ("title", Words),
        ("version", Words),
        ("description", Text),
        ("termsOfService", Text),
        ("contact", Shape::Object(&CONTACT)),
        ("license", Shape::Object(&LICENSE)),
    ],
    mend: None,
};

static CONTACT: Object =
    Object { what: "a contact", required: &[], known: &[("name", Text), ("url", Text), ("email", Text)], mend: None };

static LICENSE: Object =
    Object { what: "a license", required: &["name"], known: &[("name", Words), ("url", Text)], mend: None };

static SERVER: Object = Object {
    what: "a server",
    required: &["url"],
    known: &[("url", Words), ("description", Text), ("variables", Map(&Shape::Object(&SERVER_VARIABLE)))],
    mend: None,
};

static SERVER_VARIABLE: Object = Object {
    what: "a server variable",
    required: &["default"],
    known: &[("default", Text), ("enum", List(&Text)), ("description", Text)],
    mend: None,
};

static TAG: Object = Object {
    what: "a tag",
    required: &["name"],
    known: &[
        ("name", Words),
        ("description", Text),
        ("externalDocs", Shape::Object(&EXTERNAL_DOCS)),
        ("x-feature", Words),
    ],
    mend: None,
};

static EXTERNAL_DOCS: Object =
    Object { what: "an externalDocs", required: &["url"], known: &[("url", Words), ("description", Text)], mend: None };

static PATH: Object = Object {
    what: "a path",
    required: &[],
    known: &[
        ("get", Shape::Object(&OPERATION)),
        ("post", Shape::Object(&OPERATION)),
        ("put", Shape::Object(&OPERATION)),
        ("delete", Shape::Object(&OPERATION)),
    ],
    mend: Some(
        "The API has `get`, `post`, `put` and `delete` operations, and nothing is shared between those of a path.",
    ),
};

// The house rules say what else an operation needs, in messages of their own.
static OPERATION: Object = Object {
    what: "an operation",
    required: &[],
    known: &[
        ("operationId", Text),
        ("summary", Text),
        ("description", Text),
        ("tags", List(&Text)),
        ("deprecated", Flag),
        ("security", List(&Map(&List(&Text)))),
        ("parameters", List(&Shape::Object(&PARAMETER))),
        ("requestBody", Shape::Object(&REQUEST_BODY)),
        ("responses", Shape::Object(&RESPONSES)),
        ("externalDocs", Shape::Object(&EXTERNAL_DOCS)),
        ("x-replaced-by", Text),
        ("x-idempotent", Flag),
    ],
    mend: None,
};

static PARAMETER: Object = Object {
    what: "a parameter",
    required: &["name", "in"],
    known: &[
        ("name", Words),
        ("in", OneOf(&["query", "path"])),
        ("required", Flag),
        ("description", Text),
        ("schema", Schema),
        ("example", Any),
        ("x-not-secret", Words),
    ],
    mend: None,
};

static REQUEST_BODY: Object = Object {
    what: "a request body",
    required: &["required", "content"],
    known: &[("description", Text), ("required", True), ("content", Shape::Object(&CONTENT))],
    mend: None,
};

static RESPONSES: Object = Object {
    what: "the responses",
    required: &["200"],
    known: &[("200", Shape::Object(&RESPONSE))],
    mend: Some(
        "Describe only the 200 answer: progenitor panics on several, and every other status reaches the caller as \
         an error anyway.",
    ),
};

static RESPONSE: Object = Object {
    what: "an answer",
    required: &["description"],
    known: &[("description", Words), ("content", Shape::Object(&CONTENT))],
    mend: None,
};

static CONTENT: Object = Object {
    what: "a content",
    required: &["application/json"],
    known: &[("application/json", Shape::Object(&MEDIA))],
    mend: Some("Describe only `application/json`: progenitor has no types for anything else, and panics on several."),
};

static MEDIA: Object =
    Object { what: "a JSON content", required: &[], known: &[("schema", Schema), ("example", Any)], mend: None };

static COMPONENTS: Object = Object {
    what: "the components",
    required: &[],
    known: &[("schemas", Map(&Schema)), ("securitySchemes", Map(&Shape::Object(&SECURITY_SCHEME)))],
    mend: None,
};

static SECURITY_SCHEME: Object = Object {
    what: "a security scheme",
    required: &["type"],
    known: &[
        ("type", OneOf(&["apiKey", "http"])),
        ("in", OneOf(&["header"])),
        ("name", Words),
        // These are the registered schemes that the client speaks; generators warn of any other word.
        ("scheme", OneOf(&["basic", "bearer"])),
        ("bearerFormat", Text),
        ("description", Text),
    ],
    mend: None,
};

pub(crate) static SCHEMA: Object = Object {
    what: "a schema",
    required: &[],
    known: &[
        ("type", OneOf(&["string", "integer", "number", "boolean", "object", "array"])),
        ("format", Text),
        ("title", Text),
        ("description", Text),
        ("example", Any),
        ("properties", Map(&Schema)),
        ("required", List(&Text)),
        ("items", Schema),
        ("enum", List(&Any)),
        ("allOf", List(&Schema)),
        ("oneOf", List(&Schema)),
        ("nullable", Flag),
        ("default", Any),
        ("minimum", Number),
        ("maximum", Number),
        ("minLength", Count),
        ("maxLength", Count),
        ("minItems", Count),
        ("maxItems", Count),
        ("pattern", Text),
        ("additionalProperties", FlagOrSchema),
        ("x-any", True),
        ("x-not-secret", Words),
    ],
    mend: None,
};

pub(crate) static REFERENCE: Object = Object {
    what: "a reference",
    required: &[],
    known: &[("$ref", Text)],
    mend: Some("Tools ignore what is beside `$ref`: remove it, or wrap the reference in `allOf`."),
};

/// Returns everything in the document that the tables do not know.
pub fn check(document: &Document) -> Vec<Violation> {
    let mut checker = Checker { document, violations: Vec::new() };
    checker.visit(&Shape::Object(&DOCUMENT), &document.value, "", "The document");
    checker.violations.sort();
    // An alias gives one place to several nodes.
    checker.violations.dedup();
    checker.violations
}

struct Checker<'a> {
    document: &'a Document,
    violations: Vec<Violation>,
}

impl Checker<'_> {
    fn refuse(&mut self, pointer: &str, message: String) {
        self.violations.push(self.document.violation(pointer, "shape", message));
    }

    /// `label` is the name of the value in messages.
    fn visit(&mut self, shape: &Shape, value: &Value, pointer: &str, label: &str) {
        match (shape, value) {
            (Any, _)
            | (Flag | FlagOrSchema, Value::Bool(_))
            | (Number, Value::Number(_))
            | (Text, Value::String(_)) => {}
            (True, Value::Bool(true)) => {}
            (Count, Value::Number(number)) if number.is_u64() => {}
            (Words, Value::String(text)) if !text.trim().is_empty() => {}
            (Version, Value::String(text)) if text.starts_with("3.0.") => {}
            (OneOf(words), Value::String(text)) if words.contains(&text.as_str()) => {}
            (List(shape), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.visit(shape, item, &format!("{pointer}/{index}"), &format!("Item {} of {label}", index + 1));
                }
            }
            (Map(shape), Value::Object(members)) => {
                for (key, value) in members {
                    self.visit(shape, value, &format!("{pointer}/{}", escape(key)), &shown(key));
                }
            }
            (Schema | FlagOrSchema, Value::Object(members)) => {
                let object = if members.contains_key("$ref") { &REFERENCE } else { &SCHEMA };
                self.visit(&Shape::Object(object), value, pointer, label);
            }
            (Shape::Object(object), Value::Object(members)) => {
                for key in object.required.iter().filter(|key| !members.contains_key(**key)) {
                    self.refuse(pointer, format!("{label} lacks `{key}`. Add it."));
                }
                for (key, value) in members {
                    let pointer = format!("{pointer}/{}", escape(key));
                    match object.known.iter().find(|(known, _)| known == key) {
                        Some((_, shape)) => self.visit(shape, value, &pointer, &shown(key)),
                        None => self.refuse(&pointer, unknown(object, key)),
                    }
                }
            }
            _ => {
                let message = format!("{label} is {}. Write {}.", actual(value), expected(shape));
                self.refuse(pointer, message);
            }
        }
    }
}

fn unknown(object: &Object, key: &str) -> String {
    let problem = format!("{} has no place in {}.", shown(key), object.what);
    let known = || object.known.iter().map(|(known, _)| *known);
    match object.mend {
        Some(mend) => format!("{problem} {mend}"),
        None => {
            let list: Vec<_> = known().map(|known| format!("`{known}`")).collect();
            let otherwise = format!("Known are {}.", list.join(", "));
            format!("{problem} {}", did_you_mean(key, known(), &otherwise))
        }
    }
}

fn actual(value: &Value) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.trim().is_empty() => "blank".to_owned(),
        Value::String(text) if text.chars().count() <= 40 => shown(text),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

fn expected(shape: &Shape) -> String {
    match shape {
        Any => "any value".to_owned(),
        Flag => "true or false".to_owned(),
        True => "true".to_owned(),
        Number => "a number".to_owned(),
        Count => "a whole number from 0".to_owned(),
        Text => "a string".to_owned(),
        Words => "a string that is not blank".to_owned(),
        Version => "3.0.3: progenitor only reads OpenAPI 3.0".to_owned(),
        OneOf(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or "),
        List(_) => "a list".to_owned(),
        Map(_) => "a mapping of names".to_owned(),
        Shape::Object(object) => format!("{} as a mapping", object.what),
        Schema => "a schema".to_owned(),
        FlagOrSchema => "true, false or a schema".to_owned(),
    }
}
