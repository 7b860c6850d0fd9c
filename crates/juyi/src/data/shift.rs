//! Two tables that differ in one known way: covariate, label, conditional or subspace shift, with the answer that a
//! method should find.

use std::f64::consts::TAU;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::Serialize;

use super::cells::Cells;
use super::table::{Column, Table};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::linalg::{Matrix, multiply, orthonormal_columns};

/// What differs between the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShiftKind {
    /// Rows are drawn elsewhere; the rule from row to label is the same.
    Covariate,
    /// The classes' shares differ; the rows of a class are drawn alike.
    Label,
    /// All rows, with their labels, have been through one affine map: a turn, a stretch and an offset.
    Conditional,
    /// Labels depend on a few directions in the same way; along the others they do the opposite in the target.
    Subspace,
}

/// How large the tables are and how far apart.
#[derive(Debug, Clone, Copy)]
pub struct Shift {
    /// What differs.
    pub kind: ShiftKind,
    /// Source and target rows, 1 or above.
    pub rows: (usize, usize),
    /// Feature columns, 3 or above.
    pub columns: usize,
    /// Classes, 2 or above; `None` for numbers as labels.
    pub classes: Option<usize>,
    /// How far the domains are apart: 0 not at all, 1 clearly. 0 to 10.
    pub strength: f64,
    /// Deviation of the noise in the labels' rule (numbers, and the classes of a covariate shift). 0 to 1000.
    pub noise: f64,
}

/// What there is to find out.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "shift", rename_all = "kebab-case")]
pub enum ShiftAnswer {
    /// The ratio of the densities, target over source, at each source row.
    Covariate {
        /// One a source row.
        weights: Vec<f64>,
    },
    /// The shares of the classes, in their order.
    Label {
        /// In the source.
        source_shares: Vec<f64>,
        /// In the target.
        target_shares: Vec<f64>,
    },
    /// A row of the target is `x matrix + offset` of a row drawn as in the source.
    Conditional {
        /// `(d, d)`, row by row.
        matrix: Vec<Vec<f64>>,
        /// `d` numbers.
        offset: Vec<f64>,
    },
    /// An orthonormal basis of the directions along which the domains agree.
    Subspace {
        /// `(d, k)`, row by row.
        basis: Vec<Vec<f64>>,
    },
}

/// The tables and the answer.
pub struct Shifted {
    /// Columns `x1` … and `y`, every row labelled.
    pub source: Table,
    /// The same columns.
    pub target: Table,
    /// What there is to find out.
    pub answer: ShiftAnswer,
}

/// Features `(n, d)` and a label a row: a class, or a number.
type Rows = (Matrix, Vec<f64>);

impl Shift {
    /// Draws the tables; the same context seed gives the same tables.
    ///
    /// # Errors
    /// [`Error::Param`] for a setting out of its range, [`Error::Memory`]; [`Error::Input`] for a label shift of numbers.
    pub fn draw(&self, context: &Context) -> Result<Shifted> {
        self.check(context)?;
        let mut rng = context.rng("shift");
        let ((source, target), answer) = match self.kind {
            ShiftKind::Covariate => self.covariate(&mut rng),
            ShiftKind::Label => self.label(&mut rng),
            ShiftKind::Conditional => self.conditional(&mut rng),
            ShiftKind::Subspace => self.subspace(&mut rng),
        };
        Ok(Shifted { source: self.table("source", &source), target: self.table("target", &target), answer })
    }

    fn check(&self, context: &Context) -> Result<()> {
        let must = |name: &str, holds: bool, must: &str, got: String| {
            let owner = "data shift".into();
            if holds {
                Ok(())
            } else {
                Err(Error::Param { owner, name: name.into(), must: must.into(), got })
            }
        };
        let rows = self.rows.0.min(self.rows.1);
        must("rows", rows >= 1, "1 or above", rows.to_string())?;
        must("columns", self.columns >= 3, "3 or above", self.columns.to_string())?;
        let classes = self.classes.unwrap_or(2);
        must("classes", (2..=1000).contains(&classes), "from 2 to 1000", classes.to_string())?;
        let strength = self.strength;
        must("strength", (0.0..=10.0).contains(&strength), "from 0 to 10", strength.to_string())?;
        must("noise", (0.0..=1000.0).contains(&self.noise), "from 0 to 1000", self.noise.to_string())?;
        if self.kind == ShiftKind::Label && self.classes.is_none() {
            let hint = "draw classes, or another shift";
            return Err(Error::input("a label shift", "is one of the classes' shares, not of numbers", hint));
        }
        let (n, d) = (self.rows.0.saturating_add(self.rows.1), self.columns);
        let (rows, square) = (n.saturating_mul(d.saturating_add(2)), d.saturating_mul(d));
        let cells = rows.saturating_add(square).saturating_mul(2);
        context.require("the drawn tables", (cells as u64).saturating_mul(8))
    }

    /// Source rows are standard Gaussian, target rows lie `strength` away along the diagonal `e`. The rule is
    /// `f x + (e x)² / 2 + noise`, so that what is learnt depends on where one looks; `f` is across `e`.
    fn covariate(&self, rng: &mut ChaCha8Rng) -> ((Rows, Rows), ShiftAnswer) {
        let d = self.columns;
        let root = (d as f64).sqrt();
        let along = |x: &Matrix, i: usize| x.row(i).iter().sum::<f64>() / root;
        let across = |x: &Matrix, i: usize| (x[(i, 0)] - x[(i, 1)]) / 2f64.sqrt();
        let mut draw = |n: usize, away: f64| {
            let x = gaussian(n, d, rng);
            let x = Matrix::from_fn(n, d, |i, j| x[(i, j)] + away / root);
            let noise = gaussian(n, 1, rng);
            let rule = |i: usize| across(&x, i) + 0.5 * along(&x, i).powi(2) + self.noise * noise[(i, 0)];
            let y = (0..n).map(|i| self.classes.map_or(rule(i), |c| bin(rule(i), c))).collect();
            (x, y)
        };
        let (source, target) = (draw(self.rows.0, 0.0), draw(self.rows.1, self.strength));
        let s = self.strength;
        let weights = (0..self.rows.0).map(|i| (s * along(&source.0, i) - 0.5 * s * s).exp()).collect();
        ((source, target), ShiftAnswer::Covariate { weights })
    }

    /// Classes around a circle; equal shares in the source, each class `1 + strength` times as frequent as the one before
    /// in the target.
    fn label(&self, rng: &mut ChaCha8Rng) -> ((Rows, Rows), ShiftAnswer) {
        let count = self.classes.unwrap_or(2);
        let powers: Vec<f64> =
            (0..count).map(|c| (1.0 + self.strength).powf(c as f64 - count as f64)).collect();
        let sum: f64 = powers.iter().sum();
        let target_shares: Vec<f64> = powers.iter().map(|p| p / sum).collect();
        let source_shares = vec![1.0 / count as f64; count];
        let source = self.circle(self.rows.0, &source_shares, rng);
        let target = self.circle(self.rows.1, &target_shares, rng);
        ((source, target), ShiftAnswer::Label { source_shares, target_shares })
    }

    /// Drawn as the source, then turned by `30° strength` in the planes of columns 1 and 2, 3 and 4, …, the second of
    /// each stretched by `1 + strength / 2`, and moved by `strength`.
    fn conditional(&self, rng: &mut ChaCha8Rng) -> ((Rows, Rows), ShiftAnswer) {
        let d = self.columns;
        let mut matrix = Matrix::identity(d, d);
        let (sin, cos) = (self.strength * TAU / 12.0).sin_cos();
        for j in (1..d).step_by(2) {
            let stretch = 1.0 + 0.5 * self.strength;
            (matrix[(j - 1, j - 1)], matrix[(j - 1, j)]) = (cos, sin * stretch);
            (matrix[(j, j - 1)], matrix[(j, j)]) = (-sin, cos * stretch);
        }
        let offset = vec![self.strength; d];
        let (source, (x, y)) = (self.plain(self.rows.0, rng), self.plain(self.rows.1, rng));
        let mut x = multiply(x.as_ref(), matrix.as_ref());
        for (column, by) in x.col_iter_mut().zip(&offset) {
            column.iter_mut().for_each(|v| *v += by);
        }
        ((source, (x, y)), ShiftAnswer::Conditional { matrix: by_row(&matrix), offset })
    }

    /// Half of the directions of a random basis tell the label. Of the others each repeats it in the source, and says the
    /// opposite in the target.
    fn subspace(&self, rng: &mut ChaCha8Rng) -> ((Rows, Rows), ShiftAnswer) {
        let d = self.columns;
        let shared = d.div_ceil(2);
        let basis = orthonormal_columns(&gaussian(d, d, rng));
        let mut draw = |n: usize, sign: f64| {
            let (mut z, y) = self.plain(n, rng);
            let middle = self.classes.map_or(0.0, |c| 0.5 * (c - 1) as f64);
            for (i, y) in y.iter().enumerate() {
                for j in shared..d {
                    z[(i, j)] += sign * self.strength * 2.0 * (y - middle);
                }
            }
            (multiply(z.as_ref(), basis.transpose()), y)
        };
        let (source, target) = (draw(self.rows.0, 1.0), draw(self.rows.1, -1.0));
        let basis = basis.get(.., ..shared).to_owned();
        ((source, target), ShiftAnswer::Subspace { basis: by_row(&basis) })
    }

    /// Rows of classes with equal shares around a circle; for numbers, Gaussian rows and `x1 + x2 / 2 + noise`.
    fn plain(&self, n: usize, rng: &mut ChaCha8Rng) -> Rows {
        if let Some(count) = self.classes {
            return self.circle(n, &vec![1.0 / count as f64; count], rng);
        }
        let (x, noise) = (gaussian(n, self.columns, rng), gaussian(n, 1, rng));
        let y = (0..n).map(|i| x[(i, 0)] + 0.5 * x[(i, 1)] + self.noise * noise[(i, 0)]).collect();
        (x, y)
    }

    /// Standard Gaussian rows around class means, which lie on a circle in the first two columns, neighbours 4 apart.
    fn circle(&self, n: usize, shares: &[f64], rng: &mut ChaCha8Rng) -> Rows {
        let turn = TAU / shares.len() as f64;
        let radius = 2.0 / (0.5 * turn).sin();
        let pick = |u: f64| {
            let below = shares.iter().scan(0.0, |sum, share| {
                *sum += share;
                Some(*sum)
            });
            below.take_while(|sum| *sum <= u).count().min(shares.len() - 1)
        };
        let of: Vec<usize> = (0..n).map(|_| pick(rng.random::<f64>())).collect();
        let mut x = gaussian(n, self.columns, rng);
        for (i, &c) in of.iter().enumerate() {
            let (sin, cos) = (turn * c as f64).sin_cos();
            x[(i, 0)] += radius * cos;
            x[(i, 1)] += radius * sin;
        }
        (x, of.into_iter().map(|c| c as f64).collect())
    }

    fn table(&self, name: &str, (x, y): &Rows) -> Table {
        let mut columns: Vec<Column> = x
            .col_iter()
            .enumerate()
            .map(|(j, column)| Column {
                name: format!("x{}", j + 1),
                cells: Cells::Numbers(column.iter().copied().collect()),
            })
            .collect();
        let cells = match self.classes {
            None => Cells::Numbers(y.clone()),
            Some(count) => Cells::Text {
                codes: y.iter().map(|c| *c as u32).collect(),
                values: (0..count).map(|c| format!("c{}", c + 1)).collect(),
            },
        };
        columns.push(Column { name: "y".into(), cells });
        Table { name: name.into(), rows: y.len(), columns, label: Some("y".into()), ..Table::default() }
    }
}

/// Which of `count` classes a value of the covariate shift's rule is: about equally many in the source.
fn bin(value: f64, count: usize) -> f64 {
    // The rule's mean is 1/2 and its deviation about 1.2 in the source; a logistic curve stands in for its distribution.
    let share = 1.0 / (1.0 + (-(value - 0.4) * 1.4).exp());
    ((share * count as f64) as usize).min(count - 1) as f64
}

fn gaussian(n: usize, d: usize, rng: &mut ChaCha8Rng) -> Matrix {
    let mut x = Matrix::zeros(n, d);
    for i in 0..n {
        for j in 0..d {
            x[(i, j)] = rng.sample(StandardNormal);
        }
    }
    x
}

fn by_row(matrix: &Matrix) -> Vec<Vec<f64>> {
    (0..matrix.nrows()).map(|i| matrix.row(i).iter().copied().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{column_means, covariance};

    fn shift(kind: ShiftKind, classes: Option<usize>) -> Shift {
        Shift { kind, rows: (20_000, 20_000), columns: 4, classes, strength: 1.0, noise: 0.1 }
    }

    fn features(table: &Table) -> Matrix {
        Matrix::from_fn(table.rows, table.columns.len() - 1, |i, j| match &table.columns[j].cells {
            Cells::Numbers(values) => values[i],
            Cells::Text { .. } => unreachable!("features are numbers"),
        })
    }

    /// Weighted by the true ratio, the source rows have the target's means.
    #[test]
    fn the_true_ratio_carries_the_source_over() {
        let drawn = shift(ShiftKind::Covariate, None).draw(&Context::default()).unwrap();
        let ShiftAnswer::Covariate { weights } = drawn.answer else { panic!("weights") };
        let (x, n) = (features(&drawn.source), weights.len() as f64);
        assert!((weights.iter().sum::<f64>() / n - 1.0).abs() < 0.05);
        for (j, mean) in column_means(features(&drawn.target).as_ref()).iter().enumerate() {
            let carried: f64 = weights.iter().enumerate().map(|(i, w)| w * x[(i, j)] / n).sum();
            assert!((carried - mean).abs() < 0.05 && (mean - 0.5).abs() < 0.05, "{carried} {mean}");
        }
    }

    #[test]
    fn shares_are_as_told() {
        let drawn = shift(ShiftKind::Label, Some(3)).draw(&Context::default()).unwrap();
        let ShiftAnswer::Label { target_shares, .. } = drawn.answer else { panic!("shares") };
        let Cells::Text { codes, .. } = &drawn.target.columns[4].cells else { panic!("classes") };
        for (c, share) in target_shares.iter().enumerate() {
            let found = codes.iter().filter(|code| **code == c as u32).count() as f64 / codes.len() as f64;
            assert!((found - share).abs() < 0.02 && (share - [1.0, 2.0, 4.0][c] / 7.0).abs() < 1e-12);
        }
    }

    /// The source rows through the map have the target's means and covariances.
    #[test]
    fn the_map_is_as_told() {
        let drawn = shift(ShiftKind::Conditional, Some(3)).draw(&Context::default()).unwrap();
        let ShiftAnswer::Conditional { matrix, offset } = drawn.answer else { panic!("a map") };
        let matrix = crate::linalg::from_rows(&matrix);
        let (source, target) = (features(&drawn.source), features(&drawn.target));
        let mapped = multiply(source.as_ref(), matrix.as_ref());
        let (a, b) = (column_means(mapped.as_ref()), column_means(target.as_ref()));
        assert!((0..4).all(|j| (a[j] + offset[j] - b[j]).abs() < 0.1), "{a:?} {b:?}");
        assert!((covariance(mapped.as_ref()) - covariance(target.as_ref())).norm_max() < 0.3);
    }

    /// Along the shared directions both domains have the same class means; across them the opposite.
    #[test]
    fn the_subspace_is_as_told() {
        let drawn = shift(ShiftKind::Subspace, Some(2)).draw(&Context::default()).unwrap();
        let ShiftAnswer::Subspace { basis } = drawn.answer else { panic!("a basis") };
        let basis = crate::linalg::from_rows(&basis);
        assert!((multiply(basis.transpose(), basis.as_ref()) - Matrix::identity(2, 2)).norm_max() < 1e-12);
        let first_class_mean = |table: &Table| {
            let Cells::Text { codes, .. } = &table.columns[4].cells else { panic!("classes") };
            let rows: Vec<usize> = (0..table.rows).filter(|&i| codes[i] == 0).collect();
            let x = crate::linalg::select_rows(features(table).as_ref(), &rows);
            let mean = column_means(x.as_ref());
            Matrix::from_fn(1, 4, |_, j| mean[j])
        };
        let apart = first_class_mean(&drawn.source) - first_class_mean(&drawn.target);
        assert!(multiply(apart.as_ref(), basis.as_ref()).norm_max() < 0.1);
        assert!((apart.norm_l2() - 2.0 * 2f64.sqrt()).abs() < 0.2, "{apart:?}");
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let context = Context::default();
        let refused = |shift: Shift| shift.draw(&context).err().unwrap().to_string();
        let label = shift(ShiftKind::Label, Some(2));
        assert!(refused(Shift { columns: 1, ..label }).contains("`columns` must be 3 or above, got 1"));
        assert!(refused(Shift { strength: f64::NAN, ..label }).contains("`strength` must be from 0 to 10"));
        assert!(refused(Shift { classes: None, ..label }).contains("not of numbers"));
        assert!(refused(Shift { rows: (usize::MAX, 1), ..label }).contains("memory"), "no overflow");
    }
}
