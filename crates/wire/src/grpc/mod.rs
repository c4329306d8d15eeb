//! Calls between Tidegate's roles, over gRPC (`proto/tidegate/internal`).
//!
//! [`Server`] puts local implementations of the contracts on the role's one port; [`Peer`] is the other end, and gives out the same
//! contracts. A caller cannot tell: the same arguments, results and [`Error`](tidegate_model::Error)s come through. Each call shows
//! who makes it ([`Proof`]): a service's own access token, or a secret that all roles share; a call of anybody else is refused before it
//! is read. Over TLS they may know each other by certificates too ([`PeerTls`], [`Certified`]). Beside them the director's public services ([`api`](crate::api)) stand
//! on the same port, under their own rules. Health (`grpc.health.v1`) and reflection stand open, because they tell nothing that is not
//! in `proto/`.
//!
//! To add a call: an `rpc` in `proto/tidegate/internal/`, a conversion in `convert/`, a method on each side in the contract's file here.

mod authority;
mod call;
mod guard;
mod intern;
mod objects;
mod peer;
mod proof;
mod registry;
mod server;
mod status;
mod tokens;
mod vault;

pub use guard::Certified;
pub use peer::{InvalidPeer, Peer, PeerTls};
pub use proof::Proof;
pub use server::{Health, Server};
pub use tokens::PeerTokens;

pub(crate) use status::to_status;

/// The messages and services of `proto/tidegate/internal/v1`, generated.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated")]
pub(crate) mod pb {
    tonic::include_proto!("tidegate.internal.v1");
}

/// The largest message either end accepts: a find of a thousand objects fits, and one peer cannot fill the other's memory.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;
