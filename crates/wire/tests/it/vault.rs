//! `Vault`, in the process, over gRPC and cached.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tidegate_model::contract::{Notices as _, Vault};
use tidegate_model::{
    AuthStyle, Credential, CredentialId, Error, ManualClock, Material, OAuth2Client, OpenCredential, Secret,
    SigningSecret, SigningSecretId, SystemClock, SystemRandomness,
};
use tidegate_wire::grpc::Server;
use tidegate_wire::{CacheOptions, CachedVault, LocalNotices};

use crate::harness::{Ends, acme, nothing, now};
use crate::memory::MemoryVault;

fn open(name: &str, material: Material) -> Arc<OpenCredential> {
    let credential = Credential {
        id: CredentialId::generate(&SystemClock, &SystemRandomness),
        tenant: acme(),
        name: name.to_owned(),
        kind: material.kind(),
        description: Some("ü".to_owned()),
        allowed_hosts: vec!["api.example.com".parse().unwrap(), "*.example.org".parse().unwrap()],
        created_at: now(),
        updated_at: now() + TimeDelta::microseconds(1),
    };
    Arc::new(OpenCredential { credential, material })
}

fn bearer(name: &str, token: &str) -> Arc<OpenCredential> {
    open(name, Material::Bearer { token: Secret::new(token) })
}

fn signing(secret: &str) -> SigningSecret {
    let id = SigningSecretId::generate(&SystemClock, &SystemRandomness);
    SigningSecret { id, secret: Secret::new(secret), created_at: now() }
}

fn one_of_each_kind() -> Vec<Arc<OpenCredential>> {
    let client = |scope: Option<&str>, auth_style| {
        Material::OAuth2(OAuth2Client {
            token_url: "https://id.example.com/token".into(),
            client_id: "us".into(),
            client_secret: Secret::new("s"),
            scope: scope.map(str::to_owned),
            auth_style,
        })
    };
    vec![
        open("basic", Material::Basic { username: "ann".into(), password: Secret::new("p:ä") }),
        bearer("bearer", "t"),
        open("header", Material::Header { name: "X-Api-Key".into(), value: Secret::new("v") }),
        open("oauth2 basic", client(Some("a b"), AuthStyle::Basic)),
        open("oauth2 post", client(None, AuthStyle::Post)),
        open("signing", Material::Signing { secrets: vec![signing("whsec_new"), signing("whsec_old")] }),
    ]
}

#[tokio::test]
async fn every_kind_of_credential_comes_whole_and_no_tenant_gets_anothers() {
    let vault = MemoryVault::new();
    let all = one_of_each_kind();
    vault.put_all(&all);
    let server = Server { vault: Some(vault.clone()), ..nothing() };
    for (end, vault) in Ends::<dyn Vault>::of(vault.clone(), server, |peer| peer.vault()).await.ends {
        for one in &all {
            assert_eq!(vault.credential(&acme(), &one.credential.name).await, Ok(Some(one.clone())), "{end}");
        }
        assert_eq!(vault.credential(&acme(), "none").await, Ok(None), "{end}");
        assert_eq!(vault.credential(&"other".parse().unwrap(), "bearer").await, Ok(None), "{end}");
    }
}

struct Cache {
    inner: Arc<MemoryVault>,
    notices: Arc<LocalNotices>,
    clock: Arc<ManualClock>,
    cached: CachedVault,
}

fn cache() -> Cache {
    let (inner, notices, clock) =
        (MemoryVault::new(), Arc::new(LocalNotices::new()), Arc::new(ManualClock::new(now())));
    let cached = CachedVault::new(inner.clone(), notices.clone(), clock.clone(), CacheOptions::default());
    Cache { inner, notices, clock, cached }
}

impl Cache {
    async fn token(&self) -> Option<String> {
        let found = self.cached.credential(&acme(), "shop").await.unwrap()?;
        match &found.material {
            Material::Bearer { token } => Some(token.reveal().to_owned()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_changed_credential_is_in_force_with_the_notice_and_without_one_within_a_second() {
    let cache = cache();
    cache.inner.put_all(&[bearer("shop", "first")]);
    for _ in 0..3 {
        assert_eq!(cache.token().await.unwrap(), "first");
    }
    assert_eq!(cache.inner.asked(), 1);

    cache.inner.put_all(&[bearer("shop", "second")]);
    cache.notices.announce().await;
    assert_eq!(cache.token().await.unwrap(), "second");

    cache.inner.put_all(&[bearer("shop", "third")]);
    cache.clock.advance(TimeDelta::seconds(1));
    assert_eq!(cache.token().await.unwrap(), "third");

    cache.inner.take("shop");
    cache.notices.announce().await;
    assert_eq!(cache.token().await, None);
}

#[tokio::test]
async fn a_vault_that_is_away_leaves_what_is_known_in_use_for_a_while() {
    let cache = cache();
    cache.inner.put_all(&[bearer("shop", "first")]);
    assert_eq!(cache.token().await.unwrap(), "first");
    cache.inner.fail(Some(Error::Unavailable("the director")));
    cache.clock.advance(TimeDelta::minutes(5));
    assert_eq!(cache.token().await.unwrap(), "first");
    cache.clock.advance(TimeDelta::from_std(Duration::from_hours(1)).unwrap());
    assert_eq!(cache.cached.credential(&acme(), "shop").await, Err(Error::Unavailable("the director")));
}
