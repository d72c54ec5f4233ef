//! What many objects of one answer need, fetched for all of them at once.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use async_graphql::dataloader::{DataLoader, Loader};
use eventstore::{EventStore, Position, Recorded};
use projections::{
    Views,
    audit::{self, AuditRow},
};
use uuid::Uuid;

use super::error::ApiError;
use crate::services::Services;

/// Most keys that are looked up at once.
const BATCH_MAX: usize = 100;

/// Events by their positions.
pub struct Events(EventStore);

/// The events of actions, by what these have in common: their correlation.
pub struct Actions(Views);

pub fn events(services: &Services) -> DataLoader<Events> {
    DataLoader::new(Events(services.log.clone()), tokio::spawn).max_batch_size(BATCH_MAX)
}

pub fn actions(services: &Services) -> DataLoader<Actions> {
    DataLoader::new(Actions(services.views.clone()), tokio::spawn).max_batch_size(BATCH_MAX)
}

impl Loader<u64> for Events {
    type Value = Recorded;
    type Error = ApiError;

    async fn load(&self, positions: &[u64]) -> Result<HashMap<u64, Recorded>, ApiError> {
        let positions = positions.iter().copied().map(Position::new).collect();
        let events = self.0.read_each(&positions).await?;
        Ok(events.into_iter().map(|event| (event.position.get(), event)).collect())
    }
}

impl Loader<Uuid> for Actions {
    type Value = Arc<Vec<AuditRow>>;
    type Error = ApiError;

    async fn load(&self, correlations: &[Uuid]) -> Result<HashMap<Uuid, Self::Value>, ApiError> {
        let correlations: BTreeSet<_> = correlations.iter().copied().collect();
        let rows = self.0.read(move |view| audit::actions(view, &correlations)).await?;
        let mut actions: HashMap<Uuid, Vec<AuditRow>> = HashMap::new();
        for row in rows {
            actions.entry(row.correlation).or_default().push(row);
        }
        Ok(actions.into_iter().map(|(id, rows)| (id, Arc::new(rows))).collect())
    }
}
