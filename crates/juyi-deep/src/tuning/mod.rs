//! Tuning a pretrained network on a few pictures: a head solved on frozen features, some stages or all of them trained.
//!
//! Read in this order: [`settings`] and [`strategy`] for what may be asked for, `inputs` for what is computed once,
//! `head` and `head_to_toe` for the convex problems, `plan` for what a strategy trains, `memory` and `scores` for pictures
//! that pass, `training` and [`optimizer`] for the loop, [`regularizers`] for what is added to the loss, `tried`, `trial`
//! and `trained` for one strategy from start to end, `rivals` for what it is held against, `judging` for the comparison, `found` for what comes of it, `saved`
//! for what each does with fewer labels, [`tune`] for the verdict, [`classifier`] and `about`
//! for what is left behind, [`table`] for what helps with few labels.

mod about;
pub mod classifier;
mod convolution_adapters;
mod found;
mod group_lasso;
mod head;
mod head_to_toe;
mod inputs;
mod inserted;
mod judging;
mod memory;
pub mod optimizer;
mod plan;
mod record;
pub mod regularizers;
mod rivals;
mod saved;
mod scores;
mod selection;
pub mod settings;
mod state;
pub mod strategy;
pub mod table;
mod trained;
mod training;
mod trial;
mod tried;
mod verdict;

pub use inputs::Pictures;
pub use record::{Surroundings, record, work};
pub use verdict::{Judged, Tuned, tune};

use juyi::error::Error;

/// A setting out of its range.
fn param(name: &str, must: String, got: &str) -> Error {
    Error::Param { owner: "juyi".into(), name: name.into(), must, got: got.into() }
}
