//! The GraphQL API: one file per noun, each resolver a few lines.
//!
//! Queries read the views; mutations give a command to `commands.rs` and show what it came to. Every read asks what the
//! viewer may know: what lies beyond that is as if it did not exist.

mod accounts;
mod allowed;
mod apps;
mod as_of;
mod at_least;
mod audit;
mod categories;
mod clusters;
mod credentials;
mod deployments;
mod documents;
mod error;
mod evidence;
mod explanations;
mod health;
mod in_place;
mod installations;
mod limits;
mod listings;
mod loaders;
mod members;
mod mutations;
mod node_id;
mod nodes;
mod page;
mod previews;
mod releases;
mod removals;
mod review_policy;
mod reviews;
mod roles;
mod scalars;
mod schema;
mod storefront;
mod subscriptions;
mod tenancy;
#[cfg(test)]
mod tests;
mod versions;
mod viewer;

use async_graphql::MergedObject;

pub use self::{
    documents::Documents,
    error::{finish_errors, parse_problem, request_error},
    node_id::NodeId,
    schema::Schema,
    viewer::timed_out,
};
use crate::{effects::Previews, services::Services};

/// Fields a query may ask for, those of a list counted once for every item it may have.
const COMPLEXITY_MAX: usize = 20_000;

type SchemaBuilder = async_graphql::SchemaBuilder<Query, mutations::Mutation, subscriptions::Subscription>;

/// What can be read. Everything is read at one moment, and nothing is changed.
#[derive(MergedObject, Default)]
pub struct Query(
    viewer::ViewerQuery,
    nodes::NodeQuery,
    storefront::StoreQuery,
    apps::AppQuery,
    versions::VersionQuery,
    reviews::ReviewQuery,
    categories::CategoryQuery,
    clusters::ClusterQuery,
    tenancy::TenancyQuery,
    accounts::AccountQuery,
    roles::RoleQuery,
    review_policy::ReviewPolicyQuery,
    releases::ReleaseQuery,
    previews::PreviewQuery,
    audit::AuditQuery,
    evidence::EvidenceQuery,
    at_least::EpochQuery,
);

/// The schema, answering from `services`, and from `previews` what would come of something.
#[must_use]
pub fn schema(services: Services, previews: Previews) -> Schema {
    Schema::new(services, previews)
}

/// The schema as a document: `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    builder().finish().sdl()
}

fn builder() -> SchemaBuilder {
    async_graphql::Schema::build(
        Query::default(),
        mutations::Mutation::default(),
        subscriptions::Subscription,
    )
    .limit_complexity(COMPLEXITY_MAX)
}
