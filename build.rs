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
                if let Err(error) = write(&out.join(&name), &text) {
                    println!("cargo::error=cannot write {name}: {error}");
                }
            }
        }
        // cargo shows each as an error of its own, and needs no panic to stop.
        Err(problems) => problems.iter().for_each(|problem| println!("cargo::error={problem}")),
    }
}

/// Writes a file, and makes its folder if it is missing.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(path, text)
}

/// Generates what to write, by its path.
#[cfg(feature = "codegen")]
fn texts(root: &Path) -> Result<Vec<(String, String)>, Vec<String>> {
    let is_on = |feature: &str| {
        std::env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase().replace('-', "_"))).is_some()
    };
    let compiled = genauth_codegen::compile(&root.join("openapi"), "openapi", &is_on);
    let compiled = compiled.map_err(|violations| violations.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok(compiled.files())
}

/// Takes what was generated before and is checked in, if the fragments are still the same.
#[cfg(not(feature = "codegen"))]
fn texts(root: &Path) -> Result<Vec<(String, String)>, Vec<String>> {
    let generated = root.join("generated");
    let unreadable = |error| vec![format!("cannot read {}: {error}", generated.display())];
    let texts = read(&generated, "").map_err(unreadable)?;
    let line =
        fingerprint::line(&root.join("openapi")).map_err(|error| vec![format!("cannot read openapi/: {error}")])?;
    if !texts.iter().any(|(name, text)| name == "api.rs" && text.starts_with(&line)) {
        let problem =
            "openapi/ has changed since generated/ was made; build with the feature `codegen`, which generates";
        return Err(vec![problem.to_owned()]);
    }
    Ok(texts)
}

/// The files of a folder and of the folders in it.
#[cfg(not(feature = "codegen"))]
fn read(folder: &Path, prefix: &str) -> std::io::Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            texts.extend(read(&path, &format!("{name}/"))?);
        } else {
            texts.push((name, std::fs::read_to_string(&path)?));
        }
    }
    Ok(texts)
}
