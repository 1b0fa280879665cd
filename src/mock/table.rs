//! Rows in the order in which they were created, which are found by their names.

use std::collections::BTreeMap;

use super::kind::Row;

/// The rows of one kind. The name of a row begins with its key; the rest of the name tells apart rows with the same
/// key.
#[derive(Default)]
pub(super) struct Table {
    rows: BTreeMap<u64, Row>,
    places: BTreeMap<Vec<String>, u64>,
    last: u64,
}

impl Table {
    /// Puts a row in the place of the one with this name, or at the end.
    pub(super) fn put(&mut self, name: Vec<String>, row: Row) {
        let place = *self.places.entry(name).or_insert_with(|| {
            self.last += 1;
            self.last
        });
        self.rows.insert(place, row);
    }

    pub(super) fn remove(&mut self, name: &[String]) {
        if let Some(place) = self.places.remove(name) {
            self.rows.remove(&place);
        }
    }

    pub(super) fn has(&self, name: &[String]) -> bool {
        self.places.contains_key(name)
    }

    /// Returns the rows with this key.
    pub(super) fn with_key(&self, key: &str) -> impl Iterator<Item = &Row> {
        let first = vec![key.to_owned()];
        let named = self.places.range(first.clone()..).take_while(move |(name, _)| name.first() == first.first());
        named.filter_map(|(_, place)| self.rows.get(place))
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}
