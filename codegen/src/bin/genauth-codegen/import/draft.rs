//! Makes a fragment from the operations.

use super::house::House;
use super::source::{Operation, Source};
use super::tree::{COMMENT, Node};
use super::{example, names};
use genauth_codegen::rules::UNWRITTEN;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The schema that editors check a fragment of this repository against.
const SCHEMA: &str = "codegen/group.schema.json";

pub(super) const JSON: &str = "application/json";

pub(super) struct Draft<'a> {
    pub(super) source: &'a Source,
    pub(super) house: &'a House,
    pub(super) schemas: BTreeMap<String, Node>,
    /// The names of schemas in the order in which they came up.
    pub(super) order: Vec<String>,
    /// The name of each schema in the fragment, by its reference.
    pub(super) names: BTreeMap<&'a str, String>,
    /// The names that are taken, in small letters.
    taken: BTreeSet<String>,
    /// The references that are being resolved, so that none leads back to itself.
    pub(super) open: Vec<&'a str>,
    pub(super) ids: Vec<(Operation<'a>, String)>,
    notes: BTreeSet<String>,
}

impl<'a> Draft<'a> {
    /// Makes the fragment, or says for each operation that cannot be described why not.
    pub(super) fn of(source: &'a Source, house: &'a House, operations: &[Operation<'a>]) -> Result<Node, Vec<String>> {
        let mut draft = Self {
            source,
            house,
            schemas: BTreeMap::new(),
            order: Vec::new(),
            names: BTreeMap::new(),
            taken: house.names().map(str::to_lowercase).collect(),
            open: Vec::new(),
            ids: Vec::new(),
            notes: BTreeSet::new(),
        };
        for operation in operations {
            let id = draft.id(operation);
            draft.ids.push((*operation, id));
        }
        let tag =
            operations.iter().find_map(|operation| names::tag(operation.id())).unwrap_or_else(|| "draft".to_owned());
        let mut paths: Vec<(String, Node)> = Vec::new();
        let mut refused = Vec::new();
        for (operation, id) in draft.ids.clone() {
            match draft.operation(&operation, &id, &tag) {
                Ok(node) => {
                    let path = operation.path;
                    match paths.iter_mut().find(|(known, _)| known == path) {
                        Some((_, item)) => *item = item.clone().with(operation.method, node),
                        None => paths.push((path.to_owned(), Node::map().with(operation.method, node))),
                    }
                }
                Err(why) => refused.push(why),
            }
        }
        if refused.is_empty() { Ok(draft.fragment(&tag, paths)) } else { Err(refused) }
    }

    fn fragment(mut self, tag: &str, paths: Vec<(String, Node)>) -> Node {
        let begin = format!(
            "A draft: write a sentence for each `{UNWRITTEN}`, compare the rest with what the server does, and say \
             here what the group is."
        );
        let mut fragment = Node::map();
        if Path::new(SCHEMA).exists() {
            fragment = fragment.with(COMMENT, format!("yaml-language-server: $schema=../{SCHEMA}"));
        }
        fragment = fragment.with(COMMENT, begin);
        for note in std::mem::take(&mut self.notes) {
            fragment = fragment.with(COMMENT, note);
        }
        if !self.house.has_tag(tag) {
            let tag = Node::map().with("name", tag).with("description", UNWRITTEN);
            fragment = fragment.with("tags", vec![tag]);
        }
        let paths = Node::Map(paths);
        // Parts that were left out may have had schemas of their own.
        let mut used = BTreeSet::new();
        self.reach(&paths, &mut used);
        let fragment = fragment.with("paths", paths);
        let used = self.order.into_iter().filter(|name| used.contains(name));
        let schemas: Vec<_> = used.filter_map(|name| Some((name.clone(), self.schemas.remove(&name)?))).collect();
        if schemas.is_empty() {
            return fragment;
        }
        fragment.with("components", Node::map().with("schemas", Node::Map(schemas)))
    }

    fn reach(&self, node: &Node, used: &mut BTreeSet<String>) {
        if let Some(name) = node.referenced()
            && used.insert(name.to_owned())
            && let Some(schema) = self.schemas.get(name)
        {
            self.reach(schema, used);
        }
        node.items().iter().for_each(|item| self.reach(item, used));
        node.entries().iter().for_each(|(_, member)| self.reach(member, used));
    }

    fn id(&self, operation: &Operation<'a>) -> String {
        let short = names::short(operation.id());
        let of_path = names::path_ids(operation.path);
        let is_shared = self.source.operations().iter().filter(|other| names::short(other.id()) == short).count() > 1;
        // If a short id would fit several operations, none of them gets it just for coming first.
        let (first, then) =
            if is_shared { (of_path, vec![names::camel(short)]) } else { (vec![names::camel(short)], of_path) };
        let whole = names::camel(&format!("{} {} {}", operation.method, operation.id(), operation.path));
        let mut candidates = first.into_iter().chain(then).chain([whole.clone()]).filter(|id| !id.is_empty());
        let is_free = |id: &String| {
            let taken = self.ids.iter().any(|(_, other)| other.eq_ignore_ascii_case(id));
            !taken && !self.house.has_operation(id)
        };
        candidates.find(is_free).unwrap_or(whole)
    }

    pub(super) fn content(&self, schema: Node) -> Node {
        let find = |name: &str| self.schemas.get(name).or_else(|| self.house.schema(name));
        let example = example::of(&schema, "", &find, &mut Vec::new()).unwrap_or_else(Node::map);
        Node::map().with(JSON, Node::map().with("schema", schema).with("example", example))
    }

    /// The name of the schema behind a reference. Describes the schema if that has not been done yet.
    pub(super) fn named(&mut self, reference: &'a str, known: &str) -> String {
        if let Some(name) = self.names.get(reference) {
            return name.clone();
        }
        let pascal = names::pascal(known);
        let Some(target) = reference.strip_prefix('#').and_then(|pointer| self.source.root.pointer(pointer)) else {
            return pascal;
        };
        if self.house.schema(&pascal).is_some() {
            self.names.insert(reference, pascal.clone());
            self.compare(&pascal, target);
            return pascal;
        }
        let name = self.free_name(&pascal);
        self.names.insert(reference, name.clone());
        self.define(&name, target);
        name
    }

    pub(super) fn define(&mut self, name: &str, schema: &'a Node) {
        // The schema's place is before the schemas that it is made of.
        self.order.push(name.to_owned());
        let body = self.body(name, schema);
        self.schemas.insert(name.to_owned(), body);
    }

    pub(super) fn put(&mut self, name: &str, schema: Node) {
        self.order.push(name.to_owned());
        self.schemas.insert(name.to_owned(), schema);
    }

    /// The wanted name, or one with a number behind it if that is taken.
    pub(super) fn free_name(&mut self, wanted: &str) -> String {
        let candidates = std::iter::once(wanted.to_owned()).chain((2..).map(|n| format!("{wanted}{n}")));
        let mut free = candidates.filter(|name| !self.taken.contains(&name.to_lowercase()));
        let name = free.next().unwrap_or_default();
        self.taken.insert(name.to_lowercase());
        name
    }

    /// Notes the fields that the document has for a schema which the fragments have already.
    pub(super) fn compare(&mut self, name: &str, schema: &'a Node) {
        let fields = self.source.parts(schema).into_iter().flat_map(|part| part.get("properties").entries());
        let new: Vec<String> = fields
            .filter(|(field, _)| !self.house.has_field(name, field))
            .map(|(field, _)| format!("`{field}`"))
            .collect();
        if !new.is_empty() {
            self.notes.insert(format!("{name} is described already, but the document also has: {}.", new.join(", ")));
        }
    }
}
