//! WeChat's error codes, as far as they concern the use of a token.

use std::net::IpAddr;

/// What one of WeChat's `errcode`s means, from [`explain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The `errcode`.
    pub errcode: i64,
    /// What is wrong.
    pub meaning: &'static str,
    /// What to do about it.
    pub advice: &'static str,
    /// Whether the call may succeed with a newer token. If not, to fetch a newer one only makes the old one useless for
    /// everybody.
    pub newer_token_helps: bool,
    /// Whether the same call may succeed later without anybody changing anything.
    pub may_pass: bool,
}

impl Explanation {
    /// Returns what is wrong and what to do, in one sentence for people. `errmsg` is what WeChat sent with the code;
    /// the sentence repeats nothing of it but the address that WeChat names.
    #[must_use]
    pub fn sentence(&self, errmsg: &str) -> String {
        let Self { errcode, meaning, advice, .. } = self;
        match address_in(errmsg).filter(|_| BY_ADDRESS.contains(errcode)) {
            Some(address) => format!("WeChat's {errcode}: {meaning} ({address}); {advice}"),
            None => format!("WeChat's {errcode}: {meaning}; {advice}"),
        }
    }
}

/// The codes whose `errmsg` names the address that the call came from.
const BY_ADDRESS: [i64; 5] = [40164, 61004, 89503, 89506, 89507];

const fn row(errcode: i64, meaning: &'static str, advice: &'static str) -> Explanation {
    Explanation { errcode, meaning, advice, newer_token_helps: false, may_pass: false }
}

const fn renews(errcode: i64, meaning: &'static str, advice: &'static str) -> Explanation {
    Explanation { newer_token_helps: true, ..row(errcode, meaning, advice) }
}

const fn passes(errcode: i64, meaning: &'static str, advice: &'static str) -> Explanation {
    Explanation { may_pass: true, ..row(errcode, meaning, advice) }
}

const ALL: &[Explanation] = &[
    passes(-1, "WeChat is busy", "try again in a moment"),
    renews(
        40001,
        "the token is not the app's newest one or, in a request for a token, the AppSecret is wrong",
        "use a newer token; if each new one is rejected, see who else fetches tokens for this app, and compare AppId and AppSecret",
    ),
    row(40002, "`grant_type` is not `client_credential`", "correct it"),
    row(40013, "WeChat does not know the AppId", "copy it from the console of the mini program or official account"),
    renews(40014, "the token is not one of WeChat's", "use a newer token, whole and without spaces"),
    row(
        40125,
        "the AppSecret is wrong",
        "copy the current one from WeChat's console, and set it wherever the old one is set, also at the GenAuth server",
    ),
    row(
        40164,
        "the address that the call came from is not on the app's IP allowlist",
        "have an administrator of the app add it in WeChat's console; it is the address of the server that asks for tokens",
    ),
    row(40243, "the AppSecret is frozen", "have an administrator of the app unfreeze it in WeChat's console"),
    row(41001, "`access_token` is missing", "send the token as this parameter of the query"),
    row(41002, "`appid` is missing", "send it"),
    row(41004, "`secret` is missing", "send it"),
    renews(42001, "the token has expired", "use a newer token"),
    row(
        42007,
        "the user's authorization ended because the password was changed",
        "have the user authorize the app again",
    ),
    row(43002, "the call has to be a POST", "send it as one"),
    passes(
        45009,
        "the app has made all of today's calls of this interface",
        "wait until tomorrow, or have it cleared with WeChat's `clear_quota`",
    ),
    passes(45011, "too many calls within a minute", "wait a minute, and call less often"),
    row(
        48001,
        "the app may not use this interface",
        "check in WeChat's console which interfaces the app has, and whether the account is verified",
    ),
    row(48004, "the app is barred from this interface", "see the app's notices in WeChat's console"),
    row(50002, "the account is restricted", "see the app's notices in WeChat's console"),
    row(50004, "the app may not ask for tokens", "see the app's notices in WeChat's console"),
    row(50007, "the account is frozen", "see the app's notices in WeChat's console"),
    row(
        61004,
        "the address that the call came from is not registered with the third-party platform",
        "have it added in WeChat's open platform",
    ),
    passes(
        89503,
        "an administrator of the app has to confirm calls from this address",
        "have an administrator confirm it on the phone that WeChat asks",
    ),
    passes(
        89506,
        "an administrator of the app has refused this address twice",
        "settle it with the administrator; WeChat asks again after 24 hours",
    ),
    passes(
        89507,
        "an administrator of the app has refused this address",
        "settle it with the administrator; WeChat asks again after an hour",
    ),
];

/// Returns what an `errcode` of WeChat's means if it concerns the fetch or the use of a token; `None` for the others.
///
/// ```
/// let answer = serde_json::json!({ "errcode": 40164, "errmsg": "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist" });
/// let explanation = genauth::wechat::explain(answer["errcode"].as_i64().unwrap_or_default()).expect("a code that is known");
/// assert!(!explanation.newer_token_helps);
/// assert!(explanation.sentence(answer["errmsg"].as_str().unwrap_or_default()).contains("(203.0.113.7)"));
/// ```
#[must_use]
pub fn explain(errcode: i64) -> Option<Explanation> {
    ALL.iter().find(|explanation| explanation.errcode == errcode).copied()
}

/// Returns the first IP address in a text.
fn address_in(errmsg: &str) -> Option<IpAddr> {
    let parts =
        errmsg.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '[' | ']' | '(' | ')' | '"' | '\''));
    let mut addresses = parts.filter_map(|part| part.trim_end_matches('.').parse::<IpAddr>().ok());
    addresses.next().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_there_once_in_order_with_something_to_do() {
        assert!(ALL.windows(2).all(|two| two[0].errcode < two[1].errcode));
        for one in ALL {
            assert_eq!(explain(one.errcode), Some(*one));
            assert!(!one.meaning.is_empty() && !one.advice.is_empty() && !one.advice.ends_with('.'), "{one:?}");
        }
        assert_eq!((explain(0), explain(i64::MIN), explain(40003)), (None, None, None));
    }

    #[test]
    fn a_newer_token_helps_against_three_codes_and_no_other() {
        let renewing: Vec<i64> = ALL.iter().filter(|one| one.newer_token_helps).map(|one| one.errcode).collect();
        assert_eq!(renewing, [40001, 40014, 42001]);
    }

    #[test]
    fn the_address_is_the_one_that_wechat_names_and_nothing_else_is_repeated() {
        let named = |errmsg: &str| explain(40164).unwrap().sentence(errmsg);
        for (errmsg, address) in [
            ("invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 61a-canary", "(203.0.113.7)"),
            ("invalid ip 2001:db8::7, not in whitelist", "(2001:db8::7)"),
            ("access clientip is not registered [::ffff:198.51.100.1]", "(198.51.100.1)"),
        ] {
            assert!(named(errmsg).contains(address) && !named(errmsg).contains("canary"), "{}", named(errmsg));
        }
        for errmsg in ["", "not in whitelist", "ip 1.2.3, 1.2.3.4.5, 300.1.1.1", "canary"] {
            assert!(!named(errmsg).contains('(') && !named(errmsg).contains("canary"), "{}", named(errmsg));
        }
        assert!(!explain(40013).unwrap().sentence("invalid appid 203.0.113.7").contains("203"));
    }
}
