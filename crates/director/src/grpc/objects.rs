use tidegate_model::Error;
use tidegate_wire::api::v1::{self, ObjectService};

use super::Face;
use super::convert::{asked, instant, json, page, text_of};
use crate::access::Access;

fn message(object: tidegate_model::Object) -> v1::Object {
    v1::Object {
        id: object.id.into(),
        object_type: object.object_type.into(),
        data: text_of(&object.data),
        version: object.version,
        created_at: Some(instant(object.created_at)),
        updated_at: Some(instant(object.updated_at)),
        created_by: object.created_by,
        updated_by: object.updated_by,
    }
}

impl ObjectService for Face {
    async fn get_object(&self, access: &Access, request: v1::GetObjectRequest) -> Result<v1::GetObjectResponse, Error> {
        let object = self.services.object(access, &request.object_type, &request.id).await?;
        Ok(v1::GetObjectResponse { object: object.map(message) })
    }

    async fn list_objects(
        &self,
        access: &Access,
        request: v1::ListObjectsRequest,
    ) -> Result<v1::ListObjectsResponse, Error> {
        let asked = asked(request.first, request.after);
        let listed = self.services.objects(access, &request.object_type, asked).await?;
        let (data, page_info, total_count) = page(listed, message);
        Ok(v1::ListObjectsResponse { data, page_info, total_count })
    }

    async fn create_object(
        &self,
        access: &Access,
        request: v1::CreateObjectRequest,
    ) -> Result<v1::CreateObjectResponse, Error> {
        let v1::CreateObjectRequest { object_type, id, data } = request;
        let object = self.services.create_object(access, &object_type, id, &json("data", data)?).await?;
        Ok(v1::CreateObjectResponse { object: Some(message(object)) })
    }

    async fn update_object(
        &self,
        access: &Access,
        request: v1::UpdateObjectRequest,
    ) -> Result<v1::UpdateObjectResponse, Error> {
        let v1::UpdateObjectRequest { object_type, id, data, if_version } = request;
        let data = json("data", data)?;
        let object = self.services.update_object(access, &object_type, &id, &data, if_version).await?;
        Ok(v1::UpdateObjectResponse { object: Some(message(object)) })
    }

    async fn delete_object(
        &self,
        access: &Access,
        request: v1::DeleteObjectRequest,
    ) -> Result<v1::DeleteObjectResponse, Error> {
        let v1::DeleteObjectRequest { object_type, id, if_version } = request;
        let object = self.services.delete_object(access, &object_type, &id, if_version).await?;
        Ok(v1::DeleteObjectResponse { object: Some(message(object)) })
    }
}
