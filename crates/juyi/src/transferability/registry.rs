//! Scores of representations as rows.

use std::fmt::Write;

use faer::MatRef;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map as JsonMap, Value};

use super::TRANSFERABILITY;
use crate::error::{Error, Result};
use crate::heads::{head, page};
use crate::params::{ParamInfo, asked, check_names, markdown, of_owner, read_params};

/// What a network makes of labelled samples.
pub struct Representation<'a> {
    /// Its features `(n, d)`.
    pub features: MatRef<'a, f64>,
    /// The class of each sample, below `classes`.
    pub labels: &'a [usize],
    /// Number of classes of the samples.
    pub classes: usize,
    /// Its probabilities for the classes that it was trained on `(n, z)`, rows add up to 1; absent where it has no head.
    pub source: Option<MatRef<'a, f64>>,
}

impl Representation<'_> {
    /// The samples of each class that has some.
    pub(super) fn by_class(&self) -> Vec<Vec<usize>> {
        let mut of = vec![Vec::new(); self.classes];
        self.labels.iter().enumerate().for_each(|(i, &class)| of[class].push(i));
        of.retain(|samples| !samples.is_empty());
        of
    }

    /// Refuses what no score can be made of.
    fn check(&self) -> Result<()> {
        let refuse = |problem: String, hint: &str| Err(Error::input("the samples", problem, hint));
        let (n, classes) = (self.labels.len(), self.by_class().len());
        if n != self.features.nrows() || self.source.is_some_and(|source| source.nrows() != n) {
            return refuse(format!("have {n} labels and other numbers of rows"), "give a label for each row");
        }
        if classes < 2 || n <= classes {
            let problem = format!("{n} of {classes} classes tell nothing");
            return refuse(problem, "give two classes at least, and more samples than classes");
        }
        let rows = [Some(self.features), self.source];
        if rows
            .iter()
            .flatten()
            .any(|rows| rows.col_iter().any(|column| column.iter().any(|v| !v.is_finite())))
        {
            return refuse("have a feature that is no number".into(), "leave such samples out");
        }
        Ok(())
    }
}

/// Says how well a representation suits labels.
pub trait TransferabilityScore: Send + Sync {
    /// Its row in the registry.
    fn row(&self) -> &'static TransferabilityRow;

    /// The score, the larger the better, of samples that [`score`](Self::score) has checked.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    fn of(&self, of: &Representation<'_>) -> Result<f64>;

    /// The score, the larger the better; only differences between representations of the same samples mean something.
    ///
    /// # Errors
    /// [`Error::Input`] for fewer than two classes, as many samples as classes, or no probabilities where they are needed;
    /// [`Error::Param`] for a parameter out of its range; [`Error::Numeric`] if a decomposition does not converge.
    fn score(&self, of: &Representation<'_>) -> Result<f64> {
        of.check()?;
        if self.row().of_source_classes && of.source.is_none() {
            let thing = format!("`{}`", self.row().name);
            let problem = "asks a network for the probabilities of its own classes, and there are none";
            return Err(Error::input(thing, problem, "give a network with its head, or another score"));
        }
        self.of(of)
    }
}

/// Makes a score from given parameters.
type Make = fn(&JsonMap<String, Value>) -> Result<Box<dyn TransferabilityScore>>;

/// What is known of a score without using it.
pub struct TransferabilityRow {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Whether it is made of the probabilities of the network's own classes, and not of its features.
    pub of_source_classes: bool,
    /// The text of its file, of which the head is its page.
    pub source: &'static str,
    /// Its parameters.
    pub params: fn() -> Vec<ParamInfo>,
    pub(super) make: Make,
}

impl TransferabilityRow {
    /// The head of the score's file: equations, paper, cost.
    pub fn head(&self) -> String {
        head(self.source)
    }

    /// The score's page in Markdown.
    pub fn page(&self) -> String {
        let mut out = page(self.name, &self.head());
        let of = if self.of_source_classes {
            "the probabilities that a network has for its own classes"
        } else {
            "features"
        };
        let _ = writeln!(
            out,
            "\n**In short.** A score of representations, made of {of} and labels; the larger the better."
        );
        out += &markdown(&(self.params)());
        let _ = write!(out, "\n```sh\njuyi rank ‹features a.npz b.npz› ‹label y› ‹by {}›\n```\n", self.name);
        out
    }
}

/// A score of this type with these parameters, the others at their defaults.
pub(super) fn make<S>(given: &JsonMap<String, Value>) -> Result<Box<dyn TransferabilityScore>>
where
    S: TransferabilityScore + Default + Serialize + DeserializeOwned + 'static,
{
    Ok(Box::new(read_params::<S>(given)?.0))
}

/// The row of this name.
///
/// # Errors
/// [`Error::Unknown`].
pub fn transferability_row(name: &str) -> Result<&'static TransferabilityRow> {
    TRANSFERABILITY.iter().find(|row| row.name == name).ok_or_else(|| Error::Unknown {
        kind: "score of representations".into(),
        name: name.into(),
        known: TRANSFERABILITY.iter().map(|row| row.name.to_string()).collect(),
    })
}

/// The score that is asked for: by its name, or by its name and parameters as in `h-score(shrinkage=false)`, the others at
/// their defaults.
///
/// # Errors
/// [`Error::Unknown`] for an unknown score or parameter, [`Error::Param`] for a value of the wrong kind, [`Error::Input`] for
/// what is written otherwise.
pub fn transferability(text: &str) -> Result<Box<dyn TransferabilityScore>> {
    let (name, params) = asked("score of representations", text)?;
    let row = transferability_row(name)?;
    check_names(&format!("parameter of `{name}`"), &(row.params)(), &params)?;
    (row.make)(&params).map_err(|error| of_owner(error, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Matrix;

    /// Sixty samples of three classes in eight columns, of which three tell the class by so much; and the network's own
    /// probabilities for four classes, which tell it as well.
    fn samples(by: f64) -> (Matrix, Vec<usize>, Matrix) {
        let draw = |i: usize, j: usize| ((i * (31 + 14 * j) + 17 * j) % 97) as f64 / 97.0 - 0.5;
        let labels: Vec<usize> = (0..60).map(|i| i % 3).collect();
        let features = Matrix::from_fn(60, 8, |i, j| draw(i, j) + if j == labels[i] { by } else { 0.0 });
        let raw =
            |i: usize, z: usize| (2.0 * draw(i, z + 3) + if z == labels[i] { 2.0 * by } else { 0.0 }).exp();
        let source = Matrix::from_fn(60, 4, |i, z| raw(i, z) / (0..4).map(|z| raw(i, z)).sum::<f64>());
        (features, labels, source)
    }

    fn score(name: &str, (features, labels, source): &(Matrix, Vec<usize>, Matrix)) -> Result<f64> {
        transferability(name)?.score(&Representation {
            features: features.as_ref(),
            labels,
            classes: 3,
            source: Some(source.as_ref()),
        })
    }

    #[test]
    fn each_score_prefers_what_tells_the_classes_and_does_not_ask_for_the_order_of_samples() {
        for row in TRANSFERABILITY {
            let (good, bad) = (samples(1.5), samples(0.1));
            let of = |samples| score(row.name, samples).unwrap();
            assert!(of(&good) > of(&bad), "{}", row.name);
            let turned = |x: &Matrix| Matrix::from_fn(60, x.ncols(), |i, j| x[(59 - i, j)]);
            let labels = good.1.iter().rev().copied().collect();
            let other = (turned(&good.0), labels, turned(&good.2));
            assert!((of(&other) - of(&good)).abs() < 1e-9 * (1.0 + of(&good).abs()), "{}", row.name);
        }
    }

    #[test]
    fn each_score_says_what_it_needs() {
        let (features, labels, _) = samples(1.0);
        for row in TRANSFERABILITY {
            let own = transferability(row.name).unwrap();
            assert!(own.row().name == row.name && own.row().source == row.source);
            let of = |labels, features| Representation { features, labels, classes: 3, source: None };
            let without = own.score(&of(&labels, features.as_ref()));
            assert_eq!(without.is_err(), row.of_source_classes, "{}", row.name);
            let same = own.score(&of(&[1; 60], features.as_ref())).unwrap_err();
            assert!(same.to_string().contains("classes"), "{same}");
            let mut odd = features.clone();
            odd[(3, 2)] = f64::NAN;
            assert!(own.score(&of(&labels, odd.as_ref())).is_err(), "{}", row.name);
            assert!(own.score(&of(&labels[1..], features.as_ref())).is_err(), "{}", row.name);
        }
    }

    #[test]
    fn each_score_has_a_page_and_parameters_by_name() {
        for row in TRANSFERABILITY {
            for part in ["Paper:", "Cost:"] {
                assert!(row.head().contains(part), "{}: {part}", row.name);
            }
            let unknown = transferability(&format!("{}(no-such=1)", row.name)).err().expect("refused");
            assert!(
                unknown.to_string().contains(&format!("parameter of `{}` `no-such`", row.name)),
                "{unknown}"
            );
        }
        assert!(transferability("logme").err().unwrap().hint().unwrap().contains("`log-me`"));
    }
}
