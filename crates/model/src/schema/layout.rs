//! How a schema's parts lead to each other, and so what a check with it can cost at most.
//!
//! A small schema can be endless work: parts that each look twice into the next double with every one of them. The cost is a sum over
//! the parts that look at the same value, at every depth of the value; it is reckoned once per schema, and once more per value.

use serde_json::Value;

use super::MAX_CHAIN;
use super::parts::{Part, Parts};
use crate::MAX_DEPTH;

/// What one look at one value may cost, at the outermost.
const MAX_LOOK: u64 = 100_000;

/// For each depth within a value: what all looks at one value there cost, and how many schemas are within each other by then.
#[derive(Debug)]
pub(super) struct Layout {
    looks: Vec<u64>,
    chains: Vec<u32>,
    has_branches: bool,
}

impl Layout {
    pub(super) fn of(schema: &Value) -> Result<Self, String> {
        let Parts { all, root, inner_first } = Parts::of(schema)?;
        Self::reckon(&all, &inner_first, root)
    }

    fn reckon(parts: &[Part], order: &[usize], root: usize) -> Result<Self, String> {
        let (mut looks, mut chains) = (Vec::new(), Vec::new());
        let mut above: Vec<(u64, u32)> = vec![(0, 0); parts.len()];
        for depth in 0..=MAX_DEPTH {
            let mut now = vec![(0u64, 0u32); parts.len()];
            for &at in order {
                let part = &parts[at];
                let mut cost = if depth == 0 { part.cost } else { 0 };
                let mut chain = 0;
                for &inner in &part.here {
                    cost = cost.saturating_add(now[inner].0);
                    chain = chain.max(now[inner].1);
                }
                if depth > 0 {
                    for &inner in &part.below {
                        cost = cost.saturating_add(above[inner].0);
                    }
                    cost = cost.saturating_add(part.one_below.iter().map(|&inner| above[inner].0).max().unwrap_or(0));
                    let below = part.below.iter().chain(&part.one_below);
                    chain = chain.max(below.map(|&inner| above[inner].1).max().unwrap_or(0));
                }
                now[at] = (if part.again { cost.saturating_mul(2) } else { cost }, chain.saturating_add(1));
            }
            looks.push(now[root].0);
            chains.push(now[root].1);
            above = now;
        }
        if looks[0] > MAX_LOOK || chains[0] > MAX_CHAIN {
            return Err("its parts look into each other too often".to_owned());
        }
        Ok(Self { looks, chains, has_branches: parts.iter().any(|part| part.branches) })
    }

    /// Whether a failure may hold those of others.
    pub(super) fn has_branches(&self) -> bool {
        self.has_branches
    }

    /// What a check of this value costs at most; `None` where a thread's stack may not hold it.
    pub(super) fn cost(&self, value: &Value) -> Option<u64> {
        let mut weights = [0u64; MAX_DEPTH + 1];
        let depth = weigh(value, 0, &mut weights)?;
        if self.chains[depth] > MAX_CHAIN {
            return None;
        }
        let cost = |(weight, look): (&u64, &u64)| weight.saturating_mul(*look);
        Some(weights.iter().zip(&self.looks).map(cost).fold(0, u64::saturating_add))
    }
}

/// Adds how much there is at each depth; answers the largest.
fn weigh(value: &Value, depth: usize, weights: &mut [u64; MAX_DEPTH + 1]) -> Option<usize> {
    let size = |text: &str| 1 + text.len() as u64 / 32;
    let mut deepest = depth;
    *weights.get_mut(depth)? += match value {
        Value::String(text) => size(text),
        _ => 1,
    };
    match value {
        Value::Array(items) => {
            for item in items {
                deepest = deepest.max(weigh(item, depth + 1, weights)?);
            }
        }
        Value::Object(properties) => {
            for (name, item) in properties {
                *weights.get_mut(depth + 1)? += size(name);
                deepest = deepest.max(weigh(item, depth + 1, weights)?);
            }
        }
        _ => {}
    }
    Some(deepest)
}
