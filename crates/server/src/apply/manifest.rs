//! `tidegate.toml`: what there is to be.

use anyhow::{Context as _, ensure};
use figment::Figment;
use figment::providers::{Format, Toml};
use serde::Deserialize;
use serde_json::{Value, json};

/// A tenant with what it is to have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) tenant: Tenant,
    #[serde(default)]
    pub(crate) object_types: Vec<String>,
    #[serde(default, rename = "logic")]
    pub(crate) logics: Vec<Logic>,
    #[serde(default, rename = "integration")]
    pub(crate) integrations: Vec<Integration>,
}

/// The tenant; made if there is none of this id.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A Logic, its source in a file beside the manifest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Logic {
    pub(crate) name: String,
    pub(crate) kind: String,
    file: String,
    pub(crate) description: Option<String>,
    #[serde(skip)]
    pub(crate) source: String,
}

/// An Integration; its Logics by name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Integration {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) direction: String,
    pub(crate) http_method: String,
    pub(crate) core: String,
    pub(crate) enable: Option<String>,
    pub(crate) url: Option<String>,
    #[serde(default)]
    subscriptions: Vec<Subscription>,
    pub(crate) description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscription {
    object_type: String,
    event_type: String,
}

impl Manifest {
    /// Reads the manifest and the sources it names; `read` gives the text of a file of the folder.
    pub(crate) fn read(read: impl Fn(&str) -> anyhow::Result<String>) -> anyhow::Result<Self> {
        let text = read("tidegate.toml")?;
        let parsed: Result<Self, figment::Error> = Figment::from(Toml::string(&text)).extract();
        let mut manifest = parsed.map_err(|e| anyhow::anyhow!("tidegate.toml: {e}"))?;
        for logic in &mut manifest.logics {
            let outside = logic.file.starts_with('/') || logic.file.split('/').any(|part| part == "..");
            ensure!(!outside, "tidegate.toml: logic {}: {} is not in this folder", logic.name, logic.file);
            logic.source = read(&logic.file).with_context(|| format!("tidegate.toml: logic {}", logic.name))?;
        }
        Ok(manifest)
    }

    /// Sends every outgoing call to another place, its path and query kept.
    pub(crate) fn redirect_calls(&mut self, to: &url::Url) {
        for integration in &mut self.integrations {
            let Some(url) = integration.url.as_deref().and_then(|url| url::Url::parse(url).ok()) else { continue };
            let mut other = to.clone();
            other.set_path(url.path());
            other.set_query(url.query());
            integration.url = Some(other.into());
        }
    }
}

impl Integration {
    /// What it listens to, as GraphQL takes it; an incoming one listens to nothing.
    pub(crate) fn subscriptions(&self) -> Value {
        let one = |s: &Subscription| json!({ "objectType": s.object_type, "eventType": s.event_type });
        if self.direction == "INCOMING" && self.subscriptions.is_empty() {
            return Value::Null;
        }
        self.subscriptions.iter().map(one).collect()
    }
}
