//! What the API says about the application, the access key, each endpoint, and the WeChat app.

use super::finding::Report;
use super::network::ClockIs;
use crate::errcode;
use crate::failure::{Exit, Failure};
use crate::settings::Settings;
use crate::token;
use genauth::{Client, Credential, Error, ErrorKind, Operation};
use http::StatusCode;
use serde_json::{Map, Value, json};

const APP: &str = "app";
const ACCESS_KEY: &str = "access key";
const ENDPOINT: &str = "endpoint";
const WECHAT: &str = "WeChat app";
pub(super) const CHECKS: &[&str] = &[APP, ACCESS_KEY, ENDPOINT, WECHAT];

/// What an operation's answer to an empty request says about it.
enum Probe {
    There,
    Missing,
    /// Nothing was sent, because there are no credentials for it.
    NotAsked,
    /// The server refuses the credentials.
    Refused(Error),
    /// The answer is not the API's.
    Broken(Error),
}

struct Checks<'a> {
    report: &'a mut Report,
    settings: &'a Settings,
    client: &'a Client,
    /// Why nothing can be asked as this application.
    app_is_out: Option<&'static str>,
    /// Why nothing can be asked with this access key.
    key_is_out: Option<&'static str>,
}

pub(super) async fn check(report: &mut Report, settings: &Settings, client: &Client, clock: ClockIs) {
    let key_is_out = if clock == ClockIs::Wrong { Some("clock") } else { None };
    let mut checks = Checks { report, settings, client, app_is_out: None, key_is_out };
    checks.app().await;
    checks.access_key().await;
    let usable = checks.endpoints().await;
    checks.wechat(usable).await;
}

impl Checks<'_> {
    async fn app(&mut self) {
        let Some(id) = self.settings.text("app_id") else { return self.report.skip(APP, "no app id is set") };
        let outcome = match self.settings.text("app_secret") {
            Some(secret) => {
                let fields = fields(&json!({ "appId": id, "appSecret": secret }));
                self.client.invoke("checkAppIdSecret", fields).await.map(|answer| answer["valid"].as_bool())
            }
            // An empty request is answered with what is missing, unless the application itself is unknown.
            None => match probe(self.client, token::operations().first().copied()).await {
                Probe::Refused(error) | Probe::Broken(error) => Err(error),
                _ => Ok(None),
            },
        };
        match outcome {
            Ok(Some(false)) => {
                let advice = "copy the secret of this app id from the console, into GENAUTH_APP_SECRET or its file";
                self.report.fail(APP, Exit::Refused, "the app secret is not that of the app id", advice);
            }
            Ok(Some(true)) => self.report.ok(APP, "id and secret belong together"),
            Ok(None) => self.report.ok(APP, "the host knows the app id; no secret is set"),
            Err(error) if error.http_status() == Some(StatusCode::NOT_FOUND) => {
                self.report.skip(APP, "the host has no endpoint to check it at");
            }
            Err(error) => {
                self.fail(APP, &error);
                (self.app_is_out, self.key_is_out) = (Some(APP), self.key_is_out.or(broken(&error, APP)));
            }
        }
    }

    async fn access_key(&mut self) {
        if self.settings.text("access_key_id").is_none() {
            return self.report.skip(ACCESS_KEY, "no access key is set");
        }
        if let Some(needed) = self.key_is_out {
            return self.report.skip(ACCESS_KEY, format!("needs {needed}"));
        }
        let signed = token::operations().into_iter().find(|operation| by_key_alone(operation));
        match probe(self.client, signed).await {
            Probe::There => self.report.ok(ACCESS_KEY, "is accepted"),
            Probe::Missing | Probe::NotAsked => self.report.skip(ACCESS_KEY, "the host has no endpoint to check it at"),
            Probe::Refused(error) | Probe::Broken(error) => {
                self.fail(ACCESS_KEY, &error);
                (self.key_is_out, self.app_is_out) = (Some(ACCESS_KEY), self.app_is_out.or(broken(&error, ACCESS_KEY)));
            }
        }
    }

    /// Checks each endpoint. Returns whether the one that the token would be fetched from is there.
    async fn endpoints(&mut self) -> Result<(), &'static str> {
        let wanted = token::default_operation(self.settings);
        let mut usable = Ok(());
        for operation in token::operations() {
            let by_key = self.settings.text("app_id").is_none() || by_key_alone(operation);
            let out = if by_key { self.key_is_out } else { self.app_is_out };
            let (name, path) = (operation.id, operation.path);
            let held = if by_key { "access_key_id" } else { "app_id" };
            let found = match out.filter(|_| self.settings.text(held).is_some()) {
                Some(needed) => Err(needed),
                None => Ok(probe(self.client, Some(operation)).await),
            };
            let outcome = match found {
                Err(needed) => {
                    self.report.skip(ENDPOINT, format!("{path}: needs {needed}"));
                    Err(needed)
                }
                Ok(Probe::There) => {
                    let deprecated = if operation.deprecated { ", deprecated" } else { "" };
                    self.report.ok(ENDPOINT, format!("{path} ({name}{deprecated})"));
                    Ok(())
                }
                Ok(Probe::NotAsked) => {
                    let what = if by_key { "an access key" } else { "an app id" };
                    self.report.skip(ENDPOINT, format!("{path}: takes {what}, and none is set"));
                    Err(ENDPOINT)
                }
                Ok(Probe::Missing) if name == wanted => {
                    let advice = "check the path of --host; otherwise choose another with `genauth token --operation`";
                    self.report.fail(ENDPOINT, Exit::Server, format!("{path} ({name}) is not on this host"), advice);
                    Err(ENDPOINT)
                }
                Ok(Probe::Missing) => {
                    self.report.warn(ENDPOINT, format!("{path} ({name}) is not on this host"), format!("use {wanted}"));
                    Err(ENDPOINT)
                }
                Ok(Probe::Refused(error) | Probe::Broken(error)) => {
                    self.fail(ENDPOINT, &error);
                    if broken(&error, ENDPOINT).is_some() {
                        (self.app_is_out, self.key_is_out) = (Some(ENDPOINT), Some(ENDPOINT));
                    }
                    Err(ENDPOINT)
                }
            };
            if name == wanted {
                usable = outcome;
            }
        }
        usable
    }

    async fn wechat(&mut self, usable: Result<(), &'static str>) {
        let set = (self.settings.text("wechat_app_id"), self.settings.text("wechat_app_secret"));
        let (Some(id), Some(secret)) = set else {
            return self.report.skip(WECHAT, "no WeChat app is set with its secret; no token was fetched");
        };
        if let Err(needed) = usable {
            return self.report.skip(WECHAT, format!("needs {needed}"));
        }
        let fields = fields(&json!({ "appId": id, "appSecret": secret }));
        match self.client.invoke(token::default_operation(self.settings), fields).await {
            Ok(answer) => {
                let until = genauth::UnixTimestamp::from_secs(answer["expiresAt"].as_i64().unwrap_or_default());
                self.report.ok(WECHAT, format!("has a token until {until}"));
            }
            Err(error) => match errcode::named_in(&error) {
                Some((_, sentence)) => {
                    self.report.fail(WECHAT, error.kind().into(), Failure::call(&error, None).line(), sentence);
                }
                None => self.fail(WECHAT, &error),
            },
        }
    }

    /// Adds a failure without advice: the library's message says what to do.
    fn fail(&mut self, check: &'static str, error: &Error) {
        self.report.fail(check, error.kind().into(), Failure::call(error, None).line(), "");
    }
}

/// Names the check if the answer is not the API's at all: then there is no use in asking further.
fn broken(error: &Error, check: &'static str) -> Option<&'static str> {
    (Exit::from(error.kind()) != Exit::Refused).then_some(check)
}

fn by_key_alone(operation: &Operation) -> bool {
    !operation.credentials.iter().flat_map(|all| all.iter()).any(|credential| *credential == Credential::AppId)
}

fn fields(object: &Value) -> Map<String, Value> {
    object.as_object().cloned().unwrap_or_default()
}

/// Sends an empty request. A host that has the operation answers what is missing, after a check of the credentials.
async fn probe(client: &Client, operation: Option<&'static Operation>) -> Probe {
    let Some(operation) = operation else { return Probe::NotAsked };
    let outcome = client.call::<_, Value>(operation.method.clone(), operation.path, &json!({})).await;
    let Err(error) = outcome else { return Probe::There };
    match error.kind() {
        ErrorKind::Credentials => Probe::NotAsked,
        ErrorKind::Api | ErrorKind::Http if error.http_status() == Some(StatusCode::NOT_FOUND) => Probe::Missing,
        ErrorKind::Api => match (error.status_code(), error.api_code()) {
            (_, Some(1300..=1306 | 2011 | 2224)) | (Some(401 | 403), _) => Probe::Refused(error),
            _ => Probe::There,
        },
        ErrorKind::NoData => Probe::There,
        _ => Probe::Broken(error),
    }
}
