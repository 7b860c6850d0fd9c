//! Decision trees: one, or a forest whose answers are averaged.

use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

use super::{Answers, largest};
use crate::linalg::Matrix;

/// Trees one after the other, each from its root down. A row's answer is the mean over the trees of the values at the
/// leaves that it falls to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trees {
    /// Number of classes; 0 for a regression.
    pub classes: usize,
    /// How many nodes each tree has.
    pub counts: Vec<usize>,
    /// `(m, 4)`: column, threshold, left and right child, counted from the tree's root; column -1 at a leaf.
    #[serde(skip, default = "Matrix::new")]
    pub nodes: Matrix,
    /// `(m, c)`: the share of each class at the node, or the value `(m, 1)`; inner nodes have theirs too.
    #[serde(skip, default = "Matrix::new")]
    pub values: Matrix,
}

/// One node of a tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where its rows part; `None` at a leaf.
    pub split: Option<Split>,
    /// The share of each class among its rows, or the value.
    pub value: Vec<f64>,
}

/// A row goes left where its `column` is at most `threshold`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// The column that decides.
    pub column: usize,
    /// The largest value that goes left.
    pub threshold: f64,
    /// The left child's place in the tree, after the node's own.
    pub left: usize,
    /// The right child's.
    pub right: usize,
}

/// Where a row falls: the places of the nodes from the root to a leaf.
pub fn path(tree: &[Node], entry: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut places = vec![0];
    while let Some(split) = &tree[places[places.len() - 1]].split {
        places.push(if entry(split.column) <= split.threshold { split.left } else { split.right });
    }
    places
}

impl Trees {
    /// Trees for `classes` classes (0 for a regression), each with a root and each child after its parent.
    pub fn new(classes: usize, trees: &[Vec<Node>]) -> Self {
        let all: Vec<&Node> = trees.iter().flatten().collect();
        let nodes = Mat::from_fn(all.len(), 4, |i, j| match (&all[i].split, j) {
            (None, 0) => -1.0,
            (None, _) => 0.0,
            (Some(split), 0) => split.column as f64,
            (Some(split), 1) => split.threshold,
            (Some(split), 2) => split.left as f64,
            (Some(split), _) => split.right as f64,
        });
        let values = Mat::from_fn(all.len(), classes.max(1), |i, c| all[i].value[c]);
        Self { classes, counts: trees.iter().map(Vec::len).collect(), nodes, values }
    }

    /// The trees, node by node.
    pub fn trees(&self) -> Vec<Vec<Node>> {
        let mut first = 0;
        let tree = |&count: &usize| {
            first += count;
            (first - count..first).map(|i| self.node(i)).collect()
        };
        self.counts.iter().map(tree).collect()
    }

    /// The same trees over more classes: `places[c]` is what class `c` of theirs is among `classes`.
    #[must_use]
    pub fn among(&self, places: &[usize], classes: usize) -> Self {
        let mut values = Mat::zeros(self.values.nrows(), classes);
        for (c, &place) in places.iter().enumerate() {
            values.col_mut(place).copy_from(self.values.col(c));
        }
        Self { classes, counts: self.counts.clone(), nodes: self.nodes.clone(), values }
    }

    fn node(&self, i: usize) -> Node {
        let at = |j| self.nodes[(i, j)];
        let split = Split {
            column: at(0).max(0.0) as usize,
            threshold: at(1),
            left: at(2) as usize,
            right: at(3) as usize,
        };
        let value = self.values.row(i).iter().copied().collect();
        Node { split: (at(0) >= 0.0).then_some(split), value }
    }

    pub(super) fn answer(&self, x: MatRef<'_, f64>) -> Answers {
        let mut sums = Matrix::zeros(x.nrows(), self.values.ncols());
        let mut first = 0;
        for count in &self.counts {
            for i in 0..x.nrows() {
                let mut at = first;
                while self.nodes[(at, 0)] >= 0.0 {
                    let goes_left = x[(i, self.nodes[(at, 0)] as usize)] <= self.nodes[(at, 1)];
                    at = first + self.nodes[(at, if goes_left { 2 } else { 3 })] as usize;
                }
                for c in 0..sums.ncols() {
                    sums[(i, c)] += self.values[(at, c)];
                }
            }
            first += count;
        }
        let trees = self.counts.len() as f64;
        let means = Mat::from_fn(sums.nrows(), sums.ncols(), |i, c| sums[(i, c)] / trees);
        if self.classes == 0 {
            Answers::from_values(&means)
        } else {
            Answers::from_scores(means, |row| largest(row).min(1.0))
        }
    }

    /// Checks that the parts fit together.
    ///
    /// # Errors
    /// What does not fit, in words: for model files from outside.
    pub(super) fn check(&self, columns: usize, classes: usize) -> Result<(), String> {
        let Self { classes: own, counts, nodes, values } = self;
        let total = counts.iter().try_fold(0usize, |sum, count| sum.checked_add(*count));
        let m = nodes.nrows();
        if *own != classes || counts.is_empty() || counts.contains(&0) || total != Some(m) {
            let trees = counts.len();
            return Err(format!("{m} nodes of {trees} trees on {own} classes, expected {classes} classes"));
        }
        let (got, want) = ((nodes.shape(), values.shape()), ((m, 4), (m, classes.max(1))));
        if got != want {
            return Err(format!("nodes and values are {got:?}, expected {want:?}"));
        }
        let mut shares = (0..values.ncols()).flat_map(|c| values.col(c).iter());
        if let Some(share) = shares.find(|share| classes > 0 && !(0.0..=1.0).contains(*share)) {
            return Err(format!("a class has the share {share}"));
        }
        let mut first = 0;
        for &count in counts {
            let mut has_parent = vec![false; count];
            has_parent[0] = true;
            for own in 0..count {
                let at = |j| nodes[(first + own, j)];
                if at(0) == -1.0 {
                    continue;
                }
                let whole = |number: f64, most: usize| number.fract() == 0.0 && number < most as f64;
                if !(at(0) >= 0.0 && whole(at(0), columns)) {
                    return Err(format!("a node parts by column {} of {columns}", at(0)));
                }
                for child in [at(2), at(3)] {
                    // Each node once, and after its parent: no cycle and no loose end.
                    let fits = child > own as f64 && whole(child, count);
                    if !fits || std::mem::replace(&mut has_parent[child as usize], true) {
                        return Err(format!("node {own} of a tree of {count} has the child {child}"));
                    }
                }
            }
            if has_parent.contains(&false) {
                return Err("a node that no other leads to".into());
            }
            first += count;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    fn leaf(value: &[f64]) -> Node {
        Node { split: None, value: value.to_vec() }
    }

    fn inner(column: usize, threshold: f64, left: usize, right: usize, value: &[f64]) -> Node {
        Node { split: Some(Split { column, threshold, left, right }), value: value.to_vec() }
    }

    /// Class 1 where the first column is above 1 and the second above 0; and a tree that always says 1/4.
    fn two() -> Trees {
        let tree = vec![
            inner(0, 1.0, 1, 2, &[0.5, 0.5]),
            leaf(&[1.0, 0.0]),
            inner(1, 0.0, 3, 4, &[0.25, 0.75]),
            leaf(&[1.0, 0.0]),
            leaf(&[0.0, 1.0]),
        ];
        Trees::new(2, &[tree, vec![leaf(&[0.75, 0.25])]])
    }

    #[test]
    fn a_forest_by_hand() {
        let x = from_rows(&[vec![1.0, 9.0], vec![1.5, 9.0], vec![1.5, 0.0]]);
        let said = two().answer(x.as_ref());
        assert_eq!(said.answer, [0.0, 1.0, 0.0]);
        assert_eq!(said.confidence, [0.875, 0.625, 0.875]);
        assert_eq!(path(&two().trees()[0], |j| x[(1, j)]), [0, 2, 4]);
        let again = Trees::new(2, &two().trees());
        assert_eq!((again.nodes, again.values), (two().nodes, two().values));
        let wider = two().among(&[0, 2], 3).answer(x.as_ref());
        assert_eq!(wider.answer, [0.0, 2.0, 0.0]);
        let numbers = Trees::new(0, &[vec![leaf(&[3.0])], vec![leaf(&[4.0])]]);
        assert_eq!(numbers.answer(x.as_ref()).answer, [3.5; 3]);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        assert_eq!(two().check(2, 2), Ok(()));
        assert!(two().check(1, 2).is_err() && two().check(2, 3).is_err() && two().check(2, 0).is_err());
        let spoilt: [fn(&mut Trees); 13] = [
            |t| t.counts = vec![],
            |t| t.counts = vec![6],
            |t| t.counts = vec![0, 5, 1],
            |t| t.counts = vec![usize::MAX, 7],
            |t| t.values = Mat::zeros(6, 1),
            |t| t.values[(0, 0)] = -0.5,
            |t| t.nodes[(0, 0)] = 0.5,
            |t| t.nodes[(0, 0)] = -2.0,
            |t| t.nodes[(2, 2)] = 0.0,
            |t| t.nodes[(2, 2)] = 2.0,
            |t| t.nodes[(2, 2)] = 4.0,
            |t| t.nodes[(2, 3)] = 5.0,
            |t| t.nodes[(2, 0)] = -1.0,
        ];
        for (number, spoil) in spoilt.iter().enumerate() {
            let mut trees = two();
            spoil(&mut trees);
            assert!(trees.check(2, 2).is_err(), "{number}");
        }
    }
}
