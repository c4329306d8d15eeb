//! The schema, and requests made from it.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition,
};
use serde_json::{Map, Value, json};

/// How deeply an answer is asked for.
const DEPTH: usize = 4;

/// What names something by the name that its tenant gave it.
const NAMES: [&str; 4] = ["objectType", "credential", "credentials", "signingCredentials"];

pub(crate) struct Schema(BTreeMap<String, TypeKind>);

impl Schema {
    pub(crate) fn read() -> Self {
        let types = parse_schema(tidegate_director::sdl()).unwrap().definitions.into_iter();
        let types = types.filter_map(|definition| match definition {
            TypeSystemDefinition::Type(one) => Some((one.node.name.node.to_string(), one.node.kind)),
            _ => None,
        });
        Self(types.collect())
    }

    /// The fields of `Query` or `Mutation`.
    pub(crate) fn operations(&self, root: &str) -> Vec<&FieldDefinition> {
        let Some(TypeKind::Object(object)) = self.0.get(root) else { panic!("there is no {root}") };
        object.fields.iter().map(|field| &field.node).collect()
    }

    /// Every argument, however deep, that names something that there is: `updateLogic.id`, `createIntegration.in.coreLogicID`.
    pub(crate) fn references(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for root in ["Query", "Mutation"] {
            for operation in self.operations(root) {
                for argument in &operation.arguments {
                    let (name, kind) = (&argument.node.name.node, &argument.node.ty.node);
                    self.collect(&format!("{}.{name}", operation.name.node), name, kind, &mut found);
                }
            }
        }
        found
    }

    fn collect(&self, path: &str, name: &str, kind: &Type, found: &mut BTreeSet<String>) {
        let base = named(kind);
        if matches!(base, "ID" | "PageCursor") || NAMES.contains(&name) {
            found.insert(path.to_owned());
        }
        if let Some(TypeKind::InputObject(input)) = self.0.get(base) {
            for field in &input.fields {
                let field = &field.node;
                self.collect(&format!("{path}.{}", field.name.node), &field.name.node, &field.ty.node, found);
            }
        }
    }

    /// The fields of one noun that show another: `Application.auths`. A noun is what operations answer.
    pub(crate) fn shown_nouns(&self) -> BTreeSet<String> {
        let answers = ["Query", "Mutation"].into_iter().flat_map(|root| self.operations(root));
        let nouns: BTreeSet<&str> =
            answers.map(|operation| named(&operation.ty.node)).flat_map(|name| self.nouns(name)).collect();
        let mut shown = BTreeSet::new();
        for noun in &nouns {
            let Some(TypeKind::Object(object)) = self.0.get(*noun) else { continue };
            let others = object.fields.iter().filter(|field| nouns.contains(named(&field.node.ty.node)));
            shown.extend(others.map(|field| format!("{noun}.{}", field.node.name.node)));
        }
        shown
    }

    /// What has an id, of what is answered under this name: the thing itself, or those on a page.
    fn nouns(&self, name: &str) -> Vec<&str> {
        let Some((name, TypeKind::Object(object))) = self.0.get_key_value(name) else { return Vec::new() };
        let field = |name: &str| object.fields.iter().find(|field| field.node.name.node == name);
        match (field("id"), field("pageInfo"), field("data")) {
            (Some(_), ..) => vec![name.as_str()],
            (None, Some(_), Some(data)) => vec![named(&data.node.ty.node)],
            _ => Vec::new(),
        }
    }

    /// What an operation asks for and nothing more: no id is anything's.
    pub(crate) fn sample(&self, operation: &str) -> Value {
        let all = ["Query", "Mutation"].into_iter().flat_map(|root| self.operations(root));
        let operation = all.into_iter().find(|field| field.name.node == operation).unwrap();
        self.required(operation.arguments.iter().map(|argument| &argument.node))
    }

    fn required<'a>(&self, values: impl Iterator<Item = &'a InputValueDefinition>) -> Value {
        let required = values.filter(|value| !value.ty.node.nullable && value.default_value.is_none());
        required.map(|value| (value.name.node.to_string(), self.some(&value.ty.node))).collect()
    }

    fn some(&self, kind: &Type) -> Value {
        let name = match &kind.base {
            BaseType::List(inner) => return json!([self.some(inner)]),
            BaseType::Named(name) => name.as_str(),
        };
        match (name, self.0.get(name)) {
            ("ID", _) => json!("0195f3a0-0000-7000-8000-000000000000"),
            ("Int", _) => json!(1),
            ("Boolean", _) => json!(true),
            ("JSON", _) => json!({}),
            (_, Some(TypeKind::Enum(values))) => json!(values.values[0].node.value.node),
            (_, Some(TypeKind::InputObject(input))) => self.required(input.fields.iter().map(|field| &field.node)),
            _ => json!("x"),
        }
    }

    /// A request for one operation with these arguments, which become its variables, and all of its answer.
    pub(crate) fn request(&self, operation: &str, arguments: &Value) -> String {
        let root = ["Query", "Mutation"].into_iter().find_map(|root| {
            let found = self.operations(root).into_iter().find(|field| field.name.node == operation);
            found.map(|field| (root.to_lowercase(), field))
        });
        let (root, field) = root.unwrap_or_else(|| panic!("there is no {operation}"));
        let nothing = Map::new();
        let given = arguments.as_object().unwrap_or(&nothing);
        let of = |name: &String| {
            let known = field.arguments.iter().find(|argument| argument.node.name.node == name.as_str());
            known.unwrap_or_else(|| panic!("{operation} has no {name}")).node.ty.node.to_string()
        };
        let declared: Vec<_> = given.keys().map(|name| format!("${name}: {}", of(name))).collect();
        let passed: Vec<_> = given.keys().map(|name| format!("{name}: ${name}")).collect();
        let around = |all: Vec<String>| if all.is_empty() { String::new() } else { format!("({})", all.join(", ")) };
        let answer = self.selection(named(&field.ty.node), DEPTH);
        format!("{root}{} {{ {operation}{} {answer} }}", around(declared), around(passed))
    }

    /// Everything that needs no argument.
    fn selection(&self, name: &str, depth: usize) -> String {
        match self.0.get(name) {
            Some(TypeKind::Object(object)) if depth > 0 => {
                let fields = object.fields.iter().map(|field| &field.node);
                let asked: Vec<_> = fields
                    .filter(|field| field.arguments.is_empty() && (depth > 1 || self.is_leaf(named(&field.ty.node))))
                    .map(|field| format!("{} {}", field.name.node, self.selection(named(&field.ty.node), depth - 1)))
                    .collect();
                format!("{{ __typename {} }}", asked.join(" "))
            }
            Some(TypeKind::Union(union)) => {
                let members = union.members.iter().map(|member| member.node.as_str());
                let asked: Vec<_> =
                    members.map(|member| format!("... on {member} {}", self.selection(member, depth))).collect();
                format!("{{ __typename {} }}", asked.join(" "))
            }
            _ => String::new(),
        }
    }

    fn is_leaf(&self, name: &str) -> bool {
        !matches!(self.0.get(name), Some(TypeKind::Object(_) | TypeKind::Union(_) | TypeKind::Interface(_)))
    }
}

/// The name at the bottom of a type.
fn named(kind: &Type) -> &str {
    match &kind.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => named(inner),
    }
}
