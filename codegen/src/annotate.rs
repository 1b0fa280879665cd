//! What progenitor does not do, done on the syntax tree that it made: our `send`, deprecation, secrets that serialize
//! only inside a body, JSON Schema, and the tables that the hand-written layer reads.
//!
//! An error here names what was not found: progenitor's output has changed, and this file has to follow.

use crate::document::{Document, Operation};
use crate::{fields, tables};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::format_ident;
use std::collections::{BTreeMap, BTreeSet};
use syn::visit_mut::VisitMut;
use syn::{Expr, File, ImplItem, ImplItemFn, Item, ItemImpl, ItemMod, Stmt, Type, parse_quote};

/// What an operation became in the generated code.
pub struct Generated<'a> {
    pub operation: Operation<'a>,
    /// Its name in the table of operations, and its builder's.
    pub place: syn::Ident,
    /// The method of `Client`, and progenitor's name for the operation.
    pub method: syn::Ident,
    /// The setters of its builder with the type that each takes, seen from the root of the generated module.
    pub setters: Vec<(syn::Ident, Type)>,
}

/// The operations and the names of the generated types, by their [`plain`] names. To search through all of them for each
/// would take longer than all the rest, once there are some hundreds.
type Operations<'a> = BTreeMap<String, Operation<'a>>;
pub type TypeNames = BTreeMap<String, BTreeSet<String>>;

/// What it returns is the table of the operations, a file of its own.
pub fn annotate(file: &mut File, document: &Document) -> Result<File, String> {
    let operations: Operations<'_> =
        document.operations().into_iter().map(|operation| (plain(operation.id()), operation)).collect();
    let type_names = type_names(module(file, "types")?);
    annotate_types(file, document)?;
    let generated = annotate_builders(file, &operations, &type_names)?;
    annotate_client(file, &operations)?;
    file.items.retain(|item| !matches!(item, Item::Mod(item) if item.ident == "prelude"));
    file.items.push(parse_quote!(
        use crate::operation::{At, OPERATIONS};
    ));
    file.items.extend(tables::tables(document, &generated, &type_names)?);
    tables::operations(document, &generated)
}

/// The type of the named schema: the hand-written one that replaces it, or the generated one.
pub fn type_of(document: &Document, name: &str, type_names: &TypeNames) -> Result<Type, String> {
    if let Some((_, path)) = crate::generate::REPLACEMENTS.iter().find(|(schema, _)| *schema == name) {
        return syn::parse_str(path).map_err(|error| error.to_string());
    }
    if let Some(path) = document.types_of_genauth.get(name) {
        return syn::parse_str(path).map_err(|error| error.to_string());
    }
    let found = type_names.get(&plain(name)).and_then(BTreeSet::first);
    let ident = format_ident!("{}", found.ok_or_else(|| format!("the schema `{name}` became no type"))?);
    Ok(parse_quote!(types::#ident))
}

/// The name without its case style, by which the document's name and the generated one are the same.
pub fn plain(name: &str) -> String {
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

fn annotate_types(file: &mut File, document: &Document) -> Result<(), String> {
    let (current, retired): (Vec<_>, Vec<_>) = document.operations().into_iter().partition(|o| !o.deprecated());
    let reach = |operations: &[Operation<'_>]| document.reachable(operations.iter().map(|operation| operation.value));
    let retired: BTreeMap<String, String> =
        reach(&retired).difference(&reach(&current)).map(|name| (plain(name), name.clone())).collect();
    let note = |ident: &syn::Ident| -> Option<syn::Attribute> {
        let name = retired.get(&plain(&ident.to_string()))?;
        let note = format!("only deprecated operations use `{name}`");
        Some(parse_quote!(#[deprecated(note = #note)]))
    };
    let answers = document.reachable(document.operations().iter().map(Operation::answer_schema));
    let schemas: BTreeMap<String, _> = document.schemas().map(|schema| (plain(schema.0), schema)).collect();
    let types = items(module(file, "types")?)?;
    for item in types.iter_mut() {
        match item {
            Item::Struct(item) => {
                let schema = schemas.get(&plain(&item.ident.to_string()));
                if schema.is_some_and(|(name, _)| answers.contains(*name)) {
                    fields::loosen_integers(item);
                }
                item.attrs.extend(note(&item.ident));
                item.attrs.push(parse_quote!(#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]));
                fields::fence_secrets(item);
                if let Some((name, schema)) = schema {
                    fields::finish(item, document, name, schema)?;
                }
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

/// Nobody builds what only the server writes; typify's builders of those would be almost half of the text. They go before
/// it is parsed, which takes longer than all the rest.
pub fn drop_builders(tokens: TokenStream, document: &Document) -> TokenStream {
    let operations = document.operations();
    let answers = document.reachable(operations.iter().map(Operation::answer_schema));
    let asked = operations.iter().flat_map(|operation| [operation.body_schema(), &operation.value["parameters"]]);
    let requests = document.reachable(asked);
    let dropped: BTreeSet<String> = answers.difference(&requests).map(|name| plain(name)).collect();
    drop_builders_of(&dropped, tokens, "")
}

fn drop_builders_of(dropped: &BTreeSet<String>, tokens: TokenStream, module: &str) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut start = 0;
    for token in tokens {
        match token {
            // Braces end an item, and in front of them stands what it is about.
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let mut before = kept.iter().rev().map(ToString::to_string);
                let (name, word) = (before.next().unwrap_or_default(), before.next().unwrap_or_default());
                match (module, name.as_str()) {
                    ("", "types") | ("types", "builder") => {
                        let inner = drop_builders_of(dropped, group.stream(), &name);
                        kept.push(Group::new(Delimiter::Brace, inner).into());
                    }
                    ("builder", _) if dropped.contains(&plain(&name)) => kept.truncate(start),
                    ("types", _) if word == "impl" && dropped.contains(&plain(&name)) => kept.truncate(kept.len() - 2),
                    _ => kept.push(group.into()),
                }
                start = kept.len();
            }
            token => kept.push(token),
        }
    }
    kept.into_iter().collect()
}

/// The generated `Client` is the crate's: all that it holds are our settings, and only its methods are progenitor's.
fn annotate_client(file: &mut File, operations: &Operations<'_>) -> Result<(), String> {
    let mut annotated = 0;
    let is_client = |item: &ItemImpl| type_ident(item).is_some_and(|ident| ident == "Client");
    // `ClientInfo` and `ClientHooks`, by which progenitor's own `send` knows the client.
    file.items.retain(|item| !matches!(item, Item::Impl(item) if item.trait_.is_some()));
    for item in &mut file.items {
        match item {
            Item::Struct(item) if item.ident == "Client" => {
                item.attrs.retain(|attribute| !attribute.path().is_ident("derive"));
                item.attrs.push(parse_quote!(#[derive(Clone)]));
                item.fields = syn::Fields::Named(parse_quote!({ pub(crate) settings: crate::client::Settings }));
            }
            Item::Impl(item) if is_client(item) => {
                item.items.retain(|item| {
                    let makes_one = |function: &ImplItemFn| function.sig.ident.to_string().starts_with("new");
                    !matches!(item, ImplItem::Fn(function) if makes_one(function))
                });
                for function in functions(item) {
                    shorten_docs(function);
                    let operation = operation_named(operations, &function.sig.ident)?;
                    function.attrs.extend(deprecation(operation, operations));
                    annotated += 1;
                }
            }
            _ => {}
        }
    }
    expect(annotated == operations.len(), "a method of `Client` for each operation")
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

fn doc_of(attribute: &syn::Attribute) -> Option<String> {
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
                let ident = type_ident(item).ok_or("a builder's impl without a name")?;
                let operation = operation_named(operations, ident)?.clone();
                let send = send_of(item)?;
                generated.push((operation_id_of(send)?, operation, item));
            }
            _ => {}
        }
    }
    expect(generated.len() == operations.len(), "a builder for each operation")?;
    // As the table of operations is sorted.
    generated.sort_by_key(|(method, ..)| method.to_string());
    let finished = generated.into_iter().map(|(method, operation, item)| {
        let place = type_ident(item).cloned().ok_or("a builder's impl without a name")?;
        let setters = setters(item);
        let send = send_of(item)?;
        let payload = payload_of(&payloads, &envelope_of(send)?)?;
        end_before_sending(send, &place)?;
        send_no_version(send)?;
        let docs = document_send(send);
        let sent: Expr = parse_quote!(crate::generated::send(client.__settings(), &super::OPERATIONS[super::At::#place as usize], self.request()).await);
        let (payload, sent) = match payload {
            Some(payload) => (payload.clone(), sent),
            None => (parse_quote!(()), parse_quote!(#sent.map(crate::generated::without_payload))),
        };
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
                let client = self.client;
                #sent
            }
        });
        Ok(Generated { operation, place, method, setters })
    });
    finished.collect()
}

fn send_of(builder: &mut ItemImpl) -> Result<&mut ImplItemFn, String> {
    functions(builder).find(|function| function.sig.ident == "send").ok_or_else(|| "expected a `send`".to_owned())
}

/// progenitor's `send` goes on to send the request and to decode the answer by HTTP status; ours ends where the request is
/// built, of what the crate's own `Client` holds.
fn end_before_sending(send: &mut ImplItemFn, place: &syn::Ident) -> Result<(), String> {
    let is_request = |stmt: &Stmt| matches!(stmt, Stmt::Local(local) if binds(local, "request"));
    let built = send.block.stmts.iter().position(is_request).ok_or("expected a `send` that builds a `request`")?;
    send.block.stmts.truncate(built + 1);
    send.block.stmts.push(Stmt::Expr(parse_quote!(Ok(request)), None));
    let mut of_settings = OfSettings { place, changed: [0; 3] };
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

fn binds(local: &syn::Local, name: &str) -> bool {
    matches!(&local.pat, syn::Pat::Ident(pat) if pat.ident == name)
}

/// Turns `format!("{}/path", client.baseurl)`, which would be parsed at each call, into the operation's URL of the client's
/// host, and `client.client` into the settings' HTTP client. The headers that all requests have are not set here.
struct OfSettings<'a> {
    place: &'a syn::Ident,
    /// URLs, HTTP clients, headers.
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
            Expr::MethodCall(call) if call.method == "json" => {
                let (receiver, body) = (&call.receiver, &call.args);
                *expr = parse_quote!(#receiver.body(crate::generated::json(#body).map_err(Error::Custom)?));
            }
            _ => {}
        }
    }
}

fn is_accept(name: &Expr) -> bool {
    matches!(name, Expr::Path(name) if name.path.segments.last().is_some_and(|last| last.ident == "ACCEPT"))
}

fn is_client_field(field: &syn::ExprField, name: &str) -> bool {
    let of_client = matches!(&*field.base, Expr::Path(base) if base.path.is_ident("client"));
    of_client && matches!(&field.member, syn::Member::Named(member) if member == name)
}

/// The path among the arguments of a `format!` that begins with the base URL; none where it is the document's to the letter.
fn path_of(input: syn::parse::ParseStream<'_>) -> syn::Result<Option<Expr>> {
    let template: syn::LitStr = input.parse()?;
    input.parse::<syn::Token![,]>()?;
    let mut arguments = syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated(input)?.into_iter();
    let base = matches!(arguments.next(), Some(Expr::Field(field)) if is_client_field(&field, "baseurl"));
    let (template, parameters) = (template.value(), arguments.collect::<Vec<_>>());
    let template = template.strip_prefix("{}").filter(|_| base).ok_or_else(|| input.error("no base URL"))?;
    Ok((!parameters.is_empty()).then(|| parse_quote!(format!(#template, #(#parameters),*))))
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

/// `types::X` of `-> Result<ResponseValue<types::X>, _>`.
fn envelope_of(send: &ImplItemFn) -> Result<Type, String> {
    let syn::ReturnType::Type(_, output) = &send.sig.output else { return Err("a `send` that answers".to_owned()) };
    let value = type_argument(output).and_then(type_argument);
    value.cloned().ok_or_else(|| "a `send` that answers `Result<ResponseValue<_>, _>`".to_owned())
}

/// The payload of the envelope; none where it has no `data`.
fn payload_of<'a>(payloads: &'a BTreeMap<String, Option<Type>>, envelope: &Type) -> Result<Option<&'a Type>, String> {
    let Type::Path(path) = envelope else { return Err("an envelope that is a named type".to_owned()) };
    let ident = path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
    Ok(payloads.get(&ident).ok_or("the envelope's struct")?.as_ref())
}

/// By the name of each struct: the type of its field `data`, without its `Option`.
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

/// Names the generated types as they are seen from outside the module `types`.
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

fn deprecation(operation: &Operation<'_>, operations: &Operations<'_>) -> Option<syn::Attribute> {
    let replacement = operation.value["x-replaced-by"].as_str().filter(|_| operation.deprecated())?;
    let path = operations.get(&plain(replacement)).map(|other| other.path);
    let note = format!("use `{}` instead (`{}`)", snake_case(replacement), path.unwrap_or_default());
    Some(parse_quote!(#[deprecated(note = #note)]))
}

fn operation_named<'a, 'b>(operations: &'b Operations<'a>, ident: &syn::Ident) -> Result<&'b Operation<'a>, String> {
    operations.get(&plain(&ident.to_string())).ok_or_else(|| format!("no operation belongs to the generated `{ident}`"))
}

/// The method that progenitor makes of an operationId.
fn snake_case(id: &str) -> String {
    heck::ToSnakeCase::to_snake_case(id)
}

fn type_names(types: &ItemMod) -> TypeNames {
    let mut names = TypeNames::new();
    for item in types.content.iter().flat_map(|(_, items)| items) {
        if let Item::Struct(syn::ItemStruct { ident, .. })
        | Item::Enum(syn::ItemEnum { ident, .. })
        | Item::Type(syn::ItemType { ident, .. }) = item
        {
            names.entry(plain(&ident.to_string())).or_default().insert(ident.to_string());
        }
    }
    names
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
    last_segment(&item.self_ty).map(|segment| &segment.ident)
}

/// `T` of `Option<T>`.
pub fn option_of(ty: &Type) -> Option<&Type> {
    last_segment(ty).filter(|segment| segment.ident == "Option").and_then(first_argument)
}

fn type_argument(ty: &Type) -> Option<&Type> {
    first_argument(last_segment(ty)?)
}

fn first_argument(segment: &syn::PathSegment) -> Option<&Type> {
    arguments(segment).next()
}

fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
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

fn expect(found: bool, what: &str) -> Result<(), String> {
    if found { Ok(()) } else { Err(format!("expected {what}")) }
}
