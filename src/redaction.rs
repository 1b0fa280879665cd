//! Taking the secrets of a request out of what the server says about it.

use crate::credentials::{Credentials, Json};
use crate::{Operation, SecretString};
use bytes::Bytes;
use http::HeaderMap;
use reqwest::Request;

/// Nobody says which strings of an undescribed request are secret; short ones are words and numbers, which a message has to
/// be able to say.
const SHORTEST_GUESS: usize = 6;

/// Where a request keeps its secrets. They are looked for only in a text that may repeat one.
pub(crate) struct Secrets<'a> {
    credentials: &'a Credentials,
    /// The caller's own.
    headers: &'a HeaderMap,
    body: Option<Bytes>,
    /// Of an endpoint that the document does not describe; described ones have no secret in their query, by house rule.
    query: Option<String>,
    operation: Option<&'static Operation>,
    tokens: [Option<&'a SecretString>; 2],
}

impl<'a> Secrets<'a> {
    pub(crate) fn of(
        credentials: &'a Credentials,
        headers: &'a HeaderMap,
        request: &Request,
        operation: Option<&'static Operation>,
    ) -> Self {
        let body = request.body().and_then(reqwest::Body::as_bytes).map(Bytes::copy_from_slice);
        let query = request.url().query().filter(|_| operation.is_none()).map(str::to_owned);
        Self { credentials, headers, body, query, operation, tokens: [None; 2] }
    }

    /// And the tokens that went out, which are chosen request by request.
    pub(crate) fn and(mut self, tokens: [Option<&'a SecretString>; 2]) -> Self {
        self.tokens = tokens;
        self
    }

    fn each_held(&self, mut look: impl FnMut(&str)) {
        self.credentials.each_secret(&mut look);
        self.tokens.iter().flatten().for_each(|token| look(token.expose_secret()));
        let own = self.headers.values().filter_map(|value| value.to_str().ok());
        own.filter(|value| value.len() >= SHORTEST_GUESS).for_each(look);
    }

    /// The text with `[REDACTED]` where it repeats a secret. `text` may be JSON, in which quotes are escaped.
    pub(crate) fn strike_out_of(&self, text: String) -> String {
        if !self.may_be_in(&text) {
            return text;
        }
        // A body that cannot be read has secrets that nobody knows.
        let Some(mut secrets) = self.all() else { return "[REDACTED]".to_owned() };
        let escaped = secrets.iter().filter_map(|secret| serde_json::to_string(secret).ok());
        let escaped: Vec<String> = escaped.map(|json| json[1..json.len() - 1].to_owned()).collect();
        secrets.extend(escaped);
        replace(&text, &secrets)
    }

    /// A look that allocates nothing, for the usual answer, which repeats nothing: whether a string of the request is in
    /// the text. Where it would have to decode something to know, it says yes.
    fn may_be_in(&self, text: &str) -> bool {
        /// The usual text is a word: shorter than most parts, and searched at once.
        const SHORT: usize = 256;
        let repeats = |part: &[u8]| match part {
            [] => false,
            [first, ..] if text.len() < SHORT => {
                text.as_bytes().windows(part.len()).any(|window| window[0] == *first && window == part)
            }
            part => std::str::from_utf8(part).map_or(true, |part| text.contains(part)),
        };
        let body = self.body.as_deref().unwrap_or_default();
        let mut held = false;
        self.each_held(|secret| held |= repeats(secret.as_bytes()));
        let coded = || text.contains('\\') || self.query.is_some() || body.contains(&b'\\');
        // Without escapes every second part stands between quotes.
        let mut strings = body.split(|byte| *byte == b'"').skip(1).step_by(2);
        !text.is_empty() && (held || coded() || strings.any(repeats))
    }

    fn all(&self) -> Option<Vec<String>> {
        let mut secrets = Vec::new();
        self.each_held(|secret| secrets.push(secret.to_owned()));
        let mut guesses = Vec::new();
        if let Some(body) = &self.body {
            let body = serde_json::from_slice(body).ok()?;
            match self.operation {
                Some(operation) => collect(&body, Some(operation.secret_fields), &mut secrets),
                None => collect(&body, None, &mut guesses),
            }
        }
        let query = form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes());
        guesses.extend(query.map(|(_, value)| value.into_owned()));
        secrets.extend(guesses.into_iter().filter(|guess| guess.chars().count() >= SHORTEST_GUESS));
        secrets.retain(|secret| !secret.is_empty());
        Some(secrets)
    }
}

/// The strings of the named fields, at any depth; all strings where no fields are named.
fn collect(value: &Json, fields: Option<&[&str]>, secrets: &mut Vec<String>) {
    match value {
        Json::String(text) if fields.is_none() => secrets.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| collect(item, fields, secrets)),
        Json::Object(members) => {
            for (name, value) in members {
                let secret = fields.is_some_and(|fields| fields.contains(&name.as_str()));
                collect(value, if secret { None } else { fields }, secrets);
            }
        }
        _ => {}
    }
}

/// One pass, so that no replacement is replaced again. The longest goes first, so that none leaves a part of another
/// behind.
fn replace(text: &str, secrets: &[String]) -> String {
    let mut struck = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let repeated = secrets.iter().filter(|secret| rest.starts_with(secret.as_str()));
        if let Some(secret) = repeated.max_by_key(|secret| secret.len()) {
            struck.push_str("[REDACTED]");
            rest = &rest[secret.len()..];
        } else {
            struck.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    struck
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_body_that_cannot_be_read_nothing_is_repeated() {
        let strike = |body: &'static str, text: &str| {
            let mut request = Request::new(http::Method::POST, "https://example.genauth.ai".parse().unwrap());
            *request.body_mut() = Some(body.into());
            let (credentials, headers) = (Credentials::default(), HeaderMap::new());
            Secrets::of(&credentials, &headers, &request, None).strike_out_of(text.to_owned())
        };
        assert_eq!(strike(r#"{"code":"the code"}"#, "bad: the code"), "bad: [REDACTED]");
        let unread = r#"{"code":"the code","x":{"$serde_json::private::Number":"none"}}"#;
        assert_eq!(strike(unread, "bad: the code"), "[REDACTED]");
        assert_eq!(strike(unread, "bad"), "bad");
    }

    #[test]
    fn a_replacement_is_not_replaced_and_the_longest_goes_first() {
        let secrets = ["abc", "abcdef", "R", "E"].map(str::to_owned);
        assert_eq!(replace("x abcdef abc REd", &secrets), "x [REDACTED] [REDACTED] [REDACTED][REDACTED]d");
    }
}
