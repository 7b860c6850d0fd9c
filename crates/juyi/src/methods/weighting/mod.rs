//! Source rows weighted as if they were drawn from the target.

mod discriminative;
mod kmm;
mod nearest_neighbor;

pub use discriminative::Discriminative;
pub use kmm::Kmm;
pub use nearest_neighbor::NearestNeighbor;
