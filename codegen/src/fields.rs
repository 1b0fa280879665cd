//! The changes to the fields of generated types.

use crate::document::Document;
use crate::handwritten::SECRET;
use crate::names::plain;
use crate::syntax::{arguments, option_of, renamed, type_argument};
use quote::{ToTokens, quote};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syn::{ItemStruct, Type, parse_quote};

/// Makes secrets serialize inside a body: `SecretString` has no `Serialize`, so that nobody serializes one by accident.
pub fn fence_secrets(item: &mut ItemStruct) {
    for field in &mut item.fields {
        if mentions_secret(&field.ty) {
            field.attrs.push(parse_quote!(#[serde(serialize_with = "crate::generated::Exposed::serialize_exposed")]));
        }
    }
}

/// Keeps an empty optional list or map apart from an absent one: it says "clear it". typify leaves out both. Returns
/// the struct's and the field's name for each field that it changed.
pub fn keep_empty(item: &mut ItemStruct) -> Vec<(String, String)> {
    let mut changed = Vec::new();
    for field in &mut item.fields {
        let (Some(ident), ty) = (&field.ident, &field.ty) else { continue };
        let skips_empty = |attribute: &syn::Attribute| {
            let text = attribute.meta.to_token_stream().to_string();
            attribute.path().is_ident("serde") && text.contains("is_empty")
        };
        if let Some(attribute) = field.attrs.iter_mut().find(|attribute| skips_empty(attribute)) {
            let rename = renamed(attribute);
            let rename = rename.map(|name| quote!(rename = #name,));
            *attribute = parse_quote!(#[serde(#rename skip_serializing_if = "::std::option::Option::is_none")]);
            changed.push((item.ident.to_string(), ident.to_string()));
            field.ty = parse_quote!(::std::option::Option<#ty>);
        }
    }
    changed
}

/// Makes the same change in the struct's builder as [`keep_empty`] and [`tell_null`] made in the struct.
pub fn hold_empty(builder: &mut ItemStruct, changed: &BTreeSet<(String, String)>) {
    for field in &mut builder.fields {
        let ident = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        if changed.contains(&(builder.ident.to_string(), ident))
            && let Some(held) = type_argument(&field.ty)
        {
            field.ty = parse_quote!(::std::result::Result<::std::option::Option<#held>, ::std::string::String>);
        }
    }
}

/// Keeps null apart from absence in an optional field of a type that only requests use: null says "clear it". typify
/// takes both for the same. Returns the same as [`keep_empty`].
pub fn tell_null(item: &mut ItemStruct, document: &Document, schema: &Value) -> Vec<(String, String)> {
    let required = |name: &str| {
        let mut required = document.parts(schema).into_iter().filter_map(|part| part["required"].as_array()).flatten();
        required.any(|field| field == name)
    };
    let nullable: BTreeSet<String> = document
        .property_names(schema)
        .into_iter()
        .filter(|name| document.property(schema, name).is_some_and(|it| it["nullable"] == true) && !required(name))
        .map(plain)
        .collect();
    let mut changed = Vec::new();
    for field in &mut item.fields {
        let (Some(ident), ty) = (&field.ident, &field.ty) else { continue };
        if nullable.contains(&plain(&ident.to_string())) && option_of(ty).is_some() && !mentions_secret(ty) {
            changed.push((item.ident.to_string(), ident.to_string()));
            field.attrs.push(parse_quote!(#[serde(default, deserialize_with = "crate::generated::nullable")]));
            field.ty = parse_quote!(::std::option::Option<#ty>);
        }
    }
    changed
}

/// Makes answers accept an integer in each way in which servers write it.
pub fn loosen_integers(item: &mut ItemStruct) {
    let is_integer = |ty: &Type| matches!(ty, Type::Path(ty) if ty.path.is_ident("i64"));
    for field in &mut item.fields {
        if is_integer(&field.ty) {
            field.attrs.push(parse_quote!(#[serde(deserialize_with = "crate::generated::integer::deserialize")]));
        } else if option_of(&field.ty).is_some_and(is_integer) {
            field.attrs.push(
                parse_quote!(#[serde(default, deserialize_with = "crate::generated::integer::deserialize_option")]),
            );
        }
    }
}

/// Corrects two things that typify does without notice: it ignores a conversion that does not match a schema exactly,
/// so that a secret could become a string, which is an error here; and it drops the description of a property that is a
/// reference.
pub fn finish(item: &mut ItemStruct, document: &Document, name: &str, schema: &Value) -> Result<(), String> {
    let mut properties: BTreeMap<String, &str> = BTreeMap::new();
    for property in document.property_names(schema) {
        properties.entry(plain(property)).or_insert(property);
    }
    for field in &mut item.fields {
        let ident = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        let property = properties.get(&plain(&ident));
        let Some(property) = property.and_then(|property| document.property(schema, property)) else { continue };
        if document.holds_secret(property) && !mentions_secret(&field.ty) {
            return Err(format!("`{name}.{ident}` is `format: password` but did not become {SECRET}"));
        }
        let text = document.resolve(property)["description"].as_str();
        if let Some(text) = text.filter(|_| !field.attrs.iter().any(|attribute| attribute.path().is_ident("doc"))) {
            field.attrs.push(parse_quote!(#[doc = #text]));
        }
    }
    Ok(())
}

fn mentions_secret(ty: &Type) -> bool {
    let Type::Path(ty) = ty else { return false };
    ty.path.segments.iter().any(|segment| segment.ident == "SecretString" || arguments(segment).any(mentions_secret))
}
