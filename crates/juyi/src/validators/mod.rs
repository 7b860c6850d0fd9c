//! What a candidate's answers for the target say about it, without a label: which of several to trust.

mod agreement;
mod batch_nuclear_norm;
mod circular_validation;
mod class_ami;
mod deep_embedded_validation;
mod ensemble_validation;
mod entropy;
mod evidence;
mod importance_weighted_validation;
mod information_maximization;
mod matrix_norm;
mod mixup_validation;
mod registry;
mod soft_neighborhood_density;
mod source_accuracy;

pub use agreement::Agreement;
pub use batch_nuclear_norm::BatchNuclearNorm;
pub use circular_validation::CircularValidation;
pub use class_ami::{ClassAmi, adjusted_mutual_information};
pub use deep_embedded_validation::DeepEmbeddedValidation;
pub use ensemble_validation::EnsembleValidation;
pub use entropy::Entropy;
pub use evidence::{Answer, Evidence, HeldOut, Mapped, More, Need, Rows};
pub use importance_weighted_validation::ImportanceWeightedValidation;
pub use information_maximization::InformationMaximization;
pub use matrix_norm::MatrixNorm;
pub use mixup_validation::MixupValidation;
pub use registry::{Validator, ValidatorRow, probabilities, validator, validator_row};
pub use soft_neighborhood_density::SoftNeighborhoodDensity;
pub use source_accuracy::SourceAccuracy;

/// All validators, the one that is used unasked first.
pub static VALIDATORS: &[ValidatorRow] = &[
    Agreement::ROW,
    InformationMaximization::ROW,
    Entropy::ROW,
    BatchNuclearNorm::ROW,
    SoftNeighborhoodDensity::ROW,
    EnsembleValidation::ROW,
    MatrixNorm::ROW,
    ClassAmi::ROW,
    MixupValidation::ROW,
    CircularValidation::ROW,
    SourceAccuracy::ROW,
    ImportanceWeightedValidation::ROW,
    DeepEmbeddedValidation::ROW,
];
