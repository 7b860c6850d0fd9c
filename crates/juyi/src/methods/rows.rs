//! The methods: each tells its own row.

use super::registry::MethodRow;
use super::{baseline, mapping, predictor, prior, transport, weighting};

/// All methods, in the order in which they are listed.
pub static METHODS: &[MethodRow] = &[
    baseline::SourceOnly::ROW,
    baseline::TargetOnly::ROW,
    weighting::NearestNeighbor::ROW,
    weighting::Kmm::ROW,
    weighting::Discriminative::ROW,
    weighting::Kliep::ROW,
    weighting::Ulsif::ROW,
    weighting::Rulsif::ROW,
    weighting::GaussianRatio::ROW,
    weighting::KernelDensityRatio::ROW,
    weighting::BalancedWeighting::ROW,
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
    mapping::Feda::ROW,
    mapping::Msda::ROW,
    mapping::Scl::ROW,
    mapping::CcaFusion::ROW,
    mapping::Gfk::ROW,
    transport::ExactTransport::ROW,
    transport::Sinkhorn::ROW,
    transport::LinearTransport::ROW,
    transport::UnbalancedTransport::ROW,
    transport::TransportedLabels::ROW,
    predictor::EasyTl::ROW,
    predictor::LabelPropagation::ROW,
    prior::BiasedRegularization::ROW,
    prior::GaussianPrior::ROW,
    prior::StatisticsReestimation::ROW,
];
