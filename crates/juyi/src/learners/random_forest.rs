//! A random forest: many deep trees, each grown on rows drawn anew and on columns drawn for each split; their answers
//! are averaged.
//!
//! Paper: L. Breiman, "Random forests", Machine Learning 45, 2001. Each tree:
//! ```text
//! draws W = Σ w_i rows (rounded) with replacement, row i with probability w_i / W
//! parts each node by the best split of √d columns (of d / 3 for numbers), drawn anew, down to pure leaves
//! ```
//!
//! Where we differ: the trees' shares of the classes are averaged, not their votes, which is steadier with few trees
//! and gives probabilities; rows that are alike are drawn as one row of their weight, which changes nothing of what is
//! drawn and makes weights and repeated rows the same to the last bit.
//!
//! Cost: `O(trees √d n log² n)` time, trees in parallel; `O(n d)` memory; the model grows with `trees × n`.

use faer::MatRef;
use rand::Rng;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::growth::{Distinct, Limits};
use super::{Baseline, Learner, LearnerRow, make};
use crate::context::Context;
use crate::data::Labels;
use crate::error::{Error, Result};
use crate::models::{Node, Predictor, Trees};
use crate::params::params_of;

/// A forest for classes or numbers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RandomForest {
    /// How many trees. 1 or above.
    pub trees: usize,
    /// Whether each tree sees rows drawn anew, else all of them.
    pub draws_rows: bool,
    /// How many columns are drawn for each split, at least 1; `None` for √d, or d / 3 for numbers.
    pub columns: Option<usize>,
}

impl Default for RandomForest {
    fn default() -> Self {
        Self { trees: 100, draws_rows: true, columns: None }
    }
}

impl RandomForest {
    /// Its row.
    pub const ROW: LearnerRow = LearnerRow {
        name: "random-forest",
        summary: "the mean of 100 deep trees on drawn rows and columns",
        regresses: true,
        weighs: true,
        leaves_trees: true,
        baseline: Baseline { classes: Some(5), values: Some(3) },
        most_rows: usize::MAX,
        source: include_str!("random_forest.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Learner for RandomForest {
    fn row(&self) -> &'static LearnerRow {
        &Self::ROW
    }

    fn fit(
        &self,
        rows: MatRef<'_, f64>,
        labels: &Labels,
        weights: &[f64],
        classes: usize,
        context: &mut Context,
    ) -> Result<Predictor> {
        let above_zero = |name: &str, value: usize| {
            let (owner, must, got) = (self.name().into(), "1 or above".into(), value.to_string());
            if value > 0 { Ok(()) } else { Err(Error::Param { owner, name: name.into(), must, got }) }
        };
        above_zero("trees", self.trees)?;
        above_zero("columns", self.columns.unwrap_or(1))?;
        let table = Distinct::new(self.name(), rows, labels, weights, classes, context)?;
        let d = rows.ncols();
        let usual = if classes == 0 { d / 3 } else { d.isqrt() };
        let columns = Some(self.columns.unwrap_or(usual).clamp(1, d));
        let limits = Limits { depth: None, leaf_weight: 0.0, columns };
        let most = 2 * table.weights.len(); // nodes of a tree
        let bytes = 8 * (self.trees * most * (5 + classes.max(1))) as u64;
        context.require("the trees of `random-forest`", bytes)?;
        let purposes: Vec<String> = (0..self.trees).map(|k| format!("{} {k}", self.name())).collect();
        let context = &*context;
        let trees: Vec<Vec<Node>> = purposes
            .par_iter()
            .map(|purpose| {
                let mut rng = context.rng(purpose);
                let drawn =
                    if self.draws_rows { drawn(&table.weights, &mut rng) } else { table.weights.clone() };
                table.grow(&drawn, limits, Some(&mut rng))
            })
            .collect();
        Ok(Predictor::Trees(Trees::new(classes, &trees)))
    }
}

/// How often each row is drawn among as many as the weights add up to, scaled to their sum.
fn drawn(weights: &[f64], rng: &mut impl Rng) -> Vec<f64> {
    const MOST: f64 = 1e7;
    let mut upto = Vec::with_capacity(weights.len());
    let mut total = 0.0;
    for weight in weights {
        total += weight;
        upto.push(total);
    }
    let draws = total.round().clamp(1.0, MOST);
    let mut counts = vec![0.0; weights.len()];
    for _ in 0..draws as usize {
        let at = rng.random::<f64>() * total;
        counts[upto.partition_point(|&sum| sum <= at).min(weights.len() - 1)] += 1.0;
    }
    counts.iter().map(|count| count * (total / draws)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learners::DecisionTree;
    use crate::linalg::Matrix;

    fn table() -> (Matrix, Labels) {
        let x = Matrix::from_fn(60, 4, |i, j| ((i * 7 + j * 13 + i * i * (j + 1)) % 23) as f64 / 5.0);
        (x, Labels::Classes((0..60).map(|i| i * i % 17 % 3).collect()))
    }

    fn fit(learner: &dyn Learner, x: &Matrix, labels: &Labels, weights: &[f64]) -> Trees {
        match learner.fit(x.as_ref(), labels, weights, 3, &mut Context::default()).unwrap() {
            Predictor::Trees(trees) => trees,
            _ => unreachable!("trees"),
        }
    }

    #[test]
    fn a_forest_that_draws_nothing_is_a_tree() {
        let (x, labels) = table();
        let forest = RandomForest { trees: 2, draws_rows: false, columns: Some(4) };
        let tree = DecisionTree { depth: None, leaf_weight: f64::MIN_POSITIVE };
        let (forest, tree) = (fit(&forest, &x, &labels, &[1.0; 60]), fit(&tree, &x, &labels, &[1.0; 60]));
        assert_eq!(forest.trees(), [tree.trees(), tree.trees()].concat());
        let other = RandomForest { trees: 2, draws_rows: false, columns: None };
        let other = fit(&other, &x, &labels, &[1.0; 60]).trees();
        assert_ne!(other[0], other[1]);
    }

    #[test]
    fn draws_follow_the_weights() {
        let mut rng = Context::default().rng("test");
        let weights = [1.0, 0.5, 2.5];
        let mut sums = [0.0; 3];
        for _ in 0..5000 {
            let drawn = drawn(&weights, &mut rng);
            assert_eq!(drawn.iter().sum::<f64>(), 4.0);
            sums.iter_mut().zip(drawn).for_each(|(sum, count)| *sum += count);
        }
        // The standard error of a mean of 5000 counts is below 0.014.
        for (sum, weight) in sums.iter().zip(weights) {
            assert!((sum / 5000.0 - weight).abs() < 0.06, "{sums:?}");
        }
        assert_eq!(drawn(&[1e-3], &mut rng), [1e-3]);
    }
}
