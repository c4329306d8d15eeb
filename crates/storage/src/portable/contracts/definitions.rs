use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::contract::{Resolved, WebhookKeyHash};
use tidegate_model::{
    Error, Event, EventType, Integration, IntegrationId, Logic, LogicId, Object, ObjectId, ObjectType, Page, PageOf,
    Runnable, TenantId, TypeName,
};

use super::super::{Database, integration_rows, integrations, logics, objects, orphans};
use crate::contract::{Definitions, ObjectWrite, Objects, WebhookKeyRow, WriteConflict};

/// How many steps of its deliveries' end the deletion of an Integration waits for.
const ORPHAN_STEPS: u32 = 20;

#[async_trait]
impl Definitions for Database {
    async fn insert_logic(&self, logic: &Logic, event: &Event) -> Result<(), Error> {
        self.run("insert_logic", || logics::insert(self, logic, event)).await
    }

    async fn logic(&self, tenant: &TenantId, id: LogicId, version: Option<i32>) -> Result<Option<Logic>, Error> {
        self.run("logic", || logics::find(self, tenant, id, version)).await
    }

    async fn logics(&self, tenant: &TenantId, page: PageOf<LogicId>) -> Result<Page<Logic>, Error> {
        self.run("logics", || logics::list(self, tenant, page)).await
    }

    async fn add_logic_version(&self, logic: &Logic, event: &Event) -> Result<(), Error> {
        self.run("add_logic_version", || logics::add_version(self, logic, event)).await
    }

    async fn describe_logic(&self, logic: &Logic, event: &Event) -> Result<(), Error> {
        self.run("describe_logic", || logics::describe(self, logic, event)).await
    }

    async fn delete_logic(&self, tenant: &TenantId, id: LogicId, event: &Event) -> Result<(), Error> {
        self.run("delete_logic", || logics::delete(self, tenant, id, event)).await
    }

    async fn insert_integration(
        &self,
        integration: &Integration,
        key: Option<&WebhookKeyRow>,
        event: &Event,
    ) -> Result<(), Error> {
        self.run("insert_integration", || integrations::insert(self, integration, key, event)).await
    }

    async fn integration(&self, tenant: &TenantId, id: IntegrationId) -> Result<Option<Integration>, Error> {
        self.run("integration", || integration_rows::find(self, tenant, id)).await
    }

    async fn integrations(&self, tenant: &TenantId, page: PageOf<IntegrationId>) -> Result<Page<Integration>, Error> {
        self.run("integrations", || integration_rows::list(self, tenant, page)).await
    }

    async fn update_integration(&self, integration: &Integration, event: &Event) -> Result<(), Error> {
        self.run("update_integration", || integrations::update(self, integration, event)).await
    }

    async fn delete_integration(&self, tenant: &TenantId, id: IntegrationId, event: &Event) -> Result<(), Error> {
        let mut more = self.run("delete_integration", || integrations::delete(self, tenant, id, event)).await?;
        for _ in 0..ORPHAN_STEPS {
            if !more {
                break;
            }
            let end = || orphans::end_more(self, tenant, id, event.time, orphans::STEP);
            // It is deleted all the same; housekeeping ends what is left.
            more = self.run("end_orphans", end).await.is_ok_and(|ended| ended == orphans::STEP);
        }
        Ok(())
    }

    async fn webhook_keys(
        &self,
        tenant: &TenantId,
        ids: &[IntegrationId],
    ) -> Result<Vec<(IntegrationId, Vec<u8>)>, Error> {
        self.run("webhook_keys", || integrations::webhook_keys(self, tenant, ids)).await
    }

    async fn replace_webhook_keys(
        &self,
        tenant: &TenantId,
        keys: &[(IntegrationId, WebhookKeyRow)],
        events: &[Event],
    ) -> Result<(), Error> {
        self.run("replace_webhook_keys", || integrations::replace_webhook_keys(self, tenant, keys, events)).await
    }

    async fn resolve(&self, key: WebhookKeyHash) -> Result<Resolved, Error> {
        self.run("resolve", || integration_rows::resolve(self, key)).await
    }

    async fn subscribers(
        &self,
        tenant: &TenantId,
        object_type: &TypeName,
        event_type: EventType,
    ) -> Result<Vec<Arc<Runnable>>, Error> {
        self.run("subscribers", || integration_rows::subscribers(self, tenant, object_type, event_type)).await
    }

    async fn runnable(&self, tenant: &TenantId, id: IntegrationId) -> Result<Option<Arc<Runnable>>, Error> {
        self.run("runnable", || integration_rows::runnable(self, tenant, id)).await
    }

    async fn insert_object_type(&self, object_type: &ObjectType) -> Result<(), Error> {
        self.run("insert_object_type", || objects::insert_type(self, object_type)).await
    }

    async fn object_type(&self, tenant: &TenantId, name: &TypeName) -> Result<Option<ObjectType>, Error> {
        self.run("object_type", || objects::find_type(self, tenant, name)).await
    }

    async fn update_object_type(&self, object_type: &ObjectType) -> Result<(), Error> {
        self.run("update_object_type", || objects::update_type(self, object_type)).await
    }

    async fn delete_object_type(&self, tenant: &TenantId, name: &TypeName) -> Result<(), Error> {
        self.run("delete_object_type", || objects::delete_type(self, tenant, name)).await
    }

    async fn object_types(&self, tenant: &TenantId) -> Result<Vec<ObjectType>, Error> {
        self.run("object_types", || objects::list_types(self, tenant)).await
    }
}

#[async_trait]
impl Objects for Database {
    async fn object(&self, tenant: &TenantId, object_type: &TypeName, id: &ObjectId) -> Result<Option<Object>, Error> {
        self.run("object", || objects::find(self, tenant, object_type, id)).await
    }

    async fn objects(
        &self,
        tenant: &TenantId,
        object_type: &TypeName,
        page: PageOf<i64>,
    ) -> Result<Page<(i64, Object)>, Error> {
        self.run("objects", || objects::list(self, tenant, object_type, page)).await
    }

    async fn write_objects(&self, writes: &[ObjectWrite]) -> Result<WriteConflict, Error> {
        self.run("write_objects", || objects::write(self, writes)).await
    }
}
