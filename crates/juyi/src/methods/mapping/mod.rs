//! Rows brought to a space where the domains agree.

mod coral;
mod feda;
mod jda;
mod msda;
mod subspace_alignment;
mod tca;

pub use coral::Coral;
pub use feda::Feda;
pub use jda::Jda;
pub use msda::Msda;
pub use subspace_alignment::SubspaceAlignment;
pub use tca::Tca;
