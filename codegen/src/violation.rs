//! What is wrong with a fragment, and where.

use std::fmt;

/// One thing wrong with a fragment: where, which rule it breaks, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The fragment's path as it was loaded, such as `openapi/wechat.yaml`.
    pub file: String,
    /// Counted from 1; 0 if the whole file is meant.
    pub line: usize,
    /// Counted from 1; 0 if the whole file is meant.
    pub column: usize,
    /// The rule's name, such as `operation-id`.
    pub rule: &'static str,
    /// What is wrong and what to do: one line, two short sentences.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, rule, message } = self;
        if *line == 0 {
            write!(f, "{file}: [{rule}] {message}")
        } else {
            write!(f, "{file}:{line}:{column}: [{rule}] {message}")
        }
    }
}
