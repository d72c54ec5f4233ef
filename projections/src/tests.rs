//! Given events in a real log and documents in a real blob store, then rows.

mod access;
mod accounts;
mod apps;
mod audit;
mod categories;
mod clusters;
mod decisions;
mod erasure;
mod explanation;
mod health;
mod history;
mod hostile;
mod paging;
mod published;
mod rebuild;
mod releases;
mod replay;
mod reviews;
mod searching;
mod sessions;
mod storefront;
mod swapping;
mod tenancy;
mod time_travel;
mod world;
