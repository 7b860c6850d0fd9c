//! Source rows weighted as if they were drawn from the target.

mod balanced_weighting;
mod discriminative;
mod gaussian_ratio;
mod kernel_density_ratio;
mod kliep;
mod kmm;
mod nearest_neighbor;
mod rulsif;
mod ulsif;

pub use balanced_weighting::BalancedWeighting;
pub use discriminative::Discriminative;
pub use gaussian_ratio::GaussianRatio;
pub use kernel_density_ratio::{KernelDensityRatio, WidthRule};
pub use kliep::Kliep;
pub use kmm::Kmm;
pub use nearest_neighbor::NearestNeighbor;
pub use rulsif::Rulsif;
pub use ulsif::Ulsif;
