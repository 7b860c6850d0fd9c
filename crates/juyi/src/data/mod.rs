//! What comes in: domains and tasks, tables and the formats they are read from.

pub mod array;
mod builtin;
mod classes;
mod csv;
mod domain;
mod encode;
mod header;
pub mod idx;
mod input;
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
pub use classes::{Classes, twins};
pub(crate) use classes::{loosely, plain_number, says_the_same};
pub use domain::{Domain, Goal, Labels, Task};
pub use encode::{ColumnEncoding, Encoding, Kind, Missing};
pub(crate) use encode::{LARGEST, Spellings, listed, truths_as_numbers};
pub use header::check_renamed;
pub use read::{Format, Reading, read_table, table_files};
pub use shift::{Shift, ShiftAnswer, ShiftKind, Shifted};
pub use table::{Cells, Column, Table};
pub(crate) use whole::read_whole;
