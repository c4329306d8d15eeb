//! The public face of INCOMING Integrations: HTTP in, answer out, at `/webhook/<key>`.
//!
//! A request goes through the files in this order: `router` (the route, the id) -> `handle` (who is it for, may it run) -> `head` (not too large)
//! -> `rate` (not too often) -> `admission` (its turn) -> `body` (read within limits, decompressed by `encoding`) -> `request` (HTTP becomes what
//! scripts see; `proxies` tell who called) -> `signature` (signed as it has to be) -> `fitting` (what its schema says, where that is checked)
//! -> `repeats` (not here before) -> the engine -> `record` (what stays of it, without what `masking` hides) -> `answer` (one exhaustive
//! match to status and body). Checks come in the order key, method, rate, turn, body, active, window, signature, body readable, schema,
//! repeated, enable logic, core logic; the first that fails decides.
//!
//! What a caller may rely on:
//!
//! - Every answer carries `X-Request-Id`; where there is an execution record, it has that id. Answers of an Integration, and failures,
//!   carry `Integration-Outcome: executed | inactive | not-in-effect | not-enabled | failed`.
//! - The record is durable before the answer is sent. If it cannot be kept the answer is 503 although *the scripts have run*: a caller that
//!   repeats the call makes them run again, as after an answer that was lost on its way.
//! - A run that has begun comes to its end and its record even when the caller hangs up.
//! - A call that is not signed as the Integration requires is 401 and on record, with the check that failed; no script sees it. Where a
//!   secret cannot be had the answer is 500 or 503: nothing is let through unchecked.
//! - A call that does not fit the schema of an Integration that has it checked is 422 and on record, with the places that do not fit.
//! - A call that repeats another (the same delivery by the scheme of its signature, or the same `Idempotency-Key` where the Integration takes one)
//!   gets the first one's answer, with `Idempotency-Replayed: true`, or is 409 while that runs, or 422 where it says something else. Nothing runs, and
//!   nothing more is on record: the answer's `X-Request-Id` is that of the first one's record. A call that failed, or could not be recorded, is not
//!   repeated by the next one: that runs. Where it cannot be told whether a call was here before, it is 503 and does not run.
//! - What was refused before a script could run (400, 404, 405, 408, 409, 413, 414, 415, 422, 429, 431, 503) leaves no record and is `application/problem+json`.
//! - A call that is one too many waits a moment and is then told 503 with `Retry-After`; what one Integration or one tenant has too many of
//!   takes no turn of another's (`admission`).
//!
//! What nobody finds here: the webhook key (not in logs, answers or records, wherever a caller, a proxy or a script copied it to), the error of a
//! script (its record has it), or the value of a header that carries credentials or a signature (`masking`). A token or password that a caller
//! shows instead of a signature is not told to scripts either.
//!
//! To add a check: its place in `handle`, its answer in `answer`, its row in the table tests of both.
//!
//! ```no_run
//! # fn example(registry: std::sync::Arc<dyn tidegate_model::contract::Registry>, vault: std::sync::Arc<dyn tidegate_model::contract::Vault>, recorder: std::sync::Arc<dyn tidegate_model::contract::Recorder>, repeats: std::sync::Arc<dyn tidegate_model::contract::Repeats>, engine: tidegate_engine::Engine) {
//! use std::sync::Arc;
//! use tidegate_model::{SystemClock, SystemRandomness};
//! use tidegate_webhook_gateway::{Gateway, Options, Parts};
//!
//! let (clock, randomness) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
//! let gateway = Gateway::build(Options::default(), Parts { registry, vault, recorder, repeats, engine, clock, randomness });
//! let routes = gateway.router();
//! // at shutdown, once no new calls come in:
//! # async { gateway.drain().await };
//! # }
//! ```

mod admission;
mod answer;
mod away;
mod body;
mod encoding;
mod fitting;
mod gateway;
mod handle;
mod head;
mod masking;
mod options;
mod parameters;
mod proxies;
mod rate;
mod record;
mod repeats;
mod request;
mod router;
mod signature;

pub use gateway::{Gateway, Parts};
pub use options::Options;
