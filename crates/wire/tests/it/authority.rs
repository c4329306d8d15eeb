//! `TokenAuthority`, in the process and over gRPC.

use std::sync::Arc;

use tidegate_model::contract::TokenAuthority;
use tidegate_model::{ClientId, SystemClock, SystemRandomness, TokenId};
use tidegate_wire::grpc::Server;

use crate::harness::{Ends, nothing};
use crate::memory::MemoryAuthority;

#[tokio::test]
async fn keys_and_live_tokens_are_told() {
    let client = || ClientId::generate(&SystemClock, &SystemRandomness);
    let token = || TokenId::generate(&SystemClock, &SystemRandomness);
    let live = (client(), token());
    let authority = Arc::new(MemoryAuthority { live });
    let server = Server { authority: Some(authority.clone()), ..nothing() };
    let ends = Ends::<dyn TokenAuthority>::of(authority.clone(), server, |peer| peer.authority()).await;
    for (end, remote) in &ends.ends {
        assert_eq!(remote.key_set().await, authority.key_set().await, "{end}");
        assert_eq!(remote.is_live(live.0, live.1).await, Ok(true), "{end}");
        assert_eq!(remote.is_live(client(), live.1).await, Ok(false), "{end}");
        assert_eq!(remote.is_live(live.0, token()).await, Ok(false), "{end}");
    }
}
