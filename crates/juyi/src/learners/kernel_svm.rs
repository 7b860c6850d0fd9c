//! The support vector machine with a Gaussian kernel and hinge loss, one for each pair of classes, and a vote among them.
//!
//! Paper: C. Cortes and V. Vapnik, "Support-vector networks", Machine Learning 20, 1995; C.-C. Chang and C.-J. Lin,
//! "LIBSVM: a library for support vector machines", ACM TIST 2, 2011. For two classes, with `y_i = 1` for the rows of
//! the first and `-1` for those of the second, minimises over `f(x) = w φ(x) + b`, `C` being the cost,
//! ```text
//! |w|² / 2 + C Σ_i w_i max(0, 1 - y_i f(x_i)),   φ(x) φ(z) = exp(-gamma |x - z|²),   gamma = 1 / (d variance)
//! ```
//! in its dual form (see [`hinge_dual`]). The variance is that of all the numbers in the rows, a row counting as often as
//! its weight says; the bias is free. The class that wins the most pairs is the answer, the first among equals.
//!
//! Differs from scikit-learn's `SVC` in that weights count in the variance, so that integer weights equal repeated rows,
//! and in that the minimum is reached to `1e-8` instead of `1e-3`.
//!
//! Cost: for a pair with `n` rows `O(n² d)` for its kernel and `O(n)` for each of some `n` to `10 n` steps; `8 n²` bytes
//! for each of the four pairs that are solved at a time, or, where these do not fit, as many columns of the kernel as do.

use faer::{Mat, MatRef};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::logistic::{above_zero, only_class};
use super::{Baseline, Learner, LearnerRow, make};
use crate::context::Context;
use crate::data::Labels;
use crate::error::{Error, Result};
use crate::linalg::select_rows;
use crate::models::{KernelVotes, Predictor, pairs};
use crate::params::params_of;
use crate::solvers::{KernelColumns, Margin, hinge_dual};

/// Pairs of classes that are solved at a time.
const PAIRS: usize = 4;

/// The support vector machine with a Gaussian kernel.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KernelSvm {
    /// `C`: how much the rows count against the penalty. Above 0, finite.
    pub cost: f64,
}

impl Default for KernelSvm {
    fn default() -> Self {
        Self { cost: 1.0 }
    }
}

impl KernelSvm {
    /// Its row.
    pub const ROW: LearnerRow = LearnerRow {
        name: "kernel-svm",
        summary: "Gaussian-kernel support vector machine, ½|w|² + Σ w_i hinge_i, a vote among pairs of classes",
        regresses: false,
        weighs: true,
        leaves_trees: false,
        by_column: false,
        baseline: Baseline { classes: Some(4), values: None },
        most_rows: 5000,
        source: include_str!("kernel_svm.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Learner for KernelSvm {
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
        above_zero(self.name(), "cost", self.cost)?;
        if classes == 1 {
            return Ok(only_class(rows.ncols()));
        }
        let bandwidth = bandwidth(rows, weights)?;
        let mut members = vec![Vec::new(); classes];
        labels.classes().iter().enumerate().for_each(|(i, &c)| members[c].push(i));
        let all: Vec<(usize, usize)> = pairs(classes).collect();
        let columns = columns(&members, rows.ncols(), context)?;
        let solve = |&(a, b): &(usize, usize)| {
            let both = [members[a].as_slice(), &members[b]].concat();
            let x = select_rows(rows, &both);
            let sign: Vec<f64> =
                (0..both.len()).map(|i| if i < members[a].len() { 1.0 } else { -1.0 }).collect();
            let costs: Vec<f64> = both.iter().map(|&i| self.cost * weights[i]).collect();
            hinge_dual(&mut KernelColumns::new(x.as_ref(), bandwidth, columns), &sign, &costs)
        };
        let mut coefficients = Mat::zeros(rows.nrows(), classes - 1); // by the number of the row
        let mut bias = Mat::zeros(1, all.len());
        for (block, together) in all.chunks(PAIRS).enumerate() {
            let solved: Vec<Margin> = together.par_iter().map(solve).collect();
            for (k, (&(a, b), found)) in together.iter().zip(solved).enumerate() {
                if !found.bias.is_finite() {
                    let why = "numbers are too large".into();
                    return Err(Error::Numeric { what: "the kernel of `kernel-svm`".into(), why });
                }
                if !found.converged {
                    let text = format!("classes {} and {}: exact to {:.1e} only", a + 1, b + 1, found.gap);
                    context.warn(self.name(), text);
                }
                bias[(0, PAIRS * block + k)] = found.bias;
                let (of_a, of_b) = found.coefficients.split_at(members[a].len());
                members[a].iter().zip(of_a).for_each(|(&i, beta)| coefficients[(i, b - 1)] = *beta);
                members[b].iter().zip(of_b).for_each(|(&i, beta)| coefficients[(i, a)] = *beta);
            }
        }
        for rows in &mut members {
            rows.retain(|&i| coefficients.row(i).iter().any(|beta| *beta != 0.0));
        }
        let support = members.concat();
        Ok(Predictor::Kernel(KernelVotes {
            bandwidth,
            counts: members.iter().map(Vec::len).collect(),
            rows: select_rows(rows, &support),
            coefficients: select_rows(coefficients.as_ref(), &support),
            bias,
        }))
    }
}

/// How many columns of a pair's kernel may be held: as many as the largest pair has rows, if they fit.
fn columns(members: &[Vec<usize>], d: usize, context: &mut Context) -> Result<usize> {
    let mut sizes: Vec<usize> = members.iter().map(Vec::len).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let n = sizes[0] + sizes[1];
    let need = |columns: usize| 8 * (PAIRS * n * (columns + d + 8)) as u64;
    context.require("two columns of the kernel", need(2))?;
    let what = format!("the kernel of {n} rows");
    if context.exact_route("kernel-svm", &what, need(n), "its columns are computed when they are needed") {
        return Ok(n);
    }
    Ok((2..n).rev().find(|&columns| context.fits(need(columns))).unwrap_or(2))
}

/// The kernel's width at which `1 / (2 bandwidth²) = 1 / (d variance)`; `gamma` is 1 where all numbers are the same.
fn bandwidth(rows: MatRef<'_, f64>, weights: &[f64]) -> Result<f64> {
    let total = weights.iter().sum::<f64>() * rows.ncols() as f64;
    let mean_of = |value: &dyn Fn(f64) -> f64| {
        let column = |j: usize| rows.col(j).iter().zip(weights).map(|(v, w)| w * value(*v)).sum::<f64>();
        (0..rows.ncols()).map(column).sum::<f64>() / total
    };
    let mean = mean_of(&|v| v);
    let variance = mean_of(&|v| (v - mean).powi(2));
    if !variance.is_finite() {
        let why = format!("it is {variance}");
        return Err(Error::Numeric { what: "the variance of the rows".into(), why });
    }
    let squared = 0.5 * variance * rows.ncols() as f64;
    Ok(if squared > f64::MIN_POSITIVE { squared } else { 0.5 }.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{Matrix, from_rows};

    fn fit(x: &Matrix, of: &[usize], weights: &[f64], classes: usize, context: &mut Context) -> KernelVotes {
        let labels = Labels::Classes(of.to_vec());
        let predictor = KernelSvm::default().fit(x.as_ref(), &labels, weights, classes, context).unwrap();
        let Predictor::Kernel(votes) = predictor else { panic!("kernel votes") };
        votes
    }

    fn table() -> (Matrix, Vec<usize>) {
        let x = Mat::from_fn(60, 3, |i, j| ((i * 7 + j * 13 + i * i * (j + 1)) % 23) as f64 / 5.0);
        (x, (0..60).map(|i| (i * i + i / 7) % 3).collect())
    }

    /// Rows 0 and 2: variance 1, so `gamma = 1`, `k = exp(-4)` and both coefficients at their bound 1.
    #[test]
    fn two_rows_by_hand() {
        let x = from_rows(&[vec![0.0], vec![2.0]]);
        let votes = fit(&x, &[0, 1], &[1.0; 2], 2, &mut Context::default());
        assert!((votes.bandwidth - 0.5f64.sqrt()).abs() < 1e-15);
        let margins = votes.margins(x.as_ref());
        let expected = 1.0 - (-4.0f64).exp();
        assert!((margins[(0, 0)] - expected).abs() < 1e-12 && (margins[(1, 0)] + expected).abs() < 1e-12);
    }

    #[test]
    fn weights_count_rows() {
        let (x, of) = table();
        let weights: Vec<f64> = (0..60).map(|i| f64::from(1 + i % 3)).collect();
        let again: Vec<usize> = (0..60).flat_map(|i| vec![i; 1 + i % 3]).collect();
        let labels: Vec<usize> = again.iter().map(|&i| of[i]).collect();
        let context = &mut Context::default();
        let weighted = fit(&x, &of, &weights, 3, context).margins(x.as_ref());
        let copies = select_rows(x.as_ref(), &again);
        let repeated = fit(&copies, &labels, &vec![1.0; again.len()], 3, context).margins(x.as_ref());
        assert!((weighted - repeated).norm_max() < 1e-7);
        assert!(context.notices().is_empty(), "{:?}", context.notices());
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bits() {
        let (x, of) = table();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let votes = pool.install(|| fit(&x, &of, &[1.0; 60], 3, &mut Context::default()));
            (votes.coefficients, votes.bias)
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn a_small_budget_holds_fewer_columns_says_so_and_agrees() {
        let (x, of) = table();
        let (plenty, scarce) = (&mut Context::default(), &mut Context::new(0, 32_000));
        let all = fit(&x, &of, &[1.0; 60], 3, plenty).margins(x.as_ref());
        let few = fit(&x, &of, &[1.0; 60], 3, scarce).margins(x.as_ref());
        assert!((all - few).norm_max() < 1e-7);
        assert!(plenty.notices().is_empty());
        assert!(scarce.notices()[0].text.starts_with("the kernel of 42 rows would need"), "{scarce:?}");
    }

    #[test]
    fn rows_that_are_all_the_same_get_the_larger_class() {
        let x = from_rows(&vec![vec![7.0]; 5]);
        let votes = fit(&x, &[0, 1, 1, 0, 1], &[1.0; 5], 2, &mut Context::default());
        assert!(votes.margins(x.as_ref()).col(0).iter().all(|f| *f < 0.0));
    }
}
