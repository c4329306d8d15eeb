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

/// Which script: its Logic, its version, and what it is run as.
pub(crate) type Key = (LogicId, i32, LogicKind);

/// Compiled scripts by what they are, and by whose name their errors carry.
pub(crate) struct Compiled {
    // Mostly one Integration has a Logic, and few ever: walking through them costs less than a key that holds the name.
    scripts: HashMap<Key, Vec<Script>>,
    count: usize,
    size: usize,
    /// Grows with each use.
    now: u64,
    counters: Arc<Counters>,
}

struct Script {
    name: String,
    function: Function,
    size: usize,
    used: u64,
}

impl Compiled {
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        Self { scripts: HashMap::new(), count: 0, size: 0, now: 0, counters }
    }

    /// Finds a script that is kept, for a run of it.
    pub(crate) fn find(&mut self, key: &Key, name: &str) -> Option<Function> {
        self.counters.script();
        self.now += 1;
        let found = self.scripts.get_mut(key).and_then(|same| same.iter_mut().find(|script| script.name == name));
        let Some(script) = found else {
            self.counters.compiled();
            return None;
        };
        script.used = self.now;
        Some(script.function.clone())
    }

    /// Keeps a script of this size, and lets go of others for it. One that is too large for all the room stands alone.
    pub(crate) fn keep(&mut self, key: Key, name: &str, function: Function, size: usize) {
        while self.count > 0 && (self.count >= MOST || self.size + size > ROOM) {
            self.let_one_go();
        }
        self.now += 1;
        self.size += size;
        self.count += 1;
        let script = Script { name: name.to_owned(), function, size, used: self.now };
        self.scripts.entry(key).or_default().push(script);
        self.counters.kept(1);
    }

    /// How many bytes all of them have.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    // Looks at all of them: compiling the one that takes the place costs more.
    fn let_one_go(&mut self) {
        let all = self.scripts.iter().flat_map(|(key, same)| same.iter().enumerate().map(move |at| (key, at)));
        let oldest = all.min_by_key(|(_, (_, script))| script.used).map(|(key, (place, _))| (*key, place));
        let Some((key, place)) = oldest else { return };
        let Some(same) = self.scripts.get_mut(&key) else { return };
        self.size -= same.swap_remove(place).size;
        if same.is_empty() {
            self.scripts.remove(&key);
        }
        self.count -= 1;
        self.counters.let_go(1);
    }
}

impl Drop for Compiled {
    fn drop(&mut self) {
        self.counters.let_go(self.count as u64);
    }
}
