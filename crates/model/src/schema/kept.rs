//! Compiled schemas, kept for the next check.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{InvalidSchema, Schema};
use crate::Json;

/// How many bytes the texts of all kept schemas may have: what is compiled of one is some
/// hundred times as large at the worst.
const MAX_KEPT: usize = 1 << 20;

/// How many schemas are kept.
const MAX_NUMBER: usize = 1024;

/// The schemas that were used last, compiled. Found by their text, so that a changed schema is another one.
#[derive(Debug, Default)]
pub struct Schemas(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    all: HashMap<Json, (Arc<Schema>, u64)>,
    size: usize,
    used: u64,
}

impl Schemas {
    /// The schema of this text, compiled now unless it was before.
    pub fn compiled(&self, json: &Json) -> Result<Arc<Schema>, InvalidSchema> {
        if let Some(schema) = self.kept().find(json) {
            return Ok(schema);
        }
        let schema = Arc::new(Schema::compile(json)?);
        self.kept().keep(json, &schema);
        Ok(schema)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&mut self, json: &Json) -> Option<Arc<Schema>> {
        self.used += 1;
        let (schema, used) = self.all.get_mut(json)?;
        *used = self.used;
        Some(schema.clone())
    }

    fn keep(&mut self, json: &Json, schema: &Arc<Schema>) {
        if self.all.insert(json.clone(), (schema.clone(), self.used)).is_none() {
            self.size += json.as_str().len();
        }
        while self.size > MAX_KEPT || self.all.len() > MAX_NUMBER {
            let oldest = self.all.iter().min_by_key(|(_, (_, used))| *used).map(|(json, _)| json.clone());
            let Some(oldest) = oldest else { return };
            self.all.remove(&oldest);
            self.size -= oldest.as_str().len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_compiled_once_and_the_longest_unused_is_let_go() {
        let schemas = Schemas::default();
        let text = |n: usize| Json::trusted(format!("{{\"minimum\":{n},\"$comment\":\"{}\"}}", "x".repeat(60_000)));
        let first = schemas.compiled(&text(0)).unwrap();
        for n in 1..40 {
            schemas.compiled(&text(n)).unwrap();
            assert!(Arc::ptr_eq(&first, &schemas.compiled(&text(0)).unwrap()), "{n}");
        }
        let kept = schemas.kept();
        assert!(kept.size <= MAX_KEPT && kept.all.len() == MAX_KEPT / text(10).as_str().len(), "{}", kept.size);
        assert!(!kept.all.contains_key(&text(1)) && kept.all.contains_key(&text(39)));
    }
}
