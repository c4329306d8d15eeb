//! What can go wrong, as callers are told: one small set of kinds, one table to codes (CONTRACT section 2).

use std::fmt;

/// Why a request was not carried out. The text is for the caller; it never holds SQL, a secret or a trace.
///
/// A business result (a webhook that was skipped, a delivery that is dead) is an [`Outcome`](crate::Outcome), not an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Our own failure. The log holds the cause under the same id; the caller gets the id.
    #[error("internal error {id}")]
    Internal {
        /// Finds the cause in the log.
        id: String,
    },
    /// Something this service depends on (database, bus, another role) is away; asking again later may help.
    #[error("{0} is not available now, try again")]
    Unavailable(&'static str),
    /// The thing does not exist, or not for this caller.
    #[error("{what} {id} not found")]
    NotFound {
        /// The kind of thing, as in [`Kind`](crate::Kind).
        what: &'static str,
        /// The id or name that was asked for.
        id: String,
    },
    /// Another one has this name or id already.
    #[error("{what} {id} exists already")]
    NotUnique {
        /// The kind of thing.
        what: &'static str,
        /// The name or id that is taken.
        id: String,
    },
    /// The input breaks a rule.
    #[error("invalid data: {}", Listed(.0))]
    InvalidData(Vec<Violation>),
    /// The caller's token lacks a scope.
    #[error("insufficient scopes: {0} is required")]
    InsufficientScopes(String),
    /// A tenant-scoped operation without a tenant.
    #[error("this operation needs a tenant: send the header Tenant")]
    TenantRequired,
    /// The tenant does not exist, or not for this caller.
    #[error("tenant {0} not found")]
    TenantNotFound(String),
    /// No token, or one that is not valid.
    #[error("unauthorized: {0}")]
    Unauthorized(&'static str),
    /// The thing's state does not allow it; nothing was changed.
    #[error("{0}")]
    InvalidOperation(String),
}

/// One broken rule: which field, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, as the caller wrote it: `in.name`, `first`.
    pub field: String,
    /// What was expected.
    pub expected: String,
}

impl Error {
    /// Makes the [`Error::InvalidData`] of one broken rule.
    pub fn invalid(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::InvalidData(vec![Violation { field: field.into(), expected: expected.into() }])
    }

    /// Makes an [`Error::NotFound`].
    pub fn not_found(what: &'static str, id: impl fmt::Display) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    /// Makes an [`Error::NotUnique`].
    pub fn not_unique(what: &'static str, id: impl fmt::Display) -> Self {
        Self::NotUnique { what, id: id.to_string() }
    }

    /// The name and number that both protocols carry: GraphQL in `extensions { error, error_code }`, gRPC beside its status.
    pub fn code(&self) -> (&'static str, i32) {
        match self {
            Self::Internal { .. } | Self::Unavailable(_) => ("InternalError", 10),
            Self::NotFound { .. } => ("NotFound", 20),
            Self::NotUnique { .. } => ("NotUnique", 21),
            Self::InvalidData(_) => ("InvalidData", 22),
            Self::InsufficientScopes(_) => ("InsufficientScopes", 23),
            Self::TenantRequired => ("TenantRequired", 24),
            Self::TenantNotFound(_) => ("TenantNotFound", 25),
            Self::Unauthorized(_) => ("Unauthorized", 26),
            Self::InvalidOperation(_) => ("InvalidOperation", 27),
        }
    }
}

struct Listed<'a>(&'a [Violation]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, v) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{}: expected {}", v.field, v.expected)?;
        }
        Ok(())
    }
}
