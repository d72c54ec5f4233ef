//! The one door to new identifiers.

use uuid::Uuid;

/// A new UUID, version 7: later ones sort after earlier ones.
#[must_use]
pub fn fresh() -> Uuid {
    #[expect(clippy::disallowed_methods, reason = "this is where ids are drawn")]
    Uuid::now_v7()
}
