//! Source rows moved onto the target by optimal transport.

mod exact_transport;
mod sinkhorn;

pub use exact_transport::ExactTransport;
pub use sinkhorn::Sinkhorn;
