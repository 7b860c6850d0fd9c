//! Prior correction: the probabilities that a classifier gives, corrected for the shares of the classes in the target,
//! which are those that make the target's rows most likely.
//!
//! When: the same kinds of rows in other shares, as of a disease in another season: `p(x | y)` is unchanged. It hurts where
//! rows of a class look different in the target, and where probabilities are far from what they say.
//!
//! Paper: M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities: a simple procedure", Neural Computation 2002
//!
//! ```text
//! p'(j | x) = (q_j / p_j) p(j | x) / Σ_k (q_k / p_k) p(k | x)                                (equation 2.4)
//! q = argmax Σ_i ln Σ_j (q_j / p_j) p(j | x_i)      over target rows, q ≥ 0, Σ q = 1          (section 2.2)
//! ```
//! Probabilities must be calibrated for that. So scores `z` of source rows are taken from learners that did not see them
//! (`folds`), and by bias-corrected temperature scaling (A. Alexandari, A. Kundaje, A. Shrikumar, ICML 2020)
//! ```text
//! p(j | x) ∝ exp(a z_j + b_j),   min_{a, b} -Σ_i ln p(y_i | x_i) + ((a - 1)² + |b|²) / 200
//! ```
//! after which `p_j` is the mean of `p(j | x)` over the source rows. Of scores that are shares `z` is the logarithm.
//!
//! Where we differ: the paper climbs to the maximum, which is the only one, by expectation and maximization; here an
//! interior-point method goes there. The small penalty keeps `a` finite where held-out rows are told apart without error.
//! A linear predictor takes the correction up into its weights and bias (`a w_j` and `a β_j + b_j + ln q_j / p_j`);
//! other forms have no place for it, and are trained again on source rows weighted by `q_j / p_j`.
//!
//! Cost: the learner's, `folds + 1` times and once more for forms that are not linear, on copies of the source rows.

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::{Learner, Trained, must_weigh, train};
use crate::linalg::{Matrix, column_means, select_rows};
use crate::methods::held_out::{ask_held_out, note_shares};
use crate::methods::{
    Carried, Family, Fitted, Goals, Grid, LabelUse, LearnerNeed, Method, MethodRow, Needs, count, make,
    params_of,
};
use crate::models::{Link, Predictor, predict, softmax_rows};
use crate::solvers::{Options, mean_one, minimize, most_likely_shares};

const NAME: &str = "prior-correction";

/// The smallest share of which a logarithm is taken: trees give shares of 0.
const LEAST_SHARE: f64 = 1e-3;

/// The smallest ratio of shares: a class may come back among new rows.
const LEAST_RATIO: f64 = 1e-9;

/// The weight of the penalty on a calibration, in rows.
const PULL: f64 = 0.01;

/// Parameters of prior correction.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PriorCorrection {
    /// Whether probabilities are calibrated on held-out source rows first. Without it they are taken as they are.
    pub calibrate: bool,
    /// Folds of the source rows for that, each of which is answered by a learner that was trained on the others. 2 to 100.
    pub folds: usize,
}

impl Default for PriorCorrection {
    fn default() -> Self {
        Self { calibrate: true, folds: 5 }
    }
}

impl PriorCorrection {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: NAME,
        family: Family::Predictor(Carried::Parameters),
        summary: "corrects a classifier's probabilities for the most likely shares of the classes in the target",
        when: "the same kinds of rows in other shares; a learner whose probabilities can be calibrated",
        paper: "M. Saerens, P. Latinne, C. Decaestecker, \"Adjusting the outputs of a classifier to new a priori probabilities: a simple procedure\", Neural Computation 2002",
        needs: Needs {
            goals: Goals::Classes,
            target_labels: LabelUse::Unused,
            learner: LearnerNeed::Weighs,
            ..Needs::NOTHING
        },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::of(&["{}"]),
        most_rows: usize::MAX,
        source: include_str!("prior_correction.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for PriorCorrection {
    fn check(&self) -> Result<()> {
        count(NAME, "folds", self.folds, 2..=100)
    }

    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        must_weigh(learner)?;
        let source = &task.source;
        let trained = train(learner, &source.features, &source.labels, None, &task.goal, context)?;
        let mut position = vec![0; task.goal.classes()];
        trained.classes.iter().enumerate().for_each(|(k, &class)| position[class] = k);
        let of: Vec<usize> = source.labels.classes().iter().map(|&class| position[class]).collect();
        let classes = trained.classes.len();
        let (calibration, source_shares) = if self.calibrate {
            let held_out = held_out_scores(self.folds, task, learner, &trained.classes, context)?;
            let calibration = Calibration::fitted(&held_out, &of);
            if calibration.scale == 0.0 {
                let text = "scores of held-out rows say nothing of their classes: nothing is corrected";
                context.warn(NAME, text);
                return Ok(fitted(trained));
            }
            (calibration.clone(), column_means(calibration.posteriors(held_out).as_ref()))
        } else {
            let mut shares = vec![0.0; classes];
            for &class in &of {
                shares[class] += 1.0 / of.len() as f64;
            }
            (Calibration { scale: 1.0, offsets: vec![0.0; classes] }, shares)
        };
        let posteriors =
            calibration.posteriors(scores(&trained.predictor, classes, task.target.features.as_ref()));
        let target_shares = most_likely_shares(posteriors.as_ref(), &source_shares);
        note_shares(NAME, task, &trained.classes, &source_shares, &target_shares, context);
        let ratios: Vec<f64> =
            target_shares.iter().zip(&source_shares).map(|(q, p)| (q / p).max(LEAST_RATIO)).collect();
        if let Predictor::Linear { weights, bias, .. } = &trained.predictor {
            let predictor = calibration.corrected(weights, bias, &ratios);
            return Ok(fitted(Trained { predictor, ..trained }));
        }
        let weights = mean_one(of.iter().map(|&class| ratios[class]).collect(), None);
        let again =
            train(learner, &source.features, &source.labels, weights.as_deref(), &task.goal, context)?;
        Ok(fitted(again))
    }
}

fn fitted(trained: Trained) -> Fitted {
    Fitted { maps: Vec::new(), trained, moved: None, weights: None }
}

/// Scores `(n, c)` of which the softmax is to be calibrated: those of a linear form as they are before their link, the
/// logarithms of shares, else the scores that there are.
fn scores(predictor: &Predictor, classes: usize, rows: MatRef<'_, f64>) -> Matrix {
    if classes == 1 {
        return Mat::zeros(rows.nrows(), 1);
    }
    if let Predictor::Linear { weights, bias, .. } = predictor {
        let before = Predictor::Linear { link: Link::Identity, weights: weights.clone(), bias: bias.clone() };
        return predict(&[], &before, rows).scores.expect("a linear form of two classes has scores");
    }
    let said = predict(&[], predictor, rows);
    let logarithm = |share: f64| share.max(LEAST_SHARE).ln();
    match said.scores {
        Some(shares) if predictor.scores_are_shares() => {
            Mat::from_fn(shares.nrows(), classes, |i, j| logarithm(shares[(i, j)]))
        }
        Some(scores) => scores,
        None => {
            let share = |i: usize, j: usize| f64::from(u8::from(said.answer[i] == j as f64));
            Mat::from_fn(rows.nrows(), classes, |i, j| logarithm(share(i, j)))
        }
    }
}

/// The scores `(n_s, c)` that source rows get of learners that did not see them. A class that such a learner does not know
/// scores as its least likely one.
fn held_out_scores(
    folds: usize,
    task: &Task,
    learner: &dyn Learner,
    classes: &[usize],
    context: &Context,
) -> Result<Matrix> {
    let mut all = Mat::zeros(task.source.rows(), classes.len());
    ask_held_out(NAME, task, learner, folds, context, |own, trained| {
        let rows = select_rows(task.source.features.as_ref(), own);
        let said = scores(&trained.predictor, trained.classes.len(), rows.as_ref());
        for (i, &row) in own.iter().enumerate() {
            let least = said.row(i).iter().copied().fold(f64::INFINITY, f64::min);
            for (j, class) in classes.iter().enumerate() {
                all[(row, j)] = trained.classes.binary_search(class).map_or(least, |k| said[(i, k)]);
            }
        }
        Ok(())
    })?;
    Ok(all)
}

/// Probabilities are the softmax of `scale z_j + offsets_j`.
#[derive(Debug, Clone)]
struct Calibration {
    scale: f64,
    offsets: Vec<f64>,
}

impl Calibration {
    /// That of the least loss on scores `(n, c)` of rows of these classes; a scale of 0 where no scale above it is better.
    fn fitted(scores: &Matrix, of: &[usize]) -> Self {
        let (n, c) = scores.shape();
        let objective = |at: &[f64], slopes: &mut [f64]| {
            let here = Self { scale: at[0], offsets: at[1..].to_vec() };
            let shares = here.posteriors(scores.clone());
            slopes[0] = PULL * (at[0] - 1.0);
            (0..c).for_each(|j| slopes[1 + j] = PULL * at[1 + j]);
            let mut loss = 0.5 * PULL * ((at[0] - 1.0).powi(2) + at[1..].iter().map(|b| b * b).sum::<f64>());
            for (i, &class) in of.iter().enumerate() {
                loss -= shares[(i, class)].max(f64::MIN_POSITIVE).ln();
                for j in 0..c {
                    let slope = shares[(i, j)] - f64::from(u8::from(j == class));
                    slopes[0] += slope * scores[(i, j)];
                    slopes[1 + j] += slope;
                }
            }
            loss
        };
        let start = [vec![1.0], vec![0.0; c]].concat();
        let found = minimize(start, objective, Options { tolerance: 1e-9 * n as f64, iterations: 500 }).point;
        Self { scale: found[0].max(0.0), offsets: found[1..].to_vec() }
    }

    fn posteriors(&self, mut scores: Matrix) -> Matrix {
        for (j, offset) in self.offsets.iter().enumerate() {
            scores.col_as_slice_mut(j).iter_mut().for_each(|z| *z = self.scale * *z + offset);
        }
        softmax_rows(&mut scores);
        scores
    }

    /// The linear form of the calibrated probabilities, corrected by ratios of shares.
    fn corrected(&self, weights: &Matrix, bias: &Matrix, ratios: &[f64]) -> Predictor {
        let bias = Mat::from_fn(1, bias.ncols(), |_, j| {
            self.scale * bias[(0, j)] + self.offsets[j] + ratios[j].ln()
        });
        let weights = Mat::from_fn(weights.nrows(), weights.ncols(), |i, j| self.scale * weights[(i, j)]);
        Predictor::Linear { link: Link::Softmax, weights, bias }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::{ClassMeans, DecisionTree, Logistic, Svm};
    use crate::linalg::from_rows;

    /// Rows at 0 and 1. In the source a fifth of each class lies where the other one does, `per_class` rows of each; in the
    /// target 13 of 20 rows lie at 0.
    fn task(per_class: usize) -> Task {
        let goal = Goal::Classes(["a", "b"].map(Into::into).to_vec());
        let x: Vec<Vec<f64>> =
            (0..2 * per_class).map(|i| vec![f64::from(u8::from((i < per_class) == (i % 5 == 0)))]).collect();
        let labels = Labels::Classes((0..2 * per_class).map(|i| i / per_class).collect());
        let target = from_rows(&(0..20).map(|i| vec![f64::from(u8::from(i >= 13))]).collect::<Vec<_>>());
        let source = Domain::labelled("s", from_rows(&x), labels);
        Task::new(vec![source], Domain::unlabelled("t", target, &goal), goal).unwrap()
    }

    fn shares(method: PriorCorrection, learner: &dyn Learner, task: &Task) -> Matrix {
        let fitted = method.fit(task, learner, &mut Context::default()).unwrap();
        let probe = from_rows(&[vec![0.0], vec![1.0]]);
        predict(&[], &fitted.trained.predictor, probe.as_ref()).scores.unwrap()
    }

    /// Posteriors of `a` are 4/5 and 1/5, of the target 0.65 = 0.8 q + 0.2 (1 - q) lie at 0: `q = 3/4`, and the posteriors
    /// become `0.6 / 0.65` and `0.15 / 0.35`.
    #[test]
    fn counted_by_hand() {
        let exact = Logistic { inverse_penalty: 1e12 };
        for calibrate in [false, true] {
            let found = shares(PriorCorrection { calibrate, folds: 5 }, &exact, &task(100));
            // Held-out folds are not of as many rows of each kind.
            let near = if calibrate { 1e-2 } else { 1e-8 };
            assert!((found[(0, 0)] - 0.6 / 0.65).abs() < near, "{calibrate}: {found:?}");
            assert!((found[(1, 0)] - 0.15 / 0.35).abs() < near, "{calibrate}: {found:?}");
        }
    }

    /// A margin becomes a probability: a svm ends as the softmax that logistic regression ends as.
    #[test]
    fn margins_are_calibrated() {
        let found = shares(PriorCorrection::default(), &Svm::default(), &task(100));
        assert!((found[(0, 0)] - 0.6 / 0.65).abs() < 1e-2, "{found:?}");
        assert!((found[(1, 0)] - 0.15 / 0.35).abs() < 1e-2, "{found:?}");
    }

    /// Trees are trained again on rows weighted by 3/2 and 1/2: of 80 and 20 rows at 0 they say `120 / 130`.
    #[test]
    fn forms_without_a_bias_are_trained_again() {
        let found = shares(PriorCorrection::default(), &DecisionTree::default(), &task(100));
        assert!((found[(0, 0)] - 120.0 / 130.0).abs() < 1e-2, "{found:?}");
    }

    /// Scores that are halved and moved are brought back, and the slopes of the loss are 0 there.
    #[test]
    fn a_calibration_undoes_scale_and_offsets() {
        // 9 of 10 rows with score 1, 4 of 10 with score 0 and 2 of 10 with score -1 are of class 0.
        let z = [1.0, 0.0, -1.0];
        let of: Vec<usize> =
            [9, 4, 2].iter().flat_map(|k| (0..10).map(move |i| usize::from(i >= *k))).collect();
        let scores = |scale: f64, offset: f64| {
            Mat::from_fn(30, 2, |i, j| if j == 0 { scale * z[i / 10] + offset } else { 0.0 })
        };
        let plain = Calibration::fitted(&scores(1.0, 0.0), &of).posteriors(scores(1.0, 0.0));
        let bent = Calibration::fitted(&scores(3.0, 1.0), &of).posteriors(scores(3.0, 1.0));
        for i in 0..30 {
            assert!((plain[(i, 0)] - bent[(i, 0)]).abs() < 3e-3, "{i}");
        }
        // With offsets the mean probability is the share, but for the penalty.
        assert!((column_means(plain.as_ref())[0] - 0.5).abs() < 1e-3);
        let turned = Calibration::fitted(&scores(-1.0, 0.0), &of);
        assert_eq!(turned.scale, 0.0);
    }

    #[test]
    fn rows_told_apart_without_error_and_scores_that_say_nothing_end_in_finite_models() {
        let goal = Goal::Classes(["a", "b"].map(Into::into).to_vec());
        let fit = |source: &dyn Fn(usize) -> f64, learner: &dyn Learner| {
            let rows = from_rows(&(0..20).map(|i| vec![source(i)]).collect::<Vec<_>>());
            let labels = Labels::Classes((0..20).map(|i| i / 10).collect());
            let target = Domain::unlabelled("t", rows.get(..3, ..).to_owned(), &goal);
            let task = Task::new(vec![Domain::labelled("s", rows, labels)], target, goal.clone()).unwrap();
            let found = PriorCorrection::default().fit(&task, learner, &mut Context::default()).unwrap();
            let said = predict(&[], &found.trained.predictor, task.target.features.as_ref());
            assert!(said.not_finite().is_none());
            said.answer
        };
        for learner in [&Logistic::default() as &dyn Learner, &ClassMeans, &DecisionTree::default()] {
            assert_eq!(fit(&|i| if i < 10 { 0.0 } else { 10.0 }, learner), [0.0; 3], "{}", learner.name());
            fit(&|i| (i % 10) as f64, learner);
        }
    }
}
