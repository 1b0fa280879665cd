//! How names in the document and in the generated code correspond.

use crate::document::{Document, Operation};
use crate::handwritten::REPLACEMENTS;
use quote::format_ident;
use std::collections::{BTreeMap, BTreeSet};
use syn::{Item, ItemMod, Type, parse_quote};

/// The operations and the names of the generated types, by their [`plain`] names. Once there are hundreds, searching
/// through all of them for each would take longer than everything else.
pub type Operations<'a> = BTreeMap<String, Operation<'a>>;
pub type TypeNames = BTreeMap<String, BTreeSet<String>>;

/// The name without its case style, in which the document's name and the generated one are equal.
pub fn plain(name: &str) -> String {
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

/// The method name that progenitor makes from an operationId.
pub fn snake_case(id: &str) -> String {
    heck::ToSnakeCase::to_snake_case(id)
}

/// The names in the generated module `types`.
pub fn type_names(types: &ItemMod) -> TypeNames {
    let mut names = TypeNames::new();
    for item in types.content.iter().flat_map(|(_, items)| items) {
        if let Item::Struct(syn::ItemStruct { ident, .. })
        | Item::Enum(syn::ItemEnum { ident, .. })
        | Item::Type(syn::ItemType { ident, .. }) = item
        {
            names.entry(plain(&ident.to_string())).or_default().insert(ident.to_string());
        }
    }
    names
}

/// The type of the named schema: the hand-written one that replaces it, or the generated one.
pub fn type_of(document: &Document, name: &str, type_names: &TypeNames) -> Result<Type, String> {
    if let Some((_, path)) = REPLACEMENTS.iter().find(|(schema, _)| *schema == name) {
        return syn::parse_str(path).map_err(|error| error.to_string());
    }
    if let Some(path) = document.types_of_genauth.get(name) {
        return syn::parse_str(path).map_err(|error| error.to_string());
    }
    let found = type_names.get(&plain(name)).and_then(BTreeSet::first);
    let ident = format_ident!("{}", found.ok_or_else(|| format!("the schema `{name}` became no type"))?);
    Ok(parse_quote!(types::#ident))
}

pub fn operation_named<'a, 'b>(
    operations: &'b Operations<'a>,
    ident: &syn::Ident,
) -> Result<&'b Operation<'a>, String> {
    operations.get(&plain(&ident.to_string())).ok_or_else(|| format!("no operation belongs to the generated `{ident}`"))
}

/// The `deprecated` attribute for what belongs to a deprecated operation.
pub fn deprecation(operation: &Operation<'_>, operations: &Operations<'_>) -> Option<syn::Attribute> {
    let replacement = operation.value["x-replaced-by"].as_str().filter(|_| operation.deprecated())?;
    let path = operations.get(&plain(replacement)).map(|other| other.path);
    let note = format!("use `{}` instead (`{}`)", snake_case(replacement), path.unwrap_or_default());
    Some(parse_quote!(#[deprecated(note = #note)]))
}
