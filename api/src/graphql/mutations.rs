//! Mutations: each reads its input, gives one command, and shows what it came to.

mod apps;
mod categories;
mod clusters;
mod erasure;
mod health;
mod listings;
mod members;
mod passwords;
mod payload;
mod releases;
mod review_policy;
mod reviews;
mod roles;
mod sessions;
mod store;
mod tenancy;
mod tokens;

use async_graphql::MergedObject;

pub use self::payload::{UserError, giver, release as release_id, version as version_id};

/// What can be done. Each is one command: everything it calls for happens, or nothing.
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
    sessions::SessionMutation,
    tokens::TokenMutation,
    passwords::PasswordMutation,
);
