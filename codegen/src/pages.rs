//! Lists that come page by page.

use crate::document::{Document, Operation};
use crate::syntax::{expect, type_argument};
use serde_json::Value;
use std::collections::BTreeSet;
use syn::{Expr, ImplItemFn, Item, Type, parse_quote};

const PAGE: [&str; 2] = ["page", "limit"];
const PAGING: [&str; 2] = ["totalCount", "list"];

/// Where an operation takes `page` and `limit`, if it returns `totalCount` and `list`.
pub fn place(document: &Document, operation: &Operation<'_>) -> Option<Expr> {
    let payload = document.property(operation.answer_schema(), "data")?;
    let required = |name: &str| {
        let mut required = document.parts(payload).into_iter().filter_map(|part| part["required"].as_array()).flatten();
        required.any(|field| field == name)
    };
    let is_paging = PAGING.iter().all(|name| required(name))
        && document.property(payload, "totalCount").is_some_and(|total| document.resolve(total)["type"] == "integer")
        && document.property(payload, "list").is_some_and(|list| document.resolve(list)["type"] == "array");
    if !is_paging {
        return None;
    }
    let parameters = || operation.value["parameters"].as_array().into_iter().flatten();
    let in_query = |name: &&str| parameters().any(|it| it["in"] == "query" && it["name"] == **name);
    if PAGE.iter().all(in_query) {
        return Some(parse_quote!(crate::generated::PagePlace::Query));
    }
    let names = in_body(document, operation.body_schema(), 3)?;
    Some(parse_quote!(crate::generated::PagePlace::Body(&[#(#names),*])))
}

/// The names that lead to the object that has both, through objects down to `depth`.
fn in_body<'a>(document: &'a Document, schema: &'a Value, depth: usize) -> Option<Vec<&'a str>> {
    let names = document.property_names(schema);
    if PAGE.iter().all(|name| names.contains(name)) {
        return Some(Vec::new());
    }
    let deeper = depth.checked_sub(1)?;
    names.into_iter().find_map(|name| {
        let mut rest = in_body(document, document.property(schema, name)?, deeper)?;
        rest.insert(0, name);
        Some(rest)
    })
}

/// The paging methods of an operation's builder. They are inlined, so that only programs that call them compile them.
pub fn methods(row: &Expr, payload: &Type, place: &Expr) -> [ImplItemFn; 2] {
    [
        parse_quote! {
            /// The list page by page, as a stream; see [`Pages`](crate::Pages).
            #[inline]
            pub fn pages(self) -> crate::Pages<#payload> {
                crate::generated::pages(self.client.__settings(), #row, self.request(), #place)
            }
        },
        parse_quote! {
            /// The rows of all pages, as a stream; see [`Items`](crate::Items).
            #[inline]
            pub fn items(self) -> crate::Items<#payload> {
                crate::generated::pages(self.client.__settings(), #row, self.request(), #place).items()
            }
        },
    ]
}

/// Implements for the named payloads where their rows are.
pub fn implement(types: &mut Vec<Item>, payloads: &BTreeSet<String>) -> Result<(), String> {
    let structs = types.iter().filter_map(|item| match item {
        Item::Struct(item) if payloads.contains(&item.ident.to_string()) => Some(item),
        _ => None,
    });
    let impls: Vec<Item> = structs
        .filter_map(|item| {
            let list = item.fields.iter().find(|field| field.ident.as_ref().is_some_and(|ident| ident == "list"))?;
            let (name, row) = (&item.ident, type_argument(&list.ty)?);
            Some(parse_quote! {
                impl crate::generated::Paging for #name {
                    type Row = #row;

                    fn rows(&mut self) -> &mut Vec<#row> {
                        &mut self.list
                    }

                    fn total(&self) -> u64 {
                        self.total_count.try_into().unwrap_or_default()
                    }
                }
            })
        })
        .collect();
    expect(impls.len() == payloads.len(), "a struct with a list for each payload that has one")?;
    types.extend(impls);
    Ok(())
}
