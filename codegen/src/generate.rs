//! Runs progenitor over the checked document, and annotates its output.

use crate::document::Document;
use crate::features::Features;
use crate::handwritten::{REPLACEMENTS, SECRET};
use crate::names::{Operations, plain, type_names};
use crate::violation::Violation;
use crate::{annotate, builders, setters, syntax, tables};
use progenitor::{GenerationSettings, Generator, InterfaceStyle};
use serde_json::{Map, Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Generates the module and the table of its operations.
pub fn generate(document: &Document) -> Result<(syn::File, syn::File), Violation> {
    let tokens = run_progenitor(document).map_err(|problem| blame(document, &problem))?;
    let internal = |problem: String| internal(document, problem);
    let mut file = syn::parse2(annotate::drop_builders(tokens, document))
        .map_err(|error| internal(format!("progenitor's output does not parse: {error}")))?;
    let operations = annotated(&mut file, document).map_err(internal)?;
    Ok((file, operations))
}

/// A violation that the author of a fragment cannot correct.
pub fn internal(document: &Document, problem: String) -> Violation {
    let advice = "This is a fault of genauth-codegen, or progenitor's output has changed.";
    document.violation("", "generator", format!("{problem}. {advice}"))
}

/// Runs one pass after the other. Returns the table of operations, a file of its own.
fn annotated(file: &mut syn::File, document: &Document) -> Result<syn::File, String> {
    let operations: Operations<'_> =
        document.operations().into_iter().map(|operation| (plain(operation.id()), operation)).collect();
    let type_names = type_names(syntax::module(file, "types")?);
    annotate::types(file, document)?;
    let generated = builders::annotate(file, document, &operations, &type_names)?;
    setters::rewrite(syntax::items(syntax::module(file, "builder")?)?);
    annotate::client(file, &operations)?;
    file.items.retain(|item| !matches!(item, syn::Item::Mod(item) if item.ident == "prelude"));
    file.items.push(syn::parse_quote!(
        use crate::operation::{At, OPERATIONS};
    ));
    let features = Features::of(document);
    file.items.extend(tables::tables(document, &features, &generated, &type_names)?);
    tables::operations(document, &features, &generated)
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

/// Turns a panic of progenitor, which panics on what it does not support, into an error, and keeps its backtrace off
/// the screen.
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

/// Blames a problem that the house rules did not foresee on the operation that progenitor fails on, which is found by
/// running each one alone.
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

/// The document as progenitor is to see it: without examples and extensions, which typify would count as part of a
/// schema, so that no conversion would match it.
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
