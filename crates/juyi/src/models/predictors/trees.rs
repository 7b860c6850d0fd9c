//! Decision trees: one, a forest whose answers are averaged, or boosted trees whose answers are added up.

use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

use super::{Answers, largest, softmax_rows};
use crate::linalg::Matrix;

/// Trees one after the other, each from its root down. A row's answer is made of the values at the leaves that it falls
/// to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trees {
    /// Number of classes; 0 for a regression.
    pub classes: usize,
    /// How the leaves make an answer; not written where it is the mean.
    #[serde(default, skip_serializing_if = "TreeRule::is_mean")]
    pub rule: TreeRule,
    /// How many nodes each tree has.
    pub counts: Vec<usize>,
    /// `(m, 4)`: column, threshold, left and right child, counted from the tree's root; column -1 at a leaf.
    #[serde(skip, default = "Matrix::new")]
    pub nodes: Matrix,
    /// Of trees that are averaged the share of each class at the node `(m, c)`, or the value `(m, 1)`; of trees that are
    /// added up what the node adds `(m, 1)`. Inner nodes have theirs too.
    #[serde(skip, default = "Matrix::new")]
    pub values: Matrix,
}

/// How the leaves that a row falls to make an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TreeRule {
    /// Their mean.
    #[default]
    Mean,
    /// Their sum: the number, or of each class the logarithm of its probability, up to a constant.
    Sum {
        /// The class that each tree adds to; 0 in a regression. A class without a tree has the sum 0.
        of: Vec<usize>,
    },
}

impl TreeRule {
    /// Whether leaves are averaged.
    pub fn is_mean(&self) -> bool {
        *self == Self::Mean
    }
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
    /// Trees for `classes` classes (0 for a regression) that are averaged, each with a root and each child after its
    /// parent.
    pub fn new(classes: usize, trees: &[Vec<Node>]) -> Self {
        Self::by_rule(classes, TreeRule::Mean, trees)
    }

    /// Such trees that are added up: `of[k]` is the class that tree `k` adds to, 0 in a regression. A node's value is one
    /// number.
    pub fn sum(classes: usize, of: Vec<usize>, trees: &[Vec<Node>]) -> Self {
        Self::by_rule(classes, TreeRule::Sum { of }, trees)
    }

    fn by_rule(classes: usize, rule: TreeRule, trees: &[Vec<Node>]) -> Self {
        let all: Vec<&Node> = trees.iter().flatten().collect();
        let nodes = Mat::from_fn(all.len(), 4, |i, j| match (&all[i].split, j) {
            (None, 0) => -1.0,
            (None, _) => 0.0,
            (Some(split), 0) => split.column as f64,
            (Some(split), 1) => split.threshold,
            (Some(split), 2) => split.left as f64,
            (Some(split), _) => split.right as f64,
        });
        let width = if rule.is_mean() { classes.max(1) } else { 1 };
        let values = Mat::from_fn(all.len(), width, |i, c| all[i].value[c]);
        Self { classes, rule, counts: trees.iter().map(Vec::len).collect(), nodes, values }
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
        if let TreeRule::Sum { of } = &self.rule {
            let never = |c: &usize| !places.contains(c);
            let (mut of, mut trees): (Vec<usize>, _) =
                (of.iter().map(|&c| places[c]).collect(), self.trees());
            for c in (0..classes).filter(never) {
                of.push(c);
                trees.push(vec![Node { split: None, value: vec![f64::MIN] }]);
            }
            return Self::sum(classes, of, &trees);
        }
        let mut values = Mat::zeros(self.values.nrows(), classes);
        for (c, &place) in places.iter().enumerate() {
            values.col_mut(place).copy_from(self.values.col(c));
        }
        let (counts, nodes) = (self.counts.clone(), self.nodes.clone());
        Self { classes, rule: TreeRule::Mean, counts, nodes, values }
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
        let mut sums = Matrix::zeros(x.nrows(), self.classes.max(1));
        let mut first = 0;
        for (k, count) in self.counts.iter().enumerate() {
            let place = if let TreeRule::Sum { of } = &self.rule { of[k] } else { 0 };
            for i in 0..x.nrows() {
                let mut at = first;
                while self.nodes[(at, 0)] >= 0.0 {
                    let goes_left = x[(i, self.nodes[(at, 0)] as usize)] <= self.nodes[(at, 1)];
                    at = first + self.nodes[(at, if goes_left { 2 } else { 3 })] as usize;
                }
                for c in 0..self.values.ncols() {
                    sums[(i, place + c)] += self.values[(at, c)];
                }
            }
            first += count;
        }
        if !self.rule.is_mean() {
            if self.classes == 0 {
                return Answers::from_values(&sums);
            }
            softmax_rows(&mut sums);
            return Answers::from_scores(sums, largest);
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
        let Self { classes: own, rule, counts, nodes, values } = self;
        let total = counts.iter().try_fold(0usize, |sum, count| sum.checked_add(*count));
        let m = nodes.nrows();
        if *own != classes || counts.is_empty() || counts.contains(&0) || total != Some(m) {
            let trees = counts.len();
            return Err(format!("{m} nodes of {trees} trees on {own} classes, expected {classes} classes"));
        }
        let outputs = classes.max(1);
        if let TreeRule::Sum { of } = rule
            && (of.len() != counts.len() || of.iter().any(|&c| c >= outputs))
        {
            return Err(format!(
                "{} trees add to the {} classes {of:?} of {outputs}",
                counts.len(),
                of.len()
            ));
        }
        let width = if rule.is_mean() { outputs } else { 1 };
        let (got, want) = ((nodes.shape(), values.shape()), ((m, 4), (m, width)));
        if got != want {
            return Err(format!("nodes and values are {got:?}, expected {want:?}"));
        }
        let mut shares = (0..values.ncols()).flat_map(|c| values.col(c).iter());
        if let Some(share) =
            shares.find(|share| rule.is_mean() && classes > 0 && !(0.0..=1.0).contains(*share))
        {
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

    /// Class 1 gains ln 3 where the column is above 1, and ln 2 everywhere; class 0 has no tree.
    fn boosted() -> Trees {
        let (two, three) = (2.0_f64.ln(), 3.0_f64.ln());
        let tree = vec![inner(0, 1.0, 1, 2, &[0.0]), leaf(&[0.0]), leaf(&[three])];
        Trees::sum(2, vec![1, 1], &[vec![leaf(&[two])], tree])
    }

    #[test]
    fn boosted_trees_by_hand() {
        let x = from_rows(&[vec![1.0], vec![1.5]]);
        let close = |scores: Option<Matrix>, by_hand: &[Vec<f64>]| {
            assert!((scores.unwrap() - from_rows(by_hand)).norm_max() < 1e-15);
        };
        let said = boosted().answer(x.as_ref());
        assert_eq!(said.answer, [1.0, 1.0]);
        close(said.scores, &[vec![1.0 / 3.0, 2.0 / 3.0], vec![1.0 / 7.0, 6.0 / 7.0]]);
        // A class that no row had is never said.
        let wider = boosted().among(&[2, 0], 3);
        assert_eq!(wider.check(1, 3), Ok(()));
        close(
            wider.answer(x.as_ref()).scores,
            &[vec![2.0 / 3.0, 0.0, 1.0 / 3.0], vec![6.0 / 7.0, 0.0, 1.0 / 7.0]],
        );
        let numbers = Trees::sum(0, vec![0, 0], &[vec![leaf(&[3.0])], vec![leaf(&[-5.0])]]);
        assert_eq!((numbers.check(1, 0), numbers.answer(x.as_ref()).answer), (Ok(()), vec![-2.0; 2]));
        let again = boosted();
        assert_eq!(Trees::sum(2, vec![1, 1], &again.trees()).values, again.values);
    }

    #[test]
    fn a_rule_is_written_where_it_is_not_the_mean() {
        assert_eq!(serde_json::to_string(&two()).unwrap(), r#"{"classes":2,"counts":[5,1]}"#);
        let text = r#"{"classes":2,"rule":{"sum":{"of":[1,1]}},"counts":[1,3]}"#;
        assert_eq!(serde_json::to_string(&boosted()).unwrap(), text);
        let back: Trees = serde_json::from_str(text).unwrap();
        assert_eq!(back.rule, boosted().rule);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        assert_eq!(boosted().check(1, 2), Ok(()));
        let spoilt: [fn(&mut Trees); 5] = [
            |t| t.rule = TreeRule::Mean,
            |t| t.rule = TreeRule::Sum { of: vec![1] },
            |t| t.rule = TreeRule::Sum { of: vec![1, 2] },
            |t| t.values = Mat::zeros(4, 2),
            |t| t.nodes[(1, 2)] = 0.0,
        ];
        for (number, spoil) in spoilt.iter().enumerate() {
            let mut trees = boosted();
            spoil(&mut trees);
            assert!(trees.check(1, 2).is_err(), "{number}");
        }
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
