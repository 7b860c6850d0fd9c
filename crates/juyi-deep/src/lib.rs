//! Pretrained image networks: loaded from their checkpoints, used frozen, fine-tuned.
//!
//! Read in this order: [`layers`] and [`architecture`] for what a network is, [`limits`] and [`costs`] for what it may be, [`zoo`] for those that are known,
//! [`checkpoint`] and [`images`] for what comes in from files, [`network`] and [`forward`] for what computes,
//! [`features`] for pictures as rows, [`tuning`] for training a network further, [`device`] for where all of it runs.

pub mod architecture;
pub mod cache;
pub mod checkpoint;
pub mod costs;
pub mod device;
pub mod extents;
pub mod features;
mod fit;
mod fold;
pub mod forward;
mod held;
pub mod images;
pub mod layers;
pub mod limits;
pub mod network;
mod processor;
mod tensors;
pub mod tuning;
pub mod zoo;
