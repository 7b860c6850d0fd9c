//! Shares of classes in a target that holds the same kinds of rows in other numbers: `p(x | y)` is unchanged, `p(y)` is not.
//!
//! From the answers of a classifier, with `C_ij` the share of source rows answered `i` and labelled `j`, and `mu` the
//! shares of the answers in the target (Z. Lipton, Y.-X. Wang, A. Smola, ICML 2018):
//! ```text
//! mu = C w,   w_j = p_target(j) / p_source(j)     hence     w = 1 + theta,   C theta = mu - C 1
//! ```
//! From posteriors, the shares `q` that make the target's rows most likely (M. Saerens, P. Latinne, C. Decaestecker, Neural
//! Computation 2002):
//! ```text
//! max_q Σ_i ln Σ_j q_j p(j | x_i) / p_source(j),   q ≥ 0,   Σ q = 1
//! ```
//!
//! Cost: `O(c³)` for `c` classes; that of [`mixture_shares`] for posteriors.

use faer::{Mat, MatRef};

use super::mixture_shares;
use crate::error::Result;
use crate::linalg::{Matrix, dot, thin_svd, transposed_times_vector};

/// A singular value below this part of the largest is 0.
const SINGULAR: f64 = 1e-10;

/// The largest violation of the conditions of the most likely shares.
const TOLERANCE: f64 = 1e-10;

/// Ratios of the classes' shares, target to source.
#[derive(Debug, Clone)]
pub struct ShiftWeights {
    /// One ratio a class, 0 or above.
    pub weights: Vec<f64>,
    /// How many independent combinations of classes the answers tell apart; all classes can be told apart where it is
    /// their number.
    pub rank: usize,
}

impl ShiftWeights {
    /// The classes' shares in the target, with sum 1, for the `confusion` from which the ratios come.
    pub fn target_shares(&self, confusion: MatRef<'_, f64>) -> Vec<f64> {
        let source = transposed_times_vector(confusion, &vec![1.0; confusion.nrows()]);
        let shares: Vec<f64> = source.iter().zip(&self.weights).map(|(p, w)| p * w).collect();
        let sum: f64 = shares.iter().sum();
        // All ratios are 0 for answers that no shares of classes explain.
        if sum > 0.0 { shares.iter().map(|q| q / sum).collect() } else { source }
    }
}

/// `w = C⁻¹ mu` with `confusion` `C` `(c, c)`, negative ratios set to 0. Where `C` is singular, the solution of least
/// squares nearest to ratios of 1: what the answers leave open stays as in the source.
///
/// # Errors
/// [`crate::error::Error::Numeric`] on NaN or infinity.
pub fn shift_weights(confusion: MatRef<'_, f64>, target_shares: &[f64]) -> Result<ShiftWeights> {
    let excess = Excess::of(confusion, target_shares)?;
    Ok(excess.weights(&excess.theta(0.0), 1.0))
}

/// `w = 1 + gamma theta` with `theta` of `min |C theta - (mu - C 1)| + penalty |theta|`, negative ratios set to 0.
///
/// Both norms are not squared. So `theta` is 0 from a penalty of `|Cᵀb| / |b|` on, `b = mu - C 1`, it is exact below
/// another where `C` is invertible, and in between it is on the path of ridge solutions `(CᵀC + λ)⁻¹ Cᵀb`, where
/// ```text
/// λ |theta(λ)| / |C theta(λ) - b| = penalty
/// ```
/// of which the left side rises with `λ`: one number is found by bisection.
///
/// # Errors
/// As [`shift_weights`].
pub fn regularized_shift_weights(
    confusion: MatRef<'_, f64>,
    target_shares: &[f64],
    penalty: f64,
    gamma: f64,
) -> Result<ShiftWeights> {
    let excess = Excess::of(confusion, target_shares)?;
    Ok(excess.weights(&excess.penalized(penalty), gamma))
}

/// The shares `(c)` of the classes under which rows with these `posteriors` `(n, c)` are most likely, where posteriors are
/// those of a source with `source_shares`, all above 0.
pub fn most_likely_shares(posteriors: MatRef<'_, f64>, source_shares: &[f64]) -> Vec<f64> {
    let mut likelihoods =
        Mat::from_fn(posteriors.ncols(), posteriors.nrows(), |j, i| posteriors[(i, j)] / source_shares[j]);
    for i in 0..likelihoods.ncols() {
        let column = likelihoods.col_as_slice_mut(i);
        let top = column.iter().copied().fold(0.0, f64::max);
        for v in column.iter_mut() {
            *v /= top;
        }
    }
    mixture_shares(likelihoods.as_ref(), TOLERANCE).shares
}

/// What the target's answers have beyond the source's, `b = mu - C 1`, in the singular directions of `C = U diag(s) Vᵀ`.
struct Excess {
    /// The singular values, falling, as far as they are above 0.
    values: Vec<f64>,
    /// Their right vectors, one a column, and others.
    right: Matrix,
    /// `Uᵀ b`, one entry for each singular value.
    along: Vec<f64>,
    /// The squared length of the part of `b` that no shares of classes explain.
    unexplained: f64,
}

impl Excess {
    fn of(confusion: MatRef<'_, f64>, target_shares: &[f64]) -> Result<Self> {
        let (left, mut values, right) = thin_svd(confusion)?;
        let excess: Vec<f64> =
            (0..confusion.nrows()).map(|i| target_shares[i] - confusion.row(i).iter().sum::<f64>()).collect();
        let mut along = transposed_times_vector(left.as_ref(), &excess);
        let least = SINGULAR * values.first().copied().unwrap_or(0.0);
        values.retain(|s| *s > least);
        let unexplained = along.split_off(values.len());
        Ok(Self { right, along, unexplained: dot(&unexplained, &unexplained), values })
    }

    /// `(CᵀC + λ)⁻¹ Cᵀb` in the coordinates of the right vectors; for `λ = 0` the shortest solution of least squares.
    fn coordinates(&self, lambda: f64) -> Vec<f64> {
        self.values.iter().zip(&self.along).map(|(s, b)| s * b / (s * s + lambda)).collect()
    }

    fn theta(&self, lambda: f64) -> Vec<f64> {
        let coordinates = self.coordinates(lambda);
        let entry = |j: usize| coordinates.iter().enumerate().map(|(k, z)| self.right[(j, k)] * z).sum();
        (0..self.right.nrows()).map(entry).collect()
    }

    /// The penalty of which the ridge solution for `lambda`, above 0, is the minimum: `λ |theta| / |C theta - b|`.
    fn penalty_at(&self, lambda: f64) -> f64 {
        let (mut pull, mut left) = (0.0, self.unexplained);
        for (s, b) in self.values.iter().zip(&self.along) {
            let shrunk = lambda * b / (s * s + lambda);
            pull += (s * shrunk).powi(2);
            left += shrunk * shrunk;
        }
        (pull / left).sqrt()
    }

    fn penalized(&self, penalty: f64) -> Vec<f64> {
        let pull: f64 = self.values.iter().zip(&self.along).map(|(s, b)| (s * b).powi(2)).sum();
        let all = dot(&self.along, &self.along) + self.unexplained;
        if pull <= penalty * penalty * all {
            return vec![0.0; self.right.nrows()];
        }
        let largest = self.values[0].powi(2); // `pull` is above 0
        let (mut low, mut high) = ((1e-30 * largest).ln(), (1e30 * largest).ln());
        if self.penalty_at(low.exp()) >= penalty {
            return self.theta(0.0);
        }
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if self.penalty_at(middle.exp()) < penalty { low = middle } else { high = middle }
        }
        self.theta(low.exp())
    }

    fn weights(&self, theta: &[f64], gamma: f64) -> ShiftWeights {
        let weights = theta.iter().map(|t| (1.0 + gamma * t).max(0.0)).collect();
        ShiftWeights { weights, rank: self.values.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    fn near(ours: &[f64], expected: &[f64]) {
        assert_eq!(ours.len(), expected.len());
        for (a, b) in ours.iter().zip(expected) {
            assert!((a - b).abs() < 1e-9, "{ours:?} for {expected:?}");
        }
    }

    /// Shares 0.8 and 0.2 that became halves: ratios 5/8 and 5/2, and `mu = C w`.
    #[test]
    fn ratios_by_hand() {
        let confusion = from_rows(&[vec![0.7, 0.05], vec![0.1, 0.15]]);
        let found = shift_weights(confusion.as_ref(), &[0.5625, 0.4375]).unwrap();
        near(&found.weights, &[0.625, 2.5]);
        near(&found.target_shares(confusion.as_ref()), &[0.5, 0.5]);
        assert_eq!(found.rank, 2);
        // Answers that no shares explain: the second ratio would be negative.
        let beyond = shift_weights(confusion.as_ref(), &[0.95, 0.05]).unwrap();
        near(&beyond.weights, &[1.4, 0.0]);
    }

    /// Classes `b` and `c` are both answered `b`: their common ratio is known, their parts are not.
    #[test]
    fn what_the_answers_leave_open_stays_as_in_the_source() {
        let confusion = from_rows(&[vec![0.5, 0.0, 0.0], vec![0.0, 0.25, 0.25], vec![0.0, 0.0, 0.0]]);
        let found = shift_weights(confusion.as_ref(), &[0.2, 0.8, 0.0]).unwrap();
        near(&found.weights, &[0.4, 1.6, 1.6]);
        assert_eq!(found.rank, 2);
        // A class that is never met in the answers and nowhere else.
        let silent = from_rows(&[vec![1.0, 0.0], vec![0.0, 0.0]]);
        near(&shift_weights(silent.as_ref(), &[1.0, 0.0]).unwrap().weights, &[1.0, 1.0]);
    }

    /// All is answered `a`, in the target a tenth is not: along `(1, 1) / √2` the objective is that of one number,
    /// `√((s t - 0.1)² + 0.1²) + penalty t` with `s² = 1/2`.
    #[test]
    fn a_penalized_ratio_by_hand() {
        let confusion = from_rows(&[vec![0.5, 0.5], vec![0.0, 0.0]]);
        for penalty in [1e-3, 0.1, 0.3, 0.49] {
            let left = 0.1 * penalty / f64::sqrt(0.5 - penalty * penalty);
            let shift = 0.1 - left; // `t / √2`, because `t = (0.1 - left) / s`
            let found = regularized_shift_weights(confusion.as_ref(), &[0.9, 0.1], penalty, 1.0).unwrap();
            near(&found.weights, &[1.0 - shift, 1.0 - shift]);
            let half = regularized_shift_weights(confusion.as_ref(), &[0.9, 0.1], penalty, 0.5).unwrap();
            near(&half.weights, &[1.0 - 0.5 * shift, 1.0 - 0.5 * shift]);
        }
        let none = regularized_shift_weights(confusion.as_ref(), &[0.9, 0.1], 0.5001, 1.0).unwrap();
        near(&none.weights, &[1.0, 1.0]);
    }

    /// The gradient `Cᵀr / |r| + penalty theta / |theta|` is 0; below the penalty from which on equations are not met
    /// exactly, the ratios are those without a penalty.
    #[test]
    fn penalized_ratios_meet_the_optimality_conditions() {
        let confusion = from_rows(&[vec![0.4, 0.05, 0.02], vec![0.06, 0.2, 0.05], vec![0.04, 0.05, 0.13]]);
        let target = [0.3, 0.4, 0.3];
        let exact = shift_weights(confusion.as_ref(), &target).unwrap().weights;
        let (mut bent, mut last) = (0, f64::INFINITY);
        for penalty in (1..40).map(|k| 0.01 * f64::from(k)) {
            let found = regularized_shift_weights(confusion.as_ref(), &target, penalty, 1.0).unwrap().weights;
            let theta: Vec<f64> = found.iter().map(|w| w - 1.0).collect();
            let r: Vec<f64> = (0..3)
                .map(|i| target[i] - (0..3).map(|j| confusion[(i, j)] * found[j]).sum::<f64>())
                .collect();
            let (length, left) = (dot(&theta, &theta).sqrt(), dot(&r, &r).sqrt());
            assert!(length <= last + 1e-12, "{penalty}");
            last = length;
            if left < 1e-9 {
                near(&found, &exact);
            } else if length > 1e-9 {
                bent += 1;
                for (c, t) in transposed_times_vector(confusion.as_ref(), &r).iter().zip(&theta) {
                    assert!((c / left - penalty * t / length).abs() < 1e-8, "{penalty}: {found:?}");
                }
            }
        }
        assert!(bent > 5 && last == 0.0, "{bent} {last}");
    }

    /// Rows of two kinds, of which the posteriors of `a` are 0.8 and 0.2 where classes have equal shares: a part `f` of the
    /// first kind is `0.8 q + 0.2 (1 - q)`.
    #[test]
    fn most_likely_shares_by_hand_and_by_expectation_maximization() {
        let kinds =
            |first: usize| Mat::from_fn(20, 2, |i, j| if (i < first) == (j == 0) { 0.8 } else { 0.2 });
        near(&most_likely_shares(kinds(13).as_ref(), &[0.5, 0.5]), &[0.75, 0.25]);
        near(&most_likely_shares(kinds(19).as_ref(), &[0.5, 0.5]), &[1.0, 0.0]);
        let raw = Mat::from_fn(30, 3, |i, j| {
            let own = [0, 1, 2, 1, 0, 1][i % 6];
            0.5 * ((i * 7 + j * 5) % 4) as f64 + if j == own { 12.0 } else { 1.0 }
        });
        let posteriors = Mat::from_fn(30, 3, |i, j| raw[(i, j)] / raw.row(i).iter().sum::<f64>());
        let source = [0.3, 0.4, 0.3];
        let mut shares = source.to_vec();
        for _ in 0..2_000 {
            let mut sums = vec![0.0; 3];
            for i in 0..30 {
                let joint: Vec<f64> = (0..3).map(|j| shares[j] / source[j] * posteriors[(i, j)]).collect();
                let all: f64 = joint.iter().sum();
                joint.iter().zip(&mut sums).for_each(|(p, sum)| *sum += p / all);
            }
            shares = sums.iter().map(|sum| sum / 30.0).collect();
        }
        assert!(shares.iter().all(|q| *q > 0.01), "a maximum inside: {shares:?}");
        near(&most_likely_shares(posteriors.as_ref(), &source), &shares);
    }
}
