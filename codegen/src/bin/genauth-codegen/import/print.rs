//! Prints YAML as the fragments are written: short lists on one line, long texts folded, quotes only if they are
//! needed.

use super::tree::{COMMENT, Node};
use serde_json::Value;
use std::fmt::Write as _;

const WIDTH: usize = 120;

pub(super) fn print(node: &Node) -> String {
    let mut out = String::new();
    members(node.entries(), 0, "", &mut out);
    out
}

/// `lead` is written before the first member instead of its indentation, such as `- ` for a list.
fn members(entries: &[(String, Node)], indent: usize, lead: &str, out: &mut String) {
    let mut lead = Some(lead).filter(|lead| !lead.is_empty());
    // A comment on a list's item is written above its dash.
    for (_, comment) in entries.iter().take_while(|(key, _)| key == COMMENT) {
        write_comment(comment.text(), indent - lead.map_or(0, str::len), out);
    }
    for (key, value) in entries.iter().skip_while(|(key, _)| key == COMMENT) {
        if key == COMMENT {
            write_comment(value.text(), indent, out);
            continue;
        }
        let lead = lead.take().unwrap_or_default();
        let head = format!("{:1$}{lead}{key}:", "", indent - lead.len(), key = scalar(&Value::from(&**key), false));
        match value {
            Node::Map(entries) if entries.iter().any(|(key, _)| key != COMMENT) => {
                let _ = writeln!(out, "{head}");
                members(entries, indent + 2, "", out);
            }
            Node::Map(_) => {
                let _ = writeln!(out, "{head} {{}}");
            }
            Node::List(items) => list(&head, items, indent + 2, out),
            Node::Scalar(value) => text(&head, value, indent + 2, out),
        }
    }
}

fn list(head: &str, items: &[Node], indent: usize, out: &mut String) {
    let scalars: Option<Vec<String>> = items
        .iter()
        .map(|item| if let Node::Scalar(value) = item { Some(scalar(value, true)) } else { None })
        .collect();
    let flow = scalars.map(|scalars| format!("{head} [{}]", scalars.join(", ")));
    if let Some(line) = flow.filter(|line| line.chars().count() <= WIDTH) {
        let _ = writeln!(out, "{line}");
        return;
    }
    let _ = writeln!(out, "{head}");
    for item in items {
        match item {
            Node::Scalar(value) => text(&format!("{:1$}-", "", indent), value, indent + 2, out),
            Node::Map(entries) if !entries.is_empty() => members(entries, indent + 2, "- ", out),
            Node::Map(_) => {
                let _ = writeln!(out, "{:1$}- {{}}", "", indent);
            }
            Node::List(items) => list(&format!("{:1$}-", "", indent), items, indent + 2, out),
        }
    }
}

fn text(head: &str, value: &Value, indent: usize, out: &mut String) {
    let line = format!("{head} {}", scalar(value, false));
    let folds = |text: &&str| text.split(' ').all(|word| !word.is_empty() && !word.contains(is_special));
    match value.as_str().filter(folds) {
        Some(text) if line.chars().count() > WIDTH => {
            let _ = writeln!(out, "{head} >-");
            wrap(text, &" ".repeat(indent), out);
        }
        _ => {
            let _ = writeln!(out, "{line}");
        }
    }
}

fn write_comment(text: &str, indent: usize, out: &mut String) {
    wrap(text, &format!("{:1$}# ", "", indent), out);
}

/// Wraps the words into lines of the full width, each of which begins with `start`.
fn wrap(text: &str, start: &str, out: &mut String) {
    let mut line = start.to_owned();
    for word in text.split_whitespace() {
        if line.len() > start.len() {
            if line.chars().count() + 1 + word.chars().count() > WIDTH {
                let _ = writeln!(out, "{line}");
                line = start.to_owned();
            } else {
                line.push(' ');
            }
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "{line}");
}

/// `in_line` is for an item of a list on one line.
fn scalar(value: &Value, in_line: bool) -> String {
    match value.as_str() {
        None => value.to_string(),
        Some(text) if is_plain(text) && !(in_line && text.contains([',', '{', '}'])) => text.to_owned(),
        Some(text) if text.contains('\'') || text.contains(is_special) => double_quoted(text),
        Some(text) => format!("'{text}'"),
    }
}

/// Whether a character must be written as its number.
fn is_special(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn double_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if is_special(c) => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Whether every reader of YAML takes the text without quotes for that text.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let begins = |c: char| c.is_alphanumeric() || matches!(c, '/' | '_' | '$');
    let keeps = |c: char| c.is_alphanumeric() || " _-./$+@%&()='~;\"`,{}".contains(c);
    let of_numbers = |c: char| c.is_ascii_digit() || "-+.:_eExXoOTZ ".contains(c);
    text.starts_with(begins)
        && text.chars().all(keeps)
        && !text.ends_with(' ')
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        && !(text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(of_numbers))
        && text.parse::<f64>().is_err()
        && !text.starts_with("0x")
        && !text.starts_with("0o")
}

#[cfg(test)]
mod tests {
    use super::*;
    use saphyr::{LoadableYamlNode, Yaml};

    #[test]
    fn every_text_is_read_as_it_was() {
        let texts = [
            "",
            " ",
            "a",
            "a b",
            "a: b",
            "a #b",
            "#a",
            "- a",
            "-1",
            "1",
            "1.5",
            "1e3",
            ".5",
            "0x1F",
            "0o7",
            "true",
            "No",
            "~",
            "null",
            "'",
            "''a",
            "a'b",
            "\"",
            "`a`",
            "a\nb",
            "a\tb",
            "a\\b",
            "{a}",
            "/p/{id}",
            "[a]",
            "a,b",
            "a, b",
            "&a",
            "*a",
            "!a",
            "%a",
            "@a",
            "|",
            ">",
            "?",
            ": ",
            "a:",
            "=",
            "<<",
            "2026-01-02",
            "2026-01-02T03:04:05.000Z",
            "+86",
            "inf",
            ".inf",
            "nan",
            "值",
            "值：#",
            "\u{85}",
            "\u{feff}",
            "\u{2028}a",
            "a\u{0}b",
            "\u{1F600}",
            "a  b",
            "a ",
            " a",
            "$ref",
            "1_000",
            "12:30",
            "infinity",
            "--- a",
            "...",
            "a]",
            "}",
        ];
        for text in texts {
            let long = format!("{text} {}", "long text ".repeat(20).trim_end());
            for text in [text, &long] {
                let list = Node::List(vec![text.into(), "z".into()]);
                let node = Node::map().with("key", text).with("list", list).with(text, "value");
                let printed = print(&node);
                let read = Yaml::load_from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"));
                let read = &read[0];
                assert_eq!(read["key"].as_str(), Some(text), "{printed}");
                assert_eq!(read["list"][0].as_str(), Some(text), "{printed}");
                assert_eq!(read["list"][1].as_str(), Some("z"), "{printed}");
                assert_eq!(read[text].as_str(), Some("value"), "{printed}");
            }
        }
    }

    #[test]
    fn the_style_is_that_of_the_fragments() {
        let short = Node::List(vec!["a".into(), "b".into()]);
        let long = Node::List((0..30).map(|n| Node::from(format!("value{n}"))).collect());
        let item = Node::map().with(COMMENT, "Why.").with("appId", Node::List(Vec::new())).with("b", true);
        let node = Node::map()
            .with(COMMENT, "First line.")
            .with("/a/{b}", Node::map().with("200", "Words, and more."))
            .with("short", short)
            .with("security", Node::List(vec![item, Node::map()]))
            .with("description", "word ".repeat(30).trim_end())
            .with("long", long)
            .with("empty", Node::map());
        let printed = print(&node);
        let begin = "# First line.\n/a/{b}:\n  '200': Words, and more.\nshort: [a, b]\nsecurity:\n  # Why.\n  \
                     - appId: []\n    b: true\n  - {}\ndescription: >-\n  word word";
        assert!(printed.starts_with(begin), "{printed}");
        assert!(printed.contains("\nlong:\n  - value0\n  - value1\n"), "{printed}");
        assert!(printed.ends_with("\nempty: {}\n"), "{printed}");
        assert!(printed.lines().all(|line| line.chars().count() <= 120), "{printed}");
    }
}
