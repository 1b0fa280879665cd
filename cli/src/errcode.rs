//! WeChat's own error code in what the server says of WeChat.

use genauth::Error;
use genauth::wechat::{Explanation, explain};

/// The first code of WeChat's that the server's message names, and what it is about, in a sentence.
pub(crate) fn named_in(error: &Error) -> Option<(Explanation, String)> {
    let message = error.server_message()?;
    let numbers = message.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() == 5);
    let explanation = numbers.filter_map(|digits| digits.parse().ok()).find_map(explain)?;
    Some((explanation, explanation.sentence(message)))
}
