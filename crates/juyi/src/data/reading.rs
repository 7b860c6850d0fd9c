//! How a table is to be read.

use super::dates::DateOrder;
use crate::error::{Error, Result};

/// The format of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Cells separated by commas, semicolons or tabs.
    Text,
    /// A MATLAB file.
    Mat,
    /// A `NumPy` array.
    Npy,
    /// Several `NumPy` arrays.
    Npz,
    /// Sparse rows of `index:value`.
    Svmlight,
    /// The format of MNIST.
    Idx,
    /// Parquet.
    Parquet,
    /// A sheet of an Excel workbook.
    Xlsx,
}

impl Format {
    /// All formats with the names that [`Format::from_name`] knows.
    pub const NAMES: [(&str, Self); 8] = [
        ("csv", Self::Text),
        ("mat", Self::Mat),
        ("npy", Self::Npy),
        ("npz", Self::Npz),
        ("svmlight", Self::Svmlight),
        ("idx", Self::Idx),
        ("parquet", Self::Parquet),
        ("xlsx", Self::Xlsx),
    ];

    /// The format of this name; `csv` stands for all kinds of separated text.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn from_name(name: &str) -> Result<Self> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, format)| *format).ok_or_else(|| Error::Unknown {
            kind: "format".into(),
            name: name.into(),
            known: Self::NAMES.iter().map(|(name, _)| (*name).to_string()).collect(),
        })
    }
}

/// How a table is to be read; [`Reading::default`] leaves everything to the file.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The format where the file's name does not tell it.
    pub format: Option<Format>,
    /// What the label's column is called.
    pub label: Option<String>,
    /// Columns that are kept as they are written even if they look like numbers.
    pub as_text: Vec<String>,
    /// Columns that identify a row: their cells are kept as they are written, marks of absence too.
    pub id: Vec<String>,
    /// Cells that stand for a missing value, beside those that always do.
    pub missing_values: Vec<String>,
    /// Words that are values in columns of text, though they mark missing cells otherwise.
    pub keep_values: Vec<String>,
    /// What stands before decimals in text: a point or a comma.
    pub decimal: Option<char>,
    /// The order of dates such as `01/02/2024` in tables whose cells allow it.
    pub date_order: Option<DateOrder>,
    /// The encoding of text, by its name.
    pub encoding: Option<String>,
    /// Columns that are left out, and whose cells need not be sound.
    pub drop: Vec<String>,
    /// Columns that get another name: old and new.
    pub rename: Vec<(String, String)>,
    /// The columns that are read, by their new names; all others are left out. `None` reads all.
    pub only: Option<Vec<String>>,
}
