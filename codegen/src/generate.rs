//! Runs progenitor over the checked document, annotates what it made, and prints it.

use crate::document::{Document, referenced_name};
use crate::{Violation, annotate};
use progenitor::{GenerationSettings, Generator, InterfaceStyle};
use serde_json::{Map, Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Named schemas that a hand-written type stands for, with its path in the crate.
pub const REPLACEMENTS: &[(&str, &str)] = &[("UnixTimestamp", "crate::UnixTimestamp")];

/// The hand-written type of every `format: password` string.
pub const SECRET: &str = "crate::SecretString";

/// The generated module, and the table of its operations.
pub fn generate(document: &Document) -> Result<(syn::File, syn::File), Violation> {
    let tokens = run_progenitor(document).map_err(|problem| blame(document, &problem))?;
    let internal = |problem: String| internal(document, problem);
    let mut file = syn::parse2(annotate::drop_builders(tokens, document))
        .map_err(|error| internal(format!("progenitor's output does not parse: {error}")))?;
    let operations = annotate::annotate(&mut file, document).map_err(internal)?;
    Ok((file, operations))
}

/// What nobody can mend who writes fragments.
pub fn internal(document: &Document, problem: String) -> Violation {
    let advice = "This is a fault of genauth-codegen, or progenitor's output has changed.";
    document.violation("", "generator", format!("{problem}. {advice}"))
}

fn run_progenitor(document: &Document) -> Result<proc_macro2::TokenStream, String> {
    let spec: openapiv3::OpenAPI =
        serde_json::from_value(lowered(&document.value)).map_err(|error| error.to_string())?;
    let mut settings = GenerationSettings::default();
    settings.with_interface(InterfaceStyle::Builder).with_map_type("::std::collections::BTreeMap").with_conversion(
        password_schema(),
        SECRET,
        std::iter::empty(),
    );
    for (schema, path) in &document.types_of_genauth {
        settings.with_replacement(schema, path, std::iter::empty());
    }
    for (schema, path) in REPLACEMENTS {
        settings.with_replacement(schema, path, std::iter::empty());
    }
    quietly(|| Generator::new(&settings).generate_tokens(&spec).map_err(|error| error.to_string()))
}

/// progenitor panics on what it does not support; the panic becomes an error, and its backtrace stays off the screen.
fn quietly<T>(run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    thread_local!(static QUIET: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                loud(info);
            }
        }));
    });
    QUIET.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(run));
    QUIET.set(false);
    outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(text.unwrap_or("it panicked").to_owned())
    })
}

/// What the house rules did not foresee: finds the operation that progenitor fails on by running each one alone.
fn blame(document: &Document, problem: &str) -> Violation {
    let culprit = document.operations().into_iter().find(|operation| {
        let all = &document.value["components"]["schemas"];
        let names = document.reachable([operation.value]);
        let schemas: Map<_, _> =
            names.into_iter().filter_map(|name| all.get(&name).cloned().map(|schema| (name, schema))).collect();
        let alone = json!({
            "openapi": document.value["openapi"],
            "info": document.value["info"],
            "paths": { operation.path: { operation.method: operation.value } },
            "components": { "schemas": schemas },
        });
        run_progenitor(&Document { value: alone, ..document.clone() }).is_err()
    });
    let problem = problem.split_whitespace().collect::<Vec<_>>().join(" ");
    match culprit {
        Some(operation) => document.violation(
            &operation.pointer,
            "generator",
            format!(
                "progenitor cannot generate `{}`: {problem}. Describe it, or a schema it uses, with simpler means.",
                operation.id()
            ),
        ),
        None => document.violation(
            "",
            "generator",
            format!("progenitor cannot generate the document: {problem}. Look at what changed last."),
        ),
    }
}

fn password_schema() -> schemars08::schema::SchemaObject {
    schemars08::schema::SchemaObject {
        instance_type: Some(schemars08::schema::InstanceType::String.into()),
        format: Some("password".to_owned()),
        ..Default::default()
    }
}

/// The document as progenitor is to see it: without examples and extensions, which typify would otherwise count as part
/// of a schema, so that no conversion matched it.
fn lowered(value: &Value) -> Value {
    fn lower(value: &Value, keys_are_names: bool) -> Value {
        match value {
            Value::Object(members) => {
                let kept = |key: &str| keys_are_names || !(key == "example" || key.starts_with("x-"));
                let members = members.iter().filter(|(key, _)| kept(key)).map(|(key, value)| {
                    let names = !keys_are_names && matches!(key.as_str(), "properties" | "paths" | "schemas");
                    (key.clone(), lower(value, names))
                });
                Value::Object(members.collect::<Map<_, _>>())
            }
            Value::Array(items) => items.iter().map(|item| lower(item, false)).collect(),
            other => other.clone(),
        }
    }
    lower(value, false)
}

/// Whether a schema is a secret string, or a list, a map or a choice of such. The properties of an object are not looked
/// into: each is a field of its own.
pub fn holds_secret(document: &Document, schema: &Value) -> bool {
    let parts = |key: &str| schema[key].as_array().into_iter().flatten();
    if !schema.is_object() {
        return false;
    }
    schema["format"] == "password"
        || referenced_name(schema).is_some() && document.resolve(schema)["format"] == "password"
        || ["items", "additionalProperties"].iter().any(|key| holds_secret(document, &schema[*key]))
        || parts("allOf").chain(parts("oneOf")).any(|part| holds_secret(document, part))
}
