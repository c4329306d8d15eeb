//! The compiled scripts that one machine keeps. When they are too many or too large, the one that was not used for longest goes.

use std::collections::HashMap;
use std::sync::Arc;

use mlua::Function;
use tidegate_model::{LogicId, LogicKind};

use crate::counts::Counters;

/// So many scripts at most: a tenant's Integrations, and then some.
const MOST: usize = 256;

/// So many bytes together at most, as far as the machine tells.
const ROOM: usize = 2 << 20;

/// Which script: its Logic, its version, what it is run as, and the name that its errors carry.
pub(crate) type Key = (LogicId, i32, LogicKind, String);

/// Compiled scripts by what they are.
pub(crate) struct Compiled {
    scripts: HashMap<Key, Script>,
    size: usize,
    /// Grows with each use.
    now: u64,
    counters: Arc<Counters>,
}

struct Script {
    function: Function,
    size: usize,
    used: u64,
}

impl Compiled {
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        Self { scripts: HashMap::new(), size: 0, now: 0, counters }
    }

    /// Finds a script that is kept.
    pub(crate) fn find(&mut self, key: &Key) -> Option<Function> {
        self.now += 1;
        let script = self.scripts.get_mut(key)?;
        script.used = self.now;
        Some(script.function.clone())
    }

    /// Keeps a script of this size, and lets go of others for it. One that is too large for all the room stands alone.
    pub(crate) fn keep(&mut self, key: Key, function: Function, size: usize) {
        while !self.scripts.is_empty() && (self.scripts.len() >= MOST || self.size + size > ROOM) {
            self.let_one_go();
        }
        self.now += 1;
        self.size += size;
        self.scripts.insert(key, Script { function, size, used: self.now });
        self.counters.kept(1);
    }

    /// How many bytes all of them have.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    // Looks at all of them: compiling the one that takes the place costs more.
    fn let_one_go(&mut self) {
        let oldest = self.scripts.iter().min_by_key(|(_, script)| script.used).map(|(key, _)| key.clone());
        if let Some(script) = oldest.and_then(|key| self.scripts.remove(&key)) {
            self.size -= script.size;
            self.counters.let_go(1);
        }
    }
}

impl Drop for Compiled {
    fn drop(&mut self) {
        self.counters.let_go(self.scripts.len() as u64);
    }
}
