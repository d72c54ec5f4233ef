
pub mod chart_archive;
pub mod icon;
