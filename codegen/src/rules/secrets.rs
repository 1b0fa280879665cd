//! The rule `secret`: a field that looks secret gets a type that does not print itself, or a reason why not.

use super::house::{House, Place, Report, Role, items, members};
use crate::document::{Operation, escape, shown};
use heck::ToSnakeCase as _;
use serde_json::Value;

/// The words in a secret's name, whatever their case, `_` and `-`.
const WORDS: &[&str] = &[
    "secret",
    "password",
    "passwd",
    "pwd",
    "passcode",
    "token",
    "accesskey",
    "privatekey",
    "credential",
    "apikey",
    "recoverycode",
    "codeverifier",
];

/// The endings of a secret's name, for words that say too little elsewhere: `senderPass`.
const ENDS: &[&str] = &["pass", "salt"];

/// The keys that a `format: password` schema may have: the secret's type checks nothing.
const PASSWORD_KEYS: &[&str] = &["type", "format", "description", "example", "nullable"];

/// The key, beside a property or parameter that only looks secret, that says why it is not.
const REASON: &str = "x-not-secret";

pub(super) fn check(house: &House<'_>, report: &mut Report<'_>) {
    for place in &house.places {
        if is_password(place.schema) {
            password(place, report);
        }
        // typify would wrap it in a type of its own, which the rest of the build does not recognise as a secret.
        if place.role == Role::Component && house.document.parts(place.schema).into_iter().any(is_password) {
            let message = "A named schema cannot be a secret. Write `format: password` where it is used.";
            report.add(&place.pointer, "secret", message);
        }
        match place.role {
            Role::Property(name) => property(house, place, name, report),
            _ if place.schema.get(REASON).is_some() => {
                let message = "`x-not-secret` has no effect here. Move it to a property or parameter, or remove it.";
                report.add(&format!("{}/{REASON}", place.pointer), "secret", message);
            }
            _ => {}
        }
    }
    for operation in &house.operations {
        parameters(house, operation, report);
    }
}

/// The endings of names that are about a secret but do not hold one: `accessKeyId`, `token_type`, `passwordLastSetAt`.
const ABOUT: &[&str] = &[
    "id",
    "type",
    "at",
    "in",
    "time",
    "lifetime",
    "expires",
    "endpoint",
    "url",
    "uri",
    "level",
    "count",
    "length",
    "method",
    "methods",
    "supported",
    "enabled",
    "config",
    "policy",
    "status",
];

/// Whether a field or parameter of this name is taken for a secret.
pub fn looks_secret(name: &str) -> bool {
    secret_word(name).is_some()
}

/// The part of the name that makes it look secret.
fn secret_word(name: &str) -> Option<&'static str> {
    let words = name.to_snake_case();
    if words.rsplit('_').next().is_some_and(|last| ABOUT.contains(&last)) {
        return None;
    }
    if let Some(end) = ENDS.iter().find(|end| words.rsplit('_').next() == Some(end)) {
        return Some(end);
    }
    let letters: String = name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect();
    WORDS.iter().copied().find(|word| letters.contains(word))
}

fn is_password(schema: &Value) -> bool {
    schema["format"] == "password"
}

/// The strings that a value of this schema is, or is a list of, through references, `allOf` and `oneOf`.
fn strings<'a>(house: &House<'a>, schema: &'a Value) -> Vec<&'a Value> {
    let mut seen: Vec<&Value> = Vec::new();
    let mut open = vec![schema];
    while let Some(schema) = open.pop() {
        for part in house.document.parts(schema) {
            if !seen.iter().any(|seen| std::ptr::eq(*seen, part)) {
                seen.push(part);
                open.extend(items(&part["oneOf"]).chain(part.get("items")));
            }
        }
    }
    // A schema of any value also allows a string.
    seen.retain(|part| part["type"] == "string" || part.get("x-any").is_some());
    seen
}

fn password(place: &Place<'_>, report: &mut Report<'_>) {
    let Place { pointer, schema, .. } = place;
    if schema["type"] != "string" {
        report.add(&format!("{pointer}/format"), "secret", "`format: password` is for strings. Add `type: string`.");
    }
    for (key, _) in members(schema).filter(|(key, _)| !PASSWORD_KEYS.contains(&key.as_str()) && *key != REASON) {
        let message = format!("{} is not checked on a `format: password` string. Remove it.", shown(key));
        report.add(&format!("{pointer}/{}", escape(key)), "secret", message);
    }
}

fn property(house: &House<'_>, place: &Place<'_>, name: &str, report: &mut Report<'_>) {
    let strings = strings(house, place.schema);
    let plain = strings.iter().any(|schema| !is_password(schema));
    let word = secret_word(name).filter(|_| plain);
    let suspect = word.is_some();
    let excused = place.schema.get(REASON).is_some();
    let label = shown(name);
    if suspect && !excused {
        let (what, mend) = match place.schema.get("x-any") {
            Some(_) => ("may be anything", "Make it a `format: password` string"),
            None => ("is a plain string", "Add `format: password`"),
        };
        let word = shown(word.unwrap_or_default());
        let message =
            format!("The property {label} looks secret ({word}) but {what}. {mend}, or say why not in `x-not-secret`.");
        report.add(&place.pointer, "secret", message);
    } else if excused && strings.iter().any(|schema| is_password(schema)) {
        let message = format!("The property {label} is `format: password` and `x-not-secret`. Remove one.");
        report.add(&format!("{}/{REASON}", place.pointer), "secret", message);
    } else if excused && !suspect {
        let message = format!("The property {label} is not taken for a secret. Remove `x-not-secret`.");
        report.add(&format!("{}/{REASON}", place.pointer), "secret", message);
    }
}

/// Refuses a secret in a parameter: addresses end up in logs of every kind.
fn parameters(house: &House<'_>, operation: &Operation<'_>, report: &mut Report<'_>) {
    for (index, parameter) in items(&operation.value["parameters"]).enumerate() {
        let name = parameter["name"].as_str().unwrap_or_default();
        let label = shown(name);
        let pointer = format!("{}/parameters/{index}", operation.pointer);
        let strings = strings(house, &parameter["schema"]);
        let password = strings.iter().any(|schema| is_password(schema));
        match (parameter.get(REASON).is_some(), password, looks_secret(name) && !strings.is_empty()) {
            (false, true, _) | (false, _, true) => {
                let message = format!(
                    "The parameter {label} puts a secret into the address. Send it in a body, or say in \
                     `x-not-secret` why it is not a secret."
                );
                report.add(&pointer, "secret", message);
            }
            (true, true, _) => {
                let message = format!("The parameter {label} is `format: password` and `x-not-secret`. Remove one.");
                report.add(&format!("{pointer}/{REASON}"), "secret", message);
            }
            (true, false, false) => {
                let message = format!("The parameter {label} is not taken for a secret. Remove `x-not-secret`.");
                report.add(&format!("{pointer}/{REASON}"), "secret", message);
            }
            (true, false, true) | (false, false, false) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::looks_secret;

    #[test]
    fn what_is_secret_is_known_by_its_name_and_what_is_about_a_secret_is_not() {
        for secret in [
            "accessKeySecret",
            "access_token",
            "apikey",
            "API-KEY",
            "clientSecret",
            "idToken",
            "mfaToken",
            "newEmailPassCode",
            "oldPassword",
            "passCode",
            "privateKey",
            "refresh_token",
            "secret",
            "verification_token",
            "bindCredentials",
            "bindPwd",
            "senderPass",
            "recoveryCode",
            "code_verifier",
        ] {
            assert!(looks_secret(secret), "{secret}");
        }
        for not in [
            "accessKeyId",
            "credentialId",
            "passwordEncryptType",
            "passwordLastSetAt",
            "passwordSecurityLevel",
            "token_type",
            "token_endpoint",
            "tokenExpiresIn",
            "id_token_signing_alg_values_supported",
            "passwordTabConfig",
            "username",
        ] {
            assert!(!looks_secret(not), "{not}");
        }
    }
}
