//! Event in, HTTP call out.
//!
//! Two loops share the lanes. The *intake* ([`intake`]) reads the log from a position kept in the database and stores one delivery per
//! event and listening Integration ([`fan_out`]) together with the new position, so that two intakes fence each other and an event seen
//! before adds nothing. The *claims* ([`claims`]) take from the table what is due: retries, what found its lane full, and leases that a
//! dead process left behind. Either way a delivery goes through its Integration's lane ([`lanes`]) to [`deliver`]: the scripts run once,
//! the engine's `plan` makes a call of their result, and [`attempt`] makes it: signed ([`signing`]), with its destination's credential
//! ([`credential`]), on record before it is made. [`retry`] judges the answer, and [`settle`] stores in batches how it ended or when it
//! goes on. A destination that fails is left alone for a while ([`circuit`]); one that is gone pauses its Integration ([`standing`]).
//!
//! # What a caller may rely on
//!
//! - *At least once.* Whatever dies, every event that the log accepted ends, for every Integration that listened, in a record. An attempt
//!   is on record before its call: after a crash it shows `outcome unknown`, and the next attempt follows.
//! - *One slow destination* fills its own lane and nothing else. What does not fit stays in the table, not in memory.
//! - *Order*, for Integrations that ask for it: deliveries about one object follow each other in the order of the log; the store says whose
//!   turn it is, so this holds across retries, crashes and processes. One that ends, however it ends, makes the next one due at once.
//! - *Two processes* never have the same delivery in hand: the lease is checked before each call, and lasts longer than script and call.
//! - *Times*: what is due follows the [`Clock`](tidegate_model::Clock); waiting follows tokio's timers, at most the poll interval.
//!
//! # To add
//!
//! A header on every call: [`http::headers`]. A rule for what scripts return: the engine's `plan`. A status that is tried again: [`retry`].
//! What is kept of a call: [`record`].
//!
//! ```no_run
//! # async fn example(parts: tidegate_outgoing_dispatcher::Parts) -> Result<(), Box<dyn std::error::Error>> {
//! use tidegate_outgoing_dispatcher::{Dispatcher, Options};
//!
//! let shutdown = tokio_util::sync::CancellationToken::new();
//! Dispatcher::build(Options { alone: true, ..Options::default() }, parts)?.run(shutdown).await?;
//! # Ok(())
//! # }
//! ```
#![allow(rustdoc::private_intra_doc_links, reason = "the manual is for those who work here, too")]

mod attempt;
mod circuit;
mod claims;
mod credential;
mod deliver;
mod fan_out;
mod http;
mod in_hand;
mod intake;
mod lane;
mod lanes;
mod options;
mod record;
mod retry;
mod service;
mod settle;
mod shares;
mod signing;
mod standing;

pub use circuit::CircuitOptions;
pub use options::{InvalidOptions, Options, Schedule};
pub use service::{Dispatcher, Parts, Unsettled};
