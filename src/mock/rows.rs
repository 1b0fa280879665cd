//! The rows that were created: users, groups, roles and whatever else can be created, got and listed.
//!
//! What these are follows from the document. If it describes `createX`, whose payload is an X, and `getX`, which finds
//! an X by one of its fields, then the operations whose names consist of a verb and `X`, `Xs`, `XBatch` or `XsBatch`
//! act on what was created. The document's own examples are always there. A list is answered with the page that is
//! asked for; filters are ignored.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;

use super::answer::success;
use super::document::{DescribedOperation, Document};
use super::json::items;
use super::kind::{Act, Row, RowKind, Shape};
use super::lock::lock;
use super::refusal::Refusal;
use super::table::Table;

/// The number of rows on a page if the request does not say.
const DEFAULT_LIMIT: usize = 10;

/// The rows that were created or changed, by the noun of their kind. There is deliberately no `Debug`.
#[derive(Default)]
pub(super) struct Rows(Mutex<Made>);

#[derive(Default)]
struct Made {
    number: u64,
    tables: BTreeMap<String, Table>,
}

/// What a request asks for, by the fields of its body and the parameters of its query.
pub(super) struct RowQuery<'a> {
    pub(super) query: &'a str,
    pub(super) body: &'a Value,
}

impl RowQuery<'_> {
    /// Returns the texts of a field, one or several.
    fn texts(&self, name: &str) -> Vec<String> {
        let in_query = form_urlencoded::parse(self.query.as_bytes())
            .filter(|(key, _)| key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('[')))
            .map(|(_, value)| value.into_owned());
        let in_body = match &self.body[name] {
            Value::String(one) => vec![one.clone()],
            many => items(many).filter_map(Value::as_str).map(str::to_owned).collect(),
        };
        in_query.chain(in_body).collect()
    }

    /// Returns the keys that the request names: one, or several, which some clients separate by commas.
    fn keys(&self, kind: &RowKind) -> Vec<String> {
        let several = [format!("{}s", kind.key), format!("{}List", kind.key)];
        let several = several.iter().flat_map(|name| self.texts(name));
        let split = several.flat_map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>());
        self.texts(&kind.key).into_iter().chain(split).collect()
    }

    /// Returns the rows that the body gives: those in its `list`, or the body itself.
    fn rows(&self) -> Vec<Row> {
        let list: Vec<&Value> = items(&self.body["list"]).collect();
        let rows = if list.is_empty() { vec![self.body] } else { list };
        rows.into_iter().filter_map(Value::as_object).cloned().collect()
    }

    /// Returns a number in the query, at the top of the body, in `pagination`, or in the `pagination` of `options`.
    fn number(&self, name: &str) -> Option<usize> {
        let in_query = self.texts(name).first().and_then(|text| text.parse().ok());
        let pointers = ["", "/pagination", "/options/pagination"].map(|at| format!("{at}/{name}"));
        in_query.or_else(|| pointers.iter().find_map(|at| self.body.pointer(at)?.as_u64()?.try_into().ok()))
    }
}

impl Rows {
    /// Returns the envelope, if the operation acts on rows or lists those of the document.
    pub(super) fn answer(
        &self,
        document: &Document,
        operation: &DescribedOperation,
        asked: &RowQuery<'_>,
    ) -> Option<Result<Value, Refusal>> {
        let Some((kind, act)) = operation.subject.act else {
            let is_list = operation.subject.shape == Shape::Paging;
            return is_list.then(|| Ok(page(operation, asked, examples(operation), &Table::default())));
        };
        let kind = &document.kinds[kind];
        let made = &mut *lock(&self.0);
        Some(match act {
            Act::Create => Ok(made.create(kind, document, operation, asked)),
            Act::Get => made.get(kind, document, operation, asked),
            Act::Update => made.update(kind, document, operation, asked),
            Act::Delete => {
                let table = made.of(kind);
                for key in asked.keys(kind) {
                    let meant = table.with_key(&key).filter(|row| kind.is(row, &kind.key, &key, asked));
                    let names: Vec<_> = meant.map(|row| kind.name(row)).collect();
                    names.iter().for_each(|name| table.remove(name));
                }
                Ok(operation.example.clone())
            }
            Act::List => {
                let table = made.of(kind);
                let mut others = examples(operation);
                others.retain(|row| !table.has(&kind.name(row)));
                Ok(page(operation, asked, others, table))
            }
        })
    }
}

impl Made {
    fn of(&mut self, kind: &RowKind) -> &mut Table {
        self.tables.entry(kind.noun.clone()).or_default()
    }

    fn put(&mut self, kind: &RowKind, row: &Row) {
        self.of(kind).put(kind.name(row), row.clone());
    }

    fn create(
        &mut self,
        kind: &RowKind,
        document: &Document,
        operation: &DescribedOperation,
        asked: &RowQuery<'_>,
    ) -> Value {
        let is_example = *asked.body == operation.request_example;
        let mut examples = examples(operation);
        // An operation that is answered with something else has no example of a row.
        examples.retain(|row| row.contains_key(&kind.key));
        if is_example && !examples.is_empty() {
            examples.iter().for_each(|row| self.put(kind, row));
            return operation.example.clone();
        }
        let mut all = document.of_kind(kind).flat_map(self::examples);
        let example = all.find(|row| row.contains_key(&kind.key)).unwrap_or_default();
        let mut rows = Vec::new();
        for given in asked.rows() {
            let mut row = kind.row.fit(&given, &example);
            if !given.contains_key(&kind.key) {
                self.number += 1;
                row.insert(kind.key.clone(), format!("mock-{}-{}", kind.noun.to_lowercase(), self.number).into());
            }
            self.put(kind, &row);
            rows.push(row);
        }
        payload(operation, kind, rows)
    }

    fn find(
        &mut self,
        kind: &RowKind,
        document: &Document,
        field: &str,
        key: &str,
        asked: &RowQuery<'_>,
    ) -> Option<Row> {
        let is = |row: &&Row| kind.is(row, field, key, asked);
        let table = self.of(kind);
        let found = if field == kind.key { table.with_key(key).find(is) } else { table.rows().find(is) };
        if let Some(row) = found {
            return Some(row.clone());
        }
        document.of_kind(kind).flat_map(examples).find(|row| is(&row))
    }

    fn get(
        &mut self,
        kind: &RowKind,
        document: &Document,
        operation: &DescribedOperation,
        asked: &RowQuery<'_>,
    ) -> Result<Value, Refusal> {
        // A row may also be found by another field, such as `email`.
        let field = asked.texts(&format!("{}Type", kind.key)).into_iter().next().map(|name| camel_case(&name));
        let field = field.filter(|name| operation.subject.row.known.contains(name)).unwrap_or_else(|| kind.key.clone());
        let keys = asked.keys(kind);
        let rows: Vec<Row> = keys.iter().filter_map(|key| self.find(kind, document, &field, key, asked)).collect();
        if !rows.is_empty() {
            return Ok(payload(operation, kind, rows));
        }
        if keys.iter().all(|key| operation.subject.example_keys.contains(key)) {
            return Ok(operation.example.clone());
        }
        if operation.subject.shape == Shape::Many { Ok(payload(operation, kind, rows)) } else { Err(kind.unknown()) }
    }

    fn update(
        &mut self,
        kind: &RowKind,
        document: &Document,
        operation: &DescribedOperation,
        asked: &RowQuery<'_>,
    ) -> Result<Value, Refusal> {
        let is_example = *asked.body == operation.request_example;
        let mut rows = Vec::new();
        for mut given in asked.rows() {
            let (key, new) = (given.remove(&kind.key).unwrap_or_default(), given.remove(&new(&kind.key)));
            let found = self.find(kind, document, &kind.key, key.as_str().unwrap_or_default(), asked);
            let Some(mut row) = found else {
                if is_example {
                    continue;
                }
                return Err(kind.unknown());
            };
            let name = kind.name(&row);
            given.retain(|name, _| kind.row.known.contains(name));
            row.extend(given);
            row.extend(new.map(|key| (kind.key.clone(), key)));
            if kind.name(&row) != name {
                self.of(kind).remove(&name);
            }
            self.put(kind, &row);
            rows.push(row);
        }
        Ok(if is_example { operation.example.clone() } else { payload(operation, kind, rows) })
    }
}

impl RowKind {
    /// Returns the name of a row: the value of its key, and those that tell rows with the same key apart.
    fn name(&self, row: &Row) -> Vec<String> {
        let text = |name: &String| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        std::iter::once(&self.key).chain(&self.scope).map(text).collect()
    }

    /// Whether `row` is one that is asked for.
    fn is(&self, row: &Row, field: &str, key: &str, asked: &RowQuery<'_>) -> bool {
        let in_scope = |name: &String| {
            let given = asked.texts(name);
            given.is_empty()
                || row.get(name).and_then(Value::as_str).is_none_or(|value| given.iter().any(|one| one == value))
        };
        row.get(field).is_some_and(|value| value == key) && self.scope.iter().all(in_scope)
    }

    fn unknown(&self) -> Refusal {
        Refusal::new(
            404,
            format!("no such {}: the mock knows those of the examples, and those that were created", self.noun),
        )
    }
}

/// Returns the rows of an operation's example.
fn examples(operation: &DescribedOperation) -> Vec<Row> {
    let data = &operation.example["data"];
    let rows: Vec<&Value> = match operation.subject.shape {
        Shape::One => vec![data],
        Shape::Many => items(data).collect(),
        Shape::Paging => items(&data["list"]).collect(),
        Shape::None => Vec::new(),
    };
    rows.into_iter().filter_map(Value::as_object).cloned().collect()
}

/// Returns the envelope with the rows in the operation's own shape; the example if it has no shape for rows.
fn payload(operation: &DescribedOperation, kind: &RowKind, rows: Vec<Row>) -> Value {
    if !operation.subject.row.known.contains(&kind.key) {
        return operation.example.clone();
    }
    let example = examples(operation).into_iter().next().unwrap_or_default();
    let mut rows = rows.iter().map(|row| Value::Object(operation.subject.row.fit(row, &example)));
    match operation.subject.shape {
        Shape::One => success(rows.next().unwrap_or_default()),
        Shape::Many => success(rows.collect()),
        Shape::Paging | Shape::None => operation.example.clone(),
    }
}

/// Returns one page of the document's own rows followed by those that were created.
fn page(operation: &DescribedOperation, asked: &RowQuery<'_>, own: Vec<Row>, made: &Table) -> Value {
    let example = examples(operation).into_iter().next().unwrap_or_default();
    let total = own.len() + made.len();
    let has_pages = operation.subject.takes_pages;
    let limit = asked.number("limit").unwrap_or(DEFAULT_LIMIT);
    let skipped = asked.number("page").unwrap_or(1).saturating_sub(1).saturating_mul(limit);
    let (skipped, limit) = if has_pages { (skipped, limit) } else { (0, total) };
    let list: Vec<Value> = own
        .iter()
        .chain(made.rows())
        .skip(skipped)
        .take(limit)
        .map(|row| Value::Object(operation.subject.row.fit(row, &example)))
        .collect();
    let mut envelope = operation.example.clone();
    if let Some(data) = envelope.get_mut("data").and_then(Value::as_object_mut) {
        data.extend([("totalCount".to_owned(), total.into()), ("list".to_owned(), list.into())]);
    }
    envelope
}

/// Returns `newCode` for `code`.
fn new(key: &str) -> String {
    let (first, rest) = key.split_at(1);
    format!("new{}{rest}", first.to_uppercase())
}

/// Returns `externalId` for `external_id`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        all + &first.to_uppercase() + rest
    })
}
