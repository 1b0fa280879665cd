//! Splits the generated module into parts: one for each fragment, so that changes to a fragment stay in one file, and
//! one for each feature, so that the file is not even read without it. What the root describes, and what belongs to no
//! fragment, stays in the module itself.

use crate::document::Document;
use crate::features::{Features, With};
use crate::names::plain;
use crate::syntax::{first_argument, last_segment, type_ident};
use heck::ToSnakeCase as _;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::collections::BTreeMap;
use syn::{Attribute, File, Ident, ImplItem, Item, ItemImpl, ItemMod, parse_quote};

/// The name of the part for what several features need, or one feature and what is always there.
const SHARED: &str = "shared";

/// The parts by their names.
pub type Groups = BTreeMap<String, Group>;

/// What is generated from one fragment.
#[derive(Default)]
pub struct Group {
    /// The condition of a part that is only there with a feature.
    with: Option<Attribute>,
    types: Vec<Item>,
    builders_of_types: Vec<Item>,
    methods: Vec<ImplItem>,
    builders: Vec<Item>,
}

/// The part that each schema and operation belongs to, by its plain name.
type Homes = BTreeMap<String, Home>;

#[derive(Clone)]
struct Home {
    part: String,
    /// The condition of the whole part.
    part_with: Option<Attribute>,
    /// The condition of an item in a part that has none.
    with: Option<Attribute>,
    /// How many features bring it. What is always there counts as more than that.
    breadth: usize,
}

impl Home {
    fn of<'a>(&self, groups: &'a mut Groups) -> &'a mut Group {
        let with = || Group { with: self.part_with.clone(), ..Group::default() };
        groups.entry(self.part.clone()).or_insert_with(with)
    }
}

/// Takes the parts out of the module, which declares them instead.
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
                        Some(home) => home.of(&mut groups).methods.push(item),
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
    let features = Features::of(document);
    let parts: Vec<String> = features.names().into_iter().map(str::to_snake_case).collect();
    let home = |pointer: &str, with: Option<&With>| {
        if let Some(feature) = with.and_then(With::single) {
            let part_with = with.and_then(With::attribute);
            return Some(Home { part: feature.to_snake_case(), part_with, with: None, breadth: 1 });
        }
        let file = document.mark(pointer).file;
        let stem = file.rsplit('/').next().and_then(|name| name.strip_suffix(".yaml")).map(str::to_snake_case);
        let part = stem.filter(|stem| stem != "genauth")?;
        let breadth = with.map_or(usize::MAX, With::breadth);
        let with = with.and_then(With::attribute);
        let is_shared = with.is_some() || parts.contains(&part);
        Some(Home { part: if is_shared { SHARED.to_owned() } else { part }, part_with: None, with, breadth })
    };
    let schemas = document.schemas().filter_map(|(name, _)| {
        let name_there = plain(name);
        let home = home(&Document::schema_pointer(name), features.schemas.get(&name_there))?;
        Some((name_there, home))
    });
    let operations = document.operations();
    let operations = operations.iter().filter_map(|operation| {
        let id = plain(operation.id());
        let home = home(&operation.pointer, features.operations.get(&id))?;
        Some((id, home))
    });
    (schemas.collect(), operations.collect())
}

fn move_out(items: &mut Vec<Item>, homes: &Homes, groups: &mut Groups, part: fn(&mut Group) -> &mut Vec<Item>) {
    for mut item in std::mem::take(items) {
        // A type and another that is made from it name each other; the item that does so belongs to the narrower one.
        let of_subjects = subjects(&item).into_iter().filter_map(|ident| home_of(homes, &plain(&ident.to_string())));
        match of_subjects.min_by_key(|home| home.breadth) {
            Some(home) => {
                if let (Some(with), Some(attributes)) = (&home.with, attributes(&mut item)) {
                    attributes.insert(0, with.clone());
                }
                part(home.of(groups)).push(item);
            }
            None => items.push(item),
        }
    }
}

fn attributes(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    match item {
        Item::Struct(item) => Some(&mut item.attrs),
        Item::Enum(item) => Some(&mut item.attrs),
        Item::Type(item) => Some(&mut item.attrs),
        Item::Impl(item) => Some(&mut item.attrs),
        _ => None,
    }
}

/// The type that an item defines or implements something for, and the one that it converts from.
fn subjects(item: &Item) -> Vec<&Ident> {
    match item {
        Item::Struct(item) => vec![&item.ident],
        Item::Enum(item) => vec![&item.ident],
        Item::Type(item) => vec![&item.ident],
        // Examples are `impl From<X> for super::Y` beside the builder of `Y`, and `impl From<Y> for String`.
        Item::Impl(item) => type_ident(item).into_iter().chain(trait_argument(item)).collect(),
        _ => Vec::new(),
    }
}

/// The `X` of `impl From<X> for Y`.
fn trait_argument(item: &ItemImpl) -> Option<&Ident> {
    let (path, _) = item.trait_.as_ref()?;
    last_segment(first_argument(path.segments.last()?)?).map(|segment| &segment.ident)
}

/// The home of the named type. The type of an inline schema has a name that begins with the outer schema's.
fn home_of<'a>(homes: &'a Homes, name: &str) -> Option<&'a Home> {
    // Looking up each prefix of the name, which is ASCII, is faster than going through all homes for each name.
    (1..=name.len()).rev().find_map(|end| homes.get(&name[..end]))
}

fn name_parts(file: &mut File, groups: &Groups) {
    let parts: Vec<(Ident, &Option<Attribute>)> =
        groups.iter().map(|(name, group)| (format_ident!("{name}"), &group.with)).collect();
    let uses = |within: TokenStream| {
        let uses = parts.iter().map(move |(name, with)| {
            let with = with.iter();
            let item: Item = parse_quote! {
                #[allow(unused_imports)]
                #(#with)*
                pub use crate::api::groups::#name::#within::*;
            };
            item
        });
        uses.collect::<Vec<_>>()
    };
    for item in &mut file.items {
        let Item::Mod(ItemMod { ident, content: Some((_, items)), .. }) = item else { continue };
        if ident == "types" {
            for item in items.iter_mut() {
                if let Item::Mod(ItemMod { ident, content: Some((_, items)), .. }) = item
                    && ident == "builder"
                {
                    items.extend(uses(quote!(types::builder)));
                }
            }
            items.extend(uses(quote!(types)));
        } else if ident == "builder" {
            items.extend(uses(quote!(builder)));
        }
    }
    let parts = parts.iter().map(|(name, with)| {
        let (path, with) = (format!("/groups/{name}.rs"), with.iter());
        let part: Item = parse_quote! {
            #(#with)*
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
    /// Makes the part's file. The items are inserted as they are: quoting them would parse them once more.
    pub fn file(self) -> File {
        let Self { types, builders_of_types, methods, builders, .. } = self;
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
