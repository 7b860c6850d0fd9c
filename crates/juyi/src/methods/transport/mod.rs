//! Source rows moved onto the target by optimal transport.

mod exact_transport;
mod linear_transport;
mod sinkhorn;
mod transported_labels;
mod unbalanced_transport;

pub use exact_transport::ExactTransport;
pub use linear_transport::{LinearMap, LinearTransport};
pub use sinkhorn::Sinkhorn;
pub use transported_labels::TransportedLabels;
pub use unbalanced_transport::UnbalancedTransport;
