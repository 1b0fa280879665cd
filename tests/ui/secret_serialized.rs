//! A secret does not serialize by accident.

#[derive(serde::Serialize)]
struct Settings {
    app_secret: genauth::SecretString,
}

fn main() {}
