//! The rules `operation-id`, `summary`, `description`, `tag`, `security`, `replaced-by` and `idempotent`.

use super::house::{House, Report, items, label, members};
use crate::document::{Operation, escape, shown};
use crate::near::{did_you_mean, near};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The methods that `Client` has already, by hand, by derive or as progenitor's constructors: a generated method of the
/// same name would not compile, or would hide the other.
pub const RESERVED: &[&str] = &[
    "builder",
    "call",
    "clone",
    "dialect",
    "fromEnv",
    "host",
    "invoke",
    "new",
    "newWithClient",
    "oidc",
    "setUserAccessToken",
    "signIn",
    "signInByPassword",
    "withOptions",
    "withUserAccessToken",
];

/// The operation that the client calls by itself, for operations that take the token it returns.
const MANAGEMENT_TOKEN: &str = "getManagementToken";

pub(super) fn check(house: &House<'_>, report: &mut Report<'_>) {
    ids(house, report);
    tags(house, report);
    security(house, report);
    let by_id: BTreeMap<&str, &Operation<'_>> = house.operations.iter().map(|other| (other.id(), other)).collect();
    for operation in &house.operations {
        let pointer = &operation.pointer;
        for (rule, mend) in
            [("summary", "Say in one line what it does."), ("description", "Say what its callers should know.")]
        {
            if operation.value[rule].as_str().is_none_or(|text| text.trim().is_empty()) {
                let message = format!("{} has no `{rule}`. {mend}", label(operation));
                report.add(&format!("{pointer}/{rule}"), rule, message);
            }
        }
        if operation.method != "post" && !operation.value["x-idempotent"].is_null() {
            let message =
                format!("{} is idempotent as a `{}`. Remove `x-idempotent`.", label(operation), operation.method);
            report.add(&format!("{pointer}/x-idempotent"), "idempotent", message);
        }
        replaced_by(&by_id, operation, report);
    }
}

fn ids(house: &House<'_>, report: &mut Report<'_>) {
    let mut seen: BTreeMap<String, &Operation<'_>> = BTreeMap::new();
    for operation in &house.operations {
        let (id, pointer) = (operation.id(), format!("{}/operationId", operation.pointer));
        if id.is_empty() {
            let message = format!("{} has no `operationId`. Name it in camelCase.", label(operation));
            report.add(&pointer, "operation-id", message);
            continue;
        }
        if !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.chars().all(|c| c.is_ascii_alphanumeric()) {
            let message =
                format!("{} is not camelCase. Begin with a small letter, and use only letters and digits.", shown(id));
            report.add(&pointer, "operation-id", message);
        }
        if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(id)) {
            let message = format!("{} is a method of the client already. Choose another id.", shown(id));
            report.add(&pointer, "operation-id", message);
        }
        if let Some(first) = seen.get(&id.to_lowercase()) {
            let place = match house.document.mark(&first.pointer) {
                mark if mark.file.is_empty() => "of one of genauth's own operations".to_owned(),
                mark => {
                    format!("in {}:{}", mark.file, house.document.mark(&format!("{}/operationId", first.pointer)).line)
                }
            };
            let message = format!("{} is the id {place} already. Choose another.", shown(id));
            report.add(&pointer, "operation-id", message);
        } else {
            seen.insert(id.to_lowercase(), operation);
        }
    }
}

fn tags(house: &House<'_>, report: &mut Report<'_>) {
    let declared = || items(&house.document.value["tags"]).map(|tag| tag["name"].as_str().unwrap_or_default());
    let mut used = BTreeSet::new();
    for operation in &house.operations {
        let tags: Vec<&str> = items(&operation.value["tags"]).filter_map(Value::as_str).collect();
        let pointer = format!("{}/tags", operation.pointer);
        if tags.len() != 1 {
            let message = format!("{} has {} tags. Give it the one of its group.", label(operation), tags.len());
            report.add(&pointer, "tag", message);
        }
        for (index, tag) in tags.iter().enumerate() {
            if !declared().any(|name| name == *tag) {
                let mend = did_you_mean(tag, declared(), "Add it to the document's `tags`.");
                let message = format!("The tag {} is not declared. {mend}", shown(tag));
                report.add(&format!("{pointer}/{index}"), "tag", message);
            }
        }
        used.extend(tags.iter().map(|tag| near_or(tag, declared().collect())));
    }
    for (index, feature) in items(&house.document.value["tags"]).map(|tag| tag["x-feature"].as_str()).enumerate() {
        let (pointer, Some(feature)) = (format!("/tags/{index}/x-feature"), feature) else { continue };
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !feature.starts_with(|c: char| c.is_ascii_lowercase()) || !feature.chars().all(is_word) {
            let mend = "Write small letters, digits and `-`, as in `Cargo.toml`";
            report.add(&pointer, "feature", format!("{} is not the name of a Cargo feature. {mend}.", shown(feature)));
        }
        let is_extension = !house.document.is_own("/info");
        if is_extension && house.document.is_own(&pointer) {
            let mend = "Remove `x-feature`, and put the module behind a feature of your crate";
            report.add(&pointer, "feature", format!("An extension has no features: it is there as a whole. {mend}."));
        }
    }
    let mut seen = BTreeSet::new();
    for (index, name) in declared().enumerate() {
        let pointer = format!("/tags/{index}");
        if !seen.insert(name) {
            report.add(&pointer, "tag", format!("The tag {} is declared twice. Remove one.", shown(name)));
        } else if !used.contains(name) {
            report.add(&pointer, "tag", format!("No operation has the tag {}. Remove it.", shown(name)));
        }
    }
}

/// The word itself if it is known; otherwise the word that is meant by it.
fn near_or<'a>(word: &'a str, known: Vec<&'a str>) -> &'a str {
    if known.contains(&word) { word } else { near(word, known).unwrap_or(word) }
}

fn security(house: &House<'_>, report: &mut Report<'_>) {
    let schemes = &house.document.value["components"]["securitySchemes"];
    let mut used = BTreeSet::new();
    for operation in &house.operations {
        let pointer = format!("{}/security", operation.pointer);
        if items(&operation.value["security"]).next().is_none() {
            let message = format!("{} has no `security`. List the schemes it takes.", label(operation));
            report.add(&pointer, "security", message);
        }
        for (index, requirement) in items(&operation.value["security"]).enumerate() {
            let pointer = format!("{pointer}/{index}");
            let alone = items(&operation.value["security"]).count() == 1;
            if members(requirement).next().is_none() && !alone {
                let message = "The requirement is empty: anybody could call. Name a scheme, or make it the only one.";
                report.add(&pointer, "security", message);
            }
            for (scheme, _) in members(requirement) {
                used.insert(near_or(scheme, members(schemes).map(|(name, _)| name.as_str()).collect()));
                if scheme == "managementToken" && operation.id() == MANAGEMENT_TOKEN {
                    let label = label(operation);
                    let message = format!("{label} hands out this token and would wait for itself. Remove the scheme.");
                    report.add(&format!("{pointer}/{scheme}"), "security", message);
                }
                if schemes.get(scheme).is_none() {
                    let known = members(schemes).map(|(name, _)| name.as_str());
                    let mend = did_you_mean(scheme, known, "Use one that the root declares.");
                    let message = format!("There is no security scheme {}. {mend}", shown(scheme));
                    report.add(&format!("{pointer}/{}", escape(scheme)), "security", message);
                }
            }
        }
    }
    for (scheme, value) in members(schemes) {
        let lacking = match value["type"].as_str() {
            Some("apiKey") => ["in", "name"].into_iter().find(|key| value.get(key).is_none()),
            Some("http") => ["scheme"].into_iter().find(|key| value.get(key).is_none()),
            _ => None,
        };
        if let Some(key) = lacking {
            let message = format!("The security scheme {} lacks `{key}`. Add it.", shown(scheme));
            report.add(&format!("/components/securitySchemes/{}", escape(scheme)), "security", message);
        }
    }
    for (scheme, _) in members(schemes).filter(|(scheme, _)| !used.contains(scheme.as_str())) {
        let message = format!("No operation takes the security scheme {}. Remove it.", shown(scheme));
        report.add(&format!("/components/securitySchemes/{}", escape(scheme)), "security", message);
    }
}

/// Checks that a deprecated operation tells its callers what to use instead.
fn replaced_by(by_id: &BTreeMap<&str, &Operation<'_>>, operation: &Operation<'_>, report: &mut Report<'_>) {
    let pointer = format!("{}/x-replaced-by", operation.pointer);
    let label = label(operation);
    let message = match operation.value["x-replaced-by"].as_str() {
        None if operation.deprecated() => {
            let message = format!("{label} is deprecated without `x-replaced-by`. Name the operation to use instead.");
            return report.add(&format!("{}/deprecated", operation.pointer), "replaced-by", message);
        }
        None => return,
        Some(_) if !operation.deprecated() => {
            format!("{label} has a replacement but is not deprecated. Add `deprecated: true`, or remove it.")
        }
        Some(target) if target == operation.id() => format!("{label} replaces itself. Name another operation."),
        Some(target) => match by_id.get(target) {
            None => {
                let mend = did_you_mean(target, by_id.keys().copied(), "Name an operation that exists.");
                format!("{label} is replaced by {}, which does not exist. {mend}", shown(target))
            }
            Some(other) if other.deprecated() => {
                format!("{label} is replaced by {}, which is deprecated itself. Name its successor.", shown(target))
            }
            Some(_) => return,
        },
    };
    report.add(&pointer, "replaced-by", message);
}
