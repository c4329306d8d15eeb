//! Where values come from, and how bad ones are refused.

use crate::harness::command::{ended, tidegate};

const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn each_later_layer_wins() {
    let file = file("[log]\nlevel = \"warn\"\nformat = \"json\"\n[limits]\nbody = \"2MiB\"\n");
    let mut print = tidegate();
    print.args(["config", "print", "--config"]).arg(file.path());
    print.env("TIDEGATE_LOG__LEVEL", "error").env("TIDEGATE_LOG__FORMAT", "text").args(["--log-level", "debug"]);
    let shown = ended(&mut print).out;
    for line in ["level = \"debug\"", "format = \"text\"", "body = \"2MiB\"", "retention = \"30d\""] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
}

#[test]
fn what_is_printed_can_be_read_back() {
    let printed = ended(tidegate().args(["config", "print"])).out;
    let file = file(&printed);
    assert_eq!(ended(tidegate().args(["config", "print", "--config"]).arg(file.path())).out, printed);
}

#[test]
fn secrets_are_not_shown() {
    let shown = ended(
        tidegate()
            .args(["config", "print"])
            .env("TIDEGATE_SECRETS__KEY", KEY)
            .env("TIDEGATE_PEERS__SECRET", "swordfish-swordfish")
            .env("TIDEGATE_DATABASE__URL", "postgres://me:swordfish@db/tidegate"),
    )
    .out;
    assert!(!shown.contains("swordfish") && !shown.contains(KEY), "{shown}");
    assert!(shown.contains("me:hidden@db"), "{shown}");
}

#[test]
fn a_bad_value_is_refused_in_one_line_that_says_what_to_write() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("HTTP__LISTEN", "8080", &["http.listen", "TIDEGATE_HTTP__LISTEN", "\"8080\"", "127.0.0.1:8080"]),
        ("DATABASE__URL", "mysql://me:swordfish@db/x", &["database.url", "sqlite://PATH", "postgres://"]),
        ("BUS__URL", "kafka://x", &["bus.url", "nats://"]),
        ("LIMITS__BODY", "1MB", &["limits.body", "1MiB"]),
        ("RECORDS__RETENTION", "30", &["records.retention", "30d"]),
        ("DISPATCH__ATTEMPTS", "0", &["dispatch.attempts"]),
        ("LOG__LEVEL", "loud", &["log.level", "debug"]),
        ("SECRETS__KEY", "swordfish", &["secrets.key", "openssl rand -base64 32"]),
        ("SECRETS__KEY_FILE", "/nowhere", &["secrets.key_file", "/nowhere"]),
        ("ADMIN__CLIENT_ID", "01890000-0000-7000-8000-000000000000", &["admin.client_secret", "goes with"]),
        ("EGRESS__ALLOW", "10.0.0.0/99", &["egress.allow", "10.0.0.0/99"]),
        ("PEERS__DIRECTOR", "ftp://director", &["peers.director", "http://director:8080"]),
        ("HTTP__LISTN", "x", &["http.listn", "is no setting", "http.listen"]),
        ("NOTHING__AT_ALL", "x", &["nothing.at_all", "is no setting"]),
    ];
    for (name, value, parts) in cases {
        let refused = ended(tidegate().args(["config", "check"]).env(format!("TIDEGATE_{name}"), value));
        refused.is_refused_with(parts);
        assert!(!refused.err.contains("swordfish"), "{}", refused.err);
    }
}

#[test]
fn a_bad_file_is_refused() {
    let cases: &[(&str, &[&str])] = &[
        ("[http\n", &["--config", "no TOML"]),
        ("listen = \"x\"\n", &["listen", "outside of a section"]),
        ("[http]\nlisten = { a = 1 }\n", &["http.listen", "table"]),
        ("[http]\nlistne = \"127.0.0.1:1\"\n", &["http.listne", "is no setting"]),
        ("[admin]\nclient_secret = \"0123456789abcdef\"\nclient_secret_file = \"x\"\n", &["admin.client_secret"]),
    ];
    for (text, parts) in cases {
        let file = file(text);
        ended(tidegate().args(["config", "check", "--config"]).arg(file.path())).is_refused_with(parts);
    }
    ended(tidegate().args(["config", "check", "--config", "/nowhere"])).is_refused_with(&["/nowhere", "no such file"]);
}

#[test]
fn roles_apart_need_servers_peers_and_keys() {
    let check = |role: &str, settings: &[(&str, &str)]| {
        let mut command = tidegate();
        command.args(["config", "check", role]);
        for (name, value) in settings {
            command.env(format!("TIDEGATE_{name}"), value);
        }
        ended(&mut command)
    };
    let database = ("DATABASE__URL", "postgres://db/tidegate");
    let bus = ("BUS__URL", "nats://bus");
    let director = ("PEERS__DIRECTOR", "http://director:8080");
    let secret = ("PEERS__SECRET", "0123456789abcdef");
    check("director", &[]).is_refused_with(&["database.url", "postgres://", "tidegate serve"]);
    check("director", &[database]).is_refused_with(&["bus.url", "nats://", "tidegate serve"]);
    check("director", &[database, bus]).is_refused_with(&["peers.credentials"]);
    check("webhook-gateway", &[bus]).is_refused_with(&["peers.director"]);
    check("webhook-gateway", &[bus, director]).is_refused_with(&["peers.client_id", "tidegate services add"]);
    let id = ("PEERS__CLIENT_ID", "01890000-0000-7000-8000-000000000001");
    let own = ("PEERS__CLIENT_SECRET", "tgs_0123456789abcdef");
    check("webhook-gateway", &[bus, director, id]).is_refused_with(&["peers.client_secret"]);
    check("webhook-gateway", &[bus, director, id, own]).is_refused_with(&["peers.credentials"]);
    let credentials = ("PEERS__CREDENTIALS", "http://credentials:8080");
    assert_eq!(check("webhook-gateway", &[bus, director, id, own, credentials]).code, Some(0));
    check("outgoing-dispatcher", &[database, bus, director, secret]).is_refused_with(&["secrets.key"]);
    assert_eq!(check("webhook-gateway", &[bus, director, secret]).code, Some(0), "the gateway needs no database");
}

#[test]
fn the_local_bus_and_sqlite_go_together() {
    ended(tidegate().args(["config", "check", "--bus-url", "nats://bus"]))
        .is_refused_with(&["bus.url", "local with SQLite"]);
}

#[test]
fn bad_arguments_are_refused_in_one_line() {
    for arguments in [&["serve", "gateway"][..], &["bogus"], &["dev", "--port", "x"], &["apply"], &[]] {
        ended(tidegate().args(arguments)).is_refused_with(&["--help"]);
    }
}
