//! The fields of an operation as options, and the JSON made from their values.

use crate::document::{Document, Field, FieldKind};
use crate::failure::Failure;
use crate::{output, secret_input};
use clap::{Arg, ArgMatches};
use genauth::Operation;
use serde_json::{Map, Value};

/// The program has options of these names itself.
const TAKEN: &[&str] = &["body", "dry-run", "format", "help"];

impl Field {
    /// The name of the field's option, without the leading dashes.
    pub(crate) fn option(&self) -> String {
        let name = self.place.iter().map(|name| kebab(name)).collect::<Vec<_>>().join(".");
        if TAKEN.contains(&name.as_str()) { format!("field.{name}") } else { name }
    }

    fn id(&self) -> String {
        format!("field:{}", self.place.join("."))
    }

    /// The option, and for a secret also its twin that names a file.
    pub(crate) fn args(&self) -> Vec<Arg> {
        let nested = self.place.len() > 1;
        let heading = if nested { "Fields within fields" } else { "Fields" };
        let option = self.option();
        let arg = |id: String, long: String| Arg::new(id).long(long).help_heading(heading).hide_short_help(nested);
        let required = if self.required { " (required)" } else { "" };
        let help = format!("{}{required}", self.description.trim_end_matches('.'));
        if self.secret {
            let file = format!("{}:file", self.id());
            let warned = "The same; others on this machine can see it here, so use another way";
            return vec![
                arg(file.clone(), format!("{option}-file"))
                    .value_name("FILE")
                    .help(format!("{help}, in a file; - for stdin")),
                arg(self.id(), option).value_name("SECRET").help(warned).conflicts_with(file).hide_short_help(true),
            ];
        }
        let arg = arg(self.id(), option).help(help);
        vec![match &self.kind {
            FieldKind::Text => arg.value_name("TEXT"),
            FieldKind::Integer => arg.value_name("INTEGER").allow_negative_numbers(true),
            FieldKind::Number => arg.value_name("NUMBER").allow_negative_numbers(true),
            FieldKind::Boolean => {
                arg.value_name("BOOL").value_parser(["true", "false"]).num_args(0..=1).default_missing_value("true")
            }
            FieldKind::Choice(choices) => arg.value_name("WHICH").value_parser(choices.clone()),
            FieldKind::Json => arg.value_name("JSON"),
            FieldKind::Anything => arg.value_name("VALUE"),
            FieldKind::List(_) => arg.value_name("ITEM").action(clap::ArgAction::Append),
        }]
    }

    /// The value that was given for this field.
    fn value(&self, arguments: &ArgMatches) -> Result<Option<Value>, Failure> {
        let option = self.option();
        let file = arguments.try_get_one::<String>(&format!("{}:file", self.id())).ok().flatten();
        if let Some(path) = file {
            let secret = secret_input::read_secret(path, &format!("--{option}-file"))?;
            return Ok(Some(secret.expose_secret().into()));
        }
        let Some(mut given) = arguments.get_many::<String>(&self.id()) else { return Ok(None) };
        if self.secret {
            let how = format!("--{option}-file, or the file of --body");
            output::warning(&format!("--{option}: others on this machine can see the command line; use {how}"));
        }
        if let FieldKind::List(kind) = &self.kind {
            return given.map(|text| read(kind, text, &option)).collect::<Result<_, _>>().map(Value::Array).map(Some);
        }
        given.next_back().map(|text| read(&self.kind, text, &option)).transpose()
    }
}

/// Reads a text as JSON of this kind. No refusal repeats the text, since it may hold a secret.
fn read(kind: &FieldKind, text: &str, option: &str) -> Result<Value, Failure> {
    let (read, wanted) = match kind {
        FieldKind::Text | FieldKind::Choice(_) => (Some(Value::from(text)), "a text"),
        FieldKind::Integer => (text.parse::<i64>().ok().map(Value::from), "a whole number"),
        FieldKind::Number => {
            (text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Value::from), "a number")
        }
        FieldKind::Boolean => (text.parse::<bool>().ok().map(Value::from), "true or false"),
        FieldKind::Anything => (Some(serde_json::from_str(text).unwrap_or_else(|_| text.into())), "anything"),
        FieldKind::Json | FieldKind::List(_) => (serde_json::from_str(text).ok(), "JSON"),
    };
    read.ok_or_else(|| Failure::usage(format!("--{option}: this is not {wanted}")))
}

/// Collects all that was given: the file of `--body`, overridden by the options. Asks for a required secret that is
/// missing.
pub(crate) fn collect(
    operation: &Operation,
    document: &Document,
    arguments: &ArgMatches,
) -> Result<Map<String, Value>, Failure> {
    let mut body = match arguments.get_one::<String>("body") {
        Some(path) => match json_of(path)? {
            Value::Object(fields) => fields,
            _ => return Err(Failure::usage("--body: this is not a JSON object")),
        },
        None => Map::new(),
    };
    let fields = document.fields(operation);
    for field in &fields {
        if let Some(value) = field.value(arguments)? {
            put(&mut body, &field.place, value)
                .ok_or_else(|| Failure::usage(format!("--{}: what is around it is not an object", field.option())))?;
        }
    }
    let mut missing = Vec::new();
    for field in fields.iter().filter(|field| field.required) {
        if body.contains_key(&field.place[0]) {
            continue;
        }
        let typed = if field.secret { secret_input::ask(&field.place[0])? } else { None };
        match typed {
            Some(secret) => drop(body.insert(field.place[0].clone(), secret.expose_secret().into())),
            None if field.secret => missing.push(format!("--{}-file", field.option())),
            None => missing.push(format!("--{}", field.option())),
        }
    }
    if !missing.is_empty() {
        return Err(Failure::usage(format!(
            "{} needs {}; or give a --body that has it all",
            operation.id,
            missing.join(" and ")
        )));
    }
    check(operation, document, &body)?;
    Ok(body)
}

/// Reads JSON from a file or stdin. If it is not JSON, the error names line and column, and repeats nothing of it.
pub(crate) fn json_of(path: &str) -> Result<Value, Failure> {
    let text = secret_input::read(path, "--body")
        .map_err(|failure| Failure { exit: crate::failure::Exit::Usage, ..failure })?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!("--body: this is not JSON, from line {}, column {} on", error.line(), error.column()))
    })
}

/// Sets a field within fields; `None` if one of the outer fields is not an object.
fn put(object: &mut Map<String, Value>, place: &[String], value: Value) -> Option<()> {
    let (name, rest) = place.split_first()?;
    if rest.is_empty() {
        object.insert(name.clone(), value);
        return Some(());
    }
    let inner = object.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
    put(inner.as_object_mut()?, rest, value)
}

/// Checks the body against its schema: the library's own refusal cannot say where the fault is.
fn check(operation: &Operation, document: &Document, fields: &Map<String, Value>) -> Result<(), Failure> {
    let Some(schema) = document.body_type(operation).and_then(genauth::schema::of) else { return Ok(()) };
    let Ok(validator) = jsonschema::validator_for(schema.as_value()) else { return Ok(()) };
    let parameters = document.parameters(operation);
    let body = fields.iter().filter(|(name, _)| !parameters.contains(&name.as_str()));
    let body = Value::Object(body.map(|(name, value)| (name.clone(), value.clone())).collect());
    let Err(error) = validator.validate(&body) else { return Ok(()) };
    let place = error.instance_path().to_string();
    let place = if place.is_empty() { "the body".to_owned() } else { format!("the body at {place}") };
    // The value is masked, since it may be a secret.
    Err(Failure::usage(format!("{}: {place}: {}", operation.id, error.masked())))
}

/// Writes `withCustomData` as `with-custom-data`, and `sAMAccountName` as `s-am-account-name`.
fn kebab(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut kebab = String::with_capacity(name.len() + 8);
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let starts = letter.is_uppercase()
            && before.is_some_and(|before| {
                let after = letters.get(at + 1).is_some_and(|after| after.is_lowercase());
                before.is_lowercase() || before.is_ascii_digit() || before.is_uppercase() && after
            });
        if starts {
            kebab.push('-');
        }
        match letter {
            '_' | ' ' => kebab.push('-'),
            letter => kebab.extend(letter.to_lowercase()),
        }
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_become_options() {
        for (name, option) in [
            ("appId", "app-id"),
            ("client_id", "client-id"),
            ("sAMAccountName", "s-am-account-name"),
            ("extIdpConnidentifier", "ext-idp-connidentifier"),
            ("HTTPServer", "http-server"),
            ("oauth2Token", "oauth2-token"),
        ] {
            assert_eq!(kebab(name), option);
        }
    }

    #[test]
    fn every_field_of_every_operation_has_an_option_of_its_own() {
        let document = Document::parse();
        for operation in genauth::operations() {
            let options: Vec<String> = document
                .fields(operation)
                .iter()
                .flat_map(Field::args)
                .filter_map(|arg| Some(arg.get_long()?.to_owned()))
                .collect();
            let different: BTreeSet<&String> = options.iter().collect();
            assert_eq!(options.len(), different.len(), "{}", operation.id);
            let takes = document.body_type(operation).is_some() || !document.parameters(operation).is_empty();
            assert_eq!(!options.is_empty(), takes, "{}", operation.id);
        }
    }

    #[test]
    fn what_is_within_a_field_goes_there() {
        let mut body = Map::new();
        let place = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert!(put(&mut body, &place("a.b.c"), 1.into()).is_some());
        assert!(put(&mut body, &place("a.d"), 2.into()).is_some());
        assert!(put(&mut body, &place("a.d.e"), 3.into()).is_none());
        assert_eq!(Value::Object(body), serde_json::json!({ "a": { "b": { "c": 1 }, "d": 2 } }));
    }
}
