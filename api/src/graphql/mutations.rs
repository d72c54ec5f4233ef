//! Mutations: each reads its input, gives one command, and shows what it came to.

mod apps;
mod categories;
mod clusters;
mod erasure;
mod health;
mod listings;
mod members;
mod payload;
mod releases;
mod review_policy;
mod reviews;
mod roles;
mod store;
mod tenancy;

use async_graphql::MergedObject;

pub use self::payload::{UserError, release as release_id, version as version_id};

#[derive(MergedObject, Default)]
pub struct Mutation(
    apps::AppMutation,
    listings::ListingMutation,
    reviews::ReviewMutation,
    store::StoreMutation,
    categories::CategoryMutation,
    releases::ReleaseMutation,
    roles::RoleMutation,
    review_policy::ReviewPolicyMutation,
    members::MemberMutation,
    tenancy::TenancyMutation,
    clusters::ClusterMutation,
    health::HealthMutation,
    erasure::ErasureMutation,
);
