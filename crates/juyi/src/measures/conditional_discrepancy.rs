//! Conditional discrepancy: how far apart the rows of each class are, by maximum mean discrepancy.
//!
//! Paper: M. Long, J. Wang, G. Ding, J. Sun, P. Yu, "Transfer feature learning with joint distribution adaptation", ICCV 2013;
//! the estimates are those of A. Gretton, K. Borgwardt, M. Rasch, B. Schölkopf, A. Smola, "A kernel two-sample test",
//! JMLR 2012
//!
//! ```text
//! Σ_c MMD²(x | y = c, x' | y' = c) / classes
//! ```
//! in a Gaussian kernel of one width, over the classes with two rows or more on both sides. Target labels are taken where they
//! are given; then the p-value is the share of permutations within the classes with at least this value, and the interval is the
//! normal one of U-statistics, next to 0 too wide. Else they are those that logistic regression on the source predicts, and there is
//! neither: predicted labels depend on the rows, so no permutation is as likely as the true split.
//!
//! Cost: `O(Σ_c (n_c + m_c)² (d + permutations))` time, `8 (n_c + m_c)²` bytes.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::held_out::answers;
use super::kernel_test::{self, KernelTest, kernel_test};
use super::mmd::{both, check};
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make};
use crate::context::Context;
use crate::data::Labels;
use crate::error::{Error, Result};
use crate::linalg::{gaussian_kernel, median_distance, select_rows, stack};
use crate::params::params_of;

/// The maximum mean discrepancy of each class.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ConditionalDiscrepancy {
    /// Width of the Gaussian kernel, above 0; automatic: the median distance of pooled rows.
    pub bandwidth: Option<f64>,
    /// Permutations for the p-value, 1 or more.
    pub permutations: usize,
}

impl Default for ConditionalDiscrepancy {
    fn default() -> Self {
        Self { bandwidth: None, permutations: 999 }
    }
}

impl ConditionalDiscrepancy {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "conditional-discrepancy",
        summary: "maximum mean discrepancy of the rows of each class, by given or predicted target labels",
        in_each_run: false,
        most_rows: 1000,
        labels: LabelsNeeded::Source,
        source: include_str!("conditional_discrepancy.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for ConditionalDiscrepancy {
    fn row(&self) -> &'static MeasureRow {
        &Self::ROW
    }

    fn between(
        &self,
        domains: &Domains<'_>,
        rng: &mut ChaCha8Rng,
        context: &mut Context,
    ) -> Result<Vec<Distance>> {
        check(Self::ROW.name, self.bandwidth, self.permutations)?;
        let (x, y) = (domains.source.as_ref(), domains.target.as_ref());
        let labels = domains.labels(Self::ROW.name)?;
        let of = labels.classes(Self::ROW.name)?;
        let classes = labels.goal.classes();
        let grouped = |pairs: &mut dyn Iterator<Item = (usize, usize)>| {
            let mut rows = vec![Vec::new(); classes];
            pairs.for_each(|(row, class)| rows[class].push(row));
            rows
        };
        let own = grouped(&mut of.iter().copied().enumerate());
        let shared = |other: &[Vec<usize>]| -> Vec<usize> {
            (0..classes).filter(|&class| own[class].len().min(other[class].len()) >= 2).collect()
        };
        let mut other = match labels.target {
            (rows, Labels::Classes(of)) => grouped(&mut rows.iter().copied().zip(of.iter().copied())),
            _ => vec![Vec::new(); classes],
        };
        let given = !shared(&other).is_empty();
        if !given {
            let all: Vec<usize> = (0..of.len()).collect();
            let said =
                answers(labels.goal, (domains.source, labels.source), &all, &[domains.target], context)?;
            other = grouped(&mut said[0].iter().map(|class| *class as usize).enumerate());
        }
        let shared = shared(&other);
        if shared.is_empty() {
            let hint = "give more rows, or labels of some target rows";
            let problem = "finds no class with two rows on both sides";
            return Err(Error::input(format!("`{}`", Self::ROW.name), problem, hint));
        }
        let width = self.bandwidth.unwrap_or_else(|| median_distance(stack(x, y).as_ref(), rng));
        let mut tests = Vec::new();
        for &class in &shared {
            let (a, b) = (select_rows(x, &own[class]), select_rows(y, &other[class]));
            let all = stack(a.as_ref(), b.as_ref());
            kernel_test::require(all.nrows(), self.permutations, context)?;
            let kernel = gaussian_kernel(all.as_ref(), all.as_ref(), width);
            tests.push(kernel_test(&kernel, a.nrows(), self.permutations, rng));
        }
        let left_out = classes - shared.len();
        let [biased, unbiased] = both(&mean(&tests), "conditional MMD²");
        let by = if given { "given" } else { "predicted" };
        let told = |mut distance: Distance| {
            let less = if left_out > 0 { format!(", {left_out} classes left out") } else { String::new() };
            distance.about =
                format!("{}; mean of {} classes, target labels {by}{less}", distance.about, shared.len());
            if !given {
                (distance.interval, distance.p_value) = (None, None);
            }
            distance
        };
        Ok([unbiased, biased].map(told).to_vec())
    }
}

/// The mean of independent tests.
fn mean(tests: &[KernelTest]) -> KernelTest {
    let count = tests.len() as f64;
    let sum = |k: usize, which: usize| tests.iter().map(|test| test.values[k][which]).sum::<f64>() / count;
    KernelTest {
        values: (0..tests[0].values.len()).map(|k| [sum(k, 0), sum(k, 1)]).collect(),
        error: tests.iter().map(|test| test.error.powi(2)).sum::<f64>().sqrt() / count,
        effect: tests.iter().map(|test| test.effect).sum::<f64>() / count,
    }
}
