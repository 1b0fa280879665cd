//! How a message lists what an operation may be called with; the library's and the program's.

/// As in `a and b, or c`. What has the name of what stands before it is not named again.
pub(crate) fn ways<T: Copy>(alternatives: &[&[T]], name: impl Fn(T) -> &'static str) -> String {
    let mut ways: Vec<String> = Vec::new();
    for alternative in alternatives {
        let mut names: Vec<&str> = alternative.iter().map(|part| name(*part)).collect();
        names.dedup();
        let way = names.join(" and ");
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways.join(", or ")
}
