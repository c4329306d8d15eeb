//! What a PostgreSQL server, or a pooler before it, sees of a connection.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

use sqlx::Connection as _;
use tidegate_model::SystemClock;
use tidegate_storage::{DatabaseUrl, OpenError, Options, migrate, open};

use crate::harness::{fresh_postgres, superuser};
use crate::samples::tenant;

const SSL_REQUEST: [u8; 4] = 80_877_103_u32.to_be_bytes();

fn options(url: DatabaseUrl) -> Options {
    Options { url, max_connections: 2, clock: Arc::new(SystemClock) }
}

/// What pgbouncer does while its server is away.
#[derive(Clone, Copy)]
enum Pooler {
    /// It was not there from the beginning: nobody is let in.
    Refuses,
    /// It was: everybody is let in, and the first statement fails.
    LetsIn,
}

impl Pooler {
    /// Its URL, and what each client says first.
    fn start(self) -> (String, Receiver<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("postgres://me:mine@{}/d", listener.local_addr().unwrap());
        let (told, said) = mpsc::channel();
        std::thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                let mut message = first_message(&mut client);
                if message == SSL_REQUEST {
                    client.write_all(b"N").unwrap();
                    message = first_message(&mut client);
                }
                // Behind the protocol's version: names and values in turn.
                let texts = message[4..].split(|byte| *byte == 0).map(|text| String::from_utf8(text.to_vec()).unwrap());
                let _ = told.send(texts.collect());
                if matches!(self, Self::LetsIn) {
                    client.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").unwrap();
                    client.read_exact(&mut [0]).unwrap();
                    first_message(&mut client);
                }
                let fields = b"SFATAL\0VFATAL\0C08P01\0Mserver login has been failing\0\0";
                let length = u32::try_from(fields.len() + 4).unwrap();
                client.write_all(&[b"E", &length.to_be_bytes()[..], fields].concat()).unwrap();
            }
        });
        (url, said)
    }
}

fn first_message(client: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 4];
    client.read_exact(&mut length).unwrap();
    let mut message = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut message).unwrap();
    message
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_hears_no_parameter_that_it_does_not_know() {
    const KNOWN: [&str; 6] = ["user", "database", "application_name", "client_encoding", "DateStyle", "TimeZone"];
    let (url, said) = Pooler::Refuses.start();
    let url: DatabaseUrl = url.parse().unwrap();
    migrate(&url).await.unwrap_err();
    open(&options(url.used_by("tidegate director"))).await.err().unwrap();
    for said in said.try_iter() {
        let names: BTreeSet<&str> = said.chunks(2).map(|pair| &*pair[0]).filter(|name| !name.is_empty()).collect();
        assert!(names.iter().all(|name| KNOWN.contains(name)) && names.contains("user"), "{names:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_whose_server_is_away_is_waited_for_and_not_asked_all_the_time() {
    for pooler in [Pooler::Refuses, Pooler::LetsIn] {
        let (url, said) = pooler.start();
        let refused = open(&options(url.parse().unwrap())).await.err().unwrap();
        assert!(refused.may_pass() && format!("{refused:?}").contains("08P01"), "{refused:?}");
        let connections = said.try_iter().count();
        assert!((1..=3).contains(&connections), "{connections}");
    }
}

/// Another session's settings cannot be asked for: a trigger notes those of the one that writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_session_has_the_stores_settings_whatever_the_url_says_and_the_urls_others() {
    const NOTE: &str = "CREATE TABLE noted AS SELECT name, setting FROM pg_settings WHERE false; GRANT INSERT ON noted TO PUBLIC; \
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        INSERT INTO public.noted SELECT name, setting FROM pg_settings; RETURN NULL; END $$; \
        CREATE TRIGGER note AFTER INSERT ON tenant FOR EACH ROW EXECUTE FUNCTION note()";
    let Some(url) = fresh_postgres().await else { return };
    migrate(&url).await.unwrap();
    let mut above = sqlx::PgConnection::connect_with(&superuser(&url)).await.unwrap();
    sqlx::raw_sql(NOTE).execute(&mut above).await.unwrap();
    let own =
        "options=-c%20statement_timeout%3D1s%20-c%20default_transaction_isolation%3Dserializable&options[geqo]=off";
    let written = url.to_string().replace("tidegate_plain@", "tidegate_plain:plain@");
    let opened = open(&options(format!("{written}?{own}").parse().unwrap())).await.unwrap();
    opened.store.insert_tenant(&tenant("a")).await.unwrap();
    for (name, expected) in [
        ("statement_timeout", "15000"),
        ("idle_in_transaction_session_timeout", "30000"),
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
        ("default_transaction_isolation", "read committed"),
        ("transaction_isolation", "read committed"),
        ("geqo", "off"),
    ] {
        let noted = sqlx::query_scalar::<_, String>("SELECT setting FROM noted WHERE name = $1");
        assert_eq!(noted.bind(name).fetch_one(&mut above).await.unwrap(), expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_cannot_hold_every_text_is_refused() {
    let Some(url) = fresh_postgres().await else { return };
    migrate(&url).await.unwrap();
    let mut above = sqlx::PgConnection::connect_with(&superuser(&url)).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut above).await.unwrap();
    let other = format!("{name}_latin1");
    let make = format!("CREATE DATABASE {other} OWNER tidegate_plain ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    for statement in [format!("DROP DATABASE IF EXISTS {other}"), make] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut above).await.unwrap();
    }
    let other: DatabaseUrl =
        url.to_string().replace("tidegate_plain@", "tidegate_plain:plain@").replace(&name, &other).parse().unwrap();
    for refused in [migrate(&other).await.unwrap_err(), open(&options(other)).await.err().unwrap()] {
        assert!(matches!(&refused, OpenError::Encoding(encoding) if encoding == "LATIN1"), "{refused:?}");
        assert!(!refused.may_pass());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_is_current_is_left_alone_and_one_that_is_not_is_not() {
    let Some(url) = fresh_postgres().await else { return };
    migrate(&url).await.unwrap();
    let mut above = sqlx::PgConnection::connect_with(&superuser(&url)).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut above).await.unwrap();
    let taken = format!("ALTER DATABASE {name} OWNER TO CURRENT_USER; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    sqlx::raw_sql(sqlx::AssertSqlSafe(taken)).execute(&mut above).await.unwrap();
    migrate(&url).await.unwrap();
    sqlx::raw_sql("GRANT CREATE ON SCHEMA public TO PUBLIC").execute(&mut above).await.unwrap();
    for (fault, told) in [
        ("UPDATE _sqlx_migrations SET checksum = '' WHERE version = 1", "modified"),
        ("UPDATE _sqlx_migrations SET success = false WHERE version = 2", "partially applied"),
    ] {
        sqlx::raw_sql(fault).execute(&mut above).await.unwrap();
        let OpenError::Migrate(refused) = migrate(&url).await.unwrap_err() else { panic!("{fault}") };
        assert!(refused.to_string().contains(told), "{refused}");
    }
}
