//! What was brought to a cluster last.

use domain::ids::ReleaseId;
use projections::{Views, page::PageRequest, releases};

use super::CommandError;
use crate::vault::Vault;

/// The manifest of a release's last revision; `None` if nothing of it ever ran, or its key was destroyed.
///
/// # Errors
///
/// [`CommandError`] if the views or the vault fail.
pub async fn last_applied(views: &Views, vault: &Vault, release: ReleaseId) -> Result<Option<String>, CommandError> {
    let newest = PageRequest::new(1, None);
    let revisions = views.read(move |view| releases::revisions(view, release, &newest));
    let Some(revision) = revisions.await?.items.into_iter().next() else {
        return Ok(None);
    };
    let manifest = vault.unseal(&revision.row.manifest).await?;
    Ok(manifest.map(|manifest| String::from_utf8_lossy(&manifest).into_owned()))
}
