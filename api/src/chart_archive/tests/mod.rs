//! Hostile archives, built by hand: nothing that is in use packs like this.

mod archives;
mod contents;
mod demo_charts;
mod fuzz;
mod hostile;
mod schemas;
