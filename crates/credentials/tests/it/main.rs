//! Credentials through their public faces, the routes over HTTP and the verifier, on a real store.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod administrator;
#[path = "../../../model/tests/shared/captured.rs"]
mod captured;
mod guesses;
mod harness;
mod introspection;
mod keys;
mod logs;
mod revocation;
mod token_endpoint;
mod verifier;
