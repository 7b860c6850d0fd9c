//! The record of a run, its views (pure functions of the record), and the folder in which all of it lies.

mod columns;
mod compared;
pub mod folder;
mod html;
mod predictions;
mod read;
mod run;
mod text;
mod weights;
mod worth;

pub use compared::score_text;
pub use folder::read;
pub use html::{base64, html};
pub use predictions::{Predictions, predictions_csv, predictions_parquet};
pub use run::{
    Confusion, DataFacts, DomainFacts, Epoch, FewerLabels, Figures, FitFacts, Judged, Photograph, Picture,
    Point, Run, Shown, TransferFacts, Worth,
};
pub use text::{distance_line, text, thousands};
pub use weights::{SourceRows, SourceWeights, weights_csv, weights_parquet};
