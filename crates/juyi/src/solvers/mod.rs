//! The optimisers and programmes that several methods share.

mod correlation_alignment;
mod joint_embedding;
mod network_simplex;
mod spanning_tree;

pub use correlation_alignment::whiten_and_color;
pub use joint_embedding::{Embedding, JointEmbedding, Kernel, marginal_discrepancy};
pub use network_simplex::{Costs, Plan, transport};
