//! The tables of operations and types that the hand-written layer reads, so that no list of them is kept by hand.

use crate::builders::Generated;
use crate::document::{Document, Operation, escape, referenced_name, shown};
use crate::features::{Features, With};
use crate::names::{TypeNames, plain, type_of};
use crate::violation::Violation;
use quote::{format_ident, quote};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syn::Item;

/// The security schemes that `src/credentials/` implements, with their names there.
pub const CREDENTIALS: &[(&str, &str)] = &[
    ("appId", "AppId"),
    ("userAccessToken", "UserAccessToken"),
    ("clientSecretBasic", BASIC),
    ("accessKeySignature", "AccessKeySignature"),
    ("managementToken", "ManagementToken"),
];

/// The names for an application's secret in a header, and in the body.
const BASIC: &str = "ClientSecretBasic";
const POST: &str = "ClientSecretPost";

/// A violation for each security scheme that the crate does not implement.
pub fn unknown_credentials(document: &Document) -> Vec<Violation> {
    let schemes = document.value["components"]["securitySchemes"].as_object().into_iter().flatten();
    let unknown = schemes.filter(|(scheme, _)| !CREDENTIALS.iter().any(|(known, _)| known == scheme));
    unknown
        .map(|(scheme, _)| {
            let pointer = format!("/components/securitySchemes/{}", escape(scheme));
            let known: Vec<String> = CREDENTIALS.iter().map(|(known, _)| shown(known)).collect();
            let (last, others) = known.split_last().map_or(("", Vec::new()), |(last, others)| (last, others.to_vec()));
            let problem = format!("genauth has no credentials for the security scheme {}", shown(scheme));
            document.violation(&pointer, "credential", format!("{problem}. Use {} or {last}.", others.join(", ")))
        })
        .collect()
}

pub fn tables(
    document: &Document,
    features: &Features,
    generated: &[Generated<'_>],
    types: &TypeNames,
) -> Result<[Item; 2], String> {
    let parse = |tokens| syn::parse2(tokens).map_err(|error| error.to_string());
    Ok([parse(invoke(document, features, generated)?)?, parse(schemas(document, features, types)?)?])
}

/// The table of operations. It is apart from the client because much of the crate reads it without knowing a client.
pub fn operations(document: &Document, features: &Features, generated: &[Generated<'_>]) -> Result<syn::File, String> {
    let mut alike: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for operation in document.operations() {
        if let Some(both) = asked_and_answered(document, &operation) {
            alike.entry(both).or_default().push(operation.id());
        }
    }
    let with = |operation: &Operation<'_>| attribute(features.operations.get(&plain(operation.id())));
    let rows = generated.iter().map(|Generated { operation, method, .. }| {
        let Operation { method: verb, path, value, .. } = operation;
        let with = with(operation);
        let (id, name, verb) = (operation.id(), method.to_string(), format_ident!("{}", verb.to_ascii_uppercase()));
        let summary = value["summary"].as_str().unwrap_or_default();
        let credentials = credentials(document, operation)?;
        let deprecated = operation.deprecated();
        // HTTP defines the other methods to be idempotent.
        let idempotent = verb != "POST" || value["x-idempotent"] == true;
        let replaced_by = match value["x-replaced-by"].as_str() {
            Some(replacement) => quote!(Some(#replacement)),
            None => quote!(None),
        };
        let payload = document.property(operation.answer_schema(), "data");
        let success = payload.and_then(|payload| document.property(payload, "success"));
        let tells_success = success.is_some_and(|success| document.resolve(success)["type"] == "boolean");
        let siblings = asked_and_answered(document, operation).and_then(|both| alike.get(&both));
        let siblings = siblings.into_iter().flatten().filter(|other| **other != id);
        let secret_fields = secret_fields(document, operation);
        Ok(quote!(#with crate::Operation {
            id: #id,
            method_name: #name,
            method: http::Method::#verb,
            path: #path,
            summary: #summary,
            credentials: &[#(#credentials),*],
            idempotent: #idempotent,
            deprecated: #deprecated,
            replaced_by: #replaced_by,
            tells_success: #tells_success,
            secret_fields: &[#(#secret_fields),*],
            siblings: &[#(#siblings),*],
            fellows: crate::generated::Fellows(|| OPERATIONS),
        }))
    });
    let rows = rows.collect::<Result<Vec<_>, String>>()?;
    let places = generated.iter().map(|Generated { operation, place, .. }| {
        let with = with(operation);
        quote!(#with #place)
    });
    let table = quote! {
        /// Where each operation stands in the table.
        #[derive(Clone, Copy)]
        pub(crate) enum At { #(#places),* }

        /// Every operation of the document, sorted by `method_name`.
        pub(crate) static OPERATIONS: &[crate::Operation] = &[#(#rows),*];
    };
    syn::parse2(table).map_err(|error| error.to_string())
}

fn attribute(with: Option<&With>) -> Option<syn::Attribute> {
    with.and_then(With::attribute)
}

/// The alternatives of `security`, each a list of credentials that go together. OpenAPI has no scheme for a secret in
/// the body: an operation that lists `clientSecretBasic` also takes the secret in the body, if that has fields for it.
fn credentials(document: &Document, operation: &Operation<'_>) -> Result<Vec<proc_macro2::TokenStream>, String> {
    let fields = document.property_names(operation.body_schema());
    let posts = ["client_id", "client_secret"].iter().all(|field| fields.contains(field));
    let mut alternatives = Vec::new();
    for alternative in operation.value["security"].as_array().into_iter().flatten() {
        let mut variants = Vec::new();
        for (scheme, _) in alternative.as_object().into_iter().flatten() {
            let known = CREDENTIALS.iter().find(|(name, _)| name == scheme);
            let (_, variant) =
                known.ok_or_else(|| format!("src/credentials/ has nothing for the scheme `{scheme}`"))?;
            variants.push(*variant);
        }
        let post = |variant: &&'static str| if *variant == BASIC { POST } else { *variant };
        let posted = (posts && variants.contains(&BASIC)).then(|| variants.iter().map(post).collect());
        alternatives.push(variants);
        alternatives.extend(posted);
    }
    let quoted = |variants: Vec<&str>| {
        let variants = variants.into_iter().map(|variant| format_ident!("{variant}"));
        quote!(&[#(crate::Credential::#variants),*])
    };
    Ok(alternatives.into_iter().map(quoted).collect())
}

/// The names of the secret properties that the request body can hold, at any depth.
fn secret_fields(document: &Document, operation: &Operation<'_>) -> BTreeSet<String> {
    let body = operation.body_schema();
    let schemas =
        document.reachable([body]).into_iter().filter_map(|name| document.value["components"]["schemas"].get(name));
    let mut names = BTreeSet::new();
    let mut open: Vec<&Value> = schemas.collect();
    while let Some(schema) = open.pop() {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if document.holds_secret(property) {
                names.insert(name.clone());
            }
        }
        match schema {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => open.extend(members.values()),
            _ => {}
        }
    }
    names
}

/// The body and the payload of an operation. Operations that have both in common can stand in for each other.
fn asked_and_answered<'a>(document: &'a Document, operation: &Operation<'a>) -> Option<(&'a str, &'a str)> {
    let body = referenced_name(operation.body_schema())?;
    Some((body, document.property(operation.answer_schema(), "data").and_then(referenced_name)?))
}

/// The dynamic way to call each operation: JSON in, JSON out, through the same typed builders.
fn invoke(
    document: &Document,
    features: &Features,
    generated: &[Generated<'_>],
) -> Result<proc_macro2::TokenStream, String> {
    let arms = generated.iter().map(|Generated { operation, method, setters, .. }| {
        let id = operation.id();
        let with = attribute(features.operations.get(&plain(id)));
        let setter_of = |name: &str| {
            let found = setters.iter().find(|(setter, _)| plain(&setter.to_string()) == plain(name));
            found.ok_or_else(|| format!("the builder of `{id}` has no setter for `{name}`"))
        };
        let parameters = operation.value["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|parameter| {
            let name = parameter["name"].as_str().unwrap_or_default();
            let (setter, ty) = setter_of(name)?;
            Ok(quote!(if let Some(value) = input.take::<#ty>(#name)? { call = call.#setter(value); }))
        });
        let parameters = parameters.collect::<Result<Vec<_>, String>>()?;
        let rest = if operation.value.get("requestBody").is_some() {
            let (setter, ty) = setter_of("body")?;
            let body = operation.body_schema();
            let fields = document.property_names(body);
            quote!(call = call.#setter(input.body::<#ty>(&[#(#fields),*])?);)
        } else {
            quote!(input.finish(&[])?;)
        };
        Ok(quote!(#with #id => Box::pin(async move {
            let mut call = client.#method();
            #(#parameters)*
            #rest
            crate::generated::into_json(call.send().await?)
        })))
    });
    let arms = arms.collect::<Result<Vec<_>, String>>()?;
    Ok(quote! {
        #[cfg(feature = "invoke")]
        pub(crate) fn invoke<'a>(
            client: &'a Client,
            operation: &'static crate::Operation,
            mut input: crate::generated::Input,
        ) -> crate::generated::Invoking<'a> {
            match operation.id {
                #(#arms,)*
                _ => Box::pin(std::future::ready(Err(crate::generated::unknown(operation.id)))),
            }
        }
    })
}

fn schemas(document: &Document, features: &Features, types: &TypeNames) -> Result<proc_macro2::TokenStream, String> {
    let own = document.schemas().filter(|(name, _)| !document.types_of_genauth.contains_key(*name));
    let rows = own.map(|(name, _)| {
        let ty = type_of(document, name, types)?;
        let with = attribute(features.schemas.get(&plain(name)));
        Ok(quote!(#with (#name, || schemars::schema_for!(#ty))))
    });
    let rows = rows.collect::<Result<Vec<_>, String>>()?;
    Ok(quote! {
        /// The JSON Schema of every named schema of the document, by its name there.
        #[cfg(feature = "schemars")]
        pub static SCHEMAS: &[(&str, fn() -> schemars::Schema)] = &[#(#rows),*];
    })
}
