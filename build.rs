//! Makes the client of the fragments in `openapi/`; see `codegen/`.

#[allow(dead_code, reason = "the tests use what the build does not")]
#[path = "codegen/mod.rs"]
mod codegen;

use std::path::PathBuf;

fn main() {
    for input in ["build.rs", "codegen", "openapi"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    match codegen::compile(&root.join("openapi"), "openapi") {
        Ok(compiled) => {
            for (name, text) in [("api.rs", compiled.api), ("openapi.json", compiled.openapi)] {
                if let Err(error) = std::fs::write(out.join(name), text) {
                    println!("cargo::error=cannot write {name}: {error}");
                }
            }
        }
        // cargo shows each as an error of its own, and needs no panic to stop.
        Err(violations) => violations.iter().for_each(|violation| println!("cargo::error={violation}")),
    }
}
