//! Informative Gaussian prior: several source models tell which directions of the weights matter and which go together,
//! and the target's few rows are fitted under that prior.
//!
//! When: several related source tasks (or one with several classes) and few labelled target rows; the models may come
//! from files, without their rows. It hurts where the target's rule uses columns that no source uses.
//!
//! Paper: R. Raina, A. Y. Ng, D. Koller, "Constructing informative priors using transfer learning", ICML 2006
//!
//! ```text
//! w ~ N(0, Σ),   Σ = (1 - shrinkage) M + shrinkage (tr M / d) I,   M = mean over sources and classes of w_s w_sᵀ
//! min wᵀ Σ⁻¹ w / 2 + Σ_i loss(y_i, x_i w + b)      over the labelled target rows, b free                 (eq. 3)
//! ```
//! With `w = Σ^½ u` it is an ordinary penalised fit on rows `x Σ^½`; `M` has few directions, so `Σ` is never formed.
//!
//! Where we differ: the paper learns each entry of `Σ` as a function of features of words, from many small tasks, and
//! takes the sampling error of the weights off by a bootstrap; here `Σ` is the second moment of the source models'
//! weights, drawn towards a sphere by `shrinkage`. Squares and the hinge serve beside the logistic loss.
//!
//! Cost: `O(d k²)` for `k` weight vectors of the sources, `O(n d k)` for the rows, then a linear learner on the labelled
//! target rows, `O(n d min(n, d))`.

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model_of_each_source;
use crate::context::Context;
use crate::data::{Domain, Goal, Task};
use crate::error::{Error, Result};
use crate::learners::{Learner, Loss, Trained, correct};
use crate::linalg::{Matrix, add_product, multiply, thin_svd};
use crate::methods::{
    Family, Fitted, Grid, LabelUse, Method, MethodRow, Needs, SourceModel, SourceNeed, Sources, make, must,
    params_of,
};
use crate::models::{Link, Map, Predictor, apply_all};

/// Parameters of the informative Gaussian prior.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GaussianPrior {
    /// How far the prior's covariance is drawn towards a sphere. Above 0, at most 1; 1 forgets the sources' directions
    /// and keeps the size of their weights.
    pub shrinkage: f64,
    /// Weight of the prior against errors on the target rows. Above 0.
    pub penalty: f64,
}

impl Default for GaussianPrior {
    fn default() -> Self {
        Self { shrinkage: 0.5, penalty: 1.0 }
    }
}

impl GaussianPrior {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "gaussian-prior",
        family: Family::Prior,
        summary: "fits the labelled target rows under a Gaussian prior that the source models' weights tell",
        when: "several linear source models (their rows are not needed) and a few labelled target rows",
        paper: "R. Raina, A. Y. Ng, D. Koller, \"Constructing informative priors using transfer learning\", ICML 2006",
        needs: Needs {
            target_labels: LabelUse::Required,
            source: SourceNeed::RowsOrModel,
            sources: Sources::Apart,
            ..Needs::NOTHING
        },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::of(&["{}"]),
        most_rows: usize::MAX,
        source: include_str!("gaussian_prior.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for GaussianPrior {
    fn check(&self) -> Result<()> {
        let (name, shrinkage) = (Self::ROW.name, self.shrinkage);
        must(name, "shrinkage", shrinkage > 0.0 && shrinkage <= 1.0, "above 0 and at most 1", shrinkage)?;
        let holds = self.penalty > 0.0 && self.penalty.is_finite();
        must(name, "penalty", holds, "above 0", self.penalty)
    }

    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let sources = model_of_each_source(task, learner, context)?;
        self.refine(&sources, &task.target, &task.goal, learner, context)
    }

    fn refine(
        &self,
        sources: &[SourceModel],
        target: &Domain,
        goal: &Goal,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Fitted> {
        let rows = target.labelled_features();
        let (maps, vectors, softmax) = shared_weights(sources, target.features.ncols())?;
        let rows = apply_all(&maps, rows.as_ref());
        let prior = Prior::new(&vectors, self.shrinkage)?;
        let classes = goal.classes();
        let loss = match classes {
            0 => Loss::Squares,
            _ if softmax => Loss::Logistic,
            _ => Loss::Hinge,
        };
        let start = Matrix::zeros(rows.nrows(), classes.max(1));
        let turned = prior.root_times(rows.as_ref());
        let (u, bias) =
            correct(loss, turned.as_ref(), &target.labels, classes, start.as_ref(), self.penalty, context)?;
        let weights = prior.root_times(u.transpose()).transpose().to_owned(); // the root is symmetric
        let link = if loss == Loss::Logistic { Link::Softmax } else { Link::Identity };
        let predictor = Predictor::Linear { link, weights, bias };
        let trained = Trained { predictor, classes: (0..classes).collect() };
        Ok(Fitted { maps, trained, moved: None, weights: None })
    }
}

/// The maps of the first model, all weight vectors of all models in its space `(d, k)`, and whether all are logistic.
/// Models whose maps scale and shift columns are brought there; of others the maps must be the same.
fn shared_weights(sources: &[SourceModel], columns: usize) -> Result<(Vec<Map>, Matrix, bool)> {
    let name = GaussianPrior::ROW.name;
    let unsuited = |problem: String, hint: &str| {
        Err(Error::Unsuited { method: name.into(), problem, hint: hint.into() })
    };
    let first = &sources[0];
    let common = column_scales(&first.maps, columns);
    let (mut vectors, mut softmax) = (Vec::new(), true);
    for source in sources {
        let Predictor::Linear { link, weights, .. } = &source.trained.predictor else {
            let hint = "train the sources with `‹learner logistic›`, `svm` or `ridge`";
            return unsuited(format!("`{}` is not a linear model", source.name), hint);
        };
        softmax &= *link == Link::Softmax;
        let scale = match (&common, column_scales(&source.maps, columns)) {
            (Some(common), Some(own)) => {
                common.iter().zip(own).map(|(c, own)| if *c == 0.0 { 0.0 } else { own / c }).collect()
            }
            _ if sources.len() == 1 => vec![1.0; weights.nrows()],
            _ => {
                let hint = "fit the sources with `‹preprocess standardize›` or `none`";
                return unsuited(format!("`{}` maps its rows to a space of its own", source.name), hint);
            }
        };
        for column in weights.col_iter() {
            vectors.push(column.iter().zip(&scale).map(|(w, s)| w * s).collect::<Vec<f64>>());
        }
    }
    let matrix = Mat::from_fn(vectors[0].len(), vectors.len(), |j, k| vectors[k][j]);
    Ok((first.maps.clone(), matrix, softmax))
}

/// By what the maps multiply each column; `None` if they do more than to scale and shift.
fn column_scales(maps: &[Map], columns: usize) -> Option<Vec<f64>> {
    maps.iter().try_fold(vec![1.0; columns], |scales, map| match map {
        Map::Affine { scale, .. } => {
            Some(scales.iter().enumerate().map(|(j, s)| s * scale[(0, j)]).collect())
        }
        _ => None,
    })
}

/// `Σ^½ = a I + U diag(b) Uᵀ`.
struct Prior {
    a: f64,
    b: Vec<f64>,
    /// `(d, r)`, orthonormal columns.
    directions: Matrix,
}

impl Prior {
    /// From weight vectors `(d, k)`; vectors of zeros give the unit sphere.
    fn new(vectors: &Matrix, shrinkage: f64) -> Result<Self> {
        let (d, k) = vectors.shape();
        let (directions, s, _) = thin_svd(vectors.as_ref())?;
        let moments: Vec<f64> = s.iter().map(|s| s * s / k as f64).collect();
        let mean = moments.iter().sum::<f64>() / d as f64;
        if mean == 0.0 {
            return Ok(Self { a: 1.0, b: vec![0.0; s.len()], directions });
        }
        let a = (shrinkage * mean).sqrt();
        let b = moments.iter().map(|m| ((1.0 - shrinkage) * m + shrinkage * mean).sqrt() - a).collect();
        Ok(Self { a, b, directions })
    }

    /// `x Σ^½` for rows `(n, d)`.
    fn root_times(&self, x: MatRef<'_, f64>) -> Matrix {
        let mut along = multiply(x, self.directions.as_ref());
        for (k, b) in self.b.iter().enumerate() {
            along.col_mut(k).iter_mut().for_each(|v| *v *= b);
        }
        let mut out = Mat::from_fn(x.nrows(), x.ncols(), |i, j| self.a * x[(i, j)]);
        add_product(out.as_mut(), along.as_ref(), self.directions.transpose(), 1.0);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;
    use crate::learners::Ridge;
    use crate::linalg::from_rows;

    fn line(weights: &[f64]) -> SourceModel {
        let predictor = Predictor::Linear {
            link: Link::Identity,
            weights: Mat::from_fn(weights.len(), 1, |j, _| weights[j]),
            bias: Mat::zeros(1, 1),
        };
        let trained = Trained { predictor, classes: Vec::new() };
        SourceModel { name: "s".into(), maps: Vec::new(), trained }
    }

    /// Sources with weights (2, 0) and (-2, 0): M = diag(4, 0), Σ = diag(3, 1) at half shrinkage. For one target row
    /// x = (1, 1) beside its mirror image the fit of y = ±c under the penalty `wᵀ Σ⁻¹ w` has weights along Σ x.
    #[test]
    fn two_sources_by_hand() {
        let sources = [line(&[2.0, 0.0]), line(&[-2.0, 0.0])];
        let labels = Labels::Values(vec![5.0, -5.0]);
        let target = Domain::labelled("t", from_rows(&[vec![1.0, 1.0], vec![-1.0, -1.0]]), labels);
        let method = GaussianPrior { shrinkage: 0.5, penalty: 2.0 };
        let context = &mut Context::default();
        let fitted = method.refine(&sources, &target, &Goal::Value, &Ridge::default(), context).unwrap();
        let Predictor::Linear { weights, .. } = fitted.trained.predictor else { panic!("a line") };
        // w = Σ x t with (2 xᵀ Σ x + 2) t = 2 · 5: t = 10 / (2 · 4 + 2) = 1.
        assert!(
            (weights[(0, 0)] - 3.0).abs() < 1e-12 && (weights[(1, 0)] - 1.0).abs() < 1e-12,
            "{weights:?}"
        );
    }

    #[test]
    fn models_of_rows_in_other_units_are_brought_together() {
        let affine = |scale: f64| Map::Affine { shift: Mat::zeros(1, 1), scale: from_rows(&[vec![scale]]) };
        let (mut one, mut other) = (line(&[6.0]), line(&[3.0]));
        one.maps.push(affine(0.5));
        other.maps.push(affine(1.0));
        let (_, vectors, softmax) = shared_weights(&[one.clone(), other], 1).unwrap();
        assert_eq!((vectors, softmax), (from_rows(&[vec![6.0, 6.0]]), false));
        let mut turned = line(&[3.0]);
        turned.maps.push(Map::NormalizeRowsL2);
        let refused = shared_weights(&[one, turned], 1).unwrap_err().to_string();
        assert!(refused.contains("a space of its own"), "{refused}");
    }
}
