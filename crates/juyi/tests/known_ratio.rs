//! Weights against a ratio of densities that is known: two normal distributions. The error falls as rows are added.
//!
//! Most methods estimate the ratio, so their weights are held against it row by row. Kernel mean matching and nearest
//! neighbours only promise that weighted means come out right: most weights are 0 or as noisy as one neighbour is,
//! however many rows there are. Theirs are averaged in windows first, and no count is added to the neighbours', which would draw
//! the weights together for ever.

use juyi::context::Context;
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::learners::learner;
use juyi::linalg::{Matrix, exponentials, gaussian_kernel};
use juyi::methods::Adapter;
use juyi::methods::weighting::{
    Discriminative, GaussianRatio, KernelDensityRatio, Kliep, Kmm, NearestNeighbor, Rulsif, Ulsif,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The target's mean and deviation in every column; the source's are 0 and 1.
struct Shift {
    columns: usize,
    mean: f64,
    deviation: f64,
}

impl Shift {
    fn rows(&self, n: usize, mean: f64, deviation: f64, rng: &mut ChaCha8Rng) -> Matrix {
        let mut normal = || {
            (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt()
                * (rng.random::<f64>() * std::f64::consts::TAU).cos()
        };
        Matrix::from_fn(n, self.columns, |_, _| mean + deviation * normal())
    }

    /// The ratio to a mixture with this part of the target, at each row, over its mean.
    fn truth(&self, x: &Matrix, part: f64) -> Vec<f64> {
        let log_ratio =
            |v: f64| 0.5 * (v * v - ((v - self.mean) / self.deviation).powi(2)) - self.deviation.ln();
        let mut ratios: Vec<f64> =
            (0..x.nrows()).map(|i| (0..self.columns).map(|j| log_ratio(x[(i, j)])).sum()).collect();
        exponentials(&mut ratios, 1.0);
        let mixed: Vec<f64> = ratios.iter().map(|r| r / (part * r + 1.0 - part)).collect();
        let mean = mixed.iter().sum::<f64>() / mixed.len() as f64;
        mixed.iter().map(|r| r / mean).collect()
    }

    /// The mean difference of the weights from the truth for `n` rows a side, row by row or in windows.
    fn error(&self, adapter: &dyn Adapter, part: f64, in_windows: bool, n: usize, seed: u64) -> f64 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let source = self.rows(n, 0.0, 1.0, rng);
        let target = self.rows(n, self.mean, self.deviation, rng);
        let truth = self.truth(&source, part);
        let windows = self.rows(20, 0.0, 1.0, rng);
        let domain = Domain::labelled("source", source, Labels::Values(vec![0.0; n]));
        let target = Domain::unlabelled("target", target, &Goal::Value);
        let task = Task::new(vec![domain], target, Goal::Value).expect("a task");
        let ridge = learner("ridge").expect("it is listed");
        let adapted = adapter.adapt(&task, ridge.as_ref(), &mut Context::default()).expect("weights");
        let weights = adapted.weights.expect("weights");
        let differences: Vec<f64> = weights.iter().zip(truth).map(|(w, r)| w - r).collect();
        if !in_windows {
            return differences.iter().map(|v| v.abs()).sum::<f64>() / n as f64;
        }
        let kernel = gaussian_kernel(task.source().features().as_ref(), windows.as_ref(), 0.5);
        let window = |k: usize| {
            let near = kernel.col_as_slice(k);
            let sum: f64 = near.iter().zip(&differences).map(|(k, v)| k * v).sum();
            (sum / near.iter().sum::<f64>()).abs()
        };
        (0..20).map(window).sum::<f64>() / 20.0
    }
}

/// A name, what it names, the target's part in the mixture below the ratio, whether errors are taken in windows, and the
/// largest mean error at 1,600 rows in one column and in three.
type Case = (&'static str, Box<dyn Adapter>, f64, bool, [f64; 2]);

#[test]
fn the_error_falls_as_rows_are_added() {
    const RULSIF: Rulsif =
        Rulsif { mixture_share: 0.2, centers: 100, bandwidth: None, penalty: None, bound: None };
    let moved = |columns: usize, mean: f64| Shift { columns, mean, deviation: 0.8 };
    let narrower = [moved(1, 0.5), moved(3, 0.3)];
    // A linear rule can only tell apart what differs in means.
    let equal = [1, 3].map(|columns| Shift { columns, mean: 0.5, deviation: 1.0 });
    let cases: [Case; 8] = [
        ("kliep", Box::new(Kliep::default()), 0.0, false, [0.06, 0.12]),
        ("ulsif", Box::new(Ulsif::default()), 0.0, false, [0.06, 0.19]),
        ("rulsif", Box::new(RULSIF), 0.2, false, [0.05, 0.15]),
        ("gaussian-ratio", Box::new(GaussianRatio::default()), 0.0, false, [0.025, 0.1]),
        ("kernel-density-ratio", Box::new(KernelDensityRatio::default()), 0.0, false, [0.065, 0.24]),
        ("discriminative", Box::new(Discriminative::default()), 0.0, false, [0.02, 0.1]),
        ("kmm", Box::new(Kmm::default()), 0.0, true, [0.03, 0.14]),
        ("nearest-neighbor", Box::new(NearestNeighbor { smoothing: 0.0 }), 0.0, true, [0.03, 0.11]),
    ];
    for (name, adapter, part, in_windows, bounds) in cases {
        let shifts = if name == "discriminative" { &equal } else { &narrower };
        for (shift, bound) in shifts.iter().zip(bounds) {
            let errors = [(100, 6), (400, 3), (1600, 2)].map(|(n, seeds)| {
                let sum: f64 =
                    (0..seeds).map(|seed| shift.error(adapter.as_ref(), part, in_windows, n, seed)).sum();
                sum / seeds as f64
            });
            let falls = errors[1] < errors[0] && errors[2] < errors[1];
            assert!(falls && errors[2] < bound, "{name} in {} columns: {errors:?}", shift.columns);
        }
    }
}
