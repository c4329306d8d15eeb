//! Signatures that were checked, remembered: a check costs far more than all else that a request's token needs.

use std::sync::Arc;

use jsonwebtoken::{DecodingKey, Validation};
use quick_cache::sync::Cache;
use ring::digest::{SHA256, digest};

use crate::claims::Claims;

/// Tokens, half a KiB each; the least used go first. Only what is signed well gets in.
const CAPACITY: usize = 10_000;

/// What tokens say, by the SHA-256 of the token, and the key that proved it.
pub(super) struct Signatures {
    checked: Cache<[u8; 32], (Arc<DecodingKey>, Arc<Claims>)>,
}

impl Signatures {
    pub(super) fn new() -> Self {
        Self { checked: Cache::new(CAPACITY) }
    }

    /// What a token says if this key signed it, at whatever time; `None` otherwise.
    pub(super) fn check(&self, token: &str, key: &Arc<DecodingKey>, validation: &Validation) -> Option<Arc<Claims>> {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        // A key that was asked for anew proves anew.
        if let Some((proof, claims)) = self.checked.get(&hash)
            && Arc::ptr_eq(&proof, key)
        {
            return Some(claims);
        }
        let claims = Arc::new(jsonwebtoken::decode::<Claims>(token, key, validation).ok()?.claims);
        self.checked.insert(hash, (Arc::clone(key), Arc::clone(&claims)));
        Some(claims)
    }
}
