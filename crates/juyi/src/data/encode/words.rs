//! Words in columns: which of them are one value, which were not there at the fit, and truth written as words.

use std::collections::{HashMap, HashSet};

use super::{Encoding, Kind, listed};
use crate::context::Context;
use crate::data::cells::{Cells, MISSING};
use crate::data::classes::{loosely, says_the_same, spelt_alike, word};
use crate::data::table::Table;
use crate::error::{few, shown};

/// Most pairs of values that a message lists.
const PAIRS: usize = 3;

/// What `true` and `false` say, in any case.
fn truth(value: &str) -> Option<bool> {
    match word(value).as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The different values, sorted, each as it is written first.
pub(super) fn different<'a>(written: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut values: Vec<String> = written.filter(|value| seen.insert(word(value))).cloned().collect();
    values.sort();
    values
}

/// Values as they are written first, whichever way they are written.
#[derive(Default)]
pub(crate) struct Spellings(HashMap<String, String>);

impl Spellings {
    /// The cells with each value in its first spelling.
    pub(crate) fn of(&mut self, cells: Cells) -> Cells {
        let Cells::Text { codes, values } = cells else { return cells };
        let first: Vec<String> =
            values.into_iter().map(|value| self.0.entry(word(&value)).or_insert(value).clone()).collect();
        Cells::from_text(codes.iter().map(|code| first.get(*code as usize).cloned()))
    }
}

/// The values of a column at the fit.
pub(super) struct Known<'a> {
    values: &'a [String],
    written: HashMap<&'a str, usize>,
    plain: HashMap<String, usize>,
}

impl<'a> Known<'a> {
    pub(super) fn new(values: &'a [String]) -> Self {
        let written = values.iter().enumerate().map(|(k, value)| (value.as_str(), k)).collect();
        let mut known = HashMap::with_capacity(values.len());
        for (k, value) in values.iter().enumerate() {
            known.entry(word(value)).or_insert(k);
        }
        // Where the values are truths, other formats have 1 and 0 for them.
        if !values.is_empty() && values.iter().all(|value| truth(value).is_some()) {
            for (k, value) in values.iter().enumerate() {
                known.entry(if truth(value) == Some(true) { "1" } else { "0" }.into()).or_insert(k);
            }
        }
        Self { values, written, plain: known }
    }

    fn position(&self, value: &str) -> Option<usize> {
        self.written.get(value).or_else(|| self.plain.get(&word(value))).copied()
    }

    /// The position of the value of each of these rows; rows with a value that is not known have none.
    pub(super) fn positions(&self, cells: &Cells, rows: &[usize]) -> (Vec<Option<usize>>, Unseen) {
        let mut unseen = Unseen { all: rows.len(), ..Unseen::default() };
        let mut known: HashMap<u64, Option<usize>> = HashMap::new();
        let one = |&row: &usize| {
            if cells.is_missing(row) {
                return None;
            }
            let key = match cells {
                Cells::Numbers(numbers) => numbers[row].to_bits(),
                Cells::Text { codes, .. } => u64::from(codes[row]),
            };
            let position = *known.entry(key).or_insert_with(|| {
                let value = cells.text(row).unwrap_or_default();
                let position = self.position(&value);
                if position.is_none() {
                    unseen.values.push(value);
                }
                position
            });
            unseen.rows += usize::from(position.is_none());
            position
        };
        (rows.iter().map(one).collect(), unseen)
    }
}

/// Values that are not known.
#[derive(Default)]
pub(super) struct Unseen {
    values: Vec<String>,
    /// Rows with one of them, of how many.
    rows: usize,
    all: usize,
}

impl Unseen {
    /// Names the values, the rows that have them, and values that are likely to be meant; `what` says what came of them.
    pub(super) fn tell(&mut self, column: &str, what: &str, known: &Known, context: &mut Context) {
        if self.values.is_empty() {
            return;
        }
        self.values.sort();
        let names: Vec<&String> = self.values.iter().collect();
        let meant = self.meant(known);
        let more = if !meant.is_empty() {
            format!("; {}: spell them alike", meant.join(", "))
        } else if 2 * self.rows >= self.all && self.all > 1 {
            "; that is half of them or more, of which the column says nothing".into()
        } else {
            String::new()
        };
        let text =
            format!("{column}: value {} {what} ({} of {} rows){more}", listed(&names), self.rows, self.all);
        context.warn("data", text);
    }

    /// Values that are likely to be one, each with the one that is known.
    fn meant(&self, known: &Known) -> Vec<String> {
        let mut loose: HashMap<String, &String> = HashMap::new();
        for value in known.values {
            loose.entry(loosely(value)).or_insert(value);
        }
        let twin = |value: &String| {
            let alike = loose.get(&loosely(value)).copied();
            let meant = alike.or_else(|| known.values.iter().find(|name| says_the_same(name, value)))?;
            Some(format!("`{}` is likely to be `{}`", shown(value), shown(meant)))
        };
        self.values.iter().filter_map(twin).take(PAIRS).collect()
    }
}

/// Names pairs of values of the sources that are likely to be one: they differ in case and the like, or they are words of
/// truth beside a longer word for the same.
pub(super) fn tell_twins(column: &str, values: &[String], context: &mut Context) {
    let words: Vec<String> = values.iter().map(|value| loosely(value)).collect();
    let mut pairs = spelt_alike(values);
    let truths: Vec<usize> = (0..values.len()).filter(|&k| says_the_same(&values[k], &values[k])).collect();
    let all = truths.len() == values.len() && truths.iter().any(|&k| !says_the_same(&values[k], &values[0]));
    let initial = |a: usize, b: usize| words[a].starts_with(&words[b]) || words[b].starts_with(&words[a]);
    for (i, &a) in truths.iter().enumerate() {
        for &b in truths[i + 1..].iter().filter(|&&b| words[a] != words[b]) {
            if says_the_same(&values[a], &values[b]) && (all || initial(a, b)) {
                pairs.push((a, b));
            }
        }
    }
    if !pairs.is_empty() {
        let pair = |(a, b): &(usize, usize)| format!("`{}` and `{}`", shown(&values[*a]), shown(&values[*b]));
        let named: Vec<String> = pairs.iter().map(pair).collect();
        let text =
            format!("column `{}`: {}: likely to be one value; spell them alike", shown(column), few(&named));
        context.warn("data", text);
    }
}

/// Cells of `true` and `false`, and nothing else, as 1 and 0.
fn truths(cells: &Cells) -> Option<Cells> {
    let Cells::Text { codes, values } = cells else { return None };
    let said: Vec<f64> =
        values.iter().map(|v| truth(v).map(|v| f64::from(u8::from(v)))).collect::<Option<_>>()?;
    let number = |code: &u32| if *code == MISSING { f64::NAN } else { said[*code as usize] };
    Some(Cells::Numbers(codes.iter().map(number).collect()))
}

/// Columns that hold `true` and `false` in some tables and 1 and 0 in others, as formats have it, become numbers; the column
/// of the labels does not.
pub(crate) fn truths_as_numbers(
    sources: &mut [Table],
    target: &mut Table,
    label: &str,
    context: &mut Context,
) {
    let mut tables: Vec<&mut Table> = sources.iter_mut().chain([target]).collect();
    let bits = |cells: &Cells| match cells {
        Cells::Numbers(numbers) => numbers.iter().all(|v| v.is_nan() || *v == 0.0 || *v == 1.0),
        Cells::Text { .. } => false,
    };
    let words = tables[0].columns.iter().chain(&tables[tables.len() - 1].columns);
    let words = words.filter(|column| matches!(column.cells, Cells::Text { .. }) && column.name != label);
    let mut names: Vec<String> = words.map(|column| column.name.clone()).collect();
    names.sort();
    names.dedup();
    let mut read = Vec::new();
    for name in &names {
        let all: Vec<&Cells> =
            tables.iter().filter_map(|table| table.column(name)).map(|column| &column.cells).collect();
        let numbers =
            all.iter().any(|cells| matches!(cells, Cells::Numbers(n) if n.iter().any(|v| !v.is_nan())));
        if !numbers || !all.iter().all(|cells| bits(cells) || truths(cells).is_some()) {
            continue;
        }
        for column in
            tables.iter_mut().flat_map(|table| &mut table.columns).filter(|column| column.name == *name)
        {
            if let Some(numbers) = truths(&column.cells) {
                column.cells = numbers;
            }
        }
        read.push(name);
    }
    tell(&read, "is true and false in one table and 1 and 0 in another", context);
}

/// The same for a table whose columns are numbers for a model.
pub(super) fn truths_as_the_model(encoding: &Encoding, table: &mut Table, context: &mut Context) {
    let numbers: HashSet<&String> = encoding
        .columns
        .iter()
        .filter(|column| matches!(column.kind, Kind::Number { .. }))
        .map(|column| &column.name)
        .collect();
    let mut read = Vec::new();
    for column in table.columns.iter_mut().filter(|column| numbers.contains(&column.name)) {
        if let Some(numbers) = truths(&column.cells) {
            column.cells = numbers;
            read.push(&column.name);
        }
    }
    tell(&read, &format!("is true and false in `{}` and a number for the model", table.name), context);
}

fn tell(read: &[&String], why: &str, context: &mut Context) {
    if !read.is_empty() {
        context.note("data", format!("column {} {why}: read as 1 and 0", listed(read)));
    }
}
