//! A decision tree: the rows part by one column after the other until each leaf says one thing.
//!
//! Paper: L. Breiman, J. H. Friedman, R. A. Olshen and C. J. Stone, "Classification and regression trees", Wadsworth
//! 1984. Each node takes, over all columns and all midpoints between neighbouring values, the split that leaves the
//! least
//! ```text
//! W_left impurity(left) + W_right impurity(right)          W: sums of weights
//! impurity = 1 - Σ_c share_c²  (classes)     or     Σ w_i (y_i - mean)² / W  (numbers)
//! ```
//! Rows with a value up to the threshold go left. A node whose labels are alike, or of which every split leaves a leaf
//! lighter than `leaf_weight`, is a leaf. Among equal splits the first column wins, then the least threshold.
//!
//! Where we differ: nothing is pruned; `leaf_weight` takes that part.
//!
//! Cost: `O(d n log n)` time a level, `O(n d)` memory.

use faer::MatRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::growth::{Distinct, Limits};
use super::logistic::above_zero;
use super::{Baseline, Learner, LearnerRow, make};
use crate::context::Context;
use crate::data::Labels;
use crate::error::Result;
use crate::models::{Predictor, Trees};
use crate::params::params_of;

/// A classification or regression tree.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DecisionTree {
    /// The most splits above a leaf; `None` for no bound.
    pub depth: Option<usize>,
    /// The least weight of a leaf, where a plain row weighs 1. Above 0, finite.
    pub leaf_weight: f64,
}

impl Default for DecisionTree {
    fn default() -> Self {
        Self { depth: None, leaf_weight: 5.0 }
    }
}

impl DecisionTree {
    /// Its row.
    pub const ROW: LearnerRow = LearnerRow {
        name: "decision-tree",
        summary: "one tree, parted by the Gini index or squared error down to leaves of weight 5",
        regresses: true,
        weighs: true,
        leaves_trees: true,
        by_column: true,
        baseline: Baseline { classes: None, values: None },
        most_rows: usize::MAX,
        source: include_str!("decision_tree.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Learner for DecisionTree {
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
        above_zero(self.name(), "leaf_weight", self.leaf_weight)?;
        let table = Distinct::new(self.name(), rows, labels, weights, classes, context)?;
        let limits = Limits { depth: self.depth, leaf_weight: self.leaf_weight, columns: None };
        let tree = table.grow(&table.weights, limits, None);
        Ok(Predictor::Trees(Trees::new(classes, &[tree])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{Matrix, from_rows, select_rows};
    use crate::models::{Node, Split};

    fn fit(tree: DecisionTree, x: &Matrix, labels: &Labels, weights: &[f64], classes: usize) -> Vec<Node> {
        match tree.fit(x.as_ref(), labels, weights, classes, &mut Context::default()).unwrap() {
            Predictor::Trees(trees) => trees.trees().remove(0),
            _ => unreachable!("a tree"),
        }
    }

    const FULL: DecisionTree = DecisionTree { depth: None, leaf_weight: 1e-9 };

    fn split(node: &Node) -> (usize, f64) {
        let Split { column, threshold, .. } = node.split.expect("an inner node");
        (column, threshold)
    }

    #[test]
    fn classes_by_hand() {
        // Column 0 parts {a} from {b, b, a}, column 1 {a, a} from {b, b}: the second is pure.
        let x = from_rows(&[vec![0.0, 0.0], vec![1.0, 4.0], vec![2.0, 4.0], vec![3.0, 1.0]]);
        let labels = Labels::Classes(vec![0, 1, 1, 0]);
        let tree = fit(FULL, &x, &labels, &[1.0; 4], 2);
        assert_eq!((tree.len(), split(&tree[0])), (3, (1, 2.5)));
        assert_eq!(
            (&tree[0].value, &tree[1].value, &tree[2].value),
            (&vec![0.5, 0.5], &vec![1.0, 0.0], &vec![0.0, 1.0])
        );
        // A leaf of weight 3 can only be the whole.
        assert_eq!(fit(DecisionTree { depth: None, leaf_weight: 3.0 }, &x, &labels, &[1.0; 4], 2).len(), 1);
    }

    #[test]
    fn numbers_by_hand() {
        // Splits after 1, 2 or 3 rows leave the squared errors 32/3 + 0, 0.5 + 0, 8.67: the second is taken.
        let x = from_rows(&[vec![0.0], vec![1.0], vec![2.0], vec![3.0]]);
        let labels = Labels::Values(vec![0.0, 1.0, 4.0, 4.0]);
        let tree = fit(DecisionTree { depth: Some(1), ..FULL }, &x, &labels, &[1.0; 4], 0);
        assert_eq!((split(&tree[0]), &tree[1].value, &tree[2].value), ((0, 1.5), &vec![0.5], &vec![4.0]));
        // Full depth: a leaf for each of 0, 1 and 4.
        assert_eq!(fit(FULL, &x, &labels, &[1.0; 4], 0).len(), 5);
    }

    #[test]
    fn equal_splits_go_to_the_first_column_and_exclusive_or_is_learnt() {
        let x = from_rows(&[vec![0.0, 0.0], vec![0.0, 1.0], vec![1.0, 0.0], vec![1.0, 1.0]]);
        let tree = fit(FULL, &x, &Labels::Classes(vec![0, 1, 1, 0]), &[1.0; 4], 2);
        assert_eq!((tree.len(), split(&tree[0])), (7, (0, 0.5)));
        let twice = Matrix::from_fn(4, 2, |i, _| x[(i, 1)]);
        assert_eq!(split(&fit(FULL, &twice, &Labels::Classes(vec![0, 1, 0, 1]), &[1.0; 4], 2)[0]), (0, 0.5));
    }

    #[test]
    fn integer_weights_are_repeated_rows_in_any_order_to_the_last_bit() {
        let x = Matrix::from_fn(40, 3, |i, j| ((i * 7 + j * 13 + i * i * (j + 1)) % 11) as f64 / 3.0);
        let values = Labels::Values((0..40).map(|i| f64::from(i * i % 17) / 7.0).collect());
        let classes = Labels::Classes((0..40).map(|i| i * i % 17 % 3).collect());
        let weights: Vec<f64> = (0..40).map(|i| f64::from(1 + i % 3)).collect();
        let mut again: Vec<usize> = (0..40).flat_map(|i| vec![i; 1 + i % 3]).collect();
        again.reverse();
        let repeated = select_rows(x.as_ref(), &again);
        for (labels, count) in [(values, 0), (classes, 3)] {
            for tree in [FULL, DecisionTree::default()] {
                let plain = fit(tree, &repeated, &labels.select(&again), &vec![1.0; again.len()], count);
                assert_eq!(fit(tree, &x, &labels, &weights, count), plain);
                assert!(plain.len() > 3);
            }
        }
    }

    #[test]
    fn odd_rows_do_no_harm() {
        // Constant columns; neighbouring floats, whose midpoint is one of them; -0; a weight that all but vanishes.
        let constant = Matrix::from_fn(3, 2, |_, _| 1.0);
        assert_eq!(fit(FULL, &constant, &Labels::Values(vec![1.0, 2.0, 3.0]), &[1.0; 3], 0).len(), 1);
        let near = from_rows(&[vec![1.0], vec![1.0 + f64::EPSILON]]);
        let tree = fit(FULL, &near, &Labels::Classes(vec![0, 1]), &[1.0; 2], 2);
        assert_eq!((tree.len(), split(&tree[0])), (3, (0, 1.0)));
        let zeros = from_rows(&[vec![0.0], vec![-0.0], vec![1e300], vec![-1e300]]);
        let tree = fit(FULL, &zeros, &Labels::Classes(vec![0, 0, 1, 1]), &[1.0; 4], 2);
        assert_eq!(tree.len(), 5);
        let light = DecisionTree { depth: None, leaf_weight: f64::MIN_POSITIVE };
        let x = from_rows(&[vec![0.0], vec![1.0], vec![2.0]]);
        let tree = fit(light, &x, &Labels::Classes(vec![0, 1, 0]), &[1.0, 1.0, 1e-30], 2);
        assert_eq!(split(&tree[0]), (0, 0.5));
    }
}
