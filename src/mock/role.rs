//! What the mock does for an operation besides answering with its example, as its schemas suggest.

/// What the mock does for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Takes a WeChat app's id and secret and hands out that app's access token.
    WechatToken,
    /// Takes an access key and hands out a management token.
    ManagementToken,
    /// Takes a user's password and hands out an access token.
    SignIn,
    /// Takes an app's id and secret and says whether they belong together.
    AppCheck,
    /// Is answered with the document's example, or with rows.
    Example,
}

impl Role {
    /// Returns the role of an operation. `takes` and `answers` say whether its body, or its payload, has a property.
    pub(super) fn of(takes: impl Fn(&str) -> bool, answers: impl Fn(&str) -> bool) -> Self {
        let takes = |names: &[&str]| names.iter().all(|name| takes(name));
        let answers = |names: &[&str]| names.iter().all(|name| answers(name));
        if takes(&["appId", "appSecret"]) && answers(&["accessToken", "expiresAt"]) {
            Self::WechatToken
        } else if takes(&["appId", "appSecret"]) && answers(&["valid"]) {
            Self::AppCheck
        } else if takes(&["accessKeyId", "accessKeySecret"]) && answers(&["access_token", "expires_in"]) {
            Self::ManagementToken
        } else if takes(&["passwordPayload"]) && answers(&["access_token", "token_type"]) {
            Self::SignIn
        } else {
            Self::Example
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(takes: &[&str], answers: &[&str]) -> Role {
        Role::of(|name| takes.contains(&name), |name| answers.contains(&name))
    }

    #[test]
    fn schemas_give_an_operation_away() {
        assert_eq!(role(&["appId", "appSecret"], &["accessToken", "expiresAt"]), Role::WechatToken);
        assert_eq!(role(&["appSecret", "appId"], &["valid", "message"]), Role::AppCheck);
        assert_eq!(role(&["accessKeyId", "accessKeySecret"], &["access_token", "expires_in"]), Role::ManagementToken);
        assert_eq!(role(&["connection", "passwordPayload"], &["access_token", "token_type"]), Role::SignIn);
    }

    #[test]
    fn half_of_it_gives_nothing_away() {
        assert_eq!(role(&["appId"], &["accessToken", "expiresAt"]), Role::Example);
        assert_eq!(role(&["accessKeyId", "accessKeySecret"], &["access_token"]), Role::Example);
        assert_eq!(role(&["passwordPayload"], &[]), Role::Example);
        assert_eq!(role(&[], &["valid"]), Role::Example);
    }
}
