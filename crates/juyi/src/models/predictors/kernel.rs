//! A kernel machine: for each pair of classes a sum of Gaussians around stored rows, and a vote among the pairs.

use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

use super::Answers;
use super::first_largest;
use crate::linalg::{Matrix, exponentials, gaussian_kernel_times};
use crate::models::maps::check_bandwidth;

/// The margin of class `a` over a later class `b`, above 0 where `a` wins:
/// ```text
/// f_ab(x) = Σ_i coefficient_i k(x, row_i) + bias_ab     over the rows i of the two classes
/// ```
/// A row of class `a` has one coefficient for each other class, so that a row is stored once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KernelVotes {
    /// The kernel's width: `exp(-|x - y|² / (2 bandwidth²))`.
    pub bandwidth: f64,
    /// How many rows each class has; `rows` holds them in the order of the classes.
    pub counts: Vec<usize>,
    /// `(m, d)`.
    #[serde(skip, default = "Matrix::new")]
    pub rows: Matrix,
    /// `(m, c - 1)`: against the other classes in their order.
    #[serde(skip, default = "Matrix::new")]
    pub coefficients: Matrix,
    /// `(1, c (c - 1) / 2)`, one for each of [`pairs`].
    #[serde(skip, default = "Matrix::new")]
    pub bias: Matrix,
}

/// Each pair of classes once: `(0, 1), (0, 2), …, (1, 2), …`.
pub fn pairs(classes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..classes).flat_map(move |a| (a + 1..classes).map(move |b| (a, b)))
}

impl KernelVotes {
    /// The margins `(n, pairs)`.
    pub fn margins(&self, x: MatRef<'_, f64>) -> Matrix {
        let mut first = 0;
        let mut sums = Vec::new(); // of the rows of each class, against each other class
        for count in &self.counts {
            let rows = self.rows.get(first..first + count, ..);
            let coefficients = self.coefficients.get(first..first + count, ..);
            sums.push(gaussian_kernel_times(x, rows, self.bandwidth, coefficients));
            first += count;
        }
        let mut out = Mat::from_fn(x.nrows(), self.bias.ncols(), |_, pair| self.bias[(0, pair)]);
        for (pair, (a, b)) in pairs(self.counts.len()).enumerate() {
            let (of_a, of_b) = (sums[a].col(b - 1), sums[b].col(a));
            for ((f, a), b) in out.col_mut(pair).iter_mut().zip(of_a.iter()).zip(of_b.iter()) {
                *f += a + b;
            }
        }
        out
    }

    /// The class that wins the most pairs, the first among equals. Its confidence is the mean of
    /// `1 / (1 + exp(-2 f))` over its margins `f` over the other classes. Scores are the two margins of two classes,
    /// else the pairs won.
    pub(super) fn answer(&self, x: MatRef<'_, f64>) -> Answers {
        let (margins, classes) = (self.margins(x), self.counts.len());
        let mut out = Answers { answer: Vec::new(), confidence: Vec::new(), scores: None };
        let mut scores = Mat::zeros(x.nrows(), classes);
        for i in 0..x.nrows() {
            let mut votes = vec![0.0; classes];
            for (pair, (a, b)) in pairs(classes).enumerate() {
                votes[if margins[(i, pair)] >= 0.0 { a } else { b }] += 1.0;
            }
            let best = first_largest(&votes);
            let own = pairs(classes).enumerate().filter(|(_, (a, b))| *a == best || *b == best);
            let over = |(pair, (a, _))| if a == best { margins[(i, pair)] } else { -margins[(i, pair)] };
            let mut shares: Vec<f64> = own.map(over).collect();
            exponentials(&mut shares, -2.0);
            out.answer.push(best as f64);
            out.confidence.push(shares.iter().map(|e| 1.0 / (1.0 + e)).sum::<f64>() / shares.len() as f64);
            if classes == 2 {
                votes = vec![margins[(i, 0)], -margins[(i, 0)]];
            }
            votes.iter().enumerate().for_each(|(c, score)| scores[(i, c)] = *score);
        }
        out.scores = Some(scores);
        out
    }

    /// Checks that the parts fit together.
    ///
    /// # Errors
    /// What does not fit, in words: for model files from outside.
    pub(super) fn check(&self, columns: usize, classes: usize) -> Result<(), String> {
        let rows = self.counts.iter().try_fold(0usize, |sum, count| sum.checked_add(*count));
        if classes < 2 || self.counts.len() != classes || rows != Some(self.rows.nrows()) {
            let (own, rows) = (self.counts.len(), self.rows.nrows());
            return Err(format!("{rows} rows of {own} classes, expected {classes} classes, two or more"));
        }
        check_bandwidth(self.bandwidth)?;
        let got = (self.rows.shape(), self.coefficients.shape(), self.bias.shape());
        let m = self.rows.nrows();
        let want = ((m, columns), (m, classes - 1), (1, pairs(classes).count()));
        if got != want {
            return Err(format!("rows, coefficients and bias are {got:?}, expected {want:?}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    /// Rows at 0, 1 and 2 of classes 0, 1 and 2, coefficients that name class and rival.
    fn three() -> KernelVotes {
        KernelVotes {
            bandwidth: 0.5f64.sqrt(),
            counts: vec![1, 1, 1],
            rows: from_rows(&[vec![0.0], vec![1.0], vec![2.0]]),
            coefficients: from_rows(&[vec![1.0, 2.0], vec![-1.0, 3.0], vec![-2.0, -3.0]]),
            bias: from_rows(&[vec![0.0, 0.0, 0.5]]),
        }
    }

    #[test]
    fn margins_votes_and_confidence_by_hand() {
        let (one, four) = ((-1.0f64).exp(), (-4.0f64).exp());
        let said = three().margins(from_rows(&[vec![0.0]]).as_ref());
        let by_hand = [1.0 - one, 2.0 - 2.0 * four, 3.0 * one - 3.0 * four + 0.5];
        for (pair, expected) in by_hand.iter().enumerate() {
            assert!((said[(0, pair)] - expected).abs() < 1e-14, "{said:?}");
        }
        let said = three().answer(from_rows(&[vec![0.0]]).as_ref());
        assert_eq!((said.answer[0], said.scores.unwrap()), (0.0, from_rows(&[vec![2.0, 1.0, 0.0]])));
        let share = |f: f64| 1.0 / (1.0 + (-2.0 * f).exp());
        let expected = f64::midpoint(share(by_hand[0]), share(by_hand[1]));
        assert!((said.confidence[0] - expected).abs() < 1e-14);
    }

    #[test]
    fn a_tie_goes_to_the_first_class() {
        let mut circle = three();
        circle.bias = from_rows(&[vec![10.0, -10.0, 10.0]]); // 0 beats 1, 2 beats 0, 1 beats 2
        let said = circle.answer(from_rows(&[vec![1.0]]).as_ref());
        assert_eq!((said.answer[0], said.scores.unwrap()), (0.0, from_rows(&[vec![1.0, 1.0, 1.0]])));
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        assert_eq!(three().check(1, 3), Ok(()));
        for (columns, classes) in [(2, 3), (1, 2), (1, 4), (1, 0)] {
            assert!(three().check(columns, classes).is_err(), "{columns} columns, {classes} classes");
        }
        let spoilt: [fn(&mut KernelVotes); 6] = [
            |m| m.bandwidth = 0.0,
            |m| m.bandwidth = f64::NAN,
            |m| m.counts = vec![usize::MAX, 3, 1],
            |m| m.counts = vec![1, 1, 2],
            |m| m.coefficients = Mat::zeros(3, 3),
            |m| m.bias = Mat::zeros(1, 2),
        ];
        for (number, spoil) in spoilt.iter().enumerate() {
            let mut machine = three();
            spoil(&mut machine);
            assert!(machine.check(1, 3).is_err(), "{number}");
        }
        let mut empty = three();
        empty.counts = vec![0, 2, 1];
        assert_eq!(empty.check(1, 3), Ok(()));
        assert!(empty.answer(from_rows(&[vec![0.0]]).as_ref()).confidence[0].is_finite());
    }
}
