//! Sign-ins, which give a client for the user, or what the server wants done first.

use crate::error::COMPLETE;
use crate::types::SigninByCredentialsDtoConnection as Connection;
use crate::types::{LoginTokenResponseDataDto, SignInByPasswordPayloadDto, SigninByCredentialsDto};
use crate::{Client, Error, ErrorKind, Response, SecretString};
use serde_json::Value;
use std::fmt;

/// How a sign-in went.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SignIn {
    /// The user is signed in.
    SignedIn(Box<SignedIn>),
    /// The server wants more before it lets the user in.
    NextStep(NextStep),
}

/// A signed-in user.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SignedIn {
    /// The client that signed in, now with the user's access token; the client that it was made from keeps its own.
    pub client: Client,
    /// All tokens of the user, with the envelope that they came in.
    pub tokens: Response<LoginTokenResponseDataDto>,
}

/// What the server wants before it lets a user in: a second factor, a new password, a phone number.
#[derive(Clone)]
pub struct NextStep {
    code: i64,
    error: Error,
}

/// What a [`NextStep`] asks for: the steps among the codes that the API's documents list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NextStepKind {
    /// The second factor that the user has set up, code 1635.
    UserSecondFactor,
    /// One of the second factors that the app asks for, code 1636.
    SecondFactor,
    /// A new password at the first sign-in, which does not ask for the old one, code 1639.
    NewPassword,
    /// To bind the external identity to an account that exists, code 1640.
    BindAccount,
    /// To bind the external identity to an account that exists, or to a new one, code 1641.
    BindOrCreateAccount,
    /// What is missing from the user's profile, code 1642.
    CompleteProfile,
    /// To unlock the account, which the user can do, code 1643.
    Unlock,
    /// A new password instead of the old one, which is asked for, code 2058.
    ChangePassword,
    /// A step with another code: [`message`](NextStep::message) and [`code`](NextStep::code) tell which.
    Other,
}

impl NextStepKind {
    fn of(code: i64) -> Option<Self> {
        Some(match code {
            1635 => Self::UserSecondFactor,
            1636 => Self::SecondFactor,
            1639 => Self::NewPassword,
            1640 => Self::BindAccount,
            1641 => Self::BindOrCreateAccount,
            1642 => Self::CompleteProfile,
            1643 => Self::Unlock,
            2058 => Self::ChangePassword,
            _ => return None,
        })
    }
}

/// The code of a sign-in that has to start over.
const ENDED_EARLY: i64 = 1699;

impl NextStep {
    /// Returns what is to be done.
    #[must_use]
    pub fn kind(&self) -> NextStepKind {
        NextStepKind::of(self.code).unwrap_or(NextStepKind::Other)
    }

    /// Returns the API's own code for the step, such as 1636.
    #[must_use]
    pub fn code(&self) -> i64 {
        self.code
    }

    /// Returns the server's message about it.
    #[must_use]
    pub fn message(&self) -> &str {
        self.error.server_message().unwrap_or_default()
    }

    /// Returns what the server sent for the step, such as the token to send the second factor with. It may hold
    /// secrets: `Debug` does not show it.
    #[must_use]
    pub fn data(&self) -> Option<Value> {
        let mut envelope: Value = serde_json::from_slice(self.error.body()?).ok()?;
        envelope.get_mut("data").map(Value::take).filter(|data| !data.is_null())
    }

    /// Returns the error that `send()` returns for it.
    #[must_use]
    pub fn into_error(self) -> Error {
        self.error
    }
}

impl fmt::Debug for NextStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextStep")
            .field("kind", &self.kind())
            .field("code", &self.code)
            .field("message", &self.message())
            .finish_non_exhaustive()
    }
}

impl Error {
    /// Returns the step that the server wants before it lets a user in, if that is why a sign-in failed.
    #[must_use]
    pub fn next_step(&self) -> Option<NextStep> {
        // The known codes may come in either field; at a sign-in the codes around them are taken for steps as well.
        let is_neighbour = |code: &i64| (1600..1700).contains(code) && ![COMPLETE, ENDED_EARLY].contains(code);
        let is_step = |code: &i64| {
            NextStepKind::of(*code).is_some() || self.subject().starts_with("signIn") && is_neighbour(code)
        };
        let code = self.status_code().filter(is_step).or_else(|| self.api_code().filter(is_step))?;
        Some(NextStep { code, error: self.clone() })
    }
}

impl Client {
    /// Signs a user in, in any of the ways that `signInByCredentials` has: `connection` says which payload is filled.
    ///
    /// # Errors
    ///
    /// Those of `sign_in_by_credentials().send()`; a step that is still to be done is not an error but a
    /// [`SignIn::NextStep`]. [`ErrorKind::NoData`] if the user is signed in but there is no access token, as when the
    /// server keeps a session instead (code 1600).
    ///
    /// ```
    /// # #[cfg(feature = "mock")] #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use genauth::mock::MockGenAuth;
    /// # let server = MockGenAuth::start().await?;
    /// # let client = server.client_builder().build()?;
    /// # let (name, password) = (MockGenAuth::USER_ACCOUNT, MockGenAuth::USER_PASSWORD);
    /// use genauth::types::{
    ///     SignInByPasswordPayloadDto, SignInOptionsDto, SigninByCredentialsDto, SigninByCredentialsDtoConnection,
    /// };
    /// use genauth::{NextStepKind, SignIn};
    ///
    /// let payload = SignInByPasswordPayloadDto::builder().username(name.to_owned()).password(password);
    /// let options = SignInOptionsDto::builder().scope("openid profile".to_owned());
    /// let body = SigninByCredentialsDto::builder()
    ///     .connection(SigninByCredentialsDtoConnection::Password)
    ///     .password_payload(SignInByPasswordPayloadDto::try_from(payload)?)
    ///     .options(SignInOptionsDto::try_from(options)?);
    ///
    /// match client.sign_in(body).await? {
    ///     SignIn::SignedIn(user) => println!("may see {:?}", user.tokens.scope),
    ///     SignIn::NextStep(step) if step.kind() == NextStepKind::NewPassword => println!("choose a new password"),
    ///     SignIn::NextStep(step) => println!("first: {}", step.message()),
    ///     _ => {}
    /// }
    /// # Ok(()) }
    /// # #[cfg(not(feature = "mock"))] fn main() {}
    /// ```
    pub async fn sign_in<B>(&self, body: B) -> Result<SignIn, Error>
    where
        B: TryInto<SigninByCredentialsDto>,
        B::Error: 'static,
    {
        let tokens = match self.sign_in_by_credentials().body(body).send().await {
            Ok(tokens) => tokens,
            Err(error) => return error.next_step().map(SignIn::NextStep).ok_or(error),
        };
        let Some(token) = tokens.access_token.clone().filter(|token| !token.expose_secret().trim().is_empty()) else {
            let detail = "the server signed the user in but sent no access token; check the application's scopes";
            return Err(Error::new(ErrorKind::NoData, "signInByCredentials", detail));
        };
        let client = self.with_user_access_token(token)?;
        Ok(SignIn::SignedIn(Box::new(SignedIn { client, tokens })))
    }

    /// Signs a user in by password. `account` is a user name, an email address or a phone number.
    ///
    /// # Errors
    ///
    /// Those of [`sign_in`](Self::sign_in).
    ///
    /// ```
    /// # #[cfg(feature = "mock")] #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use genauth::mock::MockGenAuth;
    /// # let server = MockGenAuth::start().await?;
    /// # let client = server.client_builder().build()?;
    /// # let (account, password) = (MockGenAuth::USER_ACCOUNT, MockGenAuth::USER_PASSWORD);
    /// use genauth::SignIn;
    ///
    /// match client.sign_in_by_password(account, password).await? {
    ///     SignIn::SignedIn(user) => {
    ///         let profile = user.client.get_profile().send().await?;
    ///         println!("{} is signed in", profile.user_id);
    ///     }
    ///     SignIn::NextStep(step) => println!("first: {} ({})", step.message(), step.code()),
    ///     _ => {}
    /// }
    /// # Ok(()) }
    /// # #[cfg(not(feature = "mock"))] fn main() {}
    /// ```
    pub async fn sign_in_by_password(
        &self,
        account: impl Into<String>,
        password: impl Into<SecretString>,
    ) -> Result<SignIn, Error> {
        // The builder is used because the document may get more fields.
        let payload = SignInByPasswordPayloadDto::builder().account(account.into()).password(password.into());
        let payload = SignInByPasswordPayloadDto::try_from(payload)
            .map_err(|problem| Error::new(ErrorKind::Request, "signInByCredentials", problem.to_string()))?;
        let body = SigninByCredentialsDto::builder().connection(Connection::Password).password_payload(payload);
        self.sign_in(body).await
    }
}
