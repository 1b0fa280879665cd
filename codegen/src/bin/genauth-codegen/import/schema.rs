//! Schemas as the house writes them: named if they are objects, loose where servers are loose, and without sentences.

use super::draft::Draft;
use super::tree::{COMMENT, Node};
use super::{example, names};
use genauth_codegen::enums::UNLISTED;
use genauth_codegen::rules::{UNWRITTEN, looks_secret};
use heck::ToUpperCamelCase;
use serde_json::Value;
use std::collections::BTreeMap;

/// The place where a schema is used.
#[derive(Clone, Copy)]
pub(super) struct Place<'n> {
    /// The property or parameter, after which its example is chosen.
    pub(super) name: &'n str,
    /// The name of the schema if it has to become a named one.
    pub(super) title: &'n str,
}

/// Why something is left out.
pub(super) type Unsayable = String;

impl<'a> Draft<'a> {
    /// A schema that is used in a place: a reference if it is an object with properties.
    pub(super) fn schema(&mut self, schema: &'a Node, place: Place<'_>) -> Result<Node, Unsayable> {
        // Some tools write a list of one in order to put text beside a reference.
        for key in ["allOf", "oneOf", "anyOf"] {
            if let [only] = schema.get(key).items()
                && !schema.has("properties")
            {
                return self.schema(only, place);
            }
        }
        let reference = schema.get("$ref").text();
        if !reference.is_empty() {
            let target = self.source.resolve(schema).ok_or("refers to nothing that the document has")?;
            let known = reference.rsplit('/').next().unwrap_or_default();
            if self.house.schema(known).is_none() && !is_object(target) && target.get("allOf").items().len() < 2 {
                return self.inlined(reference, target, place);
            }
            return Ok(Node::reference(&self.named(reference, known)));
        }
        if schema.has("oneOf") || schema.has("anyOf") {
            return self.choice(schema, place);
        }
        if is_object(schema) || schema.has("allOf") {
            let name = self.free_name(place.title);
            self.define(&name, schema);
            return Ok(Node::reference(&name));
        }
        match kind(schema) {
            "array" => self.array(schema, place),
            "object" => {
                let object = head(schema, "object", []);
                let values = schema.get("additionalProperties");
                if values.entries().is_empty() {
                    return Ok(object);
                }
                Ok(object.with("additionalProperties", undescribed(self.schema(values, place)?)))
            }
            kind @ ("string" | "integer" | "number" | "boolean") => Ok(scalar(schema, kind, place)),
            _ => Ok(anything()),
        }
    }

    /// The schema behind a name that needs no schema of its own: a scalar, a list or a free object.
    fn inlined(&mut self, reference: &'a str, target: &'a Node, place: Place<'_>) -> Result<Node, Unsayable> {
        if self.open.contains(&reference) {
            return Err("contains itself".to_owned());
        }
        self.open.push(reference);
        let schema = self.schema(target, place);
        self.open.pop();
        schema
    }

    fn choice(&mut self, schema: &'a Node, place: Place<'_>) -> Result<Node, Unsayable> {
        let alternatives = schema.get("oneOf").items().iter().chain(schema.get("anyOf").items());
        let mut said: Vec<Node> = Vec::new();
        for (index, alternative) in alternatives.enumerate() {
            let title = format!("{}{}Dto", names::stem(place.title), index + 1);
            let alternative = self.schema(alternative, Place { title: &title, ..place })?;
            // Alternatives that differ only in their text are one.
            if !said.contains(&alternative) {
                said.push(alternative.without("description").without("example"));
            }
        }
        if said.len() == 1 {
            return Ok(said.remove(0));
        }
        Ok(Node::map().with("description", UNWRITTEN).with("oneOf", said))
    }

    fn array(&mut self, schema: &'a Node, place: Place<'_>) -> Result<Node, Unsayable> {
        let title = format!("{}ItemDto", names::stem(place.title));
        let items = self.schema(schema.get("items"), Place { title: &title, ..place })?;
        Ok(head(schema, "array", facts(schema, place.name)).with("items", undescribed(items)))
    }

    /// The property's own schema. One that looks secret becomes a secret, or says why it is not.
    fn property(&mut self, name: &str, schema: &'a Node, place: Place<'_>) -> Result<Node, Unsayable> {
        let description = schema.get("description").text();
        let number = matches!(kind(schema), "number" | "integer");
        if number && names::is_unix_seconds(name, description) && self.house.schema("UnixTimestamp").is_some() {
            return Ok(Node::reference("UnixTimestamp"));
        }
        let said = self.schema(schema, place)?;
        let of_strings = has_string(said.get("additionalProperties"));
        if !looks_secret(name) || !has_string(&said) && !of_strings {
            return Ok(said);
        }
        let a_date = self.source.resolve(schema).is_some_and(|schema| schema.get("format").text() == "date-time");
        let named = names::names_no_secret(name) || has_values(schema) || a_date;
        let named = named || said.has("x-any");
        Ok(match (named, of_strings) {
            (false, _) => said.secret(),
            (true, false) => said.with_reason(),
            // The rules do not allow a mapping as a secret.
            (true, true) => said,
        })
    }

    /// The parts of an object schema: references stay, and everything else becomes one object.
    pub(super) fn body(&mut self, name: &str, schema: &'a Node) -> Node {
        let begun = Node::map().with("description", UNWRITTEN);
        let parts = schema.get("allOf").items();
        if parts.is_empty() {
            return self.object(begun, name, &[schema]);
        }
        let mut said = Vec::new();
        let mut inline = vec![schema];
        for part in parts {
            match part.get("$ref").text() {
                "" => inline.push(part),
                _ => said.extend(self.schema(part, Place { name: "", title: name })),
            }
        }
        if inline.iter().any(|part| part.has("properties")) {
            said.push(self.object(Node::map(), name, &inline));
        }
        begun.with("allOf", said)
    }

    /// Makes one object with the properties of the parts.
    fn object(&mut self, begun: Node, name: &str, parts: &[&'a Node]) -> Node {
        let properties = parts.iter().flat_map(|part| part.get("properties").entries());
        let (properties, left_out) = self.properties(name, properties.map(|(name, node)| (name.as_str(), node)));
        let required = parts.iter().flat_map(|part| part.get("required").items());
        let is_kept = |name: &&Node| {
            let property = properties.iter().find(|(known, _)| known == name.text());
            // A reference cannot be nullable, so a property that may be null is not required here.
            property.is_some()
                && !parts.iter().any(|part| {
                    let schema = part.get("properties").get(name.text());
                    schema.get("nullable").is(true) && property.is_some_and(|(_, said)| said.has("$ref"))
                })
        };
        let mut required: Vec<Node> = required.filter(is_kept).cloned().collect();
        required.dedup();
        let object = begun.with("type", "object");
        let object = object.with_some("required", (!required.is_empty()).then_some(required));
        let object = object.with_some("properties", (!properties.is_empty()).then_some(Node::Map(properties)));
        left_out.into_iter().fold(object, |object, comment| object.with(COMMENT, comment))
    }

    /// The properties that can be described, and comments on the others.
    pub(super) fn properties<'n>(
        &mut self,
        of: &str,
        properties: impl Iterator<Item = (&'n str, &'a Node)>,
    ) -> (Vec<(String, Node)>, Vec<String>) {
        let (mut said, mut left_out): (Vec<(String, Node)>, _) = (Vec::new(), Vec::new());
        let mut fields: BTreeMap<String, &str> = BTreeMap::new();
        for (name, schema) in properties {
            let field = heck::AsSnakeCase(name).to_string();
            if let Some(first) = fields.get(&field) {
                if *first != name {
                    left_out.push(format!("Left out: `{name}`, which becomes the same field as `{first}`."));
                }
                continue;
            }
            let title = format!("{}{}Dto", names::stem(of), name.to_upper_camel_case());
            match self.property(name, schema, Place { name, title: &names::pascal(&title) }) {
                Ok(property) => {
                    fields.insert(field, name);
                    said.push((name.to_owned(), property));
                }
                Err(why) => left_out.push(format!("Left out: `{name}`, which {why}.")),
            }
        }
        (said, left_out)
    }
}

/// Drops an empty description: the description of the whole says what its items are.
fn undescribed(schema: Node) -> Node {
    let says_nothing = schema.get("description").text() == UNWRITTEN && !schema.has("oneOf");
    if says_nothing { schema.without("description") } else { schema }
}

/// The kind of a schema, guessed if it has no type.
fn kind(schema: &Node) -> &str {
    match schema.get("type").text() {
        "" if has_values(schema) => "string",
        "" if schema.has("properties") || schema.has("additionalProperties") => "object",
        "" if schema.has("items") => "array",
        kind => kind,
    }
}

/// Whether it is an object that has properties, and so gets a name.
fn is_object(schema: &Node) -> bool {
    schema.get("type").text() != "array" && !schema.get("properties").entries().is_empty()
}

fn has_values(schema: &Node) -> bool {
    !schema.get("enum").items().is_empty() || !schema.get("items").get("enum").items().is_empty()
}

/// Begins a schema. `facts` says what the client does not check, and its users must therefore know.
fn head(schema: &Node, kind: &str, facts: impl IntoIterator<Item = String>) -> Node {
    let description = std::iter::once(UNWRITTEN.to_owned()).chain(facts).collect::<Vec<_>>().join(" ");
    let nullable = schema.get("nullable").is(true).then_some(true);
    Node::map().with("type", kind).with_some("nullable", nullable).with("description", description)
}

fn scalar(schema: &Node, kind: &str, place: Place<'_>) -> Node {
    let given = schema.get("example");
    let kind = match kind {
        "number" if !names::is_measured(place.name) && is_whole(given) && is_whole(schema.get("default")) => "integer",
        kind => kind,
    };
    let values = schema.get("enum").items();
    let texts: Vec<&str> = values.iter().map(Node::text).collect();
    let first = values.iter().find(|value| plain(value).is_some_and(|text| !text.is_empty())).cloned();
    let is_date = schema.get("format").text() == "date-time";
    let fits = example::fitting(kind, given).filter(|given| values.is_empty() || values.contains(given));
    let example = match fits.or(first) {
        _ if is_date => Some(Node::from(example::DATE_TIME)),
        example => example,
    };
    let closed = kind == "string" && has_variants(&texts);
    let mut facts = facts(schema, place.name);
    if !values.is_empty() && !closed {
        facts.insert(0, listed(values));
    }
    let said = head(schema, kind, facts).with_some("example", example);
    if closed { said.after("type", "enum", values.to_vec()) } else { said }
}

/// A schema of any value.
pub(super) fn anything() -> Node {
    Node::map().with("x-any", true).with("description", UNWRITTEN)
}

/// Whether each value can become a variant of its own. Otherwise the description lists them.
fn has_variants(values: &[&str]) -> bool {
    let mut variants: Vec<String> = values.iter().map(|value| value.to_upper_camel_case()).collect();
    variants.sort();
    variants.dedup();
    let named = variants.iter().all(|variant| !variant.is_empty() && variant != UNLISTED);
    !values.is_empty() && variants.len() == values.len() && named
}

/// Writes `A, B or C.`
fn listed(values: &[Node]) -> String {
    let texts: Vec<String> = values.iter().filter_map(plain).filter(|text| !text.is_empty()).collect();
    match texts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}.", rest.join(", ")),
        _ => texts.concat() + ".",
    }
}

/// The constraints that the client does not check, and the default, which it would otherwise send.
fn facts(schema: &Node, name: &str) -> Vec<String> {
    let number = |key: &str| plain(schema.get(key));
    let range = |least: &str, most: &str, unit: &str| match (number(least), number(most)) {
        (Some(least), Some(most)) => Some(format!("From {least} to {most}{unit}.")),
        (Some(least), None) => Some(format!("At least {least}{unit}.")),
        (None, Some(most)) => Some(format!("At most {most}{unit}.")),
        (None, None) => None,
    };
    let default = example::fitting(kind(schema), schema.get("default")).filter(|_| !looks_secret(name));
    let default = default.as_ref().and_then(plain);
    let ranges =
        [("minimum", "maximum", ""), ("minLength", "maxLength", " characters"), ("minItems", "maxItems", " items")];
    let ranges = ranges.into_iter().filter_map(|(least, most, unit)| range(least, most, unit));
    let date = (schema.get("format").text() == "date-time").then(|| "In ISO 8601.".to_owned());
    ranges.chain(date).chain(default.map(|default| format!("Left out means {default}."))).collect()
}

/// A scalar as it is written in a sentence.
fn plain(value: &Node) -> Option<String> {
    match value {
        Node::Scalar(Value::Null) | Node::List(_) | Node::Map(_) => None,
        Node::Scalar(Value::String(text)) => Some(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        Node::Scalar(value) => Some(value.to_string()),
    }
}

fn is_whole(value: &Node) -> bool {
    !matches!(value, Node::Scalar(Value::Number(_))) || example::fitting("integer", value).is_some()
}

/// Whether a value is a string or a list of strings, or may be one.
fn has_string(schema: &Node) -> bool {
    schema.get("type").text() == "string"
        || schema.has("x-any")
        || schema.has("items") && has_string(schema.get("items"))
        || schema.get("oneOf").items().iter().any(has_string)
}

impl Node {
    pub(super) fn without(self, key: &str) -> Self {
        match self {
            Self::Map(entries) => Self::Map(entries.into_iter().filter(|(name, _)| name != key).collect()),
            other => other,
        }
    }

    fn after(mut self, key: &str, name: &str, value: impl Into<Self>) -> Self {
        if let Self::Map(entries) = &mut self {
            let at = entries.iter().position(|(known, _)| known == key).map_or(0, |at| at + 1);
            entries.insert(at, (name.to_owned(), value.into()));
        }
        self
    }

    /// Marks a property that only looks secret; its author has to write why.
    pub(super) fn with_reason(self) -> Self {
        self.after("type", "x-not-secret", UNWRITTEN)
    }

    /// Makes the strings secrets, with a made-up example and without their values.
    fn secret(self) -> Self {
        match self {
            Self::Map(entries) if entries.iter().any(|(key, kind)| key == "type" && kind.text() == "string") => {
                let kept = Self::Map(entries).without("example").without("enum");
                kept.after("type", "format", "password")
            }
            Self::Map(entries) => Self::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| match (key.as_str(), value) {
                        ("items" | "additionalProperties", value) => (key, value.secret()),
                        ("oneOf", Self::List(items)) => {
                            (key, Self::List(items.into_iter().map(Self::secret).collect()))
                        }
                        (_, value) => (key, value),
                    })
                    .collect(),
            ),
            other => other,
        }
    }
}
