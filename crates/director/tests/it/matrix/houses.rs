//! Where the walls between tenants are tried: two tenants with one of everything.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgPool, Row as _, SqlitePool};
use tidegate_model::{ClientOwner, RuntimeId, Scope, SystemRandomness};
use tidegate_storage::DatabaseUrl;

use super::never;
use super::rows::Row;
use crate::desk::{Desk, tenant};
use crate::steps::Steps;
use crate::walk::filled;
use crate::walk::graphql::Schema;
use crate::walk::proto::Protos;
use crate::walk::world::World;

/// Two tenants with one of everything, in a database that the test reads beside the director; and a client of the second one, with every scope.
pub(super) struct Houses {
    pub(super) desk: Desk,
    pub(super) schema: Schema,
    pub(super) protos: Protos,
    pub(super) theirs: World,
    pub(super) own: World,
    beside: Beside,
}

/// The database, past the director.
enum Beside {
    File { file: SqlitePool, _folder: tempfile::TempDir },
    Server(PgPool),
}

pub(super) const INTRUDER: &str = "intruder";

impl Houses {
    pub(super) async fn on_sqlite() -> Option<Self> {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("store.db");
        let desk = Desk::at(DatabaseUrl::file(&path)).await;
        let file = SqlitePool::connect(&format!("sqlite://{}", path.display())).await.unwrap();
        Some(Self::build(desk, Beside::File { file, _folder: folder }).await)
    }

    /// Where there is a server to test with. The director is held to row-level security there.
    pub(super) async fn on_postgresql() -> Option<Self> {
        let database = fresh_postgres().await?;
        let desk = Desk::at(database.parse().unwrap()).await;
        Some(Self::build(desk, Beside::Server(PgPool::connect(&database).await.unwrap())).await)
    }

    /// As [`Houses::on_postgresql`], with the statements that go there.
    pub(super) async fn in_steps() -> Option<(Self, Steps)> {
        let database = fresh_postgres().await?;
        let steps = Steps::before(&database).await;
        let desk = Desk::at(steps.url(&database).parse().unwrap()).await;
        let beside = Beside::Server(PgPool::connect(&database).await.unwrap());
        Some((Self::build(desk, beside).await, steps))
    }

    async fn build(desk: Desk, beside: Beside) -> Self {
        let schema = Schema::read();
        let mut system = String::new();
        for (operation, arguments) in [
            ("createTenant", json!({ "in": { "id": "acme", "name": "Acme" } })),
            ("createTenant", json!({ "in": { "id": "other", "name": "Other" } })),
            ("registerIntegrationSystem", json!({ "in": { "name": "s1" } })),
            ("registerIntegrationSystem", json!({ "in": { "name": "s2" } })),
        ] {
            let made = desk.ok(None, &schema.request(operation, &arguments), arguments).await;
            system = crate::desk::text(&made[operation]["id"]);
        }
        let mut theirs = World::furnish(&desk, &schema, "acme").await;
        let own = World::furnish(&desk, &schema, "other").await;
        let open = theirs.delivery(&desk, false).await.event.unwrap();
        for (label, id) in [
            ("system", system),
            ("openEvent", open.id.to_string()),
            ("openObject", open.object_id.to_string()),
            ("onlyTheirs", "acme-1".to_owned()),
        ] {
            theirs.ids.insert(label.to_owned(), id);
        }
        let runtime = ClientOwner::Runtime(tenant("other"), RuntimeId::generate(&*desk.clock, &SystemRandomness));
        desk.grant(INTRUDER, runtime, Scope::all());
        Self { desk, schema, protos: Protos::read(), theirs, own, beside }
    }

    /// Every row that is the first tenant's, by table.
    pub(super) async fn theirs_now(&self) -> BTreeMap<String, String> {
        let mut dump = BTreeMap::new();
        for (table, columns, has_tenant) in self.tables().await {
            let theirs = match (has_tenant, table.as_str()) {
                (true, _) => "tenant = 'acme'",
                (false, "tenant") => "id = 'acme'",
                (false, "integration_system") => "true",
                (false, _) => continue,
            };
            let rows = format!("SELECT {columns} FROM \"{table}\" AS one WHERE {theirs} ORDER BY 1");
            dump.insert(table, self.texts(rows).await.concat());
        }
        dump
    }

    /// Each table, all of its columns as one text, and whether its rows are tenants'.
    async fn tables(&self) -> Vec<(String, String, bool)> {
        match &self.beside {
            Beside::File { file, .. } => {
                let all = "SELECT m.name, group_concat('quote(\"' || c.name || '\")', ' || ''|'' || '), max(c.name = 'tenant') \
                    FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' \
                    AND m.name NOT LIKE '\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' GROUP BY m.name";
                let rows = sqlx::query(all).fetch_all(file).await.unwrap();
                rows.iter().map(|row| (row.get(0), row.get::<String, _>(1) + " || '\n'", row.get(2))).collect()
            }
            Beside::Server(server) => {
                let all = "SELECT table_name::text, bool_or(column_name = 'tenant') FROM information_schema.columns \
                    WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%' GROUP BY table_name";
                let rows = sqlx::query(all).fetch_all(server).await.unwrap();
                rows.iter().map(|row| (row.get(0), "to_jsonb(one)::text || E'\\n'".to_owned(), row.get(1))).collect()
            }
        }
    }

    async fn texts(&self, query: String) -> Vec<String> {
        match &self.beside {
            Beside::File { file, .. } => {
                let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(file).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            Beside::Server(server) => {
                let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(server).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    pub(super) fn arguments(&self, row: &Row, at: &str) -> Value {
        filled(&row.1, at, &|label| self.own.ids.get(label).unwrap_or_else(|| panic!("{label}?")).clone())
    }

    /// Theirs, and an id that was never given out.
    pub(super) fn ids(&self, row: &Row) -> (String, String) {
        let theirs = self.theirs.ids.get(row.2).unwrap_or_else(|| panic!("{}?", row.2)).clone();
        let never = never(&theirs);
        (theirs, never)
    }
}

/// A database of its own, for a plain role; `None`, visibly, where there is no server to test with.
async fn fresh_postgres() -> Option<String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Some(server) = std::env::var_os("TIDEGATE_TEST_POSTGRES") else {
        assert!(std::env::var_os("CI").is_none(), "TIDEGATE_TEST_POSTGRES is not set");
        println!("skipped: TIDEGATE_TEST_POSTGRES is not set");
        return None;
    };
    let name = format!("director_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let server: PgConnectOptions = server.to_str().unwrap().parse().unwrap();
    let mut connection = server.connect().await.unwrap();
    let drop = format!("DROP DATABASE IF EXISTS {name}");
    for statement in [PLAIN_ROLE.to_owned(), drop, format!("CREATE DATABASE {name} OWNER tidegate_plain")] {
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    Some(server.username("tidegate_plain").password("plain").database(&name).to_url_lossy().to_string())
}

/// What Tidegate is to be on a server: no wall holds a superuser. Several tests make it at once.
const PLAIN_ROLE: &str = "DO $$ BEGIN CREATE ROLE tidegate_plain LOGIN PASSWORD 'plain'; \
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
