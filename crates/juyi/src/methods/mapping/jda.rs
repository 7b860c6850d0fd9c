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

use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::{Learner, train};
use crate::linalg::{Matrix, normalize_rows_l2, select_rows, stack};
use crate::methods::{Adapted, Adapter, MethodRow, Needs, make, must, params_of};
use crate::models::{Map, apply_all, predict};
use crate::solvers::{JointEmbedding, Kernel, marginal_discrepancy};

/// Parameters of joint distribution adaptation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Jda {
    /// linear, primal or rbf: what the penalty and the similarity are taken in.
    pub kernel: Kernel,
    /// Dimensions of the embedding, k. 1 or above; no more than the rank of the pooled rows are used.
    pub components: usize,
    /// Weight of the penalty on directions, lambda. Above 0.
    pub regularization: f64,
    /// Rounds of pseudo-labels. 1 or above; 1 is transfer component analysis.
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
        family: "mapping",
        summary: "projects to where the means agree class by class, with pseudo-labels for the target",
        when: "many columns, classes that shift differently, a baseline that is better than guessing",
        paper: "M. Long, J. Wang, G. Ding, J. Sun, P. Yu, \"Transfer feature learning with joint distribution adaptation\", ICCV 2013",
        needs: Needs { classes: true, ..Needs::NOTHING },
        trains_learner: true,
        learner: "1-nn",
        grid: &["{}", r#"{"components": 10}"#],
        most_rows: 100_000,
        source: include_str!("jda.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Jda {
    fn check(&self) -> Result<()> {
        must("jda", "components", self.components >= 1, "1 or above", self.components)?;
        let finite = self.regularization.is_finite();
        must("jda", "regularization", finite && self.regularization > 0.0, "above 0", self.regularization)?;
        must("jda", "iterations", self.iterations >= 1, "1 or above", self.iterations)?;
        let width = self.bandwidth.unwrap_or(1.0);
        must("jda", "bandwidth", width > 0.0 && width.is_finite(), "above 0", width)
    }

    fn adapt<'a>(&self, task: &'a Task, learner: &dyn Learner, context: &mut Context) -> Result<Adapted<'a>> {
        let n_s = task.source.rows();
        let mut pooled = task.pooled();
        normalize_rows_l2(pooled.as_mut());
        let mut embedding =
            JointEmbedding::new("jda", pooled.as_ref(), self.kernel, self.bandwidth, context)?;
        let components = embedding.components("jda", self.components, context);
        let mut pseudo: Option<Vec<usize>> = None;
        for round in 1.. {
            context.progress("jda", round - 1, self.iterations);
            let v = discrepancies(task, pseudo.as_deref());
            let project: Map = embedding.solve("jda", &v, components, self.regularization, context)?.into();
            let target_map = vec![Map::NormalizeRowsL2, project, Map::NormalizeRowsL2];
            if round == self.iterations {
                let source = Cow::Owned(apply_all(&target_map, task.source.features.as_ref()));
                return Ok(Adapted { source, weights: None, target_map });
            }
            let embedded = apply_all(&target_map[1..], pooled.as_ref());
            pseudo = Some(pseudo_labels(task, &embedded, n_s, learner, context)?);
        }
        unreachable!("the last round returns")
    }
}

/// `(n_s + n_t, 1 + classes)`: the marginal vector times the root of the number of classes, then one vector a class.
/// A class without target rows keeps its source half, as in the authors' code.
fn discrepancies(task: &Task, pseudo: Option<&[usize]>) -> Matrix {
    let (n_s, n_t) = (task.source.rows(), task.target.rows());
    let present = task.source_classes();
    let marginal = marginal_discrepancy(n_s, n_t);
    let Some(pseudo) = pseudo else { return marginal };
    let source = task.source.labels.classes();
    let mut v = Mat::zeros(n_s + n_t, 1 + present.len());
    let root = (present.len() as f64).sqrt();
    v.col_mut(0).iter_mut().zip(marginal.col(0).iter()).for_each(|(v, e)| *v = root * e);
    for (k, &class) in present.iter().enumerate() {
        let count = |of: &[usize]| of.iter().filter(|&&c| c == class).count() as f64;
        let (in_source, in_target) = (count(source), count(pseudo));
        for (i, &c) in source.iter().enumerate() {
            if c == class {
                v[(i, k + 1)] = 1.0 / in_source;
            }
        }
        for (i, &c) in pseudo.iter().enumerate() {
            if c == class {
                v[(n_s + i, k + 1)] = -1.0 / in_target;
            }
        }
    }
    v
}

/// The learner's classes for the target rows of `embedded` (source rows above target rows); labelled target rows are
/// trained on and keep their labels.
fn pseudo_labels(
    task: &Task,
    embedded: &Matrix,
    n_s: usize,
    learner: &dyn Learner,
    context: &mut Context,
) -> Result<Vec<usize>> {
    let (source, target) = embedded.as_ref().split_at_row(n_s);
    let own = select_rows(target, &task.target.labelled);
    let labels = task.source.labels.chain(&task.target.labels);
    let trained = train(learner, &stack(source, own.as_ref()), &labels, None, &task.goal, context)?;
    let answers = predict(&[], &trained.predictor, target);
    let mut pseudo: Vec<usize> = answers.answer.iter().map(|c| trained.classes[*c as usize]).collect();
    for (&row, &class) in task.target.labelled.iter().zip(task.target.labels.classes()) {
        pseudo[row] = class;
    }
    Ok(pseudo)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::linalg::from_rows;

    fn task() -> Task {
        let goal = Goal::Classes(vec!["a".into(), "b".into(), "c".into()]);
        let source = Domain::labelled("s", from_rows(&vec![vec![1.0]; 3]), Labels::Classes(vec![0, 0, 2]));
        Task::new(vec![source], Domain::unlabelled("t", from_rows(&vec![vec![1.0]; 2]), &goal), goal).unwrap()
    }

    #[test]
    fn discrepancies_by_hand() {
        assert_eq!(discrepancies(&task(), None).ncols(), 1);
        let v = discrepancies(&task(), Some(&[0, 0]));
        let root = 2f64.sqrt();
        let expected = from_rows(&[
            vec![root * (1.0 / 3.0), 0.5, 0.0],
            vec![root * (1.0 / 3.0), 0.5, 0.0],
            vec![root * (1.0 / 3.0), 0.0, 1.0], // class c has no target row: its source half stays
            vec![root * -0.5, -0.5, 0.0],
            vec![root * -0.5, -0.5, 0.0],
        ]);
        assert_eq!(v, expected);
    }
}
