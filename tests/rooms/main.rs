//! The arrows of the house: no two files import each other, not even by way of others, and a type's name is that of one
//! type.

mod house;

use house::{Graph, House};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const LIBRARY: &str = "src/lib.rs";
const PROGRAM: &str = "cli/src/main.rs";

/// The shortest circle through each file that is in one.
fn circles(graph: &Graph) -> BTreeSet<String> {
    graph.keys().filter_map(|start| circle(graph, start)).collect()
}

fn circle(graph: &Graph, start: &str) -> Option<String> {
    let (mut ways, mut seen) = (VecDeque::from([vec![start]]), BTreeSet::new());
    while let Some(mut way) = ways.pop_front() {
        for next in graph.get(way[way.len() - 1]).into_iter().flatten() {
            if next == start {
                // One circle has one name, wherever it is entered.
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

/// What there is to complain of, in the library and in the program.
fn complaints(of: impl Fn(House) -> Vec<String>) -> String {
    [LIBRARY, PROGRAM].into_iter().flat_map(|root| of(House::of(root))).map(|line| format!("\n{line}")).collect()
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

/// The table of `docs/architecture.md`: what each room of the library imports of others.
#[test]
fn the_arrows_are_those_that_are_drawn() {
    let room = |file: &str| {
        let path = file.trim_start_matches("src/");
        path.split_once('/').map_or_else(|| path.to_owned(), |(folder, _)| format!("{folder}/"))
    };
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in House::of(LIBRARY).graph() {
        let others = to.iter().map(|file| room(file)).filter(|other| *other != room(&from));
        arrows.entry(room(&from)).or_default().extend(others);
    }
    // `lib.rs` lets the world see what is public, and fuzz targets see what is not.
    arrows.retain(|file, _| !["lib.rs", "fuzzing.rs"].contains(&file.as_str()));
    let text = std::fs::read_to_string("docs/architecture.md").expect("the house's plan");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `src/")).map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        let names = cells[2].split('`').skip(1).step_by(2);
        (cells[0].trim().trim_end_matches('`').to_owned(), names.map(str::to_owned).collect())
    });
    assert_eq!(rows.collect::<BTreeMap<String, BTreeSet<String>>>(), arrows, "docs/architecture.md, and src/");
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
