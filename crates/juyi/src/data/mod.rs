//! What comes in: domains and tasks, tables and the formats they are read from.

pub mod array;
mod builtin;
mod classes;
mod csv;
mod domain;
mod encode;
pub mod idx;
mod input;
mod lines;
pub mod mat;
mod missing;
mod notation;
pub mod npy;
pub mod npz;
mod numerals;
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
pub(crate) use encode::{LARGEST, listed};
pub use lines::Lines;
pub use notation::Notation;
pub use numerals::Notations;
pub(crate) use numerals::{read_labels, read_later, read_numbers};
pub use read::{Format, Reading, read_table, table_files};
pub use shift::{Shift, ShiftAnswer, ShiftKind, Shifted};
pub use table::{Cells, Column, Points, Seen, Table};
pub(crate) use whole::read_whole;
