//! Everything that crosses between Tidegate's processes: calls ([`grpc`]), events, records and notices ([`nats`]), and what is held
//! of answers that came from elsewhere ([`CachedRegistry`]); and the public gRPC API ([`api`]), whose operations the director carries out.
//!
//! Each contract of `tidegate_model::contract` is carried out in one process; here is its other end for every other process, and
//! nothing that holds an `Arc<dyn ...>` can tell which one it has: arguments, results and errors are the same, and one test suite runs
//! over both ends. What this costs is one more way to fail, [`Error::Unavailable`](tidegate_model::Error): whoever calls another
//! process must have an answer to it.
//!
//! Domain types stop at this crate's border: `convert/` turns them into the messages of `proto/` and back, and names the field of
//! whatever does not fit. This is the one home of prost, tonic and async-nats.
//!
//! To carry one more contract: a service in `proto/tidegate/internal/`, a file with its two ends in `grpc/`, a field of [`grpc::Server`], a method of
//! [`grpc::Peer`], a file of tests that runs over both.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use tidegate_model::{Secret, contract::Registry};
//! # use tidegate_wire::grpc::{Peer, Server};
//! # async fn example(here: Arc<dyn Registry>, secret: Secret) -> Result<(), Box<dyn std::error::Error>> {
//! // The director carries it out and serves it ...
//! let server = Server { secret: Some(secret.clone()), verifier: None, certified: false, registry: Some(here), objects: None, vault: None, authority: None, public: None };
//! let (routes, health) = server.routes().await?;
//! // ... and the gateway, in another process, has the same contract.
//! let there: Arc<dyn Registry> = Peer::connect("http://director:8080", &secret, None)?.registry();
//! # Ok(())
//! # }
//! ```

pub mod api;
mod cache;
mod convert;
mod fault;
pub mod grpc;
mod local_notices;
pub mod nats;
mod standing;

pub use cache::{CacheOptions, CachedRegistry, CachedVault};
pub use local_notices::LocalNotices;
pub use standing::with_causes;
