//! A server that goes silent, as a cut cable leaves it: nothing arrives, nothing is refused.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tidegate_model::SystemClock;
use tidegate_storage::{Options, migrate, open};

use crate::harness::fresh_postgres;

/// Stands between the store and its server. Connections made before the last cut are dead; they are never told.
struct Cable {
    address: SocketAddr,
    cuts: Arc<AtomicU32>,
}

impl Cable {
    fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, cuts) = (listener.local_addr().unwrap(), Arc::new(AtomicU32::new(0)));
        let known = Arc::clone(&cuts);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let far = TcpStream::connect(&server).unwrap();
                let born = known.load(Ordering::SeqCst);
                for (mut from, mut to) in [(near.try_clone(), far.try_clone()), (far.try_clone(), near.try_clone())]
                    .map(|(from, to)| (from.unwrap(), to.unwrap()))
                {
                    let known = Arc::clone(&known);
                    std::thread::spawn(move || {
                        let mut buffer = [0; 8192];
                        while let Ok(length @ 1..) = from.read(&mut buffer) {
                            if known.load(Ordering::SeqCst) == born && to.write_all(&buffer[..length]).is_err() {
                                break;
                            }
                        }
                    });
                }
            }
        });
        Self { address, cuts }
    }

    fn cut(&self) {
        self.cuts.fetch_add(1, Ordering::SeqCst);
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
    store.ping().await.unwrap();
    cable.cut();
    // Its caller is impatient; the call's own bound is longer than this test should be.
    tokio::time::timeout(Duration::from_millis(200), store.ping()).await.unwrap_err();
    let answers = async { while store.ping().await.is_err() {} };
    tokio::time::timeout(Duration::from_mins(1), answers).await.expect("its place is free for a new connection");
}
