//! Where `page` and `limit` are in a request.

use reqwest::{Body, Request};
use serde_json::{Map, Value};

/// Where an operation takes `page` and `limit`.
#[derive(Debug, Clone, Copy)]
pub enum PagePlace {
    /// In the query.
    Query,
    /// In the JSON body, in the object that these names lead to.
    Body(&'static [&'static str]),
}

impl PagePlace {
    /// Returns `page` and `limit`, if they are set.
    pub(super) fn set_in(self, request: &Request) -> Result<(Option<i64>, Option<i64>), String> {
        let body = self.body(request);
        let number = |name: &str| match self {
            Self::Query => {
                let pair = request.url().query_pairs().find(|(key, _)| key == name);
                pair.map(|(_, value)| value.parse())
                    .transpose()
                    .map_err(|_| format!("`{name}` is not an integer; set one"))
            }
            Self::Body(names) => {
                let parent = names.iter().try_fold(&body, |value, name| value.get(*name));
                Ok(parent.and_then(|parent| parent.get(name)?.as_i64()))
            }
        };
        Ok((number("page")?, number("limit")?))
    }

    /// Returns the same request for another window; `None` if its body cannot have these fields.
    pub(super) fn put_in(self, request: &Request, page: u64, limit: u64) -> Option<Request> {
        let mut copy = request.try_clone()?;
        match self {
            Self::Query => {
                let others = request.url().query_pairs().filter(|(key, _)| key != "page" && key != "limit");
                let mut query = form_urlencoded::Serializer::new(String::new());
                query.extend_pairs(others);
                query.append_pair("page", &page.to_string()).append_pair("limit", &limit.to_string());
                copy.url_mut().set_query(Some(&query.finish()));
            }
            Self::Body(names) => {
                let mut body = self.body(request);
                let parent = names.iter().try_fold(object(&mut body)?, |members, name| {
                    object(members.entry(*name).or_insert(Value::Null))
                })?;
                parent.extend([("page".to_owned(), page.into()), ("limit".to_owned(), limit.into())]);
                *copy.body_mut() = Some(Body::from(body.to_string()));
            }
        }
        Some(copy)
    }

    fn body(self, request: &Request) -> Value {
        let bytes = request.body().filter(|_| matches!(self, Self::Body(_))).and_then(Body::as_bytes);
        bytes.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default()
    }
}

/// Returns the object in `value`, which becomes one if it is null; `None` if it is something else.
fn object(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}
