//! How a process ends: SIGTERM or SIGINT asks it to.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Hears the signals from now on, so that even the first process of a container obeys them, and answers the token that they cancel.
pub(crate) fn on_signal() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = CancellationToken::new();
    let asked = token.clone();
    let tasks = tokio_util::task::TaskTracker::new();
    tasks.spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to stop");
        asked.cancel();
        // Whoever presses Ctrl-C now does not want to wait; a supervisor that repeats its SIGTERM does.
        interrupt.recv().await;
        tracing::warn!("asked again, not waiting for what is under way");
        std::process::exit(1);
    });
    Ok(token)
}
