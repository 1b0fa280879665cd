//! Generated code for another crate than `genauth`: paths lead through `genauth`, and what would be methods of the
//! client become methods of a trait.

use crate::document::{Document, escape, referenced_name};
use heck::ToPascalCase as _;
use proc_macro2::{Group, Literal, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use syn::punctuated::Punctuated;
use syn::visit_mut::VisitMut;
use syn::{Attribute, File, ImplItem, Item, ItemImpl, ItemMod, ItemTrait, Meta, Token, parse_quote};

/// The version of what generated code expects of `genauth`, to be raised with every change of that. The macro
/// `__extension` of `genauth` checks it.
const VERSION: u8 = 1;
const BY: &str = env!("CARGO_PKG_VERSION");

/// The crates that generated code names. `genauth` re-exports them, so that a dependent need not depend on them.
const HANDED_ON: [&str; 6] = ["http", "progenitor_client", "reqwest", "schemars", "serde", "serde_json"];

/// The features that generated code asks for. They are `genauth`'s, so the build of another crate does not know them,
/// but a macro of `genauth` does.
const FEATURES: [(&str, &str); 2] = [("schemars", "__schemars"), ("invoke", "__invoke")];

/// Allowed around all generated code, since the dependent's lints need not hold for what progenitor prints.
const ALLOWED: &str = "#![allow(deprecated, missing_docs, unreachable_pub, unused, rust_2018_idioms, \
                       rustdoc::all, clippy::all, clippy::pedantic)]";

/// The part of the document that the fragments describe: their operations, and what those need. Types of `genauth` are
/// not made again, except for those that an operation returns as a whole: only their payload is handed out.
pub fn own_part(mut document: Document) -> Document {
    let mut value = document.value.clone();
    // A path is either all genauth's or all the fragments'.
    retain(&mut value["paths"], |path, _| document.is_own(&format!("/paths/{}", escape(path))));
    let needed = document.reachable([&value["paths"]]);
    retain(&mut value["components"]["schemas"], |name, _| needed.contains(name));
    let words = value["paths"].to_string();
    retain(&mut value["components"]["securitySchemes"], |name, _| words.contains(&format!("\"{name}\"")));
    if let Some(tags) = value["tags"].as_array_mut() {
        tags.retain(|tag| words.contains(&tag["name"].to_string()));
        // The operations of an extension are there whatever features of `genauth` are on.
        tags.iter_mut().filter_map(Value::as_object_mut).for_each(|tag| _ = tag.remove("x-feature"));
    }
    let of_genauth: Vec<String> =
        needed.into_iter().filter(|name| !document.is_own(&Document::schema_pointer(name))).collect();
    document.value = value;
    let answered: BTreeSet<String> = document
        .operations()
        .iter()
        .filter_map(|operation| Some(referenced_name(operation.answer_schema())?.to_owned()))
        .collect();
    let path = |name: String| {
        let path = format!("::genauth::types::{}", type_name(&name));
        (name, path)
    };
    document.types_of_genauth = of_genauth.into_iter().filter(|name| !answered.contains(name)).map(path).collect();
    document
}

/// The name that progenitor gives the type of a schema.
pub fn type_name(schema: &str) -> String {
    schema.to_pascal_case()
}

fn retain(members: &mut Value, is_kept: impl Fn(&str, &Value) -> bool) {
    if let Some(members) = members.as_object_mut() {
        members.retain(|name, value| is_kept(name, value));
    }
}

/// The text of the extension, made from what would be the crate's own module and its table of operations.
pub fn text(api: File, operations: File, openapi: &str) -> Result<String, String> {
    let mut items = Vec::new();
    for mut item in [api, operations].into_iter().flat_map(|file| file.items) {
        ThroughGenauth.visit_item_mut(&mut item);
        match item {
            Item::Struct(item) if item.ident == "Client" => items.push(parse_quote!(
                use ::genauth::Client;
            )),
            Item::Impl(item) if item.trait_.is_none() => items.extend(as_trait(item)),
            // In an extension, the table is in the same module.
            Item::Use(item) if item.to_token_stream().to_string().contains("OPERATIONS") => {}
            item => items.push(item),
        }
    }
    items.push(parse_quote! {
        /// The operations, for what looks them up: `Extension::invoke`, and the mock's builder.
        pub static EXTENSION: ::genauth::Extension = ::genauth::Extension::new(
            OPERATIONS,
            #openapi,
            ::genauth::__schemars!(SCHEMAS),
            ::genauth::__invoke!(invoke),
        );
    });
    let mut text = String::new();
    print(items, &mut text);
    if let Some(at) = text.find("feature = \"") {
        let rest: String = text[at..].chars().take(40).collect();
        return Err(format!("`genauth` has no macro for the `{rest}` of an item"));
    }
    Ok(format!(
        "// Generated by genauth-codegen {BY}. Do not edit.\n\n::genauth::__extension! {{\n{VERSION} \"{BY}\";\n\
         mod generated {{\n{ALLOWED}\n{text}}}\n\
         #[allow(unused_imports)]\n\
         pub use generated::{{EXTENSION, Operations, builder, types}};\n}}\n"
    ))
}

/// Rewrites each path to lead through `genauth`.
struct ThroughGenauth;

impl VisitMut for ThroughGenauth {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        syn::visit_mut::visit_path_mut(self, path);
        // The visibility `pub(crate)` is a path of a single segment.
        let Some(first) = path.segments.first().filter(|_| path.segments.len() > 1) else { return };
        if first.ident == "crate" {
            path.segments[0] = parse_quote!(genauth);
            path.leading_colon = Some(Default::default());
        } else if HANDED_ON.iter().any(|name| first.ident == name) {
            let segments = &path.segments;
            *path = parse_quote!(::genauth::generated::#segments);
        }
    }

    /// Replaces `url_of`: only the crate's own operations have a stored URL.
    fn visit_expr_mut(&mut self, expr: &mut syn::Expr) {
        if let syn::Expr::Call(call) = expr
            && call.func.to_token_stream().to_string().ends_with(":: url_of")
        {
            let (client, place) = (&call.args[0], &call.args[1]);
            *expr = parse_quote!(crate::generated::url(#client, super::OPERATIONS[#place].path));
        }
        syn::visit_mut::visit_expr_mut(self, expr);
    }

    fn visit_item_use_mut(&mut self, item: &mut syn::ItemUse) {
        let syn::UseTree::Path(first) = &mut item.tree else { return };
        if first.ident == "crate" {
            first.ident = parse_quote!(genauth);
        } else if HANDED_ON.iter().any(|name| first.ident == name) {
            let tree = &item.tree;
            item.tree = parse_quote!(genauth::generated::#tree);
        } else {
            return;
        }
        item.leading_colon = Some(Default::default());
    }

    /// Rewrites the paths in serde's attributes, which are strings, and in links of documentation.
    fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
        if let syn::Meta::List(list) = &mut attribute.meta {
            list.tokens = tokens_through_genauth(std::mem::take(&mut list.tokens));
        }
        syn::visit_mut::visit_attribute_mut(self, attribute);
    }

    fn visit_lit_str_mut(&mut self, literal: &mut syn::LitStr) {
        if literal.value().contains("](crate::") {
            *literal = syn::LitStr::new(&literal.value().replace("](crate::", "](genauth::"), literal.span());
        }
    }
}

fn tokens_through_genauth(tokens: TokenStream) -> TokenStream {
    let mut done: Vec<TokenTree> = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                done.push(Group::new(group.delimiter(), tokens_through_genauth(group.stream())).into());
            }
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                done.push(match text.strip_prefix("\"crate::").and_then(|rest| rest.strip_suffix('"')) {
                    Some(rest) => Literal::string(&format!("::genauth::{rest}")).into(),
                    None => literal.into(),
                });
            }
            // An example is `derive(::serde::Serialize)`.
            TokenTree::Ident(ident) if HANDED_ON.iter().any(|name| ident == name) && is_path_start(&done) => {
                done.extend(quote!(genauth::generated::#ident));
            }
            token => done.push(token),
        }
    }
    done.into_iter().collect()
}

/// Whether the tokens end in a `::` with no name in front of it.
fn is_path_start(before: &[TokenTree]) -> bool {
    let is_colon = |token: &&TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
    let colons = before.iter().rev().take_while(is_colon).count();
    colons == 2 && !matches!(before.iter().rev().nth(2), Some(TokenTree::Ident(_)))
}

/// Turns the client's methods, which another crate cannot add, into a trait.
fn as_trait(mut methods: ItemImpl) -> Vec<Item> {
    if methods.items.is_empty() {
        return Vec::new();
    }
    let mut operations: ItemTrait = parse_quote! {
        /// The operations of this extension, as methods of a client.
        pub trait Operations {}
    };
    for item in &mut methods.items {
        if let ImplItem::Fn(function) = item {
            function.vis = syn::Visibility::Inherited;
            let (attrs, signature) = (std::mem::take(&mut function.attrs), &function.sig);
            operations.items.push(parse_quote!(#(#attrs)* #signature;));
        }
    }
    let mut implementation: ItemImpl = parse_quote!(impl Operations for Client {});
    implementation.items = methods.items;
    vec![Item::Trait(operations), Item::Impl(implementation)]
}

/// Prints the items, each within the macro that it needs. prettyplease does not print the inside of a macro.
fn print(items: Vec<Item>, text: &mut String) {
    for item in items {
        match item {
            Item::Mod(ItemMod { attrs, vis, ident, content: Some((_, items)), .. }) => {
                let _ = writeln!(text, "{} {} mod {ident} {{", quote!(#(#attrs)*), quote!(#vis));
                print(items, text);
                text.push_str("}\n");
            }
            mut item => {
                let around = around(&mut item);
                let printed = prettyplease::unparse(&alone(item));
                let _ = match around {
                    Some(begin) => writeln!(text, "::genauth::{begin}\n{printed}}}"),
                    None => writeln!(text, "{printed}"),
                };
            }
        }
    }
}

/// A file with one item, since prettyplease prints files.
fn alone(item: Item) -> File {
    File { shebang: None, frontmatter: None, attrs: Vec::new(), items: vec![item] }
}

/// The beginning of the macro that replaces an item's condition.
fn around(item: &mut Item) -> Option<String> {
    let attrs = match item {
        Item::Struct(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        Item::Fn(item) => &mut item.attrs,
        Item::Static(item) => &mut item.attrs,
        Item::Impl(item) => &mut item.attrs,
        _ => return None,
    };
    if attrs.iter().any(|attribute| attribute.path().is_ident("derive") && mentions(attribute, "serde")) {
        attrs.push(parse_quote!(#[serde(crate = "::genauth::generated::serde")]));
    }
    let of_type = take(attrs, |attribute| attribute.path().is_ident("cfg_attr") && mentions(attribute, "schemars"));
    if let Some(of_type) = of_type {
        // What is beside the derive is meant for schemars.
        let words = of_type.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).unwrap_or_default();
        let words = words.into_iter().filter(|word| word.path().is_ident("schemars"));
        return Some(format!("__type! {{ [{}]", quote!(#(#[#words])*)));
    }
    FEATURES.into_iter().find_map(|(feature, name)| {
        let feature = format!("feature = \"{feature}\"");
        take(attrs, |attribute| attribute.path().is_ident("cfg") && mentions(attribute, &feature))
            .map(|_| format!("{name}! {{"))
    })
}

fn mentions(attribute: &Attribute, text: &str) -> bool {
    attribute.to_token_stream().to_string().contains(text)
}

/// Removes the attribute and returns it, if it is there.
fn take(attrs: &mut Vec<Attribute>, is_it: impl Fn(&Attribute) -> bool) -> Option<Attribute> {
    let at = attrs.iter().position(is_it)?;
    Some(attrs.remove(at))
}
