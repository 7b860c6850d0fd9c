//! Methods that are predictors of their own.

mod easytl;
mod label_propagation;

pub use easytl::EasyTl;
pub use label_propagation::LabelPropagation;
