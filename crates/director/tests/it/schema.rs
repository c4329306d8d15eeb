//! The schema: every name of the design is there as written, and the committed file is what is served.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition};
use async_graphql::{Positioned, parser::types::TypeDefinition};

#[test]
fn the_committed_schema_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let served = tidegate_director::sdl();
    if std::fs::read_to_string(&path).unwrap_or_default() == served {
        return;
    }
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schema.graphql");
    std::fs::write(&fresh, served).unwrap();
    panic!("{} is stale: cp {} there", path.display(), fresh.display());
}

#[test]
fn every_name_of_the_design_is_served_as_written() {
    let Some(design) = design() else {
        println!("SKIPPED: shared/design/director.graphql is not on this machine");
        return;
    };
    let wanted = facts(&std::fs::read_to_string(design).unwrap());
    let served = facts(&tidegate_director::sdl());
    let missing: Vec<_> = wanted.difference(&served).collect();
    assert!(wanted.len() > 300, "the design was not read: {} facts", wanted.len());
    assert!(missing.is_empty(), "not served as written:\n{missing:#?}");
}

/// Found by walking up: the design stands beside the workspace, or beside the folder that holds its worktrees.
fn design() -> Option<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/design/director.graphql"))
        .find(|path| path.is_file())
}

/// A schema as a set of lines: one for each type, field, argument, default, value and deprecation.
fn facts(sdl: &str) -> BTreeSet<String> {
    let document = parse_schema(sdl).unwrap();
    let mut all = BTreeSet::new();
    for definition in &document.definitions {
        if let TypeSystemDefinition::Type(definition) = definition {
            facts_of_type(&definition.node, &mut all);
        }
    }
    all
}

fn facts_of_type(definition: &TypeDefinition, all: &mut BTreeSet<String>) {
    let name = &definition.name.node;
    match &definition.kind {
        TypeKind::Scalar => {
            all.insert(format!("scalar {name}"));
        }
        TypeKind::Object(object) => {
            all.insert(format!("type {name}"));
            all.extend(object.implements.iter().map(|i| format!("type {name} implements {}", i.node)));
            facts_of_fields(name, &object.fields, all);
        }
        TypeKind::Interface(interface) => {
            all.insert(format!("interface {name}"));
            facts_of_fields(name, &interface.fields, all);
        }
        TypeKind::Union(union) => {
            all.extend(union.members.iter().map(|m| format!("union {name} = {}", m.node)));
        }
        TypeKind::Enum(values) => {
            all.extend(values.values.iter().map(|v| format!("enum {name} {}", v.node.value.node)));
        }
        TypeKind::InputObject(input) => {
            all.extend(input.fields.iter().map(|f| format!("input {name} {}", input_value(&f.node))));
        }
    }
}

fn facts_of_fields(name: &str, fields: &[Positioned<FieldDefinition>], all: &mut BTreeSet<String>) {
    for field in fields {
        let field = &field.node;
        // Sorted: the order of arguments says nothing.
        let arguments: BTreeMap<_, _> =
            field.arguments.iter().map(|a| (a.node.name.node.as_str(), input_value(&a.node))).collect();
        let arguments: Vec<_> = arguments.into_values().collect();
        all.insert(format!("{name}.{}({}): {}", field.name.node, arguments.join(", "), field.ty.node));
        for directive in &field.directives {
            let said: Vec<_> =
                directive.node.arguments.iter().map(|(n, v)| format!("{}: {}", n.node, v.node)).collect();
            all.insert(format!("{name}.{} @{}({})", field.name.node, directive.node.name.node, said.join(", ")));
        }
    }
}

fn input_value(value: &InputValueDefinition) -> String {
    let default = value.default_value.as_ref().map_or(String::new(), |d| format!(" = {}", d.node));
    format!("{}: {}{default}", value.name.node, value.ty.node)
}
