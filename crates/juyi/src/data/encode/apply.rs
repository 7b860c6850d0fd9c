//! Tables as features, the way an encoding says.

use std::collections::HashMap;

use faer::Mat;

use super::absent::absent_columns;
use super::indices::compare_with_model;
use super::kind::text_among_numbers;
use super::words::{Known, truths_as_the_model};
use super::{ColumnEncoding, Encoding, Kind, LARGEST, Missing};
use crate::context::Context;
use crate::data::cells::Cells;
use crate::data::missing::keeping;
use crate::data::table::Table;
use crate::error::{Error, Result, few, shown};
use crate::linalg::Matrix;

impl Encoding {
    /// Features `(rows kept, width)` and the numbers of the rows that are kept. The table's cells are given up column
    /// by column, so that they and the matrix are never held whole at once.
    ///
    /// # Errors
    /// [`Error::Input`] for a missing column, a missing cell under [`Missing::Error`], text where numbers stand;
    /// [`Error::Memory`].
    pub fn apply(&self, table: &mut Table, context: &mut Context) -> Result<(Matrix, Vec<usize>)> {
        compare_with_model(self, table, context);
        let all: Vec<usize> = (0..table.rows).collect();
        self.apply_to(table, &all, context)
    }

    /// The same for some of the rows, rising; the others count for nothing.
    ///
    /// # Errors
    /// As [`Encoding::apply`].
    pub fn apply_to(
        &self,
        table: &mut Table,
        rows: &[usize],
        context: &mut Context,
    ) -> Result<(Matrix, Vec<usize>)> {
        self.read_dates(table, context)?;
        let index: HashMap<String, usize> =
            table.columns.iter().enumerate().map(|(j, column)| (column.name.clone(), j)).collect();
        let absent = |name: &&String| !index.contains_key(*name) && !table.leaves_out(name);
        let absent: Vec<&String> = self.columns.iter().map(|c| &c.name).filter(absent).collect();
        if !absent.is_empty() {
            let needed = |name: &str| self.columns.iter().any(|column| column.name == name);
            let hint = "columns are matched by name";
            return Err(absent_columns(table, &absent, "the model needs", hint, needed));
        }
        self.read_numbers(table, context)?;
        truths_as_the_model(self, table, context);
        let place = |row: usize, column: &str| format!("{}, column `{column}`", table.place(row));
        table.tell(context);
        let mut keep = vec![true; table.rows];
        let mut filled = 0;
        let zeros = table.zeros();
        for column in &self.columns {
            let cells = index.get(&column.name).map_or(&zeros, |&j| &table.columns[j].cells);
            if let (Kind::Number { .. }, Cells::Text { .. }) = (&column.kind, cells) {
                return Err(text_among_numbers(table, &column.name, cells));
            }
            if let Cells::Numbers(numbers) = cells
                && let Some(row) = numbers.iter().position(|v| v.abs() > LARGEST)
            {
                let problem = format!("{:e} is too large to compute with", numbers[row]);
                let hint = "give the column in another unit, or `‹drop›` it";
                return Err(Error::input(place(row, &column.name), problem, hint));
            }
            for &row in rows {
                if cells.is_missing(row) {
                    match self.missing {
                        Missing::Error => {
                            let mut hint = "`‹missing mean›` fills it with the source's mean, `‹missing drop›` leaves the row out".to_string();
                            let words = column.absent_in(table);
                            hint.extend(keeping(words, "a value there").map(|keep| format!("; {keep}")));
                            return Err(Error::input(place(row, &column.name), "is missing", hint));
                        }
                        Missing::Mean => filled += 1,
                        Missing::Drop => keep[row] = false,
                    }
                }
            }
        }
        if filled > 0 {
            let text = format!("`{}`: {filled} missing cells are filled{}", table.name, self.words_in(table));
            context.note("data", text);
        }
        let kept: Vec<usize> = rows.iter().copied().filter(|&row| keep[row]).collect();
        if kept.is_empty() && !rows.is_empty() {
            let hint = "`‹missing mean›` fills them; `‹drop›` leaves out a column that is mostly empty";
            return Err(Error::input(format!("`{}`", table.name), "every row has a missing cell", hint));
        }
        if kept.len() < rows.len() {
            let dropped = rows.len() - kept.len();
            context.note(
                "data",
                format!(
                    "`{}`: {dropped} of {} rows have missing cells and are left out{}",
                    table.name,
                    rows.len(),
                    self.words_in(table)
                ),
            );
        }
        context.require(
            &format!("`{}` as {} x {} features", table.name, kept.len(), self.width()),
            8 * (kept.len() * self.width()) as u64,
        )?;
        let mut features = Mat::zeros(kept.len(), self.width());
        let mut at = 0;
        for column in &self.columns {
            let cells = match index.get(&column.name) {
                Some(&j) => std::mem::replace(&mut table.columns[j].cells, Cells::Numbers(Vec::new())),
                None => zeros.clone(),
            };
            match (&column.kind, cells) {
                (Kind::Number { mean } | Kind::Date { mean, .. }, Cells::Numbers(numbers)) => {
                    let filled = |row: &usize| if numbers[*row].is_nan() { *mean } else { numbers[*row] };
                    features.col_mut(at).iter_mut().zip(&kept).for_each(|(v, row)| *v = filled(row));
                    at += 1;
                }
                (Kind::Text { values }, cells) => {
                    let known = Known::new(values);
                    let (positions, mut unseen) = known.positions(&cells, &kept);
                    for (i, k) in positions.iter().enumerate().filter_map(|(i, k)| Some((i, (*k)?))) {
                        features[(i, at + k)] = 1.0;
                    }
                    let place = format!("`{}`, column `{}`", table.name, column.name);
                    unseen.tell(&place, "was not there at the fit and counts as none", &known, context);
                    at += values.len();
                }
                (Kind::Number { .. } | Kind::Date { .. }, Cells::Text { .. }) => {
                    unreachable!("checked above")
                }
            }
        }
        Ok((features, kept))
    }

    /// The words of missing cells, by column, and how they would be values of text.
    fn words_in(&self, table: &Table) -> String {
        let columns = self.columns.iter().map(|column| (&column.name, table.absent(&column.name)));
        let named = |(name, words): (&String, &[(String, usize)])| {
            let words: Vec<String> = words.iter().map(|(word, _)| format!("`{}`", shown(word))).collect();
            (!words.is_empty()).then(|| format!("{} in column `{}`", words.join(", "), shown(name)))
        };
        let named: Vec<String> = columns.filter_map(named).collect();
        if named.is_empty() {
            return String::new();
        }
        let mut all: Vec<(String, usize)> =
            self.columns.iter().flat_map(|column| column.absent_in(table).to_vec()).collect();
        all.sort();
        all.dedup_by(|a, b| a.0 == b.0);
        let keep = keeping(&all, "a value there").map_or_else(String::new, |keep| format!("; {keep}"));
        format!(", {}{keep}", few(&named))
    }
}

impl ColumnEncoding {
    /// Words of missing cells that would be values, as they are in a column of text.
    fn absent_in<'a>(&self, table: &'a Table) -> &'a [(String, usize)] {
        match self.kind {
            Kind::Text { .. } => table.absent(&self.name),
            Kind::Number { .. } | Kind::Date { .. } => &[],
        }
    }
}
