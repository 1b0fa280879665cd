//! The generated texts that are checked in: those made from `openapi/`, for builds without the generator, for people
//! who describe further operations, and so that a review shows what a change does to the API; and those made from the
//! generator's tables, for editors.

use crate::violation::Violation;
use crate::{compile, fragment_schema};
use std::path::Path;

/// A folder with nothing but such texts. Any other file there belongs to a fragment that is gone.
pub const GROUPS: &str = "generated/groups";

/// The paths of the texts in the repository with what they should contain, or everything that is wrong with the
/// fragments.
pub fn checked_in(root: &Path) -> Result<Vec<(String, String)>, Vec<Violation>> {
    let files = compile(&root.join("openapi"), "openapi", &|_| true)?.files();
    let carried = files.iter().find(|(name, _)| name == "openapi.json").cloned();
    let schemas = fragment_schema::files().map(|(name, text)| (name.to_owned(), text));
    let within = |folder: &'static str| move |(name, text)| (format!("{folder}/{name}"), text);
    let beside = carried.into_iter().map(within("codegen/src")).chain(schemas.into_iter().map(within("codegen")));
    Ok(files.into_iter().map(within("generated")).chain(beside).collect())
}
