//! `proto/tidegate/v1`, as it is compiled.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};

/// One fact for every RPC, field and value.
pub(super) fn facts(descriptors: &[u8]) -> BTreeSet<String> {
    let files = FileDescriptorSet::decode(descriptors).unwrap().file;
    let mut facts = BTreeSet::new();
    for file in files.iter().filter(|file| file.package() == "tidegate.v1") {
        facts.extend(file.message_type.iter().flat_map(fields));
        facts.extend(file.enum_type.iter().flat_map(values));
        facts.extend(file.service.iter().flat_map(|s| &s.method).map(|rpc| format!("rpc {}", rpc.name())));
    }
    facts
}

fn fields(message: &DescriptorProto) -> Vec<String> {
    let fact = |field: &FieldDescriptorProto| {
        let label = match (field.label(), field.proto3_optional()) {
            (Label::Repeated, _) => "repeated ",
            (_, true) => "optional ",
            (_, false) => "",
        };
        let choice = field.oneof_index.filter(|_| !field.proto3_optional());
        let place = match choice.and_then(|i| message.oneof_decl.get(usize::try_from(i).ok()?)) {
            Some(choice) => format!("{}.{}.{}", message.name(), choice.name(), field.name()),
            None => format!("{}.{}", message.name(), field.name()),
        };
        format!("{place}: {label}{}", type_of(field))
    };
    message.field.iter().map(fact).collect()
}

fn type_of(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum => field.type_name().rsplit('.').next().unwrap_or_default().to_owned(),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    }
}

/// The values, without the enum's name before them; the one that says nothing does not count.
fn values(kind: &EnumDescriptorProto) -> Vec<String> {
    let zero = kind.value.first().map(|value| value.name().to_owned()).unwrap_or_default();
    let prefix = zero.trim_end_matches("UNSPECIFIED").to_owned();
    let told = kind.value.iter().skip(1);
    let short = |name: &str| name.strip_prefix(&prefix).unwrap_or(name).to_owned();
    told.map(|value| format!("{}.{}", kind.name(), short(value.name()))).collect()
}
