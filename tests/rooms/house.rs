//! What the files of a crate import from each other, and the types that they define.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use syn::{Ident, Item, UseTree};

/// The file that includes what is generated.
const API: &str = "src/api.rs";
const GENERATED: &str = "generated/api.rs";

/// The files that each file imports from.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// The modules of a crate by their paths from its root, as they are declared, without those that are `#[cfg(test)]`.
#[derive(Default)]
pub struct House(BTreeMap<Vec<String>, Module>);

#[derive(Default)]
struct Module {
    file: String,
    /// The paths behind the names that `use` declares.
    names: BTreeMap<String, Vec<String>>,
    /// All paths, as they are written.
    paths: BTreeSet<Vec<String>>,
    types: Vec<String>,
    /// The names of all else that it defines.
    others: Vec<String>,
}

impl House {
    pub fn of(root: &str) -> Self {
        let mut house = Self::default();
        house.read(Vec::new(), Path::new(root), Path::new(root).parent().expect("a folder"));
        house
    }

    /// Adds the module of a file; those within it are in `folder`.
    fn read(&mut self, path: Vec<String>, file: &Path, folder: &Path) {
        let source = if file == Path::new(API) { Path::new(GENERATED) } else { file };
        let text = std::fs::read_to_string(source).expect("a module's file, seen from the crate's folder");
        self.add(path, file, folder, syn::parse_file(&text).expect("Rust").items);
    }

    fn add(&mut self, path: Vec<String>, file: &Path, folder: &Path, items: Vec<Item>) {
        let mut module = Module { file: file.display().to_string(), ..Module::default() };
        for item in items {
            let words: Vec<String> = item.to_token_stream().into_iter().map(|token| token.to_string()).collect();
            if words.iter().any(|word| word == "[cfg (test)]") {
                continue;
            }
            let keyword = words.iter().position(|word| ["enum", "struct", "trait", "type"].contains(&word.as_str()));
            module.types.extend(keyword.and_then(|at| words.get(at + 1)).cloned());
            match item {
                Item::Mod(item) => {
                    let name = item.ident.to_string();
                    let (path, folder) = (joined(&path, &name), folder.join(name));
                    let file_of =
                        || [folder.join("mod.rs"), folder.with_extension("rs")].into_iter().find(|file| file.exists());
                    match item.content {
                        // The build includes each group of what is generated as a file of its own.
                        Some(_) if path.starts_with(&["api".to_owned(), "groups".to_owned()]) && path.len() == 3 => {
                            let part = format!("generated/groups/{}.rs", path[2]);
                            let text = std::fs::read_to_string(part).expect("a part of what is generated");
                            self.add(path, file, &folder, syn::parse_file(&text).expect("Rust").items);
                        }
                        Some((_, items)) => self.add(path, file, &folder, items),
                        None => self.read(path, &file_of().expect("a module's file"), &folder),
                    }
                }
                Item::Use(item) => {
                    let imports = imports(&item.tree, &[]);
                    module.paths.extend(imports.iter().map(|(_, path)| path.clone()));
                    module.names.extend(imports);
                }
                item => {
                    let other = match &item {
                        Item::Const(item) => Some(&item.ident),
                        Item::Fn(item) => Some(&item.sig.ident),
                        Item::Macro(item) => item.ident.as_ref(),
                        Item::Static(item) => Some(&item.ident),
                        _ => None,
                    };
                    module.others.extend(other.map(ToString::to_string));
                    paths(item.to_token_stream(), &mut module.paths);
                }
            }
        }
        self.0.insert(path, module);
    }

    /// The file that defines what a path in a module stands for; `None` if it belongs to another crate, or is itself a
    /// module.
    fn file(&self, module: &[String], path: &[String], patience: usize) -> Option<&str> {
        let (mut base, mut rest, mut is_ours) = (module.to_vec(), path, false);
        while let Some((first, after)) = rest.split_first() {
            match first.as_str() {
                "crate" => base.clear(),
                "super" => drop(base.pop()),
                "self" => {}
                name if self.0.contains_key(&joined(&base, name)) => base.push(name.to_owned()),
                _ => break,
            }
            (rest, is_ours) = (after, true);
        }
        let (name, after) = rest.split_first()?;
        match self.0[&base].names.get(name) {
            Some(import) => self.file(&base, &[import, after].concat(), patience.checked_sub(1)?),
            // The generator contains paths of the library, whose root has other names.
            None if base.is_empty() && !self.defines_in_root(name) => None,
            None => is_ours.then_some(&self.0[&base].file),
        }
    }

    fn defines_in_root(&self, name: &str) -> bool {
        let root = &self.0[&[][..]];
        root.types.iter().chain(&root.others).any(|known| known == name)
    }

    pub fn graph(&self) -> Graph {
        let mut graph = Graph::new();
        for (path, module) in &self.0 {
            let files = module.paths.iter().filter_map(|written| self.file(path, written, 8));
            let others = files.filter(|file| *file != module.file).map(str::to_owned);
            graph.entry(module.file.clone()).or_default().extend(others);
        }
        graph
    }

    /// The names that types of several files share. The names of generated types come from the document.
    pub fn shared_names(&self) -> Vec<String> {
        let mut files: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (module, name) in self.0.values().flat_map(|module| module.types.iter().map(move |name| (module, name))) {
            files.entry(name).or_default().extend((module.file != API).then_some(module.file.as_str()));
        }
        files.retain(|_, files| files.len() > 1);
        files.into_iter().map(|(name, files)| format!("{name}: {}", Vec::from_iter(files).join(", "))).collect()
    }
}

fn joined(path: &[String], name: &str) -> Vec<String> {
    [path, &[name.to_owned()]].concat()
}

/// The names that a `use` brings in and their paths; `*` for all that a module has.
fn imports(tree: &UseTree, before: &[String]) -> Vec<(String, Vec<String>)> {
    let named = |name: &Ident, what: &Ident| vec![(name.to_string(), joined(before, &what.to_string()))];
    match tree {
        UseTree::Path(tree) => imports(&tree.tree, &joined(before, &tree.ident.to_string())),
        UseTree::Group(tree) => tree.items.iter().flat_map(|tree| imports(tree, before)).collect(),
        UseTree::Name(tree) if tree.ident == "self" => {
            before.last().map(|name| (name.clone(), before.to_vec())).into_iter().collect()
        }
        UseTree::Name(tree) => named(&tree.ident, &tree.ident),
        UseTree::Rename(tree) => named(&tree.rename, &tree.ident),
        _ => vec![("*".to_owned(), joined(before, "*"))],
    }
}

/// Adds every path of more than one name: in code, in the arguments of macros, and in the texts of attributes.
fn paths(tokens: TokenStream, found: &mut BTreeSet<Vec<String>>) {
    let (mut path, mut colons) = (Vec::new(), 0);
    for token in tokens {
        let (word, continues) = (token.to_string(), colons == 2);
        colons = if word == ":" { colons + 1 } else { 0 };
        match token {
            TokenTree::Punct(_) if word == ":" => {}
            TokenTree::Ident(_) if continues => path.push(word),
            // These are the braces of an import within code, or its star.
            _ if continues && (word.starts_with('{') || word == "*") => path.push("*".to_owned()),
            token => {
                found.insert(std::mem::take(&mut path));
                match token {
                    TokenTree::Ident(_) => path.push(word),
                    TokenTree::Group(group) => paths(group.stream(), found),
                    // The text of an attribute names a function, or a module that contains it.
                    TokenTree::Literal(_) if word.starts_with("\"crate::") => {
                        paths(format!("{}::*", word.trim_matches('"')).parse().expect("a path"), found);
                    }
                    _ => {}
                }
            }
        }
    }
    found.insert(path);
    found.retain(|path| path.len() > 1);
}

#[test]
fn every_way_to_name_what_another_file_defines_is_an_arrow() {
    let mut house = House::default();
    for (path, text) in [
        (&[][..], "pub use a::A; use std::fmt; pub fn f() {}"),
        (&["a"], "pub struct A; #[cfg(test)] mod tests { use crate::b::B; } use crate::c;"),
        (&["b"], "use crate::{A as Other, c}; pub type B = Other; mod inner { fn f() { super::super::c::f() } }"),
        (&["c"], "struct A; fn f() { assert!(matches!(0, crate::b::B)) }"),
        (&["d"], "use super::a::{self}; #[serde(with = \"crate::c\")] struct D { c: crate::b::B, a: a::A, e: e::E }"),
        (&["d", "e"], "#[serde(with = \"crate::c::f\")] enum E { F(super::D) }"),
        (&["g"], "fn f() { crate::f(); quote!(crate::Client, crate::client::f()); }"),
    ] {
        let file = path.join("/");
        let path = path.iter().map(ToString::to_string).collect();
        house.add(path, Path::new(&file), Path::new(""), syn::parse_file(text).expect("Rust").items);
    }
    let arrows =
        house.graph().into_iter().map(|(file, others)| format!("{file} -> {}", Vec::from_iter(others).join(" ")));
    assert_eq!(
        Vec::from_iter(arrows),
        [" -> a", "a -> ", "b -> a c", "c -> b", "d -> a b c d/e", "d/e -> c d", "g -> "]
    );
    assert_eq!(house.shared_names(), ["A: a, c"]);
}
