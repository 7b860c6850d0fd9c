//! Validators as rows.

use std::fmt::{Display, Write};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map as JsonMap, Value};

use super::VALIDATORS;
use super::evidence::{Evidence, Need};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::heads::{head, page};
use crate::linalg::Matrix;
use crate::models::{Answers, softmax_rows};
use crate::params::{ParamInfo, asked, check_names, markdown, of_owner, read_params};

/// Orders candidates without a label of the target.
pub trait Validator: Send + Sync {
    /// Its row in the registry.
    fn row(&self) -> &'static ValidatorRow;

    /// The score of a candidate, the larger the better; only differences between candidates of one task mean something.
    ///
    /// # Errors
    /// [`Error::Param`] for a parameter out of its range; [`Error::Input`] where what its row needs is not given;
    /// [`Error::Numeric`] if a decomposition does not converge.
    fn score(&self, of: &Evidence<'_>, context: &mut Context) -> Result<f64>;
}

/// Makes a validator from given parameters.
type Make = fn(&JsonMap<String, Value>) -> Result<Box<dyn Validator>>;

/// What is known of a validator without using it.
pub struct ValidatorRow {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Whether it orders candidates that predict numbers as well.
    pub values: bool,
    /// What it must be shown beside the answers.
    pub needs: &'static [Need],
    /// The text of its file, of which the head is its page.
    pub source: &'static str,
    /// Its parameters.
    pub params: fn() -> Vec<ParamInfo>,
    pub(super) make: Make,
}

impl ValidatorRow {
    /// The head of the validator's file: equations, paper, cost.
    pub fn head(&self) -> String {
        head(self.source)
    }

    /// The validator's page in Markdown.
    pub fn page(&self) -> String {
        let mut out = page(self.name, &self.head());
        let goals = if self.values { "classification, regression" } else { "classification" };
        let _ = writeln!(
            out,
            "\n**In short.** A validator for {goals}; the candidate with the largest score is taken."
        );
        if !self.needs.is_empty() {
            let needs: Vec<&str> = self.needs.iter().map(|need| need.words()).collect();
            let _ = writeln!(out, "Beside the answers it is shown {}.", needs.join("; "));
        }
        out += &markdown(&(self.params)());
        let _ = write!(
            out,
            "\n```sh\njuyi transfer ‹source old.csv› ‹target new.csv› ‹label y› ‹single› ‹validator {}›\n```\n",
            self.name
        );
        out
    }
}

/// Refuses a parameter of the validator of this name that does not hold to its range.
///
/// # Errors
/// [`Error::Param`].
pub(super) fn must(validator: &str, name: &str, must: &str, holds: bool, got: impl Display) -> Result<()> {
    let refused = || Error::Param {
        owner: validator.into(),
        name: name.into(),
        must: must.into(),
        got: got.to_string(),
    };
    if holds { Ok(()) } else { Err(refused()) }
}

/// A validator of this type with these parameters, the others at their defaults.
pub(super) fn make<V>(given: &JsonMap<String, Value>) -> Result<Box<dyn Validator>>
where
    V: Validator + Default + Serialize + DeserializeOwned + 'static,
{
    Ok(Box::new(read_params::<V>(given)?.0))
}

/// The row of this name.
///
/// # Errors
/// [`Error::Unknown`].
pub fn validator_row(name: &str) -> Result<&'static ValidatorRow> {
    VALIDATORS.iter().find(|row| row.name == name).ok_or_else(|| Error::Unknown {
        kind: "validator".into(),
        name: name.into(),
        known: VALIDATORS.iter().map(|row| row.name.to_string()).collect(),
    })
}

/// The validator that is asked for: by its name, or by its name and parameters as in `agreement(divergence=1)`, the others
/// at their defaults.
///
/// # Errors
/// [`Error::Unknown`] for an unknown validator or parameter, [`Error::Param`] for a value of the wrong kind,
/// [`Error::Input`] for what is written otherwise.
pub fn validator(text: &str) -> Result<Box<dyn Validator>> {
    let (name, params) = asked("validator", text)?;
    let row = validator_row(name)?;
    check_names(&format!("parameter of `{name}`"), &(row.params)(), &params)?;
    (row.make)(&params).map_err(|error| of_owner(error, name))
}

/// The probabilities that answers speak of, `(m, classes)`, for the `classes` of the goal, of which the model knows those at
/// `own`, by position: scores that are probabilities as they are, others by their softmax; without scores the answer has
/// its confidence and the other classes share the rest.
pub fn probabilities(answers: &Answers, own: &[usize], classes: usize) -> Matrix {
    let m = answers.answer.len();
    let inner = match &answers.scores {
        Some(scores) => {
            let mut scores = scores.clone();
            let of_one = |row: usize| (scores.row(row).iter().sum::<f64>() - 1.0).abs() < 1e-6;
            let are = scores.col_iter().all(|column| column.iter().all(|v| *v >= 0.0)) && (0..m).all(of_one);
            if !are {
                softmax_rows(&mut scores);
            }
            scores
        }
        None => Matrix::from_fn(m, own.len(), |i, c| {
            let sure = answers.confidence.get(i).copied().unwrap_or(1.0);
            let others = own.len().saturating_sub(1).max(1) as f64;
            if answers.answer[i] == c as f64 { sure } else { (1.0 - sure) / others }
        }),
    };
    let mut all = Matrix::zeros(m, classes);
    for (c, &position) in own.iter().enumerate() {
        all.col_mut(position).copy_from(inner.col(c));
    }
    all
}

/// `-Σ p ln p` of some probabilities.
pub(super) fn entropy_of(probabilities: impl Iterator<Item = f64>) -> f64 {
    probabilities.filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::super::evidence::{HeldOut, More, Rows};
    use super::*;
    use crate::data::{Goal, Labels};
    use crate::learners::ClassMeans;
    use crate::models::first_largest;
    use crate::params::name_of_asked;
    use faer::MatRef;

    /// All that is known of a made-up candidate: 40 target and 32 source rows around the corners of a square, one a class.
    struct Made {
        good: bool,
        answers: Vec<f64>,
        probabilities: Matrix,
        support: Vec<f64>,
        labels: Labels,
        mean: Matrix,
        source: Matrix,
        target: Matrix,
        held_out: HeldOut,
        ratios: Vec<f64>,
    }

    /// Rows `0..n`, or the last first.
    fn order(n: usize, turned: bool) -> Vec<usize> {
        if turned { (0..n).rev().collect() } else { (0..n).collect() }
    }

    /// A row near the corner of its class.
    fn row(i: usize, j: usize) -> f64 {
        let corner = [(0.0, 0.0), (3.0, 0.0), (0.0, 3.0), (3.0, 3.0)][i % 4];
        [corner.0, corner.1][j] + ((i * 37 + j * 53) % 29) as f64 / 29.0
    }

    /// One that is sure, has all classes, agrees with all and is right where that is known, or one that guesses.
    fn made(good: bool, turned: bool) -> Made {
        let sure = |i: usize, c: usize| {
            let most = 0.88 + 0.01 * (i % 5) as f64;
            if i % 4 == c { most } else { (1.0 - most) / 3.0 }
        };
        let guess = |i: usize, c: usize| {
            let weight = |c: usize| (4.0 * ((i * 37 + c * 61 + i * c * 13) % 41) as f64 / 41.0).exp();
            weight(c) / (0..4).map(weight).sum::<f64>()
        };
        let (targets, sources) = (order(40, turned), order(32, turned));
        let of = |by: &dyn Fn(usize, usize) -> f64| Matrix::from_fn(40, 4, |i, c| by(targets[i], c));
        let [sure, guess] = [of(&sure), of(&guess)];
        let mean = Matrix::from_fn(40, 4, |i, c| 0.7 * sure[(i, c)] + 0.3 * guess[(i, c)]);
        let probabilities = if good { sure } else { guess };
        let answers = probabilities.row_iter().map(|row| {
            let row: Vec<f64> = row.iter().copied().collect();
            first_largest(&row) as f64
        });
        let rows: Vec<usize> = (0..32).filter(|&at| sources[at] < 14).collect();
        let said = |i: usize| if good || i.is_multiple_of(3) { i % 4 } else { (i + 1) % 4 };
        let features = |of: &[usize]| Matrix::from_fn(of.len(), 2, |i, j| row(of[i], j));
        let (source, target) = (features(&sources), features(&targets));
        Made {
            good,
            answers: answers.collect(),
            support: vec![if good { 0.9 } else { 0.5 }; 40],
            labels: Labels::Classes(sources.iter().map(|i| i % 4).collect()),
            held_out: HeldOut {
                answers: rows.iter().map(|&at| said(sources[at]) as f64).collect(),
                rows,
                source: source.clone(),
                target: target.clone(),
            },
            ratios: sources.iter().map(|i| 0.5 + (i % 5) as f64 / 4.0).collect(),
            probabilities,
            mean,
            source,
            target,
        }
    }

    impl Made {
        fn score(&self, own: &dyn Validator) -> Result<f64> {
            let goal = Goal::Classes(["a", "b", "c", "d"].map(String::from).to_vec());
            let class = |x: f64, y: f64| {
                let near = usize::from(x > 1.9) + 2 * usize::from(y > 1.9);
                if self.good { near } else { (71.3 * x + 33.7 * y) as usize % 4 }
            };
            let answer = |rows: MatRef<'_, f64>| {
                (0..rows.nrows()).map(|i| class(rows[(i, 0)], rows[(i, 1)]) as f64).collect()
            };
            let map = |rows: MatRef<'_, f64>| rows.to_owned();
            let rows = Rows {
                source: &self.source,
                target: &self.target,
                answer: &answer,
                map: &map,
                learner: &ClassMeans,
            };
            let (needs, mean) = (own.row().needs, self.mean.as_ref());
            let more = More {
                mean: needs.contains(&Need::Mean).then_some(mean),
                rows: needs.contains(&Need::Rows).then_some(&rows),
                held_out: needs.contains(&Need::HeldOut).then_some(&self.held_out),
                ratios: needs.contains(&Need::Ratios).then_some(&self.ratios),
            };
            let of = Evidence {
                goal: &goal,
                answers: &self.answers,
                probabilities: self.probabilities.as_ref(),
                support: &self.support,
                source: &self.labels,
                more,
            };
            own.score(&of, &mut Context::default())
        }
    }

    /// Each is shown what its row needs, and nothing else.
    #[test]
    fn each_validator_prefers_what_is_sure_and_right_and_does_not_ask_for_the_order_of_rows() {
        for row in VALIDATORS {
            let own = validator(row.name).unwrap();
            assert!(own.row().name == row.name && own.row().source == row.source);
            let score = |made: Made| made.score(own.as_ref()).unwrap();
            let (good, bad) = (score(made(true, false)), score(made(false, false)));
            assert!(good > bad + 1e-6, "{}: {good}, {bad}", row.name);
            for (is_good, score_in_order) in [(true, good), (false, bad)] {
                let turned = score(made(is_good, true));
                assert!((turned - score_in_order).abs() < 1e-8, "{}: {turned}, {score_in_order}", row.name);
            }
        }
    }

    #[test]
    fn each_validator_refuses_to_judge_without_what_it_needs_and_parameters_out_of_range() {
        let out_of_range = [
            "agreement(divergence=-1)",
            "soft-neighborhood-density(temperature=0)",
            "matrix-norm(power=0.9)",
            "matrix-norm(threshold=-1)",
            "class-ami(starts=0)",
            "mixup-validation(share=0.5)",
            "mixup-validation(passes=0)",
        ];
        for row in VALIDATORS {
            let mut params: Vec<String> = (row.params)().into_iter().map(|param| param.name).collect();
            for asked in out_of_range.iter().filter(|asked| name_of_asked(asked) == row.name) {
                let error =
                    made(true, false).score(validator(asked).unwrap().as_ref()).unwrap_err().to_string();
                params.retain(|param| !error.contains(&format!("`{param}` must be")));
            }
            assert!(params.is_empty(), "{}: no case for {params:?}", row.name);
            if !row.needs.is_empty() {
                let Made { answers, probabilities, support, labels, .. } = made(true, false);
                let of = Evidence {
                    goal: &Goal::Classes(["a", "b", "c", "d"].map(String::from).to_vec()),
                    answers: &answers,
                    probabilities: probabilities.as_ref(),
                    support: &support,
                    source: &labels,
                    more: More::default(),
                };
                let error = validator(row.name).unwrap().score(&of, &mut Context::default()).unwrap_err();
                assert!(error.to_string().contains("must be shown"), "{}: {error}", row.name);
            }
        }
    }

    #[test]
    fn each_validator_has_a_page_and_parameters_by_name() {
        for row in VALIDATORS {
            for part in ["Paper:", "Cost:"] {
                assert!(row.head().contains(part), "{}: {part}", row.name);
            }
            let unknown = validator(&format!("{}(no-such=1)", row.name)).err().expect("refused");
            assert!(
                unknown.to_string().contains(&format!("parameter of `{}` `no-such`", row.name)),
                "{unknown}"
            );
        }
        assert!(validator("agrement").err().unwrap().hint().unwrap().contains("`agreement`"));
    }

    #[test]
    fn probabilities_stand_at_the_classes_of_the_goal() {
        let answers = Answers { answer: vec![0.0, 1.0], confidence: vec![0.8, 0.6], scores: None };
        let p = probabilities(&answers, &[0, 2], 3);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(close(p[(0, 0)], 0.8) && close(p[(0, 2)], 0.2) && p[(0, 1)] == 0.0 && close(p[(1, 2)], 0.6));
        let scores = Some(crate::linalg::from_rows(&[vec![2.0, 2.0], vec![0.0, 3f64.ln()]]));
        let p = probabilities(&Answers { scores, ..answers }, &[0, 2], 3);
        assert!(close(p[(0, 0)], 0.5) && close(p[(1, 2)], 0.75));
    }
}
