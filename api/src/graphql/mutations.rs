//! Mutations: each reads its input, gives one command, and shows what it came to.

mod apps;
mod categories;
mod erasure;
mod listings;
mod payload;
mod releases;
mod reviews;
mod store;

use async_graphql::MergedObject;

#[derive(MergedObject, Default)]
pub struct Mutation(
    apps::AppMutation,
    listings::ListingMutation,
    reviews::ReviewMutation,
    store::StoreMutation,
    categories::CategoryMutation,
    releases::ReleaseMutation,
    erasure::ErasureMutation,
);
