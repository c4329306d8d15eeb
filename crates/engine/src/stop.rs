//! Why a script is stopped, whatever it does about it.

use std::time::Duration;

/// A reason that `pcall` cannot turn into something else: once given, every further step of the script raises it again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error("CPU time limit reached ({})", Millis(*.0))]
    Cpu(Duration),
    #[error("wall time limit reached ({})", Millis(*.0))]
    Wall(Duration),
    #[error("memory limit reached ({})", Size(*.0))]
    Memory(usize),
    #[error("instruction limit reached ({0})")]
    Instructions(String),
    #[error("stack depth limit reached")]
    Depth,
    #[error("log size limit reached ({})", Size(*.0))]
    Log(usize),
    #[error("result size limit reached ({})", Size(*.0))]
    ResultSize(usize),
    #[error("result depth limit reached ({0} levels): the result is nested too deeply, or contains itself")]
    ResultDepth(usize),
    #[error("HTTP call limit reached ({0} calls)")]
    HttpCalls(u32),
    #[error("object call limit reached ({0} calls)")]
    ObjectCalls(u32),
    /// The script ended itself with `fail(message)`.
    #[error("{0}")]
    Fail(String),
}

impl Stop {
    /// Whether the virtual machine may be in any state and must go.
    pub(crate) fn spoils_machine(&self) -> bool {
        !matches!(self, Self::Fail(_) | Self::ResultSize(_) | Self::ResultDepth(_))
    }
}

/// The reason within an error that came out of Lua, where it is one.
pub(crate) fn within(error: &mlua::Error) -> Option<&Stop> {
    error.downcast_ref()
}

impl From<Stop> for mlua::Error {
    fn from(stop: Stop) -> Self {
        Self::external(stop)
    }
}

struct Millis(Duration);

impl std::fmt::Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = self.0.as_millis();
        if millis >= 1000 && millis.is_multiple_of(1000) {
            write!(f, "{} s", millis / 1000)
        } else {
            write!(f, "{millis} ms")
        }
    }
}

struct Size(usize);

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            n if n >= 1 << 20 && n % (1 << 20) == 0 => write!(f, "{} MiB", n >> 20),
            n if n >= 1 << 10 && n % (1 << 10) == 0 => write!(f, "{} KiB", n >> 10),
            n => write!(f, "{n} bytes"),
        }
    }
}
