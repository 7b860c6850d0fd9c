//! Methods that are predictors of their own.

mod artl;
mod dasvm;
mod easytl;
mod known_answers;
mod label_propagation;
mod label_spreading;
mod lin_int;
mod meda;
mod pred;
mod prior_correction;
mod rounds;
mod self_training;

pub use artl::Artl;
pub use dasvm::Dasvm;
pub use easytl::EasyTl;
pub use label_propagation::LabelPropagation;
pub use label_spreading::LabelSpreading;
pub use lin_int::LinInt;
pub use meda::Meda;
pub use pred::Pred;
pub use prior_correction::PriorCorrection;
pub use self_training::SelfTraining;
