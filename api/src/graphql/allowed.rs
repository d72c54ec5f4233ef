//! What the viewer may do now, and why not the rest.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, SimpleObject};
use domain::{
    access::Place,
    allowed::{self, Reason, Verdict},
    app::{App, Asker, Panel},
    decider::Stamp,
    ids::{Actor, AppId, ReleaseId},
    name::{Claim, Name, Taken},
    permission::Permission,
    release::Release,
    version_number::VersionNumber,
};
use tokio::sync::Mutex;

use super::{
    error::{ApiError, Result},
    viewer::{services, viewer},
};
use crate::{
    clock,
    commands::{holder, load},
};

/// One action, and what would come of it now.
#[derive(SimpleObject)]
pub struct AllowedAction {
    /// The name of the mutation.
    action: &'static str,
    /// Whether the mutation would be accepted, whatever its input is beyond what it is about.
    is_allowed: bool,
    /// Whether it is so already: the mutation would be accepted, and record nothing.
    is_done: bool,
    /// Why the mutation would be refused; absent if it is allowed.
    refusal: Option<Refusal>,
}

/// Why an action is not allowed now.
#[derive(SimpleObject)]
pub struct Refusal {
    /// What kind of thing is in the way.
    reason: RefusalReason,
    /// The code that the mutation would answer with.
    code: &'static str,
    /// For people: names the rule, and what was met.
    message: String,
}

/// What kind of thing is in the way of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Reason")]
pub enum RefusalReason {
    /// Where the thing stands.
    State,
    /// What the viewer may do.
    Permission,
    /// Authors do not review their own work.
    SeparationOfDuties,
    /// Another reviewer holds the review.
    Claim,
}

impl From<allowed::Allowed> for AllowedAction {
    fn from(allowed: allowed::Allowed) -> Self {
        let refusal = match allowed.verdict.clone() {
            Verdict::Refused { code, reason, message } => Some(Refusal {
                reason: reason.into(),
                code,
                message,
            }),
            Verdict::Allowed | Verdict::Done => None,
        };
        Self {
            action: allowed.action,
            is_allowed: refusal.is_none(),
            is_done: allowed.verdict == Verdict::Done,
            refusal,
        }
    }
}

/// The apps that an execution has looked at, as the log has them: a page of versions loads its app once.
#[derive(Default)]
pub struct LoadedApps(Mutex<HashMap<AppId, Option<Arc<App>>>>);

/// What the viewer may do to an app they may know of.
pub async fn on_app(ctx: &Context<'_>, id: AppId) -> Result<Vec<AllowedAction>> {
    let Some(app) = loaded(ctx, id).await? else {
        return Ok(vec![]);
    };
    let allowed = app.allowed(&asker(ctx, &app)?);
    Ok(allowed.into_iter().map(AllowedAction::from).collect())
}

/// What the viewer may do to a version they may know of.
pub async fn on_version(ctx: &Context<'_>, id: AppId, number: &VersionNumber) -> Result<Vec<AllowedAction>> {
    let Some(app) = loaded(ctx, id).await? else {
        return Ok(vec![]);
    };
    let mut allowed = app.allowed_on(number, &asker(ctx, &app)?);
    for action in &mut allowed {
        if action.action == "publishVersion" && action.verdict == Verdict::Allowed {
            action.verdict = name_is_free(ctx, id, &app).await?;
        }
    }
    Ok(allowed.into_iter().map(AllowedAction::from).collect())
}

/// What the viewer may do to a release they may know of.
pub async fn on_release(ctx: &Context<'_>, id: ReleaseId, place: Place) -> Result<Vec<AllowedAction>> {
    let release = load::<Release>(&services(ctx).log, id).await?;
    let viewer = viewer(ctx)?;
    let stamp = Stamp {
        by: Actor::Account(viewer.account),
        at: clock::now(),
    };
    let allowed = Release::allowed(&release, viewer, place, stamp);
    Ok(allowed.into_iter().map(AllowedAction::from).collect())
}

/// The store is one Helm repository: the first app that publishes a chart's name has it there.
async fn name_is_free(ctx: &Context<'_>, id: AppId, app: &App) -> Result<Verdict> {
    let chart = app.chart.clone();
    let taken = load::<Name>(&services(ctx).log, Claim::Store { chart }.stream_key()).await?;
    let by_another = taken.is_some_and(|name| name.holder != holder::<App>(id));
    Ok(if by_another {
        Verdict::rejected(&Taken)
    } else {
        Verdict::Allowed
    })
}

fn asker<'a>(ctx: &Context<'a>, app: &App) -> Result<Asker<'a>> {
    let principal = viewer(ctx)?;
    let access = services(ctx).views.access();
    let may_review = |reviewer| access.may(reviewer, Permission::ReviewStart);
    Ok(Asker {
        principal,
        panel: Panel::of(principal).without(app, may_review),
        stamp: Stamp {
            by: Actor::Account(principal.account),
            at: clock::now(),
        },
    })
}

async fn loaded(ctx: &Context<'_>, id: AppId) -> Result<Option<Arc<App>>> {
    let Some(LoadedApps(apps)) = ctx.data_opt::<LoadedApps>() else {
        return Err(ApiError::unauthenticated());
    };
    let mut apps = apps.lock().await;
    if let Some(known) = apps.get(&id) {
        return Ok(known.clone());
    }
    let app = load::<App>(&services(ctx).log, id).await?.map(Arc::new);
    apps.insert(id, app.clone());
    Ok(app)
}
