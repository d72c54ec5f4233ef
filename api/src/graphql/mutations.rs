//! Mutations: each reads its input, gives one command, and shows what it came to.

mod apps;
mod categories;
mod erasure;
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
    erasure::ErasureMutation,
);
