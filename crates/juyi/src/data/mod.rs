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
mod whole;

pub use builtin::{Builtin, builtin};
pub use csv::read_csv;
pub use domain::{Domain, Goal, Labels, Task};
pub use encode::{ColumnEncoding, Encoding, Kind, Missing};
pub(crate) use encode::{LARGEST, listed};
pub use read::read_table;
pub use shift::{Shift, ShiftAnswer, ShiftKind, Shifted};
pub use table::{Cells, Column, Table};
pub(crate) use whole::read_whole;
