//! Whether a connection has requests under way: what its protocol does not tell before the first one is whole.

use axum::body::Body;
use http::Response;
use http_body_util::BodyExt as _;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// The requests of a connection, as they come and go.
#[derive(Clone)]
pub(super) struct Pulse(watch::Sender<usize>);

/// A request that is under way, until dropped.
pub(super) struct Beat(watch::Sender<usize>);

/// The time in which nothing is under way.
pub(super) struct Silence(watch::Receiver<usize>);

impl Pulse {
    pub(super) fn new() -> (Self, Silence) {
        let (beats, seen) = watch::channel(0);
        (Self(beats), Silence(seen))
    }

    /// A request has begun.
    pub(super) fn beat(&self) -> Beat {
        self.0.send_modify(|open| *open += 1);
        Beat(self.0.clone())
    }
}

impl Beat {
    /// The request is under way until its answer was taken whole, or given up.
    pub(super) fn until_taken(self, response: Response<Body>) -> Response<Body> {
        response.map(|body| {
            Body::new(body.map_frame(move |frame| {
                let _under_way = &self;
                frame
            }))
        })
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

impl Silence {
    /// Whether a request begins within `limit`.
    pub(super) async fn breaks_within(&mut self, limit: Duration) -> bool {
        timeout(limit, self.0.changed()).await.is_ok()
    }

    /// Returns once nothing was under way for so long at a stretch.
    pub(super) async fn lasts(&mut self, limit: Duration) {
        loop {
            let open = *self.0.borrow_and_update();
            if open > 0 {
                if self.0.changed().await.is_err() {
                    return std::future::pending().await;
                }
            } else if !self.breaks_within(limit).await {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn silence_ends_with_a_request_and_begins_again_when_its_answer_is_taken() {
        let (pulse, mut silence) = Pulse::new();
        assert!(!silence.breaks_within(SHORT).await);
        let beat = pulse.beat();
        assert!(silence.breaks_within(SHORT).await);
        let answer = beat.until_taken(Response::new(Body::from("answer")));
        assert!(timeout(SHORT, silence.lasts(Duration::ZERO)).await.is_err(), "a request is under way");
        drop(answer);
        timeout(Duration::from_mins(1), silence.lasts(SHORT)).await.unwrap();
    }
}
