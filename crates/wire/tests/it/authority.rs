//! `TokenAuthority`, in the process and over gRPC.

use std::sync::Arc;

use tidegate_model::contract::TokenAuthority;
use tidegate_model::{ClientId, SystemClock, SystemRandomness};
use tidegate_wire::grpc::Server;

use crate::harness::{Ends, nothing};
use crate::memory::MemoryAuthority;

#[tokio::test]
async fn keys_and_live_clients_are_told() {
    let live = ClientId::generate(&SystemClock, &SystemRandomness);
    let authority = Arc::new(MemoryAuthority { live });
    let server = Server { authority: Some(authority.clone()), ..nothing() };
    let ends = Ends::<dyn TokenAuthority>::of(authority.clone(), server, |peer| peer.authority()).await;
    for (end, remote) in &ends.ends {
        assert_eq!(remote.key_set().await, authority.key_set().await, "{end}");
        assert_eq!(remote.is_live(live).await, Ok(true), "{end}");
        let gone = ClientId::generate(&SystemClock, &SystemRandomness);
        assert_eq!(remote.is_live(gone).await, Ok(false), "{end}");
    }
}
