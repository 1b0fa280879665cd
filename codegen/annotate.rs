//! What progenitor does not do, done on the syntax tree that it made: our `send`, deprecation, secrets that serialize
//! only inside a body, JSON Schema, and the tables that the hand-written layer reads.
//!
//! An error here names what was not found: progenitor's output has changed, and this file has to follow.

use super::document::{Document, Operation};
use super::{fields, tables};
use quote::format_ident;
use std::collections::BTreeSet;
use syn::visit_mut::VisitMut;
use syn::{Expr, File, ImplItem, ImplItemFn, Item, ItemImpl, ItemMod, Stmt, Type, parse_quote};

/// What an operation became in the generated code.
pub struct Generated<'a> {
    pub operation: Operation<'a>,
    /// The method of `Client`, and progenitor's name for the operation.
    pub method: syn::Ident,
    /// The setters of its builder with the type that each takes, seen from the root of the generated module.
    pub setters: Vec<(syn::Ident, Type)>,
}

pub fn annotate(file: &mut File, document: &Document) -> Result<(), String> {
    let type_names = type_names(module(file, "types")?);
    annotate_types(file, document)?;
    let generated = annotate_builders(file, document, &type_names)?;
    annotate_client(file, &generated, document)?;
    file.items.retain(|item| !matches!(item, Item::Mod(item) if item.ident == "prelude"));
    let tables = tables::tables(document, &generated, &type_names)?;
    file.items.extend(tables);
    Ok(())
}

/// The type of the named schema: the hand-written one that replaces it, or the generated one.
pub fn type_of(name: &str, type_names: &BTreeSet<String>) -> Result<Type, String> {
    if let Some((_, path)) = super::generate::REPLACEMENTS.iter().find(|(schema, _)| *schema == name) {
        return syn::parse_str(path).map_err(|error| error.to_string());
    }
    let found = type_names.iter().find(|candidate| same_name(candidate, name));
    let ident = format_ident!("{}", found.ok_or_else(|| format!("the schema `{name}` became no type"))?);
    Ok(parse_quote!(types::#ident))
}

/// Whether two names are one but for the case style.
pub fn same_name(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.replace(|c: char| !c.is_ascii_alphanumeric(), "").to_ascii_lowercase();
    plain(one) == plain(other)
}

fn annotate_types(file: &mut File, document: &Document) -> Result<(), String> {
    let (current, retired): (Vec<_>, Vec<_>) = document.operations().into_iter().partition(|o| !o.deprecated());
    let reach = |operations: &[Operation<'_>]| -> BTreeSet<String> {
        operations.iter().flat_map(|operation| document.reachable(operation.value)).collect()
    };
    let retired: BTreeSet<String> = reach(&retired).difference(&reach(&current)).cloned().collect();
    let note = |ident: &syn::Ident| -> Option<syn::Attribute> {
        let name = retired.iter().find(|name| same_name(name, &ident.to_string()))?;
        let note = format!("only deprecated operations use `{name}`");
        Some(parse_quote!(#[deprecated(note = #note)]))
    };
    let (mut answers, mut requests) = (BTreeSet::new(), BTreeSet::new());
    for operation in document.operations() {
        answers.extend(document.reachable(operation.answer_schema()));
        requests.extend(document.reachable(operation.body_schema()));
        requests.extend(document.reachable(&operation.value["parameters"]));
    }
    let types = items(module(file, "types")?)?;
    let read_only: BTreeSet<String> = answers.difference(&requests).cloned().collect();
    drop_builders(types, |ident| read_only.iter().any(|name| same_name(name, &ident.to_string())))?;
    for item in types.iter_mut() {
        match item {
            Item::Struct(item) => {
                if answers.iter().any(|name| same_name(name, &item.ident.to_string())) {
                    fields::loosen_integers(item);
                }
                item.attrs.extend(note(&item.ident));
                item.attrs.push(parse_quote!(#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]));
                fields::fence_secrets(item);
                fields::finish(item, document)?;
            }
            Item::Enum(item) => {
                item.attrs.extend(note(&item.ident));
                item.attrs.push(parse_quote!(#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]));
            }
            Item::Mod(item) if item.ident == "builder" => {
                for item in items(item)? {
                    if let Item::Struct(item) = item {
                        item.attrs.extend(note(&item.ident));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Nobody builds what only the server writes; typify's builders of those would be a quarter of the text to compile.
fn drop_builders(types: &mut Vec<Item>, drop: impl Fn(&syn::Ident) -> bool) -> Result<(), String> {
    // What a builder is made of: itself, what it does, and its conversions, all in the one module.
    let built = |item: &Item| match item {
        Item::Struct(item) => drop(&item.ident),
        Item::Impl(item) => type_ident(item).is_some_and(&drop),
        _ => false,
    };
    for item in types.iter_mut() {
        match item {
            Item::Mod(item) if item.ident == "builder" => items(item)?.retain(|item| !built(item)),
            Item::Impl(item) if item.trait_.is_none() && type_ident(item).is_some_and(&drop) => {
                item.items.retain(|item| !matches!(item, ImplItem::Fn(function) if function.sig.ident == "builder"));
            }
            _ => {}
        }
    }
    types.retain(|item| !matches!(item, Item::Impl(item) if item.trait_.is_none() && item.items.is_empty()));
    Ok(())
}

/// The generated `Client` is the crate's: built by our builder only, and with our `Debug`.
fn annotate_client(file: &mut File, generated: &[Generated<'_>], document: &Document) -> Result<(), String> {
    let mut annotated = 0;
    for item in &mut file.items {
        match item {
            Item::Struct(item) if item.ident == "Client" => {
                item.attrs.retain(|attribute| !attribute.path().is_ident("derive"));
                item.attrs.push(parse_quote!(#[derive(Clone)]));
            }
            Item::Impl(item) if item.trait_.is_none() && type_ident(item).is_some_and(|ident| ident == "Client") => {
                item.items.retain(|item| !matches!(item, ImplItem::Fn(function) if function.sig.ident == "new"));
                for function in functions(item) {
                    if function.sig.ident == "new_with_client" {
                        function.vis = parse_quote!(pub(crate));
                    } else {
                        shorten_docs(function);
                        let operation = generated.iter().find(|generated| generated.method == function.sig.ident);
                        let operation =
                            operation.ok_or_else(|| format!("no operation for `{}`", function.sig.ident))?;
                        function.attrs.extend(deprecation(&operation.operation, document));
                        annotated += 1;
                    }
                }
            }
            _ => {}
        }
    }
    expect(annotated == generated.len(), "a method of `Client` for each operation")
}

/// progenitor ends a method's documentation with a call that nothing compiles; ours are in the crate's documentation.
fn shorten_docs(function: &mut ImplItemFn) {
    for attribute in &mut function.attrs {
        if let Some(text) = doc_of(attribute) {
            let text = text.split("```ignore").next().unwrap_or_default().trim_end();
            *attribute = parse_quote!(#[doc = #text]);
        }
    }
}

pub fn doc_of(attribute: &syn::Attribute) -> Option<String> {
    match &attribute.meta {
        syn::Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

fn annotate_builders<'a>(
    file: &mut File,
    document: &'a Document,
    type_names: &BTreeSet<String>,
) -> Result<Vec<Generated<'a>>, String> {
    let operations = document.operations();
    let types = module(file, "types")?.clone();
    let builders = items(module(file, "builder")?)?;
    let mut generated = Vec::new();
    for item in builders.iter_mut() {
        match item {
            Item::Struct(item) => {
                item.attrs.extend(deprecation(operation_named(&operations, &item.ident)?, document));
                item.attrs.push(parse_quote!(#[must_use = "nothing is sent before `send` is called"]));
            }
            Item::Impl(item) => {
                let ident = type_ident(item).ok_or("a builder's impl without a name")?.clone();
                let operation = operation_named(&operations, &ident)?.clone();
                let setters = setters(item);
                let send = functions(item).find(|function| function.sig.ident == "send").ok_or("a `send`")?;
                let method = operation_id_of(send)?;
                let envelope = envelope_of(send)?;
                stop_before_decoding(send)?;
                send_no_version(send)?;
                let payload = payload_of(&types, &envelope, type_names)?;
                let open = format_ident!("{}", if payload.is_some() { "open" } else { "open_empty" });
                let payload = payload.unwrap_or_else(|| parse_quote!(()));
                let docs = document_send(send);
                let id = operation.id();
                item.items.push(parse_quote! {
                    #(#docs)*
                    ///
                    /// Answers the payload, the envelope's `data`.
                    ///
                    /// # Errors
                    ///
                    /// [`Error`](crate::Error), also for a `statusCode` other than 200;
                    /// [`ErrorKind`](crate::ErrorKind) lists the kinds.
                    pub async fn send(self) -> Result<crate::Response<#payload>, crate::Error> {
                        crate::envelope::#open(#id, self.exchange().await)
                    }
                });
                item.items.push(parse_quote! {
                    #(#docs)*
                    ///
                    /// Answers the envelope as the document describes it, whatever its `statusCode`.
                    ///
                    /// # Errors
                    ///
                    /// [`Error`](crate::Error), where nothing came that is such an envelope.
                    pub async fn send_envelope(self) -> Result<ResponseValue<#envelope>, crate::Error> {
                        crate::envelope::raw(#id, self.exchange().await)
                    }
                });
                generated.push(Generated { operation, method, setters });
            }
            _ => {}
        }
    }
    expect(generated.len() == operations.len(), "a builder for each operation")?;
    generated.sort_by_key(|generated| generated.method.to_string());
    Ok(generated)
}

/// progenitor's `send` ends in decoding the answer by HTTP status. Ours reads the envelope first, so it ends before.
fn stop_before_decoding(send: &mut ImplItemFn) -> Result<(), String> {
    let decodes = matches!(send.block.stmts.last(), Some(Stmt::Expr(Expr::Match(_), None)));
    expect(decodes, "a `send` that ends in a `match` on the status")?;
    send.block.stmts.pop();
    send.block.stmts.push(Stmt::Expr(parse_quote!(Ok(response)), None));
    send.sig.ident = format_ident!("exchange");
    send.sig.output = parse_quote!(-> Result<reqwest::Response, Error<()>>);
    send.vis = syn::Visibility::Inherited;
    Ok(())
}

/// progenitor sends the document's version with every request, in a map of headers that holds nothing else; the server
/// knows no such header.
fn send_no_version(send: &mut ImplItemFn) -> Result<(), String> {
    struct Forget(usize);
    impl VisitMut for Forget {
        fn visit_expr_mut(&mut self, expr: &mut Expr) {
            syn::visit_mut::visit_expr_mut(self, expr);
            if let Expr::MethodCall(call) = expr
                && call.method == "headers"
                && call.args.iter().all(is_header_map)
            {
                self.0 += 1;
                *expr = (*call.receiver).clone();
            }
        }
    }
    let is_of_the_map = |stmt: &Stmt| match stmt {
        Stmt::Local(local) => matches!(&local.pat, syn::Pat::Ident(pat) if pat.ident == "header_map"),
        Stmt::Expr(Expr::MethodCall(call), _) => is_header_map(&call.receiver) && call.method == "append",
        _ => false,
    };
    let before = send.block.stmts.len();
    send.block.stmts.retain(|stmt| !is_of_the_map(stmt));
    let mut forget = Forget(before - send.block.stmts.len());
    forget.visit_block_mut(&mut send.block);
    expect(forget.0 == 3, "a `header_map` that is made, filled with the version, and sent")
}

fn is_header_map(expr: &Expr) -> bool {
    matches!(expr, Expr::Path(path) if path.path.is_ident("header_map"))
}

/// Moves the documentation off the function that is no longer public.
fn document_send(send: &mut ImplItemFn) -> Vec<syn::Attribute> {
    let (docs, rest) = std::mem::take(&mut send.attrs).into_iter().partition(|a| a.path().is_ident("doc"));
    send.attrs = rest;
    docs
}

/// `types::X` of `-> Result<ResponseValue<types::X>, _>`.
fn envelope_of(send: &ImplItemFn) -> Result<Type, String> {
    let syn::ReturnType::Type(_, output) = &send.sig.output else { return Err("a `send` that answers".to_owned()) };
    let value = type_argument(output).and_then(type_argument);
    value.cloned().ok_or_else(|| "a `send` that answers `Result<ResponseValue<_>, _>`".to_owned())
}

/// The type of the envelope's field `data`, without its `Option`; none where there is no such field.
fn payload_of(types: &ItemMod, envelope: &Type, type_names: &BTreeSet<String>) -> Result<Option<Type>, String> {
    let Type::Path(path) = envelope else { return Err("an envelope that is a named type".to_owned()) };
    let ident = path.path.segments.last().map(|segment| &segment.ident);
    let found = types.content.iter().flat_map(|(_, items)| items).find_map(|item| match item {
        Item::Struct(item) if Some(&item.ident) == ident => Some(item),
        _ => None,
    });
    let envelope = found.ok_or("the envelope's struct")?;
    let data = envelope.fields.iter().find(|field| field.ident.as_ref().is_some_and(|ident| ident == "data"));
    let Some(data) = data else { return Ok(None) };
    let outermost = match &data.ty {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    };
    let is_option = outermost.is_some_and(|ident| ident == "Option");
    let mut payload = if is_option { type_argument(&data.ty).unwrap_or(&data.ty).clone() } else { data.ty.clone() };
    Qualify(type_names).visit_type_mut(&mut payload);
    Ok(Some(payload))
}

/// Names the generated types as they are seen from outside the module `types`.
struct Qualify<'a>(&'a BTreeSet<String>);

impl VisitMut for Qualify<'_> {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        syn::visit_mut::visit_path_mut(self, path);
        if let Some(ident) = path.get_ident().filter(|ident| self.0.contains(&ident.to_string())) {
            *path = parse_quote!(types::#ident);
        }
    }
}

/// The functions that take one value, with the type `T` of their bound `V: TryInto<T>`.
fn setters(builder: &mut ItemImpl) -> Vec<(syn::Ident, Type)> {
    let of_bound = |bound: &syn::TypeParamBound| match bound {
        syn::TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last().filter(|segment| segment.ident == "TryInto")?;
            first_argument(last).cloned()
        }
        _ => None,
    };
    let of_function = |function: &ImplItemFn| {
        let mut predicates = function.sig.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        predicates.find_map(|predicate| match predicate {
            syn::WherePredicate::Type(predicate) => predicate.bounds.iter().find_map(of_bound),
            _ => None,
        })
    };
    functions(builder).filter_map(|function| Some((function.sig.ident.clone(), of_function(function)?))).collect()
}

/// The name in `OperationInfo { operation_id: "…" }`, which is also the method's.
fn operation_id_of(send: &mut ImplItemFn) -> Result<syn::Ident, String> {
    struct Find(Option<syn::Ident>);
    impl VisitMut for Find {
        fn visit_expr_struct_mut(&mut self, item: &mut syn::ExprStruct) {
            if item.path.is_ident("OperationInfo") {
                self.0 = item.fields.iter().find_map(|field| match &field.expr {
                    Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => text.parse().ok(),
                    _ => None,
                });
            }
        }
    }
    let mut find = Find(None);
    find.visit_impl_item_fn_mut(send);
    find.0.ok_or_else(|| "a `send` that makes an `OperationInfo`".to_owned())
}

fn deprecation(operation: &Operation<'_>, document: &Document) -> Option<syn::Attribute> {
    let replacement = operation.value["x-replaced-by"].as_str().filter(|_| operation.deprecated())?;
    let path = document.operations().into_iter().find(|other| other.id() == replacement).map(|other| other.path);
    let note = format!("use `{}` instead (`{}`)", snake_case(replacement), path.unwrap_or_default());
    Some(parse_quote!(#[deprecated(note = #note)]))
}

fn operation_named<'a, 'b>(operations: &'b [Operation<'a>], ident: &syn::Ident) -> Result<&'b Operation<'a>, String> {
    let found = operations.iter().find(|operation| same_name(operation.id(), &ident.to_string()));
    found.ok_or_else(|| format!("no operation belongs to the generated `{ident}`"))
}

/// The method that progenitor makes of an operationId.
fn snake_case(id: &str) -> String {
    heck::ToSnakeCase::to_snake_case(id)
}

fn type_names(types: &ItemMod) -> BTreeSet<String> {
    let items = types.content.iter().flat_map(|(_, items)| items);
    items
        .filter_map(|item| match item {
            Item::Struct(item) => Some(item.ident.to_string()),
            Item::Enum(item) => Some(item.ident.to_string()),
            Item::Type(item) => Some(item.ident.to_string()),
            _ => None,
        })
        .collect()
}

fn module<'a>(file: &'a mut File, name: &str) -> Result<&'a mut ItemMod, String> {
    let found = file.items.iter_mut().find_map(|item| match item {
        Item::Mod(item) if item.ident == name => Some(item),
        _ => None,
    });
    found.ok_or_else(|| format!("no generated module `{name}`"))
}

fn items(module: &mut ItemMod) -> Result<&mut Vec<Item>, String> {
    module.content.as_mut().map(|(_, items)| items).ok_or_else(|| format!("the module `{}` is empty", module.ident))
}

fn functions(item: &mut ItemImpl) -> impl Iterator<Item = &mut ImplItemFn> {
    item.items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(function) => Some(function),
        _ => None,
    })
}

fn type_ident(item: &ItemImpl) -> Option<&syn::Ident> {
    match &*item.self_ty {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}

fn type_argument(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Path(path) => first_argument(path.path.segments.last()?),
        _ => None,
    }
}

fn first_argument(segment: &syn::PathSegment) -> Option<&Type> {
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn expect(found: bool, what: &str) -> Result<(), String> {
    if found { Ok(()) } else { Err(format!("expected {what}")) }
}
