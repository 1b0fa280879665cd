//! Makes the client of the fragments in `openapi/`; the crate `genauth-codegen` knows how.

#[cfg(not(feature = "codegen"))]
#[path = "generated/fingerprint.rs"]
mod fingerprint;

use std::path::{Path, PathBuf};

fn main() {
    for input in ["build.rs", "generated", "openapi"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    match texts(&root) {
        Ok(texts) => {
            for (name, text) in texts {
                if let Err(error) = std::fs::write(out.join(name), text) {
                    println!("cargo::error=cannot write {name}: {error}");
                }
            }
        }
        // cargo shows each as an error of its own, and needs no panic to stop.
        Err(problems) => problems.iter().for_each(|problem| println!("cargo::error={problem}")),
    }
}

/// Generated.
#[cfg(feature = "codegen")]
fn texts(root: &Path) -> Result<Vec<(&'static str, String)>, Vec<String>> {
    let compiled = genauth_codegen::compile(&root.join("openapi"), "openapi");
    let compiled = compiled.map_err(|violations| violations.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok(compiled.files().into())
}

/// As generated before and checked in, if the fragments are still the same.
#[cfg(not(feature = "codegen"))]
fn texts(root: &Path) -> Result<Vec<(&'static str, String)>, Vec<String>> {
    let read = |name: &'static str| {
        let path = root.join("generated").join(name);
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|error| vec![format!("cannot read {}: {error}", path.display())])?;
        Ok::<_, Vec<String>>((name, text))
    };
    let texts = vec![read("api.rs")?, read("operations.rs")?, read("openapi.json")?];
    let line =
        fingerprint::line(&root.join("openapi")).map_err(|error| vec![format!("cannot read openapi/: {error}")])?;
    if !texts[0].1.starts_with(&line) {
        let problem =
            "openapi/ has changed since generated/ was made; build with the feature `codegen`, which generates";
        return Err(vec![problem.to_owned()]);
    }
    Ok(texts)
}
