//! Rows brought to a space where the domains agree.

mod coral;
mod jda;
mod tca;

pub use coral::Coral;
pub use jda::Jda;
pub use tca::Tca;
