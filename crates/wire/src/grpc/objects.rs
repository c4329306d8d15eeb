//! [`Objects`] on both ends.

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::contract::{Actor, ObjectChange, Objects};
use tidegate_model::{Error, Json, Object, ObjectId, TypeName};
use tonic::{Request, Response, Status};

use super::call::{once, repeatedly};
use super::pb::objects_service_client::ObjectsServiceClient;
use super::pb::objects_service_server::ObjectsService;
use super::proof::PeerChannel;
use super::status::to_status;
use super::{MAX_MESSAGE, pb};
use crate::convert::{each, id, json_object, required};
use crate::fault;

/// Answers calls from objects in this process.
pub(super) struct ServedObjects(pub(super) Arc<dyn Objects>);

/// Who acts, and on what type: every request says so.
fn place(actor: Option<pb::Actor>, object_type: &str) -> Result<(Actor, TypeName), Error> {
    Ok((required("actor", actor)?, id("object_type", object_type)?))
}

impl ServedObjects {
    async fn get(&self, request: pb::GetRequest) -> Result<pb::GetResponse, Error> {
        let (actor, object_type) = place(request.actor, &request.object_type)?;
        let object = self.0.get(&actor, &object_type, &id("id", &request.id)?).await?;
        Ok(pb::GetResponse { object: object.map(Into::into) })
    }

    async fn find(&self, request: pb::ObjectsServiceFindRequest) -> Result<pb::ObjectsServiceFindResponse, Error> {
        let (actor, object_type) = place(request.actor, &request.object_type)?;
        let matching = json_object("matching", request.matching)?;
        let objects = self.0.find(&actor, &object_type, &matching, request.limit).await?;
        Ok(pb::ObjectsServiceFindResponse { objects: objects.into_iter().map(Into::into).collect() })
    }

    async fn create(&self, request: pb::CreateRequest) -> Result<pb::CreateResponse, Error> {
        let (actor, object_type) = place(request.actor, &request.object_type)?;
        let chosen: Option<ObjectId> = request.id.map(|text| id("id", &text)).transpose()?;
        let object = self.0.create(&actor, &object_type, chosen, &json_object("data", request.data)?).await?;
        Ok(pb::CreateResponse { object: Some(object.into()) })
    }

    async fn update(&self, request: pb::UpdateRequest) -> Result<pb::UpdateResponse, Error> {
        let (actor, object_type) = place(request.actor, &request.object_type)?;
        let (object, data) = (id("id", &request.id)?, json_object("data", request.data)?);
        let object = self.0.update(&actor, &object_type, &object, &data, request.if_version).await?;
        Ok(pb::UpdateResponse { object: Some(object.into()) })
    }

    async fn upsert(&self, request: pb::UpsertRequest) -> Result<pb::UpsertResponse, Error> {
        let (actor, object_type) = place(request.actor, &request.object_type)?;
        let (object, data) = (id("id", &request.id)?, json_object("data", request.data)?);
        let object = self.0.upsert(&actor, &object_type, &object, &data).await?;
        Ok(pb::UpsertResponse { object: Some(object.into()) })
    }

    async fn delete(&self, request: pb::DeleteRequest) -> Result<pb::DeleteResponse, Error> {
        let (actor, object_type) = place(request.actor, &request.object_type)?;
        let object = self.0.delete(&actor, &object_type, &id("id", &request.id)?, request.if_version).await?;
        Ok(pb::DeleteResponse { object: Some(object.into()) })
    }

    async fn apply(&self, request: pb::ApplyRequest) -> Result<pb::ApplyResponse, Error> {
        let actor: Actor = required("actor", request.actor)?;
        let changes: Vec<ObjectChange> = each("changes", request.changes)?;
        self.0.apply(&actor, &changes).await?;
        Ok(pb::ApplyResponse {})
    }
}

#[async_trait]
impl ObjectsService for ServedObjects {
    async fn get(&self, request: Request<pb::GetRequest>) -> Result<Response<pb::GetResponse>, Status> {
        self.get(request.into_inner()).await.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn find(
        &self,
        request: Request<pb::ObjectsServiceFindRequest>,
    ) -> Result<Response<pb::ObjectsServiceFindResponse>, Status> {
        self.find(request.into_inner()).await.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn create(&self, request: Request<pb::CreateRequest>) -> Result<Response<pb::CreateResponse>, Status> {
        self.create(request.into_inner()).await.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn update(&self, request: Request<pb::UpdateRequest>) -> Result<Response<pb::UpdateResponse>, Status> {
        self.update(request.into_inner()).await.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn upsert(&self, request: Request<pb::UpsertRequest>) -> Result<Response<pb::UpsertResponse>, Status> {
        self.upsert(request.into_inner()).await.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn delete(&self, request: Request<pb::DeleteRequest>) -> Result<Response<pb::DeleteResponse>, Status> {
        self.delete(request.into_inner()).await.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn apply(&self, request: Request<pb::ApplyRequest>) -> Result<Response<pb::ApplyResponse>, Status> {
        self.apply(request.into_inner()).await.map(Response::new).map_err(|e| to_status(&e))
    }
}

/// Asks a director.
pub(super) struct RemoteObjects(ObjectsServiceClient<PeerChannel>);

const PEER: &str = "the director";

impl RemoteObjects {
    pub(super) fn new(channel: PeerChannel) -> Self {
        let client = ObjectsServiceClient::new(channel);
        Self(client.max_decoding_message_size(MAX_MESSAGE))
    }

    fn client(&self) -> ObjectsServiceClient<PeerChannel> {
        self.0.clone()
    }
}

fn answered(object: Option<pb::Object>) -> Result<Object, Error> {
    required("object", object).map_err(|fault| fault::internal("read the director's answer", fault))
}

#[async_trait]
impl Objects for RemoteObjects {
    async fn get(&self, actor: &Actor, object_type: &TypeName, id: &ObjectId) -> Result<Option<Object>, Error> {
        let request =
            pb::GetRequest { actor: Some(actor.into()), object_type: object_type.to_string(), id: id.to_string() };
        let answer = repeatedly(PEER, || {
            let (mut client, request) = (self.client(), request.clone());
            async move { client.get(request).await }
        })
        .await?;
        answer.object.map(|object| answered(Some(object))).transpose()
    }

    async fn find(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        matching: &Json,
        limit: u32,
    ) -> Result<Vec<Object>, Error> {
        let request = pb::ObjectsServiceFindRequest {
            actor: Some(actor.into()),
            object_type: object_type.to_string(),
            matching: matching.as_str().to_owned(),
            limit,
        };
        let answer = repeatedly(PEER, || {
            let (mut client, request) = (self.client(), request.clone());
            async move { client.find(request).await }
        })
        .await?;
        answer.objects.into_iter().map(|object| answered(Some(object))).collect()
    }

    async fn create(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: Option<ObjectId>,
        data: &Json,
    ) -> Result<Object, Error> {
        let request = pb::CreateRequest {
            actor: Some(actor.into()),
            object_type: object_type.to_string(),
            id: id.map(Into::into),
            data: data.as_str().to_owned(),
        };
        let answer = once(PEER, || {
            let (mut client, request) = (self.client(), request.clone());
            async move { client.create(request).await }
        })
        .await?;
        answered(answer.object)
    }

    async fn update(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: &ObjectId,
        data: &Json,
        if_version: Option<i32>,
    ) -> Result<Object, Error> {
        let request = pb::UpdateRequest {
            actor: Some(actor.into()),
            object_type: object_type.to_string(),
            id: id.to_string(),
            data: data.as_str().to_owned(),
            if_version,
        };
        let answer = once(PEER, || {
            let (mut client, request) = (self.client(), request.clone());
            async move { client.update(request).await }
        })
        .await?;
        answered(answer.object)
    }

    async fn upsert(&self, actor: &Actor, object_type: &TypeName, id: &ObjectId, data: &Json) -> Result<Object, Error> {
        let request = pb::UpsertRequest {
            actor: Some(actor.into()),
            object_type: object_type.to_string(),
            id: id.to_string(),
            data: data.as_str().to_owned(),
        };
        let answer = once(PEER, || {
            let (mut client, request) = (self.client(), request.clone());
            async move { client.upsert(request).await }
        })
        .await?;
        answered(answer.object)
    }

    async fn delete(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: &ObjectId,
        if_version: Option<i32>,
    ) -> Result<Object, Error> {
        let request = pb::DeleteRequest {
            actor: Some(actor.into()),
            object_type: object_type.to_string(),
            id: id.to_string(),
            if_version,
        };
        let answer = once(PEER, || {
            let (mut client, request) = (self.client(), request.clone());
            async move { client.delete(request).await }
        })
        .await?;
        answered(answer.object)
    }

    async fn apply(&self, actor: &Actor, changes: &[ObjectChange]) -> Result<(), Error> {
        let changes = changes.iter().map(Into::into).collect();
        let request = pb::ApplyRequest { actor: Some(actor.into()), changes };
        once(PEER, || {
            let (mut client, request) = (self.client(), request.clone());
            async move { client.apply(request).await }
        })
        .await
        .map(drop)
    }
}
