//! No transfer: what every method has to beat.

mod none;
mod target_only;

pub use none::SourceOnly;
pub use target_only::TargetOnly;
