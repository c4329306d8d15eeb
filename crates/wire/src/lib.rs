//! Everything that crosses between Tidegate's processes: calls ([`grpc`]) and what is held of their answers ([`CachedRegistry`]).
//!
//! Each contract of `tidegate_model::contract` is carried out in one process; here is its other end for every other process, and
//! nothing that holds an `Arc<dyn ...>` can tell which one it has. Domain types stop at this crate's border: `convert/` turns them
//! into the messages of `proto/` and back, and names the field of whatever does not fit. The one home of prost, tonic and async-nats.

mod cache;
mod convert;
mod fault;
pub mod grpc;
mod local_notices;
pub mod nats;

pub use cache::{CacheOptions, CachedRegistry};
pub use local_notices::LocalNotices;
