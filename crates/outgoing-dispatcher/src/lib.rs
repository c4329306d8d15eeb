//! Event in, HTTP call out.
//!
//! Two loops share the lanes. The *intake* ([`intake`]) reads the log from a position kept in the database and stores one delivery per
//! event and listening Integration ([`fan_out`]) together with the new position, so that two intakes fence each other and an event seen
//! before adds nothing. The *claims* ([`claims`]) take from the table what is due: retries, what found its lane full, and leases that a
//! dead process left behind. Either way a delivery goes through its Integration's lane ([`lanes`]) to [`deliver`]: the scripts run once,
//! [`plan`] makes a call of their result, the attempt is stored, the call is made ([`http`]), [`retry`] judges the answer, and [`settle`]
//! stores in batches how it ended or when it goes on.
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
//! A header on every call: [`http::headers`]. A rule for what scripts return: [`plan`]. A status that is tried again: [`retry`].
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

mod claims;
mod deliver;
mod fan_out;
mod http;
mod in_hand;
mod intake;
mod lanes;
mod options;
mod record;
mod retry;
mod service;
mod settle;

pub use options::{InvalidOptions, Options, Schedule};
pub use service::{Dispatcher, Parts, Unsettled};
