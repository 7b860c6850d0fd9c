//! Rows brought to a space where the domains agree.

mod bda;
mod coral;
mod gfk;
mod jda;
mod jgsa;
mod mida;
mod pca;
mod semi_supervised_tca;
mod subspace_alignment;
mod tca;
mod tjm;

pub use bda::Bda;
pub use coral::Coral;
pub use gfk::Gfk;
pub use jda::Jda;
pub use jgsa::Jgsa;
pub use mida::Mida;
pub use pca::Pca;
pub use semi_supervised_tca::SemiSupervisedTca;
pub use subspace_alignment::SubspaceAlignment;
pub use tca::Tca;
pub use tjm::Tjm;
