//! The fragment that becomes of the operations.

use super::house::House;
use super::names;
use super::schema::Place;
use super::source::{Operation, Source};
use super::tree::{COMMENT, Node};
use genauth_codegen::rules::{UNWRITTEN, looks_secret};
use std::collections::{BTreeMap, BTreeSet};

const JSON: &str = "application/json";

/// Where every operation answers an envelope, whatever the document says.
const V3: &str = "/api/v3/";

/// The fields of an answer that every answer has.
const ENVELOPE: [&str; 4] = ["statusCode", "message", "apiCode", "requestId"];

pub(super) struct Draft<'a> {
    pub(super) source: &'a Source,
    pub(super) house: &'a House,
    schemas: BTreeMap<String, Node>,
    /// The names in the order in which they came up.
    order: Vec<String>,
    /// By the reference: what the schema is called here.
    names: BTreeMap<&'a str, String>,
    /// In small letters.
    taken: BTreeSet<String>,
    /// The references that an answer can reach.
    answered: Vec<&'a str>,
    /// Guards against names that stand for themselves.
    pub(super) open: Vec<&'a str>,
    ids: Vec<(Operation<'a>, String)>,
    notes: BTreeSet<String>,
}

impl<'a> Draft<'a> {
    /// The fragment, or for each operation that cannot be described a sentence why not.
    pub(super) fn of(source: &'a Source, house: &'a House, operations: &[Operation<'a>]) -> Result<Node, Vec<String>> {
        let mut draft = Self {
            source,
            house,
            schemas: BTreeMap::new(),
            order: Vec::new(),
            names: BTreeMap::new(),
            taken: house.names().map(str::to_lowercase).collect(),
            answered: Vec::new(),
            open: Vec::new(),
            ids: Vec::new(),
            notes: BTreeSet::new(),
        };
        for operation in operations {
            source.reachable(operation.node.get("responses"), &mut draft.answered);
            let id = draft.id(operation);
            draft.ids.push((*operation, id));
        }
        let tag =
            operations.iter().find_map(|operation| names::tag(operation.id())).unwrap_or_else(|| "draft".to_owned());
        let mut paths: Vec<(String, Node)> = Vec::new();
        let mut refused = Vec::new();
        for (operation, id) in draft.ids.clone() {
            match draft.operation(&operation, &id, &tag) {
                Ok(node) => {
                    let path = operation.path;
                    match paths.iter_mut().find(|(known, _)| known == path) {
                        Some((_, item)) => *item = item.clone().with(operation.method, node),
                        None => paths.push((path.to_owned(), Node::map().with(operation.method, node))),
                    }
                }
                Err(why) => refused.push(why),
            }
        }
        if refused.is_empty() { Ok(draft.fragment(&tag, paths)) } else { Err(refused) }
    }

    fn fragment(mut self, tag: &str, paths: Vec<(String, Node)>) -> Node {
        let begin = format!(
            "A draft: write a sentence for each `{UNWRITTEN}`, compare the rest with what the server does, and put what \
             the group is here."
        );
        let mut fragment = Node::map().with(COMMENT, begin);
        for note in std::mem::take(&mut self.notes) {
            fragment = fragment.with(COMMENT, note);
        }
        if !self.house.has_tag(tag) {
            let tag = Node::map().with("name", tag).with("description", UNWRITTEN);
            fragment = fragment.with("tags", vec![tag]);
        }
        let fragment = fragment.with("paths", Node::Map(paths));
        let schema = |name: String| {
            let schema = self.schemas.remove(&name)?;
            Some((name, schema))
        };
        let schemas: Vec<_> = self.order.into_iter().filter_map(schema).collect();
        if schemas.is_empty() {
            return fragment;
        }
        fragment.with("components", Node::map().with("schemas", Node::Map(schemas)))
    }

    fn id(&self, operation: &Operation<'a>) -> String {
        let short = names::short(operation.id());
        let of_path = names::path_ids(operation.path);
        let is_shared = self.source.operations().iter().filter(|other| names::short(other.id()) == short).count() > 1;
        // Where a short form means several operations, none of them gets it for coming first.
        let (first, then) =
            if is_shared { (of_path, vec![names::camel(short)]) } else { (vec![names::camel(short)], of_path) };
        let whole = names::camel(operation.id());
        let mut candidates = first.into_iter().chain(then).chain([whole.clone()]).filter(|id| !id.is_empty());
        let is_free = |id: &String| {
            let taken = self.ids.iter().any(|(_, other)| other.eq_ignore_ascii_case(id));
            !taken && !self.house.has_operation(id)
        };
        candidates.find(is_free).unwrap_or(whole)
    }

    fn operation(&mut self, operation: &Operation<'a>, id: &str, tag: &str) -> Result<Node, String> {
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
            node = node.with(COMMENT, "If it may be sent twice: `x-idempotent: true`.");
        }
        node = node.with("security", self.security(operation));
        let (parameters, left_out) = self.parameters(operation);
        node = node.with_some("parameters", (!parameters.is_empty()).then_some(parameters));
        node = left_out.into_iter().fold(node, |node, comment| node.with(COMMENT, comment));
        Ok(node.with_some("requestBody", body).with("responses", Node::map().with("200", answer)))
    }

    /// The operation whose id or path the words on a deprecated one name.
    fn successor(&self, operation: &Operation<'a>) -> Option<String> {
        let words = [operation.node.get("description").text(), operation.node.get("summary").text()].join(" ");
        let named: Vec<&str> = words.split(|c: char| !c.is_ascii_alphanumeric() && !"/-_.".contains(c)).collect();
        let is_named = |path: &str, id: &str| path != operation.path && (named.contains(&path) || named.contains(&id));
        let imported =
            self.ids.iter().find(|(other, id)| is_named(other.path, id) && !other.node.get("deprecated").is(true));
        imported.map(|(_, id)| id.clone()).or_else(|| self.house.current_operation(is_named))
    }

    /// The credentials, by what the document's schemes are: the application's id in a header, the user pool's id for
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
            // Nothing is asked for; the application's id goes along where the document knows one.
            (false, false, false) if declares("app-id") => vec![together(&["appId"])],
            (false, false, false) => vec![Node::map()],
        }
    }

    fn parameters(&mut self, operation: &Operation<'a>) -> (Vec<Node>, Vec<String>) {
        let (mut said, mut left_out): (Vec<Node>, _) = (Vec::new(), Vec::new());
        let own = operation.node.get("parameters").items();
        for parameter in own.iter().chain(operation.shared.get("parameters").items()) {
            let Some(parameter) = self.source.resolve(parameter) else { continue };
            let (name, place) = (parameter.get("name").text(), parameter.get("in").text());
            let seen = |known: &Node| {
                heck::AsSnakeCase(known.get("name").text()).to_string() == heck::AsSnakeCase(name).to_string()
            };
            if said.iter().any(seen) {
                continue;
            }
            if !matches!(place, "query" | "path") {
                left_out.push(format!("Left out: the parameter `{name}`, which goes into a {place}."));
                continue;
            }
            let schema = self.schema(parameter.get("schema"), Place { name, title: name, answered: false });
            let schema = match schema {
                Ok(schema) if is_scalar(&schema) => schema,
                Ok(_) => {
                    left_out.push(format!("Left out: the parameter `{name}`, which is not a scalar."));
                    continue;
                }
                Err(why) => {
                    left_out.push(format!("Left out: the parameter `{name}`, which {why}."));
                    continue;
                }
            };
            let kind = schema.get("type").text();
            let values = schema.get("enum").items();
            let given = super::example::fitting(kind, parameter.get("example"));
            let given = given.filter(|given| values.is_empty() || values.contains(given));
            let example = given.unwrap_or_else(|| match schema.get("example") {
                Node::Scalar(serde_json::Value::Null) => super::example::scalar(&schema, name),
                example => example.clone(),
            });
            let required = parameter.get("required").is(true) || place == "path";
            let secret = looks_secret(name).then_some(UNWRITTEN);
            let description = schema.get("description").clone();
            let schema =
                Node::map().with("type", kind).with_some("enum", (!values.is_empty()).then(|| values.to_vec()));
            said.push(
                Node::map()
                    .with("name", name)
                    .with("in", place)
                    .with_some("required", required.then_some(true))
                    .with_some("x-not-secret", secret)
                    .with("description", description)
                    .with("schema", schema)
                    .with("example", example),
            );
        }
        (said, left_out)
    }

    fn request(&mut self, operation: &Operation<'a>, id: &str) -> Result<Option<Node>, String> {
        let body = self.source.resolve(operation.node.get("requestBody"));
        let Some(body) = body.filter(|body| !body.entries().is_empty()) else { return Ok(None) };
        let Some(schema) = json(body) else {
            let taken = body.get("content").entries().first().map_or("nothing", |(kind, _)| kind.as_str());
            return Err(not_described(operation, &format!("takes {taken}")));
        };
        let title = format!("{}Dto", names::pascal(id));
        let said = self.schema(schema, Place { name: "body", title: &title, answered: false });
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
            answer = answer.with(COMMENT, "The document shows the data alone, where this API answers an envelope.");
        }
        let content = self.content(Node::reference(&name));
        Ok(answer.with("description", UNWRITTEN).with("content", content))
    }

    /// The name of the schema that puts the shared envelope around the answer's data, and whether the document shows the
    /// data alone.
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

    /// Defines an answer: the shared envelope, and the fields beside its own.
    fn wrap(&mut self, name: &str, fields: Vec<(&str, &'a Node)>) {
        self.order.push(name.to_owned());
        let (properties, left_out) = self.properties(name, fields.into_iter(), true);
        let mut all = vec![Node::reference("Envelope")];
        if !properties.is_empty() {
            all.push(Node::map().with("type", "object").with("properties", Node::Map(properties)));
        }
        let said = left_out.into_iter().fold(Node::map(), |node, comment| node.with(COMMENT, comment));
        self.schemas.insert(name.to_owned(), said.with("description", UNWRITTEN).with("allOf", all));
    }

    fn content(&self, schema: Node) -> Node {
        let find = |name: &str| self.schemas.get(name).or_else(|| self.house.schema(name));
        let example = super::example::of(&schema, "", &find, &mut Vec::new()).unwrap_or_else(Node::map);
        Node::map().with(JSON, Node::map().with("schema", schema).with("example", example))
    }

    /// What the schema behind a reference is called here; it is described if it is not yet.
    pub(super) fn named(&mut self, reference: &'a str, known: &str, answered: bool) -> String {
        if let Some(name) = self.names.get(reference) {
            return name.clone();
        }
        let pascal = names::pascal(known);
        let Some(target) = reference.strip_prefix('#').and_then(|pointer| self.source.root.pointer(pointer)) else {
            return pascal;
        };
        if self.house.schema(&pascal).is_some() {
            self.names.insert(reference, pascal.clone());
            self.compare(&pascal, target);
            return pascal;
        }
        let name = self.free_name(&pascal);
        self.names.insert(reference, name.clone());
        let answered = answered || self.answered.contains(&reference);
        self.define(&name, target, answered);
        name
    }

    pub(super) fn define(&mut self, name: &str, schema: &'a Node, answered: bool) {
        // Its place is before what it is made of.
        self.order.push(name.to_owned());
        let body = self.body(name, schema, answered);
        self.schemas.insert(name.to_owned(), body);
    }

    fn put(&mut self, name: &str, schema: Node) {
        self.order.push(name.to_owned());
        self.schemas.insert(name.to_owned(), schema);
    }

    /// The name, or one after it that nothing else has.
    pub(super) fn free_name(&mut self, wanted: &str) -> String {
        let candidates = std::iter::once(wanted.to_owned()).chain((2..).map(|n| format!("{wanted}{n}")));
        let mut free = candidates.filter(|name| !self.taken.contains(&name.to_lowercase()));
        let name = free.next().unwrap_or_default();
        self.taken.insert(name.to_lowercase());
        name
    }

    /// Notes what the document knows of a schema that the fragments have already.
    fn compare(&mut self, name: &str, schema: &'a Node) {
        let fields = self.source.parts(schema).into_iter().flat_map(|part| part.get("properties").entries());
        let new: Vec<String> = fields
            .filter(|(field, _)| !self.house.has_field(name, field))
            .map(|(field, _)| format!("`{field}`"))
            .collect();
        if !new.is_empty() {
            self.notes
                .insert(format!("{name} is described already, but the document has besides: {}.", new.join(", ")));
        }
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

/// What a parameter can be.
fn is_scalar(schema: &Node) -> bool {
    matches!(schema.get("type").text(), "string" | "integer" | "number" | "boolean")
}

fn not_described(operation: &Operation<'_>, problem: &str) -> String {
    format!("{} {problem}, which fragments cannot say; call it by `Client::call`.", operation.label())
}
