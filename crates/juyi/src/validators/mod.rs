//! What a candidate's answers for the target say about it, without a label: which of several to trust.

mod agreement;
mod batch_nuclear_norm;
mod entropy;
mod evidence;
mod information_maximization;
mod registry;
mod soft_neighborhood_density;

pub use agreement::Agreement;
pub use batch_nuclear_norm::BatchNuclearNorm;
pub use entropy::Entropy;
pub use evidence::{Answer, Evidence, HeldOut, Mapped, More, Need, Rows};
pub use information_maximization::InformationMaximization;
pub use registry::{Validator, ValidatorRow, probabilities, validator, validator_row};
pub use soft_neighborhood_density::SoftNeighborhoodDensity;

/// All validators, the one that is used unasked first.
pub static VALIDATORS: &[ValidatorRow] = &[
    Agreement::ROW,
    InformationMaximization::ROW,
    Entropy::ROW,
    BatchNuclearNorm::ROW,
    SoftNeighborhoodDensity::ROW,
];
