//! What happens, as it happens.

use std::sync::Arc;

use async_graphql::{Context, ID, Subscription as GraphQlSubscription};
use domain::{
    access::{Place, Principal},
    ids::ReleaseId,
    permission::Permission,
};
use futures_util::{Stream, StreamExt as _, stream};
use projections::{
    Connection, audit,
    page::{PAGE_MAX, PageRequest},
};

use super::{
    NodeId,
    audit::AuditEntry,
    error::{ApiError, Result},
    releases::{Release, sees},
    reviews::QueueEntry,
    scalars::LogPosition,
    viewer::{credentials, services},
};
use crate::{
    auth::{Credentials, Sender},
    services::Services,
};

/// How many events one look at the log takes.
const BATCH: u64 = 100;

pub struct Subscription;

/// What can be followed, at `/graphql/ws`.
#[GraphQlSubscription]
impl Subscription {
    /// Every event, in order, as an auditor reads it. `after` goes on behind a position seen before, so nothing is
    /// missed between two connections; without it, only what happens from now on. For auditors.
    async fn events(
        &self,
        ctx: &Context<'_>,
        after: Option<LogPosition>,
    ) -> Result<impl Stream<Item = Result<AuditEntry>>> {
        let onlooker = Onlooker::of(ctx);
        onlooker.viewer()?.authorize(Permission::AuditView, Place::Platform)?;
        let next = match after {
            Some(LogPosition(after)) => behind(after, onlooker.services.log.head().await?.size)?,
            None => onlooker.services.views.position(),
        };
        let shown = positions(&onlooker.services, next).then(move |position| {
            let onlooker = onlooker.clone();
            async move {
                onlooker.still(|viewer| viewer.may(Permission::AuditView, Place::Platform))?;
                let views = &onlooker.services.views;
                let row = views.read(move |view| audit::entry(view, position)).await?;
                row.map(AuditEntry)
                    .ok_or_else(|| ApiError::new("INTERNAL", "the audit trail has a gap"))
            }
        });
        Ok(until_refused(shown))
    }

    /// The review queue's first page, whenever something about it changed. For reviewers and auditors.
    async fn review_queue_changed(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Result<Vec<QueueEntry>>>> {
        let onlooker = Onlooker::of(ctx);
        onlooker.viewer()?.authorize(Permission::ReviewView, Place::Platform)?;
        let looks = looks(&onlooker.services).then(move |_| {
            let onlooker = onlooker.clone();
            async move {
                onlooker.still(|viewer| viewer.may(Permission::ReviewView, Place::Platform))?;
                let request = PageRequest::new(PAGE_MAX, None);
                let views = &onlooker.services.views;
                let queue = views
                    .read(move |view| projections::reviews::queue(view, Default::default(), &request))
                    .await?;
                Ok(queue.items.into_iter().map(|item| item.row).collect::<Vec<_>>())
            }
        });
        Ok(until_refused(changed(looks))
            .map(|queue| queue.map(|queue| queue.into_iter().map(QueueEntry::now).collect())))
    }

    /// A release, now and whenever it changed.
    async fn release_changed(&self, ctx: &Context<'_>, id: ID) -> Result<impl Stream<Item = Result<Release>>> {
        let onlooker = Onlooker::of(ctx);
        let viewer = onlooker.viewer()?;
        let Some(NodeId::Release(id)) = NodeId::parse(&id) else {
            return Err(no_release());
        };
        let first = release(&onlooker.services, id).await?;
        if !sees(&viewer, &first) {
            return Err(no_release());
        }
        let looks = looks(&onlooker.services).then(move |_| {
            let onlooker = onlooker.clone();
            async move {
                let now = release(&onlooker.services, id).await?;
                onlooker.still(|viewer| sees(viewer, &now))?;
                Ok(now)
            }
        });
        Ok(until_refused(changed(looks)).map(|release| release.map(Release)))
    }
}

async fn release(services: &Services, id: ReleaseId) -> Result<projections::releases::Release> {
    let find = move |view: &Connection| projections::releases::release(view, id);
    services.views.read(find).await?.ok_or_else(no_release)
}

fn no_release() -> ApiError {
    ApiError::new("NOT_FOUND", "there is no such release")
}

/// Whoever subscribed. Rights are asked again for everything that is sent: a grant may be gone, or the token.
#[derive(Clone)]
struct Onlooker {
    services: Services,
    credentials: Credentials,
}

impl Onlooker {
    fn of(ctx: &Context<'_>) -> Self {
        Self {
            services: services(ctx).clone(),
            credentials: credentials(ctx),
        }
    }

    /// Who it is, with the rights of the moment.
    fn viewer(&self) -> Result<Arc<Principal>> {
        self.services.freshness.check()?;
        match self.credentials.sender(&self.services.views)? {
            Sender::Account(principal, _) => Ok(principal),
            Sender::Anonymous => Err(ApiError::unauthenticated()),
        }
    }

    fn still(&self, may: impl FnOnce(&Principal) -> bool) -> Result<()> {
        if may(self.viewer()?.as_ref()) {
            return Ok(());
        }
        Err(ApiError::new("FORBIDDEN", "this is not for you any more"))
    }
}

/// The position to go on at behind `after`, in a log of `size` events.
fn behind(after: u64, size: u64) -> Result<u64> {
    if after < size {
        return Ok(after.saturating_add(1));
    }
    let message = format!("the log has {size} events, so there is none at position {after} yet");
    Err(ApiError::new("POSITION_IN_FUTURE", message))
}

/// The positions from `next` on, as the views reach them.
fn positions(services: &Services, next: u64) -> impl Stream<Item = u64> + use<> {
    let views = services.views.clone();
    let batches = stream::unfold((next, views), |(next, views)| async move {
        views.reached(next.saturating_add(1)).await;
        let reached = views.position().min(next.saturating_add(BATCH));
        Some((stream::iter(next..reached), (reached, views)))
    });
    batches.flatten()
}

/// Once at first, then whenever the views moved.
fn looks(services: &Services) -> impl Stream<Item = ()> + use<> {
    stream::unfold((services.views.clone(), None::<u64>), |(views, seen)| async move {
        if let Some(seen) = seen {
            views.reached(seen.saturating_add(1)).await;
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
    stream::unfold(Some(Box::pin(stream)), |open| async move {
        let mut stream = open?;
        let item = stream.next().await?;
        let open = item.is_ok().then_some(stream);
        Some((item, open))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_goes_on_behind_what_is_in_the_log_and_nowhere_else() {
        assert_eq!(behind(0, 1).ok(), Some(1));
        assert_eq!(behind(6, 7).ok(), Some(7));
        for (after, size) in [(7, 7), (0, 0), (u64::MAX, 7), (u64::MAX, u64::MAX)] {
            let refused: async_graphql::Error = behind(after, size).unwrap_err().into();
            let code = refused.extensions.unwrap().get("code").cloned();
            assert_eq!(code, Some("POSITION_IN_FUTURE".into()), "{after}");
        }
    }

    #[tokio::test]
    async fn a_subscription_ends_with_its_first_error() {
        let refused = || Err(ApiError::unauthenticated());
        let endless = stream::iter([Ok(1), refused()]).chain(stream::pending());
        let said: Vec<_> = until_refused(endless).map(|item| item.is_ok()).collect().await;
        assert_eq!(said, [true, false]);
    }
}
