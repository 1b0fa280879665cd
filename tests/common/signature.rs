//! The text that the server signs, made as the contract describes the server's JavaScript. It shares no code with the
//! crate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};

/// A text as in JavaScript, compared by UTF-16 code units.
type Utf16 = Vec<u16>;

#[derive(Clone, Debug)]
pub enum Json {
    /// `null`, `true` or `false`.
    Word(&'static str),
    Number(f64),
    Text(Utf16),
    Array(Vec<Json>),
    /// The members, in the order of the wire, each key once.
    Object(Vec<(Utf16, Json)>),
}

fn utf16(text: &str) -> Utf16 {
    text.encode_utf16().collect()
}

fn utf8(text: &[u16]) -> String {
    String::from_utf16(text).expect("no lone surrogate")
}

struct Parser<'a>(&'a str);

impl Parser<'_> {
    fn skips(&mut self, token: &str) -> bool {
        self.0 = self.0.trim_start_matches([' ', '\t', '\n', '\r']);
        let rest = self.0.strip_prefix(token);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn value(&mut self) -> Json {
        for word in ["null", "true", "false"] {
            if self.skips(word) {
                return Json::Word(word);
            }
        }
        if self.skips("\"") {
            return Json::Text(self.text());
        }
        if self.skips("[") {
            let mut items = Vec::new();
            while !self.skips("]") {
                assert!(items.is_empty() || self.skips(","), "no comma before {:?}", self.0);
                items.push(self.value());
            }
            return Json::Array(items);
        }
        if self.skips("{") {
            let mut members: Vec<(Utf16, Json)> = Vec::new();
            while !self.skips("}") {
                assert!(members.is_empty() || self.skips(","), "no comma before {:?}", self.0);
                assert!(self.skips("\""), "no key in {:?}", self.0);
                let key = self.text();
                assert!(self.skips(":"), "no colon in {:?}", self.0);
                let value = self.value();
                // A key that occurs twice keeps its first place and its last value.
                match members.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, earlier)) => *earlier = value,
                    None => members.push((key, value)),
                }
            }
            return Json::Object(members);
        }
        let end = self.0.find(|c| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(self.0.len());
        let (number, rest) = self.0.split_at(end);
        self.0 = rest;
        Json::Number(number.parse().unwrap_or_else(|_| panic!("not JSON: {number:?} before {rest:?}")))
    }

    /// Reads what follows an opening quote, up to and with the closing one.
    fn text(&mut self) -> Utf16 {
        let mut text = Utf16::new();
        let mut chars = self.0.chars();
        loop {
            match chars.next().expect("a closing quote") {
                '"' => break,
                '\\' => text.push(match chars.next().expect("an escape") {
                    'b' => 0x8,
                    't' => 0x9,
                    'n' => 0xa,
                    'f' => 0xc,
                    'r' => 0xd,
                    'u' => {
                        let digits: String = chars.by_ref().take(4).collect();
                        u16::from_str_radix(&digits, 16).expect("four hex digits")
                    }
                    quoted => u16::try_from(u32::from(quoted)).expect("a quote or a slash"),
                }),
                plain => {
                    assert!(plain >= ' ', "a control character must be escaped");
                    text.extend_from_slice(plain.encode_utf16(&mut [0; 2]));
                }
            }
        }
        self.0 = chars.as_str();
        text
    }
}

/// `JSON.parse`
pub fn parse(json: &str) -> Json {
    let mut parser = Parser(json);
    let value = parser.value();
    assert!(parser.skips("") && parser.0.is_empty(), "more than one value: {:?}", parser.0);
    value
}

/// `String(number)`, from the fewest digits that tell the number apart from its neighbours.
pub fn number(value: f64) -> String {
    assert!(value.is_finite(), "JSON has no such number");
    if value == 0.0 {
        return "0".to_owned();
    }
    let sign = if value < 0.0 { "-" } else { "" };
    // Rust finds how many digits it takes, but rounds a tie between two such texts up; JavaScript takes the even one,
    // as Rust does when it is told how many digits to write.
    let shortest = format!("{:e}", value.abs());
    let fraction = shortest.split('e').next().unwrap().len().saturating_sub("1.".len());
    let scientific = format!("{:.fraction$e}", value.abs());
    assert_eq!(scientific.parse(), Ok(value.abs()));
    let (mantissa, exponent) = scientific.split_once('e').unwrap();
    let digits = mantissa.replace('.', "");
    // `n` is the letter of the specification: the value is 0.DIGITS times ten to the power of n.
    let n = exponent.parse::<i32>().unwrap() + 1;
    let k = i32::try_from(digits.len()).unwrap();
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap());
    if k <= n && n <= 21 {
        format!("{sign}{digits}{}", zeros(n - k))
    } else if 0 < n && n <= 21 {
        let (whole, fraction) = digits.split_at(usize::try_from(n).unwrap());
        format!("{sign}{whole}.{fraction}")
    } else if -6 < n && n <= 0 {
        format!("{sign}0.{}{digits}", zeros(-n))
    } else {
        format!("{sign}{mantissa}e{:+}", n - 1)
    }
}

fn quoted(text: &[u16]) -> String {
    let text = utf8(text);
    let inner = text.chars().map(|c| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\r' => "\\r".to_owned(),
        '\0'..='\u{1f}' => format!("\\u{:04x}", u32::from(c)),
        plain => plain.to_string(),
    });
    format!("\"{}\"", inner.collect::<String>())
}

/// An array index of the specification: the canonical text of an integer from 0 to 2^32 - 2.
fn index(key: &[u16]) -> Option<u64> {
    let digits = utf8(key);
    let plain = !digits.is_empty() && digits.len() <= 10 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = plain && (digits == "0" || !digits.starts_with('0'));
    digits.parse().ok().filter(|index| canonical && *index <= (1 << 32) - 2)
}

/// `JSON.stringify`
pub fn stringify(json: &Json) -> String {
    match json {
        Json::Word(word) => (*word).to_owned(),
        Json::Number(value) => number(*value),
        Json::Text(text) => quoted(text),
        Json::Array(items) => format!("[{}]", items.iter().map(stringify).collect::<Vec<_>>().join(",")),
        Json::Object(members) => {
            let (mut indices, names): (Vec<_>, Vec<_>) = members.iter().partition(|(key, _)| index(key).is_some());
            indices.sort_by_key(|(key, _)| index(key));
            let members = indices.into_iter().chain(names);
            let members = members.map(|(key, value)| format!("{}:{}", quoted(key), stringify(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
    }
}

/// The top-level members of a body; a list counts its items, and neither a scalar nor an empty body has any.
fn members(body: &str) -> Vec<(Utf16, String)> {
    let text = |value: Json| match value {
        Json::Text(text) => utf8(&text),
        other => stringify(&other),
    };
    match if body.is_empty() { Json::Word("null") } else { parse(body) } {
        Json::Object(members) => members.into_iter().map(|(key, value)| (key, text(value))).collect(),
        Json::Array(items) => {
            items.into_iter().enumerate().map(|(at, item)| (utf16(&at.to_string()), text(item))).collect()
        }
        _ => Vec::new(),
    }
}

/// `application/x-www-form-urlencoded`
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let mut decoded = Vec::new();
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            decoded.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits = [bytes.next(), bytes.next()].map(|digit| char::from(digit.expect("two digits")));
                    u8::from_str_radix(&String::from_iter(digits), 16).expect("two hex digits")
                }
                plain => plain,
            });
        }
        String::from_utf8(decoded).expect("UTF-8")
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').expect("a pair")).map(|(key, value)| (decode(key), decode(value))).collect()
}

/// `target` has no base path, and a query if there is one.
pub fn string_to_sign(method: &str, target: &str, headers: &[(String, String)], body: &str, prefix: &str) -> String {
    let signed = headers.iter().filter(|(name, _)| name == "date" || name.starts_with(prefix));
    let mut signed: Vec<_> = signed.collect();
    signed.sort();
    let lines = signed.into_iter().map(|(name, value)| {
        let value = value.replace(['\t', '\r', '\n', '\u{c}'], " ");
        format!("{name}:{}\n", value.trim_matches(' '))
    });
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut parameters = match method {
        "GET" => pairs(query).into_iter().map(|(key, value)| (utf16(&key), value)).collect(),
        _ => members(body),
    };
    // Parameters of the same name, such as the items of a list in a query, keep their order.
    parameters.sort_by(|(one, _), (other, _)| one.cmp(other));
    let parameters = parameters.iter().map(|(key, value)| format!("{}={value}", utf8(key)));
    let parameters = parameters.collect::<Vec<_>>().join("&");
    let question_mark = if parameters.is_empty() { "" } else { "?" };
    format!("{method}\n{}{path}{question_mark}{parameters}", lines.collect::<String>())
}

pub fn sign(text: &str, secret: &str) -> String {
    let mut hmac = Hmac::<sha1::Sha1>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    hmac.update(text.as_bytes());
    STANDARD.encode(hmac.finalize().into_bytes())
}
