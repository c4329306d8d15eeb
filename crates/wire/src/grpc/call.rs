//! Making a call: how long it may take, and which one is made again.

use std::time::Duration;

use tidegate_model::Error;
use tonic::{Response, Status};

use super::status::{from_status, is_silence};

/// For one call, and for all tries of one together.
const DEADLINE: Duration = Duration::from_secs(10);

/// Between the tries of a read: for a connection to be made anew, and for a restarted process to listen again.
const PAUSES: [Duration; 3] = [Duration::from_millis(50), Duration::from_millis(250), Duration::from_secs(1)];

/// Calls once: what changes something is not repeated, because an unanswered call may have been carried out.
pub(super) async fn once<T: Send>(
    peer: &'static str,
    call: impl Future<Output = Result<Response<T>, Status>> + Send,
) -> Result<T, Error> {
    match tokio::time::timeout(DEADLINE, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(from_status(peer, &status)),
        Err(_) => Err(Error::Unavailable(peer)),
    }
}

/// Calls until there is an answer, a few times, for a call that changes nothing. A peer that answers that it lacks something (its
/// database) has tried itself, and is not asked again.
pub(super) async fn repeatedly<T: Send, F>(peer: &'static str, call: impl Fn() -> F + Send + Sync) -> Result<T, Error>
where
    F: Future<Output = Result<Response<T>, Status>> + Send,
{
    let tries = async {
        for pause in PAUSES {
            match call().await {
                Err(status) if is_silence(&status) => {
                    tokio::time::sleep(pause).await;
                }
                other => return other,
            }
        }
        call().await
    };
    once(peer, tries).await
}
