//! The public gRPC API: the messages and services of `proto/tidegate/v1`, and how they are served.
//!
//! Whoever carries the API out ([`v1::Face`]) implements [`Admits`], which says who is calling, and one generated trait per service, in
//! the terms of [`Error`]. Here is everything that is gRPC about it: a caller is admitted before its message is read, a refusal becomes
//! a status with rich details (CONTRACT section 2), and each violation names its field as `proto/` spells it.
//!
//! To add an operation: an `rpc` in `proto/`; the compiler then says what is missing.

mod serve;
mod spelling;

use std::future::Future;
use std::net::IpAddr;

use axum::http::HeaderMap;
use tidegate_model::{Error, Timestamp};

pub use prost_types::Timestamp as Instant;
pub use serve::Public;

use crate::convert;

/// The messages of `tidegate.v1`, and a trait per service.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated")]
pub mod v1 {
    use std::future::Future;
    use std::sync::Arc;

    use async_trait::async_trait;
    use tidegate_model::Error;
    use tonic::service::Routes;
    use tonic::{Request, Response, Status};

    use super::Admits;
    use super::serve::{Served, answered, opened};

    tonic::include_proto!("tidegate.v1");
    include!(concat!(env!("OUT_DIR"), "/services.rs"));
}

/// All of `proto/`: a `FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/tidegate.bin"));

/// A call before its message is read.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// What it says of itself.
    pub metadata: &'a HeaderMap,
    /// The other end of its connection.
    pub peer: Option<IpAddr>,
    /// The name of the RPC, such as `CreateLogic`.
    pub method: &'a str,
}

/// Says who is calling.
pub trait Admits: Send + Sync + 'static {
    /// An authenticated caller.
    type Caller: Clone + Send + Sync + 'static;

    /// Lets a caller in, or refuses it.
    fn admit(&self, call: Call<'_>) -> impl Future<Output = Result<Self::Caller, Error>> + Send;
}

/// A time as messages hold it.
pub fn instant(time: &Timestamp) -> Instant {
    convert::to_instant(time)
}

/// A caller's time; one that is none is refused under the field's name.
pub fn time(field: &str, instant: Option<Instant>) -> Result<Option<Timestamp>, Error> {
    Ok(convert::optional_instant(field, instant)?)
}
