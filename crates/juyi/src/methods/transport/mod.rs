//! Source rows moved onto the target by optimal transport.

mod class_transport;
mod exact_transport;
mod jdot;
mod laplace_transport;
mod linear_transport;
mod sinkhorn;
mod transported_labels;
mod unbalanced_transport;

pub use class_transport::{ClassTransport, Penalty};
pub use exact_transport::ExactTransport;
pub use jdot::{Form, Jdot, JdotFit};
pub use laplace_transport::{LaplacePlan, LaplaceTransport, Similarity};
pub use linear_transport::{LinearMap, LinearTransport};
pub use sinkhorn::Sinkhorn;
pub use transported_labels::TransportedLabels;
pub use unbalanced_transport::UnbalancedTransport;
