//! Reads the fragments, more strictly than YAML asks, and merges them into one document.

use crate::document::{Document, Mark, escape, shown};
use crate::violation::Violation;
use saphyr::{LoadableYamlNode, MarkedYaml, Marker, Scalar, YamlData};
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io, thread};

/// The fragment with what all groups share.
const ROOT: &str = "genauth.yaml";

/// This is more levels than a fragment needs, and few enough for every recursion over the document.
const MAX_DEPTH: usize = 64;

/// This is more indentation than a fragment needs. saphyr recurses once per block level, each of which needs a column
/// of its own.
const MAX_INDENT: usize = 128;

/// saphyr bounds flow levels and the nodes that aliases make, which leaves some ten thousand levels for its recursive
/// `clone` and `drop`.
const STACK_BYTES: usize = 64 << 20;

/// Reads every `*.yaml` in `dir`, the root first. `shown_as` is the folder's name in messages.
pub fn load(dir: &Path, shown_as: &str) -> Result<Document, Vec<Violation>> {
    read_all(dir, shown_as, None, false)
}

/// Does the same for a folder of either kind: fragments without a root describe operations beside those of `genauth`.
pub fn load_either(dir: &Path, shown_as: &str) -> Result<Document, Vec<Violation>> {
    let base = (dir.is_dir() && !dir.join(ROOT).exists()).then(Document::genauth);
    read_all(dir, shown_as, base, false)
}

/// Reads every `*.yaml` in `dir` as a group that is added to an existing document.
pub fn load_onto(base: Document, dir: &Path, shown_as: &str) -> Result<Document, Vec<Violation>> {
    read_all(dir, shown_as, Some(base), false)
}

/// Does the same for a folder that is being filled: an empty file is skipped, and there may be no other.
pub fn load_begun(base: Option<Document>, dir: &Path, shown_as: &str) -> Result<Document, Vec<Violation>> {
    read_all(dir, shown_as, base, true)
}

fn read_all(dir: &Path, shown_as: &str, base: Option<Document>, begun: bool) -> Result<Document, Vec<Violation>> {
    let mut folder = folder(dir, base.is_none()).map_err(|error| {
        vec![violation(shown_as, None, format!("The folder cannot be read: {error}. Name a folder of fragments."))]
    })?;
    let mut violations = Vec::new();
    for (name, right) in folder.misnamed {
        let message = format!("The build only reads `.yaml` files. Name it {}.", shown(&right));
        violations.push(violation(&format!("{shown_as}/{name}"), None, message));
    }
    if begun {
        folder.fragments.retain(|name| fs::metadata(dir.join(name)).map_or(true, |file| file.len() > 0));
    } else if folder.fragments.is_empty() {
        let message = "The folder has no fragment. Put a file into it whose name ends in `.yaml`.";
        violations.push(violation(shown_as, None, message));
    }
    let mut documents = Vec::new();
    for name in folder.fragments {
        match read(&dir.join(&name), &format!("{shown_as}/{name}")) {
            Ok(document) => documents.push(document),
            Err(problems) => violations.extend(problems),
        }
    }
    let mut merged = Document::default();
    // While a fragment is missing, what the others lack or share is unknown.
    if violations.is_empty() {
        let mut documents = base.into_iter().chain(documents);
        merged = documents.next().unwrap_or_default();
        for group in documents {
            merge(&mut merged, &group, &mut violations);
            for (pointer, mark) in group.marks {
                merged.marks.entry(pointer).or_insert(mark);
            }
        }
        // serde_json keeps the order of insertion if any crate of the build asks it to, and the output would follow.
        merged.value.sort_all_objects();
    }
    violations.sort();
    // An alias gives one place to several nodes.
    violations.dedup();
    if violations.is_empty() { Ok(merged) } else { Err(violations) }
}

/// The contents of the folder.
struct Folder {
    /// The root, if one is required, even if it is missing, and then the groups by name.
    fragments: Vec<String>,
    /// The files that look like fragments but do not end in `.yaml`, each with the name that it should have.
    misnamed: Vec<(String, String)>,
}

fn folder(dir: &Path, has_root: bool) -> io::Result<Folder> {
    let mut folder = Folder { fragments: Vec::new(), misnamed: Vec::new() };
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        match name.rsplit_once('.') {
            Some((_, "yaml")) if has_root && name == ROOT => {}
            Some((_, "yaml")) => folder.fragments.push(name),
            Some((stem, ending)) if ["yaml", "yml", "json"].iter().any(|known| ending.eq_ignore_ascii_case(known)) => {
                folder.misnamed.push((name.clone(), format!("{stem}.yaml")));
            }
            _ => {}
        }
    }
    folder.fragments.sort();
    if has_root {
        folder.fragments.insert(0, ROOT.to_owned());
    }
    Ok(folder)
}

/// Reads one file, whose name in messages is `file`.
pub fn read(path: &Path, file: &str) -> Result<Document, Vec<Violation>> {
    let refused = |at, message: String| Err(vec![violation(file, at, message)]);
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return refused(None, "The fragment does not exist. Add it.".to_owned());
        }
        Err(error) => return refused(None, format!("The fragment cannot be read: {error}.")),
    };
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            return refused(Some((line, 1)), "The line is not UTF-8. Save the fragment as UTF-8.".to_owned());
        }
    };
    for (index, line) in text.lines().enumerate() {
        // saphyr takes a NUL character for the end of the file, and would drop the rest without notice.
        if let Some((before, _)) = line.split_once('\0') {
            return refused(Some((index + 1, before.chars().count() + 1)), "A NUL character. Remove it.".to_owned());
        }
        if line.bytes().take_while(|byte| b" \t-?:".contains(byte)).count() > MAX_INDENT {
            let message = format!("The line is indented by more than {MAX_INDENT} columns. Nest less.");
            return refused(Some((index + 1, 1)), message);
        }
    }
    let reader = Reader { file, document: Document::default(), violations: Vec::new() };
    let outcome = thread::scope(|scope| {
        thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || reader.read(text))?
            .join()
            .map_err(|_| io::Error::other("the YAML parser panicked"))
    });
    outcome.unwrap_or_else(|error| refused(None, format!("The fragment cannot be parsed: {error}.")))
}

/// Converts what saphyr parsed to JSON with marks.
struct Reader<'a> {
    file: &'a str,
    document: Document,
    violations: Vec<Violation>,
}

impl Reader<'_> {
    fn read(mut self, text: &str) -> Result<Document, Vec<Violation>> {
        match MarkedYaml::load_from_str(text) {
            Err(error) => {
                let problem = error.info().replace(char::is_control, " ");
                self.refuse(error.marker(), format!("YAML: {problem}. Look at indentation, quotes and colons there."));
            }
            Ok(documents) => match documents.as_slice() {
                [] => self.violations.push(violation(self.file, None, "The fragment is empty. Fill it.")),
                [document] if document.data.is_badvalue() || document.data.is_null() => {
                    self.violations.push(violation(self.file, None, "The fragment is empty. Fill it."));
                }
                [document] if !document.data.is_mapping() => {
                    self.refuse(&document.span.start, "The fragment is not a mapping. Begin it with keys.");
                }
                [document] => {
                    // A node without a place of its own gets that of the file.
                    self.document.marks.insert(String::new(), mark(self.file, None));
                    self.document.value = self.convert(document, "", 0);
                }
                [_, second, ..] => {
                    self.refuse(&second.span.start, "There is a second YAML document. Keep one in each fragment.");
                }
            },
        }
        if self.violations.is_empty() { Ok(self.document) } else { Err(self.violations) }
    }

    fn refuse(&mut self, at: &Marker, message: impl Into<String>) {
        self.violations.push(violation(self.file, Some((at.line(), at.col() + 1)), message));
    }

    fn convert(&mut self, node: &MarkedYaml<'_>, pointer: &str, depth: usize) -> Value {
        let at = &node.span.start;
        if depth > MAX_DEPTH {
            self.refuse(at, format!("The value is nested more than {MAX_DEPTH} levels deep. Nest less."));
            return Value::Null;
        }
        match &node.data {
            YamlData::Value(Scalar::Null) => Value::Null,
            YamlData::Value(Scalar::Boolean(flag)) => Value::Bool(*flag),
            YamlData::Value(Scalar::Integer(number)) => Value::from(*number),
            YamlData::Value(Scalar::FloatingPoint(number)) => {
                Number::from_f64(number.0).map(Value::Number).unwrap_or_else(|| {
                    self.refuse(at, "JSON has no such number. Write a finite one, or quote it.");
                    Value::Null
                })
            }
            YamlData::Value(Scalar::String(text)) => Value::from(&**text),
            YamlData::Sequence(items) => {
                let convert = |(index, item): (usize, &MarkedYaml<'_>)| {
                    let pointer = format!("{pointer}/{index}");
                    let value = self.convert(item, &pointer, depth + 1);
                    self.mark(pointer, &item.span.start);
                    value
                };
                items.iter().enumerate().map(convert).collect()
            }
            YamlData::Mapping(members) => {
                let mut object = Map::new();
                for (key, value) in members {
                    let Some(name) = self.name(key) else { continue };
                    if object.contains_key(&name) {
                        self.refuse(&key.span.start, format!("The key {} stands twice. Remove one.", shown(&name)));
                        continue;
                    }
                    let pointer = format!("{pointer}/{}", escape(&name));
                    let value = self.convert(value, &pointer, depth + 1);
                    self.mark(pointer, &key.span.start);
                    object.insert(name, value);
                }
                Value::Object(object)
            }
            YamlData::Tagged(tag, _) => {
                self.refuse(at, format!("The tag {} is not known. Remove it.", shown(&tag.to_string())));
                Value::Null
            }
            YamlData::BadValue | YamlData::Alias(_) | YamlData::Representation(..) => {
                self.refuse(at, "The value does not fit its tag, or is an alias within its own anchor. Write it out.");
                Value::Null
            }
        }
    }

    fn name(&mut self, key: &MarkedYaml<'_>) -> Option<String> {
        let at = &key.span.start;
        match &key.data {
            YamlData::Value(Scalar::String(name)) if name == "<<" => {
                self.refuse(at, "Merge keys are not resolved. Write the members out, or use an alias for all of them.");
                None
            }
            YamlData::Value(Scalar::String(name)) if name.chars().any(char::is_control) => {
                self.refuse(at, format!("The key {} holds a control character. Remove it.", shown(name)));
                None
            }
            YamlData::Value(Scalar::String(name)) => Some(name.to_string()),
            YamlData::Value(Scalar::Integer(number)) => Some(number.to_string()),
            _ => {
                self.refuse(at, "The key is not a string. Quote it.");
                None
            }
        }
    }

    fn mark(&mut self, pointer: String, at: &Marker) {
        self.document.marks.insert(pointer, mark(self.file, Some((at.line(), at.col() + 1))));
    }
}

/// Adds a group to the root: its tags to the list, its paths and components by name.
fn merge(root: &mut Document, group: &Document, violations: &mut Vec<Violation>) {
    for (key, value) in group.value.as_object().into_iter().flatten() {
        let pointer = format!("/{}", escape(key));
        match (key.as_str(), value) {
            ("tags", Value::Array(_)) | ("paths", Value::Object(_)) => adopt(root, group, &pointer, violations),
            ("components", Value::Object(kinds)) => {
                for (kind, value) in kinds {
                    let pointer = format!("/components/{}", escape(kind));
                    if value.is_object() {
                        adopt(root, group, &pointer, violations);
                    } else {
                        let message = format!("{} is not a mapping. Write names and what they stand for.", shown(kind));
                        violations.push(group.violation(&pointer, "merge", message));
                    }
                }
            }
            ("tags", _) => violations.push(group.violation(&pointer, "merge", "`tags` is not a list. Write one.")),
            ("paths" | "components", _) => {
                violations.push(group.violation(&pointer, "merge", format!("`{key}` is not a mapping. Write one.")));
            }
            _ => {
                let mend = if root.is_own("") { format!("Move it to {ROOT}.") } else { "Remove it.".to_owned() };
                let message = format!(
                    "{} has no place in a group, which has `tags`, `paths` and `components`. {mend}",
                    shown(key)
                );
                violations.push(group.violation(&pointer, "merge", message));
            }
        }
    }
}

/// Adds what the group has at `pointer` to what the root has there. If the root has something of another kind there, it
/// is left as it is, for the shape check to report.
fn adopt(root: &mut Document, group: &Document, pointer: &str, violations: &mut Vec<Violation>) {
    let Some(target) = slot(&mut root.value, pointer) else { return };
    match group.value.pointer(pointer) {
        Some(Value::Array(items)) => {
            if target.is_null() {
                *target = Value::Array(Vec::new());
            }
            let Some(target) = target.as_array_mut() else { return };
            for (index, item) in items.iter().enumerate() {
                let moved = format!("{pointer}/{}", target.len());
                // The rest of the group's marks stay where they are.
                adopt_marks(&mut root.marks, group, &format!("{pointer}/{index}"), &moved);
                target.push(item.clone());
            }
        }
        Some(Value::Object(members)) => {
            if target.is_null() {
                *target = Value::Object(Map::new());
            }
            let Some(target) = target.as_object_mut() else { return };
            for (name, value) in members {
                let pointer = format!("{pointer}/{}", escape(name));
                if target.contains_key(name) {
                    let Mark { file, line, .. } = root.marks.get(&pointer).cloned().unwrap_or_default();
                    let message = if file.is_empty() {
                        let mend = "Take another name, or leave it out and use that one.";
                        format!("{} already exists in genauth. {mend}", shown(name))
                    } else {
                        format!("{} is already in {file}:{line}. Remove one of them.", shown(name))
                    };
                    violations.push(group.violation(&pointer, "merge", message));
                } else {
                    target.insert(name.clone(), value.clone());
                }
            }
        }
        _ => {}
    }
}

/// The node at `pointer`, which is made if it is missing; `None` if something other than a mapping is in the way.
fn slot<'a>(root: &'a mut Value, pointer: &str) -> Option<&'a mut Value> {
    pointer.split('/').skip(1).try_fold(root, |node, key| {
        if node.is_null() {
            *node = Value::Object(Map::new());
        }
        let key = key.replace("~1", "/").replace("~0", "~");
        Some(node.as_object_mut()?.entry(key).or_insert(Value::Null))
    })
}

fn adopt_marks(marks: &mut BTreeMap<String, Mark>, group: &Document, from: &str, to: &str) {
    for (pointer, mark) in group.marks.range(from.to_owned()..) {
        match pointer.strip_prefix(from) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                marks.insert(format!("{to}{rest}"), mark.clone());
            }
            // This is a key such as `/tags/10` after `/tags/1`.
            Some(_) => {}
            None => break,
        }
    }
}

fn mark(file: &str, at: Option<(usize, usize)>) -> Mark {
    let (line, column) = at.unwrap_or_default();
    Mark { file: file.to_owned(), line, column }
}

/// A violation of a fragment by itself.
fn violation(file: &str, at: Option<(usize, usize)>, message: impl Into<String>) -> Violation {
    let Mark { file, line, column } = mark(file, at);
    Violation { file, line, column, rule: "yaml", message: message.into() }
}
