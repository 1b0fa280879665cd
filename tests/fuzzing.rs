//! Runs the fuzz targets of `fuzz/` without a fuzzer, on the committed corpus and on random mutations of it. So those
//! without `cargo fuzz` see what it has found, and whether a target no longer compiles.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use std::path::Path;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut paths: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 10, "{} has {} inputs", dir.display(), paths.len());
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// An input of the corpus, part of which is replaced by part of another or by random bytes.
fn mutated(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop_oneof![prop::collection::vec(any::<u8>(), 0..8), "[ -~]{0,8}".prop_map(String::into_bytes)];
    let cuts = prop::collection::vec((any::<Index>(), any::<Index>(), bytes), 0..4);
    (select(corpus.clone()), select(corpus), any::<Index>(), cuts).prop_map(|(mut one, other, at, cuts)| {
        if let Some(at) = at.index(4).checked_sub(2) {
            let from = other.len() * at / 2;
            one.extend_from_slice(&other[from..]);
        }
        for (start, end, bytes) in cuts {
            let (start, end) = (start.index(one.len() + 1), end.index(one.len() + 1));
            one.splice(start.min(end)..start.max(end), bytes);
        }
        one
    })
}

fn survives(target: fn(&[u8]), name: &str, cases: u32) {
    let corpus = corpus(name);
    corpus.iter().for_each(|input| target(input));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&mutated(corpus), |input| {
        target(&input);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn any_answer_is_a_payload_or_an_error_of_one_line_without_a_secret() {
    survives(targets::envelope, "envelope", 10_000);
}

#[test]
fn any_json_is_a_moment_that_reads_back_or_none() {
    survives(targets::timestamp, "timestamp", 10_000);
}

#[test]
fn any_request_is_signed_as_the_reference_signs_it() {
    survives(targets::signature, "signature", 5_000);
}

#[test]
fn any_text_is_a_host_that_keeps_the_rules_or_is_refused_in_one_sentence() {
    survives(targets::host, "host", 10_000);
}

#[test]
fn any_retry_after_is_a_pause_or_none() {
    survives(targets::retry_after, "retry_after", 10_000);
}

#[test]
fn any_fragment_is_compiled_or_refused_line_by_line() {
    survives(targets::loader, "loader", 200);
}
