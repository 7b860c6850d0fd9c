//! The optimisers and programmes that several methods share.

mod correlation_alignment;
mod joint_embedding;

pub use correlation_alignment::whiten_and_color;
pub use joint_embedding::{Embedding, JointEmbedding, Kernel, marginal_discrepancy};
