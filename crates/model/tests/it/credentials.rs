use tidegate_model::{Credential, CredentialId, CredentialKind, HostPattern, Material, Secret, Timestamp};
use url::Url;

fn pattern(text: &str) -> HostPattern {
    text.parse().unwrap()
}

#[test]
fn a_pattern_covers_its_host_alone_or_every_name_below_its_domain() {
    let one = pattern("API.Example.com");
    for (host, covered) in [
        ("api.example.com", true),
        ("api.example.com.", true),
        ("example.com", false),
        ("api.example.com.evil.org", false),
        ("xapi.example.com", false),
    ] {
        assert_eq!(one.matches(host), covered, "{host}");
    }
    let below = pattern("*.example.com");
    for (host, covered) in [
        ("api.example.com", true),
        ("a.b.example.com", true),
        ("example.com", false),
        (".example.com", false),
        ("evilexample.com", false),
        ("api.example.com.evil.org", false),
    ] {
        assert_eq!(below.matches(host), covered, "{host}");
    }
}

#[test]
fn what_is_no_host_is_no_pattern() {
    for bad in [
        "",
        "*",
        "*.",
        "*.com",
        "*.*.example.com",
        "a*.example.com",
        "https://example.com",
        "example.com:443",
        "a b",
        "example.com/path",
        "user@example.com",
        "..",
        "a..b",
        "*.127.0.0.1",
        ".example.com",
    ] {
        assert!(bad.parse::<HostPattern>().is_err(), "{bad}");
    }
    assert_eq!(pattern("127.0.0.1").as_str(), "127.0.0.1");
    assert_eq!(pattern("::1").as_str(), "[::1]");
    assert_eq!(pattern("bücher.example").as_str(), "xn--bcher-kva.example");
    assert_eq!(pattern("localhost").as_str(), "localhost");
}

#[test]
fn secrets_go_with_http_calls_to_allowed_hosts_at_any_port() {
    let credential = Credential {
        id: CredentialId("0198a0e0-0000-7000-8000-000000000001".parse().unwrap()),
        tenant: "a".parse().unwrap(),
        name: "shop".into(),
        kind: CredentialKind::Bearer,
        description: None,
        allowed_hosts: vec![pattern("api.example.com"), pattern("[::1]")],
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    };
    for (url, allowed) in [
        ("https://api.example.com/x", true),
        ("http://API.example.com:8443/x", true),
        ("http://[::1]:1/", true),
        ("https://example.com/", false),
        ("https://api.example.com@evil.org/", false),
        ("ftp://api.example.com/", false),
    ] {
        assert_eq!(credential.allows(&Url::parse(url).unwrap()), allowed, "{url}");
    }
}

#[test]
fn material_is_never_printed() {
    let material = Material::Basic { username: "ann".into(), password: Secret::new("canary") };
    assert_eq!(format!("{material:?}"), "Material(BASIC ..)");
}
