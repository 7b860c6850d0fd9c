//! What comes in: domains and tasks, tables and the formats they are read from.

pub mod array;
mod builtin;
mod csv;
mod domain;
mod encode;
mod gzip;
pub mod idx;
pub mod mat;
pub mod npy;
pub mod npz;
pub mod parquet;
mod read;
mod shift;
pub mod svmlight;
mod table;

pub use builtin::{Builtin, builtin};
pub use csv::read_csv;
pub use domain::{Domain, Goal, Labels, Task};
pub(crate) use encode::listed;
pub use encode::{ColumnEncoding, Encoding, Kind, Missing};
pub use read::{read_table, table_files};
pub use shift::{Shift, ShiftAnswer, ShiftKind, Shifted};
pub use table::{Cells, Column, Table};
