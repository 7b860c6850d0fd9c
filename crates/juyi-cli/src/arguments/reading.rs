//! How tables are read.

use clap::Args;
use juyi::data::{DateOrder, Format, Reading};

/// How tables are read.
#[derive(Args)]
pub(crate) struct ReadingArguments {
    /// Format of tables whose names do not tell it, standard input among them: csv, mat, npy, npz, svmlight, idx, parquet,
    /// xlsx
    #[arg(long, value_name = "FORMAT", value_parser = parse_format)]
    pub(crate) format: Option<Format>,
    /// Character encoding of text tables, e.g. gb18030, windows-1252 or utf-16le [default: UTF-8, or what the bytes tell]
    #[arg(long, value_name = "NAME")]
    pub(crate) encoding: Option<String>,
    /// Cells that stand for a missing value, beside the empty cell, NA, ?, - and their like; may be repeated
    #[arg(long, value_name = "A,B", value_delimiter = ',', allow_hyphen_values = true)]
    pub(crate) missing_values: Vec<String>,
    /// Words such as NA, None or - that are values in columns of text, a class or a country, and no missing cells; may be
    /// repeated
    #[arg(long, value_name = "A,B", value_delimiter = ',', allow_hyphen_values = true)]
    pub(crate) keep_values: Vec<String>,
    /// What stands before decimals in text where 1,234 might be either: , or .
    #[arg(long, value_name = "MARK", value_parser = parse_decimal)]
    pub(crate) decimal: Option<char>,
    /// Order of dates such as 01/02/2024, in each table whose cells allow it: day-first or month-first
    #[arg(long, value_name = "ORDER", value_parser = parse_date_order)]
    pub(crate) date_order: Option<DateOrder>,
    /// Column to be read under another name, in each table that has the old one and not the new one; may be repeated
    #[arg(long, value_name = "OLD=NEW", value_parser = parse_renaming)]
    pub(crate) rename: Vec<(String, String)>,
}

impl ReadingArguments {
    /// What the flags ask for.
    pub(crate) fn reading(&self) -> Reading {
        Reading {
            format: self.format,
            encoding: self.encoding.clone(),
            missing_values: self.missing_values.clone(),
            keep_values: self.keep_values.clone(),
            decimal: self.decimal,
            date_order: self.date_order,
            rename: self.rename.clone(),
            ..Reading::default()
        }
    }
}

fn parse_format(text: &str) -> Result<Format, String> {
    Format::from_name(text).map_err(|error| match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    })
}

fn parse_decimal(text: &str) -> Result<char, String> {
    match text {
        "," | "comma" => Ok(','),
        "." | "point" => Ok('.'),
        _ => Err("give `,` or `.`".into()),
    }
}

fn parse_date_order(text: &str) -> Result<DateOrder, String> {
    let orders = [DateOrder::DayMonthYear, DateOrder::MonthDayYear];
    let known = orders.into_iter().find(|order| order.name() == text);
    known.ok_or_else(|| format!("give {}", orders.map(|order| format!("`{}`", order.name())).join(" or ")))
}

/// `old=new`.
fn parse_renaming(text: &str) -> Result<(String, String), String> {
    match text.split_once('=').map(|(old, new)| (old.trim(), new.trim())) {
        Some((old, new)) if !old.is_empty() && !new.is_empty() && old != new => Ok((old.into(), new.into())),
        _ => Err("write the old name and the new one: `--rename OLD=NEW`".into()),
    }
}
