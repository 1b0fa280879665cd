//! The program `genauth`, run as a process against the mock.

mod api;
mod call;
mod canary;
mod config;
mod doctor;
mod help;
mod mock;
mod page;
mod program;
mod reference;
mod reviewed;
mod terminal;
mod tls;
mod token;
mod transcript;
