//! What comes in: domains and tasks, tables and the formats they are read from.

pub mod array;
mod builtin;
mod caught;
mod character_encoding;
mod classes;
mod csv;
mod dates;
mod domain;
mod encode;
pub mod idx;
mod input;
mod lines;
pub mod mat;
mod missing;
pub mod npy;
pub mod npz;
pub mod parquet;
mod read;
mod shift;
pub mod svmlight;
mod table;
mod whole;
pub mod xlsx;

pub use builtin::{Builtin, builtin};
pub use classes::{Classes, twins};
pub(crate) use classes::{loosely, plain_number, says_the_same};
pub use dates::{DateOrder, TimeUnit};
pub use domain::{Domain, Goal, Labels, Task};
pub(crate) use encode::LARGEST;
pub use encode::listed;
pub use encode::{ColumnEncoding, Encoding, Kind, Missing};
pub use lines::Lines;
pub use read::{Format, Reading, read_table, table_files};
pub use shift::{Shift, ShiftAnswer, ShiftKind, Shifted};
pub use table::{Cells, Column, Points, Seen, Table};
pub(crate) use whole::read_whole;
