//! What comes in: domains and tasks, tables and the formats they are read from.

pub mod array;
mod builtin;
mod caught;
mod cells;
mod character_encoding;
mod classes;
mod csv;
mod dates;
mod domain;
mod encode;
mod header;
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
mod points;
mod read;
mod reading;
mod shift;
pub mod svmlight;
mod table;
mod whole;
pub mod xlsx;

pub use builtin::{Builtin, builtin};
pub use cells::Cells;
pub use classes::{Classes, means_no_label, spelt_alike, twins};
pub(crate) use classes::{mixes_truths, plain_number, says_the_same, two_vocabularies};
pub(crate) use dates::is_moment;
pub use dates::{DateOrder, TimeUnit};
pub use domain::{Domain, Goal, Labels, Task};
pub(crate) use encode::LARGEST;
pub use encode::listed;
pub use encode::{ColumnEncoding, Encoding, Kind, Missing};
pub(crate) use encode::{Spellings, sentinels_in, truths_as_numbers};
pub use header::check_renamed;
pub use lines::Lines;
pub use missing::is_mark_of_absence;
pub(crate) use missing::{keeping, worth_saying};
pub use notation::{Currency, Notation};
pub use numerals::Notations;
pub(crate) use numerals::{
    AMOUNTS, read_labels, read_labels_later, read_numbers, thousands_among_labels, written_number,
};
pub use points::Points;
pub use read::{read_table, table_files};
pub use reading::{Format, Reading};
pub use shift::{Shift, ShiftAnswer, ShiftKind, Shifted};
pub use table::{Column, Seen, Table};
pub(crate) use whole::read_whole;
