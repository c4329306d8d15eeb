//! Making a call: how long it may take, and which one is made again.

use std::time::Duration;

use tidegate_model::Error;
use tonic::{Response, Status};

use super::status::{from_status, is_silence, is_unsent};

/// For one call, and for all tries of one together.
const DEADLINE: Duration = Duration::from_secs(10);

/// Between the tries: for a connection to be made anew, and for a restarted process to listen again.
const PAUSES: [Duration; 3] = [Duration::from_millis(50), Duration::from_millis(250), Duration::from_secs(1)];

/// Calls what changes something: made again only as long as it certainly did not reach the peer, because an unanswered call may have been
/// carried out. So a peer that is stopped in order, and sends its callers elsewhere, is noticed by none of them.
pub(super) async fn once<T: Send, F>(peer: &'static str, call: impl Fn() -> F + Send + Sync) -> Result<T, Error>
where
    F: Future<Output = Result<Response<T>, Status>> + Send,
{
    tried(peer, is_unsent, call).await
}

/// Calls until there is an answer, a few times, for a call that changes nothing. A peer that answers that it lacks something (its
/// database) has tried itself, and is not asked again.
pub(super) async fn repeatedly<T: Send, F>(peer: &'static str, call: impl Fn() -> F + Send + Sync) -> Result<T, Error>
where
    F: Future<Output = Result<Response<T>, Status>> + Send,
{
    tried(peer, is_silence, call).await
}

async fn tried<T: Send, F>(
    peer: &'static str,
    is_open: fn(&Status) -> bool,
    call: impl Fn() -> F + Send + Sync,
) -> Result<T, Error>
where
    F: Future<Output = Result<Response<T>, Status>> + Send,
{
    let tries = async {
        for pause in PAUSES {
            match call().await {
                Err(status) if is_open(&status) => tokio::time::sleep(pause).await,
                other => return other,
            }
        }
        call().await
    };
    match tokio::time::timeout(DEADLINE, tries).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(from_status(peer, &status)),
        Err(_) => Err(Error::Unavailable(peer)),
    }
}
