//! What is stored decodes for ever, and the documents tell the truth about it.

mod documented;
mod golden;
mod names;
