//! Where a field failed: the specification's nulls.
//!
//! The executor leaves a failed field out of its object. A client may rely on what the schema says instead: the field is null where its
//! type allows that, else the nearest place around it that does, else the whole answer.

use std::collections::HashMap;

use async_graphql::parser::types::{
    BaseType, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet, Type, TypeKind,
    TypeSystemDefinition,
};
use async_graphql::parser::{parse_query, parse_schema};
use async_graphql::{Name, PathSegment, Response, Value};

/// The type of each field of each object type.
pub(crate) struct FieldTypes(HashMap<String, HashMap<String, Type>>);

impl FieldTypes {
    /// Reads them from a schema's text.
    pub(crate) fn read(sdl: &str) -> Self {
        let definitions = parse_schema(sdl).map(|document| document.definitions).unwrap_or_default();
        let objects = definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => match definition.node.kind {
                TypeKind::Object(object) => {
                    let fields = object.fields.into_iter().map(|f| (f.node.name.node.to_string(), f.node.ty.node));
                    Some((definition.node.name.node.to_string(), fields.collect()))
                }
                _ => None,
            },
            _ => None,
        });
        Self(objects.collect())
    }

    /// Puts the nulls of every failed field where they belong.
    pub(crate) fn settle(&self, query: &str, operation: Option<&str>, response: &mut Response) {
        let Ok(document) = parse_query(query) else { return };
        let Some(operation) = chosen(&document, operation) else { return };
        for error in &response.errors {
            if let Some(nullable) = self.nullable(&document, operation, &error.path) {
                let place = nullable.iter().rposition(|n| *n).map_or(0, |last| last + 1);
                set_null(&mut response.data, &error.path[..place]);
            }
        }
    }

    /// Whether null may stand at each step of a path; `None` for a path that is not known.
    fn nullable(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        path: &[PathSegment],
    ) -> Option<Vec<bool>> {
        let mut parent = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => return None,
        };
        let mut sets = vec![&operation.selection_set.node];
        let mut here: Option<&Type> = None;
        let mut nullable = Vec::with_capacity(path.len());
        for step in path {
            let kind = match step {
                PathSegment::Field(key) => {
                    let mut selected = Selected::default();
                    for set in sets {
                        selected.gather(document, set, key);
                    }
                    sets = selected.sets;
                    self.0.get(parent)?.get(selected.name?.as_str())?
                }
                PathSegment::Index(_) => match &here?.base {
                    BaseType::List(inner) => inner,
                    BaseType::Named(_) => return None,
                },
            };
            nullable.push(kind.nullable);
            if let BaseType::Named(name) = &kind.base {
                parent = name.as_str();
            }
            here = Some(kind);
        }
        Some(nullable)
    }
}

/// The field behind a key of an answer, and everything that is asked of it.
#[derive(Default)]
struct Selected<'a> {
    name: Option<&'a Name>,
    sets: Vec<&'a SelectionSet>,
}

impl<'a> Selected<'a> {
    fn gather(&mut self, document: &'a ExecutableDocument, set: &'a SelectionSet, key: &str) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) if field.node.response_key().node.as_str() == key => {
                    self.name = Some(&field.node.name.node);
                    self.sets.push(&field.node.selection_set.node);
                }
                Selection::Field(_) => {}
                Selection::InlineFragment(fragment) => {
                    self.gather(document, &fragment.node.selection_set.node, key);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                        self.gather(document, &fragment.node.selection_set.node, key);
                    }
                }
            }
        }
    }
}

fn chosen<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let mut operations = document.operations.iter();
    match name {
        Some(name) => operations.find(|(n, _)| n.is_some_and(|n| n.as_str() == name)),
        None => operations.next(),
    }
    .map(|(_, operation)| &operation.node)
}

fn set_null(data: &mut Value, path: &[PathSegment]) {
    let Some((step, rest)) = path.split_first() else {
        *data = Value::Null;
        return;
    };
    match (data, step) {
        (Value::Object(fields), PathSegment::Field(key)) => {
            set_null(fields.entry(Name::new(key)).or_insert(Value::Null), rest);
        }
        (Value::List(items), PathSegment::Index(i)) => {
            if let Some(item) = items.get_mut(*i) {
                set_null(item, rest);
            }
        }
        // Null already: another error was there before.
        _ => {}
    }
}
