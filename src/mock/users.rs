//! Users, their passwords and their access tokens.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use serde_json::Value;

use super::json::text;
use super::lock::lock;
use super::refusal::Refusal;

/// The account of the user whom every mock knows.
pub(super) const ACCOUNT: &str = "mock-user";

/// The access token of that user, with which the tokens of the others begin.
pub(super) const ACCESS_TOKEN: &str = "mock-user-access-token";

/// The fields by which a sign-in may name the user.
const NAMES: [&str; 4] = ["account", "email", "username", "phone"];

/// The known users and their access tokens. There is deliberately no `Debug`.
pub(super) struct Users {
    passwords: HashMap<String, String>,
    tokens: Mutex<UserTokens>,
}

struct UserTokens {
    issued: u64,
    known: HashSet<String>,
}

impl Users {
    /// Takes the passwords by account, and access tokens that are good from the start.
    pub(super) fn new(passwords: HashMap<String, String>, tokens: HashSet<String>) -> Self {
        Self { passwords, tokens: Mutex::new(UserTokens { issued: 0, known: tokens }) }
    }

    pub(super) fn knows_token(&self, token: &str) -> bool {
        lock(&self.tokens).known.contains(token)
    }

    /// Returns an access token for the user that the payload names, if the password is right.
    pub(super) fn sign_in(&self, payload: &Value) -> Result<String, Refusal> {
        let password = text(payload, "password");
        let mut names = NAMES.iter().filter_map(|name| payload[name].as_str());
        let user = names.find(|name| self.passwords.get(*name).is_some_and(|known| known == password));
        let user = user.ok_or_else(|| Refusal::new(400, "wrong account or password").api_code(2333))?;
        let mut tokens = lock(&self.tokens);
        let token = if user == ACCOUNT {
            ACCESS_TOKEN.to_owned()
        } else {
            tokens.issued += 1;
            format!("{ACCESS_TOKEN}-{}", tokens.issued)
        };
        tokens.known.insert(token.clone());
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::super::MockGenAuth;
    use super::*;
    use serde_json::json;

    fn users() -> Users {
        let passwords = [("zhang", "right"), (MockGenAuth::USER_ACCOUNT, MockGenAuth::USER_PASSWORD)];
        let passwords = passwords.map(|(account, password)| (account.to_owned(), password.to_owned()));
        Users::new(HashMap::from(passwords), HashSet::new())
    }

    #[test]
    fn a_user_goes_by_any_name_and_gets_a_token_of_their_own_each_time() {
        let users = users();
        let mut seen = HashSet::new();
        for name in NAMES {
            let token = users.sign_in(&json!({ name: "zhang", "password": "right" })).expect("the user is known");
            assert!(users.knows_token(&token));
            assert!(seen.insert(token));
        }
        let default = json!({ "account": MockGenAuth::USER_ACCOUNT, "password": MockGenAuth::USER_PASSWORD });
        assert_eq!(users.sign_in(&default).expect("the user is known"), MockGenAuth::USER_ACCESS_TOKEN);
    }

    #[test]
    fn strangers_do_not_get_in() {
        let users = users();
        for payload in [
            json!({ "account": "zhang", "password": "wrong" }),
            json!({ "account": "li", "password": "right" }),
            json!({ "nickname": "zhang", "password": "right" }),
            json!({ "account": "zhang" }),
            json!({ "password": "right" }),
            json!(null),
        ] {
            let refusal = users.sign_in(&payload).expect_err("nobody is meant").envelope("r");
            assert_eq!((&refusal["statusCode"], &refusal["apiCode"]), (&json!(400), &json!(2333)));
        }
        assert!(!users.knows_token(MockGenAuth::USER_ACCESS_TOKEN));
    }
}
