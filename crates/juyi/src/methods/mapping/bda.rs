//! Balanced distribution adaptation: joint distribution adaptation with a balance between all rows and class by class.
//!
//! When: many columns, and it is known which is larger, the shift of the whole cloud or that of single classes;
//! weighted where the classes have other shares in the target. It hurts where the first guess is wrong, because it then
//! pulls the wrong classes together.
//!
//! Paper: J. Wang, Y. Chen, S. Hao, W. Feng, Z. Shen, "Balanced distribution adaptation for transfer learning", ICDM 2017
//!
//! ```text
//! K H K a = mu (K M K + lambda I) a,   M ~ (1 - b) C e eᵀ + b Σ_c e_c e_cᵀ,   |M| = 1,   b: the balance
//! e_c,i = sqrt(P_s(c)) / n_s^c (source rows of class c), -sqrt(P_t(c)) / n_t^c (target rows of pseudo-class c)
//! ```
//! with both roots 1 unless `weighted`; then `P_s(c)`, `P_t(c)` are the shares of class `c` among the source labels and
//! the pseudo-labels. Round 1 has no class terms; each round's pseudo-labels come from the learner trained on the
//! embedded source rows. Without a given balance it is estimated in each round from proxy A-distances of the embedded
//! domains, `b = 1 - d / (d + mean_c d_c)` with `d` that of all rows and `d_c` that of class `c` alone (Wang et al., MM
//! 2018).
//!
//! Where we differ: the marginal term is multiplied by the number of classes `C`, as in the authors' code, so that a
//! balance of 0.5 is joint distribution adaptation; `M` is made anew in each round, where that code adds to the last
//! round's. Labelled target rows keep their labels. Classes with fewer than 20 rows on a side are left out of the
//! estimate.
//!
//! Cost: that of joint distribution adaptation; the estimate adds five logistic regressions for all rows and five a
//! class in each round.

use std::borrow::Cow;

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{Matrix, normalize_rows_l2, select_rows};
use crate::measures::proxy_a_distance;
use crate::methods::pseudo_labels::pseudo_labels;
use crate::methods::{Adapted, Adapter, Family, Goals, Grid, MethodRow, Needs, count, make, must, params_of};
use crate::models::{Map, apply_all};
use crate::solvers::{JointEmbedding, Kernel, class_discrepancies, marginal_discrepancy};

/// Folds of the classifier that tells the domains apart.
const FOLDS: usize = 5;

/// The fewest rows of a side from which a proxy A-distance is estimated.
const FEWEST: usize = 20;

/// Parameters of balanced distribution adaptation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bda {
    /// linear, primal or rbf: what the penalty and the similarity are taken in.
    pub kernel: Kernel,
    /// Dimensions of the embedding, k. 1 to 1000000; no more than the rank of the pooled rows are used.
    pub components: usize,
    /// Weight of the penalty on directions, lambda. Above 0.
    pub regularization: f64,
    /// Weight of the classes beside that of all rows: 0, all rows only, to 1, classes only. Null: estimated in each
    /// round.
    pub balance: Option<f64>,
    /// Whether a class counts by its share in each domain.
    pub weighted: bool,
    /// Rounds of pseudo-labels. 1 to 1000; 1 is transfer component analysis.
    pub iterations: usize,
    /// Width of the rbf kernel on rows of unit length. Above 0; by default the median distance of rows.
    pub bandwidth: Option<f64>,
}

impl Default for Bda {
    fn default() -> Self {
        Self {
            kernel: Kernel::Primal,
            components: 30,
            regularization: 0.1,
            balance: Some(0.5),
            weighted: false,
            iterations: 10,
            bandwidth: None,
        }
    }
}

impl Bda {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "bda",
        family: Family::Mapping,
        summary: "projects to where the means agree, with a balance between all rows and class by class",
        when: "many columns, classes that shift differently or have other shares in the target",
        paper: "J. Wang, Y. Chen, S. Hao, W. Feng, Z. Shen, \"Balanced distribution adaptation for transfer learning\", ICDM 2017",
        needs: Needs { goals: Goals::Classes, directions: true, ..Needs::NOTHING },
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::of(&["{}"]),
        most_rows: 100_000,
        source: include_str!("bda.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };

    /// Vectors `(n_s + n_t, 1 + classes)` whose inner products are the terms of `M`.
    fn discrepancies(&self, task: &Task, pseudo: &[usize], balance: f64) -> Matrix {
        let (source, present) = (task.source.labels.classes(), task.source_classes());
        let (n_s, n_t) = (source.len(), pseudo.len());
        let by_class = class_discrepancies(source, pseudo, &present);
        let marginal = marginal_discrepancy(n_s, n_t);
        let all = ((1.0 - balance) * present.len() as f64).sqrt();
        let share = |of: &[usize], class: usize| {
            let own = of.iter().filter(|&&c| c == class).count() as f64;
            if self.weighted { (own / of.len() as f64).sqrt() } else { 1.0 }
        };
        let shares: Vec<[f64; 2]> = present.iter().map(|&c| [share(source, c), share(pseudo, c)]).collect();
        Mat::from_fn(n_s + n_t, 1 + present.len(), |i, k| match k {
            0 => all * marginal[(i, 0)],
            _ => balance.sqrt() * shares[k - 1][usize::from(i >= n_s)] * by_class[(i, k - 1)],
        })
    }
}

impl Adapter for Bda {
    fn check(&self) -> Result<()> {
        count("bda", "components", self.components, 1..=1_000_000)?;
        let finite = self.regularization.is_finite();
        must("bda", "regularization", finite && self.regularization > 0.0, "above 0", self.regularization)?;
        let balance = self.balance.unwrap_or(0.5);
        must("bda", "balance", (0.0..=1.0).contains(&balance), "0 to 1", balance)?;
        count("bda", "iterations", self.iterations, 1..=1_000)?;
        let width = self.bandwidth.unwrap_or(1.0);
        must("bda", "bandwidth", width > 0.0 && width.is_finite(), "above 0", width)
    }

    fn adapt<'a>(&self, task: &'a Task, learner: &dyn Learner, context: &mut Context) -> Result<Adapted<'a>> {
        let (n_s, n_t) = (task.source.rows(), task.target.rows());
        let mut pooled = task.pooled();
        normalize_rows_l2(pooled.as_mut());
        let mut embedding =
            JointEmbedding::new("bda", pooled.as_ref(), self.kernel, self.bandwidth, context)?;
        let components = embedding.components("bda", self.components, context);
        let mut v = marginal_discrepancy(n_s, n_t);
        for round in 1.. {
            context.progress("bda", round - 1, self.iterations);
            let project: Map = embedding.solve("bda", &v, components, self.regularization, context)?.into();
            let target_map = vec![Map::NormalizeRowsL2, project, Map::NormalizeRowsL2];
            if round == self.iterations {
                let source = Cow::Owned(apply_all(&target_map, task.source.features.as_ref()));
                return Ok(Adapted { source, weights: None, target_map });
            }
            let embedded = apply_all(&target_map[1..], pooled.as_ref());
            let (source, target) = embedded.as_ref().split_at_row(n_s);
            let pseudo = pseudo_labels(task, source, target, learner, context)?;
            let balance = match self.balance {
                Some(balance) => balance,
                None => estimated_balance(task, source, target, &pseudo, context)?,
            };
            v = self.discrepancies(task, &pseudo, balance);
        }
        unreachable!("the last round returns")
    }
}

/// The share of the classes in how far the embedded domains are apart, by proxy A-distances; 0.5 where there are too
/// few rows or nothing is apart.
fn estimated_balance(
    task: &Task,
    source: MatRef<'_, f64>,
    target: MatRef<'_, f64>,
    pseudo: &[usize],
    context: &mut Context,
) -> Result<f64> {
    let of = task.source.labels.classes();
    if of.len().min(pseudo.len()) < FEWEST {
        return Ok(0.5);
    }
    let all = proxy_a_distance(&source.to_owned(), &target.to_owned(), FOLDS, context)?.value;
    let rows = |of: &[usize], class: usize| (0..of.len()).filter(|&i| of[i] == class).collect::<Vec<_>>();
    let mut by_class = Vec::new();
    for class in task.source_classes() {
        let (own_s, own_t) = (rows(of, class), rows(pseudo, class));
        if own_s.len().min(own_t.len()) >= FEWEST {
            let (own_s, own_t) = (select_rows(source, &own_s), select_rows(target, &own_t));
            by_class.push(proxy_a_distance(&own_s, &own_t, FOLDS, context)?.value);
        }
    }
    let mean = by_class.iter().sum::<f64>() / by_class.len().max(1) as f64;
    if by_class.is_empty() || all + mean == 0.0 {
        return Ok(0.5);
    }
    Ok(mean / (all + mean))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::from_rows;
    use crate::solvers::joint_discrepancies;

    fn task() -> Task {
        let goal = Goal::Classes(vec!["a".into(), "b".into(), "c".into()]);
        let source = Domain::labelled("s", from_rows(&vec![vec![1.0]; 4]), Labels::Classes(vec![0, 0, 2, 0]));
        Task::new(vec![source], Domain::unlabelled("t", from_rows(&vec![vec![1.0]; 2]), &goal), goal).unwrap()
    }

    #[test]
    fn half_is_joint_distribution_adaptation_up_to_scale() {
        let v = Bda::default().discrepancies(&task(), &[0, 2], 0.5);
        let joint = joint_discrepancies(&[0, 0, 2, 0], &[0, 2], &[0, 2]);
        assert!((v * faer::Scale(2f64.sqrt()) - joint).norm_max() < 1e-15);
    }

    /// Shares 3/4 and 1/4 in the source, 1/2 and 1/2 in the target.
    #[test]
    fn weighted_discrepancies_by_hand() {
        let bda = Bda { weighted: true, ..Bda::default() };
        let v = bda.discrepancies(&task(), &[0, 2], 0.36);
        let (three, half) = (0.75f64.sqrt(), 0.5f64.sqrt());
        let expected = from_rows(&[
            vec![0.8 * 2f64.sqrt() / 4.0, 0.6 * three / 3.0, 0.0],
            vec![0.8 * 2f64.sqrt() / 4.0, 0.6 * three / 3.0, 0.0],
            vec![0.8 * 2f64.sqrt() / 4.0, 0.0, 0.6 * 0.5],
            vec![0.8 * 2f64.sqrt() / 4.0, 0.6 * three / 3.0, 0.0],
            vec![-0.8 * 2f64.sqrt() / 2.0, -0.6 * half, 0.0],
            vec![-0.8 * 2f64.sqrt() / 2.0, 0.0, -0.6 * half],
        ]);
        assert!((v - expected).norm_max() < 1e-15);
    }

    /// The whole cloud moves and the classes keep their places within it: both distances are those of the shift. With
    /// equal domains nothing is apart.
    #[test]
    fn the_balance_is_estimated() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let x = |shift: f64| Matrix::from_fn(80, 2, |i, j| ((i * 37 + j * 11) % 41) as f64 / 20.0 + shift);
        let of: Vec<usize> = (0..80).map(|i| i % 2).collect();
        let source = Domain::labelled("s", x(0.0), Labels::Classes(of.clone()));
        let task = Task::new(vec![source], Domain::unlabelled("t", x(9.0), &goal), goal).unwrap();
        let context = &mut Context::default();
        let (near, far) = (x(0.0), x(9.0));
        assert_eq!(estimated_balance(&task, near.as_ref(), far.as_ref(), &of, context).unwrap(), 0.5);
        assert_eq!(
            estimated_balance(&task, near.as_ref(), far.as_ref(), &vec![0; 80], context).unwrap(),
            0.5
        );
        let balance = estimated_balance(&task, near.as_ref(), near.as_ref(), &of, context).unwrap();
        assert!((0.0..=1.0).contains(&balance));
        let bda = Bda { balance: None, iterations: 3, ..Bda::default() };
        assert!(bda.adapt(&task, &NearestNeighbor::default(), context).is_ok());
    }
}
