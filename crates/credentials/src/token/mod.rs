//! `POST /oauth2/token`, by file: `request` reads the form, `client` tells who asks (and `guesses` how often it was somebody else),
//! `endpoint` answers, `refusal` is every way to say no.

mod client;
mod endpoint;
mod guesses;
mod refusal;
mod request;

pub(crate) use client::authenticate;
pub(crate) use endpoint::{answer, never_cached};
pub(crate) use guesses::Guesses;
pub(crate) use refusal::Refusal;
pub(crate) use request::AboutToken;
