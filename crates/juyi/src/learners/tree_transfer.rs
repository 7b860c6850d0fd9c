//! Trees of one domain refined on labelled rows of another: their structure grown and cut back, or their thresholds set
//! anew.
//!
//! Paper: N. Segev, M. Harel, S. Mannor, K. Crammer and R. El-Yaniv, "Learn on source, refine on target: a model
//! transfer learning framework with random forests", IEEE TPAMI 39, 2017.

use faer::MatRef;

use super::growth::{Distinct, Limits};
use crate::context::Context;
use crate::data::Labels;
use crate::error::{Error, Result};
use crate::models::{Node, Split, Trees, path};

/// Structure expansion and reduction (SER, the paper's algorithm 1), tree by tree, with `S_v` the rows that reach node
/// `v`:
/// ```text
/// expansion   each leaf v is replaced by a tree grown on S_v, to leaves of weight `leaf_weight`
/// reduction   from the leaves up, an inner node becomes a leaf where
///             leaf error(v) <= subtree error(v)
///             with the weight of the rows of S_v that are missed (the squared error of numbers) by the majority
///             (the mean) of S_v, and by the leaves below v
/// ```
/// A node says what the rows that reach it say; one that none reaches becomes a leaf and says what it said. Labels are
/// positions in the trees' classes, weights above 0.
///
/// # Errors
/// [`Error::Memory`]; [`Error::Unsuited`] for boosted trees.
pub fn expand_reduce(
    trees: &Trees,
    rows: MatRef<'_, f64>,
    labels: &Labels,
    weights: &[f64],
    leaf_weight: f64,
    context: &Context,
) -> Result<Trees> {
    must_average(trees, "ser")?;
    let table = Distinct::new("expansion and reduction", rows, labels, weights, trees.classes, context)?;
    let limits = Limits { depth: None, leaf_weight, columns: None };
    let refined: Vec<Vec<Node>> = trees.trees().iter().map(|tree| refine(tree, &table, limits)).collect();
    Ok(Trees::new(trees.classes, &refined))
}

/// Refuses boosted trees: their nodes do not say what the rows that reach them say.
fn must_average(trees: &Trees, method: &str) -> Result<()> {
    if trees.rule.is_mean() {
        return Ok(());
    }
    Err(Error::Unsuited {
        method: method.into(),
        problem: "refines trees each of which answers by itself, and those of the source are boosted".into(),
        hint: "fit the source with `‹learner random-forest›` or `decision-tree`".into(),
    })
}

fn refine(tree: &[Node], table: &Distinct, limits: Limits) -> Vec<Node> {
    let n = table.rows.nrows();
    let mut nodes = tree.to_vec();
    let mut held: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for i in 0..n {
        let places = path(&nodes, |j| table.rows[(i, j)]);
        held[places[places.len() - 1]].push(i);
    }
    for (leaf, held) in held.iter().enumerate().filter(|(_, held)| !held.is_empty()) {
        let mut own = vec![0.0; n];
        for &i in held {
            own[i] = table.weights[i];
        }
        let after = nodes.len() - 1; // the grown root takes the leaf's place, the others stand at the end
        let mut grown = table.grow(&own, limits, None);
        for split in grown.iter_mut().filter_map(|node| node.split.as_mut()) {
            split.left += after;
            split.right += after;
        }
        let mut grown = grown.into_iter();
        nodes.splice(leaf..=leaf, grown.next());
        nodes.extend(grown);
    }
    let mut reach: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for i in 0..n {
        for v in path(&nodes, |j| table.rows[(i, j)]) {
            reach[v].push(i);
        }
    }
    let mut errors = vec![0.0; nodes.len()];
    for v in (0..nodes.len()).rev() {
        let (value, error, weight) = table.summary(&reach[v]);
        if let Some(value) = value {
            nodes[v].value = value;
        }
        let below = nodes[v].split.map(|split| errors[split.left] + errors[split.right]);
        errors[v] = match below {
            Some(below) if error > below + 1e-12 * weight => below,
            _ => {
                nodes[v].split = None;
                error
            }
        };
    }
    from_root(&nodes)
}

/// The nodes that the root leads to, each before its children.
fn from_root(nodes: &[Node]) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    let mut open = vec![(0, None)];
    while let Some((old, parent)) = open.pop() {
        place(&mut out, parent);
        if let Some(split) = nodes[old].split {
            open.push((split.right, Some((out.len(), false))));
            open.push((split.left, Some((out.len(), true))));
        }
        out.push(nodes[old].clone());
    }
    out
}

/// Tells the parent that the next node is its left or its right child.
fn place(nodes: &mut [Node], parent: Option<(usize, bool)>) {
    let own = nodes.len();
    if let Some((parent, is_left)) = parent
        && let Some(split) = &mut nodes[parent].split
    {
        *(if is_left { &mut split.left } else { &mut split.right }) = own;
    }
}

/// Structure transfer (STRUT, the paper's algorithm 2), tree by tree, from the root down: each node keeps its column
/// and takes a new threshold. With `S` the rows that reach it and `P_L`, `P_R` the shares of the classes that its
/// children had:
/// ```text
/// DG(t; P_L, P_R) = 1 - |S_L|/|S| JSD(S_L, P_L) - |S_R|/|S| JSD(S_R, P_R)
/// ```
/// over the midpoints `t` at which the information gain of `S` has a local maximum; `JSD` is the Jensen-Shannon
/// divergence in bits. Where `DG(t; P_R, P_L)` reaches higher, its `t` is taken and the children change places. Nodes
/// say what the rows that reach them say; one that none reaches becomes a leaf and says what it said. Where all rows
/// are alike in the column, the threshold stays. Labels are positions in the trees' classes, weights above 0.
///
/// # Errors
/// [`Error::Memory`]; [`Error::Unsuited`] for boosted trees.
pub fn retune_thresholds(
    trees: &Trees,
    rows: MatRef<'_, f64>,
    labels: &Labels,
    weights: &[f64],
    context: &Context,
) -> Result<Trees> {
    must_average(trees, "strut")?;
    let table = Distinct::new("structure transfer", rows, labels, weights, trees.classes, context)?;
    let retuned: Vec<Vec<Node>> = trees.trees().iter().map(|tree| retune(tree, &table)).collect();
    Ok(Trees::new(trees.classes, &retuned))
}

fn retune(tree: &[Node], table: &Distinct) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    let mut open: Vec<(usize, Vec<usize>, _)> = vec![(0, (0..table.rows.nrows()).collect(), None)];
    while let Some((old, held, parent)) = open.pop() {
        place(&mut out, parent);
        let own = out.len();
        let (value, ..) = table.summary(&held);
        let Some(value) = value else {
            out.push(Node { split: None, value: tree[old].value.clone() });
            continue;
        };
        let split = tree[old].split.map(|Split { column, threshold, left, right }| {
            let (first, second) = (&tree[left].value, &tree[right].value);
            let as_it_is = best_threshold(table, &held, column, first, second);
            let turned = best_threshold(table, &held, column, second, first);
            let (threshold, left, right) = match (as_it_is, turned) {
                (Some((gain, _)), Some((more, threshold))) if more > gain + TIE => (threshold, right, left),
                (Some((_, threshold)), _) => (threshold, left, right),
                (None, _) => (threshold, left, right),
            };
            let goes_left = |i: &usize| table.rows[(*i, column)] <= threshold;
            let (on_left, on_right) = held.iter().copied().partition(goes_left);
            open.push((right, on_right, Some((own, false))));
            open.push((left, on_left, Some((own, true))));
            Split { column, threshold, left: 0, right: 0 }
        });
        out.push(Node { split, value });
    }
    out
}

/// Divergence gains closer than this are equal.
const TIE: f64 = 1e-12;

/// The largest divergence gain of some rows over the local maxima of the information gain, and the least threshold that
/// has it; `None` where the column is constant.
fn best_threshold(
    table: &Distinct,
    held: &[usize],
    column: usize,
    left: &[f64],
    right: &[f64],
) -> Option<(f64, f64)> {
    let entry = |i: usize| table.rows[(i, column)];
    let mut order = held.to_vec();
    order.sort_by(|&a, &b| entry(a).total_cmp(&entry(b)));
    let mut below = vec![0.0; left.len()];
    let mut above = vec![0.0; left.len()];
    let class = |i: usize| table.labels.classes()[i];
    for &i in &order {
        above[class(i)] += table.weights[i];
    }
    let mut cuts: Vec<(f64, f64, f64)> = Vec::new(); // less the node's entropy, the information gain; DG; threshold
    for two in order.windows(2) {
        below[class(two[0])] += table.weights[two[0]];
        above[class(two[0])] = (above[class(two[0])] - table.weights[two[0]]).max(0.0);
        if entry(two[0]) < entry(two[1]) {
            let (w_below, w_above): (f64, f64) = (below.iter().sum(), above.iter().sum());
            let (p, q) = (w_below / (w_below + w_above), w_above / (w_below + w_above));
            let (on_left, on_right) = (shares(&below), shares(&above));
            let information = -p * entropy(&on_left) - q * entropy(&on_right);
            let divergence = 1.0 - p * jensen_shannon(&on_left, left) - q * jensen_shannon(&on_right, right);
            let middle = 0.5 * entry(two[0]) + 0.5 * entry(two[1]);
            cuts.push((information, divergence, if middle < entry(two[1]) { middle } else { entry(two[0]) }));
        }
    }
    let mut best: Option<(f64, f64)> = None;
    for (k, &(information, divergence, threshold)) in cuts.iter().enumerate() {
        let lower = |other: Option<&(f64, f64, f64)>| other.is_none_or(|cut| cut.0 <= information + TIE);
        let peak = lower(k.checked_sub(1).and_then(|k| cuts.get(k))) && lower(cuts.get(k + 1));
        if peak && best.is_none_or(|(gain, _)| divergence > gain + TIE) {
            best = Some((divergence, threshold));
        }
    }
    best
}

fn shares(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| if total > 0.0 { w / total } else { 0.0 }).collect()
}

/// In bits.
fn entropy(shares: &[f64]) -> f64 {
    shares.iter().filter(|p| **p > 0.0).map(|p| -p * p.log2()).sum()
}

/// In bits, between 0 and 1.
fn jensen_shannon(a: &[f64], b: &[f64]) -> f64 {
    let middle: Vec<f64> = a.iter().zip(b).map(|(a, b)| f64::midpoint(*a, *b)).collect();
    (entropy(&middle) - f64::midpoint(entropy(a), entropy(b))).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{Matrix, from_rows};

    fn leaf(value: &[f64]) -> Node {
        Node { split: None, value: value.to_vec() }
    }

    fn inner(threshold: f64, left: usize, right: usize, value: &[f64]) -> Node {
        Node { split: Some(Split { column: 0, threshold, left, right }), value: value.to_vec() }
    }

    /// Class 0 up to 1, class 1 up to 3, class 0 above.
    fn source() -> Trees {
        let tree = vec![
            inner(1.0, 1, 2, &[0.5, 0.5]),
            leaf(&[1.0, 0.0]),
            inner(3.0, 3, 4, &[0.25, 0.75]),
            leaf(&[0.0, 1.0]),
            leaf(&[1.0, 0.0]),
        ];
        Trees::new(2, &[tree])
    }

    fn column(values: &[f64]) -> Matrix {
        Matrix::from_fn(values.len(), 1, |i, _| values[i])
    }

    #[test]
    fn expansion_and_reduction_by_hand() {
        // The first leaf sees classes 0 and 1 and grows; the others see class 1 alone, so their parent becomes a leaf.
        let (x, labels) = (column(&[0.0, 0.5, 2.0, 4.0]), Labels::Classes(vec![0, 1, 1, 1]));
        let context = &Context::default();
        let refined = expand_reduce(&source(), x.as_ref(), &labels, &[1.0; 4], 1e-9, context).unwrap();
        let expected = [
            inner(1.0, 1, 4, &[0.25, 0.75]),
            inner(0.25, 2, 3, &[0.5, 0.5]),
            leaf(&[1.0, 0.0]),
            leaf(&[0.0, 1.0]),
            leaf(&[0.0, 1.0]),
        ];
        assert_eq!(refined.trees(), [expected.to_vec()]);
        // Nothing reaches the right child: it is a leaf that says what the source said. Leaves of weight 2 do not grow.
        let (x, labels) = (column(&[0.0, 0.5, 0.6]), Labels::Classes(vec![0, 1, 0]));
        let refined = expand_reduce(&source(), x.as_ref(), &labels, &[1.0; 3], 2.0, context).unwrap();
        assert_eq!(refined.trees()[0].len(), 1); // the root's majority misses as many as the leaf below does
        let (x, labels) = (column(&[0.0, 0.5, 1.5]), Labels::Classes(vec![1, 1, 0]));
        let refined = expand_reduce(&source(), x.as_ref(), &labels, &[1.0; 3], 1e-9, context).unwrap();
        let third = 1.0 / 3.0;
        assert_eq!(
            refined.trees(),
            [vec![inner(1.0, 1, 2, &[third, 2.0 / 3.0]), leaf(&[0.0, 1.0]), leaf(&[1.0, 0.0])]]
        );
    }

    #[test]
    fn numbers_are_expanded_and_reduced() {
        let tree = vec![inner(1.0, 1, 2, &[5.0]), leaf(&[4.0]), leaf(&[6.0])];
        let (x, labels) = (column(&[0.0, 0.5, 2.0]), Labels::Values(vec![1.0, 1.0, 7.0]));
        let trees = Trees::new(0, &[tree]);
        let refined = expand_reduce(&trees, x.as_ref(), &labels, &[1.0; 3], 1e-9, &Context::default());
        assert_eq!(refined.unwrap().trees(), [vec![inner(1.0, 1, 2, &[3.0]), leaf(&[1.0]), leaf(&[7.0])]]);
    }

    #[test]
    fn thresholds_by_hand() {
        // The same rule moved by 10: the root's peaks are at 11 and 13; at 11 the left side is pure, as the source's
        // was.
        let (x, labels) = (column(&[10.0, 10.5, 11.5, 12.5, 13.5]), Labels::Classes(vec![0, 0, 1, 1, 0]));
        let context = &Context::default();
        let moved = retune_thresholds(&source(), x.as_ref(), &labels, &[1.0; 5], context).unwrap();
        let third = 1.0 / 3.0;
        let expected = [
            inner(11.0, 1, 2, &[0.6, 0.4]),
            leaf(&[1.0, 0.0]),
            inner(13.0, 3, 4, &[third, 2.0 / 3.0]),
            leaf(&[0.0, 1.0]),
            leaf(&[1.0, 0.0]),
        ];
        assert_eq!(moved.trees(), [expected.to_vec()]);
        // The classes have changed sides: so do the children.
        let tree = vec![inner(1.0, 1, 2, &[0.5, 0.5]), leaf(&[1.0, 0.0]), leaf(&[0.0, 1.0])];
        let (x, labels) = (column(&[5.0, 6.0]), Labels::Classes(vec![1, 0]));
        let turned = retune_thresholds(&Trees::new(2, &[tree]), x.as_ref(), &labels, &[1.0; 2], context);
        assert_eq!(
            turned.unwrap().trees(),
            [vec![inner(5.5, 1, 2, &[0.5, 0.5]), leaf(&[0.0, 1.0]), leaf(&[1.0, 0.0])]]
        );
        // One row: no threshold to choose; what it does not reach says what it said.
        let one = retune_thresholds(
            &source(),
            from_rows(&[vec![2.0]]).as_ref(),
            &Labels::Classes(vec![0]),
            &[1.0],
            context,
        );
        let expected = [
            inner(1.0, 1, 2, &[1.0, 0.0]),
            leaf(&[1.0, 0.0]),
            inner(3.0, 3, 4, &[1.0, 0.0]),
            leaf(&[1.0, 0.0]),
            leaf(&[1.0, 0.0]),
        ];
        assert_eq!(one.unwrap().trees(), [expected.to_vec()]);
    }

    #[test]
    fn boosted_trees_are_refused() {
        let trees = Trees::sum(0, vec![0], &[vec![Node { split: None, value: vec![1.0] }]]);
        let (x, labels, context) = (from_rows(&[vec![0.0]]), Labels::Values(vec![1.0]), &Context::default());
        let grown = expand_reduce(&trees, x.as_ref(), &labels, &[1.0], 1.0, context).unwrap_err();
        let turned = retune_thresholds(&trees, x.as_ref(), &labels, &[1.0], context).unwrap_err();
        for (error, method) in [(grown, "ser"), (turned, "strut")] {
            let problem =
                "refines trees each of which answers by itself, and those of the source are boosted";
            assert_eq!(error.to_string(), format!("`{method}` {problem}"));
        }
    }

    #[test]
    fn divergence_by_hand() {
        assert_eq!(jensen_shannon(&[1.0, 0.0], &[0.0, 1.0]), 1.0);
        assert_eq!(jensen_shannon(&[0.5, 0.5], &[0.5, 0.5]), 0.0);
        // The middle is (3/4, 1/4); H = 0.811278…, less half of one bit.
        assert!((jensen_shannon(&[1.0, 0.0], &[0.5, 0.5]) - 0.311_278_124_459_132_8).abs() < 1e-15);
    }
}
