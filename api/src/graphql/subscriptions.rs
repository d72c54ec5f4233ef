//! What happens, as it happens.

use async_graphql::{Context, ID, Subscription as GraphQlSubscription};
use domain::{
    access::{Place, Principal},
    ids::ReleaseId,
    permission::Permission,
};
use futures_util::{Stream, StreamExt as _, stream};
use projections::audit;

use super::{
    NodeId,
    audit::AuditEntry,
    error::{ApiError, Result},
    releases::{Release, sees},
    reviews::QueueEntry,
    scalars::LogPosition,
    viewer::{services, viewer},
};
use crate::services::Services;

/// How many events one look at the log takes.
const BATCH: usize = 100;

pub struct Subscription;

#[GraphQlSubscription]
impl Subscription {
    /// Every event, in order, as an auditor reads it. `after` goes on behind a position seen before, so nothing is
    /// missed between two connections; without it, only what happens from now on. For auditors.
    async fn events(
        &self,
        ctx: &Context<'_>,
        after: Option<LogPosition>,
    ) -> Result<impl Stream<Item = Result<AuditEntry>>> {
        let account = viewer(ctx)?.account;
        viewer(ctx)?.authorize(Permission::AuditView, Place::Platform)?;
        let services = services(ctx).clone();
        let positions = positions(&services, after);
        let shown = positions.then(move |position| {
            let services = services.clone();
            async move {
                still(&services, account, |viewer| {
                    viewer.may(Permission::AuditView, Place::Platform)
                })?;
                let row = services.views.read(move |view| audit::entry(view, position)).await?;
                row.map(AuditEntry)
                    .ok_or_else(|| ApiError::new("INTERNAL", "the audit trail has a gap"))
            }
        });
        Ok(until_refused(shown))
    }

    /// The review queue's first page, whenever something about it changed. For reviewers and auditors.
    async fn review_queue_changed(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Result<Vec<QueueEntry>>>> {
        let account = viewer(ctx)?.account;
        viewer(ctx)?.authorize(Permission::ReviewView, Place::Platform)?;
        let services = services(ctx).clone();
        let looks = looks(&services).then(move |_| {
            let services = services.clone();
            async move {
                still(&services, account, |viewer| {
                    viewer.may(Permission::ReviewView, Place::Platform)
                })?;
                let request = super::page::request(Some(100), None)?;
                let queue = services
                    .views
                    .read(move |view| projections::reviews::queue(view, Default::default(), &request))
                    .await?;
                Ok(queue.items.into_iter().map(|item| item.row).collect::<Vec<_>>())
            }
        });
        Ok(until_refused(changed(looks)).map(|queue| queue.map(|queue| queue.into_iter().map(QueueEntry).collect())))
    }

    /// A release, now and whenever it changed.
    async fn release_changed(&self, ctx: &Context<'_>, id: ID) -> Result<impl Stream<Item = Result<Release>>> {
        let account = viewer(ctx)?.account;
        let not_found = || ApiError::new("NOT_FOUND", "there is no such release");
        let Some(NodeId::Release(id)) = NodeId::parse(&id) else {
            return Err(not_found());
        };
        Release::load(ctx, id).await?.ok_or_else(not_found)?;
        let services = services(ctx).clone();
        let looks = looks(&services).then(move |_| look_at_release(services.clone(), account, id));
        Ok(until_refused(changed(looks)).map(|release| release.map(Release)))
    }
}

async fn look_at_release(
    services: Services,
    account: domain::ids::AccountId,
    id: ReleaseId,
) -> Result<projections::releases::Release> {
    let release = services
        .views
        .read(move |view| projections::releases::release(view, id))
        .await?;
    let release = release.ok_or_else(|| ApiError::new("NOT_FOUND", "there is no such release"))?;
    still(&services, account, |viewer| sees(viewer, &release))?;
    Ok(release)
}

/// Rights are asked again for everything that is sent: a grant may be gone, or the account's tokens.
fn still(services: &Services, account: domain::ids::AccountId, may: impl FnOnce(&Principal) -> bool) -> Result<()> {
    let principal = services.views.access().principal(account);
    if principal.is_some_and(|principal| may(&principal)) {
        return Ok(());
    }
    Err(ApiError::new("FORBIDDEN", "this is not for you any more"))
}

/// The positions behind `after`, or from now on, as the views reach them.
fn positions(services: &Services, after: Option<LogPosition>) -> impl Stream<Item = u64> + use<> {
    let next = after.map_or_else(|| services.views.position(), |after| after.0.saturating_add(1));
    let views = services.views.clone();
    let batches = stream::unfold((next, views), |(next, views)| async move {
        views.reached(next + 1).await;
        let reached = views.position().min(next + BATCH as u64);
        Some((stream::iter(next..reached), (reached, views)))
    });
    batches.flatten()
}

/// Once at first, then whenever the views moved.
fn looks(services: &Services) -> impl Stream<Item = ()> + use<> {
    stream::unfold((services.views.clone(), None), |(views, seen)| async move {
        if let Some(seen) = seen {
            views.reached(seen + 1).await;
        }
        let seen = views.position();
        Some(((), (views, Some(seen))))
    })
}

/// What differs from the one before.
fn changed<T: PartialEq + Clone + Send>(
    looks: impl Stream<Item = Result<T>> + Send,
) -> impl Stream<Item = Result<T>> + Send {
    let mut before = None;
    looks.filter_map(move |look| {
        let is_news = match &look {
            Ok(now) => before.replace(now.clone()).is_none_or(|before| before != *now),
            Err(_) => true,
        };
        async move { is_news.then_some(look) }
    })
}

/// An error is the last thing a subscription says.
fn until_refused<T: Send>(stream: impl Stream<Item = Result<T>> + Send) -> impl Stream<Item = Result<T>> + Send {
    let mut is_over = false;
    stream.take_while(move |item| {
        let go_on = !is_over;
        is_over = item.is_err();
        async move { go_on }
    })
}
