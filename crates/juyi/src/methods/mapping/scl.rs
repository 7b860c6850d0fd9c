//! Structural correspondence learning: columns that matter in both domains (pivots) are predicted from all others, and
//! the few directions that these predictions go through are appended to the rows.
//!
//! When: many columns that are there or not (words, codes), where each domain has columns of its own that stand for the
//! same: what they say of the pivots tells. Unlabelled target rows are all it needs. It hurts where the pivots
//! themselves mean something else in the target; with few columns there is nothing to find, and it changes little.
//!
//! Paper: J. Blitzer, R. McDonald, F. Pereira, "Domain adaptation with structural correspondence learning", EMNLP 2006
//!
//! ```text
//! w_l = argmin Σ_i (y_il - x_i w - b)² + penalty |w|²     y_il = 1 where row i has pivot l, else -1    (step 2)
//! (w_1 .. w_m) = U D Vᵀ,   theta = the first k columns of U                                           (step 3)
//! x -> (x, rescale (x theta - mean) / deviation)                                                      (step 4)
//! ```
//! `x_i` are source and target rows without the pivots, mean and deviation those of all rows. A column is present in a
//! row where it is above 0, if it holds zeros and nothing below (a count, as it was before it was scaled); any other column
//! is where it is above its pooled median. A pivot is present in at least 5 rows of each domain, and not in all rows; of such columns the first
//! are taken, ranked by how much their presence says of the label (mutual information; a number as label counts as
//! above its median or not; J. Blitzer, M. Dredze, F. Pereira, "Biographies, Bollywood, boom-boxes and blenders", ACL
//! 2007), or by their share in the domain where they are rarer (2006). At most half of the columns become pivots.
//!
//! Where we differ: the predictors minimise the squared loss, which has one solution in closed form for all pivots, in
//! place of the modified Huber loss; negative weights are kept, where the authors keep positive ones only, which are
//! fewer to hold with millions of words.
//!
//! Cost: `O(n d min(n, d) + d m²)` time for `m` pivots, `O(n d + min(n, d)² + d m)` memory.

use std::borrow::Cow;
use std::cmp::Ordering;

use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::{Labels, Task};
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{Matrix, column_deviations, column_means, multiply, thin_svd};
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, count, make, must, params_of};
use crate::models::{Map, apply_all};
use crate::solvers::{add_gram, solve_shifted};

/// Parameters of structural correspondence learning.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scl {
    /// Columns that serve as pivots, m. 1 to 1000000; no more than half of the columns are used.
    pub pivots: usize,
    /// Directions that are appended, k. 1 to 1000000; no more than the rank of the predictors' weights are used.
    pub components: usize,
    /// Deviation of the appended columns. Above 0; 1 suits standardised columns.
    pub rescale: f64,
    /// Weight of the predictors' penalty. Above 0.
    pub penalty: f64,
    /// information or frequency: what pivots are ranked by.
    pub ranking: PivotRanking,
}

/// What pivots are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PivotRanking {
    /// How much their presence says of the label.
    Information,
    /// Their share of rows in the domain where they are rarer.
    Frequency,
}

impl Default for Scl {
    fn default() -> Self {
        Self { pivots: 100, components: 25, rescale: 1.0, penalty: 1.0, ranking: PivotRanking::Information }
    }
}

/// Rows of each domain that have a pivot, at least.
const LEAST: usize = 5;

impl Scl {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "scl",
        family: Family::Mapping,
        summary: "appends the directions through which all columns predict those that matter in both domains",
        when: "many columns that are there or not (words, codes), some of them in one domain only",
        paper: "J. Blitzer, R. McDonald, F. Pereira, \"Domain adaptation with structural correspondence learning\", EMNLP 2006",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE, // for words and counts, which nothing tells from other columns
        most_rows: 100_000,
        source: include_str!("scl.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Scl {
    fn check(&self) -> Result<()> {
        count("scl", "pivots", self.pivots, 1..=1_000_000)?;
        count("scl", "components", self.components, 1..=1_000_000)?;
        let above = |v: f64| v > 0.0 && v.is_finite();
        must("scl", "rescale", above(self.rescale), "above 0", self.rescale)?;
        must("scl", "penalty", above(self.penalty), "above 0", self.penalty)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (n_s, n, d) = (task.source.rows(), task.source.rows() + task.target.rows(), task.columns());
        let (m, least) = (self.pivots.min(d / 2), n.min(d));
        // All rows and their other columns, who has which pivot, the system, the weights with their factors.
        let need =
            8 * (2 * n * d + 2 * n * m + 3 * least * least + 4 * d * m + n_s * (d + self.components.min(m)));
        context.require("the predictors of `scl`", need as u64)?;
        let rows = task.pooled();
        let (pivots, others) = self.pivots(task, &rows);
        if pivots.is_empty() {
            let text = format!(
                "no column can be a pivot (present in {LEAST} rows of each domain): rows stay as they are"
            );
            context.warn("scl", text);
            let source = Cow::Borrowed(&task.source.features);
            return Ok(Adapted { source, weights: None, target_map: Vec::new() });
        }
        let means = column_means(rows.as_ref());
        let x = Mat::from_fn(n, others.len(), |i, j| rows[(i, others[j])] - means[others[j]]);
        let mut y = Mat::from_fn(n, pivots.len(), |i, l| if pivots[l][i] { 1.0 } else { -1.0 });
        let shares = column_means(y.as_ref());
        for (l, share) in shares.iter().enumerate() {
            y.col_mut(l).iter_mut().for_each(|v| *v -= share);
        }
        let (u, s, _) = thin_svd(ridge(&x, y, self.penalty)?.as_ref())?;
        let rank = s.iter().filter(|v| **v > 1e-10 * s[0]).count();
        let k = self.components.min(rank);
        let theta = u.get(.., ..k);
        let projected = multiply(x.as_ref(), theta);
        let deviations = column_deviations(projected.as_ref(), &vec![0.0; k]);
        let mut matrix = Mat::zeros(d, k);
        for (t, deviation) in deviations.iter().enumerate().filter(|(_, deviation)| **deviation > 0.0) {
            for (j, &column) in others.iter().enumerate() {
                matrix[(column, t)] = theta[(j, t)] * self.rescale / deviation;
            }
        }
        let mean = Mat::from_fn(1, d, |_, j| means[j]);
        let shift = -multiply(mean.as_ref(), matrix.as_ref());
        let target_map = if k == 0 { Vec::new() } else { vec![Map::Append { squash: false, matrix, shift }] };
        let source = Cow::Owned(apply_all(&target_map, task.source.features.as_ref()));
        Ok(Adapted { source, weights: None, target_map })
    }
}

impl Scl {
    /// For each pivot the rows (source above target) that have it; and the numbers of the other columns, rising.
    fn pivots(&self, task: &Task, rows: &Matrix) -> (Vec<Vec<bool>>, Vec<usize>) {
        let (n, d) = rows.shape();
        let n_s = task.source.rows();
        let labelled: Vec<usize> = (0..n_s).chain(task.target.labelled.iter().map(|i| n_s + i)).collect();
        let classes = label_classes(&task.source.labels.chain(&task.target.labels));
        let mut ranked: Vec<(f64, usize, Vec<bool>)> = Vec::new();
        for column in 0..d {
            let zeros = task.zeros.as_ref().map(|zeros| {
                let of_source = task
                    .parts
                    .iter()
                    .zip(zeros)
                    .flat_map(|((_, range), zeros)| std::iter::repeat_n(zeros[column], range.len()));
                let of_target = zeros.last().map_or(0.0, |zeros| zeros[column]);
                of_source.chain(std::iter::repeat_n(of_target, n - n_s)).collect()
            });
            let values: Vec<f64> = rows.col(column).iter().copied().collect();
            let present = presence(&values, zeros);
            let count = |of: &[bool]| of.iter().filter(|p| **p).count();
            let (in_source, in_target) = (count(&present[..n_s]), count(&present[n_s..]));
            if in_source.min(in_target) < LEAST || in_source + in_target == n {
                continue;
            }
            let rank = match self.ranking {
                PivotRanking::Frequency => {
                    (in_source as f64 / n_s as f64).min(in_target as f64 / (n - n_s) as f64)
                }
                PivotRanking::Information => {
                    let seen: Vec<bool> = labelled.iter().map(|&i| present[i]).collect();
                    mutual_information(&seen, &classes)
                }
            };
            ranked.push((rank, column, present));
            // No more are held than can be chosen.
            if ranked.len() == 2 * self.pivots.min(d / 2) + 1 {
                self.keep_first(&mut ranked, d);
            }
        }
        self.keep_first(&mut ranked, d);
        let others = (0..d).filter(|column| ranked.iter().all(|(_, pivot, _)| pivot != column)).collect();
        (ranked.into_iter().map(|(_, _, present)| present).collect(), others)
    }

    fn keep_first(&self, ranked: &mut Vec<(f64, usize, Vec<bool>)>, d: usize) {
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        ranked.truncate(self.pivots.min(d / 2));
    }
}

/// Where a column is present; `zeros` is what 0 became in each row, if that is known.
fn presence(column: &[f64], zeros: Option<Vec<f64>>) -> Vec<bool> {
    if let Some(zeros) = zeros {
        let above = column.iter().zip(zeros).map(|(v, zero)| (v - zero + 0.0).total_cmp(&0.0));
        let above: Vec<Ordering> = above.collect();
        if above.contains(&Ordering::Equal) && !above.contains(&Ordering::Less) {
            return above.into_iter().map(Ordering::is_gt).collect();
        }
    }
    let mut sorted = column.to_vec();
    sorted.sort_by(f64::total_cmp);
    let level = sorted[(sorted.len() - 1) / 2];
    column.iter().map(|v| *v > level).collect()
}

/// The labels as classes; numbers as above their median or not.
fn label_classes(labels: &Labels) -> Vec<usize> {
    match labels {
        Labels::Classes(of) => of.clone(),
        Labels::Values(values) => {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            values.iter().map(|v| usize::from(*v > sorted[(sorted.len() - 1) / 2])).collect()
        }
    }
}

/// `Σ p(a, c) ln(p(a, c) / (p(a) p(c)))` over presence `a` and class `c`.
fn mutual_information(present: &[bool], classes: &[usize]) -> f64 {
    let n = present.len() as f64;
    let mut counts = vec![[0usize; 2]; classes.iter().max().map_or(0, |c| c + 1)];
    for (present, class) in present.iter().zip(classes) {
        counts[*class][usize::from(*present)] += 1;
    }
    let mut information = 0.0;
    for a in 0..2 {
        let of_a: usize = counts.iter().map(|both| both[a]).sum();
        for both in counts.iter().filter(|both| both[a] > 0) {
            let (joint, of_class) = (both[a] as f64, (both[0] + both[1]) as f64);
            information += joint / n * (joint * n / (of_a as f64 * of_class)).ln();
        }
    }
    information
}

/// `(xᵀ x + penalty I)⁻¹ xᵀ y` through the smaller of two systems.
fn ridge(x: &Matrix, y: Matrix, penalty: f64) -> Result<Matrix> {
    let (n, d) = x.shape();
    let mut gram = Mat::zeros(n.min(d), n.min(d));
    if d <= n {
        add_gram(&mut gram, x.as_ref());
        return solve_shifted(gram, penalty, multiply(x.transpose(), y.as_ref()));
    }
    add_gram(&mut gram, x.transpose());
    Ok(multiply(x.transpose(), solve_shifted(gram, penalty, y)?.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal};
    use crate::learners::NearestNeighbor;
    use crate::linalg::{from_rows, stack};

    fn adapted(method: &Scl, x: &[Vec<f64>], of: &[usize], context: &mut Context) -> (Matrix, Matrix) {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = Domain::labelled("s", from_rows(&x[..of.len()]), Labels::Classes(of.to_vec()));
        let target = Domain::unlabelled("t", from_rows(&x[of.len()..]), &goal);
        let task = Task::new(vec![source], target, goal).unwrap();
        let adapted = method.adapt(&task, &NearestNeighbor::default(), context).unwrap();
        let target = apply_all(&adapted.target_map, task.target.features.as_ref());
        (adapted.source.into_owned(), target)
    }

    /// Column 0 is the pivot, present in every other row. Column 1 goes with it in the source and column 2 in the
    /// target: what is appended must say the same of both.
    #[test]
    fn words_of_each_domain_that_stand_for_the_same() {
        let row = |i: usize| {
            let there = (i % 2) as f64;
            let own = if i < 20 { [there, 0.0] } else { [0.0, there] };
            vec![there, own[0], own[1]]
        };
        let rows: Vec<Vec<f64>> = (0..40).map(row).collect();
        let of: Vec<usize> = (0..20).map(|i| i % 2).collect();
        let method = Scl { pivots: 1, ..Scl::default() };
        let (source, target) = adapted(&method, &rows, &of, &mut Context::default());
        assert_eq!(source.ncols(), 4);
        let all = stack(source.as_ref(), target.as_ref());
        let sign = all[(1, 3)].signum();
        // Of both words the row has one or none, with the same weight: (x theta) is a or 0, half of the rows each.
        for i in 0..40 {
            assert!((sign * all[(i, 3)] - if i % 2 == 1 { 1.0 } else { -1.0 }).abs() < 1e-12, "{i}");
        }
    }

    #[test]
    fn presence_and_information_by_hand() {
        let raw = |column: &[f64]| presence(column, Some(vec![0.0; column.len()]));
        assert_eq!(raw(&[0.0, 2.0, 0.0, 0.5]), [false, true, false, true]);
        assert_eq!(raw(&[0.0, 2.0, 1.0, 0.5]), [false, true, true, true]);
        assert_eq!(raw(&[-1.0, 2.0, 0.0, 5.0]), [false, true, false, true]);
        assert_eq!(raw(&[3.0; 4]), [false; 4]);
        // Two domains scaled apart: 0 is -1 in the first and -3 in the second.
        let scaled = [-1.0, 2.0, 0.5, -3.0, -2.0, 4.0];
        let zeros = vec![-1.0, -1.0, -1.0, -3.0, -3.0, -3.0];
        assert_eq!(presence(&scaled, Some(zeros)), [false, true, true, false, true, true]);
        assert_eq!(presence(&scaled, None), [false, true, true, false, false, true]);
        assert_eq!(label_classes(&Labels::Values(vec![1.0, 9.0, 3.0])), [0, 1, 0]);
        let half = [true, true, false, false];
        assert!((mutual_information(&half, &[0, 0, 1, 1]) - 2f64.ln()).abs() < 1e-15);
        assert!(mutual_information(&half, &[0, 1, 0, 1]).abs() < 1e-15);
    }

    #[test]
    fn rows_without_pivots_stay_and_wide_rows_serve() {
        let context = &mut Context::default();
        let constant: Vec<Vec<f64>> = vec![vec![1.0, 2.0]; 20];
        let of: Vec<usize> = (0..10).map(|i| i % 2).collect();
        let (source, _) = adapted(&Scl::default(), &constant, &of, context);
        assert!(source.ncols() == 2 && context.notices()[0].text.contains("no column can be a pivot"));
        let wide = |i: usize| (0..60).map(|j| ((i * 7 + j * 5 + i * j) % 11) as f64 - 3.0).collect();
        let wide: Vec<Vec<f64>> = (0..24).map(wide).collect();
        let (source, target) = adapted(&Scl::default(), &wide, &of, &mut Context::default());
        assert!(source.ncols() > 60 && source.ncols() <= 85 && target.ncols() == source.ncols());
    }

    /// Through either system the weights are the same.
    #[test]
    fn both_systems_agree() {
        let x = Mat::from_fn(6, 4, |i, j| ((i * 5 + j * j * 3) % 7) as f64 - 2.5);
        let y = Mat::from_fn(6, 2, |i, l| ((i * 3 + l) % 5) as f64);
        let wide = Mat::from_fn(6, 9, |i, j| if j < 4 { x[(i, j)] } else { 0.0 });
        let (narrow, wide) = (ridge(&x, y.clone(), 0.5).unwrap(), ridge(&wide, y, 0.5).unwrap());
        assert!((narrow - wide.get(..4, ..)).norm_max() < 1e-12);
    }
}
