//! How a message lists what an operation may be called with.

use super::kind::Credential;

/// As in `a and b, or c`. What has the name of what stands before it is not named again.
#[cfg_attr(not(feature = "cli"), allow(unreachable_pub, reason = "for the program alone"))]
pub fn ways(alternatives: &[&[Credential]], name: impl Fn(Credential) -> &'static str) -> String {
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
