//! Everything that is logged on this thread while a test listens, at every level. The tests of several crates include this file.

use std::io;
use std::sync::{Arc, Mutex};

use tracing::Dispatch;
use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};

/// Listens until dropped.
pub(crate) struct Captured {
    log: Log,
    _listens: DefaultGuard,
    /// While one subscriber is alone, tracing asks whichever thread comes by a log line first whether anybody listens, and keeps its answer for
    /// all: a line that another test's thread saw first would never be heard here. Of two it asks both.
    _not_alone: Dispatch,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Captured {
    pub(crate) fn listen() -> Self {
        let log = Log::default();
        let writer = log.clone();
        let not_alone = Dispatch::new(NoSubscriber::new());
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        Self { log, _listens: set_default(subscriber), _not_alone: not_alone }
    }

    /// What was logged so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.log.0.lock().unwrap().clone()).unwrap()
    }
}
