//! The record of a run, and its views: pure functions of the record.

mod predictions;
mod run;
mod text;

pub use predictions::{Predictions, predictions_csv};
pub use run::{Confusion, DomainFacts, Figures, FitFacts, Picture, Point, Run};
pub use text::{distance_line, score_text, text, thousands};
