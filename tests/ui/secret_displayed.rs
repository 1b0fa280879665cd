//! A secret does not print.

fn main() {
    println!("{}", genauth::SecretString::from("secret"));
}
