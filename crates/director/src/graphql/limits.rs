//! What a request may ask for: judged before anything is parsed deeply, validated or run, so that a small text cannot cause large work.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::Request;
use async_graphql::parser::types::{ExecutableDocument, FragmentDefinition, Selection, SelectionSet};
use tidegate_model::Error;

/// How deeply brackets may be nested in a document: the parser recurses over them.
const MAX_NESTING: usize = 64;
/// How deeply fields may be nested; an introspection as tools send it has 13.
const MAX_DEPTH: usize = 16;
/// How many fields an operation may ask for, each fragment counted wherever it is spread.
const MAX_FIELDS: usize = 1000;
/// How many operations one request may run side by side.
const MAX_ROOTS: usize = 20;
/// How many fields may be asked for under another name.
const MAX_ALIASES: usize = 50;

/// Why a request is not executed.
pub(crate) enum Refused {
    /// The body is no GraphQL request.
    NotARequest(Error),
    /// The document is none, or asks for too much.
    Document(Error),
}

/// Reads one request, with its document parsed.
pub(crate) fn request(body: &[u8]) -> Result<Request, Refused> {
    let not_one = |expected: String| Refused::NotARequest(Error::invalid("body", expected));
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(not_one("one JSON object with query, variables and operationName".to_owned()));
    }
    let mut request: Request = serde_json::from_slice(body)
        .map_err(|e| not_one(format!("one JSON object with query, variables and operationName: {e}")))?;
    check_nesting(&request.query).map_err(Refused::Document)?;
    let document = request
        .parsed_query()
        .map_err(|e| Refused::Document(Error::invalid("query", format!("a GraphQL document: {}", e.message))))?;
    check(document).map_err(Refused::Document)?;
    Ok(request)
}

/// The fields at the root of a request that was let through, by their own names; several separated by spaces.
pub(crate) fn asked(request: &mut Request) -> String {
    let chosen = request.operation_name.clone();
    let Ok(document) = request.parsed_query() else { return String::new() };
    let mut names = Vec::new();
    for (name, operation) in document.operations.iter() {
        if chosen.is_some() && chosen.as_deref() != name.map(Name::as_str) {
            continue;
        }
        roots(document, &operation.node.selection_set.node, &mut names);
    }
    names.dedup();
    names.join(" ")
}

/// No fragment of a request that was let through spreads itself.
fn roots<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet, names: &mut Vec<&'a str>) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => names.push(field.node.name.node.as_str()),
            Selection::InlineFragment(fragment) => roots(document, &fragment.node.selection_set.node, names),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    roots(document, &fragment.node.selection_set.node, names);
                }
            }
        }
    }
}

fn check(document: &ExecutableDocument) -> Result<(), Error> {
    let mut sizes = Sizes { fragments: HashMap::new(), document };
    for (_, operation) in document.operations.iter() {
        let set = &operation.node.selection_set.node;
        let size = sizes.of(set)?;
        let limit = |is: usize, max: usize, what: &str| {
            if is <= max { Ok(()) } else { Err(Error::invalid("query", format!("at most {max} {what}"))) }
        };
        limit(size.depth, MAX_DEPTH, "levels of fields")?;
        limit(size.fields, MAX_FIELDS, "fields, those of fragments included")?;
        limit(size.aliases, MAX_ALIASES, "aliases")?;
        limit(sizes.roots(set)?, MAX_ROOTS, "fields at the root")?;
    }
    Ok(())
}

/// How large a selection is once its fragments stand in their places.
#[derive(Clone, Copy, Default)]
struct Size {
    fields: usize,
    aliases: usize,
    depth: usize,
    /// Fields at the top of it.
    top: usize,
}

impl Size {
    fn beside(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            aliases: self.aliases.saturating_add(other.aliases),
            depth: self.depth.max(other.depth),
            top: self.top.saturating_add(other.top),
        }
    }
}

/// Sizes of selections; each fragment is measured once, however often it is spread.
struct Sizes<'a> {
    document: &'a ExecutableDocument,
    /// `None` while it is being measured: who meets that again spreads itself.
    fragments: HashMap<&'a Name, Option<Size>>,
}

impl<'a> Sizes<'a> {
    fn roots(&mut self, set: &'a SelectionSet) -> Result<usize, Error> {
        Ok(self.of(set)?.top)
    }

    fn of(&mut self, set: &'a SelectionSet) -> Result<Size, Error> {
        let mut whole = Size::default();
        for item in &set.items {
            let part = match &item.node {
                Selection::Field(field) => {
                    let inner = self.of(&field.node.selection_set.node)?;
                    Size {
                        fields: inner.fields.saturating_add(1),
                        aliases: inner.aliases.saturating_add(usize::from(field.node.alias.is_some())),
                        depth: inner.depth + 1,
                        top: 1,
                    }
                }
                Selection::InlineFragment(fragment) => self.of(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node)?,
            };
            whole = whole.beside(part);
        }
        Ok(whole)
    }

    fn fragment(&mut self, name: &'a Name) -> Result<Size, Error> {
        match self.fragments.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(Error::invalid("query", "fragments that do not spread themselves")),
            None => {}
        }
        let document = self.document;
        let Some(fragment) = document.fragments.get(name) else { return Ok(Size::default()) };
        let fragment: &'a FragmentDefinition = &fragment.node;
        self.fragments.insert(name, None);
        let size = self.of(&fragment.selection_set.node)?;
        self.fragments.insert(name, Some(size));
        Ok(size)
    }
}

/// Refuses brackets that are nested too deeply, outside of strings and comments.
fn check_nesting(query: &str) -> Result<(), Error> {
    let bytes = query.as_bytes();
    let (mut depth, mut i) = (0usize, 0);
    while let Some(&byte) = bytes.get(i) {
        i += 1;
        match byte {
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > MAX_NESTING {
                    return Err(Error::invalid("query", format!("brackets nested at most {MAX_NESTING} deep")));
                }
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'#' => i += bytes[i..].iter().take_while(|b| !matches!(b, b'\n' | b'\r')).count(),
            b'"' => i = end_of_string(bytes, i),
            _ => {}
        }
    }
    Ok(())
}

/// Where the string ends whose opening quote stands before `i`.
fn end_of_string(bytes: &[u8], mut i: usize) -> usize {
    let block = bytes[i..].starts_with(b"\"\"");
    if block {
        i += 2;
    }
    while let Some(&byte) = bytes.get(i) {
        match byte {
            b'\\' if block && bytes[i..].starts_with(b"\\\"\"\"") => i += 4,
            b'\\' if !block => i += 2,
            b'"' if !block => return i + 1,
            b'"' if bytes[i..].starts_with(b"\"\"\"") => return i + 3,
            // No plain string holds a line break: the document is broken here, and the parser says so.
            b'\n' | b'\r' if !block => return i,
            _ => i += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(query: &str) -> Option<String> {
        let body = serde_json::json!({ "query": query }).to_string();
        match request(body.as_bytes()) {
            Ok(_) => None,
            Err(Refused::Document(e) | Refused::NotARequest(e)) => Some(e.to_string()),
        }
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count_and_others_do() {
        let many = "[".repeat(100_000);
        assert_eq!(refused(&format!("{{ a(b: \"{many}\\\"{many}\") }} # {many}")), None);
        assert_eq!(refused(&format!("{{ a(b: \"\"\"{many}\\\"\"\"{many}\"\"\") }}")), None);
        assert!(refused(&format!("{{ a(b: {many}) }}")).unwrap().contains("brackets"));
        assert!(refused(&format!("{{ a(b: \"\" c: {many}) }}")).unwrap().contains("brackets"));
    }

    #[test]
    fn a_bomb_of_fragments_is_refused_before_it_is_unfolded() {
        let bomb = (0..60).map(|i| format!("fragment f{i} on Query {{ ...f{0} ...f{0} }}", i + 1));
        let query = format!("{{ ...f0 }} {} fragment f60 on Query {{ a }}", bomb.collect::<Vec<_>>().join(" "));
        assert!(refused(&query).unwrap().contains("at most 1000 fields"));
        assert!(refused("{ ...f } fragment f on Query { ...f ...f }").unwrap().contains("spread themselves"));
    }

    #[test]
    fn depth_aliases_and_roots_are_limited() {
        let deep = format!("{}a{}", "{ a ".repeat(20), " }".repeat(20));
        assert!(refused(&deep).unwrap().contains("levels"));
        let aliases = (0..51).map(|i| format!("a{i}: b")).collect::<Vec<_>>().join(" ");
        assert!(refused(&format!("{{ c {{ {aliases} }} }}")).unwrap().contains("aliases"));
        let roots = (0..21).map(|i| format!("b{i}")).collect::<Vec<_>>().join(" ");
        assert!(refused(&format!("{{ {roots} }}")).unwrap().contains("root"));
        assert_eq!(refused("{ a { b c } }"), None);
    }

    #[test]
    fn a_batch_is_no_request() {
        assert!(matches!(request(br#"[{"query":"{ a }"}]"#), Err(Refused::NotARequest(_))));
        assert!(matches!(request(b"{"), Err(Refused::NotARequest(_))));
    }
}
