//! The mock's reference page: the document in Swagger UI, which is part of this program.

use crate::document::Document;
use genauth::mock::{MockAnswer, MockGenAuthBuilder};

const INDEX: &str = include_str!("viewer/index.html");
const START: &str = include_str!("viewer/start.js");
const VIEWER: &[u8] = include_bytes!("viewer/swagger-ui-bundle.js.gz");
const STYLE: &[u8] = include_bytes!("viewer/swagger-ui.css.gz");

/// The page may load from the mock and from nowhere else, whatever the viewer tries.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
                      img-src 'self' data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) fn add(builder: MockGenAuthBuilder) -> MockGenAuthBuilder {
    // Requests that are tried out on the page go to this mock.
    let document = Document::parse().served_by("/", "This mock");
    let page = |content_type: &str, body: &'static [u8]| MockAnswer::http(200, content_type, body);
    let compressed = |content_type: &str, body| page(content_type, body).header("content-encoding", "gzip");
    builder
        .page("/", page("text/html; charset=utf-8", INDEX.as_bytes()).header("content-security-policy", POLICY))
        .page("/start.js", page("text/javascript; charset=utf-8", START.as_bytes()))
        .page("/swagger-ui-bundle.js", compressed("text/javascript; charset=utf-8", VIEWER))
        .page("/swagger-ui.css", compressed("text/css; charset=utf-8", STYLE))
        .page("/openapi.json", MockAnswer::http(200, "application/json", document))
}
