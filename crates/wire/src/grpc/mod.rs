//! Calls between Tidegate's roles, over gRPC.
//!
//! [`Server`] puts local implementations of the contracts on the role's one port; [`Peer`] is the other end, and gives out the same
//! contracts. A caller cannot tell: the same arguments, results and [`Error`](tidegate_model::Error)s come through. Both ends know one
//! shared secret; a call without it is refused before it is read. Health (`grpc.health.v1`) and reflection stand open, because they
//! tell nothing that is not in `proto/`.
//!
//! To add a call: an `rpc` in `proto/`, a conversion in `convert/`, a method on each side in the contract's file here.

mod authority;
mod call;
mod guard;
mod intern;
mod objects;
mod peer;
mod registry;
mod server;
mod status;

pub use peer::{InvalidPeer, Peer};
pub use server::{Health, Server};

/// The messages and services of `proto/tidegate/v1`, generated.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated")]
pub(crate) mod pb {
    tonic::include_proto!("tidegate.v1");

    /// What reflection answers with.
    pub(crate) const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/tidegate.bin"));
}

/// The largest message either end accepts: a find of a thousand objects fits, and one peer cannot fill the other's memory.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;
