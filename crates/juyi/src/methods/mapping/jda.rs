//! Joint distribution adaptation: a projection in which the domains' means agree, over all rows and class by class,
//! with pseudo-labels for the target that are renewed in each round.
//!
//! When: many columns, classes that shift in different ways, and a first guess that is better than chance. It hurts
//! where the first guess is wrong, because it then pulls the wrong classes together.
//!
//! Paper: M. Long, J. Wang, G. Ding, J. Sun, P. Yu, "Transfer feature learning with joint distribution adaptation", ICCV 2013
//!
//! ```text
//! K H K a = mu (K M K + lambda I) a,   M ~ C e eᵀ + Σ_c e_c e_cᵀ,   |M| = 1
//! e_c,i = 1/n_s^c (source rows of class c), -1/n_t^c (target rows of pseudo-class c)
//! ```
//! (eq. 9; see [`JointEmbedding`] for how it is solved and scaled.) Round 1 has no class terms; each round's
//! pseudo-labels come from the learner trained on the embedded source rows.
//!
//! Where we differ: labelled target rows keep their labels in every round. Rows are normalised before and after the
//! projection, as the authors' code does.
//!
//! Cost: that of transfer component analysis, the solve and the learner `iterations` times.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::normalize_rows_l2;
use crate::methods::pseudo_labels::pseudo_labels;
use crate::methods::{Adapted, Adapter, Family, Goals, Grid, MethodRow, Needs, count, make, must, params_of};
use crate::models::{Map, apply_all};
use crate::solvers::{JointEmbedding, Kernel, joint_discrepancies, marginal_discrepancy};

/// Parameters of joint distribution adaptation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Jda {
    /// linear, primal or rbf: what the penalty and the similarity are taken in.
    pub kernel: Kernel,
    /// Dimensions of the embedding, k. 1 to 1000000; no more than the rank of the pooled rows are used.
    pub components: usize,
    /// Weight of the penalty on directions, lambda. Above 0.
    pub regularization: f64,
    /// Rounds of pseudo-labels. 1 to 1000; 1 is transfer component analysis.
    pub iterations: usize,
    /// Width of the rbf kernel on rows of unit length. Above 0; by default the median distance of rows.
    pub bandwidth: Option<f64>,
}

impl Default for Jda {
    fn default() -> Self {
        Self { kernel: Kernel::Primal, components: 100, regularization: 0.1, iterations: 10, bandwidth: None }
    }
}

impl Jda {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "jda",
        family: Family::Mapping,
        summary: "projects to where the means agree class by class, with pseudo-labels for the target",
        when: "many columns, classes that shift differently, a baseline that is better than guessing",
        paper: "M. Long, J. Wang, G. Ding, J. Sun, P. Yu, \"Transfer feature learning with joint distribution adaptation\", ICCV 2013",
        needs: Needs { goals: Goals::Classes, directions: true, ..Needs::NOTHING },
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::of(&["{}"]),
        most_rows: 100_000,
        source: include_str!("jda.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Jda {
    fn check(&self) -> Result<()> {
        count("jda", "components", self.components, 1..=1_000_000)?;
        let finite = self.regularization.is_finite();
        must("jda", "regularization", finite && self.regularization > 0.0, "above 0", self.regularization)?;
        count("jda", "iterations", self.iterations, 1..=1_000)?;
        let width = self.bandwidth.unwrap_or(1.0);
        must("jda", "bandwidth", width > 0.0 && width.is_finite(), "above 0", width)
    }

    fn adapt<'a>(&self, task: &'a Task, learner: &dyn Learner, context: &mut Context) -> Result<Adapted<'a>> {
        let (n_s, n_t) = (task.source.rows(), task.target.rows());
        let (labels, present) = (task.source.labels.classes(), task.source_classes());
        let mut pooled = task.pooled();
        normalize_rows_l2(pooled.as_mut());
        let mut embedding =
            JointEmbedding::new("jda", pooled.as_ref(), self.kernel, self.bandwidth, context)?;
        let components = embedding.components("jda", self.components, context);
        let mut pseudo: Option<Vec<usize>> = None;
        for round in 1.. {
            context.progress("jda", round - 1, self.iterations);
            let v = match &pseudo {
                None => marginal_discrepancy(n_s, n_t),
                Some(pseudo) => joint_discrepancies(labels, pseudo, &present),
            };
            let project: Map = embedding.solve("jda", &v, components, self.regularization, context)?.into();
            let target_map = vec![Map::NormalizeRowsL2, project, Map::NormalizeRowsL2];
            if round == self.iterations {
                let source = Cow::Owned(apply_all(&target_map, task.source.features.as_ref()));
                return Ok(Adapted { source, weights: None, target_map });
            }
            let embedded = apply_all(&target_map[1..], pooled.as_ref());
            let (above, below) = embedded.as_ref().split_at_row(n_s);
            pseudo = Some(pseudo_labels(task, above, below, learner, context)?);
        }
        unreachable!("the last round returns")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::from_rows;

    /// Columns: a shift between the domains, the class. With the first guess right, the class stays.
    #[test]
    fn the_shifted_direction_is_given_up() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = from_rows(&[vec![1.0, 1.0], vec![1.0, -1.0], vec![1.0, 1.1], vec![1.0, -1.1]]);
        let target = from_rows(&[vec![-1.0, 1.0], vec![-1.0, -1.0], vec![-1.0, 1.1], vec![-1.0, -1.1]]);
        let source = Domain::labelled("s", source, Labels::Classes(vec![0, 1, 0, 1]));
        let task = Task::new(vec![source], Domain::unlabelled("t", target, &goal), goal).unwrap();
        let jda = Jda { components: 1, regularization: 0.01, iterations: 3, ..Jda::default() };
        let adapted = jda.adapt(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
        let Map::Project { matrix } = &adapted.target_map[1] else { panic!("a linear projection") };
        assert!(matrix[(0, 0)].abs() < 1e-12 && (matrix[(1, 0)].abs() - 1.0).abs() < 1e-12, "{matrix:?}");
    }
}
