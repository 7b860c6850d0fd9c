//! Labels as columns of numbers, for methods whose embedding is to depend on them.

use faer::Mat;

use crate::data::{Labels, Task};
use crate::linalg::Matrix;

/// One indicator a class, or the number about the labels' mean over their deviation `(n, ·)`; 0 on rows without a
/// label.
pub(super) fn label_features(task: &Task) -> Matrix {
    let n_s = task.source.rows();
    let n = n_s + task.target.rows();
    let rows = (0..n_s).chain(task.target.labelled.iter().map(|i| n_s + i));
    match task.source.labels.chain(&task.target.labels) {
        Labels::Classes(of) => {
            let mut y = Mat::zeros(n, task.goal.classes());
            rows.zip(of).for_each(|(i, class)| y[(i, class)] = 1.0);
            y
        }
        Labels::Values(values) => {
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
            let scale = if deviation > 0.0 { 1.0 / deviation } else { 0.0 };
            let mut y = Mat::zeros(n, 1);
            rows.zip(values).for_each(|(i, value)| y[(i, 0)] = scale * (value - mean));
            y
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal};
    use crate::linalg::from_rows;

    #[test]
    fn classes_and_numbers_by_hand() {
        let x = from_rows(&[vec![0.0], vec![1.0], vec![4.0]]);
        let target = |labels| Domain { name: "t".into(), features: x.clone(), labelled: vec![1], labels };
        let source = Domain::labelled("s", x.clone(), Labels::Values(vec![1.0, 2.0, 6.0]));
        let task = Task::new(vec![source], target(Labels::Values(vec![3.0])), Goal::Value).unwrap();
        let y = label_features(&task);
        let deviation = 3.5f64.sqrt(); // of 1, 2, 6, 3 about 3
        let expected = [-2.0, -1.0, 3.0, 0.0, 0.0, 0.0].map(|v| v / deviation);
        assert!((0..6).all(|i| (y[(i, 0)] - expected[i]).abs() < 1e-15));
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = Domain::labelled("s", x.clone(), Labels::Classes(vec![0, 1, 1]));
        let task = Task::new(vec![source], target(Labels::Classes(vec![0])), goal).unwrap();
        let y = label_features(&task);
        let ones: Vec<(usize, usize)> =
            (0..6).flat_map(|i| [(i, 0), (i, 1)]).filter(|at| y[*at] == 1.0).collect();
        assert_eq!(ones, [(0, 0), (1, 1), (2, 1), (4, 0)]);
    }
}
