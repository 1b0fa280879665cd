//! The names that a draft gives, and what the document's names say.

use heck::{ToKebabCase, ToLowerCamelCase, ToSnakeCase, ToUpperCamelCase};

/// `getUser` for `ManagementV3_getUser`; the id itself if it does not begin with a class.
pub(super) fn short(id: &str) -> &str {
    match id.split_once('_') {
        Some((class, rest)) if class.starts_with(|c: char| c.is_ascii_uppercase()) && !rest.is_empty() => rest,
        _ => id,
    }
}

/// The ids that a path suggests for an operation, the shortest one first.
pub(super) fn path_ids(path: &str) -> Vec<String> {
    let segments = path.split('/').filter(|segment| !segment.contains('{') && !matches!(*segment, "" | "api" | "v3"));
    let segments: Vec<&str> = segments.collect();
    let last = segments.last().copied().unwrap_or_default();
    vec![camel(last), camel(&segments.join("-"))]
}

pub(super) fn camel(id: &str) -> String {
    let keeps = id.starts_with(|c: char| c.is_ascii_lowercase()) && id.chars().all(|c| c.is_ascii_alphanumeric());
    if keeps { id.to_owned() } else { ascii(id).to_lower_camel_case() }
}

pub(super) fn pascal(name: &str) -> String {
    let keeps = name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    match ascii(name).to_upper_camel_case() {
        _ if keeps => name.to_owned(),
        pascal if pascal.starts_with(|c: char| c.is_ascii_uppercase()) => pascal,
        // The name is one such as `200Answer`, or is in another script.
        pascal => format!("Schema{pascal}"),
    }
}

fn ascii(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect()
}

/// The stem from which schemas within a named one get their names.
pub(super) fn stem(schema: &str) -> &str {
    ["RespDto", "ResDto", "Dto", "DTO"].iter().find_map(|end| schema.strip_suffix(end)).unwrap_or(schema)
}

/// The group of an operation, from the class in its id: `users` for `UsersManagementController_getUser`.
pub(super) fn tag(id: &str) -> Option<String> {
    let (class, _) = id.split_once('_')?;
    let words = class.to_kebab_case();
    let filler = ["controller", "management", "api", "v3", "apiv3", "v2"];
    let words: Vec<&str> = words.split('-').filter(|word| !filler.contains(word)).collect();
    Some(words.join("-")).filter(|tag| !tag.is_empty())
}

/// Whether a name that contains a secret's word ends in a word which tells that it is not a secret: `accessKeyId`,
/// `tokenType`.
pub(super) fn names_no_secret(name: &str) -> bool {
    const ENDS: [&str; 16] = [
        "id", "ids", "type", "at", "time", "level", "policy", "strategy", "method", "endpoint", "url", "uri", "status",
        "enabled", "rule", "format",
    ];
    name.to_snake_case().rsplit('_').next().is_some_and(|last| ENDS.contains(&last))
}

/// Whether numbers of this name are measured rather than counted.
pub(super) fn is_measured(name: &str) -> bool {
    const WORDS: [&str; 14] = [
        "amount",
        "price",
        "cost",
        "fee",
        "rate",
        "ratio",
        "percent",
        "percentage",
        "score",
        "lat",
        "lon",
        "lng",
        "latitude",
        "longitude",
    ];
    name.to_snake_case().split('_').any(|word| WORDS.contains(&word))
}

/// Whether a number of this name and description is a time in Unix seconds.
pub(super) fn is_unix_seconds(name: &str, description: &str) -> bool {
    const ENDS: [&str; 8] = ["at", "time", "timestamp", "date", "exp", "iat", "nbf", "expires"];
    let description = description.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| description.contains(word));
    name.to_snake_case().rsplit('_').next().is_some_and(|last| ENDS.contains(&last))
        && says(&["timestamp", "unix", "epoch", "时间戳"])
        && says(&["second", "unix", "epoch", "秒"])
        && !says(&["millisecond", "毫秒", "(ms)"])
}

pub(super) fn kebab(name: &str) -> String {
    match ascii(name).to_kebab_case() {
        empty if empty.is_empty() => "value".to_owned(),
        kebab => kebab,
    }
}
