//! The generated module in parts, one for each fragment, so that what changes with a fragment stands in one file. What the
//! root describes, and what belongs to no fragment, stays in the module itself.

use crate::document::Document;
use crate::names::plain;
use crate::syntax::type_ident;
use heck::ToSnakeCase as _;
use quote::format_ident;
use std::collections::BTreeMap;
use syn::{File, Ident, ImplItem, Item, ItemImpl, ItemMod, parse_quote};

/// The parts by their names.
pub type Groups = BTreeMap<String, Group>;

/// What is generated from one fragment.
#[derive(Default)]
pub struct Group {
    types: Vec<Item>,
    builders_of_types: Vec<Item>,
    methods: Vec<ImplItem>,
    builders: Vec<Item>,
}

/// By the plain names of the schemas and operations: the fragment that each stands in.
type Homes = BTreeMap<String, String>;

/// Takes the parts out of the module, which gets their names instead.
pub fn take(file: &mut File, document: &Document) -> Groups {
    let mut groups = Groups::new();
    let (schemas, operations) = homes(document);
    for item in &mut file.items {
        match item {
            Item::Mod(ItemMod { ident, content: Some((_, items)), .. }) if ident == "types" => {
                for item in items.iter_mut() {
                    if let Item::Mod(ItemMod { ident, content: Some((_, builders)), .. }) = item
                        && ident == "builder"
                    {
                        move_out(builders, &schemas, &mut groups, |group| &mut group.builders_of_types);
                    }
                }
                move_out(items, &schemas, &mut groups, |group| &mut group.types);
            }
            Item::Mod(ItemMod { ident, content: Some((_, items)), .. }) if ident == "builder" => {
                move_out(items, &operations, &mut groups, |group| &mut group.builders);
            }
            Item::Impl(ItemImpl { trait_: None, items, .. }) => {
                for item in std::mem::take(items) {
                    let home = match &item {
                        ImplItem::Fn(function) => operations.get(&plain(&function.sig.ident.to_string())),
                        _ => None,
                    };
                    match home {
                        Some(home) => groups.entry(home.clone()).or_default().methods.push(item),
                        None => items.push(item),
                    }
                }
            }
            _ => {}
        }
    }
    name_parts(file, &groups);
    groups
}

fn homes(document: &Document) -> (Homes, Homes) {
    let home = |pointer: &str| {
        let file = document.mark(pointer).file;
        let stem = file.rsplit('/').next().and_then(|name| name.strip_suffix(".yaml")).map(str::to_snake_case);
        stem.filter(|stem| stem != "genauth")
    };
    let schemas =
        document.schemas().filter_map(|(name, _)| Some((plain(name), home(&Document::schema_pointer(name))?)));
    let operations = document.operations();
    let operations = operations.iter().filter_map(|operation| Some((plain(operation.id()), home(&operation.pointer)?)));
    (schemas.collect(), operations.collect())
}

fn move_out(items: &mut Vec<Item>, homes: &Homes, groups: &mut Groups, part: fn(&mut Group) -> &mut Vec<Item>) {
    for item in std::mem::take(items) {
        match subject(&item).and_then(|ident| home_of(homes, &plain(&ident.to_string()))) {
            Some(home) => part(groups.entry(home.to_owned()).or_default()).push(item),
            None => items.push(item),
        }
    }
}

/// The type that an item makes, or makes something of.
fn subject(item: &Item) -> Option<&Ident> {
    match item {
        Item::Struct(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        // Such as `impl From<X> for super::Y` beside the builder of `Y`, and `impl From<Y> for String`.
        Item::Impl(item) => type_ident(item),
        _ => None,
    }
}

/// Where the named type comes from. What stands inline in a schema has a name that begins with the schema's.
fn home_of<'a>(homes: &'a Homes, name: &str) -> Option<&'a str> {
    // A prefix of the plain name, which is ASCII; to go through all homes for each would be quadratic.
    (1..=name.len()).rev().find_map(|end| homes.get(&name[..end])).map(String::as_str)
}

fn name_parts(file: &mut File, groups: &Groups) {
    let names: Vec<Ident> = groups.keys().map(|name| format_ident!("{name}")).collect();
    for item in &mut file.items {
        let Item::Mod(ItemMod { ident, content: Some((_, items)), .. }) = item else { continue };
        if ident == "types" {
            for item in items.iter_mut() {
                if let Item::Mod(ItemMod { ident, content: Some((_, items)), .. }) = item
                    && ident == "builder"
                {
                    items.push(parse_quote!(#[allow(unused_imports)] pub use crate::api::groups::{#(#names::types::builder::*),*};));
                }
            }
            items.push(parse_quote!(#[allow(unused_imports)] pub use crate::api::groups::{#(#names::types::*),*};));
        } else if ident == "builder" {
            items.push(parse_quote!(#[allow(unused_imports)] pub use crate::api::groups::{#(#names::builder::*),*};));
        }
    }
    let parts = names.iter().map(|name| {
        let path = format!("/groups/{name}.rs");
        let part: Item = parse_quote! {
            pub mod #name {
                include!(concat!(env!("OUT_DIR"), #path));
            }
        };
        part
    });
    file.items.push(parse_quote! {
        /// One part for each fragment.
        mod groups { #(#parts)* }
    });
}

impl Group {
    /// The items are put in as they are: to quote them would be to parse them once more.
    pub fn file(self) -> File {
        let Self { types, builders_of_types, methods, builders } = self;
        let mut file: File = parse_quote! {
            #[allow(unused_imports)]
            use crate::api::*;

            /// Types used as operation parameters and responses.
            #[allow(clippy::all)]
            pub mod types {
                #[allow(unused_imports)]
                use crate::api::types::*;

                /// Types for composing complex structures.
                pub mod builder {}
            }

            impl Client {}

            /// Types for composing operation parameters.
            #[allow(clippy::all)]
            pub mod builder {
                #[allow(unused_imports)]
                use crate::api::*;
            }
        };
        let [_, of_types, client, of_operations] = file.items.as_mut_slice() else { return file };
        if let Item::Mod(ItemMod { content: Some((_, items)), .. }) = of_types {
            if let Some(Item::Mod(ItemMod { content: Some((_, builders)), .. })) = items.last_mut() {
                *builders = builders_of_types;
            }
            items.splice(1..1, types);
        }
        if let Item::Impl(client) = client {
            client.items = methods;
        }
        if let Item::Mod(ItemMod { content: Some((_, items)), .. }) = of_operations {
            items.extend(builders);
        }
        file
    }
}
