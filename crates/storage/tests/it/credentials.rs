use std::sync::Arc;

use sqlx::Row as _;
use tidegate_model::contract::{Vault as _, WebhookKeyHash};
use tidegate_model::{
    AuthStyle, Credential, CredentialId, Error, Material, OAuth2Client, OpenCredential, PageOf, Secret, SigningSecret,
    SigningSecretId, SystemRandomness, TenantId,
};
use tidegate_storage::contract::{DataKeyRow, SigningKeyRow, WebhookKeyRow};
use tidegate_storage::{Resealed, Safe, Sealer, Versioned, place, rotate};

use crate::harness::{Kept, on_every_store, start};
use crate::samples::{any_event, id, incoming, logic, tenant, tenant_id, with_tenants};

on_every_store!(
    every_kind_of_credential_comes_back_as_it_was,
    a_credential_is_its_tenants_alone,
    of_two_who_change_the_same_version_one_is_refused,
    a_credential_that_settings_name_stays,
    credentials_go_with_their_tenant,
    what_was_sealed_in_one_place_does_not_open_in_another,
    a_dump_holds_no_secret,
    after_a_rotation_everything_opens_without_the_former_key,
    a_rotation_goes_on_where_another_one_ended,
);

pub(crate) fn sealer(key: u8, former: &[u8]) -> Sealer {
    let former: Vec<_> = former.iter().map(|byte| [*byte; 32]).collect();
    Sealer::with_former(&[key; 32], &former, Arc::new(SystemRandomness)).unwrap()
}

pub(crate) fn safe(kept: &Kept, sealer: Sealer) -> Safe {
    Safe::new(kept.store.clone(), sealer, kept.clock.clone(), Arc::new(SystemRandomness))
}

fn open(tenant: &TenantId, name: &str, material: Material) -> OpenCredential {
    let credential = Credential {
        id: CredentialId(id()),
        tenant: tenant.clone(),
        name: name.to_owned(),
        kind: material.kind(),
        description: Some("für uns".to_owned()),
        allowed_hosts: vec!["api.example.com".parse().unwrap(), "*.example.org".parse().unwrap()],
        created_at: start(),
        updated_at: start(),
    };
    OpenCredential { credential, material }
}

pub(crate) fn bearer(tenant: &TenantId, name: &str, token: &str) -> OpenCredential {
    open(tenant, name, Material::Bearer { token: Secret::new(token) })
}

fn of_every_kind(tenant: &TenantId, secret: &str) -> Vec<OpenCredential> {
    let secret = || Secret::new(secret);
    let signing = || SigningSecret { id: SigningSecretId(id()), secret: secret(), created_at: start() };
    let client = OAuth2Client {
        token_url: "https://id.example.com/token".to_owned(),
        client_id: "us".to_owned(),
        client_secret: secret(),
        scope: Some("a b".to_owned()),
        auth_style: AuthStyle::Post,
    };
    vec![
        open(tenant, "basic", Material::Basic { username: "ann".to_owned(), password: secret() }),
        open(tenant, "bearer", Material::Bearer { token: secret() }),
        open(tenant, "header", Material::Header { name: "X-Key".to_owned(), value: secret() }),
        open(tenant, "oauth2", Material::OAuth2(client)),
        open(tenant, "signing", Material::Signing { secrets: vec![signing(), signing()] }),
    ]
}

async fn every_kind_of_credential_comes_back_as_it_was(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let safe = safe(kept, sealer(1, &[]));
    let all = of_every_kind(&a, "geheim\u{0}");
    for one in &all {
        safe.insert(one, &any_event(&a)).await.unwrap();
        let id = one.credential.id;
        assert_eq!(safe.find(&a, id).await.unwrap(), Some(Versioned { open: one.clone(), version: 1 }));
        assert_eq!(safe.credential(&a, &one.credential.name).await.unwrap().as_deref(), Some(one));
    }
    let page = safe.list(&a, PageOf { first: 3, after: None }).await.unwrap();
    assert_eq!((&page.data[..], page.has_next, page.total), (&all[..3], true, 5));
    let page = safe.list(&a, PageOf { first: 3, after: Some(all[2].credential.id) }).await.unwrap();
    assert_eq!((&page.data[..], page.has_next, page.total), (&all[3..], false, 5));
}

async fn a_credential_is_its_tenants_alone(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let b = tenant_id("b");
    let safe = safe(kept, sealer(1, &[]));
    let (ours, theirs) = (bearer(&a, "shop", "ours"), bearer(&b, "shop", "theirs"));
    safe.insert(&ours, &any_event(&a)).await.unwrap();
    safe.insert(&theirs, &any_event(&b)).await.unwrap();
    assert_eq!(
        safe.insert(&bearer(&a, "shop", "x"), &any_event(&a)).await,
        Err(Error::not_unique("Credential", "shop"))
    );
    let nowhere = tenant_id("c");
    let refused = safe.insert(&bearer(&nowhere, "shop", "x"), &any_event(&nowhere)).await;
    assert_eq!(refused, Err(Error::TenantNotFound("c".to_owned())));
    let id = ours.credential.id;
    assert_eq!(safe.credential(&b, "shop").await.unwrap().as_deref(), Some(&theirs));
    assert_eq!(safe.find(&b, id).await.unwrap(), None);
    assert_eq!(safe.delete(&b, id, &any_event(&b)).await, Err(Error::not_found("Credential", id)));
    safe.delete(&a, id, &any_event(&a)).await.unwrap();
    assert_eq!(safe.credential(&a, "shop").await.unwrap(), None);
    assert!(safe.credential(&b, "shop").await.unwrap().is_some());
}

async fn of_two_who_change_the_same_version_one_is_refused(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let safe = safe(kept, sealer(1, &[]));
    let first = bearer(&a, "shop", "first");
    safe.insert(&first, &any_event(&a)).await.unwrap();
    let mut second = bearer(&a, "shop", "second");
    second.credential.id = first.credential.id;
    second.credential.description = None;
    second.credential.allowed_hosts.pop();
    second.credential.updated_at = kept.after(1);
    let events = [any_event(&a), any_event(&a)];
    let (one, two) = tokio::join!(safe.replace(1, &second, &events[0]), safe.replace(1, &second, &events[1]));
    let refused = one.as_ref().err().or(two.as_ref().err()).unwrap();
    assert!(one.is_ok() != two.is_ok() && matches!(refused, Error::InvalidOperation(_)), "{one:?} {two:?}");
    let now = safe.find(&a, first.credential.id).await.unwrap();
    assert_eq!(now, Some(Versioned { open: second.clone(), version: 2 }));
    second.credential.id = CredentialId(id());
    let unknown = safe.replace(1, &second, &any_event(&a)).await;
    assert_eq!(unknown, Err(Error::not_found("Credential", second.credential.id)));
}

async fn a_credential_that_settings_name_stays(kept: &Kept) {
    const SET: &str = r#"UPDATE integration SET settings = '{"incoming":{"signature":{"credentials":["shop"]}}}'"#;
    let a = with_tenants(kept, &["a", "b"]).await;
    let b = tenant_id("b");
    let core = logic(&a, "core");
    kept.store.insert_logic(&core, &any_event(&a)).await.unwrap();
    kept.store.insert_integration(&incoming(&a, "hook", core.id), None, &any_event(&a)).await.unwrap();
    let url = kept.url.to_string();
    if url.starts_with("postgres") {
        sqlx::raw_sql(SET).execute(&sqlx::PgPool::connect(&url).await.unwrap()).await.unwrap();
    } else if url.starts_with("sqlite://") {
        sqlx::raw_sql(SET).execute(&sqlx::SqlitePool::connect(&url).await.unwrap()).await.unwrap();
    } else {
        return;
    }
    let safe = safe(kept, sealer(1, &[]));
    let (named, free, theirs) = (bearer(&a, "shop", "t"), bearer(&a, "shop2", "t"), bearer(&b, "shop", "t"));
    for one in [&named, &free, &theirs] {
        safe.insert(one, &any_event(&one.credential.tenant)).await.unwrap();
    }
    let refused = safe.delete(&a, named.credential.id, &any_event(&a)).await;
    let why = "Credential shop is named by the settings of Integration hook".to_owned();
    assert_eq!(refused, Err(Error::InvalidOperation(why)));
    assert!(safe.credential(&a, "shop").await.unwrap().is_some());
    safe.delete(&a, free.credential.id, &any_event(&a)).await.unwrap();
    safe.delete(&b, theirs.credential.id, &any_event(&b)).await.unwrap();
}

async fn credentials_go_with_their_tenant(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let safe = safe(kept, sealer(1, &[]));
    safe.insert(&bearer(&a, "shop", "t"), &any_event(&a)).await.unwrap();
    let sealed = kept.store.credential_named(&a, "shop").await.unwrap().unwrap().row;
    kept.store.delete_tenant(&a).await.unwrap();
    kept.store.insert_tenant(&tenant("a")).await.unwrap();
    assert_eq!(safe.credential(&a, "shop").await.unwrap(), None);
    assert!(kept.store.data_key(&a).await.unwrap().is_none());
    // Sealed for the tenant that was: nobody could open it any more.
    let late = kept.store.insert_credential(&sealed, &any_event(&a)).await;
    assert_eq!(late, Err(Error::TenantNotFound("a".to_owned())));
    safe.insert(&bearer(&a, "shop", "t"), &any_event(&a)).await.unwrap();
}

async fn what_was_sealed_in_one_place_does_not_open_in_another(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let b = tenant_id("b");
    let safe = safe(kept, sealer(1, &[]));
    for (tenant, name) in [(&a, "one"), (&a, "two"), (&b, "one")] {
        safe.insert(&bearer(tenant, name, "t"), &any_event(tenant)).await.unwrap();
    }
    let mut one = kept.store.credential_named(&a, "one").await.unwrap().unwrap();
    let two = kept.store.credential_named(&a, "two").await.unwrap().unwrap();
    let foreign = kept.store.credential_named(&b, "one").await.unwrap().unwrap();
    let own = one.row.sealed.clone();
    for sealed in [&two.row.sealed, &foreign.row.sealed, &own[..own.len() - 1].to_vec(), &vec![]] {
        one.row.version += 1;
        one.row.sealed.clone_from(sealed);
        kept.store.update_credential(&one.row, &any_event(&a)).await.unwrap();
        let read = safe.credential(&a, "one").await;
        assert!(matches!(read, Err(Error::Internal { .. })), "{read:?}");
    }
    one.row.version += 1;
    one.row.sealed = own;
    kept.store.update_credential(&one.row, &any_event(&a)).await.unwrap();
    assert!(safe.credential(&a, "one").await.unwrap().is_some());
    // The other tenant's data key, in the place of this one's.
    assert!(kept.store.reseal_data_key(&a, one.row.data_key, &one.key, &foreign.key).await.unwrap());
    let read = safe.credential(&a, "one").await;
    assert!(matches!(read, Err(Error::Internal { .. })), "{read:?}");
}

async fn a_dump_holds_no_secret(kept: &Kept) {
    const CANARY: &str = "canary-8c2f1d";
    let a = with_tenants(kept, &["a"]).await;
    let safe = safe(kept, sealer(1, &[]));
    for one in of_every_kind(&a, CANARY) {
        safe.insert(&one, &any_event(&a)).await.unwrap();
        assert_eq!(safe.find(&a, one.credential.id).await.unwrap().unwrap().open, one);
    }
    let locked = kept.store.credentials(&a, PageOf { first: 9, after: None }).await.unwrap().data;
    let mut dump: Vec<u8> = locked.into_iter().flat_map(|one| [one.row.sealed, one.key].concat()).collect();
    let url = kept.url.to_string();
    if url.starts_with("postgres") {
        let pool = sqlx::PgPool::connect(&url).await.unwrap();
        for table in ["credential", "data_key", "outbox"] {
            let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("SELECT t::text FROM {table} t")));
            for row in rows.fetch_all(&pool).await.unwrap() {
                dump.extend(row.get::<String, _>(0).into_bytes());
            }
        }
    } else if let Some(file) = url.strip_prefix("sqlite://") {
        for part in ["", "-wal"] {
            dump.extend(std::fs::read(format!("{file}{part}")).unwrap_or_default());
        }
        assert!(dump.windows(7).any(|w| w == b"api.exa") || dump.windows(6).any(|w| w == b"oauth2"), "no dump");
    }
    let hex: Vec<_> = CANARY.bytes().map(|b| format!("{b:02x}")).collect();
    for shown in [CANARY.as_bytes(), hex.concat().as_bytes()] {
        assert!(!dump.windows(shown.len()).any(|window| window == shown));
    }
}

/// One of each thing that is sealed.
async fn sealed_things(kept: &Kept, under: &Sealer) -> (TenantId, OpenCredential) {
    let a = with_tenants(kept, &["a"]).await;
    let credential = bearer(&a, "shop", "t");
    safe(kept, under.clone()).insert(&credential, &any_event(&a)).await.unwrap();
    let core = logic(&a, "core");
    kept.store.insert_logic(&core, &any_event(&a)).await.unwrap();
    let hook = incoming(&a, "hook", core.id);
    let sealed = under.seal(&place::webhook_key(hook.id), b"key").unwrap();
    let key = WebhookKeyRow { hash: WebhookKeyHash::of("key"), sealed };
    kept.store.insert_integration(&hook, Some(&key), &any_event(&a)).await.unwrap();
    let sealed = under.seal(&place::signing_key("kid"), b"private").unwrap();
    let key = SigningKeyRow { id: "kid".to_owned(), sealed, created_at: start() };
    assert!(kept.store.insert_signing_key(&key, None).await.unwrap());
    (a, credential)
}

async fn after_a_rotation_everything_opens_without_the_former_key(kept: &Kept) {
    let (a, credential) = sealed_things(kept, &sealer(1, &[])).await;
    let done = rotate(&*kept.store, &sealer(2, &[1])).await.unwrap();
    let one = Resealed { resealed: 1, of: 1 };
    assert_eq!((done.data_keys, done.webhook_keys, done.signing_keys), (one, one, one));

    let new = sealer(2, &[]);
    let found = safe(kept, new.clone()).credential(&a, "shop").await.unwrap();
    assert_eq!(found.as_deref(), Some(&credential));
    let hook = kept.store.all_webhook_keys(None, 9).await.unwrap().remove(0);
    assert_eq!(new.open(&place::webhook_key(hook.integration), &hook.sealed).unwrap(), b"key");
    let key = kept.store.signing_keys().await.unwrap().remove(0);
    assert_eq!(new.open(&place::signing_key("kid"), &key.sealed).unwrap(), b"private");
    let old = safe(kept, sealer(1, &[])).credential(&a, "shop").await;
    assert!(matches!(old, Err(Error::Internal { .. })), "{old:?}");
}

async fn a_rotation_goes_on_where_another_one_ended(kept: &Kept) {
    let (a, _) = sealed_things(kept, &sealer(1, &[])).await;
    let (before, after) = (sealer(1, &[]), sealer(2, &[1]));
    for count in 0..450 {
        let id = id();
        let by = if count % 3 == 0 { &after } else { &before };
        let sealed = by.seal(&place::data_key(&a, id), &[0; 32]).unwrap();
        let row = DataKeyRow { id, tenant: a.clone(), sealed, created_at: start() };
        kept.store.insert_data_key(&row).await.unwrap();
    }
    let done = rotate(&*kept.store, &after).await.unwrap();
    assert_eq!(done.data_keys, Resealed { resealed: 301, of: 451 });
    let again = rotate(&*kept.store, &after).await.unwrap();
    assert_eq!(again.data_keys, Resealed { resealed: 0, of: 451 });
    assert_eq!((again.webhook_keys.resealed, again.signing_keys.resealed), (0, 0));
    // Under a key that is not on the list nothing is sealed anew, and nothing is lost.
    let stranger = rotate(&*kept.store, &sealer(3, &[])).await;
    assert!(matches!(stranger, Err(Error::Internal { .. })), "{stranger:?}");
    assert_eq!(rotate(&*kept.store, &after).await.unwrap(), again);
}
