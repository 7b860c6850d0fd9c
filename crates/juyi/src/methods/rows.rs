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
    mapping::Jda::ROW,
    mapping::SubspaceAlignment::ROW,
    transport::ExactTransport::ROW,
    transport::Sinkhorn::ROW,
    transport::LinearTransport::ROW,
    transport::ClassTransport::ROW,
    transport::LaplaceTransport::ROW,
    transport::UnbalancedTransport::ROW,
    transport::TransportedLabels::ROW,
    transport::Jdot::ROW,
    predictor::EasyTl::ROW,
    predictor::LabelPropagation::ROW,
];
