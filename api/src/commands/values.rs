//! The values of a release: checked as Helm would check them before anything is started, then sealed.

use domain::{
    digest::{Digest, Sealed},
    ids::ReleaseId,
    release::Release,
};

use super::{CommandError, Work, work::holder};
use crate::values::{self, ValuesError, Violation};

/// What stands against running the chart in this document with these values; for a chart that is not known any more, only
/// whether they are values at all.
///
/// # Errors
///
/// [`CommandError::Invalid`] if the text is too long or is no values.
pub(super) async fn check(work: &Work<'_>, chart: Option<Digest>, text: &str) -> Result<Vec<Violation>, CommandError> {
    let limit = work.commands.limits.values_max_bytes;
    if text.len() > limit {
        let message = format!("the values have {} bytes, and {limit} are allowed", text.len());
        return Err(invalid("VALUES_TOO_LARGE", message));
    }
    let chart = match chart {
        Some(digest) => work.commands.content.chart(digest).await?,
        None => None,
    };
    // Weighing a mebibyte of YAML takes a while, so it has a thread of its own.
    let text = text.to_owned();
    let checked = tokio::task::spawn_blocking(move || values::check(&text, chart.as_ref())).await;
    checked.map_err(CommandError::internal)?.map_err(CommandError::from)
}

/// As [`check`], where every violation refuses.
pub(super) async fn accept(work: &Work<'_>, chart: Digest, text: &str) -> Result<(), CommandError> {
    let violations = check(work, Some(chart), text).await?;
    refuse(violations)
}

pub(super) fn refuse(violations: Vec<Violation>) -> Result<(), CommandError> {
    if violations.is_empty() {
        Ok(())
    } else {
        Err(CommandError::ValuesRefused(violations))
    }
}

/// Values in the vault, under the key of their release; none for the chart's own defaults.
pub(super) async fn sealed(work: &mut Work<'_>, id: ReleaseId, text: &str) -> Result<Option<Sealed>, CommandError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    work.seal(&holder::<Release>(id), text).await.map(Some)
}

/// What was sealed; the empty text if nothing was, or if it was erased.
pub(super) async fn unsealed(work: &Work<'_>, sealed: Option<&Sealed>) -> Result<String, CommandError> {
    let Some(sealed) = sealed else {
        return Ok(String::new());
    };
    let known = work.commands.vault.unseal(sealed).await?;
    Ok(known.map_or_else(String::new, |known| String::from_utf8_lossy(&known).into_owned()))
}

impl From<ValuesError> for CommandError {
    fn from(error: ValuesError) -> Self {
        invalid(error.code(), error.to_string())
    }
}

fn invalid(code: &'static str, message: String) -> CommandError {
    CommandError::Invalid {
        code,
        message,
        path: vec!["input", "values"],
    }
}
