//! One operation: its credentials, parameters, request and answer.

use super::draft::{Draft, JSON};
use super::schema::{Place, Unsayable};
use super::source::Operation;
use super::tree::{COMMENT, Node};
use super::{example, names, schema};
use genauth_codegen::rules::{UNWRITTEN, looks_secret};
use heck::ToSnakeCase;

/// The path under which every operation returns an envelope, whatever the document says.
const V3: &str = "/api/v3/";

/// The fields that are in every answer.
const ENVELOPE: [&str; 4] = ["statusCode", "message", "apiCode", "requestId"];

impl<'a> Draft<'a> {
    pub(super) fn operation(&mut self, operation: &Operation<'a>, id: &str, tag: &str) -> Result<Node, String> {
        let answer = self.answer(operation, id)?;
        let body = self.request(operation, id)?;
        let mut node = Node::map();
        let reads = ["get", "list", "search", "query", "check", "has", "is"].iter().any(|verb| id.starts_with(verb));
        node = node.with("operationId", id).with("summary", UNWRITTEN).with("description", UNWRITTEN);
        node = node.with("tags", vec![Node::from(tag)]);
        if operation.node.get("deprecated").is(true) {
            node = match self.successor(operation) {
                Some(successor) => node.with("deprecated", true).with("x-replaced-by", successor),
                None => node.with(COMMENT, "The document calls it deprecated: add `deprecated: true` and `x-replaced-by` once its successor is described."),
            };
        }
        if operation.method == "post" && reads {
            node = node.with(COMMENT, "If it may be sent twice, add `x-idempotent: true`.");
        }
        node = node.with("security", self.security(operation));
        let (parameters, left_out) = self.parameters(operation);
        node = node.with_some("parameters", (!parameters.is_empty()).then_some(parameters));
        node = left_out.into_iter().fold(node, |node, comment| node.with(COMMENT, comment));
        Ok(node.with_some("requestBody", body).with("responses", Node::map().with("200", answer)))
    }

    /// The operation whose id or path is named in the text of a deprecated one.
    fn successor(&self, operation: &Operation<'a>) -> Option<String> {
        let words = [operation.node.get("description").text(), operation.node.get("summary").text()].join(" ");
        let named: Vec<&str> = words.split(|c: char| !c.is_ascii_alphanumeric() && !"/-_.".contains(c)).collect();
        let is_named = |path: &str, id: &str| path != operation.path && (named.contains(&path) || named.contains(&id));
        let imported =
            self.ids.iter().find(|(other, id)| is_named(other.path, id) && !other.node.get("deprecated").is(true));
        imported.map(|(_, id)| id.clone()).or_else(|| self.house.current_operation(is_named))
    }

    /// The credentials, derived from the document's schemes: the application's id in a header, the user pool's id for
    /// the management side, or a user's token.
    fn security(&self, operation: &Operation<'a>) -> Vec<Node> {
        let schemes = self.source.root.get("components").get("securitySchemes");
        let declares = |end: &str| schemes.entries().iter().any(|(_, scheme)| scheme.get("name").text().ends_with(end));
        let together = |names: &[&str]| names.iter().fold(Node::map(), |node, name| node.with(*name, Vec::new()));
        if declares("userpool-id") {
            return vec![together(&["accessKeySignature"]), together(&["managementToken"])];
        }
        let asked = match operation.node.get("security").items() {
            [] => self.source.root.get("security").items(),
            asked => asked,
        };
        let takes =
            |is: &dyn Fn(&Node) -> bool| asked.iter().flat_map(Node::entries).any(|(name, _)| is(schemes.get(name)));
        let http = |word: &'static str| move |scheme: &Node| scheme.get("scheme").text().eq_ignore_ascii_case(word);
        let secret = ["client_id", "client_secret"];
        let body = operation.node.get("requestBody").get("content").get(JSON).get("schema");
        let fields: Vec<&str> = self
            .source
            .parts(body)
            .into_iter()
            .flat_map(|part| part.get("properties").entries())
            .map(|(name, _)| name.as_str())
            .collect();
        let basic = takes(&http("basic")) || secret.iter().all(|field| fields.contains(field));
        let app = takes(&|scheme| scheme.get("name").text().ends_with("app-id"));
        match (takes(&http("bearer")), basic, app) {
            (true, _, true) => vec![together(&["appId"]), together(&["appId", "userAccessToken"])],
            (true, _, false) => vec![together(&["appId", "userAccessToken"]), together(&["userAccessToken"])],
            (false, true, _) => vec![together(&["appId", "clientSecretBasic"]), together(&["appId"])],
            (false, false, true) => vec![together(&["appId"])],
            // Nothing is required; the application's id goes along if the document knows one.
            (false, false, false) if declares("app-id") => vec![together(&["appId"])],
            (false, false, false) => vec![Node::map()],
        }
    }

    /// The parameters that can be described, and comments on the others.
    fn parameters(&mut self, operation: &Operation<'a>) -> (Vec<Node>, Vec<String>) {
        let own = operation.node.get("parameters").items().iter();
        let mut names: Vec<String> = Vec::new();
        let (mut said, mut left_out) = (Vec::new(), Vec::new());
        for parameter in own.chain(operation.shared.get("parameters").items()) {
            let Some(parameter) = self.source.resolve(parameter) else { continue };
            let name = parameter.get("name").text();
            let argument = name.to_snake_case();
            // An operation's own parameter overrides one that its path has for all operations.
            if !names.contains(&argument) {
                match self.parameter(name, parameter) {
                    Ok(parameter) => said.push(parameter),
                    Err(why) => left_out.push(format!("Left out: the parameter `{name}`, which {why}.")),
                }
                names.push(argument);
            }
        }
        (said, left_out)
    }

    fn parameter(&mut self, name: &str, parameter: &'a Node) -> Result<Node, Unsayable> {
        let place = parameter.get("in").text();
        if !matches!(place, "query" | "path") {
            return Err(format!("goes into a {place}"));
        }
        let schema = self.schema(parameter.get("schema"), Place { name, title: name })?;
        let is_scalar = matches!(schema.get("type").text(), "string" | "integer" | "number" | "boolean");
        if place == "path" && !is_scalar {
            return Err("is not a scalar".to_owned());
        }
        // A query can hold a list, and anything that is nested in it.
        let is_flat = is_scalar || schema.get("type").text() == "array" && !schema.get("items").has("$ref");
        let schema = if is_flat { schema } else { schema::anything() };
        let values = self.source.resolve(parameter.get("schema")).map_or(&[][..], |schema| schema.get("enum").items());
        let given = example::fitting(schema.get("type").text(), parameter.get("example"));
        let given = given.filter(|given| values.is_empty() || values.contains(given));
        let given = given.filter(|_| !looks_secret(name));
        let example = given.or_else(|| example::of(&schema, name, &|_| None, &mut Vec::new()));
        let required = parameter.get("required").is(true) || place == "path";
        Ok(Node::map()
            .with("name", name)
            .with("in", place)
            .with_some("required", required.then_some(true))
            .with_some("x-not-secret", looks_secret(name).then_some(UNWRITTEN))
            .with("description", schema.get("description").clone())
            .with("schema", schema.without("description").without("example"))
            .with_some("example", example))
    }

    fn request(&mut self, operation: &Operation<'a>, id: &str) -> Result<Option<Node>, String> {
        let body = self.source.resolve(operation.node.get("requestBody"));
        let Some(body) = body.filter(|body| !body.entries().is_empty()) else { return Ok(None) };
        let Some(schema) = json(body) else {
            let taken = body.get("content").entries().first().map_or("nothing", |(kind, _)| kind.as_str());
            return Err(not_described(operation, &format!("takes {taken}")));
        };
        let title = format!("{}Dto", names::pascal(id));
        let said = self.schema(schema, Place { name: "body", title: &title });
        let said = match said {
            Ok(said) if said.has("$ref") => said,
            Ok(said) if said.get("type").text() == "object" => {
                let name = self.free_name(&title);
                let schema = Node::map().with("description", UNWRITTEN).with("type", "object");
                self.put(&name, schema);
                Node::reference(&name)
            }
            Ok(_) => return Err(not_described(operation, "takes a body that is not an object")),
            Err(why) => return Err(not_described(operation, &format!("takes a body that {why}"))),
        };
        let content = self.content(said);
        Ok(Some(Node::map().with("required", true).with("content", content)))
    }

    fn answer(&mut self, operation: &Operation<'a>, id: &str) -> Result<Node, String> {
        let good = operation.node.get("responses").entries().iter().filter(|(status, _)| status.starts_with('2'));
        let good = good.filter_map(|(status, answer)| Some((status, json(self.source.resolve(answer)?)?)));
        let Some((status, schema)) = good.min_by_key(|(status, _)| *status) else {
            return Err(not_described(operation, "does not answer JSON"));
        };
        let (name, alone) = self.envelope(schema, operation, id)?;
        let mut answer = Node::map();
        if status != "200" {
            answer = answer.with(COMMENT, format!("The document says {status}."));
        }
        if alone {
            answer = answer.with(COMMENT, "The document shows only the data, where this API answers an envelope.");
        }
        let content = self.content(Node::reference(&name));
        Ok(answer.with("description", UNWRITTEN).with("content", content))
    }

    /// The name of the schema that puts the shared envelope around the answer's data, and whether the document shows
    /// only the data.
    fn envelope(&mut self, schema: &'a Node, operation: &Operation<'a>, id: &str) -> Result<(String, bool), String> {
        let parts = self.source.parts(schema);
        let mut fields: Vec<(&str, &Node)> = Vec::new();
        for (name, field) in parts.into_iter().flat_map(|part| part.get("properties").entries()) {
            if !fields.iter().any(|(known, _)| known == name) {
                fields.push((name, field));
            }
        }
        let has = |needed: &str| fields.iter().any(|(name, _)| *name == needed);
        if !has("statusCode") || !has("message") {
            if !operation.path.starts_with(V3) {
                return Err(not_described(operation, "answers without an envelope"));
            }
            let data = if fields.len() == 1 && has("data") { fields[0].1 } else { schema };
            let name = self.free_name(&format!("{}RespDto", names::pascal(id)));
            self.wrap(&name, vec![("data", data)]);
            return Ok((name, true));
        }
        let reference = schema.get("$ref").text();
        if let Some(name) = self.names.get(reference) {
            return Ok((name.clone(), false));
        }
        let known = reference.rsplit('/').next().filter(|_| !reference.is_empty());
        let name = match known {
            Some(known) if self.house.schema(&names::pascal(known)).is_some() => {
                self.compare(known, schema);
                return Ok((names::pascal(known), false));
            }
            Some(known) => self.free_name(&names::pascal(known)),
            None => self.free_name(&format!("{}RespDto", names::pascal(id))),
        };
        if known.is_some() {
            self.names.insert(reference, name.clone());
        }
        self.wrap(&name, fields.into_iter().filter(|(name, _)| !ENVELOPE.contains(name)).collect());
        Ok((name, false))
    }

    /// Defines an answer: the shared envelope, and the fields that it has besides.
    fn wrap(&mut self, name: &str, fields: Vec<(&str, &'a Node)>) {
        self.order.push(name.to_owned());
        let (properties, left_out) = self.properties(name, fields.into_iter());
        let mut all = vec![Node::reference("Envelope")];
        if !properties.is_empty() {
            all.push(Node::map().with("type", "object").with("properties", Node::Map(properties)));
        }
        let said = left_out.into_iter().fold(Node::map(), |node, comment| node.with(COMMENT, comment));
        self.schemas.insert(name.to_owned(), said.with("description", UNWRITTEN).with("allOf", all));
    }
}

fn json(content: &Node) -> Option<&Node> {
    let kinds = content.get("content").entries().iter();
    let json = |kind: &str| kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(JSON));
    kinds
        .filter(|(kind, _)| json(kind))
        .map(|(_, media)| media.get("schema"))
        .find(|schema| !schema.entries().is_empty())
}

fn not_described(operation: &Operation<'_>, problem: &str) -> String {
    format!("{} {problem}, which fragments cannot describe; call it with `Client::call`.", operation.label())
}
