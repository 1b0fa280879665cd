//! The values that the setters of builders take, and the errors about values that do not fit.
//!
//! An error names the path to the field and says what is wrong there. It repeats nothing of the value, which may be a
//! secret.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;

/// What the setter of an optional field takes: a value for it, or an `Option` of one.
///
/// `As` tells the two apart and is inferred. The type of a bare `None` cannot be inferred: do not set the field, or
/// write `None::<String>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a `{T}`, nor convertible into one, nor an `Option` of either",
    label = "this setter takes a `{T}`"
)]
pub trait Optional<T, As> {
    /// Returns what the field holds, or what is wrong with the value: for generated code.
    #[doc(hidden)]
    fn convert(self, field: &str) -> Result<Option<T>, String>;
}

/// What the setter of an optional field that may be null takes: the same as for [`Optional`], or [`Null`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a `{T}`, nor convertible into one, nor an `Option` of either, nor `Null`",
    label = "this setter takes a `{T}`"
)]
pub trait Nullable<T, As> {
    /// Returns what the field holds, or what is wrong with the value: for generated code.
    #[doc(hidden)]
    fn convert(self, field: &str) -> Result<Option<Option<T>>, String>;
}

/// Clears a field: it is sent as null, whereas a field that is not set is not sent.
///
/// ```
/// # #[cfg(feature = "roles")] fn main() {
/// use genauth::setter::Null;
/// use genauth::types::UpdateRoleDto;
///
/// // The role is never disabled by itself again.
/// let update = UpdateRoleDto::builder().code("editor").name("Editor").new_code("editor").disable_time(Null);
/// # let _ = update;
/// # }
/// # #[cfg(not(feature = "roles"))] fn main() {}
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Null;

/// The `As` of [`Null`].
#[derive(Debug)]
pub enum Cleared {}

/// The `As` of a value.
#[derive(Debug)]
pub enum Value {}

/// The `As` of an `Option`.
#[derive(Debug)]
pub enum Maybe {}

impl<T, V> Optional<T, Value> for V
where
    V: TryInto<T>,
    V::Error: 'static,
{
    fn convert(self, field: &str) -> Result<Option<T>, String> {
        required(self, field).map(Some)
    }
}

impl<T, V> Optional<T, Maybe> for Option<V>
where
    V: TryInto<T>,
    V::Error: 'static,
{
    fn convert(self, field: &str) -> Result<Option<T>, String> {
        self.map(|value| required(value, field)).transpose()
    }
}

impl<T, V> Nullable<T, Value> for V
where
    V: TryInto<T>,
    V::Error: 'static,
{
    fn convert(self, field: &str) -> Result<Option<Option<T>>, String> {
        required(self, field).map(Some).map(Some)
    }
}

impl<T, V> Nullable<T, Maybe> for Option<V>
where
    V: TryInto<T>,
    V::Error: 'static,
{
    fn convert(self, field: &str) -> Result<Option<Option<T>>, String> {
        self.map(|value| required(value, field).map(Some)).transpose()
    }
}

impl<T> Nullable<T, Cleared> for Null {
    fn convert(self, _: &str) -> Result<Option<Option<T>>, String> {
        Ok(Some(None))
    }
}

/// Returns the value for a field, or what is wrong with it: for generated code.
#[doc(hidden)]
pub fn required<T, V>(value: V, field: &str) -> Result<T, String>
where
    V: TryInto<T>,
    V::Error: 'static,
{
    value.try_into().map_err(|error| within(field, &error))
}

/// Returns the value for a request's body, or what is wrong with it: for generated code.
#[doc(hidden)]
pub fn body<T, B, V>(value: V) -> Result<B, String>
where
    V: TryInto<T>,
    V::Error: 'static,
    B: From<T>,
{
    value.try_into().map(B::from).map_err(|error| match known(&error) {
        Some(problem) => problem.to_owned(),
        None => "the body does not fit".to_owned(),
    })
}

fn within(field: &str, error: &dyn Any) -> String {
    let problem = known(error).unwrap_or("does not fit");
    match problem.strip_prefix('`') {
        Some(path) => format!("`{field}.{path}"),
        None => format!("`{field}` {problem}"),
    }
}

/// Returns the text of an error that this crate made; any other might print the value.
fn known(error: &dyn Any) -> Option<&str> {
    error.downcast_ref::<ConversionError>().map(|error| &*error.0)
}

/// Why a builder cannot make its value, or why a text is not a value of an enum.
pub struct ConversionError(Cow<'static, str>);

impl std::error::Error for ConversionError {}

impl fmt::Display for ConversionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ConversionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl From<&'static str> for ConversionError {
    fn from(problem: &'static str) -> Self {
        Self(problem.into())
    }
}

impl From<String> for ConversionError {
    fn from(problem: String) -> Self {
        Self(problem.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn optional<T, As>(value: impl Optional<T, As>) -> Result<Option<T>, String> {
        value.convert("field")
    }

    #[test]
    fn an_optional_field_takes_a_value_or_an_option_of_one() {
        assert_eq!(optional::<String, _>("x"), Ok(Some("x".to_owned())));
        assert_eq!(optional::<String, _>(Some("x")), Ok(Some("x".to_owned())));
        assert_eq!(optional::<String, _>(None::<&str>), Ok(None));
        assert_eq!(optional::<i64, _>(7), Ok(Some(7)));
        assert_eq!(optional::<Vec<i64>, _>([]), Ok(Some(Vec::new())));
    }

    #[test]
    fn an_error_names_the_way_to_the_field_and_nothing_of_the_value() {
        struct Loud;
        struct Failing(&'static str);
        impl TryFrom<Loud> for u8 {
            type Error = String;
            fn try_from(_: Loud) -> Result<Self, String> {
                Err("hunter2".to_owned())
            }
        }
        impl TryFrom<Failing> for u8 {
            type Error = ConversionError;
            fn try_from(failing: Failing) -> Result<Self, ConversionError> {
                Err(failing.0.into())
            }
        }
        assert_eq!(optional::<u8, _>(Loud), Err("`field` does not fit".to_owned()));
        assert_eq!(body::<u8, u8, _>(Loud), Err("the body does not fit".to_owned()));
        assert_eq!(
            required::<u8, _>(Failing("is not one of `a`"), "field"),
            Err("`field` is not one of `a`".to_owned())
        );
        assert_eq!(optional::<u8, _>(Failing("`inner` is not set")), Err("`field.inner` is not set".to_owned()));
        assert_eq!(body::<u8, u8, _>(Failing("`inner` is not set")), Err("`inner` is not set".to_owned()));
    }
}
