//! The setters of builders: what an optional field takes, and the message for a value that does not fit.

use crate::syntax::{first_argument, functions, option_of, type_argument, type_ident};
use quote::ToTokens;
use std::collections::BTreeMap;
use syn::visit_mut::VisitMut;
use syn::{Expr, ImplItemFn, Item, ItemImpl, Lit, Type, parse_quote};

/// Rewrites the setters of all builders of a module, and their messages about fields that were never set.
pub fn rewrite(items: &mut [Item]) {
    let mut fields: BTreeMap<String, BTreeMap<String, Type>> = BTreeMap::new();
    for item in items.iter() {
        if let Item::Struct(item) = item {
            let named = item.fields.iter().filter_map(|field| Some((field.ident.as_ref()?.to_string(), &field.ty)));
            let held = named.filter_map(|(name, ty)| Some((name, type_argument(ty)?.clone()))).collect();
            fields.insert(item.ident.to_string(), held);
        }
    }
    for item in items {
        let Item::Impl(item) = item else { continue };
        let of = type_ident(item).and_then(|ident| fields.get(&ident.to_string()));
        let Some(of) = of else { continue };
        Unset.visit_item_impl_mut(item);
        for function in functions(item) {
            let name = function.sig.ident.to_string();
            if let (Some(taken), Some(held)) = (taken(function), of.get(&name)) {
                rewrite_one(function, &name, &taken, held);
            }
        }
    }
}

/// The functions that take one value, with its type.
pub fn setters(builder: &mut ItemImpl) -> Vec<(syn::Ident, Type)> {
    functions(builder).filter_map(|function| Some((function.sig.ident.clone(), taken(function)?))).collect()
}

/// The `T` of the function's bound `V: TryInto<T>`.
fn taken(function: &ImplItemFn) -> Option<Type> {
    let of_bound = |bound: &syn::TypeParamBound| match bound {
        syn::TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last().filter(|segment| segment.ident == "TryInto")?;
            first_argument(last).cloned()
        }
        _ => None,
    };
    let mut predicates = function.sig.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    predicates.find_map(|predicate| match predicate {
        syn::WherePredicate::Type(predicate) => predicate.bounds.iter().find_map(of_bound),
        _ => None,
    })
}

/// Rewrites a setter. `held` is the type of the builder's field: for a body its builder, and for an optional field an
/// `Option`.
fn rewrite_one(function: &mut ImplItemFn, name: &str, taken: &Type, held: &Type) {
    let (attributes, field) = (&function.attrs, &function.sig.ident);
    let text = name.trim_start_matches("r#");
    let inner = option_of(taken).unwrap_or(taken);
    // An optional field that may be null has one `Option` more than its setter takes.
    let may_be_null = option_of(held).and_then(option_of).is_some() && option_of(inner).is_none();
    let taker: syn::Ident = if may_be_null { parse_quote!(Nullable) } else { parse_quote!(Optional) };
    *function = if option_of(held).is_some() {
        parse_quote! {
            #(#attributes)*
            pub fn #field<V, As>(mut self, value: V) -> Self
            where
                V: crate::setter::#taker<#inner, As>,
            {
                self.#field = value.convert(#text);
                self
            }
        }
    } else {
        let converted: Expr = if held.to_token_stream().to_string() == taken.to_token_stream().to_string() {
            parse_quote!(crate::setter::required(value, #text))
        } else {
            parse_quote!(crate::setter::body(value))
        };
        parse_quote! {
            #(#attributes)*
            pub fn #field<V>(mut self, value: V) -> Self
            where
                V: ::std::convert::TryInto<#taken>,
                V::Error: 'static,
            {
                self.#field = #converted;
                self
            }
        }
    };
}

/// Replaces typify's "no value supplied for x" and progenitor's "x was not initialized".
struct Unset;

impl VisitMut for Unset {
    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        syn::visit_mut::visit_field_value_mut(self, field);
        let syn::Member::Named(name) = &field.member else { return };
        let name = name.to_string();
        if let Expr::Call(call) = &mut field.expr
            && matches!(&*call.func, Expr::Path(path) if path.path.is_ident("Err"))
            && let Some(Expr::MethodCall(text)) = call.args.first_mut()
            && matches!(&*text.receiver, Expr::Lit(syn::ExprLit { lit: Lit::Str(_), .. }))
        {
            let problem = format!("`{}` is not set", name.trim_start_matches("r#"));
            *text.receiver = parse_quote!(#problem);
        }
    }
}
