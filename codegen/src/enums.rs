//! Enums of texts: those that an answer can hold keep values that this version does not know, and the others say what
//! they take.

use crate::syntax::{renamed, type_ident};
use std::collections::{BTreeMap, BTreeSet};
use syn::visit_mut::VisitMut;
use syn::{Expr, Item, ItemEnum, Lit, Variant, parse_quote};

/// The variant of an open enum for values that the document does not list.
pub const UNLISTED: &str = "Unlisted";

/// Finishes the enums. `answered` tells which of the named types an answer can hold.
pub fn finish(types: &mut Vec<Item>, answered: impl Fn(&syn::Ident) -> bool) {
    let open = reached(types, answered);
    // The texts that each closed enum takes, by its name.
    let mut closed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut opened: BTreeSet<String> = BTreeSet::new();
    let mut finished = Vec::new();
    for mut item in std::mem::take(types) {
        match &mut item {
            Item::Enum(found) if found.variants.iter().all(|variant| variant.fields.is_empty()) => {
                let name = found.ident.to_string();
                if open.contains(&name) {
                    finished.extend(open_one(found));
                    opened.insert(name);
                } else {
                    closed.insert(name, found.variants.iter().map(text_of).collect());
                    finished.push(item);
                }
            }
            Item::Impl(found) => {
                let name = type_ident(found).map(ToString::to_string).unwrap_or_default();
                if let Some(texts) = closed.get(&name) {
                    Listing(texts).visit_item_impl_mut(found);
                }
                // `open_one` has written its own versions of what else typify writes for an enum.
                if !opened.contains(&name) || is_default(found) {
                    finished.push(item);
                }
            }
            _ => finished.push(item),
        }
    }
    *types = finished;
}

fn is_default(item: &syn::ItemImpl) -> bool {
    item.trait_.as_ref().is_some_and(|(path, _)| path.segments.iter().any(|segment| segment.ident == "Default"))
}

/// The names of the types that can be part of those of answers.
fn reached(types: &mut [Item], answered: impl Fn(&syn::Ident) -> bool) -> BTreeSet<String> {
    struct Mentions(BTreeSet<String>);
    impl VisitMut for Mentions {
        fn visit_type_path_mut(&mut self, path: &mut syn::TypePath) {
            syn::visit_mut::visit_type_path_mut(self, path);
            self.0.extend(path.path.get_ident().map(ToString::to_string));
        }
    }
    let mut mentions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut open = Vec::new();
    for item in types {
        let (Item::Struct(syn::ItemStruct { ident, .. })
        | Item::Enum(ItemEnum { ident, .. })
        | Item::Type(syn::ItemType { ident, .. })) = &item
        else {
            continue;
        };
        let ident = ident.clone();
        let mut of_item = Mentions(BTreeSet::new());
        of_item.visit_item_mut(item);
        mentions.insert(ident.to_string(), of_item.0);
        open.extend(answered(&ident).then(|| ident.to_string()));
    }
    let mut reached = BTreeSet::new();
    while let Some(name) = open.pop() {
        if reached.insert(name.clone()) {
            open.extend(mentions.get(&name).into_iter().flatten().cloned());
        }
    }
    reached
}

/// The text that stands for a variant on the wire.
fn text_of(variant: &Variant) -> String {
    variant.attrs.iter().find_map(renamed).unwrap_or_else(|| variant.ident.to_string())
}

fn open_one(closed: &ItemEnum) -> Vec<Item> {
    let ItemEnum { attrs, ident, variants, .. } = closed;
    let attrs: Vec<_> = attrs.iter().filter(|attribute| !attribute.path().is_ident("derive")).collect();
    let texts: Vec<String> = variants.iter().map(text_of).collect();
    let names: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let unlisted = quote::format_ident!("{UNLISTED}");
    let listed = format!("One of {}, or what the server has added since.", in_words(&texts));
    vec![
        parse_quote! {
            #(#attrs)*
            ///
            #[doc = #listed]
            #[derive(::serde::Deserialize, Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
            #[serde(from = "::std::string::String")]
            #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema), schemars(with = "::std::string::String", extend("examples" = [#(#texts),*])))]
            #[non_exhaustive]
            pub enum #ident {
                #(#names,)*
                ///What this version does not know, as the server writes it.
                #unlisted(::std::string::String),
            }
        },
        parse_quote! {
            impl ::std::convert::AsRef<str> for #ident {
                fn as_ref(&self) -> &str {
                    match self {
                        #(Self::#names => #texts,)*
                        Self::#unlisted(text) => text,
                    }
                }
            }
        },
        parse_quote! {
            impl ::std::fmt::Display for #ident {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    f.write_str(self.as_ref())
                }
            }
        },
        parse_quote! {
            impl ::std::convert::From<::std::string::String> for #ident {
                fn from(text: ::std::string::String) -> Self {
                    match &*text {
                        #(#texts => Self::#names,)*
                        _ => Self::#unlisted(text),
                    }
                }
            }
        },
        parse_quote! {
            impl ::std::convert::From<&str> for #ident {
                fn from(text: &str) -> Self {
                    Self::from(text.to_owned())
                }
            }
        },
        parse_quote! {
            impl ::std::str::FromStr for #ident {
                type Err = ::std::convert::Infallible;
                fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                    Ok(Self::from(text))
                }
            }
        },
        parse_quote! {
            impl ::serde::Serialize for #ident {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                    serializer.serialize_str(self.as_ref())
                }
            }
        },
    ]
}

fn in_words(texts: &[String]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}

/// Replaces typify's "invalid value".
struct Listing<'a>(&'a [String]);

impl VisitMut for Listing<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        syn::visit_mut::visit_expr_mut(self, expr);
        if let Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) = expr
            && text.value() == "invalid value"
        {
            // A longer list is better read in the type's documentation.
            let problem = match self.0.len() {
                ..=8 => format!("is not one of {}", in_words(self.0)),
                _ => "is not one of the values of its type".to_owned(),
            };
            *expr = parse_quote!(#problem);
        }
    }
}
