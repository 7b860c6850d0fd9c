//! From what the user writes to a table: which format it is, and what stands behind the file's name.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::array::{self, Array};
use super::csv::read_csv;
use super::table::Table;
use super::{gzip, idx, mat, npy, npz, parquet, svmlight};
use crate::context::Context;
use crate::error::{Error, Result};

const KNOWN: &str =
    "tables are read from .csv, .csv.gz, .tsv, .txt, .svmlight, .parquet, .npy, .npz, .mat and idx files";

#[derive(Clone, Copy, PartialEq)]
enum Format {
    Text,
    Mat,
    Npy,
    Npz,
    Svmlight,
    Idx,
    Parquet,
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

/// Reads a table:
///
/// - `.csv`, `.tsv`, `.txt`, the first two also `.gz`;
/// - `.parquet`;
/// - `.mat` and `.npz`, with `file.mat:X,y` to name features and labels;
/// - `X.npy` or `X.npy:y.npy`, and the same for the idx files of MNIST, as they are or `.gz`;
/// - `.svmlight`, `.svm`, `.libsvm`, also `.gz`, with `:0` or `:1` to say with which number indices begin.
///
/// `label` is what the label's column is called; columns in `as_text` are kept as they are written. The
/// table may take as many bytes as the context has left, and the context is told how far the file has been read.
///
/// # Errors
/// [`Error::Io`], [`Error::Input`] naming file, row and column, [`Error::Memory`].
pub fn read_table(spec: &str, label: Option<&str>, as_text: &[String], context: &Context) -> Result<Table> {
    read_within(spec, label, as_text, context).map_err(|error| context.of_the_whole(error))
}

/// The same; errors speak of what the context has left.
fn read_within(spec: &str, label: Option<&str>, as_text: &[String], context: &Context) -> Result<Table> {
    let limit = context.left();
    let (file, more) = split(spec);
    let path = Path::new(file);
    if path.is_dir() {
        return Err(Error::input(format!("`{spec}`"), "is a folder, not a table", KNOWN));
    }
    let open = || File::open(path).map_err(|error| Error::io(path, error));
    match format(file) {
        Some(Format::Text) => read_csv(path, as_text, context),
        Some(Format::Mat) => mat::table(file, &mut open()?, more, label, limit),
        Some(Format::Npz) => npz::read(file, BufReader::new(open()?), more, label, limit),
        Some(Format::Parquet) => parquet::read(file, open()?, as_text, limit),
        Some(Format::Npy) => pair(spec, npy::read, label, context),
        Some(Format::Idx) => pair(spec, idx::read, label, context),
        Some(Format::Svmlight) => {
            let base = match more {
                None => None,
                Some("0") => Some(0),
                Some("1") => Some(1),
                Some(more) => {
                    let problem = format!("`{more}` stands behind the file");
                    let hint = "`:0` or `:1` says with which number the indices begin";
                    return Err(Error::input(format!("`{file}`"), problem, hint));
                }
            };
            svmlight::read(file, gzip::open(path, context)?, base, label, limit)
        }
        None if !path.exists() => Err(Error::io(path, std::io::Error::from(std::io::ErrorKind::NotFound))),
        None => Err(Error::input(format!("`{spec}`"), "has an ending that is not known", KNOWN)),
    }
}

/// A file of features and one of labels, `X:y`, or one of features alone.
fn pair(
    spec: &str,
    read: fn(&str, &mut dyn std::io::Read, u64) -> Result<Array>,
    label: Option<&str>,
    context: &Context,
) -> Result<Table> {
    let (features, labels) = split(spec);
    let open = |file: &str| -> Result<(String, Array)> {
        let thing = format!("`{file}`");
        let array = read(&thing, &mut gzip::open(Path::new(file), context)?, context.left())?;
        Ok((thing, array))
    };
    let (thing, x) = open(features)?;
    let y = labels.map(open).transpose()?;
    let y = y.as_ref().map(|(thing, y)| (thing.as_str(), y));
    let table = array::table(features, (&thing, &x), y, label)?;
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
        ] {
            assert_eq!(split(spec), (file, more), "{spec}");
        }
        for (name, known) in [
            ("train-images-idx3-ubyte", Some(Format::Idx)),
            ("train-images.idx3-ubyte.gz", Some(Format::Idx)),
            ("a.idx.gz", Some(Format::Idx)),
            ("idx3-ubyte.csv", Some(Format::Text)),
            ("idx3-ubyte/a.xlsx", None),
            ("a.mat.gz", None),
            ("npy", None),
        ] {
            assert!(format(name) == known, "{name}");
        }
    }

    #[test]
    fn a_wrong_ending_and_a_missing_file_are_named() {
        let error = read_table("no/such.csv", None, &[], &Context::default()).unwrap_err();
        assert!(error.to_string().starts_with("`no/such.csv`: "), "{error}");
        assert!(read_table("no/such.xlsx", None, &[], &Context::default()).is_err());
    }
}
