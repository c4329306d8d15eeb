use std::sync::Arc;

use chrono::TimeDelta;
use tidegate_model::{
    Client, ClientOwner, ClientSecret, ClientSecretId, ClientSecrets, Error, Secret, SystemRandomness, TokenId,
};
use tidegate_storage::contract::{OwnerKind, SigningKeyRow};

use crate::harness::{Kept, on_every_store};
use crate::samples::{any_event, application, client, integration_system, runtime, tenant_id, with_tenants};

on_every_store!(
    a_client_is_kept_with_the_hash_of_its_secret,
    a_client_needs_its_owner_and_dies_with_it,
    a_client_is_deleted_only_as_what_it_is,
    a_client_has_two_secrets_while_one_is_replaced,
    of_two_who_add_a_secret_at_once_one_is_refused,
    no_client_outlives_its_owner_when_both_calls_race,
    there_is_one_first_signing_key,
    a_signing_key_follows_the_newest_alone,
    a_revoked_token_counts_no_longer_until_it_is_forgotten,
);

async fn a_client_is_kept_with_the_hash_of_its_secret(kept: &Kept) {
    assert!(!kept.store.has_administrator().await.unwrap());
    let administrator = client(ClientOwner::Administrator);
    kept.store.insert_client(&administrator).await.unwrap();
    assert!(kept.store.has_administrator().await.unwrap());
    let found = kept.store.client(administrator.id).await.unwrap().unwrap();
    assert_eq!(found, administrator);
    assert!(found.secrets.first.hash.matches(&Secret::new("secret")));
    assert_eq!(kept.store.clients_of(&ClientOwner::Administrator).await.unwrap(), vec![administrator]);
}

async fn a_client_needs_its_owner_and_dies_with_it(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let (system, app, run) = (integration_system("s"), application(&a, "app"), runtime(&a, "run"));
    let owners = [
        ClientOwner::IntegrationSystem(system.id),
        ClientOwner::Application(a.clone(), app.id),
        ClientOwner::Runtime(a.clone(), run.id),
    ];
    for owner in &owners {
        let orphan = kept.store.insert_client(&client(owner.clone())).await;
        assert!(matches!(orphan, Err(Error::NotFound { .. })), "{orphan:?}");
    }
    kept.store.insert_integration_system(&system).await.unwrap();
    kept.store.insert_application(&app, &any_event(&a)).await.unwrap();
    kept.store.insert_runtime(&run, &any_event(&a)).await.unwrap();
    let mut clients = Vec::new();
    for owner in &owners {
        for _ in 0..2 {
            clients.push(client(owner.clone()));
            kept.store.insert_client(clients.last().unwrap()).await.unwrap();
        }
    }
    for (owner, both) in owners.iter().zip(clients.chunks(2)) {
        assert_eq!(kept.store.clients_of(owner).await.unwrap(), both);
    }
    kept.store.delete_integration_system(system.id).await.unwrap();
    kept.store.delete_application(&a, app.id, &any_event(&a)).await.unwrap();
    kept.store.delete_tenant(&a).await.unwrap();
    for client in clients {
        assert!(kept.store.client(client.id).await.unwrap().is_none());
    }
}

async fn a_client_is_deleted_only_as_what_it_is(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let app = application(&a, "app");
    kept.store.insert_application(&app, &any_event(&a)).await.unwrap();
    let one = client(ClientOwner::Application(a.clone(), app.id));
    kept.store.insert_client(&one).await.unwrap();
    let others = [
        OwnerKind::Administrator,
        OwnerKind::IntegrationSystem,
        OwnerKind::Runtime(a.clone()),
        OwnerKind::Application(tenant_id("b")),
    ];
    for other in others {
        assert_eq!(kept.store.belonging_client(one.id, &other).await.unwrap(), None);
        assert_eq!(kept.store.delete_client(one.id, &other).await, Err(Error::not_found("Client", one.id)));
    }
    let mine = OwnerKind::Application(a);
    assert_eq!(kept.store.belonging_client(one.id, &mine).await.unwrap().as_ref(), Some(&one));
    assert_eq!(kept.store.delete_client(one.id, &mine).await.unwrap(), one);
    assert!(kept.store.client(one.id).await.unwrap().is_none());
}

fn secret(kept: &Kept, text: &str) -> ClientSecret {
    let id = ClientSecretId::generate(&*kept.clock, &SystemRandomness);
    ClientSecret { id, hash: Secret::new(text).hash(), created_at: kept.after(5) }
}

async fn with_application(kept: &Kept) -> (OwnerKind, Client) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let app = application(&a, "app");
    kept.store.insert_application(&app, &any_event(&a)).await.unwrap();
    let one = client(ClientOwner::Application(a.clone(), app.id));
    kept.store.insert_client(&one).await.unwrap();
    (OwnerKind::Application(a), one)
}

async fn a_client_has_two_secrets_while_one_is_replaced(kept: &Kept) {
    let (mine, one) = with_application(kept).await;
    let (store, first) = (&kept.store, one.secrets.first.clone());
    let (second, third) = (secret(kept, "second"), secret(kept, "third"));
    let others = [OwnerKind::IntegrationSystem, OwnerKind::Application(tenant_id("b"))];
    for other in &others {
        let foreign = store.add_client_secret(one.id, other, &second).await;
        assert_eq!(foreign, Err(Error::not_found("Client", one.id)));
    }
    let only = store.remove_client_secret(one.id, &mine, first.id).await;
    assert!(matches!(only, Err(Error::InvalidOperation(_))), "{only:?}");

    let both = store.add_client_secret(one.id, &mine, &second).await.unwrap();
    assert_eq!(both.secrets, ClientSecrets { first: first.clone(), second: Some(second.clone()) });
    assert_eq!(store.client(one.id).await.unwrap(), Some(both.clone()));
    assert_eq!(store.clients_of(&one.owner).await.unwrap(), vec![both]);
    let full = store.add_client_secret(one.id, &mine, &third).await;
    assert!(matches!(full, Err(Error::InvalidOperation(_))), "{full:?}");
    for other in &others {
        let foreign = store.remove_client_secret(one.id, other, first.id).await;
        assert_eq!(foreign, Err(Error::not_found("Client", one.id)));
    }
    let unknown = store.remove_client_secret(one.id, &mine, third.id).await;
    assert_eq!(unknown, Err(Error::not_found("ClientSecret", third.id)));

    let replaced = store.remove_client_secret(one.id, &mine, first.id).await.unwrap();
    assert_eq!(replaced.secrets, ClientSecrets { first: second.clone(), second: None });
    store.add_client_secret(one.id, &mine, &third).await.unwrap();
    let taken_back = store.remove_client_secret(one.id, &mine, third.id).await.unwrap();
    assert_eq!(taken_back, replaced);
    assert_eq!(store.client(one.id).await.unwrap(), Some(replaced));
}

async fn of_two_who_add_a_secret_at_once_one_is_refused(kept: &Kept) {
    let (mine, one) = with_application(kept).await;
    let (left, right) = (secret(kept, "left"), secret(kept, "right"));
    let (first, second) = tokio::join!(
        kept.store.add_client_secret(one.id, &mine, &left),
        kept.store.add_client_secret(one.id, &mine, &right)
    );
    assert_ne!(first.is_ok(), second.is_ok(), "{first:?} {second:?}");
    let kept = kept.store.client(one.id).await.unwrap().unwrap().secrets.second;
    assert_eq!(kept, Some(if first.is_ok() { left } else { right }));
}

async fn no_client_outlives_its_owner_when_both_calls_race(kept: &Kept) {
    for round in 0..20 {
        let system = integration_system(&format!("s{round}"));
        kept.store.insert_integration_system(&system).await.unwrap();
        let one = client(ClientOwner::IntegrationSystem(system.id));
        let (inserting, deleting) = (Arc::clone(&kept.store), Arc::clone(&kept.store));
        let inserted = one.clone();
        let (inserted, deleted) = tokio::join!(async move { inserting.insert_client(&inserted).await }, async move {
            deleting.delete_integration_system(system.id).await
        },);
        deleted.unwrap();
        assert!(matches!(inserted, Ok(()) | Err(Error::NotFound { .. })), "{inserted:?}");
        assert!(kept.store.client(one.id).await.unwrap().is_none());
    }
}

async fn there_is_one_first_signing_key(kept: &Kept) {
    let key = |id: &str| SigningKeyRow { id: id.to_owned(), sealed: vec![0, 255, 128], created_at: kept.now() };
    let (one, two) = (key("one"), key("two"));
    let (first, second) =
        tokio::join!(kept.store.insert_signing_key(&one, None), kept.store.insert_signing_key(&two, None));
    assert_ne!(first.unwrap(), second.unwrap());
    let keys = kept.store.signing_keys().await.unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!((keys[0].sealed.as_slice(), keys[0].created_at), (&[0, 255, 128][..], kept.now()));
}

async fn a_signing_key_follows_the_newest_alone(kept: &Kept) {
    let key = |id: &str, seconds| SigningKeyRow {
        id: id.to_owned(),
        sealed: vec![1],
        created_at: kept.now() + TimeDelta::seconds(seconds),
    };
    let (one, two, three) = (key("one", 0), key("two", 1), key("three", 2));
    assert!(!kept.store.insert_signing_key(&one, Some("zero")).await.unwrap());
    assert!(kept.store.insert_signing_key(&one, None).await.unwrap());
    let (second, third) = tokio::join!(
        kept.store.insert_signing_key(&two, Some("one")),
        kept.store.insert_signing_key(&three, Some("one"))
    );
    assert_ne!(second.unwrap(), third.unwrap());
    let keys = kept.store.signing_keys().await.unwrap();
    assert_eq!((keys.len(), keys[1].id.as_str()), (2, "one"));
    kept.store.delete_signing_key("one").await.unwrap();
    kept.store.delete_signing_key("one").await.unwrap();
    assert_eq!(kept.store.signing_keys().await.unwrap().len(), 1);
}

async fn a_revoked_token_counts_no_longer_until_it_is_forgotten(kept: &Kept) {
    let system = integration_system("revoker");
    kept.store.insert_integration_system(&system).await.unwrap();
    let client = client(ClientOwner::IntegrationSystem(system.id));
    kept.store.insert_client(&client).await.unwrap();
    let token = || TokenId::generate(&*kept.clock, &SystemRandomness);
    let (revoked, other, later) = (token(), token(), token());
    let minute = TimeDelta::minutes(1);
    for _ in 0..2 {
        kept.store.revoke_token(revoked, client.id, kept.now() + minute, kept.now()).await.unwrap();
    }
    assert!(!kept.store.is_live(client.id, revoked).await.unwrap());
    assert!(kept.store.is_live(client.id, other).await.unwrap());
    // Its time is over, and the next revocation sweeps it out.
    kept.store.revoke_token(later, client.id, kept.now() + minute * 3, kept.now() + minute * 2).await.unwrap();
    assert!(kept.store.is_live(client.id, revoked).await.unwrap());
    assert!(!kept.store.is_live(client.id, later).await.unwrap());

    kept.store.delete_client(client.id, &OwnerKind::IntegrationSystem).await.unwrap();
    assert!(!kept.store.is_live(client.id, other).await.unwrap());
    let gone = kept.store.revoke_token(other, client.id, kept.now() + minute, kept.now()).await;
    assert!(matches!(gone, Err(Error::NotFound { .. })), "{gone:?}");
}
