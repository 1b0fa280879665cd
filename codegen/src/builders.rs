//! The builder of each operation, with our `send` in place of progenitor's.
//!
//! An error here names what was not found: then progenitor's output has changed, and this file has to follow.

use crate::document::{Document, Operation};
use crate::names::{Operations, TypeNames, deprecation, operation_named, plain};
use crate::pages;
use crate::setters::setters;
use crate::syntax::{binds, expect, functions, items, last_segment, module, option_of, type_argument, type_ident};
use quote::format_ident;
use std::collections::{BTreeMap, BTreeSet};
use syn::visit_mut::VisitMut;
use syn::{Expr, File, ImplItemFn, Item, ItemImpl, ItemMod, Stmt, Type, parse_quote};

/// The generated code of an operation.
pub struct Generated<'a> {
    pub operation: Operation<'a>,
    /// The operation's name in the table of operations, and its builder's.
    pub place: syn::Ident,
    /// The method of `Client`, which is also progenitor's name for the operation.
    pub method: syn::Ident,
    /// The setters of the builder, each with the type that it takes, as seen from the root of the generated module.
    pub setters: Vec<(syn::Ident, Type)>,
}

pub fn annotate<'a>(
    file: &mut File,
    document: &Document,
    operations: &Operations<'a>,
    type_names: &TypeNames,
) -> Result<Vec<Generated<'a>>, String> {
    let payloads = payloads(module(file, "types")?, type_names);
    let builders = items(module(file, "builder")?)?;
    let mut generated = Vec::new();
    for item in builders.iter_mut() {
        match item {
            Item::Struct(item) => {
                item.attrs.extend(deprecation(operation_named(operations, &item.ident)?, operations));
                item.attrs.push(parse_quote!(#[must_use = "nothing is sent before `send` is called"]));
            }
            Item::Impl(item) => {
                let ident = type_ident(item).ok_or("expected a builder's impl with a name")?;
                let operation = operation_named(operations, ident)?.clone();
                let send = send_of(item)?;
                generated.push((operation_id_of(send)?, operation, item));
            }
            _ => {}
        }
    }
    expect(generated.len() == operations.len(), "a builder for each operation")?;
    // The table of operations has this order.
    generated.sort_by_key(|(method, ..)| method.to_string());
    let mut paging = BTreeSet::new();
    let finished = generated.into_iter().map(|(method, operation, item)| {
        let place = type_ident(item).cloned().ok_or("expected a builder's impl with a name")?;
        let setters = setters(item);
        let send = send_of(item)?;
        let payload = payload_of(&payloads, &envelope_of(send)?)?;
        end_before_sending(send, &place, structured(document, &operation))?;
        send_no_version(send)?;
        let docs = document_send(send);
        let row: Expr = parse_quote!(&super::OPERATIONS[super::At::#place as usize]);
        let sent: Expr = parse_quote!(crate::generated::send(client.__settings(), #row, self.request()).await);
        let (payload, sent) = match payload {
            Some(payload) => (payload.clone(), sent),
            None => (parse_quote!(()), parse_quote!(#sent.map(crate::generated::without_payload))),
        };
        item.items.push(parse_quote! {
            #(#docs)*
            ///
            /// Returns the payload, which is the envelope's `data`.
            ///
            /// # Errors
            ///
            /// [`Error`](crate::Error), also for a `statusCode` other than 200;
            /// [`ErrorKind`](crate::ErrorKind) lists the kinds.
            pub async fn send(self) -> Result<crate::Response<#payload>, crate::Error> {
                let client = self.client;
                #sent
            }
        });
        if let Some(page) = pages::place(document, &operation) {
            // A parameter of the same name has a setter already.
            let is_free = |function: &ImplItemFn| setters.iter().all(|(setter, _)| *setter != function.sig.ident);
            let methods = pages::methods(&row, &payload, &page).into_iter().filter(is_free);
            item.items.extend(methods.map(syn::ImplItem::Fn));
            paging.extend(last_segment(&payload).map(|payload| payload.ident.to_string()));
        }
        Ok(Generated { operation, place, method, setters })
    });
    let finished = finished.collect::<Result<_, String>>()?;
    pages::implement(items(module(file, "types")?)?, &paging)?;
    Ok(finished)
}

fn send_of(builder: &mut ItemImpl) -> Result<&mut ImplItemFn, String> {
    functions(builder).find(|function| function.sig.ident == "send").ok_or_else(|| "expected a `send`".to_owned())
}

/// Cuts progenitor's `send` off where the request is built, from what the crate's own `Client` holds: the rest would
/// send the request and decode the answer by HTTP status.
fn end_before_sending(send: &mut ImplItemFn, place: &syn::Ident, structured: BTreeSet<&str>) -> Result<(), String> {
    let is_request = |stmt: &Stmt| matches!(stmt, Stmt::Local(local) if binds(local, "request"));
    let built = send.block.stmts.iter().position(is_request).ok_or("expected a `send` that builds a `request`")?;
    send.block.stmts.truncate(built + 1);
    send.block.stmts.push(Stmt::Expr(parse_quote!(Ok(request)), None));
    let mut of_settings = OfSettings { place, structured, changed: [0; 3] };
    of_settings.visit_block_mut(&mut send.block);
    expect(
        of_settings.changed == [1; 3],
        "a `send` that takes `baseurl` and `client` of the client, and accepts JSON",
    )?;
    send.sig.asyncness = None;
    send.sig.ident = format_ident!("request");
    send.sig.output = parse_quote!(-> Result<reqwest::Request, Error<()>>);
    send.vis = syn::Visibility::Inherited;
    Ok(())
}

/// Turns `format!("{}/path", client.baseurl)`, which would be parsed at each call, into the operation's URL on the
/// client's host, and `client.client` into the HTTP client of the settings. Headers that all requests have are not set
/// here.
struct OfSettings<'a> {
    place: &'a syn::Ident,
    /// The parameters that progenitor cannot write.
    structured: BTreeSet<&'a str>,
    /// How many URLs, HTTP clients and headers were changed.
    changed: [usize; 3],
}

impl VisitMut for OfSettings<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        syn::visit_mut::visit_expr_mut(self, expr);
        match expr {
            Expr::Macro(mac) if mac.mac.path.is_ident("format") => {
                if let Ok(path) = mac.mac.parse_body_with(path_of) {
                    self.changed[0] += 1;
                    let place = self.place;
                    *expr = match path {
                        Some(path) => parse_quote!(crate::generated::url(client.__settings(), &#path)),
                        None => parse_quote!(crate::generated::url_of(client.__settings(), super::At::#place as usize)),
                    };
                }
            }
            Expr::Field(field) if is_client_field(field, "client") => {
                self.changed[1] += 1;
                *expr = parse_quote!(crate::generated::http_client(client.__settings()));
            }
            Expr::MethodCall(call) if call.method == "header" && call.args.first().is_some_and(is_accept) => {
                self.changed[2] += 1;
                *expr = (*call.receiver).clone();
            }
            Expr::MethodCall(call) if call.method == "query" => {
                let parameter = call.args.first().and_then(parameter_of);
                if let Some((name, value)) = parameter.filter(|(name, _)| self.structured.contains(&*name.value())) {
                    let receiver = &call.receiver;
                    *expr = parse_quote! {
                        #receiver.query(&crate::generated::query(#name, #value).map_err(Error::Custom)?)
                    };
                }
            }
            Expr::MethodCall(call) if call.method == "json" => {
                let (receiver, body) = (&call.receiver, &call.args);
                *expr = parse_quote!(#receiver.body(crate::generated::json(#body).map_err(Error::Custom)?));
            }
            _ => {}
        }
    }
}

/// The parameters of the query that are neither texts nor integers.
fn structured<'a>(document: &Document, operation: &Operation<'a>) -> BTreeSet<&'a str> {
    let parameters = operation.value["parameters"].as_array().into_iter().flatten();
    let structured = parameters.filter(|parameter| {
        let schema = document.resolve(&parameter["schema"]);
        !["string", "integer", "boolean"].iter().any(|plain| schema["type"] == *plain)
    });
    structured.filter_map(|parameter| parameter["name"].as_str()).collect()
}

/// The `"name"` and the `&value` of `&QueryParam::new("name", &value)`.
fn parameter_of(argument: &Expr) -> Option<(syn::LitStr, &Expr)> {
    let Expr::Reference(reference) = argument else { return None };
    let Expr::Call(call) = &*reference.expr else { return None };
    match (call.args.first()?, call.args.last()?) {
        (Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }), value) => Some((name.clone(), value)),
        _ => None,
    }
}

fn is_accept(name: &Expr) -> bool {
    matches!(name, Expr::Path(name) if name.path.segments.last().is_some_and(|last| last.ident == "ACCEPT"))
}

fn is_client_field(field: &syn::ExprField, name: &str) -> bool {
    let of_client = matches!(&*field.base, Expr::Path(base) if base.path.is_ident("client"));
    of_client && matches!(&field.member, syn::Member::Named(member) if member == name)
}

/// The path among the arguments of a `format!` that begins with the base URL; `None` if it is the document's path
/// unchanged.
fn path_of(input: syn::parse::ParseStream<'_>) -> syn::Result<Option<Expr>> {
    let template: syn::LitStr = input.parse()?;
    input.parse::<syn::Token![,]>()?;
    let mut arguments = syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated(input)?.into_iter();
    let base = matches!(arguments.next(), Some(Expr::Field(field)) if is_client_field(&field, "baseurl"));
    let (template, parameters) = (template.value(), arguments.collect::<Vec<_>>());
    let template = template.strip_prefix("{}").filter(|_| base).ok_or_else(|| input.error("no base URL"))?;
    Ok((!parameters.is_empty()).then(|| parse_quote!(format!(#template, #(#parameters),*))))
}

/// Removes the header with the document's version that progenitor sends with every request, in a map that holds nothing
/// else: the server does not know that header.
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
        Stmt::Local(local) => binds(local, "header_map"),
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

/// The `types::X` of `-> Result<ResponseValue<types::X>, _>`.
fn envelope_of(send: &ImplItemFn) -> Result<Type, String> {
    let syn::ReturnType::Type(_, output) = &send.sig.output else {
        return Err("expected a `send` that returns something".to_owned());
    };
    let value = type_argument(output).and_then(type_argument);
    value.cloned().ok_or_else(|| "expected a `send` that returns `Result<ResponseValue<_>, _>`".to_owned())
}

/// The payload of the envelope; `None` if the envelope has no `data`.
fn payload_of<'a>(payloads: &'a BTreeMap<String, Option<Type>>, envelope: &Type) -> Result<Option<&'a Type>, String> {
    let Type::Path(path) = envelope else { return Err("expected an envelope that is a named type".to_owned()) };
    let ident = path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
    Ok(payloads.get(&ident).ok_or("expected the envelope's struct")?.as_ref())
}

/// The type of the field `data` of each struct, without its `Option`, by the struct's name.
fn payloads(types: &ItemMod, type_names: &TypeNames) -> BTreeMap<String, Option<Type>> {
    let structs = types.content.iter().flat_map(|(_, items)| items).filter_map(|item| match item {
        Item::Struct(item) => Some(item),
        _ => None,
    });
    structs.map(|item| (item.ident.to_string(), data_of(item, type_names))).collect()
}

fn data_of(item: &syn::ItemStruct, type_names: &TypeNames) -> Option<Type> {
    let data = item.fields.iter().find(|field| field.ident.as_ref().is_some_and(|ident| ident == "data"))?;
    let mut payload = option_of(&data.ty).unwrap_or(&data.ty).clone();
    Qualify(type_names).visit_type_mut(&mut payload);
    Some(payload)
}

/// Writes the paths of generated types as seen from outside the module `types`.
struct Qualify<'a>(&'a TypeNames);

impl VisitMut for Qualify<'_> {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        syn::visit_mut::visit_path_mut(self, path);
        let named = |ident: &str| self.0.get(&plain(ident)).is_some_and(|names| names.contains(ident));
        if let Some(ident) = path.get_ident().filter(|ident| named(&ident.to_string())) {
            *path = parse_quote!(types::#ident);
        }
    }
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
    find.0.ok_or_else(|| "expected a `send` that makes an `OperationInfo`".to_owned())
}
