use super::*;
use crate::linalg::{from_rows, select_rows};

/// One round of full steps to two leaves of any weight.
const ONE: GradientBoosting =
    GradientBoosting { rounds: 1, shrinkage: 1.0, leaves: 2, leaf_weight: 1e-9, penalty: 1.0, columns: None };

fn fit(own: GradientBoosting, x: &Matrix, labels: &Labels, weights: &[f64], classes: usize) -> Trees {
    match own.fit(x.as_ref(), labels, weights, classes, &mut Context::default()).unwrap() {
        Predictor::Trees(trees) => trees,
        _ => unreachable!("trees"),
    }
}

/// The column and threshold of a tree's first split, and the values of its root and leaves.
fn stump(tree: &[Node]) -> (usize, f64, Vec<f64>) {
    let split = tree[0].split.expect("a split");
    (split.column, split.threshold, tree.iter().map(|node| node.value[0]).collect())
}

fn close(got: &[f64], by_hand: &[f64]) {
    assert_eq!(got.len(), by_hand.len());
    for (got, by_hand) in got.iter().zip(by_hand) {
        assert!((got - by_hand).abs() < 1e-12, "{got} {by_hand}");
    }
}

fn table() -> (Matrix, Labels, Labels) {
    let x = Matrix::from_fn(60, 3, |i, j| ((i * 7 + j * 13 + i * i * (j + 1)) % 23) as f64 / 5.0);
    let classes = Labels::Classes((0..60).map(|i| i * i % 17 % 3).collect());
    (x, Labels::Values((0..60).map(|i| f64::from(i * i % 17) / 7.0).collect()), classes)
}

#[test]
fn a_round_on_numbers_by_hand() {
    // Mean 9/4, G = Σ (9/4 - y): the splits after 1, 2 or 3 rows gain 81/16 (1/2 + 1/4), (7/2)² 2/3 and
    // 49/16 (1/2 + 1/4); the second is the largest, and its leaves are -7/2 and 7/2 over 2 + 1.
    let x = from_rows(&[vec![0.0], vec![1.0], vec![2.0], vec![3.0]]);
    let labels = Labels::Values(vec![0.0, 1.0, 4.0, 4.0]);
    let trees = fit(ONE, &x, &labels, &[1.0; 4], 0).trees();
    assert_eq!((trees.len(), trees[0].len(), &trees[0][0].value), (2, 1, &vec![2.25]));
    let (column, threshold, values) = stump(&trees[1]);
    assert_eq!((column, threshold), (0, 1.5));
    close(&values, &[0.0, -7.0 / 6.0, 7.0 / 6.0]);
    // A half step; then the second round starts from what is left.
    let half = GradientBoosting { shrinkage: 0.5, rounds: 2, ..ONE };
    let trees = fit(half, &x, &labels, &[1.0; 4], 0).trees();
    close(&stump(&trees[1]).2, &[0.0, -7.0 / 12.0, 7.0 / 12.0]);
    close(&stump(&trees[2]).2, &[0.0, -7.0 / 18.0, 7.0 / 18.0]);
    // A leaf of weight 3 can only be the whole: the mean alone is left.
    assert_eq!(fit(GradientBoosting { leaf_weight: 3.0, ..ONE }, &x, &labels, &[1.0; 4], 0).counts, [1]);
}

#[test]
fn a_round_on_two_classes_by_hand() {
    // Shares 1/4 and 3/4: each row's curvature is 3/16. Column 1 parts the first class from the second.
    let x = from_rows(&[vec![0.0, 5.0], vec![1.0, 3.0], vec![1.0, 3.0], vec![0.0, 3.0]]);
    let trees = fit(ONE, &x, &Labels::Classes(vec![0, 1, 1, 1]), &[1.0; 4], 2);
    assert_eq!(trees.rule, crate::models::TreeRule::Sum { of: vec![1, 1] });
    close(&trees.trees()[0][0].value, &[3.0_f64.ln()]);
    let (column, threshold, values) = stump(&trees.trees()[1]);
    assert_eq!((column, threshold), (1, 4.0));
    let right = -0.75 / (3.0 / 16.0 + 1.0);
    let left = 0.75 / (9.0 / 16.0 + 1.0);
    close(&values, &[0.0, left, right]);
    let scores = Predictor::Trees(trees).answer(x.as_ref()).scores.unwrap();
    close(&[scores[(0, 1)]], &[1.0 / (1.0 + (-(3.0_f64.ln() + right)).exp())]);
}

#[test]
fn a_round_on_three_classes_is_a_tree_each() {
    // Shares 1/4, 1/4, 1/2. For class 2, G is ±1 and H 1/2 a side of the split at 1.5, which is the best.
    let x = from_rows(&[vec![0.0], vec![1.0], vec![2.0], vec![3.0]]);
    let trees = fit(ONE, &x, &Labels::Classes(vec![0, 1, 2, 2]), &[1.0; 4], 3);
    assert_eq!(trees.rule, crate::models::TreeRule::Sum { of: vec![0, 1, 2, 0, 1, 2] });
    let (_, threshold, values) = stump(&trees.trees()[5]);
    assert_eq!(threshold, 1.5);
    close(&values, &[0.0, -1.0 / 1.5, 1.0 / 1.5]);
    // Class 0: the first row against the others, g = -3/4 and 1/4, h = 3/16 each.
    let (_, threshold, values) = stump(&trees.trees()[3]);
    assert_eq!(threshold, 0.5);
    close(&values, &[0.0, 0.75 / (3.0 / 16.0 + 1.0), -0.75 / (9.0 / 16.0 + 1.0)]);
}

#[test]
fn integer_weights_are_repeated_rows_in_any_order_to_the_last_bit() {
    let (x, values, classes) = table();
    let weights: Vec<f64> = (0..60).map(|i| f64::from(1 + i % 3)).collect();
    let mut again: Vec<usize> = (0..60).flat_map(|i| vec![i; 1 + i % 3]).collect();
    again.reverse();
    let repeated = select_rows(x.as_ref(), &again);
    for (labels, count) in [(values, 0), (classes, 3)] {
        let own = GradientBoosting { rounds: 10, ..GradientBoosting::default() };
        let plain = fit(own, &repeated, &labels.select(&again), &vec![1.0; again.len()], count);
        let weighted = fit(own, &x, &labels, &weights, count);
        assert_eq!((&weighted.nodes, &weighted.values), (&plain.nodes, &plain.values));
        assert!(plain.counts.iter().all(|&count| count <= 29) && plain.counts.iter().max() > Some(&9));
    }
}

#[test]
fn the_same_bytes_on_one_thread_and_on_two() {
    // Enough cells that the columns are looked at in parallel, and more values than bins.
    let x = Matrix::from_fn(4000, 12, |i, j| ((i * (j + 3) * 7919) % 3001) as f64);
    let labels = Labels::Classes((0..4000).map(|i| (i * 3 % 3001 / 700 + i % 7 / 6) % 3).collect());
    let own = GradientBoosting { rounds: 3, ..GradientBoosting::default() };
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(own, &x, &labels, &vec![1.0; 4000], 3))
    };
    let (one, two) = (on(1), on(2));
    assert_eq!((one.nodes, one.values), (two.nodes, two.values));
    assert_eq!(one.counts, [1, 1, 1, 29, 29, 29, 29, 29, 29, 29, 29, 29]);
}

#[test]
fn equal_splits_go_to_the_first_column_and_the_least_threshold() {
    let x = Matrix::from_fn(6, 2, |i, _| i as f64);
    let labels = Labels::Values(vec![0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    let (column, threshold, _) = stump(&fit(ONE, &x, &labels, &[1.0; 6], 0).trees()[1]);
    assert_eq!((column, threshold), (0, 1.5));
}

#[test]
fn odd_rows_do_no_harm() {
    let own = GradientBoosting { leaf_weight: 1.0, ..GradientBoosting::default() };
    // Constant columns, constant labels: the mean, the shares.
    let constant = Matrix::from_fn(4, 2, |_, _| 1.0);
    let trees = fit(own, &constant, &Labels::Values(vec![1.0, 2.0, 3.0, 6.0]), &[1.0; 4], 0);
    assert_eq!((&trees.counts, trees.values[(0, 0)]), (&vec![1], 3.0));
    let trees = fit(own, &constant, &Labels::Classes(vec![0, 1, 2, 2]), &[1.0; 4], 3);
    let scores = Predictor::Trees(trees).answer(constant.as_ref()).scores.unwrap();
    close(&scores.row(0).iter().copied().collect::<Vec<_>>(), &[0.25, 0.25, 0.5]);
    let line = from_rows(&[vec![0.0], vec![-0.0], vec![1e300], vec![-1e300]]);
    assert_eq!(fit(own, &line, &Labels::Values(vec![0.1; 4]), &[1.0; 4], 0).values[(0, 0)], 0.1);
    // One class is always said.
    let one = own.fit(line.as_ref(), &Labels::Classes(vec![0; 4]), &[1.0; 4], 1, &mut Context::default());
    assert_eq!(one.unwrap().answer(line.as_ref()).answer, [0.0; 4]);
    // Large numbers do not overflow, classes that are known for certain do not run away.
    let large = fit(own, &line, &Labels::Values(vec![1e300, 1e300, 2e300, -1e300]), &[1.0; 4], 0);
    assert!(Predictor::Trees(large).answer(line.as_ref()).answer.iter().all(|y| y.is_finite()));
    let long = GradientBoosting { rounds: 1000, shrinkage: 1.0, ..own };
    let sure = fit(long, &line, &Labels::Classes(vec![0, 0, 1, 1]), &[1.0; 4], 2);
    let scores = Predictor::Trees(sure).answer(line.as_ref()).scores.unwrap();
    assert!(scores[(0, 0)] > 0.99 && scores[(3, 1)] > 0.99 && scores.col_iter().all(|c| c.is_all_finite()));
    let apart = Labels::Values(vec![1e308, -1e308, 0.0, -1.7e308]);
    let apart = own.fit(line.as_ref(), &apart, &[1.0; 4], 0, &mut Context::default());
    assert!(apart.is_err());
}

#[test]
fn rounds_draw_columns_by_the_seed() {
    let (x, values, _) = table();
    let own = GradientBoosting { rounds: 20, columns: Some(1), ..GradientBoosting::default() };
    let on = |seed| own.fit(x.as_ref(), &values, &[1.0; 60], 0, &mut Context::new(seed, 1 << 30)).unwrap();
    let used = |seed| match on(seed) {
        Predictor::Trees(trees) => trees.trees(),
        _ => unreachable!("trees"),
    };
    assert!(used(1) == used(1) && used(1) != used(2));
    let mut seen = [false; 3];
    for tree in &used(1)[1..] {
        let columns: Vec<usize> = tree.iter().filter_map(|node| Some(node.split?.column)).collect();
        assert!(columns.iter().all(|&column| column == columns[0]), "{columns:?}");
        seen[columns[0]] = true;
    }
    assert_eq!(seen, [true; 3]);
    let all = GradientBoosting { columns: Some(3), ..own };
    let plain = GradientBoosting { columns: None, ..own };
    let fitted = |own| fit(own, &x, &values, &[1.0; 60], 0).trees();
    assert!(fitted(all) == fitted(plain));
}

#[test]
fn parameters_out_of_range_are_named() {
    let (x, values, _) = table();
    let own = GradientBoosting::default();
    for (own, problem) in [
        (GradientBoosting { rounds: 0, ..own }, "`rounds` must be between 1 and 10000, got 0"),
        (GradientBoosting { columns: Some(0), ..own }, "`columns` must be between 1 and 1000000, got 0"),
        (GradientBoosting { leaves: 1, ..own }, "`leaves` must be between 2 and 1000, got 1"),
        (GradientBoosting { shrinkage: 1.5, ..own }, "`shrinkage` must be above 0 and at most 1, got 1.5"),
        (GradientBoosting { penalty: f64::NAN, ..own }, "`penalty` must be a finite number above 0, got NaN"),
    ] {
        let error = own.fit(x.as_ref(), &values, &[1.0; 60], 0, &mut Context::default()).unwrap_err();
        assert_eq!(error.to_string(), format!("`gradient-boosting`: {problem}"));
    }
    let error = own.fit(x.as_ref(), &values, &[1.0; 60], 0, &mut Context::new(0, 1000)).unwrap_err();
    assert!(matches!(error, Error::Memory { .. }));
}
