//! A server that goes silent, as a cut cable leaves it: nothing arrives, nothing is refused.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use tidegate_model::SystemClock;
use tidegate_storage::{Options, migrate, open};

use crate::harness::fresh_postgres;

/// Stands between the store and its server. Connections made before the last cut are dead; they are never told.
struct Cable {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    cuts: AtomicU32,
    /// How many messages of the client pass until the next cut.
    left: AtomicI64,
}

impl State {
    /// Whether the connection is dead by now, or dies of this message.
    fn is_dead(&self, born: u32, is_clients: bool) -> bool {
        if is_clients && self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.cuts.fetch_add(1, Ordering::SeqCst);
        }
        self.cuts.load(Ordering::SeqCst) != born
    }
}

impl Cable {
    fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cable = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        cable.cut_after(i64::MAX);
        let state = Arc::clone(&cable.state);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let far = TcpStream::connect(&server).unwrap();
                let born = state.cuts.load(Ordering::SeqCst);
                for (from, to, is_clients) in [(&near, &far, true), (&far, &near, false)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let state = Arc::clone(&state);
                    std::thread::spawn(move || {
                        let mut buffer = [0; 8192];
                        while let Ok(length @ 1..) = from.read(&mut buffer) {
                            if !state.is_dead(born, is_clients) && to.write_all(&buffer[..length]).is_err() {
                                break;
                            }
                        }
                    });
                }
            }
        });
        cable
    }

    /// Lets so many messages of the client through, and cuts what is there then.
    fn cut_after(&self, messages: i64) {
        self.state.left.store(messages, Ordering::SeqCst);
    }

    fn cuts(&self) -> u32 {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_to_a_silent_server_keeps_no_place_in_the_pool() {
    let Some(url) = fresh_postgres().await else { return };
    migrate(&url).await.unwrap();
    let shown = url.to_string();
    let (head, database) = shown.rsplit_once('/').unwrap();
    let (head, server) = head.rsplit_once('@').unwrap();
    let cable = Cable::to(server.to_owned());
    let through = format!("{head}@{}/{database}?sslmode=disable", cable.address).parse().unwrap();
    let only_one = Options { url: through, max_connections: 1, clock: Arc::new(SystemClock) };
    let store = open(&only_one).await.unwrap().store;
    // It is cut wherever it may be: before a call, within it, and on the connection's way back to its place.
    for messages in 0..6 {
        let before = cable.cuts();
        cable.cut_after(messages);
        // Callers are impatient; a call's own bound is longer than this test should be.
        while cable.cuts() == before {
            let _late = tokio::time::timeout(Duration::from_millis(200), store.ping()).await;
        }
        let answers = async { while store.ping().await.is_err() {} };
        let answered = tokio::time::timeout(Duration::from_mins(1), answers).await;
        answered.unwrap_or_else(|_| panic!("its place is free for a new one, cut after {messages} messages"));
    }
}
