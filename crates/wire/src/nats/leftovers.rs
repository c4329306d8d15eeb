//! What the stream shows again of records that were taken out of it.
//!
//! A nats-server 2.9 that is killed forgets what it removed last: records that were stored and acknowledged are in the stream again, and the consumer,
//! which knows them as acknowledged, gives them to nobody. They would stay there for good.

use tidegate_model::{Error, Execution};

use super::drain::RecordSink;
use super::{Link, raw};

/// Removes records up to the sequence up to which all are acknowledged. Each was stored before that, and is stored once more all the same: that changes
/// nothing where it is, and what the database refuses was set aside then.
pub(super) async fn remove(link: &Link, sink: &dyn RecordSink, acknowledged: u64) -> Result<(), async_nats::Error> {
    let stream = link.jetstream.get_stream_no_info(&link.names.record_stream).await?;
    let subject = format!("{}.>", link.names.records);
    let (mut from, mut removed) = (1, 0);
    while let Some(left) = raw::next(&link.jetstream, &link.names.record_stream, &subject, from).await? {
        if left.sequence > acknowledged {
            break;
        }
        if let Ok(record) = serde_json::from_slice::<Execution>(&left.payload)
            && let Err(away @ Error::Unavailable(_)) = sink.store(&[record]).await
        {
            return Err(away.into());
        }
        match stream.delete_message(left.sequence).await {
            Ok(_) => removed += 1,
            Err(cause) => tracing::debug!(%cause, "a record that was left is removed by somebody else"),
        }
        from = left.sequence + 1;
    }
    if removed > 0 {
        tracing::info!(removed, "the broker showed records that had been taken out of it");
    }
    Ok(())
}
