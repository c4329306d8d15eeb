//! The dispatcher as its neighbours see it: a real store, log, engine and client; destinations behind a real socket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;

mod calls;
mod circuit;
mod crashes;
mod credentials;
mod deleted;
mod isolation;
mod log;
mod odd_answers;
mod ordering;
mod pauses;
mod records;
mod results;
mod retries;
mod settings;
mod signatures;
