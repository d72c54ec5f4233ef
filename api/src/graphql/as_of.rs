//! Time travel: which moment a question is about, and to whom its past is open.
//!
//! Going back moves data, never rights. What the viewer may today decides what is shown of the past: nothing that these
//! rights would not have shown then; and what they do not show any more, to whoever may see history.

use async_graphql::{Context, OneofObject};
use chrono::{DateTime, Utc};
use domain::{
    access::{Place, Principal},
    permission::Permission,
};
use projections::{Moment, ViewError};

use super::{
    error::{ApiError, Result},
    scalars::LogPosition,
    viewer::{read, services, viewer},
};
use crate::clock;

/// A moment of the past.
#[derive(OneofObject)]
pub enum AsOf {
    /// Right after the event at this position.
    Position(LogPosition),
    /// Right after the last event until this time.
    Time(DateTime<Utc>),
}

/// The moment that is asked about: now, if none is named.
///
/// # Errors
///
/// `AS_OF_FUTURE` and `AS_OF_BEFORE_LOG`, whatever else is asked.
pub async fn moment(ctx: &Context<'_>, as_of: Option<AsOf>) -> Result<Moment> {
    let moment = match as_of {
        None => return Ok(Moment::Now),
        Some(AsOf::Position(LogPosition(position))) => Moment::At(position),
        Some(AsOf::Time(time)) if time > clock::now() => {
            return Err(ApiError::new("AS_OF_FUTURE", format!("{time} is still to come")));
        }
        Some(AsOf::Time(time)) => read(ctx, move |view| Moment::at_time(view, time)).await?,
    };
    let reached = services(ctx).views.position();
    match moment {
        Moment::At(asked) if asked >= reached => Err(ViewError::InTheFuture { asked, reached }.into()),
        Moment::At(_) | Moment::Now => Ok(moment),
    }
}

/// Whether the viewer may see what is not shown any more, as far as their rights of today would have shown it then.
pub fn sees_history(viewer: &Principal) -> bool {
    viewer.may(Permission::HistoryView, Place::Platform)
}

/// For what shows the past of more than one workspace.
///
/// # Errors
///
/// `FORBIDDEN` in the past for whoever may not see history.
pub fn authorize(ctx: &Context<'_>, moment: Moment) -> Result<()> {
    let viewer = viewer(ctx)?;
    match moment {
        Moment::Now => Ok(()),
        Moment::At(_) => Ok(viewer.authorize(Permission::HistoryView, Place::Platform)?),
    }
}
