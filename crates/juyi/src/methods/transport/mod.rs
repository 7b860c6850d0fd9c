//! Source rows moved onto the target by optimal transport.

mod exact_transport;

pub use exact_transport::{ExactTransport, Transported};
