//! Tidegate with a tenant that has an Application for each connection and one Integration.

use std::path::Path;

use serde_json::json;

use crate::Asked;
use crate::shared::asked::Way;
use crate::shared::client::Identity;
use crate::shared::tidegate::Tidegate;

const TENANT: &str = "acme";

pub(crate) struct Subject {
    pub(crate) tidegate: Tidegate,
    pub(crate) applications: Vec<String>,
}

impl Subject {
    pub(crate) async fn start(asked: &Asked, way: Way, folder: &Path) -> Self {
        let tidegate = Tidegate::start(&asked.tested, way, folder).await;
        let mut client = tidegate.make_tenant(TENANT).await;
        let mut applications = Vec::new();
        for number in 0..asked.connections {
            let register = "mutation($in: ApplicationInput!) { made: registerApplication(in: $in) { id } }";
            let made = client.graphql(register, &json!({ "in": { "name": format!("app-{number}") } })).await;
            applications.push(made["made"]["id"].as_str().unwrap().to_owned());
        }
        let logic = client.make_core("core", "return {}").await;
        let input = json!({ "name": "hook", "type": "INCOMING", "httpMethod": "POST", "coreLogicID": logic });
        client.make("Integration", "id", &input).await;
        Self { tidegate, applications }
    }

    /// The administrator in the tenant.
    pub(crate) fn identity(&self) -> Identity {
        self.tidegate.within(TENANT)
    }
}
