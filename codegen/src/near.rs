//! Guesses what somebody meant who wrote an unknown word.

use strsim::damerau_levenshtein;

/// The known word that is only a slip away from the unknown one; `None` if there is no such word, or several are
/// equally near.
pub fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let slips = |known: &str| damerau_levenshtein(known, word);
    // In a short word, two slips make a different one.
    let is_near = |known: &&str| *known != word && slips(known) <= 2.min(known.chars().count() / 2);
    let mut near: Vec<&str> = known.into_iter().filter(is_near).collect();
    near.sort_by_key(|known| (slips(known), *known));
    near.dedup();
    match near.as_slice() {
        [one] => Some(one),
        [one, next, ..] if slips(one) < slips(next) => Some(one),
        _ => None,
    }
}

/// The question whether the near word was meant, or else the other advice.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    near(word, known).map_or_else(|| otherwise.to_owned(), |meant| format!("Did you mean `{meant}`?"))
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn one_slip_is_known_and_a_choice_is_left_alone() {
        assert_eq!(near("Envelop", ["Envelope", "UserDto"]), Some("Envelope"));
        assert_eq!(near("Evnelope", ["Envelope", "UserDto"]), Some("Envelope"));
        assert_eq!(near("envelope", ["Envelope"]), Some("Envelope"));
        assert_eq!(near("Other", ["Envelope", "UserDto"]), None);
        assert_eq!(near("tag", ["tab", "bag"]), None);
        assert_eq!(near("UserDto1", ["UserDto2", "UserDto3"]), None);
        assert_eq!(near("ab", ["cd"]), None);
    }
}
