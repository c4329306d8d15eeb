//! HTTP/1.1 over connections that are kept, as little of it as will do: the load must cost less than what it measures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::shared::as_float;

/// Where requests go, and what must come back.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: String,
    /// One after the other, from a place of each connection's own.
    pub(crate) requests: Arc<[Vec<u8>]>,
    /// Of the answer that is due.
    pub(crate) status: String,
    /// Of its body.
    pub(crate) length: usize,
}

/// How requests follow each other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Each connection sends the next one when it has its answer.
    AsFastAsItGoes,
    /// Each is due at its instant, whether or not earlier ones have their answers.
    PerSecond(f64),
}

/// A load for a while.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) time: Duration,
    pub(crate) pace: Pace,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) took: Duration,
    /// One for each answer, in no order.
    pub(crate) latencies: Vec<Duration>,
    /// Answers that were not the one that is due.
    pub(crate) refused: usize,
}

impl Load {
    /// Puts the load on.
    pub(crate) async fn put_on(self, target: &Target) -> Round {
        let begun = Instant::now();
        let mut connections = JoinSet::new();
        for number in 0..self.connections {
            connections.spawn(self.connection(number, target.clone(), begun));
        }
        let mut round = Round { took: Duration::ZERO, latencies: Vec::new(), refused: 0 };
        while let Some(ended) = connections.join_next().await {
            let (latencies, refused) = ended.unwrap();
            round.latencies.extend(latencies);
            round.refused += refused;
        }
        round.took = begun.elapsed();
        round
    }

    async fn connection(self, number: usize, target: Target, begun: Instant) -> (Vec<Duration>, usize) {
        let mut stream = TcpStream::connect(&target.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut latencies, mut refused, mut buffer) = (Vec::new(), 0, Vec::with_capacity(16 << 10));
        // Far from each other, so that connections do not follow each other's steps.
        let mut next = number * target.requests.len() / self.connections;
        let mut due = begun;
        if let Pace::PerSecond(rate) = self.pace {
            due += Duration::from_secs_f64(as_float(number) / rate);
        }
        while due.duration_since(begun) < self.time {
            let sent = match self.pace {
                Pace::AsFastAsItGoes => Instant::now(),
                Pace::PerSecond(_) => {
                    tokio::time::sleep_until(due.into()).await;
                    due
                }
            };
            stream.write_all(&target.requests[next % target.requests.len()]).await.unwrap();
            next += 1;
            refused += usize::from(!answered(&mut stream, &mut buffer, &target).await);
            latencies.push(sent.elapsed());
            due = match self.pace {
                Pace::AsFastAsItGoes => Instant::now(),
                Pace::PerSecond(rate) => due + Duration::from_secs_f64(as_float(self.connections) / rate),
            };
        }
        (latencies, refused)
    }
}

/// Reads one answer; whether it is the one that is due.
async fn answered(stream: &mut TcpStream, buffer: &mut Vec<u8>, target: &Target) -> bool {
    buffer.clear();
    loop {
        assert!(stream.read_buf(buffer).await.unwrap() > 0, "hung up on within an answer");
        let Some(head) = buffer.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head]).unwrap();
        let announced =
            text.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let announced: usize = announced.expect("an answer says how long it is");
        let is_good = text[9..].starts_with(&target.status) && announced == target.length;
        while buffer.len() < head + 4 + announced {
            assert!(stream.read_buf(buffer).await.unwrap() > 0, "hung up on within a body");
        }
        return is_good;
    }
}

/// Asks once and answers the status and the body.
pub(crate) fn asked_once(address: &str, request: &[u8]) -> (String, String) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer[9..12].to_owned(), answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}
