//! Tidegate with Integrations that call the sink.

use std::path::Path;

use serde_json::json;

use crate::Asked;
use crate::load::CORE;
use crate::shared::asked::Way;
use crate::shared::tidegate::Tidegate;
use crate::sink::Sink;

/// Their tenant.
pub(crate) const TENANT: &str = "acme";

pub(crate) struct Subject {
    pub(crate) tidegate: Tidegate,
    /// The Integrations' ids, by their numbers.
    pub(crate) integrations: Vec<String>,
}

impl Subject {
    /// Starts it with so many Integrations, each of which listens to a type of its own and makes so many calls at once.
    pub(crate) async fn start(asked: &Asked, way: Way, folder: &Path, sink: &Sink, integrations: usize) -> Self {
        let tidegate = Tidegate::start(&asked.tested, way, folder).await;
        let mut client = tidegate.make_tenant(TENANT).await;
        let logic = client.make_core("map", CORE).await;
        let mut ids = Vec::new();
        for number in 0..integrations {
            let input = json!({
                "name": format!("sink-{number}"), "type": "OUTGOING", "httpMethod": "POST", "coreLogicID": logic,
                "url": sink.url(number), "outgoing": { "concurrency": asked.concurrency },
                "subscriptions": [{ "objectType": format!("T{number}"), "eventType": "CREATE" }],
            });
            let made = client.make("Integration", "id", &input).await;
            ids.push(made["id"].as_str().unwrap().to_owned());
        }
        Self { tidegate, integrations: ids }
    }
}
