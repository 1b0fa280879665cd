//! Decides who may call, by the document's security schemes and the credentials of a request.

use std::collections::HashSet;

use super::apps::Apps;
use super::call::IncomingCall;
use super::document::DescribedOperation;
use super::json::text;
use super::management::{self, ManagementIssuer};
use super::refusal::Refusal;
use super::scheme::{Kind, Scheme};
use super::signature::Signatures;
use super::users::Users;
use crate::Dialect;

/// The known credentials.
pub(super) struct Gate {
    pub(super) apps: Apps,
    pub(super) users: Users,
    pub(super) signatures: Signatures,
    pub(super) management: ManagementIssuer,
    /// Whether tokens are accepted only as the document says.
    pub(super) strict: bool,
}

impl Gate {
    /// Checks that the call meets one of the operation's requirements. A credential that is wrong, or that the
    /// operation does not take, is refused even if the call does not need it: a client that sends one has a bug that
    /// the other credentials must not hide.
    pub(super) fn check(&self, operation: &DescribedOperation, call: &IncomingCall<'_>) -> Result<(), Refusal> {
        let requirements = &operation.requirements;
        let mut schemes: Vec<&Scheme> = requirements.iter().flatten().collect();
        schemes.sort();
        schemes.dedup();
        self.nothing_beside(&schemes, operation, call)?;
        let mut met = HashSet::new();
        for &scheme in &schemes {
            if self.is_met(scheme, &schemes, call)? {
                met.insert(scheme);
            }
        }
        let is_met = |requirement: &Vec<Scheme>| requirement.iter().all(|scheme| met.contains(scheme));
        if requirements.is_empty() || requirements.iter().any(is_met) {
            return Ok(());
        }
        let names =
            |requirement: &Vec<Scheme>| Vec::from_iter(requirement.iter().map(|scheme| &*scheme.name)).join(" with ");
        let accepted = Vec::from_iter(requirements.iter().map(names)).join(", or ");
        Err(Refusal::new(401, format!("not authorized: this operation accepts {accepted}")))
    }

    /// Whether the call carries this credential; an error if it carries a wrong one. `accepted` are all schemes that
    /// the operation accepts.
    fn is_met(&self, scheme: &Scheme, accepted: &[&Scheme], call: &IncomingCall<'_>) -> Result<bool, Refusal> {
        let accepts = |kind: Kind| accepted.iter().any(|scheme| scheme.kind == kind);
        match &scheme.kind {
            Kind::AppId { suffix } => match call.header(suffix) {
                Some(id) if !self.apps.has(id) => Err(Refusal::new(404, "application not found").api_code(2011)),
                id => Ok(id.is_some()),
            },
            Kind::ClientSecretBasic => match call.authorization("Basic") {
                Some(credentials) => {
                    let id = self.apps.of_basic(credentials).ok_or_else(wrong_app_secret)?;
                    same_app(&id, accepted, call).map(|()| true)
                }
                None => Ok(false),
            },
            Kind::ClientSecretPost => {
                let body = call.request.json().unwrap_or_default();
                let Some(secret) = body["client_secret"].as_str() else { return Ok(false) };
                let id = text(&body, "client_id");
                if !self.apps.belong_together(id, secret) {
                    return Err(wrong_app_secret());
                }
                same_app(id, accepted, call).map(|()| true)
            }
            Kind::UserToken => match self.token(call) {
                Some(token) if accepts(Kind::ManagementToken) && self.management.has_issued(token) => Ok(false),
                Some(token) => self.user(token).map(|()| true),
                None => Ok(false),
            },
            Kind::ManagementToken => match self.token(call) {
                Some(token) if self.management.is_alive(token, call.now) => match call.header("userpool-id") {
                    Some(management::USERPOOL_ID) => Ok(true),
                    _ => Err(Refusal::new(401, "the userpool-id header is not the user pool of the management token")),
                },
                Some(token) if accepts(Kind::UserToken) && self.users.knows_token(token) => Ok(false),
                Some(_) => Err(Refusal::new(401, "the management token is unknown, expired or revoked")),
                None => Ok(false),
            },
            Kind::Signature => {
                let words = Dialect::ALL.map(Dialect::signature_scheme);
                match words.into_iter().find_map(|word| Some((word, call.authorization(word)?))) {
                    None => Ok(false),
                    Some((word, credentials)) if word == call.dialect.signature_scheme() => {
                        self.signatures.verify(call, credentials).map(|()| true)
                    }
                    Some(_) => {
                        Err(Refusal::new(401, "the scheme word is not the one of the headers' dialect").api_code(1300))
                    }
                }
            }
            Kind::Unknown => Ok(false),
        }
    }

    /// Returns the token in the `authorization` header, with or without `Bearer`: most of the published SDKs send it
    /// without.
    fn token<'a>(&self, call: &IncomingCall<'a>) -> Option<&'a str> {
        let whole = call.request.header("authorization").filter(|whole| !self.strict && !whole.contains(' '));
        call.authorization("Bearer").or(whole)
    }

    fn user(&self, token: &str) -> Result<(), Refusal> {
        if self.users.knows_token(token) { Ok(()) } else { Err(Refusal::new(401, "not logged in").api_code(2020)) }
    }

    /// Refuses an `authorization` header, or an app secret in the body, that none of the accepted schemes reads.
    fn nothing_beside(
        &self,
        accepted: &[&Scheme],
        operation: &DescribedOperation,
        call: &IncomingCall<'_>,
    ) -> Result<(), Refusal> {
        let reads = |kind: &Kind| match kind {
            Kind::ClientSecretBasic => call.authorization("Basic").is_some(),
            Kind::UserToken | Kind::ManagementToken => self.token(call).is_some(),
            Kind::Signature => {
                Dialect::ALL.into_iter().any(|dialect| call.authorization(dialect.signature_scheme()).is_some())
            }
            Kind::AppId { .. } | Kind::ClientSecretPost | Kind::Unknown => false,
        };
        if call.request.header("authorization").is_some() && !accepted.iter().any(|scheme| reads(&scheme.kind)) {
            // The published SDKs send the token of an app's user with every call.
            let is_app = !self.strict && accepted.iter().any(|scheme| matches!(scheme.kind, Kind::AppId { .. }));
            let token = self.token(call).filter(|_| is_app);
            let token = token.ok_or_else(|| Refusal::new(400, "this operation takes no such authorization header"))?;
            self.user(token)?;
        }
        if !operation.has_client_secret && call.request.json().is_some_and(|body| body.get("client_secret").is_some()) {
            return Err(Refusal::new(400, "this operation takes no client_secret in its body"));
        }
        Ok(())
    }
}

/// Checks that the secret is that of the app in the app id header, if there is one.
fn same_app(id: &str, accepted: &[&Scheme], call: &IncomingCall<'_>) -> Result<(), Refusal> {
    let header = accepted.iter().find_map(|scheme| match &scheme.kind {
        Kind::AppId { suffix } => call.header(suffix),
        _ => None,
    });
    if header.is_some_and(|header| header != id) {
        return Err(Refusal::new(401, "the app secret is not the one of the application in the app id header"));
    }
    Ok(())
}

fn wrong_app_secret() -> Refusal {
    Refusal::new(401, "wrong app id or app secret")
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};

    use super::super::document::Document;
    use super::super::request::RecordedRequest;
    use std::time::Duration;

    /// Makes operations with different alternatives in their `security`; the last one has a `client_secret` of its own,
    /// which is not the app's.
    fn document() -> Document {
        let operation = |security: Value, properties: Value| {
            let schema = json!({ "type": "object", "properties": properties });
            let body = json!({ "content": { "application/json": { "schema": schema } } });
            json!({ "post": { "security": security, "requestBody": body } })
        };
        let app = json!({ "appId": [] });
        let document = json!({
            "paths": {
                "/sign-in": operation(
                    json!([{ "appId": [], "clientSecretBasic": [] }, app]),
                    json!({ "client_id": { "type": "string" }, "client_secret": { "type": "string" } })
                ),
                "/app": operation(json!([app]), json!({})),
                "/open": operation(json!([{}]), json!({})),
                "/user": operation(json!([{ "userAccessToken": [] }]), json!({})),
                "/signed": operation(json!([{ "accessKeySignature": [] }]), json!({})),
                "/own": operation(json!([app]), json!({ "client_secret": { "type": "string" } })),
            },
            "components": { "securitySchemes": {
                "appId": { "type": "apiKey", "in": "header", "name": "x-genauth-app-id" },
                "userAccessToken": { "type": "http", "scheme": "bearer" },
                "accessKeySignature": { "type": "apiKey", "in": "header", "name": "authorization" },
            } },
        });
        Document::parse(&document.to_string(), |_| true).expect("a document")
    }

    /// Returns the message of a strict mock's refusal of a call; empty if there is none.
    fn told(path: &str, authorization: &str, body: &Value) -> String {
        let refusal = refusal(true, path, authorization, body);
        refusal["message"].as_str().unwrap_or_default().to_owned()
    }

    /// Returns the refusal of a call; null if there is none.
    fn refusal(strict: bool, path: &str, authorization: &str, body: &Value) -> Value {
        let app = |id: &str| (id.to_owned(), Some(format!("{id}-secret")));
        let gate = Gate {
            apps: Apps::new([app("one"), app("other")].into()),
            users: Users::new([].into(), ["user-token".to_owned()].into()),
            signatures: Signatures::new([].into()),
            management: ManagementIssuer::new(Duration::ZERO),
            strict,
        };
        let mut headers = vec![("x-genauth-app-id".to_owned(), "one".to_owned())];
        if !authorization.is_empty() {
            headers.push(("authorization".to_owned(), authorization.to_owned()));
        }
        let (method, body) = ("POST".to_owned(), body.to_string().into());
        let request = RecordedRequest { method, path: path.to_owned(), headers, body };
        let call = IncomingCall { request: &request, path, query: "", dialect: Dialect::GenAuth, now: Duration::ZERO };
        let document = document();
        let operation = document.find("POST", path).expect("an operation");
        gate.check(operation, &call).err().map_or(Value::Null, |refusal| refusal.envelope("r"))
    }

    fn basic(id: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{id}:{id}-secret")))
    }

    #[test]
    fn an_authorization_that_an_operation_does_not_take_is_refused() {
        let none = json!({});
        for (path, authorization) in [("/sign-in", basic("one")), ("/user", "Bearer user-token".to_owned())] {
            assert_eq!(told(path, &authorization, &none), "");
        }
        let bearer = "Bearer user-token".to_owned();
        let signature = "GenAuth key:signature".to_owned();
        for (path, authorization) in [
            ("/sign-in", &bearer),
            ("/sign-in", &signature),
            ("/app", &basic("one")),
            ("/app", &bearer),
            ("/app", &signature),
            ("/open", &basic("one")),
            ("/open", &bearer),
            ("/user", &basic("one")),
            ("/user", &signature),
            ("/user", &"user-token".to_owned()),
            ("/signed", &basic("one")),
            ("/signed", &bearer),
        ] {
            assert_eq!(told(path, authorization, &none), "this operation takes no such authorization header", "{path}");
        }
    }

    #[test]
    fn a_users_token_is_good_bare_and_behind_bearer_wherever_an_app_calls_and_a_wrong_one_is_nowhere() {
        let told = |path, authorization| {
            let refusal = refusal(false, path, authorization, &json!({}));
            [&refusal["statusCode"], &refusal["apiCode"]].map(|code| code.as_u64().unwrap_or_default())
        };
        for path in ["/user", "/app", "/sign-in"] {
            for (authorization, codes) in [
                ("user-token", [0, 0]),
                ("Bearer user-token", [0, 0]),
                ("other-token", [401, 2020]),
                ("Bearer other-token", [401, 2020]),
                ("Bearer", [401, 2020]),
                ("GenAuth key:signature", [400, 0]),
                ("Token user-token", [400, 0]),
            ] {
                assert_eq!(told(path, authorization), codes, "{path} {authorization}");
            }
        }
        for (path, authorization) in [("/open", "user-token"), ("/signed", "user-token"), ("/user", &basic("one"))] {
            assert_eq!(told(path, authorization), [400, 0], "{path} {authorization}");
        }
    }

    #[test]
    fn an_app_secret_in_the_body_is_refused_where_it_is_neither_taken_nor_a_field() {
        let body = json!({ "client_id": "one", "client_secret": "one-secret" });
        assert_eq!(told("/sign-in", "", &body), "");
        assert_eq!(told("/own", "", &body), "");
        for path in ["/app", "/open"] {
            assert_eq!(told(path, "", &body), "this operation takes no client_secret in its body", "{path}");
        }
    }

    #[test]
    fn an_app_proves_itself_and_no_other() {
        let other = "the app secret is not the one of the application in the app id header";
        let post = |id: &str| json!({ "client_id": id, "client_secret": format!("{id}-secret") });
        assert_eq!(told("/sign-in", &basic("one"), &json!({})), "");
        assert_eq!(told("/sign-in", "", &post("one")), "");
        assert_eq!(told("/sign-in", &basic("other"), &json!({})), other);
        assert_eq!(told("/sign-in", "", &post("other")), other);
        assert_eq!(told("/sign-in", &basic("stranger"), &json!({})), "wrong app id or app secret");
    }
}
