//! How well a representation suits labels, told without training on it: which of several networks to take.

mod correlation;
mod gaussian_bhattacharyya;
mod h_score;
mod leep;
mod log_me;
mod negative_conditional_entropy;
mod registry;
mod trans_rate;

pub use correlation::{pearson, weighted_kendall};
pub use gaussian_bhattacharyya::GaussianBhattacharyya;
pub use h_score::HScore;
pub use leep::Leep;
pub use log_me::LogMe;
pub use negative_conditional_entropy::NegativeConditionalEntropy;
pub use registry::{
    Representation, TransferabilityRow, TransferabilityScore, transferability, transferability_row,
};
pub use trans_rate::TransRate;

/// All scores, the one by which networks are ranked unasked first.
pub static TRANSFERABILITY: &[TransferabilityRow] = &[
    LogMe::ROW,
    HScore::ROW,
    GaussianBhattacharyya::ROW,
    TransRate::ROW,
    Leep::ROW,
    NegativeConditionalEntropy::ROW,
];
