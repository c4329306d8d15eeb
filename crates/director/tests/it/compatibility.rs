//! What clients of the last release ask for is served as before (`scripts/proto release` says what the last release is).

use std::collections::BTreeSet;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition};
use async_graphql::{Name, Positioned};

/// What a schema offers, and what it asks for in return.
#[derive(Default)]
struct Facts {
    /// Types, fields, arguments and values, each with its type.
    offered: BTreeSet<String>,
    /// What must be given, as (what it is given to, its name).
    required: BTreeSet<(String, String)>,
}

impl Facts {
    fn of(sdl: &str) -> Self {
        let mut facts = Self::default();
        for definition in parse_schema(sdl).unwrap().definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = &definition.node.name.node;
            facts.offered.insert(name.to_string());
            match &definition.node.kind {
                TypeKind::Scalar => {}
                TypeKind::Object(object) => {
                    facts.offered.extend(object.implements.iter().map(|i| format!("{name} is a {}", i.node)));
                    facts.fields(name, &object.fields);
                }
                TypeKind::Interface(interface) => facts.fields(name, &interface.fields),
                TypeKind::Union(union) => {
                    facts.offered.extend(union.members.iter().map(|member| format!("{name} may be {}", member.node)));
                }
                TypeKind::Enum(values) => {
                    facts.offered.extend(values.values.iter().map(|value| format!("{name}.{}", value.node.value.node)));
                }
                TypeKind::InputObject(input) => {
                    input.fields.iter().for_each(|field| facts.given(name.as_str(), &field.node));
                }
            }
        }
        facts
    }

    fn fields(&mut self, name: &Name, fields: &[Positioned<FieldDefinition>]) {
        for field in fields.iter().map(|field| &field.node) {
            let path = format!("{name}.{}", field.name.node);
            self.offered.insert(path.clone());
            self.offered.insert(format!("{path}: {}", field.ty.node));
            field.arguments.iter().for_each(|argument| self.given(&path, &argument.node));
        }
    }

    fn given(&mut self, to: &str, value: &InputValueDefinition) {
        let (name, kind) = (value.name.node.to_string(), value.ty.node.to_string());
        self.offered.insert(format!("{to}({name}: {})", kind.trim_end_matches('!')));
        if kind.ends_with('!') && value.default_value.is_none() {
            self.required.insert((to.to_owned(), name));
        }
    }

    /// What clients of `former` would miss, or would have to give.
    fn breaks(&self, former: &Self) -> Vec<String> {
        let gone = former.offered.difference(&self.offered).map(|fact| format!("gone: {fact}"));
        let required = self.required.difference(&former.required);
        let required = required.filter(|(to, _)| former.offered.contains(to));
        gone.chain(required.map(|(to, name)| format!("required by {to}: {name}"))).collect()
    }
}

#[test]
fn what_the_last_release_served_is_served_as_before() {
    let former = Facts::of(include_str!("../../schema.baseline.graphql"));
    assert!(former.offered.len() > 800, "{} facts", former.offered.len());
    assert_eq!(Facts::of(&tidegate_director::sdl()).breaks(&former), Vec::<String>::new());
}

#[test]
fn what_breaks_clients_is_seen_and_what_does_not_is_let_through() {
    let former = "type Query { a(x: Int, y: Int! = 1): String! b: E } enum E { ONE TWO } input I { n: Int }";
    let former = Facts::of(former);
    let breaks = |sdl: &str| Facts::of(sdl).breaks(&former);
    let more = "type Query { a(x: Int, y: Int! = 2, z: Int): String! b: E c: I } enum E { ONE TWO THREE } input I { n: Int m: Int }
        input J { n: Int! }";
    assert_eq!(breaks(more), Vec::<String>::new());
    for (sdl, expected) in [
        (
            "type Query { a(x: Int, y: Int! = 1): String b: E } enum E { ONE TWO } input I { n: Int }",
            "gone: Query.a: String!",
        ),
        (
            "type Query { a(x: Int, y: Int!): String! b: E } enum E { ONE TWO } input I { n: Int }",
            "required by Query.a: y",
        ),
        ("type Query { a(y: Int! = 1): String! b: E } enum E { ONE TWO } input I { n: Int }", "gone: Query.a(x: Int)"),
        ("type Query { a(x: Int, y: Int! = 1): String! b: E } enum E { ONE } input I { n: Int }", "gone: E.TWO"),
        (
            "type Query { a(x: Int, y: Int! = 1): String! b: E } enum E { ONE TWO } input I { n: Int m: Int! }",
            "required by I: m",
        ),
    ] {
        assert_eq!(breaks(sdl), [expected]);
    }
}
