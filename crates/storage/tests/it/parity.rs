//! Both schemas have the same tables, columns, nullability and keys.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::harness::{Kept, fresh_postgres};

/// On SQLite alone: the bus where there is no other. PostgreSQL never has one.
const EXCEPTIONS: [&str; 1] = ["local_log"];

#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    /// Name to kind and whether it may be null.
    columns: BTreeMap<String, (&'static str, bool)>,
    primary_key: Vec<String>,
    unique: BTreeSet<Vec<String>>,
    /// Columns, the table and columns they name, and what happens on deletion.
    foreign_keys: BTreeSet<(Vec<String>, String, Vec<String>, String)>,
    /// Name, and whether it is unique.
    indexes: BTreeSet<(String, bool)>,
}

type Schema = BTreeMap<String, Table>;

#[tokio::test]
async fn both_databases_have_the_same_schema() {
    let Some(server) = fresh_postgres().await else { return };
    tidegate_storage::migrate(&server).await.unwrap();
    let file = Kept::file().await.unwrap();
    let mut lite = read_sqlite(&file.url.to_string()).await;
    for exception in EXCEPTIONS {
        assert!(lite.remove(exception).is_some(), "{exception} is an exception no more");
    }
    let pg = read_postgres(&server.to_string()).await;
    let names = |schema: &Schema| schema.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&lite), names(&pg));
    assert!(lite.len() > 20, "{}", lite.len());
    for (name, table) in &lite {
        assert_eq!(table, &pg[name], "{name}");
    }
}

fn kind(declared: &str) -> &'static str {
    match declared {
        "INTEGER" | "bigint" | "integer" | "boolean" => "number",
        "BLOB" | "uuid" | "bytea" => "bytes",
        "TEXT" | "text" => "text",
        other => panic!("{other} is on neither list"),
    }
}

async fn read_sqlite(url: &str) -> Schema {
    let pool = sqlx::SqlitePool::connect(url).await.unwrap();
    let all = async |sql: &'static str, table: &str| -> Vec<SqliteRow> {
        sqlx::query(sql).bind(table.to_owned()).fetch_all(&pool).await.unwrap()
    };
    let mut schema = Schema::new();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> $1 \
        AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    for row in all(tables, "_sqlx_migrations").await {
        let name: String = row.get(0);
        let mut table = Table::default();
        let mut key = BTreeMap::new();
        for column in all("SELECT name, type, \"notnull\", pk FROM pragma_table_info($1)", &name).await {
            let (column_name, declared): (String, String) = (column.get(0), column.get(1));
            table.columns.insert(column_name.clone(), (kind(&declared), !column.get::<bool, _>(2)));
            if column.get::<i64, _>(3) > 0 {
                key.insert(column.get::<i64, _>(3), column_name);
            }
        }
        table.primary_key = key.into_values().collect();
        for index in all("SELECT name, \"unique\", origin FROM pragma_index_list($1)", &name).await {
            let (index_name, unique, origin): (String, bool, String) = (index.get(0), index.get(1), index.get(2));
            let columns = all("SELECT name FROM pragma_index_info($1) ORDER BY seqno", &index_name).await;
            match origin.as_str() {
                "c" => _ = table.indexes.insert((index_name, unique)),
                "u" => _ = table.unique.insert(columns.iter().map(|c| c.get(0)).collect()),
                _ => {}
            }
        }
        let mut foreign: BTreeMap<i64, (Vec<String>, String, Vec<String>, String)> = BTreeMap::new();
        let keys =
            "SELECT id, \"from\", \"table\", \"to\", on_delete FROM pragma_foreign_key_list($1) ORDER BY id, seq";
        for row in all(keys, &name).await {
            let entry = foreign.entry(row.get(0)).or_default();
            entry.0.push(row.get(1));
            entry.1 = row.get(2);
            entry.2.push(row.get(3));
            entry.3 = row.get(4);
        }
        table.foreign_keys = foreign.into_values().collect();
        schema.insert(name, table);
    }
    schema
}

/// Tables that are parts of one have what the whole has; only that is read.
async fn read_postgres(url: &str) -> Schema {
    let pool = sqlx::PgPool::connect(url).await.unwrap();
    let all = async |sql: &'static str| -> Vec<PgRow> { sqlx::query(sql).fetch_all(&pool).await.unwrap() };
    let mut schema = Schema::new();
    let columns = "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
        FROM information_schema.columns c WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' \
        AND NOT (SELECT relispartition FROM pg_class WHERE oid = quote_ident(c.table_name)::regclass)";
    for row in all(columns).await {
        let declared: String = row.get(2);
        let table = schema.entry(row.get(0)).or_default();
        table.columns.insert(row.get(1), (kind(&declared), row.get(3)));
    }
    let constraints = "SELECT r.relname::text, c.contype::text, \
        ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k (n, o) \
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.o), \
        COALESCE(f.relname::text, ''), \
        ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY k (n, o) \
            JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.o), \
        CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'a' THEN 'NO ACTION' ELSE c.confdeltype::text END \
        FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid LEFT JOIN pg_class f ON f.oid = c.confrelid \
        WHERE r.relnamespace = 'public'::regnamespace AND NOT r.relispartition AND r.relname <> '_sqlx_migrations'";
    for row in all(constraints).await {
        let table = schema.get_mut(&row.get::<String, _>(0)).unwrap();
        let columns: Vec<String> = row.get(2);
        match row.get::<String, _>(1).as_str() {
            "p" => table.primary_key = columns,
            "u" => _ = table.unique.insert(columns),
            "f" => _ = table.foreign_keys.insert((columns, row.get(3), row.get(4), row.get(5))),
            _ => {}
        }
    }
    let indexes = "SELECT r.relname::text, i.relname::text, x.indisunique FROM pg_index x \
        JOIN pg_class r ON r.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
        WHERE r.relnamespace = 'public'::regnamespace AND NOT r.relispartition AND r.relname <> '_sqlx_migrations' \
        AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u'))";
    for row in all(indexes).await {
        let table = schema.get_mut(&row.get::<String, _>(0)).unwrap();
        table.indexes.insert((row.get(1), row.get(2)));
    }
    schema
}
