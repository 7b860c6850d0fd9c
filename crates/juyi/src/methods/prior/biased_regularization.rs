//! Biased regularisation: the target's model is penalised for leaving the source's instead of for leaving zero.
//!
//! When: a source model and a few labelled target rows, fewer than would serve on their own; the model may come from a
//! file, without its rows. It hurts where the target follows another rule altogether: then a small `penalty` or a model
//! of the target alone is better.
//!
//! Paper: C. Chelba, A. Acero, "Adaptation of maximum entropy capitalizer: little data can help a lot", EMNLP 2004
//!
//! ```text
//! min penalty |W - W_s|² / 2 + Σ_i loss(y_i, x_i W + b)      over the labelled target rows, b free      (eq. 3)
//! ```
//! which is a correction `V = W - W_s` added to the scores `x W_s + b_s`. For a source model `g` that is not linear the
//! same correction is added to what it says, as adaptive support vector machines do (J. Yang, R. Yan, A. G. Hauptmann,
//! "Cross-domain video concept detection using adaptive SVMs", ACM MM 2007, eq. 4):
//! ```text
//! f(x) = g(x) + x V + b
//! ```
//! The loss is that of the source model: logistic for probabilities, the hinge for margins and for models that are not
//! linear, squares for numbers.
//!
//! Where we differ: the hinge is squared, and its bias is penalised as in the learner `svm`; several classes are one
//! against the rest. A model that is not linear says -1 or 1, or in between as its classes' shares are.
//!
//! Cost: that of a linear learner on the labelled target rows alone, `O(n d min(n, d))` time and `O(min(n, d)²)` memory.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::starting_scores::StartingScores;
use super::{model_of_source, only_model};
use crate::context::Context;
use crate::data::{Domain, Goal, Task};
use crate::error::{Error, Result};
use crate::learners::{Learner, Loss, Trained, correct};
use crate::methods::{
    Family, Fitted, Grid, LabelUse, Method, MethodRow, Needs, SourceModel, SourceNeed, Sources, make, must,
    params_of,
};
use crate::models::{Link, Predictor, apply_all};

/// Parameters of biased regularisation.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BiasedRegularization {
    /// How much leaving the source's weights counts against errors on the target rows. Above 0; large keeps the source
    /// model, small forgets it.
    pub penalty: f64,
    /// squares, logistic or hinge; by default the source model's own.
    pub loss: Option<Loss>,
}

impl Default for BiasedRegularization {
    fn default() -> Self {
        Self { penalty: 1.0, loss: None }
    }
}

impl BiasedRegularization {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "biased-regularization",
        family: Family::Prior,
        summary: "fits the labelled target rows with a penalty for leaving the source model",
        when: "a source model (its rows are not needed) and a few labelled target rows",
        paper: "C. Chelba, A. Acero, \"Adaptation of maximum entropy capitalizer: little data can help a lot\", EMNLP 2004",
        needs: Needs {
            target_labels: LabelUse::Required,
            source: SourceNeed::RowsOrModel,
            sources: Sources::OneModel,
            ..Needs::NOTHING
        },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::of(&["{}", r#"{"penalty": 0.1}"#, r#"{"penalty": 10}"#]),
        most_rows: usize::MAX,
        source: include_str!("biased_regularization.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for BiasedRegularization {
    fn check(&self) -> Result<()> {
        let holds = self.penalty > 0.0 && self.penalty.is_finite();
        must(Self::ROW.name, "penalty", holds, "above 0", self.penalty)
    }

    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let source = model_of_source(task, learner, context)?;
        self.refine(&[source], &task.target, &task.goal, learner, context)
    }

    fn refine(
        &self,
        sources: &[SourceModel],
        target: &Domain,
        goal: &Goal,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Fitted> {
        let SourceModel { maps, trained, .. } = only_model(Self::ROW.name, sources)?;
        let rows = apply_all(maps, target.labelled_features().as_ref());
        let classes = goal.classes();
        let loss = self.loss.unwrap_or(match &trained.predictor {
            _ if classes == 0 => Loss::Squares,
            Predictor::Linear { link: Link::Softmax, .. } => Loss::Logistic,
            _ => Loss::Hinge,
        });
        let start = StartingScores::new(Self::ROW.name, trained, loss, classes, rows.ncols())?;
        let scores = start.of(rows.as_ref());
        let (weights, bias) =
            correct(loss, rows.as_ref(), &target.labels, classes, scores.as_ref(), self.penalty, context)?;
        let predictor = start.corrected(&weights, &bias);
        predictor.check(rows.ncols(), classes).map_err(|problem| Error::Unsuited {
            method: Self::ROW.name.into(),
            problem: format!("cannot stand on this source model: {problem}"),
            hint: "refine the model that it was made from".into(),
        })?;
        let trained = Trained { predictor, classes: (0..classes).collect() };
        Ok(Fitted { maps: maps.clone(), trained, moved: None, weights: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;
    use crate::learners::Ridge;
    use crate::linalg::from_rows;

    /// The source says y = 2 x. Target rows (-1, -1) and (1, 1) leave residuals 1 and -1, so the correction is
    /// `-2 / (2 + penalty)`.
    #[test]
    fn a_line_by_hand() {
        let source = Predictor::Linear {
            link: Link::Identity,
            weights: from_rows(&[vec![2.0]]),
            bias: from_rows(&[vec![0.0]]),
        };
        let source = SourceModel {
            name: "s".into(),
            maps: Vec::new(),
            trained: Trained { predictor: source, classes: Vec::new() },
        };
        let labels = Labels::Values(vec![-1.0, 1.0]);
        let target = Domain::labelled("t", from_rows(&[vec![-1.0], vec![1.0]]), labels);
        for (penalty, slope) in [(2.0, 1.5), (1e-9, 1.0), (1e9, 2.0)] {
            let method = BiasedRegularization { penalty, loss: None };
            let context = &mut Context::default();
            let fitted = method
                .refine(std::slice::from_ref(&source), &target, &Goal::Value, &Ridge::default(), context)
                .unwrap();
            let Predictor::Linear { weights, .. } = fitted.trained.predictor else { panic!("a line") };
            assert!((weights[(0, 0)] - slope).abs() < 1e-6, "{penalty}: {weights:?}");
        }
    }

    #[test]
    fn several_models_are_refused() {
        let refused = only_model("biased-regularization", &[]).unwrap_err();
        assert!(refused.to_string().contains("refines one model, and there are 0"));
    }
}
