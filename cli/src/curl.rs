//! A recorded request as a curl command, with environment variables in place of its secrets.

use crate::secrecy::{self, Secrecy};
use crate::settings::{Kind, SETTINGS, Settings};
use genauth::mock::RecordedRequest;
use serde_json::Value;

/// Quotes a text for a POSIX shell.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=@%+,".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

pub(crate) fn command(request: &RecordedRequest, url: &str, settings: &Settings, secrecy: Secrecy) -> String {
    let mut variables = Variables { settings, named: Vec::new() };
    let mut options = vec![format!("--request {} {}", request.method, shell_url(url, secrecy, &mut variables))];
    for (name, value) in secrecy::headers(request) {
        options.push(match name {
            "authorization" => authorization(value, settings, &mut variables),
            _ => format!("--header {}", quoted(&format!("{name}: {value}"))),
        });
    }
    if let Some(body) = request.json() {
        let mut data = Shell::default();
        data.json(&body, secrecy, matches!(secrecy, Secrecy::Everything), "SECRET", &mut variables);
        options.push(format!("--data-raw {}", data.text()));
    }
    let names: Vec<&str> = variables.named.iter().map(|(name, _)| name.as_str()).collect();
    let named = if names.is_empty() { String::new() } else { format!("; it reads {}", names.join(", ")) };
    let signed = if options.iter().any(|option| option.contains("$GENAUTH_SIGNATURE")) {
        "# A signature is valid for one request and 15 minutes; `genauth call` makes it, curl cannot.\n"
    } else {
        ""
    };
    format!("# The same as curl{named}:\n{signed}curl {}\n", options.join(" \\\n  "))
}

fn authorization(value: &str, settings: &Settings, variables: &mut Variables<'_>) -> String {
    let word = |before: String, variable| Shell(vec![Part::Literal(before), Part::Variable(variable)]).text();
    let header = |before: &str, variable| format!("--header {}", word(format!("authorization: {before}"), variable));
    let by_token = settings.text("access_key_use") == Some("management-token");
    match value.split_once(' ') {
        Some(("Basic", _)) => {
            let id = settings.text("app_id").unwrap_or_default();
            let secret = variables.of("app_secret", settings.text("app_secret").unwrap_or_default());
            format!("--user {}", word(format!("{id}:"), secret))
        }
        Some(("Bearer", token)) if settings.text("access_token") == Some(token) => {
            header("Bearer ", variables.of("access_token", token))
        }
        Some(("Bearer", _)) if by_token => header("Bearer ", variables.named("GENAUTH_MANAGEMENT_TOKEN")),
        Some((word, signature)) => {
            let key = signature.split(':').next().unwrap_or_default();
            header(&format!("{word} {key}:"), variables.named("GENAUTH_SIGNATURE"))
        }
        None => header("", variables.named("AUTHORIZATION")),
    }
}

/// Quotes a URL. The values of a query that the document does not describe may be secret, and become variables.
fn shell_url(url: &str, secrecy: Secrecy, variables: &mut Variables<'_>) -> String {
    let (Some((path, query)), Secrecy::Everything) = (url.split_once('?'), secrecy) else { return quoted(url) };
    let mut shell = Shell(vec![Part::Literal(format!("{path}?"))]);
    for (at, (name, value)) in form_urlencoded::parse(query.as_bytes()).enumerate() {
        let separator = if at == 0 { "" } else { "&" };
        shell.literal(&format!("{separator}{}=", form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>()));
        shell.0.push(Part::Variable(variables.of(&name, &value)));
    }
    shell.text()
}

/// The variables that stand for secrets.
struct Variables<'a> {
    settings: &'a Settings,
    named: Vec<(String, String)>,
}

impl Variables<'_> {
    fn named(&mut self, name: &str) -> String {
        self.insert(name.to_owned(), String::new())
    }

    /// The variable for a secret: that of the setting with this value, or one named after the field.
    fn of(&mut self, field: &str, value: &str) -> String {
        let set = SETTINGS.iter().filter(|setting| setting.kind == Kind::Secret);
        let set = set.into_iter().find(|setting| self.settings.text(setting.key) == Some(value));
        let name = set.map_or_else(|| screaming(field), |setting| setting.variable.to_owned());
        self.insert(name, value.to_owned())
    }

    fn insert(&mut self, name: String, value: String) -> String {
        let mut numbered = name.clone();
        for number in 2.. {
            match self.named.iter().find(|(known, _)| *known == numbered) {
                None => break,
                Some((_, known)) if *known == value => return numbered,
                Some(_) => numbered = format!("{name}_{number}"),
            }
        }
        self.named.push((numbered.clone(), value));
        numbered
    }
}

/// Writes `appSecret` as `APP_SECRET`.
fn screaming(field: &str) -> String {
    let mut name = String::new();
    for letter in field.chars() {
        if letter.is_uppercase() && name.ends_with(|last: char| last.is_ascii_alphanumeric()) {
            name.push('_');
        }
        name.push(if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' });
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// A word of a shell's command line, in which variables are expanded.
#[derive(Default)]
struct Shell(Vec<Part>);

enum Part {
    Literal(String),
    Variable(String),
}

impl Shell {
    fn literal(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Part::Literal(before)) => before.push_str(text),
            _ => self.0.push(Part::Literal(text.to_owned())),
        }
    }

    fn json(&mut self, value: &Value, secrecy: Secrecy, secret: bool, field: &str, variables: &mut Variables<'_>) {
        match value {
            Value::Object(members) => {
                self.literal("{");
                for (at, (name, value)) in members.iter().enumerate() {
                    let separator = if at == 0 { "" } else { "," };
                    self.literal(&format!("{separator}{}:", Value::from(name.as_str())));
                    self.json(value, secrecy, secret || secrecy.covers(name), name, variables);
                }
                self.literal("}");
            }
            Value::Array(items) => {
                self.literal("[");
                for (at, item) in items.iter().enumerate() {
                    self.literal(if at == 0 { "" } else { "," });
                    self.json(item, secrecy, secret, field, variables);
                }
                self.literal("]");
            }
            Value::String(text) if secret => {
                self.literal("\"");
                self.0.push(Part::Variable(variables.of(field, text)));
                self.literal("\"");
            }
            Value::Number(number) if secret => self.0.push(Part::Variable(variables.of(field, &number.to_string()))),
            other => self.literal(&other.to_string()),
        }
    }

    fn text(&self) -> String {
        let part = |part: &Part| match part {
            Part::Literal(text) => quoted(text),
            Part::Variable(name) => format!("\"${name}\""),
        };
        self.0.iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        assert_eq!(quoted("61_abc-DEF"), "61_abc-DEF");
        for text in ["", "a b", "it's", "$HOME", "`id`", "\\", "\"", "a\nb", "{}", "*", "~", "!"] {
            let output = std::process::Command::new("sh").arg("-c").arg(format!("printf %s {}", quoted(text))).output();
            assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), text);
        }
    }

    #[test]
    fn a_variable_is_called_as_the_field() {
        for (field, name) in
            [("appSecret", "APP_SECRET"), ("client_secret", "CLIENT_SECRET"), ("a.b-c", "A_B_C"), ("1st", "_1ST")]
        {
            assert_eq!(screaming(field), name);
        }
    }
}
