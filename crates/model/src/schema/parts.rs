//! The parts of a schema: what each costs, which others it leads to, and whether it leads anywhere that it may not.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// How many patterns a schema may have, and how many characters each.
const MAX_PATTERNS: usize = 50;
const MAX_PATTERN: usize = 1024;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A part: a schema within the schema.
#[derive(Default)]
pub(super) struct Part {
    pub(super) cost: u64,
    /// Those that look at the same value.
    pub(super) here: Vec<usize>,
    /// Those that look at what is in it: each of these,
    pub(super) below: Vec<usize>,
    /// and one of these.
    pub(super) one_below: Vec<usize>,
    /// Whether what they saw is gone through once more.
    pub(super) again: bool,
    /// Whether it fails with the failures of several others.
    pub(super) branches: bool,
}

/// All parts of a schema.
pub(super) struct Parts {
    pub(super) all: Vec<Part>,
    /// The schema itself.
    pub(super) root: usize,
    /// Each after those that look at the same value for it.
    pub(super) inner_first: Vec<usize>,
}

impl Parts {
    pub(super) fn of(schema: &Value) -> Result<Self, String> {
        let mut reading = Reading::new(schema);
        let root = reading.part(schema, true)?;
        while let Some((at, value)) = reading.open.pop() {
            reading.read(at, value)?;
        }
        let inner_first = reading.inner_first()?;
        Ok(Self { all: reading.parts, root, inner_first })
    }
}

struct Reading<'a> {
    root: &'a Value,
    /// The root's `$id`, by which it may call itself.
    id: &'a str,
    parts: Vec<Part>,
    places: HashMap<*const Value, usize>,
    /// Parts that were met and not read yet.
    open: Vec<(usize, &'a Value)>,
    anchors: HashMap<&'a str, Vec<&'a Value>>,
    patterns: usize,
}

impl<'a> Reading<'a> {
    fn new(root: &'a Value) -> Self {
        let id = root.get("$id").and_then(Value::as_str).unwrap_or_default().trim_end_matches('#');
        let mut anchors = HashMap::new();
        collect_anchors(root, &mut anchors);
        let (parts, places, open) = (Vec::new(), HashMap::new(), Vec::new());
        Self { root, id, parts, places, open, anchors, patterns: 0 }
    }

    /// The number of a part.
    fn part(&mut self, value: &'a Value, is_root: bool) -> Result<usize, String> {
        if let Some(&at) = self.places.get(&std::ptr::from_ref(value)) {
            return Ok(at);
        }
        match value {
            Value::Bool(_) => {}
            Value::Object(keywords) if is_root => {
                if keywords.get("$schema").is_some_and(|dialect| !is_dialect(dialect)) {
                    return Err(format!("no $schema but {DIALECT}"));
                }
            }
            Value::Object(keywords) => {
                if keywords.get("$id").is_some_and(Value::is_string) {
                    return Err("no $id but the outermost".to_owned());
                }
                if keywords.get("$schema").is_some_and(|dialect| !is_dialect(dialect)) {
                    return Err("no $schema but the outermost".to_owned());
                }
            }
            _ => return Err("an object or a boolean, and so each schema in it".to_owned()),
        }
        let at = self.parts.len();
        self.parts.push(Part::default());
        self.places.insert(std::ptr::from_ref(value), at);
        self.open.push((at, value));
        Ok(at)
    }

    fn read(&mut self, at: usize, value: &'a Value) -> Result<(), String> {
        let mut part = Part { cost: 1, ..Part::default() };
        for (name, value) in value.as_object().into_iter().flatten() {
            match (name.as_str(), value) {
                ("allOf" | "anyOf" | "oneOf", Value::Array(all)) => {
                    part.branches |= name != "allOf";
                    self.add(&mut part.here, all)?;
                }
                ("prefixItems", Value::Array(all)) => self.add(&mut part.one_below, all)?,
                ("not" | "if" | "then" | "else", one) => self.add(&mut part.here, [one])?,
                ("items" | "additionalProperties", one) => self.add(&mut part.one_below, [one])?,
                ("contains" | "propertyNames", one) => self.add(&mut part.below, [one])?,
                ("unevaluatedItems" | "unevaluatedProperties", one) => {
                    self.add(&mut part.below, [one])?;
                    part.again = true;
                }
                ("properties", Value::Object(named)) => {
                    part.cost += named.len() as u64 / 8;
                    self.add(&mut part.one_below, named.values())?;
                }
                ("patternProperties", Value::Object(named)) => {
                    named.keys().try_for_each(|pattern| self.pattern(pattern))?;
                    part.cost += named.keys().map(|pattern| 1 + pattern.len() as u64 / 8).sum::<u64>();
                    self.add(&mut part.below, named.values())?;
                }
                ("dependentSchemas", Value::Object(named)) => self.add(&mut part.here, named.values())?,
                ("dependencies", Value::Object(named)) => {
                    self.add(&mut part.here, named.values().filter(|value| !value.is_array()))?;
                }
                ("$defs" | "definitions", Value::Object(named)) => {
                    named.values().try_for_each(|value| self.part(value, false).map(drop))?;
                }
                ("$ref", Value::String(to)) => {
                    let to = self.resolve(to)?;
                    self.add(&mut part.here, [to])?;
                }
                ("$dynamicRef", Value::String(to)) => {
                    let mut all = vec![self.resolve(to)?];
                    let name = to.rsplit_once('#').map_or("", |(_, name)| name);
                    all.extend(self.anchors.get(name).into_iter().flatten());
                    self.add(&mut part.here, all)?;
                }
                ("pattern", Value::String(pattern)) => {
                    self.pattern(pattern)?;
                    part.cost += 1 + pattern.len() as u64 / 8;
                }
                (_, other) => part.cost += values(other),
            }
        }
        self.parts[at] = part;
        Ok(())
    }

    fn add(&mut self, to: &mut Vec<usize>, all: impl IntoIterator<Item = &'a Value>) -> Result<(), String> {
        for value in all {
            let at = self.part(value, std::ptr::eq(value, self.root))?;
            to.push(at);
        }
        Ok(())
    }

    fn pattern(&mut self, pattern: &str) -> Result<(), String> {
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS || pattern.chars().count() > MAX_PATTERN {
            return Err(format!("at most {MAX_PATTERNS} patterns, each of at most {MAX_PATTERN} characters"));
        }
        Ok(())
    }

    /// Where a `$ref` leads.
    fn resolve(&self, to: &str) -> Result<&'a Value, String> {
        let (document, fragment) = to.split_once('#').unwrap_or((to, ""));
        if !document.is_empty() && document != self.id {
            return Err("each $ref within it: nothing is fetched".to_owned());
        }
        let nowhere = || "no $ref that leads nowhere".to_owned();
        let fragment = unescaped(fragment).ok_or_else(nowhere)?;
        if fragment.is_empty() || fragment.starts_with('/') {
            return self.root.pointer(&fragment).ok_or_else(nowhere);
        }
        self.anchors.get(fragment.as_str()).and_then(|all| all.first().copied()).ok_or_else(nowhere)
    }

    /// All parts, each after those that look at the same value for it.
    fn inner_first(&self) -> Result<Vec<usize>, String> {
        let mut waiting: Vec<usize> = vec![0; self.parts.len()];
        let mut outer: Vec<Vec<usize>> = vec![Vec::new(); self.parts.len()];
        for (at, part) in self.parts.iter().enumerate() {
            waiting[at] = part.here.len();
            part.here.iter().for_each(|&inner| outer[inner].push(at));
        }
        let mut order: Vec<usize> = (0..self.parts.len()).filter(|&at| waiting[at] == 0).collect();
        let mut next = 0;
        while let Some(&at) = order.get(next) {
            next += 1;
            for &out in &outer[at] {
                waiting[out] -= 1;
                if waiting[out] == 0 {
                    order.push(out);
                }
            }
        }
        if order.len() == self.parts.len() { Ok(order) } else { Err("no $ref that leads back to itself".to_owned()) }
    }
}

fn is_dialect(value: &Value) -> bool {
    value.as_str().is_some_and(|dialect| dialect.trim_end_matches('#') == DIALECT)
}

/// Notes what is named, wherever it stands: a name that is none costs nothing.
fn collect_anchors<'a>(value: &'a Value, anchors: &mut HashMap<&'a str, Vec<&'a Value>>) {
    match value {
        Value::Object(keywords) => {
            let names = ["$anchor", "$dynamicAnchor"].into_iter().filter_map(|name| keywords.get(name)?.as_str());
            names.for_each(|name| anchors.entry(name).or_default().push(value));
            keywords.values().for_each(|value| collect_anchors(value, anchors));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_anchors(value, anchors)),
        _ => {}
    }
}

/// How many values there are in what is no schema.
fn values(value: &Value) -> u64 {
    match value {
        Value::Array(items) => 1 + items.iter().map(values).sum::<u64>(),
        Value::Object(named) => 1 + Map::values(named).map(values).sum::<u64>(),
        _ => 1,
    }
}

/// A fragment without its percent-encoding.
fn unescaped(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(if byte == b'%' { digit()? << 4 | digit()? } else { byte });
    }
    String::from_utf8(bytes).ok()
}
