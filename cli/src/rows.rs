//! Two columns of text.

use crate::output::FAINT;

/// Names and values, in two aligned columns.
#[derive(Default)]
pub(crate) struct Rows(Vec<(String, String)>);

impl Rows {
    pub(crate) fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    pub(crate) fn text(&self) -> String {
        let width = self.0.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        let row = |(name, value): &(String, String)| format!("{FAINT}{name:width$}{FAINT:#}  {value}\n");
        self.0.iter().map(row).collect()
    }
}
