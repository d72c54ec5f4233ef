//! Reading one's writes: a query that names a position is answered once the views have reached it, at whichever server
//! it is asked.

use async_graphql::{Context, InputObject, Object};
use uuid::Uuid;

use super::{
    error::{ApiError, Result},
    scalars::LogPosition,
    viewer::{services, viewer},
};

/// A position that an answer must not be older than, such as the one a mutation reached. The server waits for it, within
/// limits.
#[derive(InputObject)]
pub struct AtLeast {
    /// The position of an event that the answer must have seen.
    position: LogPosition,
    /// The epoch of the log that the position is of, if it shall be checked: a log that was restored begins another one,
    /// and its positions mean other events.
    epoch: Option<Uuid>,
}

/// Waits until the views show what is asked for.
///
/// # Errors
///
/// `EPOCH_CHANGED` if the position is of another epoch; `VIEWS_BEHIND` if the wait takes longer than its limit.
pub async fn wait(ctx: &Context<'_>, at_least: Option<AtLeast>) -> Result<()> {
    let Some(AtLeast {
        position: LogPosition(position),
        epoch,
    }) = at_least
    else {
        return Ok(());
    };
    viewer(ctx)?;
    let services = services(ctx);
    let current = services.log.identity().epoch;
    if let Some(named) = epoch.filter(|named| *named != current) {
        return Err(ApiError::new(
            "EPOCH_CHANGED",
            format!("the log was restored: position {position} is of epoch {named}, and this is {current}"),
        ));
    }
    let limit = services.limits.read_wait;
    let reached = services.views.reached(position.saturating_add(1));
    tokio::time::timeout(limit, reached).await.map_err(|_| {
        let (limit, reached) = (humantime::format_duration(limit), services.views.position());
        ApiError::new(
            "VIEWS_BEHIND",
            format!("position {position} was not reached within {limit}: {reached} events were applied"),
        )
    })
}

#[derive(Default)]
pub struct EpochQuery;

#[Object]
impl EpochQuery {
    /// The epoch of the log. Positions mean something only within it: it changes when the log is restored to an older state.
    async fn epoch(&self, ctx: &Context<'_>) -> Result<Uuid> {
        viewer(ctx)?;
        Ok(services(ctx).log.identity().epoch)
    }
}
