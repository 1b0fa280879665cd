//! The kinds of rows that can be created, and the operations that act on them, by the names and schemas in the
//! document.

use serde_json::{Map, Value, json};

use super::json::items;

pub(super) type Row = Map<String, Value>;

/// What an operation does to rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Create,
    Get,
    Update,
    Delete,
    List,
}

const VERBS: [(&str, Act); 5] =
    [("create", Act::Create), ("get", Act::Get), ("update", Act::Update), ("delete", Act::Delete), ("list", Act::List)];

/// Where the rows are in a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    One,
    Many,
    Paging,
    /// There are none; the payload says something else.
    None,
}

/// The fields of an object, and which of them are required.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    pub(super) known: Vec<String>,
    pub(super) required: Vec<String>,
    /// The fields that are lists.
    pub(super) lists: Vec<String>,
}

/// One kind of rows.
#[derive(Debug)]
pub(super) struct RowKind {
    /// Its name in the ids of operations, such as `User`.
    pub(super) noun: String,
    /// The field that a row is found by.
    pub(super) key: String,
    /// The fields of a row in the answer of the operation that creates it.
    pub(super) row: Fields,
    /// Further fields that tell rows with the same key apart, where a request has them.
    pub(super) scope: Vec<String>,
}

/// What an operation has to do with rows.
#[derive(Debug)]
pub(super) struct Subject {
    /// Where the rows of the payload are.
    pub(super) shape: Shape,
    pub(super) row: Fields,
    /// The parameters of the query, and whether each is required.
    pub(super) parameters: Vec<(String, bool)>,
    /// Whether it asks for one page.
    pub(super) takes_pages: bool,
    /// The texts of the example request that rows may be found by.
    pub(super) example_keys: Vec<String>,
    /// The kind of rows that it acts on, by its place among all kinds, and what it does to them.
    pub(super) act: Option<(usize, Act)>,
}

/// Returns all kinds of rows that these operations, given with their ids, can create and get.
pub(super) fn kinds(operations: &[(&str, &Subject)]) -> Vec<RowKind> {
    let single = |id: &str| {
        let found = operations.iter().find(|(other, subject)| *other == id && subject.shape == Shape::One);
        found.map(|(_, subject)| *subject)
    };
    let kind = |id: &str| {
        let noun = id.strip_prefix("create")?;
        let (created, get) = (single(id)?, single(&format!("get{noun}"))?);
        let of_row = get.parameters.iter().filter(|(name, _)| created.row.known.contains(name));
        let (required, optional): (Vec<_>, Vec<_>) = of_row.partition(|(_, is_required)| *is_required);
        let [(key, _)] = required[..] else { return None };
        let scope = optional.into_iter().map(|(name, _)| name.clone()).collect();
        Some(RowKind { noun: noun.to_owned(), key: key.clone(), row: created.row.clone(), scope })
    };
    operations.iter().filter_map(|(id, _)| kind(id)).collect()
}

/// Returns the kind that an operation acts on, by its place among all kinds, and what the operation does.
pub(super) fn act(kinds: &[RowKind], id: &str, subject: &Subject) -> Option<(usize, Act)> {
    let (rest, act) = VERBS.iter().find_map(|(verb, act)| Some((id.strip_prefix(verb)?, *act)))?;
    let is_of = |kind: &RowKind| {
        let rest = rest.strip_prefix(&*kind.noun);
        rest.is_some_and(|rest| {
            ["", "s", "Batch", "sBatch"].contains(&rest) || act == Act::List && rest.starts_with('s')
        })
    };
    let fits = match act {
        Act::Get => matches!(subject.shape, Shape::One | Shape::Many),
        Act::List => subject.shape == Shape::Paging,
        _ => true,
    };
    Some((kinds.iter().position(is_of).filter(|_| fits)?, act))
}

/// Returns the texts of the example request that rows may be found by.
pub(super) fn example_keys(operation: &Value, request_example: &Value) -> Vec<String> {
    let parameters = items(&operation["parameters"]).map(|parameter| &parameter["example"]);
    let fields = request_example.as_object().into_iter().flat_map(Map::values);
    let texts = parameters.chain(fields).flat_map(|value| match value {
        Value::String(one) => vec![one.clone()],
        many => items(many).filter_map(Value::as_str).map(str::to_owned).collect(),
    });
    texts.collect()
}

impl Fields {
    /// Makes a row with these fields: a given one is taken as it is; a required one that is not given is an empty list,
    /// or is taken from the example.
    pub(super) fn fit(&self, given: &Row, example: &Row) -> Row {
        let value = |name: &String| match given.get(name) {
            Some(value) => Some(value.clone()),
            None if !self.required.contains(name) => None,
            None if self.lists.contains(name) => Some(json!([])),
            None => example.get(name).cloned(),
        };
        self.known.iter().filter_map(|name| Some((name.clone(), value(name)?))).collect()
    }
}
