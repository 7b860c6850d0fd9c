//! Files that are no separated text although they are called so.

/// Beginnings of files, and what they are.
const BEGINNINGS: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a zip archive (a workbook of Excel, perhaps)"),
    (b"\xd0\xcf\x11\xe0", "an old workbook of Excel"),
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"{", "JSON"),
    (b"[", "JSON"),
];

/// Words with which other languages begin, in any case.
const WORDS: &[(&str, &str)] = &[
    ("<!doctype", "a web page"),
    ("<html", "a web page"),
    ("<table", "a web page"),
    ("<?xml", "XML"),
    ("@relation", "an ARFF file"),
    ("insert into ", "SQL"),
    ("create table ", "SQL"),
    ("-- mysql dump", "SQL"),
    ("-- postgresql database dump", "SQL"),
];

/// What the first line of a file tells that it is, if not a table of text.
pub(super) fn foreign(line: &[u8]) -> Option<&'static str> {
    let line = line.trim_ascii_start();
    let known = BEGINNINGS.iter().find(|(beginning, _)| line.starts_with(beginning));
    let json = |what: &str| what != "JSON" || is_json(line);
    let word =
        |word: &str| line.get(..word.len()).is_some_and(|own| own.eq_ignore_ascii_case(word.as_bytes()));
    known
        .filter(|(_, what)| json(what))
        .map(|(_, what)| *what)
        .or_else(|| WORDS.iter().find(|(beginning, _)| word(beginning)).map(|(_, what)| *what))
}

/// Whether a line that begins with a bracket is JSON: the bracket is alone or a quote, another bracket or a number follows.
fn is_json(line: &[u8]) -> bool {
    let rest = line[1..].trim_ascii_start();
    match (line[0], rest.first()) {
        (_, None) | (b'{', Some(b'"' | b'}')) | (b'[', Some(b'{' | b'[')) => true,
        (b'[', Some(b'"')) => line.trim_ascii_end().ends_with(b"]"),
        (b'[', Some(first)) => first.is_ascii_digit() && line.contains(&b']'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_known_by_their_first_line() {
        for (line, what) in [
            ("<!DOCTYPE html>\n", Some("a web page")),
            ("  <TABLE border=1>", Some("a web page")),
            ("{\"a\": 1}", Some("JSON")),
            ("[\n", Some("JSON")),
            ("[1, 2]", Some("JSON")),
            ("[m],y", None),
            ("{a},y", None),
            ("insert into t values (1)", Some("SQL")),
            ("@RELATION iris", Some("an ARFF file")),
            ("insert,into", None),
            ("a,b", None),
        ] {
            assert_eq!(foreign(line.as_bytes()), what, "{line}");
        }
    }
}
