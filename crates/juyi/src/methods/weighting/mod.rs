//! Source rows weighted as if they were drawn from the target.

mod balanced_weighting;
mod black_box_shift;
mod confusion;
mod discriminative;
mod gaussian_ratio;
mod kernel_density_ratio;
mod kliep;
mod kmm;
mod nearest_neighbor;
mod regularized_label_shift;
mod rulsif;
mod ulsif;

pub use balanced_weighting::BalancedWeighting;
pub use black_box_shift::BlackBoxShift;
pub use discriminative::Discriminative;
pub use gaussian_ratio::GaussianRatio;
pub use kernel_density_ratio::{KernelDensityRatio, WidthRule};
pub use kliep::Kliep;
pub use kmm::Kmm;
pub use nearest_neighbor::NearestNeighbor;
pub use regularized_label_shift::RegularizedLabelShift;
pub use rulsif::Rulsif;
pub use ulsif::Ulsif;
