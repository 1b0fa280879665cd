//! No operation has the name of a method that the client has by hand.

use heck::ToSnakeCase as _;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use syn::{ImplItem, Item, Type, Visibility};

/// The public methods of `Client` in a folder of sources.
fn methods(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            methods(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
            for item in file.items {
                let Item::Impl(item) = item else { continue };
                if item.trait_.is_some() || !matches!(&*item.self_ty, Type::Path(ty) if ty.path.is_ident("Client")) {
                    continue;
                }
                found.extend(item.items.iter().filter_map(|item| match item {
                    ImplItem::Fn(function) if matches!(function.vis, Visibility::Public(_)) => {
                        Some(function.sig.ident.to_string())
                    }
                    _ => None,
                }));
            }
        }
    }
}

#[test]
fn the_reserved_names_are_those_of_the_client() {
    let mut methods_by_hand = BTreeSet::new();
    methods(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src"), &mut methods_by_hand);
    // No camelCase id becomes this name.
    methods_by_hand.remove("__settings");
    let mut reserved: BTreeSet<String> =
        genauth_codegen::rules::RESERVED.iter().map(|name| name.to_snake_case()).collect();
    // These are derived, or progenitor's own, which are left out of the generated code.
    for other in ["clone", "new", "new_with_client"] {
        assert!(reserved.remove(other), "{other} is not reserved");
    }
    assert_eq!(reserved, methods_by_hand);
}
