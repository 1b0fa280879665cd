//! The texts that are made and checked in: of `openapi/`, for builds without the generator, for those who describe operations
//! beside it, and so that a review shows what a change does to the API; and of the generator's tables, for editors.

use crate::violation::Violation;
use crate::{compile, fragment_schema};
use std::path::Path;

/// A folder of such texts alone. Another file there is of a fragment that is gone.
pub const GROUPS: &str = "generated/groups";

/// Their paths in the repository, and what they should be; or everything that is wrong with the fragments.
pub fn checked_in(root: &Path) -> Result<Vec<(String, String)>, Vec<Violation>> {
    let files = compile(&root.join("openapi"), "openapi", &|_| true)?.files();
    let carried = files.iter().find(|(name, _)| name == "openapi.json").cloned();
    let schemas = fragment_schema::files().map(|(name, text)| (name.to_owned(), text));
    let within = |folder: &'static str| move |(name, text)| (format!("{folder}/{name}"), text);
    let beside = carried.into_iter().map(within("codegen/src")).chain(schemas.into_iter().map(within("codegen")));
    Ok(files.into_iter().map(within("generated")).chain(beside).collect())
}
