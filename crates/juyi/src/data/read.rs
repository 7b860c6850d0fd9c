//! From what the user writes to a table: which format it is, and what stands behind the file's name.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::array::{self, Array};
use super::csv::read_csv;
use super::input::{Input, STANDARD_INPUT};
use super::missing::MissingValues;
use super::reading::{Format, Reading};
use super::table::{Column, Table};
use super::{idx, mat, npy, npz, parquet, svmlight, xlsx};
use crate::context::Context;
use crate::error::{Error, Result};

const KNOWN: &str = "tables are read from .csv, .csv.gz, .tsv, .txt, .svmlight, .parquet, .xlsx, .npy, .npz, .mat and idx files";

/// The error for a folder in place of a table.
fn folder(spec: &str) -> Error {
    let hint = format!("{KNOWN}; `juyi features` makes one of a folder of pictures");
    Error::input(format!("`{spec}`"), "is a folder, not a table", hint)
}

/// The format of a file by its name.
fn format(path: &str) -> Option<Format> {
    let name = path.to_lowercase();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let (name, zipped) = name.strip_suffix(".gz").map_or((name, false), |name| (name, true));
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending {
        "csv" | "tsv" => Some(Format::Text),
        "svm" | "svmlight" | "libsvm" => Some(Format::Svmlight),
        "txt" if !zipped => Some(Format::Text),
        "mat" if !zipped => Some(Format::Mat),
        "npy" if !zipped => Some(Format::Npy),
        "npz" if !zipped => Some(Format::Npz),
        "parquet" if !zipped => Some(Format::Parquet),
        "xlsx" | "xlsm" if !zipped => Some(Format::Xlsx),
        "idx" | "idx1" | "idx2" | "idx3" | "idx4" => Some(Format::Idx),
        _ => ["idx1-ubyte", "idx3-ubyte"].iter().any(|part| name.contains(part)).then_some(Format::Idx),
    }
}

/// The file, and what stands behind it for formats that take more: `file.mat:X,y`.
fn split(spec: &str) -> (&str, Option<&str>) {
    let colons = spec.match_indices(':').map(|(at, _)| (&spec[..at], &spec[at + 1..]));
    let takes_more = |path: &str| !matches!(format(path), None | Some(Format::Text | Format::Parquet));
    let found = colons.rev().find(|(path, _)| takes_more(path));
    found.map_or((spec, None), |(path, more)| (path, Some(more)))
}

/// The files that [`read_table`] would read for what the user writes.
pub fn table_files(spec: &str) -> Vec<PathBuf> {
    let (file, more) = split(spec);
    let path = |file: &str| PathBuf::from(if file == STANDARD_INPUT { "/dev/stdin" } else { file });
    [Some(file), more].into_iter().flatten().map(path).collect()
}

/// Reads a table:
///
/// - `.csv`, `.tsv`, `.txt`, the first two also `.gz`;
/// - `.parquet`;
/// - `.xlsx` and `.xlsm`, with `file.xlsx:Sheet name` for another than the first sheet;
/// - `.mat` and `.npz`, with `file.mat:X,y` to name features and labels;
/// - `X.npy` or `X.npy:y.npy`, and the same for the idx files of MNIST, as they are or `.gz`;
/// - `.svmlight`, `.svm`, `.libsvm`, also `.gz`, with `:0` or `:1` to say with which number indices begin.
///
/// `-` is standard input; it and other streams are read to their end first, and may be as long as the memory budget. The
/// table may take as many bytes as the context has left, and the context is told how far the file has been read.
///
/// # Errors
/// [`Error::Io`], [`Error::Input`] naming file, row and column, [`Error::Memory`].
pub fn read_table(spec: &str, reading: &Reading, context: &Context) -> Result<Table> {
    read_within(spec, reading, context).map_err(|error| context.of_the_whole(error))
}

/// Reads a table; errors speak of what the context has left.
fn read_within(spec: &str, reading: &Reading, context: &Context) -> Result<Table> {
    let limit = context.left();
    let missing = MissingValues::of(reading);
    missing.check()?;
    let (file, more) = split(spec);
    let Some(format) = format(file).or(reading.format) else {
        if file == STANDARD_INPUT {
            let hint = "say with `‹format›` what it is: `‹format csv›`, for one";
            return Err(Error::input("`-`", "is standard input, whose name tells no format", hint));
        }
        // A file that is not there is said to be missing, whatever it is called.
        std::fs::metadata(file).map_err(|error| Error::io(Path::new(file), error))?;
        if Path::new(file).is_dir() {
            return Err(folder(spec));
        }
        let problem = "has an ending that is not known, and no `‹format›` says what it is";
        return Err(Error::input(format!("`{spec}`"), problem, KNOWN));
    };
    if Path::new(file).is_dir() {
        return Err(folder(spec));
    }
    let input = || Input::new(file, context);
    let mut table = match format {
        Format::Text => return read_csv(file, &input()?, reading, context),
        Format::Mat => mat::table(file, &mut input()?.open()?, more, reading, limit),
        Format::Npz => npz::read(file, BufReader::new(input()?.open()?), more, reading, limit),
        Format::Parquet => parquet::read(file, input()?.open()?, reading, limit),
        Format::Xlsx => xlsx::read(file, input()?.open()?, more, reading, limit),
        Format::Svmlight => svmlight::read(file, input()?.unpacked()?, base(file, more)?, reading, limit),
        Format::Npy => pair(spec, npy::read, reading, context),
        Format::Idx => pair(spec, idx::read, reading, context),
    }?;
    let kept: Vec<Column> =
        table.columns.iter().filter(|column| reading.id.contains(&column.name)).cloned().collect();
    missing.empty(&mut table);
    for kept in kept {
        table.columns.iter_mut().filter(|column| column.name == kept.name).for_each(|c| c.clone_from(&kept));
    }
    let unmet = missing.unmet();
    if matches!(format, Format::Text) {
        table.unmet.retain(|word| unmet.contains(word)); // cells are emptied while they are read
    } else {
        table.unmet = unmet;
    }
    table.missing_values.clone_from(&reading.missing_values);
    table.keep_values.clone_from(&reading.keep_values);
    table.decimal = reading.decimal;
    table.date_order = reading.date_order;
    Ok(table)
}

/// The number with which the indices of an svmlight file begin, where it stands behind its name.
fn base(file: &str, more: Option<&str>) -> Result<Option<u64>> {
    match more {
        None => Ok(None),
        Some("0") => Ok(Some(0)),
        Some("1") => Ok(Some(1)),
        Some(more) => {
            let problem = format!("`{more}` stands behind the file");
            let hint = "`:0` or `:1` says with which number the indices begin";
            Err(Error::input(format!("`{file}`"), problem, hint))
        }
    }
}

/// A file of features and one of labels, `X:y`, or one of features alone.
fn pair(
    spec: &str,
    read: fn(&str, &mut dyn std::io::Read, u64) -> Result<Array>,
    reading: &Reading,
    context: &Context,
) -> Result<Table> {
    let (features, labels) = split(spec);
    let open = |file: &str| -> Result<(String, Array)> {
        let thing = format!("`{file}`");
        let array = read(&thing, &mut Input::new(file, context)?.unpacked()?, context.left())?;
        Ok((thing, array))
    };
    let (thing, x) = open(features)?;
    let y = labels.map(open).transpose()?;
    let y = y.as_ref().map(|(thing, y)| (thing.as_str(), y));
    let table = array::table(features, (&thing, &x), y, reading)?;
    let image = x.image().filter(|_| format(features) == Some(Format::Idx));
    Ok(Table { image, ..table })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_their_names_and_take_more_where_they_can() {
        for (spec, file, more) in [
            ("a.csv", "a.csv", None),
            ("a.csv:b", "a.csv:b", None),
            ("C:\\a.MAT:X,y", "C:\\a.MAT", Some("X,y")),
            ("a:b/x.npy:y.npy", "a:b/x.npy", Some("y.npy")),
            ("a.npz:X'", "a.npz", Some("X'")),
            ("t-idx3-ubyte.gz:t-idx1-ubyte.gz", "t-idx3-ubyte.gz", Some("t-idx1-ubyte.gz")),
            ("a.svm.gz:0", "a.svm.gz", Some("0")),
            ("a.parquet:x", "a.parquet:x", None),
            ("a.xlsx:Sheet 1", "a.xlsx", Some("Sheet 1")),
        ] {
            assert_eq!(split(spec), (file, more), "{spec}");
        }
        for (name, known) in [
            ("train-images-idx3-ubyte", Some(Format::Idx)),
            ("train-images.idx3-ubyte.gz", Some(Format::Idx)),
            ("a.idx.gz", Some(Format::Idx)),
            ("idx3-ubyte.csv", Some(Format::Text)),
            ("idx3-ubyte/a.ods", None),
            ("a.XLSX", Some(Format::Xlsx)),
            ("a.mat.gz", None),
            ("npy", None),
        ] {
            assert!(format(name) == known, "{name}");
        }
    }

    #[test]
    fn a_wrong_ending_and_a_missing_file_are_named() {
        let error = read_table("no/such.csv", &Reading::default(), &Context::default()).unwrap_err();
        assert!(error.to_string().starts_with("`no/such.csv`: "), "{error}");
        assert!(read_table("no/such.ods", &Reading::default(), &Context::default()).is_err());
    }
}
