//! `POST /oauth2/token`, by file: `request` reads the form, `client` tells who asks, `endpoint` answers, `refusal` is every way to say no.

mod client;
mod endpoint;
mod refusal;
mod request;

pub(crate) use client::authenticate;
pub(crate) use endpoint::{MAX_BODY, answer, never_cached};
pub(crate) use refusal::Refusal;
pub(crate) use request::IntrospectionRequest;
