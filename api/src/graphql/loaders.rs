//! What many objects of one answer need, fetched for all of them at once.
//!
//! The objects of a list are resolved side by side, in one task. Whoever asks first waits until the task has made a turn in
//! which nobody else asked; then one question is asked for all. So an answer takes as many questions as its document has
//! steps, and not as many as it has rows.

use std::{
    any::{Any, TypeId},
    collections::{BTreeSet, HashMap, HashSet},
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_graphql::Context;
use domain::digest::Sealed;
use eventstore::{Position, Recorded};
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use projections::{
    Connection as View, Lookup, Moment,
    audit::{self, AuditRow},
};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{error::ApiError, page::PAGE_DEFAULT, viewer::services};
use crate::services::Services;

/// As many rows as a page has, if nothing is said, are fetched by whoever asks for them; more of them on a thread that may
/// take its time.
const INLINE_MAX: usize = PAGE_DEFAULT as usize;

/// What is fetched by keys of this kind, for all who ask.
pub trait Load: Clone + Eq + Hash + Send + Sync + 'static {
    type Found: Clone + Send + Sync + 'static;

    /// What these keys name, without those that name nothing.
    fn load(
        services: &Services,
        keys: Vec<Self>,
    ) -> impl Future<Output = Result<HashMap<Self, Self::Found>, ApiError>> + Send;
}

/// Fetches what `key` names, with what others ask for in the same turn.
pub async fn load<K: Load>(ctx: &Context<'_>, key: K) -> Result<Option<K::Found>, ApiError> {
    let (found, first) = ctx.data_unchecked::<Loads>().join(services(ctx), key.clone());
    if let Some(first) = first {
        first.let_join().await;
    }
    Ok(found.await?.get(&key).cloned())
}

/// What is being asked for within one execution.
#[derive(Default)]
pub struct Loads(Mutex<HashMap<TypeId, Box<dyn Any + Send>>>);

/// Keys that are asked for together; `None` once they are.
type Keys<K> = Arc<Mutex<Option<Vec<K>>>>;
type Found<K> = Shared<BoxFuture<'static, Result<Arc<HashMap<K, <K as Load>::Found>>, ApiError>>>;

struct Batch<K: Load> {
    keys: Keys<K>,
    found: Found<K>,
}

/// Whoever began a batch, and keeps it open until it is dropped.
struct First<K> {
    keys: Keys<K>,
    _open: oneshot::Sender<()>,
}

impl Loads {
    fn join<K: Load>(&self, services: &Services, key: K) -> (Found<K>, Option<First<K>>) {
        let mut open = locked(&self.0);
        let batch = open.get(&TypeId::of::<K>());
        let batch = batch.and_then(|batch| batch.downcast_ref::<Batch<K>>());
        if let Some(batch) = batch
            && let Some(keys) = locked(&batch.keys).as_mut()
        {
            keys.push(key);
            return (batch.found.clone(), None);
        }
        let (batch, first) = Batch::begin(services.clone(), key);
        let found = batch.found.clone();
        open.insert(TypeId::of::<K>(), Box::new(batch));
        (found, Some(first))
    }
}

impl<K: Load> Batch<K> {
    fn begin(services: Services, key: K) -> (Self, First<K>) {
        let keys: Keys<K> = Arc::new(Mutex::new(Some(vec![key])));
        let (open, closed) = oneshot::channel();
        let joined = Arc::clone(&keys);
        let found = async move {
            let _ = closed.await;
            let mut keys = locked(&joined).take().unwrap_or_default();
            let mut known = HashSet::with_capacity(keys.len());
            keys.retain(|key| known.insert(key.clone()));
            K::load(&services, keys).await.map(Arc::new)
        };
        let found = found.boxed().shared();
        let first = First {
            keys: Arc::clone(&keys),
            _open: open,
        };
        (Self { keys, found }, first)
    }
}

impl<K> First<K> {
    /// Waits for a turn in which nobody joined any more.
    async fn let_join(self) {
        let count = || locked(&self.keys).as_ref().map_or(0, Vec::len);
        let mut joined = 0;
        while joined < count() {
            joined = count();
            tokio::task::yield_now().await;
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A row of the views as it stood at a moment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct At<K>(pub Moment, pub K);

impl<K: Lookup> Load for At<K> {
    type Found = K::Row;

    async fn load(services: &Services, keys: Vec<Self>) -> Result<HashMap<Self, K::Row>, ApiError> {
        let mut moments: HashMap<Moment, Vec<K>> = HashMap::new();
        for At(moment, key) in keys {
            moments.entry(moment).or_default().push(key);
        }
        let mut found = HashMap::new();
        for (moment, keys) in moments {
            let (few, views) = (keys.len() <= INLINE_MAX, &services.views);
            let question = move |view: &View| K::find(view, &keys);
            let rows = match few {
                true => views.read_inline(moment, question).await?,
                false => views.read_at(moment, question).await?,
            };
            found.extend(rows.into_iter().map(|(key, row)| (Self(moment, key), row)));
        }
        Ok(found)
    }
}

/// Fetches the row that `key` names, as it is now.
pub async fn row<K: Lookup>(ctx: &Context<'_>, key: K) -> Result<Option<K::Row>, ApiError> {
    row_at(ctx, Moment::Now, key).await
}

/// Fetches the row that `key` names, as it was at a moment.
pub async fn row_at<K: Lookup>(ctx: &Context<'_>, moment: Moment, key: K) -> Result<Option<K::Row>, ApiError> {
    load(ctx, At(moment, key)).await
}

/// An event, by its position.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EventAt(pub u64);

impl Load for EventAt {
    type Found = Recorded;

    async fn load(services: &Services, keys: Vec<Self>) -> Result<HashMap<Self, Recorded>, ApiError> {
        let positions = keys.iter().map(|EventAt(position)| Position::new(*position)).collect();
        let events = services.log.read_each(&positions).await?;
        Ok(events
            .into_iter()
            .map(|event| (Self(event.position.get()), event))
            .collect())
    }
}

/// The events of an action, by what these have in common: their correlation.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Action(pub Uuid);

impl Load for Action {
    type Found = Arc<Vec<AuditRow>>;

    async fn load(services: &Services, keys: Vec<Self>) -> Result<HashMap<Self, Self::Found>, ApiError> {
        let correlations: BTreeSet<_> = keys.into_iter().map(|Action(correlation)| correlation).collect();
        let rows = services
            .views
            .read(move |view| audit::actions(view, &correlations))
            .await?;
        let mut actions: HashMap<Uuid, Vec<AuditRow>> = HashMap::new();
        for row in rows {
            actions.entry(row.correlation).or_default().push(row);
        }
        Ok(actions
            .into_iter()
            .map(|(id, rows)| (Self(id), Arc::new(rows)))
            .collect())
    }
}

/// Text from the vault, by its seal; `None` if it was erased. A seal that does not open spoils no other.
impl Load for Sealed {
    type Found = Result<Option<String>, ApiError>;

    async fn load(services: &Services, keys: Vec<Self>) -> Result<HashMap<Self, Self::Found>, ApiError> {
        if let Ok(unsealed) = services.vault.unseal_all(&keys).await {
            return Ok(keys.into_iter().zip(unsealed.into_iter().map(Ok)).collect());
        }
        let mut found = HashMap::new();
        for key in keys {
            let text = services.vault.unseal_all(std::slice::from_ref(&key)).await;
            let text = text.map(|mut texts| texts.pop().flatten()).map_err(ApiError::from);
            found.insert(key, text);
        }
        Ok(found)
    }
}
