use tidegate_model::Error;
use tidegate_wire::api::v1::{self, ObjectTypeService};

use super::Face;
use super::convert::{optional_json, required, text_of};
use crate::access::Access;
use crate::service::{ObjectTypeInput, ObjectTypeUpdateInput};

fn message(object_type: tidegate_model::ObjectType) -> v1::ObjectType {
    v1::ObjectType {
        id: object_type.id.to_string(),
        name: object_type.name.into(),
        schema: object_type.schema.as_ref().map(text_of),
    }
}

impl ObjectTypeService for Face {
    async fn list_object_types(
        &self,
        access: &Access,
        v1::ListObjectTypesRequest {}: v1::ListObjectTypesRequest,
    ) -> Result<v1::ListObjectTypesResponse, Error> {
        let object_types = self.services.object_types(access).await?;
        Ok(v1::ListObjectTypesResponse { object_types: object_types.into_iter().map(message).collect() })
    }

    async fn create_object_type(
        &self,
        access: &Access,
        request: v1::CreateObjectTypeRequest,
    ) -> Result<v1::CreateObjectTypeResponse, Error> {
        let v1::ObjectTypeInput { name, schema } = required("in", request.input)?;
        let input = ObjectTypeInput { name, schema: optional_json("in.schema", schema)? };
        let object_type = self.services.create_object_type(access, input).await?;
        Ok(v1::CreateObjectTypeResponse { object_type: Some(message(object_type)) })
    }

    async fn update_object_type(
        &self,
        access: &Access,
        request: v1::UpdateObjectTypeRequest,
    ) -> Result<v1::UpdateObjectTypeResponse, Error> {
        let v1::ObjectTypeUpdateInput { schema } = required("in", request.input)?;
        let input = ObjectTypeUpdateInput { schema: optional_json("in.schema", schema)? };
        let object_type = self.services.update_object_type(access, &request.id, input).await?;
        Ok(v1::UpdateObjectTypeResponse { object_type: Some(message(object_type)) })
    }

    async fn delete_object_type(
        &self,
        access: &Access,
        request: v1::DeleteObjectTypeRequest,
    ) -> Result<v1::DeleteObjectTypeResponse, Error> {
        let object_type = self.services.delete_object_type(access, &request.id).await?;
        Ok(v1::DeleteObjectTypeResponse { object_type: Some(message(object_type)) })
    }
}
