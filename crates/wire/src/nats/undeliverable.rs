//! Records that the broker has and async-nats cannot take: their headers are none, or say what only the broker may say.
//!
//! Each ends the connection or the pull when it is delivered, is never acknowledged, and would come again for good.

use tidegate_model::Error;

use super::aside::Aside;
use super::drain::RecordSink;
use super::{Link, raw};

/// Which records were delivered and not acknowledged.
pub(super) struct Open {
    /// Up to here all are acknowledged.
    pub(super) acknowledged: u64,
    /// Up to here all were delivered.
    pub(super) delivered: u64,
    /// Whether those that can be delivered were lost with the connection: the broker would wait before it gives them again.
    pub(super) all: bool,
}

/// Takes them out of what is open, and of what follows for as long as one follows the other. What is a record all the same is stored, the rest is set aside.
pub(super) async fn remove(
    link: &Link,
    sink: &dyn RecordSink,
    aside: &Aside,
    open: Open,
) -> Result<(), async_nats::Error> {
    let stream = link.jetstream.get_stream_no_info(&link.names.record_stream).await?;
    let subject = format!("{}.>", link.names.records);
    let mut from = open.acknowledged + 1;
    while let Some(message) = raw::next(&link.jetstream, &link.names.record_stream, &subject, from).await? {
        from = message.sequence + 1;
        if !message.is_odd() && message.sequence > open.delivered {
            break;
        }
        if !message.is_odd() && !open.all {
            continue;
        }
        let stored = match serde_json::from_slice(&message.payload) {
            Ok(record) => sink.store(&[record]).await,
            Err(_) => Err(Error::invalid("payload", "a record")),
        };
        let is_out = match stored {
            Ok(()) => true,
            Err(away @ Error::Unavailable(_)) => return Err(away.into()),
            Err(_) if !message.is_odd() => false,
            Err(_) => {
                let cause = "it cannot be delivered, and is no record that can be stored";
                aside.keep(&message.subject, message.sequence, message.payload, cause).await?
            }
        };
        if is_out && let Err(cause) = stream.delete_message(message.sequence).await {
            tracing::debug!(%cause, "a record that could not be delivered is removed by somebody else");
        }
    }
    Ok(())
}
