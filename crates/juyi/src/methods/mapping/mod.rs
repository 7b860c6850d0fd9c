//! Rows brought to a space where the domains agree.

mod coral;
mod gfk;
mod jda;
mod subspace_alignment;
mod tca;

pub use coral::Coral;
pub use gfk::Gfk;
pub use jda::Jda;
pub use subspace_alignment::SubspaceAlignment;
pub use tca::Tca;
