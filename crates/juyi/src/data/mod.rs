//! What comes in: domains and tasks, tables and the formats they are read from.

mod builtin;
mod csv;
mod domain;
mod encode;
pub mod mat;
mod table;

pub use builtin::{Builtin, builtin};
pub use csv::read_csv;
pub use domain::{Domain, Goal, Labels, Task};
pub(crate) use encode::listed;
pub use encode::{ColumnEncoding, Encoding, Kind, Missing};
pub use table::{Cells, Column, Table, read_table};
