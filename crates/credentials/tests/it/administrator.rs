use tidegate_credentials::{Administrator, ConfiguredAdministrator};
use tidegate_model::{
    Client, ClientOwner, Clock as _, Error, IntegrationSystem, IntegrationSystemId, Scope, Secret, SystemRandomness,
};

use crate::harness::{clock, store};

const ID: &str = "0190a5f2-6c1e-7c3b-9d4e-2f8a61b7c035";

#[tokio::test]
async fn without_any_administrator_one_is_made_and_counts_only_once_inserted() {
    let (store, clock) = (store().await, clock());
    let first = Administrator::prepare(store.as_ref(), None, clock.as_ref(), &SystemRandomness).await.unwrap().unwrap();
    assert!(!store.has_administrator().await.unwrap());
    assert!(!format!("{first:?}").contains(first.secret().reveal()));

    first.insert(store.as_ref()).await.unwrap();
    let client = store.client(first.id()).await.unwrap().unwrap();
    assert_eq!((client.owner, client.scopes), (ClientOwner::Administrator, Scope::all()));
    assert!(client.secrets.first.hash.matches(first.secret()));
    let second = Administrator::prepare(store.as_ref(), None, clock.as_ref(), &SystemRandomness).await.unwrap();
    assert!(second.is_none());
}

#[tokio::test]
async fn the_configured_administrator_is_made_once_whoever_starts() {
    let (store, clock) = (store().await, clock());
    let configured = ConfiguredAdministrator::parse(ID, Secret::new("a long random text")).unwrap();
    let prepare = || Administrator::prepare(store.as_ref(), Some(&configured), clock.as_ref(), &SystemRandomness);
    let (one, two) = (prepare().await.unwrap().unwrap(), prepare().await.unwrap().unwrap());
    one.insert(store.as_ref()).await.unwrap();
    two.insert(store.as_ref()).await.unwrap();
    assert_eq!(one.id().to_string(), ID);
    assert!(prepare().await.unwrap().is_none());
}

#[tokio::test]
async fn a_configured_administrator_that_contradicts_the_store_is_refused() {
    let (store, clock) = (store().await, clock());
    let configured = |secret: &str| ConfiguredAdministrator::parse(ID, Secret::new(secret)).unwrap();
    let prepare = async |secret: &str| {
        Administrator::prepare(store.as_ref(), Some(&configured(secret)), clock.as_ref(), &SystemRandomness).await
    };
    prepare("first").await.unwrap().unwrap().insert(store.as_ref()).await.unwrap();
    let Err(Error::InvalidOperation(text)) = prepare("second").await else { panic!("accepted") };
    assert!(text.starts_with("admin.client_secret") && !text.contains("second"), "{text}");
}

#[tokio::test]
async fn the_client_of_somebody_else_does_not_become_an_administrator() {
    let (store, clock) = (store().await, clock());
    let secret = Secret::new("known");
    let system = IntegrationSystem {
        id: IntegrationSystemId(uuid::Uuid::from_u128(1)),
        name: "erp".to_owned(),
        description: None,
    };
    store.insert_integration_system(&system).await.unwrap();
    let owner = ClientOwner::IntegrationSystem(system.id);
    let scopes = Scope::of_integration_system();
    let client = Client::new(ID.parse().unwrap(), owner, scopes, clock.now(), secret.hash());
    store.insert_client(&client).await.unwrap();
    let configured = ConfiguredAdministrator::parse(ID, secret).unwrap();
    let refused = Administrator::prepare(store.as_ref(), Some(&configured), clock.as_ref(), &SystemRandomness).await;
    assert!(matches!(refused, Err(Error::InvalidOperation(_))));
}

#[test]
fn a_configured_id_that_is_no_uuid_is_refused_by_the_name_of_its_key() {
    let refused = ConfiguredAdministrator::parse("admin", Secret::new("x")).unwrap_err().to_string();
    assert!(refused.contains("admin.client_id") && refused.contains("UUID"), "{refused}");
    let refused = ConfiguredAdministrator::parse(ID, Secret::new("")).unwrap_err().to_string();
    assert!(refused.contains("admin.client_secret"), "{refused}");
}
