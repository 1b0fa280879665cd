//! GenAuth apps and their secrets.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The known apps. There is deliberately no `Debug`.
pub(super) struct Apps(HashMap<String, Option<String>>);

impl Apps {
    /// Takes the secrets by the apps' ids; an app without a secret cannot authenticate by one.
    pub(super) fn new(secrets: HashMap<String, Option<String>>) -> Self {
        Self(secrets)
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    /// Whether the secret is the app's.
    pub(super) fn belong_together(&self, id: &str, secret: &str) -> bool {
        self.0.get(id).is_some_and(|known| known.as_deref() == Some(secret))
    }

    /// Returns the id of the app that authenticates by what follows `Basic` in an `authorization` header.
    pub(super) fn of_basic(&self, credentials: &str) -> Option<String> {
        let text = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
        let (id, secret) = text.split_once(':')?;
        self.belong_together(id, secret).then(|| id.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_an_id_and_its_secret() {
        let secrets = [("app", Some("a:secret")), ("other", None)];
        let apps = Apps::new(secrets.map(|(id, secret)| (id.to_owned(), secret.map(str::to_owned))).into());
        assert_eq!(apps.of_basic(&STANDARD.encode("app:a:secret")).as_deref(), Some("app"));
        for wrong in ["app:a", "app", "app:", "other:", "other:a:secret", "stranger:a:secret", ""] {
            assert_eq!(apps.of_basic(&STANDARD.encode(wrong)), None, "{wrong}");
        }
        assert_eq!(apps.of_basic("app:a:secret"), None);
        assert!(apps.has("other") && !apps.has("stranger"));
    }
}
