//! Learners trained round after round on source rows and labelled target rows, the source rows that mislead losing
//! weight.

mod tradaboost;
mod tradaboost_r2;
mod two_stage_tradaboost_r2;

pub use tradaboost::TrAdaBoost;
pub use tradaboost_r2::TrAdaBoostR2;
pub use two_stage_tradaboost_r2::TwoStageTrAdaBoostR2;
