//! What a release needs: one version for the three crates, a changelog that keeps the rules, a short README, and links
//! that lead somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All texts between `before` and `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

fn version() -> String {
    let manifest = text("Cargo.toml");
    let package = manifest.split("[workspace.package]").nth(1).unwrap();
    between(package, "version = \"", "\"")[0].to_owned()
}

#[test]
fn the_three_crates_have_one_version_and_require_each_other_by_it() {
    let version = version();
    for (manifest, requires) in [("Cargo.toml", "genauth-codegen"), ("cli/Cargo.toml", "genauth")] {
        let manifest = text(manifest);
        assert!(manifest.contains("\nversion.workspace = true\n"));
        let required: Vec<&str> = between(&manifest, &format!("\n{requires} = {{"), "}")
            .into_iter()
            .filter(|requirement| requirement.contains("version"))
            .flat_map(|requirement| between(requirement, "version = \"", "\""))
            .collect();
        assert_eq!(required, [format!("={version}")], "{requires}");
    }
    assert!(text("codegen/Cargo.toml").contains("\nversion.workspace = true\n"));
    // The version that the README tells people to write into their Cargo.toml.
    let short = version.rsplit_once('.').unwrap().0.to_owned();
    let readme = text("README.md");
    let written = between(&readme, "genauth = { version = \"", "\"");
    assert!(!written.is_empty() && written.iter().all(|written| *written == short), "{written:?}, and {version}");
}

/// A version as numbers, which can be compared.
fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or_else(|_| panic!("{version} is not a version"))).collect()
}

/// What is wrong with a changelog.
fn faults(changelog: &str, version: &str) -> Vec<String> {
    const KINDS: [&str; 6] = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
    let mut faults = Vec::new();
    let mut releases: Vec<Vec<u64>> = Vec::new();
    let mut unreleased = None;
    for release in changelog.split("\n## ").skip(1) {
        let (heading, rest) = release.split_once('\n').unwrap_or((release, ""));
        if heading == "[Unreleased]" {
            if !releases.is_empty() || unreleased.is_some() {
                faults.push("[Unreleased] must be the first heading, once".to_owned());
            }
            unreleased = Some(rest.contains("\n- "));
        } else {
            let parts = heading.strip_prefix('[').and_then(|heading| heading.split_once("] - "));
            let is_date = |date: &str| date.len() == 10 && date.split('-').map(str::len).eq([4, 2, 2]);
            match parts {
                Some((number, date)) if is_date(date) => {
                    let number = numbers(number);
                    if releases.last().is_some_and(|newer| *newer <= number) {
                        faults.push(format!("{heading}: the newest release comes first"));
                    }
                    releases.push(number);
                }
                _ => faults.push(format!("{heading}: write `[1.2.3] - 2027-01-31`")),
            }
        }
        let mut kinds = BTreeSet::new();
        for part in rest.split("\n### ").skip(1) {
            let (kind, entries) = part.split_once('\n').unwrap_or((part, ""));
            if !KINDS.contains(&kind) || !kinds.insert(kind) {
                faults.push(format!("{heading}: {kind} is not one of {KINDS:?}, or stands there twice"));
            }
            if !entries.trim_start().starts_with("- ") {
                faults.push(format!("{heading}: {kind} has no entry"));
            }
        }
    }
    let current = numbers(version);
    match releases.first() {
        Some(newest) if *newest > current => faults.push(format!("a release is newer than {version}")),
        Some(newest) if *newest == current => {}
        _ if unreleased != Some(true) => {
            faults.push(format!("{version} has neither a release nor an [Unreleased] entry"))
        }
        _ => {}
    }
    faults
}

#[test]
fn the_changelog_keeps_to_its_form() {
    assert_eq!(faults(&text("CHANGELOG.md"), &version()), [""; 0]);
    let good = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2027-01-31\n\n### Fixed\n\n- This.\n\n## [0.1.0] - 2026-12-01\n";
    assert_eq!(faults(good, "0.2.0"), [""; 0]);
    for (from, to, version) in [
        ("[0.2.0]", "[0.0.9]", "0.1.0"),
        ("Fixed", "Mended", "0.2.0"),
        ("- This.", "", "0.2.0"),
        ("2027-01-31", "January", "0.2.0"),
        ("[0.2.0]", "[0.3.0]", "0.2.0"),
        ("[Unreleased]", "[Unreleased]\n\n### Added\n", "0.2.0"),
        ("", "", "0.3.0"),
    ] {
        assert_ne!(faults(&good.replacen(from, to, 1), version), [""; 0], "{from} {to}");
    }
}

fn documents() -> Vec<PathBuf> {
    let folder = |folder: &str| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let mut all = [folder("."), folder("docs"), folder("cli"), folder("codegen")].concat();
    all.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    all
}

/// Checks links within the repository, and links to it on the web, which work on docs.rs too.
#[test]
fn each_link_of_a_document_leads_to_a_file_and_a_heading() {
    const HOME: &str = "https://github.com/genauth-rs/genauth";
    let mut links = 0;
    for document in documents() {
        let content = fs::read_to_string(&document).unwrap();
        for link in between(&content, "](", ")") {
            let link = link.strip_prefix("./").unwrap_or(link);
            let (base, path) = match link.strip_prefix(HOME) {
                Some(path) => (Path::new("."), path.strip_prefix("/blob/main/").expect("a file")),
                None if link.contains("://") => continue,
                None if document.starts_with("./README.md") => panic!("{link} does not work on docs.rs"),
                None => (document.parent().unwrap(), link),
            };
            let (path, heading) = path.split_once('#').map_or((path, None), |(path, heading)| (path, Some(heading)));
            let target = if path.is_empty() { document.clone() } else { base.join(path) };
            let shown = document.display();
            assert!(target.exists(), "{shown}: {link} leads nowhere");
            if let Some(heading) = heading {
                let headings = fs::read_to_string(&target).unwrap().to_lowercase().replace(' ', "-");
                assert!(headings.contains(&format!("#-{heading}\n")), "{shown}: {link} has no such heading");
            }
            links += 1;
        }
    }
    assert!(links > 10, "{links} links");
}

#[test]
fn the_readme_is_short() {
    let lines = text("README.md").lines().count();
    assert!(lines <= 120, "{lines} lines; move what only some need to docs/");
}
