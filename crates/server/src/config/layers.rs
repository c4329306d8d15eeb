//! Where values come from: defaults, then the file, then the environment, then flags. Each later layer wins.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use figment::value::{Dict, Num, Value};

use super::fault::Fault;
use super::keys::{self, KEYS, Key};

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File(PathBuf),
    Environment,
    Flag,
}

/// A value as it was written.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// The values that hold, by key.
#[derive(Clone, Default)]
pub(crate) struct Layers(BTreeMap<&'static str, Written>);

impl Layers {
    /// The defaults of the table.
    pub(crate) fn defaults() -> Self {
        let written = |key: &Key| Written { text: key.default.to_owned(), origin: Origin::Default };
        Self(KEYS.iter().map(|key| (key.name, written(key))).collect())
    }

    /// Replaces a default, as a command does that has others.
    pub(crate) fn default(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.0.insert(name, Written { text: text.into(), origin: Origin::Default });
        self
    }

    /// Lays a TOML file on top.
    pub(crate) fn file(self, path: &Path) -> Result<Self, Fault> {
        let place = || format!("--config {}", path.display());
        if !path.is_file() {
            let wrong = if path.exists() { "is no file" } else { "there is no such file" };
            return Err(Fault::new(place(), wrong, "the path of a TOML file"));
        }
        let root: Dict = Figment::from(Toml::file_exact(path)).extract().map_err(|e| {
            Fault::new(place(), format!("is no TOML: {e}"), "[section] lines with key = \"value\" lines below them")
        })?;
        let mut found = Vec::new();
        for (section, value) in root {
            let Value::Dict(_, entries) = value else {
                return Err(Fault::new(section, "stands outside of a section", known_keys()));
            };
            for (key, value) in entries {
                let name = format!("{section}.{key}");
                let text = as_text(&value).ok_or_else(|| {
                    Fault::new(&name, "is a table or holds one", "a text, a number, or an array of texts")
                })?;
                found.push((name, text));
            }
        }
        self.lay(found, &Origin::File(path.to_owned()))
    }

    /// Lays `TIDEGATE_SECTION__KEY` variables on top. Variables without the double underscore are none of ours, unless it was forgotten.
    pub(crate) fn environment(self) -> Result<Self, Fault> {
        let mut found = Vec::new();
        for (name, text) in Env::prefixed("TIDEGATE_").iter() {
            let name = name.as_str().to_lowercase();
            match meant_by(&name) {
                _ if name.contains("__") => found.push((name.replacen("__", ".", 1), text)),
                Some(meant) => {
                    let place = format!("TIDEGATE_{}", name.to_uppercase());
                    return Err(Fault::new(place, "has no double underscore between section and key", meant));
                }
                None => {}
            }
        }
        self.lay(found, &Origin::Environment)
    }

    /// Lays flags on top.
    pub(crate) fn flags(self, flags: Vec<(String, String)>) -> Result<Self, Fault> {
        self.lay(flags, &Origin::Flag)
    }

    /// The value that holds.
    pub(crate) fn get(&self, name: &'static str) -> Written {
        self.0.get(name).cloned().unwrap_or(Written { text: String::new(), origin: Origin::Default })
    }

    /// An empty text is no value: it takes one away where there is no default, and says nothing where there is one.
    fn lay(mut self, mut found: Vec<(String, String)>, origin: &Origin) -> Result<Self, Fault> {
        // First what takes away: beside it, the same setting may be given as a file.
        found.sort_by_key(|(_, text)| !text.is_empty());
        let mut seen = Vec::new();
        for (name, text) in found {
            let twin = name.strip_suffix("_file").and_then(keys::find).filter(|key| key.has_file_twin());
            let (key, text) = match (keys::find(&name), twin) {
                (Some(key), _) if text.is_empty() => {
                    if key.default.is_empty() {
                        self.0.insert(key.name, Written { text, origin: origin.clone() });
                    }
                    continue;
                }
                (None, Some(_)) if text.is_empty() => continue,
                (Some(key), _) => (key, text),
                (None, Some(key)) => (key, read_secret(&name, &text)?),
                (None, None) => return Err(Fault::new(said(&name, origin), "is no setting", nearest(&name))),
            };
            if seen.contains(&key.name) {
                let fault = format!("is given twice, as it is and as {}_file", key.name);
                return Err(Fault::new(said(key.name, origin), fault, "one of them"));
            }
            seen.push(key.name);
            self.0.insert(key.name, Written { text, origin: origin.clone() });
        }
        Ok(self)
    }
}

/// A key with the place where it was written.
pub(crate) fn said(name: &str, origin: &Origin) -> String {
    match (keys::find(name), origin) {
        (Some(key), Origin::Environment) => format!("{name} ({})", key.variable()),
        (Some(key), Origin::Flag) => format!("{name} (--{})", key.flag().unwrap_or_default()),
        (_, Origin::File(path)) => format!("{name} ({})", path.display()),
        _ => name.to_owned(),
    }
}

fn read_secret(name: &str, path: &str) -> Result<String, Fault> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        Fault::new(name, format!("{path} cannot be read: {e}"), "the path of a file that holds the secret")
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Bool(_, on) => Some(on.to_string()),
        Value::Num(_, number) => Some(number_text(*number)),
        Value::Array(_, items) => items.iter().map(as_text).collect::<Option<Vec<_>>>().map(|texts| texts.join(", ")),
        _ => None,
    }
}

fn number_text(number: Num) -> String {
    let whole = number.to_i128().map(|n| n.to_string());
    whole
        .or_else(|| number.to_u128().map(|n| n.to_string()))
        .unwrap_or_else(|| number.to_f64().unwrap_or(0.0).to_string())
}

/// The variable of the setting that is called this, with one underscore for two.
fn meant_by(name: &str) -> Option<String> {
    let (name, suffix) = match name.strip_suffix("_file") {
        Some(secret) => (secret, "_FILE"),
        None => (name, ""),
    };
    let is_it = |key: &&Key| key.name.replace('.', "_") == name && (suffix.is_empty() || key.has_file_twin());
    KEYS.iter().find(is_it).map(|key| format!("{}{suffix}", key.variable()))
}

/// The setting that was probably meant: one of the same section, or one of the same last word.
fn nearest(name: &str) -> String {
    let (section, last) = name.split_once('.').unwrap_or((name, name));
    let same = |key: &&Key| key.name.split_once('.').is_some_and(|(s, l)| s == section || l == last);
    let close: Vec<&str> = KEYS.iter().filter(same).map(|key| key.name).collect();
    if close.is_empty() { known_keys() } else { close.join(" or ") }
}

fn known_keys() -> String {
    let mut sections: Vec<&str> = KEYS.iter().filter_map(|key| key.name.split('.').next()).collect();
    sections.dedup();
    format!("a key of one of the sections {}", sections.join(", "))
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Written(.., {:?})", self.origin)
    }
}
