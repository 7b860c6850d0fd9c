//! ClassAMI: the adjusted mutual information of the candidate's answers and of clusters of the target rows.
//!
//! Paper: K. Musgrave, S. Belongie, S.-N. Lim, "Three new validators and a large-scale benchmark ranking for unsupervised
//! domain adaptation", 2022; the adjustment: N. X. Vinh, J. Epps, J. Bailey, "Information theoretic measures for clusterings
//! comparison", JMLR 11, 2010
//!
//! ```text
//! (I(a, k) - E I) / ((H(a) + H(k)) / 2 - E I),   E I the mean over all pairs of partitions of the same sizes
//! ```
//! with `a` the answers and `k` the clusters of k-means, as many as there are classes, of the rows as they come to the candidate's
//! predictor. 1: the same partition; 0: no more in common than by chance. Candidates with another map of the
//! rows are held against other clusters.
//!
//! Where we differ: where either partition has one part the score is 0.
//!
//! Cost: k-means of the target rows, some times over; classes squared times rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

use super::evidence::{Evidence, Need};
use super::registry::{Validator, ValidatorRow, entropy_of, make, must};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, nearest, select_rows, shuffled_rows};
use crate::params::params_of;
use crate::solvers::k_means;

/// Adjusted mutual information of answers and clusters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ClassAmi {
    /// How many times k-means is begun, 1 to 1000; the tightest clusters are taken.
    pub starts: usize,
}

impl Default for ClassAmi {
    fn default() -> Self {
        Self { starts: 5 }
    }
}

impl ClassAmi {
    /// Its row in the registry.
    pub const ROW: ValidatorRow = ValidatorRow {
        name: "class-ami",
        summary: "ClassAMI: adjusted mutual information of the answers and of clusters of the target rows",
        values: false,
        needs: &[Need::Rows],
        source: include_str!("class_ami.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };

    /// The cluster of each row `(m, k)`, of `count` at most.
    fn clusters(&self, rows: &Matrix, count: usize, context: &Context) -> Vec<usize> {
        let mut rng = context.rng(Self::ROW.name);
        // Drawn from what rows hold, so that their order says nothing.
        let order = shuffled_rows(rows.as_ref(), &mut rng);
        let ordered = select_rows(rows.as_ref(), &order);
        let even = vec![1.0; rows.nrows()];
        let mut best: Option<(f64, Vec<usize>)> = None;
        for _ in 0..self.starts {
            let centres = k_means(ordered.as_ref(), &even, count, &mut rng);
            let one = vec![0; centres.nrows()];
            let found = nearest(ordered.as_ref(), centres.as_ref(), &one, 1);
            let near = || found.iter().filter_map(|found| found[0].as_ref());
            let within: f64 = near().map(|near| near.squared_distance).sum();
            if best.as_ref().is_none_or(|(least, _)| within < *least) {
                best = Some((within, near().map(|near| near.row).collect()));
            }
        }
        let mut clusters = vec![0; rows.nrows()];
        for (&row, cluster) in order.iter().zip(best.map_or(Vec::new(), |(_, found)| found)) {
            clusters[row] = cluster;
        }
        clusters
    }
}

impl Validator for ClassAmi {
    fn row(&self) -> &'static ValidatorRow {
        &Self::ROW
    }

    fn score(&self, of: &Evidence<'_>, context: &mut Context) -> Result<f64> {
        let name = Self::ROW.name;
        must(name, "starts", "1 to 1000", (1..=1000).contains(&self.starts), self.starts)?;
        let rows = of.rows(name)?;
        let features = (rows.map)(rows.target.as_ref());
        let clusters = self.clusters(&features, of.goal.classes(), context);
        let answers: Vec<usize> = of.answers.iter().map(|class| *class as usize).collect();
        Ok(adjusted_mutual_information(&answers, &clusters))
    }
}

/// The adjusted mutual information of two partitions of the same rows, by the part of each row; 0 where either has one part.
pub fn adjusted_mutual_information(one: &[usize], other: &[usize]) -> f64 {
    let parts = |of: &[usize]| of.iter().max().map_or(0, |most| most + 1);
    let (mut table, n) = (vec![vec![0usize; parts(other)]; parts(one)], one.len());
    one.iter().zip(other).for_each(|(&a, &b)| table[a][b] += 1);
    let rows: Vec<usize> = table.iter().map(|row| row.iter().sum()).collect();
    let columns: Vec<usize> = (0..parts(other)).map(|b| table.iter().map(|row| row[b]).sum()).collect();
    let several = |of: &[usize]| of.iter().filter(|count| **count > 0).count() > 1;
    if !(several(&rows) && several(&columns)) {
        return 0.0;
    }
    let factorials: Vec<f64> = (0..=n).map(|k| ln_gamma(k as f64 + 1.0)).collect();
    let all = n as f64;
    // What a cell of so many rows adds to the information, in parts of these sizes.
    let adds = |cell: usize, a: usize, b: usize| {
        let cell = cell as f64;
        if cell > 0.0 { cell / all * (all * cell / (a as f64 * b as f64)).ln() } else { 0.0 }
    };
    let (mut information, mut expected) = (0.0, 0.0);
    for (a, row) in rows.iter().zip(&table) {
        for (b, cell) in columns.iter().zip(row) {
            information += adds(*cell, *a, *b);
            let fixed =
                factorials[*a] + factorials[*b] + factorials[n - a] + factorials[n - b] - factorials[n];
            for cell in (a + b).saturating_sub(n).max(1)..=*a.min(b) {
                // The hypergeometric chance of such a cell.
                let chance = fixed
                    - factorials[cell]
                    - factorials[a - cell]
                    - factorials[b - cell]
                    - factorials[n + cell - a - b];
                expected += adds(cell, *a, *b) * chance.exp();
            }
        }
    }
    let entropy = |of: &[usize]| entropy_of(of.iter().map(|count| *count as f64 / all));
    let most = 0.5 * (entropy(&rows) + entropy(&columns));
    // Partitions into single rows have nothing beyond chance.
    if most - expected > 1e-12 { (information - expected) / (most - expected) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pairs against two pairs: the information is ln 2 where they are the same, 0 where they cross. Of the three ways to
    /// pair four rows one is the same: a mean of ln 2 / 3, and the crossing is at (0 - 1/3) / (1 - 1/3).
    #[test]
    fn four_rows_by_hand() {
        let ami = adjusted_mutual_information;
        assert!((ami(&[0, 0, 1, 1], &[1, 1, 0, 0]) - 1.0).abs() < 1e-12);
        assert!((ami(&[0, 0, 1, 1], &[0, 1, 0, 1]) + 0.5).abs() < 1e-12);
        assert_eq!(ami(&[0, 0, 0, 0], &[0, 1, 0, 1]), 0.0);
        assert_eq!(ami(&[0, 1, 2, 3], &[3, 1, 0, 2]), 0.0);
    }
}
