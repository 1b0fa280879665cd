//! Helpers for reading a syntax tree.

use syn::{Expr, File, ImplItem, ImplItemFn, Item, ItemImpl, ItemMod, Type};

pub fn doc_of(attribute: &syn::Attribute) -> Option<String> {
    match &attribute.meta {
        syn::Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// The name in `#[serde(rename = "…")]`.
pub fn renamed(attribute: &syn::Attribute) -> Option<String> {
    let mut name = None;
    if attribute.path().is_ident("serde") {
        // The other arguments of the attribute do not matter here.
        let _ = attribute.parse_nested_meta(|meta| {
            let value = meta.value().ok().map(|value| value.parse::<syn::LitStr>()).transpose()?;
            if meta.path.is_ident("rename") {
                name = value.map(|value| value.value());
            }
            Ok(())
        });
    }
    name
}

pub fn binds(local: &syn::Local, name: &str) -> bool {
    matches!(&local.pat, syn::Pat::Ident(pat) if pat.ident == name)
}

pub fn module<'a>(file: &'a mut File, name: &str) -> Result<&'a mut ItemMod, String> {
    let found = file.items.iter_mut().find_map(|item| match item {
        Item::Mod(item) if item.ident == name => Some(item),
        _ => None,
    });
    found.ok_or_else(|| format!("no generated module `{name}`"))
}

pub fn items(module: &mut ItemMod) -> Result<&mut Vec<Item>, String> {
    module.content.as_mut().map(|(_, items)| items).ok_or_else(|| format!("the module `{}` is empty", module.ident))
}

pub fn functions(item: &mut ItemImpl) -> impl Iterator<Item = &mut ImplItemFn> {
    item.items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(function) => Some(function),
        _ => None,
    })
}

pub fn type_ident(item: &ItemImpl) -> Option<&syn::Ident> {
    last_segment(&item.self_ty).map(|segment| &segment.ident)
}

/// The `T` of `Option<T>`.
pub fn option_of(ty: &Type) -> Option<&Type> {
    last_segment(ty).filter(|segment| segment.ident == "Option").and_then(first_argument)
}

pub fn type_argument(ty: &Type) -> Option<&Type> {
    first_argument(last_segment(ty)?)
}

/// The first type between the angle brackets.
pub fn first_argument(segment: &syn::PathSegment) -> Option<&Type> {
    arguments(segment).next()
}

pub fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// The types between the angle brackets.
pub fn arguments(segment: &syn::PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        syn::PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

pub fn expect(found: bool, what: &str) -> Result<(), String> {
    if found { Ok(()) } else { Err(format!("expected {what}")) }
}
