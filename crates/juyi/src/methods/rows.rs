//! The methods: each tells its own row.

use super::registry::MethodRow;
use super::{baseline, mapping, predictor, transport, weighting};

/// All methods, in the order in which they are listed.
pub static METHODS: &[MethodRow] = &[
    baseline::SourceOnly::ROW,
    baseline::TargetOnly::ROW,
    weighting::NearestNeighbor::ROW,
    weighting::Kmm::ROW,
    weighting::Discriminative::ROW,
    mapping::Coral::ROW,
    mapping::Tca::ROW,
    mapping::SemiSupervisedTca::ROW,
    mapping::Mida::ROW,
    mapping::Jda::ROW,
    mapping::Bda::ROW,
    mapping::Tjm::ROW,
    mapping::Jgsa::ROW,
    mapping::Pca::ROW,
    mapping::SubspaceAlignment::ROW,
    mapping::Gfk::ROW,
    transport::ExactTransport::ROW,
    transport::Sinkhorn::ROW,
    predictor::EasyTl::ROW,
    predictor::LabelPropagation::ROW,
    predictor::LabelSpreading::ROW,
    predictor::Artl::ROW,
    predictor::Meda::ROW,
    predictor::Dasvm::ROW,
    predictor::SelfTraining::ROW,
    predictor::LinInt::ROW,
    predictor::Pred::ROW,
];
