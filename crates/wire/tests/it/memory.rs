//! The contracts that gRPC carries, kept in memory: small, and true to every word of their documentation.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tidegate_model::contract::{
    Actor, KeySet, ObjectAction, ObjectChange, Objects, Registry, Resolved, TokenAuthority, Vault, WebhookKeyHash,
};
use tidegate_model::{
    ClientId, Direction, Error, EventType, IntegrationId, Json, Object, ObjectId, OpenCredential, Runnable, TenantId,
    TokenId, TypeName,
};
use tokio::sync::Semaphore;

use crate::harness::now;

/// Definitions; may be told to fail, and to wait before it answers.
pub(crate) struct MemoryRegistry {
    pub(crate) keys: Mutex<Vec<(WebhookKeyHash, Arc<Runnable>)>>,
    pub(crate) integrations: Mutex<Vec<Arc<Runnable>>>,
    pub(crate) failing: Mutex<Option<Error>>,
    /// How often it was asked.
    pub(crate) asked: AtomicUsize,
    /// Each answer, after it was read, takes a permit on its way out.
    pub(crate) gate: Semaphore,
}

impl MemoryRegistry {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            keys: Mutex::default(),
            integrations: Mutex::default(),
            failing: Mutex::default(),
            asked: AtomicUsize::new(0),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        })
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn answer<T>(&self, answer: T) -> Result<T, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let failing = self.failing.lock().unwrap().clone();
        self.gate.acquire().await.unwrap().forget();
        failing.map_or(Ok(answer), Err)
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    async fn resolve(&self, key: WebhookKeyHash) -> Result<Resolved, Error> {
        let found: Vec<_> =
            self.keys.lock().unwrap().iter().filter(|(k, _)| *k == key).map(|(_, r)| r.clone()).collect();
        self.answer(match &found[..] {
            [] => Resolved::None,
            [one] => Resolved::One(one.clone()),
            _ => Resolved::Many,
        })
        .await
    }

    async fn subscribers(
        &self,
        tenant: &TenantId,
        object_type: &TypeName,
        event_type: EventType,
    ) -> Result<Arc<[Arc<Runnable>]>, Error> {
        let listens = |runnable: &&Arc<Runnable>| match &runnable.integration.direction {
            Direction::Incoming => false,
            Direction::Outgoing { subscriptions, .. } => {
                runnable.integration.tenant == *tenant
                    && subscriptions.iter().any(|s| s.object_type == *object_type && s.event_type == event_type)
            }
        };
        let found = self.integrations.lock().unwrap().iter().filter(listens).cloned().collect();
        self.answer(found).await
    }

    async fn find(&self, tenant: &TenantId, id: IntegrationId) -> Result<Option<Arc<Runnable>>, Error> {
        let is_it = |runnable: &&Arc<Runnable>| runnable.integration.tenant == *tenant && runnable.integration.id == id;
        let found = self.integrations.lock().unwrap().iter().find(is_it).cloned();
        self.answer(found).await
    }
}

/// Objects of the one type `Order`; may be told to wait before it makes one.
pub(crate) struct MemoryObjects {
    objects: Mutex<BTreeMap<(TenantId, ObjectId), Object>>,
    /// How often it was told to make one.
    pub(crate) told: AtomicUsize,
    /// Each creation takes a permit.
    pub(crate) gate: Semaphore,
}

impl MemoryObjects {
    pub(crate) fn new() -> Arc<Self> {
        let gate = Semaphore::new(Semaphore::MAX_PERMITS);
        Arc::new(Self { objects: Mutex::default(), told: AtomicUsize::new(0), gate })
    }

    fn check(object_type: &TypeName) -> Result<(), Error> {
        if object_type.as_str() == "Order" { Ok(()) } else { Err(Error::not_found("ObjectType", object_type)) }
    }
}

fn assign(old: &Json, new: &Json) -> Json {
    let mut all = old.attributes().unwrap();
    for (key, value) in new.attributes().unwrap() {
        all.retain(|(k, _)| *k != key);
        all.push((key, value));
    }
    Json::object(all.iter().map(|(k, v)| (k.as_str(), v)))
}

fn expect_version(object: &Object, if_version: Option<i32>) -> Result<(), Error> {
    match if_version {
        Some(version) if version != object.version => {
            Err(Error::InvalidOperation(format!("the object has version {}, not {version}", object.version)))
        }
        _ => Ok(()),
    }
}

#[async_trait]
impl Objects for MemoryObjects {
    async fn get(&self, actor: &Actor, object_type: &TypeName, id: &ObjectId) -> Result<Option<Object>, Error> {
        Self::check(object_type)?;
        Ok(self.objects.lock().unwrap().get(&(actor.tenant.clone(), id.clone())).cloned())
    }

    async fn find(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        matching: &Json,
        limit: u32,
    ) -> Result<Vec<Object>, Error> {
        Self::check(object_type)?;
        let matching = matching.attributes().unwrap();
        let objects = self.objects.lock().unwrap();
        let mut found: Vec<_> = objects
            .values()
            .filter(|o| o.tenant == actor.tenant)
            .filter(|o| matching.iter().all(|wanted| o.data.attributes().unwrap().contains(wanted)))
            .cloned()
            .collect();
        found.sort_by_key(|o| o.created_at);
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn create(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: Option<ObjectId>,
        data: &Json,
    ) -> Result<Object, Error> {
        Self::check(object_type)?;
        self.told.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        let id = id.unwrap_or_else(|| "made-up".parse().unwrap());
        let object = Object {
            tenant: actor.tenant.clone(),
            object_type: object_type.clone(),
            id: id.clone(),
            data: data.clone(),
            version: 1,
            created_at: now(),
            updated_at: now(),
            created_by: actor.attribution.clone(),
            updated_by: actor.attribution.clone(),
        };
        match self.objects.lock().unwrap().entry((actor.tenant.clone(), id.clone())) {
            std::collections::btree_map::Entry::Occupied(_) => Err(Error::not_unique("Object", id)),
            std::collections::btree_map::Entry::Vacant(place) => Ok(place.insert(object).clone()),
        }
    }

    async fn update(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: &ObjectId,
        data: &Json,
        if_version: Option<i32>,
    ) -> Result<Object, Error> {
        Self::check(object_type)?;
        let mut objects = self.objects.lock().unwrap();
        let object =
            objects.get_mut(&(actor.tenant.clone(), id.clone())).ok_or_else(|| Error::not_found("Object", id))?;
        expect_version(object, if_version)?;
        object.data = assign(&object.data, data);
        object.version += 1;
        object.updated_by.clone_from(&actor.attribution);
        Ok(object.clone())
    }

    async fn upsert(&self, actor: &Actor, object_type: &TypeName, id: &ObjectId, data: &Json) -> Result<Object, Error> {
        match self.update(actor, object_type, id, data, None).await {
            Err(Error::NotFound { what: "Object", .. }) => {
                self.create(actor, object_type, Some(id.clone()), data).await
            }
            other => other,
        }
    }

    async fn delete(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: &ObjectId,
        if_version: Option<i32>,
    ) -> Result<Object, Error> {
        Self::check(object_type)?;
        let mut objects = self.objects.lock().unwrap();
        let key = (actor.tenant.clone(), id.clone());
        expect_version(objects.get(&key).ok_or_else(|| Error::not_found("Object", id))?, if_version)?;
        objects.remove(&key).ok_or_else(|| Error::not_found("Object", id))
    }

    async fn apply(&self, actor: &Actor, changes: &[ObjectChange]) -> Result<(), Error> {
        self.told.fetch_add(1, Ordering::SeqCst);
        let before = self.objects.lock().unwrap().clone();
        let version = |change: &ObjectChange| Some(before.get(&(actor.tenant.clone(), change.id.clone()))?.version);
        if let Some(stale) = changes.iter().find(|change| version(change) != change.base) {
            return Err(Error::InvalidOperation(format!("{} {} was changed", stale.object_type, stale.id)));
        }
        for change in changes {
            let (object_type, id) = (&change.object_type, &change.id);
            let done = match &change.action {
                ObjectAction::Assign(data) => self.upsert(actor, object_type, id, data).await,
                ObjectAction::Delete => self.delete(actor, object_type, id, None).await,
            };
            if let Err(e) = done {
                *self.objects.lock().unwrap() = before;
                return Err(e);
            }
        }
        Ok(())
    }
}

/// An authority with one live token.
pub(crate) struct MemoryAuthority {
    pub(crate) live: (ClientId, TokenId),
}

#[async_trait]
impl TokenAuthority for MemoryAuthority {
    async fn key_set(&self) -> Result<KeySet, Error> {
        Ok(KeySet(Json::trusted(r#"{"keys": [{"kty":"OKP","crv":"Ed25519","kid":"1","x":"AA"}]}"#)))
    }

    async fn is_live(&self, client: ClientId, token: TokenId) -> Result<bool, Error> {
        Ok((client, token) == self.live)
    }
}

/// Credentials; may be told to fail.
#[derive(Default)]
pub(crate) struct MemoryVault {
    credentials: Mutex<BTreeMap<(TenantId, String), Arc<OpenCredential>>>,
    failing: Mutex<Option<Error>>,
    asked: AtomicUsize,
}

impl MemoryVault {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn put_all(&self, all: &[Arc<OpenCredential>]) {
        let key = |one: &Arc<OpenCredential>| (one.credential.tenant.clone(), one.credential.name.clone());
        self.credentials.lock().unwrap().extend(all.iter().map(|one| (key(one), one.clone())));
    }

    pub(crate) fn take(&self, name: &str) {
        self.credentials.lock().unwrap().retain(|(_, known), _| known != name);
    }

    pub(crate) fn fail(&self, error: Option<Error>) {
        *self.failing.lock().unwrap() = error;
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Vault for MemoryVault {
    async fn credential(&self, tenant: &TenantId, name: &str) -> Result<Option<Arc<OpenCredential>>, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if let Some(error) = self.failing.lock().unwrap().clone() {
            return Err(error);
        }
        Ok(self.credentials.lock().unwrap().get(&(tenant.clone(), name.to_owned())).cloned())
    }
}
