//! Which cells stand for a missing value, in every format.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::cells::{Cells, MISSING};
use super::classes::loosely;
use super::notation::Amount;
use super::reading::Reading;
use super::table::Table;
use crate::context::Context;
use crate::error::{Error, Result, shown};
use crate::setting::Setting;

/// What people and programs write where there is no value: pandas, R, SQL, SAS, Stata, Weka, Excel. The errors of
/// formulas are not among them, but for the one that says "not available".
const MARKS: &[&str] = &[
    "NA", "N/A", "n/a", "<NA>", "#N/A", "#NA", "#N/A N/A", "NaN", "nan", "NAN", "-NaN", "-nan", "1.#QNAN",
    "-1.#QNAN", "1.#IND", "-1.#IND", "NaT", "null", "NULL", "Null", "None", "?", "-", "--", "\u{2013}",
    "\u{2014}", ".", "\\N",
];

/// Marks that hardly mean anything else, and of which nobody need be told beforehand.
const PLAIN: &[&str] = &["NA", "N/A", "<NA>", "NaN", "nan", "null", "NULL", "\\N"];

/// Whether a text stands for a missing value wherever it stands.
pub fn is_mark_of_absence(text: &str) -> bool {
    MissingValues::default().has(text)
}

/// The cells that stand for a missing value.
#[derive(Debug, Clone, Default)]
pub(super) struct MissingValues {
    words: Vec<String>,
    numbers: Vec<f64>,
    /// Marks that are values of text here.
    kept: Vec<String>,
    /// Columns that are text even if they look like numbers.
    text: Vec<String>,
    /// Whether a cell was met for each word, those that are kept behind the others.
    met: Arc<Vec<AtomicBool>>,
}

impl MissingValues {
    /// Those that always do, and these; of numbers the value counts: `-999` is `-999.0` too.
    pub(super) fn with(given: &[String]) -> Self {
        let words: Vec<String> = given.iter().map(|word| without_blanks(word).to_string()).collect();
        let numbers = words.iter().filter_map(|word| word.parse().ok()).filter(|v: &f64| v.is_finite());
        Self { numbers: numbers.collect(), met: fresh(words.len()), words, ..Self::default() }
    }

    /// Those that a table is to be read with.
    pub(super) fn of(reading: &Reading) -> Self {
        let kept: Vec<String> =
            reading.keep_values.iter().map(|word| without_blanks(word).to_string()).collect();
        let met = fresh(reading.missing_values.len() + kept.len());
        Self { kept, text: reading.as_text.clone(), met, ..Self::with(&reading.missing_values) }
    }

    /// Checks that what is to be a value is a mark of absence otherwise, and nobody's here.
    ///
    /// # Errors
    /// [`Error::Input`] naming the word.
    pub(super) fn check(&self) -> Result<()> {
        for word in &self.kept {
            let fail = |problem: &str, hint: &str| {
                Err(Error::input(format!("`{}`", Setting::KeepValues.to(word)), problem, hint))
            };
            if !MARKS.contains(&word.as_str()) {
                return fail("is a value as it is", "it is for marks of missing cells such as NA, None or -");
            }
            if self.words.contains(word) {
                return fail("is to be a missing cell too", "leave it out of `‹missing-values›`");
            }
        }
        Ok(())
    }

    /// Whether some marks are values of text.
    pub(super) fn keeps(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Whether this text does.
    pub(super) fn has(&self, cell: &str) -> bool {
        let cell = without_blanks(cell);
        let kept = self.kept.iter().position(|word| word == cell);
        if let Some(at) = kept {
            self.meet(self.words.len() + at);
        }
        kept.is_none() && self.has_among_numbers(cell)
    }

    /// Whether this text does in a column of numbers, of which no word is a value.
    pub(super) fn has_among_numbers(&self, cell: &str) -> bool {
        let cell = without_blanks(cell);
        if cell.is_empty() || MARKS.contains(&cell) {
            return true;
        }
        if self.words.is_empty() {
            return false;
        }
        let word = self.words.iter().position(|word| word == cell);
        if let Some(at) = word {
            self.meet(at);
        }
        word.is_some() || cell.parse().is_ok_and(|number| self.has_number(number))
    }

    /// Whether this number does.
    pub(super) fn has_number(&self, number: f64) -> bool {
        let found = self.numbers.contains(&number);
        if found {
            let same = |word: &String| word.parse() == Ok(number);
            self.words.iter().enumerate().filter(|(_, word)| same(word)).for_each(|(at, _)| self.meet(at));
        }
        found
    }

    fn meet(&self, at: usize) {
        if let Some(met) = self.met.get(at) {
            met.store(true, Ordering::Relaxed);
        }
    }

    /// The words that no cell was met for.
    pub(super) fn unmet(&self) -> Vec<String> {
        let words = self.words.iter().chain(&self.kept).zip(&*self.met);
        words.filter(|(_, met)| !met.load(Ordering::Relaxed)).map(|(word, _)| word.clone()).collect()
    }

    /// Empties the cells of a table that was read without regard to them.
    pub(super) fn empty(&self, table: &mut Table) {
        for column in &mut table.columns {
            match &mut column.cells {
                Cells::Numbers(numbers) => {
                    let known = |v: &&mut f64| !self.numbers.is_empty() && self.has_number(**v);
                    numbers.iter_mut().filter(known).for_each(|v| *v = f64::NAN);
                }
                Cells::Text { codes, values } => {
                    let numbers = !self.text.contains(&column.name) && self.among_numbers(values);
                    let absent = self.empty_text(codes, values, numbers);
                    if !absent.is_empty() {
                        table.seen.entry(column.name.clone()).or_default().absent.extend(absent);
                    }
                }
            }
        }
    }

    /// Whether there are values that are no marks, and all of these are numbers.
    fn among_numbers(&self, values: &[String]) -> bool {
        let mut others = values.iter().filter(|value| !self.has_among_numbers(value)).peekable();
        others.peek().is_some()
            && others.all(|value| value.parse::<f64>().is_ok() || Amount::of(value).is_some())
    }

    /// Empties cells of text, or of `numbers` in text; the marks that were met, each with its number of cells.
    fn empty_text(&self, codes: &mut [u32], values: &mut Vec<String>, numbers: bool) -> Vec<(String, usize)> {
        let gone = |value: &String| if numbers { self.has_among_numbers(value) } else { self.has(value) };
        let gone: Vec<bool> = values.iter().map(gone).collect();
        if !gone.contains(&true) {
            return Vec::new();
        }
        let mut left = 0;
        let new = |gone: &bool| {
            left += u32::from(!gone);
            if *gone { MISSING } else { left - 1 }
        };
        let new: Vec<u32> = gone.iter().map(new).collect();
        let mut counts = vec![0; values.len()];
        for code in codes.iter_mut().filter(|code| **code != MISSING) {
            counts[*code as usize] += 1;
            *code = new[*code as usize];
        }
        let marks =
            values.iter().zip(counts).zip(&gone).filter(|((value, _), gone)| **gone && !value.is_empty());
        let marks = marks.map(|((value, count), _)| (value.clone(), count)).collect();
        let mut gone = gone.iter();
        values.retain(|_| gone.next() == Some(&false));
        marks
    }
}

/// As many words, for none of which a cell was met.
fn fresh(words: usize) -> Arc<Vec<AtomicBool>> {
    Arc::new((0..words).map(|_| AtomicBool::new(false)).collect())
}

/// Notes the words that were to mark missing cells, or to be values, and are no cell's in any of these tables.
pub(super) fn tell_unmet(tables: &[&Table], context: &mut Context) {
    let nowhere = |word: &&String| tables.iter().all(|table| table.unmet.contains(word));
    for word in tables.first().map_or(&[][..], |table| &table.unmet).iter().filter(nowhere) {
        let values = tables.iter().flat_map(|table| &table.columns).flat_map(|column| match &column.cells {
            Cells::Text { values, .. } => values.as_slice(),
            Cells::Numbers(_) => &[],
        });
        let meant = values.into_iter().find(|value| loosely(value) == loosely(word));
        let meant = meant.map_or_else(String::new, |meant| format!("; did you mean `{}`?", shown(meant)));
        let kept = tables.iter().any(|table| table.keep_values.contains(word));
        let option = if kept { Setting::KeepValues } else { Setting::MissingValues };
        context.note("data", format!("`{}`: no cell of any table is so{meant}", option.to(shown(word))));
    }
}

/// Counts the words of cells that are missing.
#[derive(Debug, Default)]
pub(super) struct Absent(HashMap<String, usize>);

impl Absent {
    /// Counts a cell that is missing.
    pub(super) fn push(&mut self, cell: &str) {
        if !cell.is_empty() {
            *self.0.entry(cell.into()).or_default() += 1;
        }
    }

    /// The words, each with its number of cells.
    pub(super) fn finish(self) -> Vec<(String, usize)> {
        let mut all: Vec<(String, usize)> = self.0.into_iter().collect();
        all.sort();
        all
    }
}

/// Whether a word that was read as a missing cell might have meant something.
pub(crate) fn worth_saying(word: &str) -> bool {
    !PLAIN.contains(&word)
}

/// How words that were read as missing cells become `what` they may be, where that can be asked for.
pub(crate) fn keeping(words: &[(String, usize)], what: &str) -> Option<String> {
    let marks: Vec<&str> =
        words.iter().map(|(word, _)| word.as_str()).filter(|w| MARKS.contains(w)).collect();
    let listed: Vec<String> = marks.iter().map(|mark| format!("`{mark}`")).collect();
    let each = if marks.len() == 1 { "is" } else { "are each" };
    let option = format!("`{}`", Setting::KeepValues.to(marks.join(",")));
    (!marks.is_empty()).then(|| format!("if {} {each} {what}, add {option}", listed.join(", ")))
}

/// A cell without blanks around it, and without marks that nobody sees.
pub(super) fn without_blanks(cell: &str) -> &str {
    cell.trim_matches(crate::error::is_blank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Column;

    #[test]
    fn marks_of_absence_are_known_and_others_are_added() {
        let usual = MissingValues::default();
        for cell in [
            "", " \t", "\u{a0}", "\u{feff}", "NA", " n/a ", "#N/A", "<NA>", "NaT", "?", "-", "--", "\\N", ".",
        ] {
            assert!(usual.has(cell), "{cell:?}");
        }
        for cell in ["none at all", "Na", "no", "0", "-1", "-999", "#DIV/0!", "..", "x"] {
            assert!(!usual.has(cell), "{cell:?}");
        }
        let more = MissingValues::with(&["-999".into(), " keine ".into()]);
        for cell in ["-999", "-999.0", "-9.99e2", "keine", "NA"] {
            assert!(more.has(cell), "{cell:?}");
        }
        assert!(!more.has("Keine") && !more.has("-99") && more.has_number(-999.0));
    }

    #[test]
    fn a_table_is_emptied_of_them_and_keeps_the_values_that_are_left() {
        let words = ["None", "a", "NA", "b", "None", "a"].map(|word| Some(word.to_string()));
        let text = Column { name: "t".into(), cells: Cells::from_text(words) };
        let numbers =
            Column { name: "n".into(), cells: Cells::Numbers(vec![1.0, -9.0, 2.0, -9.0, 3.0, 4.0]) };
        let mut table = Table { rows: 6, columns: vec![text, numbers], ..Table::default() };
        MissingValues::with(&["-9".into()]).empty(&mut table);
        let codes = vec![MISSING, 0, MISSING, 1, MISSING, 0];
        assert_eq!(table.columns[0].cells, Cells::Text { codes, values: vec!["a".into(), "b".into()] });
        let missing: Vec<usize> = (0..6).filter(|&row| table.columns[1].cells.is_missing(row)).collect();
        assert_eq!(missing, [1, 3]);
        assert_eq!(table.seen["t"].absent, [("None".to_string(), 2), ("NA".to_string(), 1)]);
    }

    #[test]
    fn marks_may_be_kept_as_values_of_text() {
        let reading = |keep: &[&str], missing: &[&str]| Reading {
            keep_values: keep.iter().map(ToString::to_string).collect(),
            missing_values: missing.iter().map(ToString::to_string).collect(),
            ..Reading::default()
        };
        let kept = MissingValues::of(&reading(&["NA"], &[]));
        assert!(!kept.has("NA ") && kept.has("None") && kept.has("") && kept.has_among_numbers("NA"));
        let column = |name: &str, words: [&str; 3]| {
            let words = words.map(|word| Some(word.to_string()));
            Column { name: name.into(), cells: Cells::from_text(words) }
        };
        let columns = vec![column("country", ["DE", "NA", "?"]), column("age", ["31,5", "NA", "27"])];
        let mut table = Table { rows: 3, columns, ..Table::default() };
        kept.empty(&mut table);
        let text = |j: usize| (0..3).map(|row| table.columns[j].cells.text(row)).collect::<Vec<_>>();
        assert_eq!(text(0), [Some("DE".into()), Some("NA".into()), None]);
        assert_eq!(text(1), [Some("31,5".into()), None, Some("27".into())]);
        // A class may be called so beside numbers.
        let classes = column("grade", ["1", "NA", "2"]);
        let mut table = Table { rows: 3, columns: vec![classes], ..Table::default() };
        let labels = Reading { as_text: vec!["grade".into()], ..reading(&["NA"], &[]) };
        MissingValues::of(&labels).empty(&mut table);
        assert_eq!(table.columns[0].cells.filled(), 3);
        let refused = |keep: &[&str], missing: &[&str]| {
            MissingValues::of(&reading(keep, missing)).check().unwrap_err().to_string()
        };
        assert!(kept.check().is_ok());
        assert_eq!(refused(&["north"], &[]), "`‹keep-values north›`: is a value as it is");
        assert_eq!(refused(&["NA"], &["NA"]), "`‹keep-values NA›`: is to be a missing cell too");
        let words = [("-".to_string(), 3), ("NA".to_string(), 1), ("-999".to_string(), 4)];
        assert_eq!(
            keeping(&words, "a class").unwrap(),
            "if `-`, `NA` are each a class, add `‹keep-values -,NA›`"
        );
        assert_eq!(keeping(&words[2..], "a class"), None);
    }
}
