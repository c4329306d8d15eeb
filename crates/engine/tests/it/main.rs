//! The engine through its public face.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attach;
mod attacks;
mod calls;
mod compiling;
mod credentials;
mod egress;
mod errors;
mod examples;
mod fidelity;
mod guide;
mod harness;
mod http;
mod incoming;
mod kept;
mod library;
mod lint;
mod neighbours;
mod objects;
mod outgoing;
mod own_limits;
mod sandbox;
mod trials;
mod vault;
