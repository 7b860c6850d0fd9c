//! Validators as rows.

use std::fmt::Write;

use faer::MatRef;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map as JsonMap, Value};

use super::VALIDATORS;
use crate::data::{Goal, Labels};
use crate::error::{Error, Result};
use crate::heads::{head, page};
use crate::linalg::Matrix;
use crate::models::{Answers, softmax_rows};
use crate::params::{ParamInfo, asked, check_names, markdown, of_owner, read_params};

/// What is known of one candidate without a label of the target.
pub struct Evidence<'a> {
    /// Classes or numbers.
    pub goal: &'a Goal,
    /// Its answers for the `m` target rows: classes as positions, or numbers.
    pub answers: &'a [f64],
    /// `(m, classes)`, rows add up to 1; `(m, 0)` of numbers.
    pub probabilities: MatRef<'a, f64>,
    /// Of each target row the share of the votes of all candidates for its answer, 0 to 1; of numbers 1 less the squared
    /// distance to the median of all over the variance of the source's labels.
    pub support: &'a [f64],
    /// Labels of the source rows.
    pub source: &'a Labels,
}

/// Orders candidates without a label of the target.
pub trait Validator: Send + Sync {
    /// Its row in the registry.
    fn row(&self) -> &'static ValidatorRow;

    /// The score of a candidate, the larger the better; only differences between candidates of one task mean something.
    ///
    /// # Errors
    /// [`Error::Param`] for a parameter out of its range; [`Error::Numeric`] if a decomposition does not converge.
    fn score(&self, of: &Evidence<'_>) -> Result<f64>;
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
        out += &markdown(&(self.params)());
        let _ = write!(
            out,
            "\n```sh\njuyi transfer ‹source old.csv› ‹target new.csv› ‹label y› ‹single› ‹validator {}›\n```\n",
            self.name
        );
        out
    }
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
    use super::*;

    /// Candidates for 40 rows of two classes: one that is sure, has both classes and agrees with all, and one that guesses.
    fn candidates() -> [(Vec<f64>, Matrix, Vec<f64>); 2] {
        let of =
            |i: usize, sure: f64| if i.is_multiple_of(2) { [sure, 1.0 - sure] } else { [1.0 - sure, sure] };
        let sure = |i: usize| 0.93 + 0.01 * (i % 5) as f64;
        let guess = |i: usize| 0.35 + 0.05 * (i * 7 % 10) as f64;
        [(&sure as &dyn Fn(usize) -> f64, 0.9), (&guess, 0.5)].map(|(by, support)| {
            let p = Matrix::from_fn(40, 2, |i, c| of(i, by(i))[c]);
            let answers = (0..40).map(|i| f64::from(u8::from(p[(i, 1)] > p[(i, 0)]))).collect();
            (answers, p, vec![support; 40])
        })
    }

    #[test]
    fn each_validator_prefers_what_is_sure_and_agrees_and_does_not_ask_for_the_order_of_rows() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = Labels::Classes((0..30).map(|i| i % 2).collect());
        for row in VALIDATORS {
            let own = validator(row.name).unwrap();
            assert!(own.row().name == row.name && own.row().source == row.source);
            let score = |(answers, p, support): &(Vec<f64>, Matrix, Vec<f64>)| {
                let of =
                    Evidence { goal: &goal, answers, probabilities: p.as_ref(), support, source: &source };
                own.score(&of).unwrap()
            };
            let [good, bad] = candidates();
            assert!(score(&good) > score(&bad), "{}", row.name);
            let turned = (
                good.0.iter().rev().copied().collect(),
                Matrix::from_fn(40, 2, |i, c| good.1[(39 - i, c)]),
                good.2.clone(),
            );
            assert!((score(&turned) - score(&good)).abs() < 1e-9, "{}", row.name);
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
        let error = validator("agreement(divergence=-1)").unwrap();
        let goal = Goal::Value;
        let source = Labels::Values(vec![0.0, 1.0]);
        let p = Matrix::zeros(1, 0);
        let of = Evidence {
            goal: &goal,
            answers: &[0.0],
            probabilities: p.as_ref(),
            support: &[1.0],
            source: &source,
        };
        assert!(error.score(&of).is_err());
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
