//! Rows brought to a space where the domains agree.

mod cca_fusion;
mod coral;
mod f_mmd;
mod feda;
mod jda;
mod msda;
mod scl;
mod subspace_alignment;
mod tca;
mod tsl;

pub use cca_fusion::{CcaFusion, Fused};
pub use coral::Coral;
pub use f_mmd::{FMmd, MomentKernel};
pub use feda::Feda;
pub use jda::Jda;
pub use msda::Msda;
pub use scl::{PivotRanking, Scl};
pub use subspace_alignment::SubspaceAlignment;
pub use tca::Tca;
pub use tsl::{Tsl, TslBase};
