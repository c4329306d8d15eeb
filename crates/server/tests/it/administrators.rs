//! An administrator's secret is changed without an interruption: by another client of an administrator, and then without the former.

use serde_json::{Value, json};

use crate::harness::api::Admin;
use crate::harness::{Api, Mode, Tidegate, in_every_mode};
use crate::owners::try_to_sign_in;

in_every_mode!(an_administrators_secret_is_changed_without_a_gap);

async fn an_administrators_secret_is_changed_without_a_gap(mode: Mode) {
    let Some(mut tidegate) = Tidegate::start(mode).await else { return };
    let token_url = tidegate.credentials("/oauth2/token");
    let old = tidegate.admin().clone();
    let before = tidegate.api().await;
    // One process alone has a SQLite file, which a command takes while it is stopped.
    let in_a_file = mode == Mode::Together;
    let data = tidegate.data_dir();
    let file = format!("sqlite://{}", data.join("tidegate.db").display());
    let place: &[&str] = if in_a_file { &["--database-url", &file] } else { &[] };
    if in_a_file {
        assert!(tidegate.stop().await[0].success());
    }
    let added = tidegate.command(0, &[&["admins", "add"][..], place].concat()).out;
    let told = |key: &str| added.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_owned();
    let new = Admin { client_id: told("client id"), client_secret: told("client secret") };
    assert_ne!(new.client_id, old.client_id);
    let listed = tidegate.command(0, &[&["admins", "list"][..], place].concat()).out;
    let ids: Vec<_> = listed.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(ids, [old.client_id.as_str(), new.client_id.as_str()]);
    assert!(!listed.contains(&new.client_secret) && !listed.contains(&old.client_secret));
    tidegate.resume().await;
    for client in [&old, &new] {
        assert_eq!(try_to_sign_in(&tidegate, client).await, (200, Value::Null), "both open");
    }
    let other = Api::sign_in(&token_url, tidegate.director(""), &new).await;
    other.make_tenant("acme", &["Order"]).await;
    before.ask("{ tenants { totalCount } }", json!({})).await;

    if in_a_file {
        assert!(tidegate.stop().await[0].success());
    } else {
        // The next start would make it again.
        let refused = tidegate.command(0, &["admins", "remove", &old.client_id]);
        assert_eq!((refused.code, refused.err.contains("admin.client_id")), (Some(2), true), "{}", refused.err);
        assert_eq!(try_to_sign_in(&tidegate, &old).await.0, 200);
        for part in 0..tidegate.parts() {
            let settings = [("ADMIN__CLIENT_ID", &*new.client_id), ("ADMIN__CLIENT_SECRET", &*new.client_secret)];
            tidegate.replace(part, &settings).await;
        }
        tidegate.resume().await;
    }
    let removed = tidegate.command(0, &[&["admins", "remove", &*old.client_id][..], place].concat());
    assert_eq!(removed.code, Some(0), "{}", removed.err);
    if in_a_file {
        assert!(removed.out.contains("admin.json") && !data.join("admin.json").exists(), "{}", removed.out);
    }
    let last = tidegate.command(0, &[&["admins", "remove", &*new.client_id][..], place].concat());
    assert_ne!(last.code, Some(0), "it is configured, or the only one");
    tidegate.resume().await;
    assert_eq!(try_to_sign_in(&tidegate, &old).await, (401, json!("invalid_client")), "withdrawn");
    assert_eq!(try_to_sign_in(&tidegate, &new).await, (200, Value::Null));
    assert!(!data.join("admin.json").exists(), "nobody makes a third one");

    let admin = Api::sign_in(&token_url, tidegate.director(""), &new).await;
    let query = "{ auditLog { data { operation face objectId } } }";
    let log = admin.ask(query, json!({})).await["auditLog"]["data"].take();
    let stands = |operation: &str, id: &str| {
        let expected = json!({ "operation": operation, "face": "CLI", "objectId": id });
        log.as_array().unwrap().contains(&expected)
    };
    assert!(stands("createAdministrator", &new.client_id) && stands("deleteAdministrator", &old.client_id), "{log}");
}
