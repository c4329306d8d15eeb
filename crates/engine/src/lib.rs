//! Running enable logic, then core logic, and calling out safely. What a tenant's script does can harm nobody but that one run.
//!
//! A script is Luau (Lua 5.1 with more), one chunk that returns a table. [`Engine`] runs it on a Lua thread of its own, in a virtual
//! machine of its tenant, with a fresh environment; nothing of a run survives it. [`Egress`] is the one HTTP client that calls strangers:
//! scripts' calls and the dispatcher's go through the same guard. [`Attach`] puts third parties' secrets into them, by name.
//!
//! What callers may rely on:
//!
//! - A run ends within its limits of CPU time, wall time, memory, log, result and calls, whatever the script does ([`Limits`]);
//!   `pcall` cannot catch a limit. The error names the limit, the script and the line.
//! - JSON passes through unchanged: 64-bit integers and long decimals keep their text, an empty array stays one, `null` is `json.null`.
//! - A failed run is an [`Outcome`](tidegate_model::Outcome), never an error of this crate, and never a panic.
//!
//! Where things are: `engine` -> `worker` (a Lua thread) -> `pool` (its machines) -> `script` (one script, step by step) -> `sandbox` (a
//! machine), `variables`, `library`, `value` (JSON), `host` (what waits for the outside); `plan` (the call that a result asks for); `watchdog` and `meter` measure; `turns` says who goes on next, `apart` who must go elsewhere, `answers` when answers go back; `stop` and
//! `fault` say why not; `trial` is a run that reaches nobody; `check` and `lint` judge scripts that are to be saved.
//!
//! To add a library function see `library`; to add a variable see `variables`.
//!
//! ```
//! use tidegate_engine::Compiles;
//! use tidegate_model::contract::ScriptCheck;
//!
//! let scripts = Compiles::default();
//! assert!(scripts.check("return { answer = 42 }").is_ok());
//! assert_eq!(scripts.check("return {\n  answer = \n}").unwrap_err().line, 3);
//! ```

mod answers;
mod apart;
mod attach;
mod calls;
mod check;
mod compiled;
mod counts;
mod egress;
mod engine;
mod fault;
mod host;
mod io;
mod lanes;
mod library;
mod lint;
mod masks;
mod meter;
mod options;
mod plan;
mod pool;
mod query;
mod running;
mod sandbox;
mod script;
mod stop;
mod trial;
mod turns;
mod value;
mod variables;
mod watchdog;
mod worker;

pub use attach::{Answered, Attach, Attached, NoToken, NotAttached, NotSent};
pub use check::Compiles;
pub use counts::Counts;
pub use egress::{
    Broken, Egress, EgressError, InvalidAllowance, NameLookup, Policy, Request, Response, SetupError, SystemLookup,
};
pub use engine::{Application, Called, Engine, Error, Parts, Run};
pub use options::{Limits, Options, Time};
pub use plan::{Plan, Unplanned, plan};
