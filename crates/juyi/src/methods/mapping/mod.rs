//! Rows brought to a space where the domains agree.

mod cca_fusion;
mod coral;
mod feda;
mod jda;
mod msda;
mod scl;
mod subspace_alignment;
mod tca;

pub use cca_fusion::CcaFusion;
pub use coral::Coral;
pub use feda::Feda;
pub use jda::Jda;
pub use msda::Msda;
pub use scl::Scl;
pub use subspace_alignment::SubspaceAlignment;
pub use tca::Tca;
