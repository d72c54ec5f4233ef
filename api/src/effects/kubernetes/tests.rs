//! What is asked of a cluster, and what its answers mean; an API server that answers what a test says stands in for it.

mod client;
mod preparation;
mod records;
mod scope;
mod scripted;
