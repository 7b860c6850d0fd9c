//! Measures of how far two domains are apart, as rows.

use std::fmt::Write;

use rand_chacha::ChaCha8Rng;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map as JsonMap, Value};

use super::{Distance, MEASURES};
use crate::context::Context;
use crate::data::{Goal, Labels, Task};
use crate::error::{Error, Result};
use crate::heads::{head, page};
use crate::linalg::Matrix;
use crate::params::{ParamInfo, check_names, markdown, of_owner, read_params};

/// A measure of two domains.
pub trait DomainMeasure: Send + Sync {
    /// Its row in the registry.
    fn row(&self) -> &'static MeasureRow;

    /// Measures two domains, at least [`FEWEST_ROWS`] rows each, columns of about the same scale. One number, or several
    /// that share their work, the one to be shown first.
    ///
    /// # Errors
    /// [`Error::Param`] for a parameter out of its range; [`Error::Input`] where labels are needed that are not there; what
    /// a solver reports.
    fn between(
        &self,
        domains: &Domains<'_>,
        rng: &mut ChaCha8Rng,
        context: &mut Context,
    ) -> Result<Vec<Distance>>;
}

/// Two domains as a measure sees them.
#[derive(Debug, Clone, Copy)]
pub struct Domains<'a> {
    /// Source rows `(n, d)`.
    pub source: &'a Matrix,
    /// Target rows `(m, d)`.
    pub target: &'a Matrix,
    /// Their labels, where they are known.
    pub labels: Option<DomainLabels<'a>>,
}

/// Labels of two domains.
#[derive(Debug, Clone, Copy)]
pub struct DomainLabels<'a> {
    /// What they mean.
    pub goal: &'a Goal,
    /// One label a source row.
    pub source: &'a Labels,
    /// The numbers of the labelled target rows, rising, and one label for each.
    pub target: (&'a [usize], &'a Labels),
}

impl<'a> Domains<'a> {
    /// Rows without labels.
    pub fn unlabelled(source: &'a Matrix, target: &'a Matrix) -> Self {
        Self { source, target, labels: None }
    }

    /// The domains of a task.
    pub fn of(task: &'a Task) -> Self {
        let target = (task.target.labelled.as_slice(), &task.target.labels);
        let labels = Some(DomainLabels { goal: &task.goal, source: &task.source.labels, target });
        Self { source: &task.source.features, target: &task.target.features, labels }
    }

    /// The labels, for the measure of this name.
    ///
    /// # Errors
    /// [`Error::Input`] where there are none.
    pub(super) fn labels(&self, measure: &str) -> Result<DomainLabels<'a>> {
        let missing = || {
            let hint = "name their column with `‹label›`";
            Error::input(format!("`{measure}`"), "needs the labels of the source", hint)
        };
        self.labels.filter(|labels| !labels.source.is_empty()).ok_or_else(missing)
    }
}

impl<'a> DomainLabels<'a> {
    /// The class of each source row, for the measure of this name.
    ///
    /// # Errors
    /// [`Error::Input`] where the labels are numbers.
    pub(super) fn classes(&self, measure: &str) -> Result<&'a [usize]> {
        match self.source {
            Labels::Classes(of) => Ok(of),
            Labels::Values(_) => {
                let hint = "`‹task classification›` takes each number for a class";
                Err(Error::input(format!("`{measure}`"), "needs classes, and the labels are numbers", hint))
            }
        }
    }
}

/// Fewest rows of a side that are measured.
pub const FEWEST_ROWS: usize = 10;

/// Labels that a measure makes use of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelsNeeded {
    /// None.
    None,
    /// Those of the source, where there are some.
    IfGiven,
    /// Those of the source.
    Source,
    /// Those of the source, and of some target rows.
    Both,
}

/// Makes a measure from given parameters.
type Make = fn(&JsonMap<String, Value>) -> Result<Box<dyn DomainMeasure>>;

/// What is known of a measure without measuring.
pub struct MeasureRow {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Whether each run measures it unasked.
    pub in_each_run: bool,
    /// Most rows of a side that are measured; more are drawn from.
    pub most_rows: usize,
    /// The labels that it makes use of.
    pub labels: LabelsNeeded,
    /// The text of its file, of which the head is its page.
    pub source: &'static str,
    /// Its parameters.
    pub params: fn() -> Vec<ParamInfo>,
    pub(super) make: Make,
}

impl MeasureRow {
    /// The head of the measure's file: equations, paper, cost.
    pub fn head(&self) -> String {
        head(self.source)
    }

    /// The measure's page in Markdown.
    pub fn page(&self) -> String {
        let mut out = page(self.name, &self.head());
        let when = if self.in_each_run { "each run has it" } else { "where it is asked for" };
        let of = match self.most_rows {
            usize::MAX => "of all rows".into(),
            most => format!("of up to {most} rows a side, drawn"),
        };
        let labels = match self.labels {
            LabelsNeeded::None => "needs no label",
            LabelsNeeded::IfGiven => "says more where the source has labels",
            LabelsNeeded::Source => "needs the labels of the source",
            LabelsNeeded::Both => "needs labels of source and target",
        };
        let _ = writeln!(out, "\n**In short.** A measure of two domains, {of}; {labels}; {when}.");
        out += &markdown(&(self.params)());
        let _ = write!(
            out,
            "\n```sh\njuyi measure ‹source old.csv› ‹target new.csv› {}‹by {}›\n```\n",
            if self.labels == LabelsNeeded::None { "" } else { "‹label y› " },
            self.name
        );
        out
    }
}

/// Refuses a parameter of the measure of this name, unless it is as it must be.
pub(super) fn must(
    measure: &str,
    name: &str,
    must: &str,
    holds: bool,
    got: impl std::fmt::Display,
) -> Result<()> {
    let refused =
        || Error::Param { owner: measure.into(), name: name.into(), must: must.into(), got: got.to_string() };
    if holds { Ok(()) } else { Err(refused()) }
}

/// A measure of this type with these parameters, the others at their defaults.
pub(super) fn make<M>(given: &JsonMap<String, Value>) -> Result<Box<dyn DomainMeasure>>
where
    M: DomainMeasure + Default + Serialize + DeserializeOwned + 'static,
{
    Ok(Box::new(read_params::<M>(given)?.0))
}

/// The row of this name.
///
/// # Errors
/// [`Error::Unknown`].
pub fn measure_row(name: &str) -> Result<&'static MeasureRow> {
    MEASURES.iter().find(|row| row.name == name).ok_or_else(|| Error::Unknown {
        kind: "measure".into(),
        name: name.into(),
        known: MEASURES.iter().map(|row| row.name.to_string()).collect(),
    })
}

/// The measure of this name with these parameters, the others at their defaults.
///
/// # Errors
/// [`Error::Unknown`] for an unknown measure or parameter, [`Error::Param`] for a value of the wrong kind.
pub fn measure_with(name: &str, params: &JsonMap<String, Value>) -> Result<Box<dyn DomainMeasure>> {
    let row = measure_row(name)?;
    check_names(&format!("parameter of `{name}`"), &(row.params)(), params)?;
    (row.make)(params).map_err(|error| of_owner(error, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of two columns that look drawn, moved by so much.
    fn rows(count: usize, from: usize, moved: f64) -> Matrix {
        let draw = |i: usize, j: usize| (((i + from) * (37 + 20 * j) + 11 * j) % 101) as f64 / 30.0;
        Matrix::from_fn(count, 2, |i, j| draw(i, j) + moved)
    }

    /// A description of a source, which is no distance.
    const DESCRIBE: [&str; 1] = ["source-diversity"];

    /// What labels say of a row: whether its first column is large.
    #[derive(Clone, Copy, PartialEq)]
    enum Said {
        Classes,
        /// In the target whether it is not.
        Turned,
        Numbers,
    }

    fn measured(row: &MeasureRow, x: &Matrix, y: &Matrix, said: Said) -> Result<Vec<Distance>> {
        let numbers = said == Said::Numbers;
        let goal = if numbers { Goal::Value } else { Goal::Classes(vec!["a".into(), "b".into()]) };
        let labels = |rows: &Matrix, turned: bool| {
            let large = (0..rows.nrows()).map(|i| (rows[(i, 0)] > 1.7) != turned);
            if numbers {
                Labels::Values(large.map(f64::from).collect())
            } else {
                Labels::Classes(large.map(usize::from).collect())
            }
        };
        let all: Vec<usize> = (0..y.nrows()).collect();
        let (source, target) = (labels(x, false), labels(y, said == Said::Turned));
        let known = DomainLabels { goal: &goal, source: &source, target: (&all, &target) };
        let context = &mut Context::default();
        let mut rng = context.rng("measures");
        let measure = measure_with(row.name, &JsonMap::new()).unwrap();
        assert_eq!(measure.row().name, row.name);
        let labels = (row.labels != LabelsNeeded::None).then_some(known);
        measure.between(&Domains { source: x, target: y, labels }, &mut rng, context)
    }

    #[test]
    fn each_measure_tells_far_domains_from_near_ones_and_says_how_sure_it_is() {
        for row in MEASURES.iter().filter(|row| !DESCRIBE.contains(&row.name)) {
            let of = |x: &Matrix, y: &Matrix, said| measured(row, x, y, said).unwrap();
            let (x, near) = (rows(60, 0, 0.0), rows(50, 60, 0.0));
            // Covariances do not see where rows lie.
            let far = Matrix::from_fn(50, 2, |i, j| {
                [2.0 * near[(i, j)] + 2.0, 0.0][usize::from(j == 1 && i % 2 == 0)]
            });
            let few = of(&rows(12, 0, 0.0), &rows(12, 50, 0.0), Said::Classes);
            let all =
                [of(&x, &near, Said::Classes), of(&x, &far, Said::Turned), of(&near, &x, Said::Classes), few];
            for found in all.iter().flatten() {
                let name = &found.name;
                assert!(found.value.is_finite() && !name.is_empty() && !found.about.is_empty(), "{name}");
                assert!(found.interval.is_none_or(|(low, high)| low <= found.value && found.value <= high));
                assert!(found.p_value.is_none_or(|p| (0.0..=1.0).contains(&p)), "{name}");
                assert!(found.effect.is_none_or(|effect| (0.0..=1.0).contains(&effect)), "{name}");
            }
            let [near, distant, turned, _] = all;
            assert!(distant[0].value > near[0].value, "{}: {near:?}, {distant:?}", row.name);
            let off = (near[0].value - turned[0].value).abs();
            assert!(off < 0.6 * distant[0].value, "{}: {near:?}, {turned:?}", row.name);
            if let (Some(near), Some(far)) = (near[0].p_value, distant[0].p_value) {
                assert!(far < 0.05, "{}: {near}, {far}", row.name);
            }
            if let (Some(near), Some(far)) = (near[0].effect, distant[0].effect) {
                assert!(far > near && far > 0.1, "{}: {near}, {far}", row.name);
            }
            assert_eq!(of(&x, &far, Said::Turned), distant, "{}: twice the same", row.name);
        }
    }

    #[test]
    fn measures_without_labels_are_as_they_are_and_others_ask_for_them() {
        let (x, y) = (rows(40, 0, 0.0), rows(40, 60, 0.5));
        for row in MEASURES {
            let measure = measure_with(row.name, &JsonMap::new()).unwrap();
            let context = &mut Context::default();
            let mut rng = context.rng("measures");
            let bare = measure.between(&Domains::unlabelled(&x, &y), &mut rng, context);
            let refused = matches!(row.labels, LabelsNeeded::Source | LabelsNeeded::Both);
            match bare {
                Ok(found) => assert!(!refused && !found.is_empty(), "{}", row.name),
                Err(error) => {
                    assert!(
                        refused && error.to_string().contains("needs the labels of the source"),
                        "{error}"
                    );
                }
            }
            if let Err(error) = measured(row, &x, &y, Said::Numbers) {
                assert!(error.to_string().contains("the labels are numbers"), "{}: {error}", row.name);
            }
        }
    }

    #[test]
    fn equal_tables_are_nearly_identical() {
        let x = rows(60, 0, 0.0);
        for row in MEASURES {
            for found in measured(row, &x, &x, Said::Classes).unwrap() {
                assert!(found.words().is_none_or(|words| words == "nearly identical"), "{found:?}");
            }
        }
    }

    #[test]
    fn each_measure_has_a_page_and_parameters_by_name() {
        for row in MEASURES {
            for part in ["Paper:", "Cost:"] {
                assert!(row.head().contains(part), "{}: {part}", row.name);
            }
            assert!(!row.summary.is_empty());
            let unknown = [("no-such".to_string(), Value::from(1))].into_iter().collect();
            let error = measure_with(row.name, &unknown).err().expect("refused");
            assert!(error.to_string().contains(&format!("parameter of `{}` `no-such`", row.name)), "{error}");
        }
        assert!(measure_with("mdm", &JsonMap::new()).err().unwrap().hint().unwrap().contains("`mmd`"));
    }
}
