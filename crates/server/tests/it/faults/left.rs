//! What the bus still has of records afterwards.

use async_nats::jetstream;
use async_nats::jetstream::stream::RawMessageErrorKind;
use serde_json::{Value, json};

use crate::harness::servers::Servers;
use crate::harness::{Api, eventually};

/// Looks up, by its id, each record that is still on the bus: it is in the database, or comes there by itself, and none was set aside. Answers how
/// many are on the bus all the same: a broker that was killed can show what was taken out of it.
pub(super) async fn on_the_bus(servers: &Servers, api: &Api) -> usize {
    let connection = eventually("the broker", || async { async_nats::connect(servers.nats_url()).await.ok() }).await;
    let bus = jetstream::new(connection);
    eventually("what is on the bus is in the database", || async {
        let stream = bus.get_stream("TIDEGATE_RECORDS").await.ok()?;
        let state = &stream.cached_info().state;
        let mut left = 0;
        // A stream that never had a message begins at zero, which is no place in it.
        for sequence in state.first_sequence.max(1)..=state.last_sequence {
            let message = match stream.get_raw_message(sequence).await {
                Ok(message) => message,
                Err(fault) if fault.kind() == RawMessageErrorKind::NoMessageFound => continue,
                Err(_) => return None,
            };
            assert!(!message.subject.contains("unreadable"), "a record was set aside: {message:?}");
            let record: Value = serde_json::from_slice(&message.payload).unwrap();
            let query = "query($id: ID!) { execution(id: $id) { id } }";
            let found = api.ask(query, json!({ "id": record["id"] })).await;
            left += 1;
            if found["execution"]["id"] != record["id"] {
                return None;
            }
        }
        Some(left)
    })
    .await
}
