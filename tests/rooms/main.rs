//! Checks the imports in each crate: no two files import each other, not even by way of others, and no two types share
//! a name.

mod house;

use house::{Graph, House};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The root file of each crate.
const ROOTS: &[&str] =
    &["src/lib.rs", "cli/src/main.rs", "codegen/src/lib.rs", "codegen/src/bin/genauth-codegen/main.rs"];

/// The shortest cycle of imports through each file that is in one.
fn circles(graph: &Graph) -> BTreeSet<String> {
    graph.keys().filter_map(|start| circle(graph, start)).collect()
}

fn circle(graph: &Graph, start: &str) -> Option<String> {
    let (mut ways, mut seen) = (VecDeque::from([vec![start]]), BTreeSet::new());
    while let Some(mut way) = ways.pop_front() {
        for next in graph.get(way[way.len() - 1]).into_iter().flatten() {
            if next == start {
                // A cycle has one name, wherever it is entered.
                let first = (0..way.len()).min_by_key(|at| way[*at])?;
                way.rotate_left(first);
                return Some(format!("{} -> {}", way.join(" -> "), way[0]));
            }
            if seen.insert(next) {
                ways.push_back([way.as_slice(), &[next]].concat());
            }
        }
    }
    None
}

/// What is wrong in any of the crates.
fn complaints(of: impl Fn(House) -> Vec<String>) -> String {
    ROOTS.iter().flat_map(|root| of(House::of(root))).map(|line| format!("\n{line}")).collect()
}

#[test]
fn no_two_files_import_each_other_not_even_by_way_of_others() {
    let found = complaints(|house| Vec::from_iter(circles(&house.graph())));
    assert!(found.is_empty(), "files import each other:{found}");
}

#[test]
fn no_two_files_name_a_type_alike() {
    let found = complaints(|house| house.shared_names());
    assert!(found.is_empty(), "each of these is several types:{found}");
}

/// The room of a file: the file itself, or the folder of its crate's sources that it is in.
fn room(file: &str) -> String {
    let (folder, path) = file.split_once("src/").expect("a file of a crate");
    let name = path.split_once('/').map_or_else(|| path.to_owned(), |(folder, _)| format!("{folder}/"));
    format!("{folder}src/{name}")
}

/// Checks the tables of `docs/architecture.md`, which say what each room imports from others.
#[test]
fn the_arrows_are_those_that_are_drawn() {
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in ROOTS.iter().flat_map(|root| House::of(root).graph()) {
        let others = to.iter().map(|file| room(file)).filter(|other| *other != room(&from));
        arrows.entry(room(&from)).or_default().extend(others);
    }
    // `lib.rs` exports what is public, and `fuzzing.rs` shows fuzz targets what is not; neither is a room with a row of
    // its own.
    arrows.retain(|file, _| !["src/lib.rs", "src/fuzzing.rs"].contains(&file.as_str()));
    let text = std::fs::read_to_string("docs/architecture.md").expect("the house's plan");
    let rows = text.lines().filter(|line| line.starts_with("| `") && line.contains("src/")).map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        (cells[1].to_owned(), cells[3].to_owned())
    });
    let drawn: BTreeMap<String, String> = rows.collect();
    let arrows: BTreeMap<String, String> = arrows.into_iter().map(|(from, to)| drawn_as(&from, &to)).collect();
    let missing = arrows.iter().filter(|(room, imports)| drawn.get(*room) != Some(imports));
    let missing = missing.map(|(room, imports)| format!("\n| {room} | … | {imports} |"));
    let gone = drawn.keys().filter(|room| !arrows.contains_key(*room)).map(|room| format!("\nno row for {room}"));
    let wrong: String = missing.chain(gone).collect();
    assert!(wrong.is_empty(), "docs/architecture.md should have:{wrong}");
}

/// The first and the last cell of a row.
fn drawn_as(from: &str, to: &BTreeSet<String>) -> (String, String) {
    let folder = &from[..from.find("src/").expect("a room") + 4];
    let names = to.iter().map(|name| format!("`{}`", name.trim_start_matches(folder)));
    (format!("`{from}`"), Vec::from_iter(names).join(", "))
}

#[test]
fn a_circle_is_told_file_by_file() {
    let mut graph = Graph::new();
    for (from, to) in [("b", "c"), ("c", "a"), ("a", "b"), ("c", "d"), ("d", "e")] {
        graph.entry(from.to_owned()).or_default().insert(to.to_owned());
    }
    assert_eq!(Vec::from_iter(circles(&graph)), ["a -> b -> c -> a"]);
    graph.remove("c");
    assert!(circles(&graph).is_empty());
}
