//! `proto/tidegate/v1`, and calls made from it.

use std::collections::{BTreeSet, HashMap};

use bytes::{Buf as _, BufMut as _};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet, MethodDescriptorProto,
};
use serde_json::Value;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Status};

use super::snake;
use crate::desk::Desk;

/// What names something by the name that its tenant gave it.
const NAMES: [&str; 4] = ["object_type", "credential", "credentials", "signing_credentials"];

pub(crate) struct Protos {
    messages: HashMap<String, DescriptorProto>,
    enums: HashMap<String, EnumDescriptorProto>,
    /// Of which service, and what.
    rpcs: Vec<(String, MethodDescriptorProto)>,
}

impl Protos {
    pub(crate) fn read() -> Self {
        let files = FileDescriptorSet::decode(tidegate_wire::api::DESCRIPTORS).unwrap().file;
        let mut read = Self { messages: HashMap::new(), enums: HashMap::new(), rpcs: Vec::new() };
        for file in files {
            let place = |name: &str| format!(".{}.{name}", file.package());
            for message in &file.message_type {
                read.messages.insert(place(message.name()), message.clone());
            }
            for kind in &file.enum_type {
                read.enums.insert(place(kind.name()), kind.clone());
            }
            for service in file.service.iter().filter(|_| file.package() == "tidegate.v1") {
                let service_name = format!("tidegate.v1.{}", service.name());
                read.rpcs.extend(service.method.iter().map(|rpc| (service_name.clone(), rpc.clone())));
            }
        }
        read
    }

    /// The names of all RPCs.
    pub(crate) fn rpcs(&self) -> BTreeSet<&str> {
        self.rpcs.iter().map(|(_, rpc)| rpc.name()).collect()
    }

    /// Every field of a request, however deep, that names something that there is: `UpdateLogic.id`.
    pub(crate) fn references(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (_, rpc) in &self.rpcs {
            self.collect(rpc.name(), &self.messages[rpc.input_type()], &mut found);
        }
        found
    }

    fn collect(&self, path: &str, message: &DescriptorProto, found: &mut BTreeSet<String>) {
        for field in &message.field {
            let (name, path) = (field.name(), format!("{path}.{}", field.name()));
            let names_one = name == "id" || name == "ids" || name.ends_with("_id") || name == "after";
            if field.r#type() == Type::String && (names_one || NAMES.contains(&name)) {
                found.insert(path.clone());
            }
            if field.r#type() == Type::Message && field.type_name().starts_with(".tidegate") {
                self.collect(&path, &self.messages[field.type_name()], found);
            }
        }
    }

    /// The RPC that a GraphQL operation is.
    pub(crate) fn rpc_of(&self, operation: &str) -> &str {
        let mut letters = operation.chars();
        let camel: String = letters.next().unwrap().to_uppercase().chain(letters).collect();
        let names = [camel.clone(), format!("Get{camel}"), format!("List{camel}")];
        let found = self.rpcs.iter().find(|(_, rpc)| names.iter().any(|name| name == rpc.name()));
        found.unwrap_or_else(|| panic!("no RPC is {operation}")).1.name()
    }

    /// Calls an RPC with the arguments of the GraphQL operation that it is.
    pub(crate) async fn call(
        &self,
        desk: &Desk,
        (token, tenant): (&str, Option<&str>),
        rpc: &str,
        arguments: &Value,
    ) -> Result<Vec<u8>, Status> {
        let (service, method) = self.rpcs.iter().find(|(_, known)| known.name() == rpc).unwrap();
        let mut request = Request::new(self.encoded(method.input_type(), arguments));
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        if let Some(tenant) = tenant {
            request.metadata_mut().insert("tenant", tenant.parse().unwrap());
        }
        let mut client = tonic::client::Grpc::new(desk.director.grpc().routes());
        client.ready().await.unwrap();
        let path = http::uri::PathAndQuery::try_from(format!("/{service}/{rpc}")).unwrap();
        client.unary(request, path, AsItIs).await.map(tonic::Response::into_inner)
    }

    fn encoded(&self, message: &str, value: &Value) -> Vec<u8> {
        let known = &self.messages[message];
        let mut bytes = Vec::new();
        for (key, value) in value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            let name = match key.as_str() {
                "in" => "input".to_owned(),
                key => snake(key),
            };
            let names = [name.clone(), format!("{name}_time")];
            let field = known.field.iter().find(|field| names.iter().any(|name| name == field.name()));
            let field = field.unwrap_or_else(|| panic!("{message} has no {name}"));
            match (field.label(), value) {
                (Label::Repeated, Value::Array(all)) => {
                    for one in all {
                        self.put(field, one, &mut bytes);
                    }
                }
                _ => self.put(field, value, &mut bytes),
            }
        }
        bytes
    }

    fn put(&self, field: &FieldDescriptorProto, value: &Value, bytes: &mut Vec<u8>) {
        let tag = u32::try_from(field.number()).unwrap();
        let mut put_bytes = |content: &[u8]| {
            encode_key(tag, WireType::LengthDelimited, bytes);
            encode_varint(content.len() as u64, bytes);
            bytes.put_slice(content);
        };
        match field.r#type() {
            // JSON is its text.
            Type::String => match value {
                Value::String(text) => put_bytes(text.as_bytes()),
                json => put_bytes(json.to_string().as_bytes()),
            },
            Type::Message => put_bytes(&self.encoded(field.type_name(), value)),
            other => {
                let number = match (other, value) {
                    (Type::Enum, Value::String(name)) => {
                        let values = &self.enums[field.type_name()].value;
                        let suffix = format!("_{name}");
                        values.iter().find(|known| known.name().ends_with(&suffix)).unwrap().number()
                    }
                    (Type::Bool, value) => i32::from(value.as_bool().unwrap()),
                    (_, value) => i32::try_from(value.as_i64().unwrap()).unwrap(),
                };
                encode_key(tag, WireType::Varint, bytes);
                encode_varint(u64::try_from(number).unwrap(), bytes);
            }
        }
    }
}

/// Messages as the bytes that they are.
struct AsItIs;

impl Codec for AsItIs {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for AsItIs {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message);
        Ok(())
    }
}

impl Decoder for AsItIs {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut message = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut message);
        Ok(Some(message))
    }
}
