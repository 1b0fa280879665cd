//! WeChat's own error code in a server's message.

use genauth::Error;
use genauth::wechat::{Explanation, explain};

/// The first of WeChat's codes that the server's message names, and a sentence on what it means.
pub(crate) fn named_in(error: &Error) -> Option<(Explanation, String)> {
    let message = error.server_message()?;
    let numbers = message.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() == 5);
    let explanation = numbers.filter_map(|digits| digits.parse().ok()).find_map(explain)?;
    Some((explanation, explanation.sentence(message)))
}
