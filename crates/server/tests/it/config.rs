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
    for (name, url, kept) in [
        ("DATABASE__URL", "postgres://me:swordfish@/db?host=/run/pg", "me:hidden@/db?host=/run/pg"),
        ("DATABASE__URL", "postgres://db/x?password=swordfish&user=me", "db/x?password=hidden&user=me"),
        (
            "BUS__URL",
            "nats://me:swordfish@a:4222,nats://me:swordfish@b:4222",
            "me:hidden@a:4222,nats://me:hidden@b:4222",
        ),
    ] {
        let shown = ended(tidegate().args(["config", "print"]).env(format!("TIDEGATE_{name}"), url)).out;
        assert!(!shown.contains("swordfish") && shown.contains(kept), "{shown}");
    }
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
    are_refused(cases);
}

/// Each of these variables alone is refused with these parts.
fn are_refused(cases: &[(&str, &str, &[&str])]) {
    for (name, value, parts) in cases {
        let refused = ended(tidegate().args(["config", "check"]).env(format!("TIDEGATE_{name}"), value));
        refused.is_refused_with(parts);
        assert!(!refused.err.contains("swordfish"), "{}", refused.err);
    }
}

#[test]
fn a_variable_that_lacks_an_underscore_is_refused() {
    are_refused(&[
        ("DATABASE_URL", "postgres://me:swordfish@db/x", &["TIDEGATE_DATABASE_URL:", "write TIDEGATE_DATABASE__URL"]),
        ("HTTP_TLS_CERTIFICATE", "x", &["write TIDEGATE_HTTP__TLS_CERTIFICATE"]),
        ("SECRETS_KEY_FILE", "x", &["TIDEGATE_SECRETS_KEY_FILE:", "write TIDEGATE_SECRETS__KEY_FILE"]),
    ]);
    let other = ended(tidegate().args(["config", "check"]).env("TIDEGATE_VERSION", "1").env("TIDEGATE_HTTP", "x"));
    assert_eq!(other.code, Some(0), "{}", other.err);
}

#[test]
fn a_url_that_others_are_built_on_is_nothing_but_an_origin_and_a_path() {
    for name in ["WEBHOOK__PUBLIC_URL", "OAUTH2__PUBLIC_URL", "PEERS__DIRECTOR", "PEERS__CREDENTIALS"] {
        let key = name.to_lowercase().replace("__", ".");
        for tail in ["id.example.com/?a=b", "id.example.com/#a", "me@id.example.com", "me:swordfish@id.example.com"] {
            are_refused(&[(name, &format!("https://{tail}"), &[&key, "without user"])]);
        }
        let is_peer = name.starts_with("PEERS");
        if is_peer {
            are_refused(&[(name, "https://id.example.com/tidegate", &[&key, "without user, path and query"])]);
        }
        let good = if is_peer { "http://example.com:8080/" } else { "http://example.com/in/" };
        let good = ended(tidegate().args(["config", "check"]).env(format!("TIDEGATE_{name}"), good));
        assert_eq!(good.code, Some(0), "{}", good.err);
    }
}

#[test]
fn an_empty_text_is_as_good_as_no_value() {
    let file = file("[http]\nlisten = \"127.0.0.1:1\"\n[egress]\nallow = \"10.0.0.1\"\n");
    let key = self::file(KEY);
    let mut print = tidegate();
    print.args(["config", "print", "--config"]).arg(file.path());
    for empty in ["HTTP__LISTEN", "DATABASE__URL", "DATABASE__URL_FILE", "EGRESS__ALLOW", "LOG__LEVEL", "SECRETS__KEY"]
    {
        print.env(format!("TIDEGATE_{empty}"), "");
    }
    let shown = ended(print.env("TIDEGATE_SECRETS__KEY_FILE", key.path()).args(["--dispatch-timeout", ""]));
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let lines = [
        "listen = \"127.0.0.1:1\"",
        "url = \"sqlite://tidegate-data/tidegate.db\"",
        "allow = \"\"",
        "level = \"info\"",
        "timeout = \"15s\"",
        "key = \"(hidden)\"",
    ];
    for line in lines {
        assert!(shown.out.lines().any(|shown| shown == line), "{line} is not in {}", shown.out);
    }
}

#[test]
fn what_no_host_can_be_called_is_refused() {
    for name in ["*.internal", "*", "a..b", "-x_", "hooks.internal, x-.internal", "."] {
        are_refused(&[("EGRESS__ALLOW", name, &["egress.allow", name, "hooks.internal"])]);
    }
    let names = "hooks.internal, my_service, b\u{fc}cher.example., 10.0.0.0/8, ::1, [::1], 192.0.2.7";
    let good = ended(tidegate().args(["config", "check", "--egress-allow", names]));
    assert_eq!(good.code, Some(0), "{}", good.err);
}

#[test]
fn a_call_takes_no_longer_than_an_integration_may_allow_it() {
    let check = |usual: &str, most: &str| {
        let flags = ["--dispatch-timeout", usual, "--dispatch-max-timeout", most];
        ended(tidegate().args(["config", "check"]).args(flags))
    };
    check("2m", "60s").is_refused_with(&["dispatch.timeout", "dispatch.max_timeout"]);
    assert_eq!(check("60s", "60s").code, Some(0));
}

#[test]
fn the_first_wait_is_not_longer_than_the_longest() {
    let check = |first: &str, longest: &str| {
        let flags = ["--dispatch-first-delay", first, "--dispatch-max-delay", longest];
        ended(tidegate().args(["config", "check"]).args(flags))
    };
    check("10h", "1s").is_refused_with(&["dispatch.first_delay", "dispatch.max_delay"]);
    assert_eq!(check("1s", "1s").code, Some(0));
}

#[test]
fn what_is_wrong_with_a_value_is_told() {
    are_refused(&[
        ("DATABASE__URL", "sqlite://:memory:", &["database.url", "in memory", "sqlite://PATH"]),
        ("DATABASE__URL", "postgres://db/x?sslpassword=swordfish", &["database.url", "\"sslpassword\" is not known"]),
        ("DATABASE__URL", "postgres://db/x?sslmode=swordfish", &["database.url", "sslmode cannot be understood"]),
        ("DATABASE__URL", "postgres://a:1,swordfish:2/x", &["database.url", "several hosts"]),
        ("DATABASE__URL", "POSTGRES://me:swordfish@db/x", &["database.url", "postgres://"]),
        ("DATABASE__URL", "postgres:///swordfish", &["database.url", "host is missing"]),
        ("SECRETS__KEY", &format!("{KEY},{KEY}"), &["secrets.key", "twice"]),
        ("HTTP__TLS_CERTIFICATE", "/etc/passwd", &["http.tls_certificate", "/etc/passwd is no PEM file"]),
    ]);
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
    ended(tidegate().args(["config", "check", "--config", "/"])).is_refused_with(&["--config /", "is no file"]);
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
    for arguments in [&["bogus"][..], &["dev", "--port", "x"], &["apply"], &[]] {
        ended(tidegate().args(arguments)).is_refused_with(&["--help"]);
    }
    let roles = "director, credentials, webhook-gateway, outgoing-dispatcher";
    for command in [&["serve"][..], &["config", "check"]] {
        ended(tidegate().args(command).arg("gateway")).is_refused_with(&["'gateway'", roles]);
    }
}
