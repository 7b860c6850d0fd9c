//! Rows brought to a space where the domains agree.

mod bda;
mod cca_fusion;
mod coral;
mod f_mmd;
mod feda;
mod gfk;
mod jda;
mod jgsa;
mod mida;
mod msda;
mod pca;
mod scl;
mod semi_supervised_tca;
mod subspace_alignment;
mod tca;
mod tjm;

pub use bda::Bda;
pub use cca_fusion::{CcaFusion, Fused};
mod tsl;

pub use coral::Coral;
pub use f_mmd::{FMmd, MomentKernel};
pub use feda::Feda;
pub use gfk::Gfk;
pub use jda::Jda;
pub use jgsa::Jgsa;
pub use mida::Mida;
pub use msda::Msda;
pub use pca::Pca;
pub use scl::{PivotRanking, Scl};
pub use semi_supervised_tca::SemiSupervisedTca;
pub use subspace_alignment::SubspaceAlignment;
pub use tca::Tca;
pub use tjm::Tjm;
pub use tsl::{Tsl, TslBase};
