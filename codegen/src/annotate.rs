//! Makes the changes to types and client that progenitor does not, on the syntax tree that it made.
//!
//! An error here names what was not found: then progenitor's output has changed, and this file has to follow.

use crate::document::{Document, Operation};
use crate::names::{Operations, deprecation, operation_named, plain};
use crate::syntax::{doc_of, expect, functions, items, module, type_ident};
use crate::{enums, fields, setters};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use syn::{File, ImplItem, ImplItemFn, Item, ItemImpl, parse_quote};

/// Annotates the types: deprecation, secrets that serialize only inside a body, JSON Schema.
pub fn types(file: &mut File, document: &Document) -> Result<(), String> {
    let (current, retired): (Vec<_>, Vec<_>) = document.operations().into_iter().partition(|o| !o.deprecated());
    let reach = |operations: &[Operation<'_>]| document.reachable(operations.iter().map(|operation| operation.value));
    let retired: BTreeMap<String, String> =
        reach(&retired).difference(&reach(&current)).map(|name| (plain(name), name.clone())).collect();
    let note = |ident: &syn::Ident| -> Option<syn::Attribute> {
        let name = retired.get(&plain(&ident.to_string()))?;
        let note = format!("only deprecated operations use `{name}`");
        Some(parse_quote!(#[deprecated(note = #note)]))
    };
    let answers = document.reachable(document.operations().iter().map(Operation::answer_schema));
    let asked = document.reachable(document.operations().iter().map(Operation::body_schema));
    let schemas: BTreeMap<String, _> = document.schemas().map(|schema| (plain(schema.0), schema)).collect();
    let types = items(module(file, "types")?)?;
    enums::finish(types, |ident| {
        schemas.get(&plain(&ident.to_string())).is_some_and(|(name, _)| answers.contains(*name))
    });
    let mut kept_apart = BTreeSet::new();
    for item in types.iter_mut() {
        match item {
            Item::Struct(item) => {
                let schema = schemas.get(&plain(&item.ident.to_string()));
                if schema.is_some_and(|(name, _)| answers.contains(*name)) {
                    fields::loosen_integers(item);
                }
                item.attrs.extend(note(&item.ident));
                item.attrs.push(parse_quote!(#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]));
                kept_apart.extend(fields::keep_empty(item));
                if let Some((_, schema)) = schema.filter(|(name, _)| asked.contains(*name) && !answers.contains(*name))
                {
                    kept_apart.extend(fields::tell_null(item, document, schema));
                }
                fields::fence_secrets(item);
                if let Some((name, schema)) = schema {
                    fields::finish(item, document, name, schema)?;
                }
            }
            Item::Enum(item) => {
                item.attrs.extend(note(&item.ident));
                // An open enum has an attribute of its own.
                if !item.attrs.iter().any(|attribute| attribute.path().is_ident("cfg_attr")) {
                    item.attrs.push(parse_quote!(#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]));
                }
            }
            Item::Mod(item) if item.ident == "error" => {
                item.content = Some((
                    Default::default(),
                    vec![parse_quote!(
                        pub use crate::setter::ConversionError;
                    )],
                ));
            }
            Item::Mod(item) if item.ident == "builder" => {
                let builders = items(item)?;
                for item in builders.iter_mut() {
                    if let Item::Struct(item) = item {
                        item.attrs.extend(note(&item.ident));
                        fields::hold_empty(item, &kept_apart);
                    }
                }
                setters::rewrite(builders);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Removes the builders of types that only the server sends: typify's builders of those would be almost half of the
/// text. They are removed before the text is parsed, which takes longer than everything else.
pub fn drop_builders(tokens: TokenStream, document: &Document) -> TokenStream {
    let operations = document.operations();
    let answers = document.reachable(operations.iter().map(Operation::answer_schema));
    let asked = operations.iter().flat_map(|operation| [operation.body_schema(), &operation.value["parameters"]]);
    let requests = document.reachable(asked);
    let dropped: BTreeSet<String> = answers.difference(&requests).map(|name| plain(name)).collect();
    drop_builders_of(&dropped, tokens, "")
}

fn drop_builders_of(dropped: &BTreeSet<String>, tokens: TokenStream, module: &str) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut start = 0;
    for token in tokens {
        match token {
            // Braces end an item, and the tokens before them name its subject.
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let mut before = kept.iter().rev().map(ToString::to_string);
                let (name, word) = (before.next().unwrap_or_default(), before.next().unwrap_or_default());
                match (module, name.as_str()) {
                    ("", "types") | ("types", "builder") => {
                        let inner = drop_builders_of(dropped, group.stream(), &name);
                        kept.push(Group::new(Delimiter::Brace, inner).into());
                    }
                    ("builder", _) if dropped.contains(&plain(&name)) => kept.truncate(start),
                    ("types", _) if word == "impl" && dropped.contains(&plain(&name)) => kept.truncate(kept.len() - 2),
                    _ => kept.push(group.into()),
                }
                start = kept.len();
            }
            token => kept.push(token),
        }
    }
    kept.into_iter().collect()
}

/// Makes the generated `Client` the crate's: it holds only our settings, and only its methods are progenitor's.
pub fn client(file: &mut File, operations: &Operations<'_>) -> Result<(), String> {
    let mut annotated = 0;
    let is_client = |item: &ItemImpl| type_ident(item).is_some_and(|ident| ident == "Client");
    // These are `ClientInfo` and `ClientHooks`, by which progenitor's own `send` knows the client.
    file.items.retain(|item| !matches!(item, Item::Impl(item) if item.trait_.is_some()));
    for item in &mut file.items {
        match item {
            Item::Struct(item) if item.ident == "Client" => {
                item.attrs.retain(|attribute| !attribute.path().is_ident("derive"));
                item.attrs.push(parse_quote!(#[derive(Clone)]));
                item.fields = syn::Fields::Named(parse_quote!({ pub(crate) settings: crate::client::Settings }));
            }
            Item::Impl(item) if is_client(item) => {
                item.items.retain(|item| {
                    let makes_one = |function: &ImplItemFn| {
                        ["new", "new_with_client"].iter().any(|name| function.sig.ident == name)
                    };
                    !matches!(item, ImplItem::Fn(function) if makes_one(function))
                });
                for function in functions(item) {
                    shorten_docs(function);
                    let operation = operation_named(operations, &function.sig.ident)?;
                    function.attrs.extend(deprecation(operation, operations));
                    annotated += 1;
                }
            }
            _ => {}
        }
    }
    expect(annotated == operations.len(), "a method of `Client` for each operation")
}

/// Removes the example of a call with which progenitor ends a method's documentation: nothing compiles it. Ours are in
/// the crate's documentation.
fn shorten_docs(function: &mut ImplItemFn) {
    for attribute in &mut function.attrs {
        if let Some(text) = doc_of(attribute) {
            let text = text.split("```ignore").next().unwrap_or_default().trim_end();
            *attribute = parse_quote!(#[doc = #text]);
        }
    }
}
