//! The schema, in the words of `proto/`.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition,
};

use crate::walk::snake;

/// What `proto/` should say.
pub(super) struct Expected {
    pub(super) facts: BTreeSet<String>,
    /// Names among those left out that the schema does not have.
    pub(super) unknown: Vec<String>,
}

/// Reads a schema's text, without what `left_out` names.
pub(super) fn expected(sdl: &str, left_out: &[&str]) -> Expected {
    let types = parse_schema(sdl).unwrap().definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some((definition.node.name.node.to_string(), definition.node.kind)),
        _ => None,
    });
    let types = types.collect();
    let left_out: BTreeSet<&str> = left_out.iter().copied().collect();
    let mut reading =
        Reading { types: &types, unknown: left_out.clone(), left_out, facts: BTreeSet::new(), seen: BTreeSet::new() };
    for root in ["Query", "Mutation"] {
        let Some(TypeKind::Object(object)) = types.get(root) else { panic!("there is no {root}") };
        for operation in &object.fields {
            if !reading.is_left_out(root, &operation.node.name.node) {
                reading.operation(root == "Query", &operation.node);
            }
        }
    }
    Expected { facts: reading.facts, unknown: reading.unknown.into_iter().map(str::to_owned).collect() }
}

struct Reading<'a> {
    types: &'a BTreeMap<String, TypeKind>,
    left_out: BTreeSet<&'a str>,
    unknown: BTreeSet<&'a str>,
    facts: BTreeSet<String>,
    seen: BTreeSet<String>,
}

impl Reading<'_> {
    fn is_left_out(&mut self, kind: &str, field: &str) -> bool {
        let name = format!("{kind}.{field}");
        self.unknown.remove(name.as_str());
        self.left_out.contains(name.as_str())
    }

    fn fact(&mut self, fact: String) {
        self.facts.insert(fact);
    }

    /// An operation is an RPC: a query gets one or lists many. Its arguments are the request's fields.
    fn operation(&mut self, query: bool, operation: &FieldDefinition) {
        let returned = &operation.ty.node;
        let (name, list) = named(returned);
        let page = self.is_page(name);
        let verb = match (query, list || page) {
            (false, _) => "",
            (true, false) => "Get",
            (true, true) => "List",
        };
        let rpc = format!("{verb}{}", upper_camel(&operation.name.node));
        self.fact(format!("rpc {rpc}"));
        let request = format!("{rpc}Request");
        for argument in &operation.arguments {
            self.input(&request, &argument.node);
        }
        let response = format!("{rpc}Response");
        if page {
            self.fields_of(name, &response);
        } else if self.types.contains_key(name) && self.scalar(name).is_none() {
            let plural = if list { "s" } else { "" };
            self.field(&response, &format!("{}{plural}", snake(name)), returned, false);
        } else {
            self.field(&response, "id", returned, false);
        }
    }

    fn is_page(&self, name: &str) -> bool {
        let Some(TypeKind::Object(object)) = self.types.get(name) else { return false };
        object.implements.iter().any(|interface| interface.node.as_str() == "Pageable")
    }

    /// A field with a default may be left out.
    fn input(&mut self, message: &str, value: &InputValueDefinition) {
        let name = match value.name.node.as_str() {
            // A reserved word in Python.
            "in" => "input".to_owned(),
            name => snake(name),
        };
        self.field(message, &name, &value.ty.node, value.default_value.is_some());
    }

    fn field(&mut self, message: &str, name: &str, kind: &Type, default: bool) {
        let (base, list) = named(kind);
        let label = match (list, kind.nullable || default) {
            (true, _) => "repeated ",
            (false, true) => "optional ",
            (false, false) => "",
        };
        if let Some(TypeKind::Union(union)) = self.types.get(base) {
            for member in &union.members {
                let member = member.node.as_str();
                self.fact(format!("{message}.{name}.{}: {member}", snake(member)));
                self.walk(member);
            }
            return;
        }
        let kind = self.scalar(base).unwrap_or(base).to_owned();
        self.fact(format!("{message}.{name}: {label}{kind}"));
        self.walk(base);
    }

    /// The type of `proto/` for a scalar.
    fn scalar(&self, name: &str) -> Option<&'static str> {
        match name {
            "ID" | "String" | "PageCursor" | "JSON" => Some("string"),
            "Int" => Some("int32"),
            "Float" => Some("double"),
            "Boolean" => Some("bool"),
            "DateTime" => Some("Timestamp"),
            other => {
                assert!(
                    !matches!(self.types.get(other), Some(TypeKind::Scalar)),
                    "what is the scalar {other} in proto/?"
                );
                None
            }
        }
    }

    /// Everything that a type says, once.
    fn walk(&mut self, name: &str) {
        if self.scalar(name).is_some() || !self.seen.insert(name.to_owned()) {
            return;
        }
        let types = self.types;
        match types.get(name) {
            Some(TypeKind::Object(_)) => self.fields_of(name, name),
            Some(TypeKind::InputObject(input)) => {
                for field in &input.fields {
                    if !self.is_left_out(name, &field.node.name.node) {
                        self.input(name, &field.node);
                    }
                }
            }
            Some(TypeKind::Enum(values)) => {
                for value in &values.values {
                    if !self.is_left_out(name, &value.node.value.node) {
                        self.fact(format!("{name}.{}", value.node.value.node));
                    }
                }
            }
            _ => panic!("what is {name} in proto/?"),
        }
    }

    /// The fields of an object, as those of a message. A deprecated one is GraphQL's own.
    fn fields_of(&mut self, name: &str, message: &str) {
        let types = self.types;
        let Some(TypeKind::Object(object)) = types.get(name) else { panic!("{name} is no object") };
        for field in &object.fields {
            let field = &field.node;
            let deprecated = field.directives.iter().any(|d| d.node.name.node.as_str() == "deprecated");
            if deprecated || self.is_left_out(name, &field.name.node) {
                continue;
            }
            let (base, list) = named(&field.ty.node);
            let (name, page) = (snake(&field.name.node), message != name);
            if self.can_be_asked_for(base) && !list && !page {
                // A link is the id of what can be asked for by itself.
                let label = if field.ty.node.nullable { "optional " } else { "" };
                self.fact(format!("{message}.{name}_id: {label}string"));
            } else {
                self.field(message, &name, &field.ty.node, false);
            }
        }
    }

    fn can_be_asked_for(&self, name: &str) -> bool {
        let Some(TypeKind::Object(query)) = self.types.get("Query") else { return false };
        query.fields.iter().any(|field| upper_camel(&field.node.name.node) == name)
    }
}

/// The name at the bottom of a type, and whether it is a list.
fn named(kind: &Type) -> (&str, bool) {
    match &kind.base {
        BaseType::Named(name) => (name.as_str(), false),
        BaseType::List(inner) => (named(inner).0, true),
    }
}

fn upper_camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
