//! Killed at any moment, Tidegate leaves no client without its owner, and no owner whose clients are another's or cannot be ended.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};

use crate::faults::Dice;
use crate::harness::api::Admin;
use crate::harness::{Api, Mode, Tidegate, eventually, in_every_mode};
use crate::owners::{credentials, try_to_sign_in};

in_every_mode!(killed_at_any_moment_it_leaves_no_client_without_its_owner);

const KILLS: usize = 6;
const PATIENCE: Duration = Duration::from_secs(5);

/// What became of a change, as far as its caller knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// Nobody asked for it.
    No,
    /// Asked for, and the answer was lost.
    Perhaps,
    Yes,
}

/// An owner that was made for certain, with its clients.
struct Owner {
    kind: &'static str,
    tenant: Option<String>,
    id: Value,
    ended: Ended,
    clients: Vec<(Value, Admin, Ended)>,
}

/// Somebody who registers, requests, deletes and unregisters, whatever answers come, and remembers what was promised.
struct Registrar {
    api: Api,
    name: String,
    done: Arc<AtomicBool>,
    steps: Arc<AtomicU32>,
    owners: Arc<Mutex<Vec<Owner>>>,
    dice: Dice,
}

impl Registrar {
    async fn goes_on(mut self) {
        for number in 0.. {
            if self.done.load(Ordering::Relaxed) {
                return;
            }
            let name = format!("{}-{number}", self.name);
            match number % 3 {
                0 => self.lives("IntegrationSystem", None, &name).await,
                1 => self.lives("Application", Some("acme".to_owned()), &name).await,
                _ => {
                    let make = "mutation($in: TenantInput!) { made: createTenant(in: $in) { id } }";
                    if self.told(None, make, json!({ "in": { "id": name, "name": name } })).await.is_ok() {
                        self.lives("Runtime", Some(name.clone()), &name).await;
                        let delete = "mutation($id: ID!) { made: deleteTenant(id: $id) { id } }";
                        let ended = self.told(None, delete, json!({ "id": name })).await;
                        for owner in self.owners.lock().unwrap().iter_mut() {
                            if owner.tenant.as_ref() == Some(&name) && owner.ended != Ended::Yes {
                                owner.ended = if ended.is_ok() { Ended::Yes } else { Ended::Perhaps };
                            }
                        }
                    }
                }
            }
        }
    }

    /// From registration to an end that not every owner has.
    async fn lives(&mut self, kind: &'static str, tenant: Option<String>, name: &str) {
        let there = tenant.as_deref();
        let register = format!("mutation($in: {kind}Input!) {{ made: register{kind}(in: $in) {{ id }} }}");
        let Ok(made) = self.told(there, &register, json!({ "in": { "name": name } })).await else { return };
        let mut owner =
            Owner { kind, tenant: tenant.clone(), id: made["id"].clone(), ended: Ended::No, clients: vec![] };
        let request = format!(
            "mutation($id: ID!) {{ made: requestClientCredentialsFor{kind}(id: $id) {{
                id auth {{ credential {{ ... on OAuthCredentialData {{ clientId clientSecret }} }} }} }} }}"
        );
        for _ in 0..=self.dice.below(3) {
            if let Ok(auth) = self.told(there, &request, json!({ "id": owner.id })).await {
                owner.clients.push((auth["id"].clone(), credentials(&auth), Ended::No));
            }
        }
        if self.dice.below(2) == 0
            && let Some((id, _, ended)) = owner.clients.first_mut()
        {
            let delete = format!("mutation($id: ID!) {{ made: deleteSystemAuthFor{kind}(id: $id) {{ id }} }}");
            *ended = self.ended(there, &delete, id).await;
        }
        if self.dice.below(2) == 0 {
            let unregister = format!("mutation($id: ID!) {{ made: unregister{kind}(id: $id) {{ id }} }}");
            owner.ended = self.ended(there, &unregister, &owner.id).await;
        }
        self.owners.lock().unwrap().push(owner);
    }

    async fn ended(&self, tenant: Option<&str>, delete: &str, id: &Value) -> Ended {
        if self.told(tenant, delete, json!({ "id": id })).await.is_ok() { Ended::Yes } else { Ended::Perhaps }
    }

    /// The answer, if it came and is no error.
    async fn told(&self, tenant: Option<&str>, query: &str, variables: Value) -> Result<Value, ()> {
        let api = tenant.map_or_else(|| self.api.clone(), |tenant| self.api.in_tenant(tenant));
        let request = api.post("/graphql").json(&json!({ "query": query, "variables": variables }));
        let answer = async { request.timeout(PATIENCE).send().await?.json::<Value>().await }.await;
        self.steps.fetch_add(1, Ordering::Relaxed);
        if answer.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        answer.ok().map(|mut answer| answer["data"]["made"].take()).filter(|made| !made.is_null()).ok_or(())
    }
}

async fn killed_at_any_moment_it_leaves_no_client_without_its_owner(mode: Mode) {
    // Tokens outlive the longest run.
    let Some(mut tidegate) = Tidegate::start_with(mode, &[("OAUTH2__TOKEN_LIFETIME", "12h")]).await else { return };
    let api = tidegate.api().await;
    api.make_tenant("acme", &[]).await;
    let (done, steps) = (Arc::<AtomicBool>::default(), Arc::<AtomicU32>::default());
    let owners = Arc::<Mutex<Vec<Owner>>>::default();
    let registrars: Vec<_> = (0..3)
        .map(|number| Registrar {
            api: api.clone(),
            name: format!("r{number}"),
            done: Arc::clone(&done),
            steps: Arc::clone(&steps),
            owners: Arc::clone(&owners),
            dice: Dice::new(),
        })
        .map(|registrar| tokio::task::spawn(registrar.goes_on()))
        .collect();
    let mut dice = Dice::new();
    for _ in 0..KILLS {
        let until = steps.load(Ordering::Relaxed) + 5 + u32::try_from(dice.below(30)).unwrap();
        eventually("they go on", || async { (steps.load(Ordering::Relaxed) >= until).then_some(()) }).await;
        tokio::time::sleep(Duration::from_micros(u64::try_from(dice.below(30_000)).unwrap())).await;
        tidegate.kill(dice.below(tidegate.parts()));
        tidegate.resume().await;
    }
    done.store(true, Ordering::Relaxed);
    for registrar in registrars {
        registrar.await.unwrap();
    }

    let owners = owners.lock().unwrap().split_off(0);
    eprintln!("{mode:?}: {} steps, {} owners", steps.load(Ordering::Relaxed), owners.len());
    assert_eq!(orphans(&tidegate).await, Vec::<String>::new());
    for owner in &owners {
        owner.is_whole(&tidegate, &api).await;
    }
    end_all(&api).await;
    assert_eq!(clients(&tidegate).await, 0, "the operator's alone are left");
}

impl Owner {
    /// What was promised of it holds, and nothing is half done.
    async fn is_whole(&self, tidegate: &Tidegate, api: &Api) {
        let auths = self.auths(api).await;
        let what = format!("{} {} in {:?}, {:?}: {auths:?}", self.kind, self.id, self.tenant, self.ended);
        match self.ended {
            Ended::Yes => assert!(auths.is_none(), "{what}"),
            Ended::No => assert!(auths.is_some(), "{what}"),
            Ended::Perhaps => {}
        }
        for (id, client, ended) in &self.clients {
            let is_listed = auths.as_ref().is_some_and(|auths| auths.contains(id));
            match ended {
                Ended::Yes => assert!(!is_listed, "{what}: {id}"),
                Ended::No => assert_eq!(is_listed, auths.is_some(), "{what}: {id}"),
                Ended::Perhaps => {}
            }
            let expected = if is_listed { 200 } else { 401 };
            assert_eq!(try_to_sign_in(tidegate, client).await.0, expected, "{what}: {id}");
        }
    }

    /// The ids of its clients; `None` when there is no such owner.
    async fn auths(&self, api: &Api) -> Option<Vec<Value>> {
        let field = format!("{}{}", self.kind[..1].to_lowercase(), &self.kind[1..]);
        let query = format!("query($id: ID!) {{ it: {field}(id: $id) {{ id auths {{ id }} }} }}");
        let there = self.tenant.as_ref().map_or_else(|| api.clone(), |tenant| api.in_tenant(tenant));
        let answer = there.answer(&query, json!({ "id": self.id })).await;
        let is_known = answer["errors"].is_null() || answer["errors"][0]["extensions"]["error_code"] == 25;
        assert!(is_known, "{answer}");
        let auths = answer["data"]["it"]["auths"].as_array()?;
        Some(auths.iter().map(|auth| auth["id"].clone()).collect())
    }
}

/// Ends every tenant and every Integration System, those whose making nobody heard of too.
async fn end_all(api: &Api) {
    for (list, end) in [("tenants", "deleteTenant"), ("integrationSystems", "unregisterIntegrationSystem")] {
        loop {
            let page = api.ask(&format!("{{ page: {list} {{ data {{ id }} }} }}"), json!({})).await["page"].take();
            let data = page["data"].as_array().unwrap();
            if data.is_empty() {
                break;
            }
            for one in data {
                let end = format!("mutation($id: ID!) {{ {end}(id: $id) {{ id }} }}");
                api.ask(&end, json!({ "id": one["id"] })).await;
            }
        }
    }
}

const ORPHANS: &str = "SELECT CAST(c.owner_kind AS TEXT) FROM client c WHERE CASE c.owner_kind
    WHEN 'INTEGRATION_SYSTEM' THEN NOT EXISTS (SELECT 1 FROM integration_system s WHERE s.id = c.integration_system)
    WHEN 'APPLICATION' THEN NOT EXISTS (SELECT 1 FROM application a WHERE a.tenant = c.tenant AND a.id = c.application)
    WHEN 'RUNTIME' THEN NOT EXISTS (SELECT 1 FROM runtime r WHERE r.tenant = c.tenant AND r.id = c.runtime)
    ELSE FALSE END";

/// The kinds of those clients that have no owner, as the database has them.
pub(crate) async fn orphans(tidegate: &Tidegate) -> Vec<String> {
    select(tidegate, ORPHANS).await
}

/// How many clients the database has beside the operator's own.
async fn clients(tidegate: &Tidegate) -> usize {
    select(tidegate, "SELECT owner_kind FROM client WHERE owner_kind NOT IN ('ADMINISTRATOR', 'SERVICE')").await.len()
}

/// The first column of what the database answers.
pub(crate) async fn select(tidegate: &Tidegate, query: impl sqlx::SqlSafeStr) -> Vec<String> {
    let Some(servers) = &tidegate.servers else {
        let file = SqliteConnectOptions::new().filename(tidegate.data_dir().join("tidegate.db"));
        let mut connection = file.connect().await.unwrap();
        let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
        return rows.iter().map(|row| row.get(0)).collect();
    };
    let mut connection = PgConnection::connect(&servers.database).await.unwrap();
    let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
