//! The texts that are made and checked in: of `openapi/`, for builds without the generator, for those who describe operations
//! beside it, and so that a review shows what a change does to the API; and of the generator's tables, for editors.

use crate::violation::Violation;
use crate::{compile, fragment_schema};
use std::path::Path;

/// Their paths in the repository, and what they should be; or everything that is wrong with the fragments.
pub fn checked_in(root: &Path) -> Result<Vec<(String, String)>, Vec<Violation>> {
    let files = compile(&root.join("openapi"), "openapi")?.files();
    let carried = files.clone().into_iter().filter(|(name, _)| *name == "openapi.json");
    let in_folder = |folder| move |(name, text)| (format!("{folder}/{name}"), text);
    let of_fragments =
        files.clone().into_iter().map(in_folder("generated")).chain(carried.map(in_folder("codegen/src")));
    Ok(of_fragments.chain(fragment_schema::files().into_iter().map(in_folder("codegen"))).collect())
}
