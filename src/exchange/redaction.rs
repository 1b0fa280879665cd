//! Strikes the secrets of a request out of what the server says about it.

use crate::client::Settings;
use crate::encoding::{fold, may_be_encoded, readings};
use crate::json::Json;
use crate::{Operation, SecretString};
use reqwest::{Request, Url};
use std::ops::Range;

/// Nothing tells which strings of an undescribed request are secret. Shorter ones than this are words and numbers,
/// which a message must be able to contain.
const SHORTEST_GUESS: usize = 6;

/// A text that repeats this many bytes of a secret repeats it, whatever follows. So each byte of a text is looked at no
/// more often than this, however long the secrets are and however often the text nearly repeats one.
const HEAD: usize = 64;

const STRUCK: &str = "[REDACTED]";

/// The places where a request has its secrets. They are only collected for a text that may repeat one.
pub(crate) struct Secrets<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) request: &'a Request,
    pub(crate) operation: Option<&'static Operation>,
    /// Whether the body is a form, in which each value may be a secret.
    pub(crate) is_form: bool,
    /// The tokens that were sent with the request.
    pub(crate) tokens: [Option<&'a SecretString>; 2],
}

impl Secrets<'_> {
    fn body(&self) -> &[u8] {
        self.request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default()
    }

    /// The URL, if the document does not describe the endpoint: described paths hold no secret, by house rule.
    fn url(&self) -> Option<&Url> {
        self.operation.is_none().then(|| self.request.url())
    }

    fn each_held(&self, mut look: impl FnMut(&str)) {
        self.settings.credentials.each_secret(&mut look);
        self.tokens.iter().flatten().for_each(|token| look(token.expose_secret()));
        let own = self.settings.headers.values().filter_map(|value| value.to_str().ok());
        own.filter(|value| value.len() >= SHORTEST_GUESS).for_each(look);
    }

    /// Replaces each secret in the text with `[REDACTED]`: as it is or in another case of ASCII letters,
    /// percent-encoded, or escaped as in JSON or HTML.
    pub(crate) fn strike_out_of(&self, text: String) -> String {
        if text.is_empty() || !self.may_be_in(&text) {
            return text;
        }
        // The secrets of a body that cannot be read are unknown.
        self.all().map_or_else(|| STRUCK.to_owned(), |secrets| strike(&text, &secrets))
    }

    /// Whether the text may contain a string of the request. This allocates nothing, for the usual answer, which
    /// repeats nothing; it returns true whenever an exact result would need decoding or a long search.
    fn may_be_in(&self, text: &str) -> bool {
        /// The usual text is short: shorter than most strings, and searched quickly.
        const SHORT: usize = 256;
        if text.len() >= SHORT || may_be_encoded(text) {
            return true;
        }
        let text = text.as_bytes();
        let repeats = |part: &[u8]| {
            let head = &part[..part.len().min(HEAD)];
            let is_head = |window: &[u8]| window.iter().zip(head).all(|(one, other)| fold(*one) == fold(*other));
            !head.is_empty() && head.len() <= text.len() && text.windows(head.len()).any(is_head)
        };
        let mut held = false;
        self.each_held(|secret| held |= repeats(secret.as_bytes()));
        let repeats_guess = |part: &[u8]| part.len() >= SHORTEST_GUESS && repeats(part);
        let in_url = |url: &Url| {
            url.query().is_some()
                || url.path().contains(['%', '&'])
                || url.path().split('/').any(|it| repeats_guess(it.as_bytes()))
        };
        held || self.is_form
            || self.url().is_some_and(in_url)
            || strings(self.body()).any(|part| match part {
                Some(part) if self.operation.is_some() => repeats(part),
                Some(part) => repeats_guess(part),
                None => true,
            })
    }

    /// All secrets, sorted by their bytes in the form in which they are compared; `None` if some cannot be known.
    fn all(&self) -> Option<Vec<Vec<u8>>> {
        let mut secrets = Vec::new();
        self.each_held(|secret| secrets.push(secret.to_owned()));
        let mut guesses = Vec::new();
        if self.is_form {
            guesses.extend(form_urlencoded::parse(self.body()).map(|(_, value)| value.into_owned()));
        } else if !self.body().is_empty() {
            let body = serde_json::from_slice(self.body()).ok()?;
            match self.operation {
                Some(operation) => collect(&body, Some(operation.secret_fields), &mut secrets),
                None => collect(&body, None, &mut guesses),
            }
        }
        if let Some(url) = self.url() {
            guesses.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
            let segments = url.path().split('/').flat_map(readings);
            guesses.extend(segments.filter_map(|segment| String::from_utf8(segment.bytes).ok()));
        }
        secrets.extend(guesses.into_iter().filter(|guess| guess.chars().count() >= SHORTEST_GUESS));
        let mut secrets: Vec<Vec<u8>> = secrets.iter().map(|secret| secret.bytes().map(fold).collect()).collect();
        secrets.retain(|secret| !secret.is_empty());
        secrets.sort_unstable();
        Some(secrets)
    }
}

/// The strings of a JSON text, names included; `None` in place of a string with escapes.
fn strings(json: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut marks = memchr::memchr2_iter(b'"', b'\\', json);
    std::iter::from_fn(move || {
        let (start, end) = (marks.next()? + 1, marks.next()?);
        Some((json[end] == b'"').then(|| &json[start..end]))
    })
}

/// Collects the strings of the named fields at any depth, or all strings if no fields are named.
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

/// Replaces in one pass, so that no replacement is replaced again. The longest secret wins, so that no part of another
/// is left behind.
fn strike(text: &str, secrets: &[Vec<u8>]) -> String {
    let heads = heads(secrets);
    let mut places: Vec<Range<usize>> = Vec::new();
    for reading in readings(text) {
        let mut at = 0;
        while let rest @ [_, ..] = &reading.bytes[at..] {
            let length = match head_of(rest, &heads) {
                HEAD => longest(secrets, rest),
                shorter => shorter,
            };
            if length > 0 {
                places.push(reading.place(at..at + length));
            }
            at += length.max(1);
        }
    }
    places.sort_unstable_by_key(|place| place.start);
    let mut struck = String::with_capacity(text.len());
    let mut end = 0;
    for place in places {
        if place.start >= end {
            struck.push_str(&text[end..place.start]);
            struck.push_str(STRUCK);
        }
        end = end.max(place.end);
        // A match that is not a whole secret may end within a character.
        while !text.is_char_boundary(end) {
            end += 1;
        }
    }
    struck.push_str(&text[end..]);
    struck
}

/// The first bytes of each sorted secret, each with the index of the longest earlier head that it starts with.
fn heads(secrets: &[Vec<u8>]) -> Vec<(&[u8], Option<usize>)> {
    let mut heads: Vec<(&[u8], Option<usize>)> = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let head = &secret[..secret.len().min(HEAD)];
        let mut within = heads.len().checked_sub(1);
        while let Some(at) = within.filter(|at| !head.starts_with(heads[*at].0)) {
            within = heads[at].1;
        }
        if within.is_none_or(|at| heads[at].0 != head) {
            heads.push((head, within));
        }
    }
    heads
}

/// The length of the longest head that the text starts with; 0 if there is none.
fn head_of(text: &[u8], heads: &[(&[u8], Option<usize>)]) -> usize {
    // The head that the text starts with is the last one that does not sort after the text, or a head of that one.
    let mut at = heads.partition_point(|(head, _)| *head <= text).checked_sub(1);
    while let Some((head, within)) = at.map(|at| heads[at]) {
        if text.starts_with(head) {
            return head.len();
        }
        at = within;
    }
    0
}

/// The length of the longest prefix of the text that a sorted secret starts with.
fn longest(secrets: &[Vec<u8>], text: &[u8]) -> usize {
    let common = |secret: &Vec<u8>| secret.iter().zip(text).take_while(|(one, other)| one == other).count();
    // That secret is one of the two between which the text would be sorted.
    let after = secrets.partition_point(|secret| secret.as_slice() < text);
    secrets[after.saturating_sub(1)..].iter().take(2).map(common).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// The secrets of a call to an undescribed endpoint.
    fn with_secrets<T>(url: &str, body: impl Into<reqwest::Body>, then: impl FnOnce(&Secrets<'_>) -> T) -> T {
        let mut request = Request::new(http::Method::POST, url.parse().unwrap());
        *request.body_mut() = Some(body.into());
        let client = crate::Client::builder("http://127.0.0.1:1").build().unwrap();
        then(&Secrets {
            settings: &client.settings,
            request: &request,
            operation: None,
            is_form: false,
            tokens: [None; 2],
        })
    }

    const URL: &str = "https://example.genauth.ai/api/v3/x";

    fn strike(body: &Value, text: &str) -> String {
        with_secrets(URL, body.to_string(), |secrets| secrets.strike_out_of(text.to_owned()))
    }

    #[test]
    fn of_a_body_that_cannot_be_read_nothing_is_repeated() {
        let strike = |body: &'static str, text: &str| with_secrets(URL, body, |it| it.strike_out_of(text.to_owned()));
        assert_eq!(strike(r#"{"code":"the code"}"#, "bad: the code"), "bad: [REDACTED]");
        let unread = r#"{"code":"the code","x":{"$serde_json::private::Number":"none"}}"#;
        assert_eq!(strike(unread, "bad: the code"), "[REDACTED]");
        assert_eq!(strike(unread, "bad"), "bad");
    }

    #[test]
    fn a_secret_is_struck_out_in_each_form_that_a_server_may_repeat_it_in() {
        let body = json!({ "password": "Pa+ß/\"\\<\u{1f511}&' 7é", "key": "0123456789abcdef" });
        for form in [
            "Pa+ß/\"\\<\u{1f511}&' 7é",
            "PA+ß/\"\\<\u{1f511}&' 7é",
            "Pa%2B%C3%9F%2F%22%5C%3C%F0%9F%94%91%26%27+7%C3%A9",
            "Pa%2b%c3%9f/%22%5c%3c%f0%9f%94%91&'%207%c3%a9",
            r#"Pa+ß/\"\\<🔑&' 7é"#,
            r#"Pa+\u00DF\/\"\\\u003C\uD83D\uDD11\u0026\u0027 7\u00E9"#,
            r#"Pa\u002b\u00df/\u0022\u005c<\ud83d\udd11&' 7\u00e9"#,
            "Pa+ß/&quot;\\&lt;\u{1f511}&amp;&#39; 7é",
            "Pa&#43;&#xDF;&#x2F;&#34;&#x5c;&#x3c;&#128273;&#38;&apos;&#x20;7&#233;",
            "0123456789abcdef",
            "0123456789ABCDEF",
        ] {
            assert_eq!(strike(&body, &format!("é {form}é")), "é [REDACTED]é");
        }
    }

    #[test]
    fn what_a_path_says_in_code_is_struck_out() {
        for path in ["/api/v3/&lt;secret&gt;", "/api/v3/%3Csecret%3E"] {
            let url = format!("https://example.genauth.ai{path}");
            let struck = with_secrets(&url, "", |secrets| secrets.strike_out_of("no <secret>".to_owned()));
            assert_eq!(struck, "no [REDACTED]", "{path}");
        }
    }

    #[test]
    fn what_is_no_escape_is_a_text_like_any_other() {
        let body = json!({ "a": "secret", "b": "100%secret" });
        for text in
            ["100% & \\ %", "%zz&#;&#x;&#xffffff;&nosuch;\\q\\u12\\ud800\\ud800\\u0041", "&#99999999999;%+f\\u+041"]
        {
            assert_eq!(strike(&body, text), text);
            assert_eq!(strike(&body, &format!("{text}secret")), format!("{text}[REDACTED]"));
        }
    }

    #[test]
    fn a_replacement_is_not_replaced_and_the_longest_goes_first() {
        let body = json!(["abcdef", "abcdefghi", "REDACT", "redacted"]);
        let struck = "x [REDACTED] [REDACTED] [REDACTED][REDACTED]d [REDACTED]";
        assert_eq!(strike(&body, "x abcdefghi abcdef REDACTREDACTd redacted"), struck);
    }

    #[test]
    fn a_long_secret_is_struck_out_as_far_as_it_is_repeated() {
        let secret = |end: &str| format!("{}é{}{end}", "x".repeat(HEAD - 1), "y".repeat(1000));
        let body = json!([secret("1"), secret("2"), "y".repeat(7)]);
        let repeated = &secret("")[..500];
        for (text, struck) in [
            (format!("a {} b", secret("2")), "a [REDACTED] b"),
            (format!("a {}{} b", secret("2"), secret("1")), "a [REDACTED][REDACTED] b"),
            (format!("a {repeated}… b"), "a [REDACTED]… b"),
            (format!("a {}É b", "x".repeat(HEAD - 1)), "a [REDACTED] b"),
            (format!("a {} b", "x".repeat(HEAD - 1)), &format!("a {} b", "x".repeat(HEAD - 1))),
        ] {
            assert_eq!(strike(&body, &text), struck);
        }
    }

    /// It would take minutes to compare each secret at each place.
    #[test]
    fn the_largest_answer_to_a_large_request_is_searched_in_one_go() {
        let user = |n: usize| {
            let name = format!("user-{n:05}");
            json!({ "name": name, "email": format!("{name}@example.com"), "id": format!("{n:0100}") })
        };
        let users: Vec<Value> = (0..5000).map(user).collect();
        for (part, repeats) in [
            ("user-00007@example.com", true),
            ("User-00007@example.co!", true),
            (&*"0".repeat(96), true),
            ("%75ser-0000", false),
            ("&#x75;ser\\u002d0", false),
        ] {
            let text = part.repeat((1 << 20) / part.len());
            let struck = strike(&json!(users), &text);
            assert_eq!((struck.starts_with(STRUCK), struck == text), (repeats, !repeats), "{part}");
        }
        let nearly = json!(["a".repeat(6), format!("{}b", "a".repeat(500_000)), format!("{}c", "a".repeat(500_000))]);
        assert!(strike(&nearly, &"a".repeat(1 << 20)).starts_with(STRUCK));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// A text that may be encoded always gets the long look, so most of these are not.
        #[test]
        fn where_the_short_look_finds_nothing_to_strike_striking_changes_nothing(
            strings in prop::collection::vec("[a-cA-C+ é]{0,9}|[ -~]{0,9}|[ab]{60,70}", 0..4),
            text in "[a-cA-C+ é]{0,30}|[ -~]{0,30}|[ab]{0,255}",
            repeated in any::<Option<(prop::sample::Index, bool)>>(),
        ) {
            let text = match repeated {
                Some((index, otherwise)) if !strings.is_empty() => {
                    let string = index.get::<String>(&strings);
                    text + &if otherwise { string.to_ascii_uppercase().replace(' ', "+") } else { string.clone() }
                }
                _ => text,
            };
            with_secrets(URL, json!(strings).to_string(), |secrets| {
                let struck = strike_all(secrets, &text);
                if !secrets.may_be_in(&text) {
                    prop_assert_eq!(&struck, &text);
                }
                // Only secrets are struck out: a text stays as it is if a foreign character is put between all of its
                // characters.
                let text: String = text.chars().flat_map(|letter| [letter, '|']).collect();
                prop_assert!(strings.iter().any(|string| string.contains('|')) || strike_all(secrets, &text) == text);
                Ok(())
            })?;
        }

        #[test]
        fn no_secret_stays_in_any_text(
            strings in prop::collection::vec("[ab]{6,9}|[ -~é]{6,9}|[ab]{60,70}", 1..4),
            around in "[ab]{0,9}|[ -~é]{0,30}",
        ) {
            let body = json!(strings);
            for string in &strings {
                let quoted = json!(string).to_string();
                let percent: String = form_urlencoded::byte_serialize(string.as_bytes()).collect();
                let html: String = string.chars().map(|letter| format!("&#{};", u32::from(letter))).collect();
                for form in [string, &quoted[1..quoted.len() - 1], &percent, &html] {
                    let struck = strike(&body, &format!("{around} {form}{around}"));
                    prop_assert!(!struck.contains(form), "{form}: {struck}");
                }
            }
        }
    }

    fn strike_all(secrets: &Secrets<'_>, text: &str) -> String {
        super::strike(text, &secrets.all().unwrap())
    }
}
