//! The nouns that every method speaks of: rows with features and labels, and the task made of them.
//!
//! All checks are made once, in [`Task::new`], and the fields are the crate's own: methods index without looking again. Labels that serve for scoring only
//! never enter a [`Task`], so no method can make use of them.

use std::ops::Range;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::labels::{Goal, Labels};
use crate::error::{Error, Result, shown};
use crate::linalg::{Matrix, select_rows, stack};
use crate::solvers::KnownClasses;

/// Rows of one origin.
#[derive(Debug, Clone)]
pub struct Domain {
    /// What messages call it: the file's name.
    pub(crate) name: String,
    /// Features `(n, d)`.
    pub(crate) features: Matrix,
    /// The numbers of the labelled rows, rising.
    pub(crate) labelled: Vec<usize>,
    /// One label for each labelled row.
    pub(crate) labels: Labels,
}

impl Domain {
    /// A domain with a label on every row.
    pub fn labelled(name: impl Into<String>, features: Matrix, labels: Labels) -> Self {
        Self { name: name.into(), labelled: (0..labels.len()).collect(), features, labels }
    }

    /// A domain with labels on these rows, rising; checked where a task is made of it.
    pub fn partly_labelled(
        name: impl Into<String>,
        features: Matrix,
        labelled: Vec<usize>,
        labels: Labels,
    ) -> Self {
        Self { name: name.into(), features, labelled, labels }
    }

    /// A domain without labels.
    pub fn unlabelled(name: impl Into<String>, features: Matrix, goal: &Goal) -> Self {
        let labels = match goal {
            Goal::Classes(_) => Labels::Classes(Vec::new()),
            Goal::Value => Labels::Values(Vec::new()),
        };
        Self { name: name.into(), features, labelled: Vec::new(), labels }
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Features `(n, d)`.
    pub fn features(&self) -> &Matrix {
        &self.features
    }

    /// The numbers of the labelled rows, rising.
    pub fn labelled_rows(&self) -> &[usize] {
        &self.labelled
    }

    /// One label for each labelled row.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.features.nrows()
    }

    /// The features of the labelled rows.
    pub fn labelled_features(&self) -> Matrix {
        select_rows(self.features.as_ref(), &self.labelled)
    }

    /// Checks rows, columns, values and labels against the goal, as [`Task::new`] does for each of its domains.
    ///
    /// # Errors
    /// [`Error::Input`] naming the domain and the rule.
    pub fn check(&self, goal: &Goal, columns: usize) -> Result<()> {
        let fail = |problem: String, hint: &str| Err(Error::input(format!("`{}`", self.name), problem, hint));
        if self.rows() == 0 {
            return fail("has no rows".into(), "give a table with at least one row below its header");
        }
        if self.features.ncols() != columns {
            let hint = "align the columns of the tables";
            return fail(
                format!("has {} feature columns, the first source has {columns}", self.features.ncols()),
                hint,
            );
        }
        for (j, column) in self.features.col_iter().enumerate() {
            if let Some(i) = column.iter().position(|v| !v.is_finite()) {
                let hint = "`‹missing mean›` fills and `‹missing drop›` drops missing values; infinities must be mended";
                return fail(format!("row {}, feature {}: {} is not finite", i + 1, j + 1, column[i]), hint);
            }
        }
        if self.labelled.len() != self.labels.len() {
            return fail(
                format!("{} labels for {} labelled rows", self.labels.len(), self.labelled.len()),
                "",
            );
        }
        let rising = self.labelled.is_sorted_by(|a, b| a < b);
        if !rising || self.labelled.last().is_some_and(|&last| last >= self.rows()) {
            return fail(format!("labelled rows must rise and lie below {}", self.rows()), "");
        }
        match (&self.labels, goal) {
            (Labels::Classes(of), Goal::Classes(names)) => match of.iter().find(|&&c| c >= names.len()) {
                Some(c) => fail(format!("class {c} of {}", names.len()), ""),
                None => Ok(()),
            },
            (Labels::Values(values), Goal::Value) => match values.iter().find(|v| !v.is_finite()) {
                Some(v) => fail(format!("label {v} is not finite"), "drop or mend the row"),
                None => Ok(()),
            },
            _ => fail(format!("its labels are not those of a {}", goal.name()), ""),
        }
    }
}

/// What there is to learn from, and what for: labelled source rows and target rows with few or no labels.
#[derive(Debug, Clone)]
pub struct Task {
    /// The source rows of all origins, one below the other; every row is labelled.
    pub(crate) source: Domain,
    /// Where each source stands in [`Task::source`], with its name.
    pub(crate) parts: Vec<(String, Range<usize>)>,
    /// The target rows; labels here are labels that methods may learn from.
    pub(crate) target: Domain,
    /// What is predicted.
    pub(crate) goal: Goal,
    /// What preprocessing made of 0 in each column: for each part, then for the target. `None` where that depends on the
    /// row.
    pub(crate) zeros: Option<Vec<Vec<f64>>>,
}

impl Task {
    /// Checks and joins: at least one source and one row in each, equal columns, finite values, a label on every source
    /// row, labels within the goal, classes of different names, at least two of them among the source labels.
    ///
    /// # Errors
    /// [`Error::Input`] naming the domain and the rule.
    pub fn new(sources: Vec<Domain>, target: Domain, goal: Goal) -> Result<Self> {
        let Some(columns) = sources.first().map(|first| first.features.ncols()) else {
            return Err(Error::input("the task", "has no source", "give at least one labelled table"));
        };
        if columns == 0 {
            let hint = "give a table with at least one column that is neither label, id nor dropped";
            return Err(Error::input(format!("`{}`", sources[0].name), "has no feature columns", hint));
        }
        if let Some(class) = goal.twice() {
            let problem = format!("has two classes named `{}`", shown(class));
            return Err(Error::input("the task", problem, "give each class a name of its own"));
        }
        for domain in sources.iter().chain([&target]) {
            domain.check(&goal, columns)?;
        }
        if let Some(partial) = sources.iter().find(|source| source.labelled.len() < source.rows()) {
            let missing = partial.rows() - partial.labelled.len();
            let problem = format!("{missing} source rows have no label");
            return Err(Error::input(
                format!("`{}`", partial.name),
                problem,
                "drop the rows without a label",
            ));
        }
        let mut parts = Vec::new();
        let mut joined: Option<Domain> = None;
        for source in sources {
            let first = joined.as_ref().map_or(0, Domain::rows);
            parts.push((source.name.clone(), first..first + source.rows()));
            joined = Some(match joined {
                None => source,
                Some(above) => Domain::labelled(
                    format!("{} + {}", above.name, source.name),
                    stack(above.features.as_ref(), source.features.as_ref()),
                    above.labels.chain(&source.labels),
                ),
            });
        }
        let source = joined.expect("there is a first source");
        let zeros = Some(vec![vec![0.0; columns]; parts.len() + 1]);
        let task = Self { source, parts, target, goal, zeros };
        let present = task.source_classes();
        if let (Goal::Classes(names), 0..2) = (&task.goal, present.len()) {
            let only = present.first().map_or("", |&c| names[c].as_str());
            let problem = format!("its labels have one class only, `{only}`");
            let hint = "a classifier needs two classes; `‹task regression›` if the labels are numbers to be predicted";
            return Err(Error::input(format!("`{}`", task.source.name), problem, hint));
        }
        Ok(task)
    }

    /// The source rows of all origins, one below the other.
    pub fn source(&self) -> &Domain {
        &self.source
    }

    /// Where each source stands in [`Task::source`], with its name.
    pub fn parts(&self) -> &[(String, Range<usize>)] {
        &self.parts
    }

    /// The target.
    pub fn target(&self) -> &Domain {
        &self.target
    }

    /// What is predicted.
    pub fn goal(&self) -> &Goal {
        &self.goal
    }

    /// The classes that occur among the source labels, rising; empty for a regression.
    pub fn source_classes(&self) -> Vec<usize> {
        let Labels::Classes(of) = &self.source.labels else { return Vec::new() };
        let mut present = vec![false; self.goal.classes()];
        for &c in of {
            present[c] = true;
        }
        (0..present.len()).filter(|&c| present[c]).collect()
    }

    /// Some of the source rows and some of the target rows, each rising.
    #[must_use]
    pub fn select(&self, source: &[usize], target: &[usize]) -> Self {
        let within = |range: &Range<usize>| {
            source.partition_point(|&row| row < range.start)..source.partition_point(|&row| row < range.end)
        };
        let parts = self.parts.iter().map(|(name, range)| (name.clone(), within(range)));
        let labelled: Vec<(usize, usize)> = target
            .iter()
            .enumerate()
            .filter_map(|(i, row)| Some((i, self.target.labelled.binary_search(row).ok()?)))
            .collect();
        let which: Vec<usize> = labelled.iter().map(|(_, at)| *at).collect();
        Self {
            source: Domain::labelled(
                self.source.name.clone(),
                select_rows(self.source.features.as_ref(), source),
                self.source.labels.select(source),
            ),
            parts: parts.filter(|(_, range)| !range.is_empty()).collect(),
            target: Domain {
                name: self.target.name.clone(),
                features: select_rows(self.target.features.as_ref(), target),
                labelled: labelled.iter().map(|(i, _)| *i).collect(),
                labels: self.target.labels.select(&which),
            },
            goal: self.goal.clone(),
            zeros: self.zeros.as_ref().map(|zeros| {
                let kept = self.parts.iter().map(|(_, range)| !within(range).is_empty()).chain([true]);
                zeros.iter().zip(kept).filter(|(_, kept)| *kept).map(|(zeros, _)| zeros.clone()).collect()
            }),
        }
    }

    /// Up to `most` rows of each side, drawn by `rng`; they keep their order.
    #[must_use]
    pub fn draw(&self, most: usize, rng: &mut ChaCha8Rng) -> Self {
        let [source, target] = self.draw_rows(most, rng);
        self.select(&source, &target)
    }

    /// The rows of each side that [`draw`](Task::draw) keeps.
    pub fn draw_rows(&self, most: usize, rng: &mut ChaCha8Rng) -> [Vec<usize>; 2] {
        [&self.source, &self.target].map(|domain| drawn(domain, most, rng))
    }

    /// The same, labelled target rows before the others.
    #[must_use]
    pub fn draw_with_labelled(&self, most: usize, rng: &mut ChaCha8Rng) -> Self {
        let source = drawn(&self.source, most, rng);
        let mut all: Vec<usize> = (0..self.target.rows()).collect();
        all.shuffle(rng);
        all.sort_by_key(|row| self.target.labelled.binary_search(row).is_err()); // stable: shuffled among their like
        all.truncate(most);
        all.sort_unstable();
        self.select(&source, &all)
    }

    /// The classes of the source rows and of the labelled target rows; `None` for a regression.
    pub fn known_classes(&self) -> Option<KnownClasses<'_>> {
        let (Labels::Classes(source), Labels::Classes(target)) = (&self.source.labels, &self.target.labels)
        else {
            return None;
        };
        let target = self.target.labelled.iter().copied().zip(target.iter().copied()).collect();
        Some(KnownClasses { source, target })
    }

    /// Number of features.
    pub fn columns(&self) -> usize {
        self.source.features.ncols()
    }

    /// Source rows above target rows `(n_s + n_t, d)`.
    pub fn pooled(&self) -> Matrix {
        stack(self.source.features.as_ref(), self.target.features.as_ref())
    }

    /// Bytes that the features take.
    pub fn bytes(&self) -> u64 {
        8 * ((self.source.rows() + self.target.rows()) * self.columns()) as u64
    }
}

/// Up to `most` rows of a domain, in order.
fn drawn(domain: &Domain, most: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut all: Vec<usize> = (0..domain.rows()).collect();
    all.shuffle(rng);
    all.truncate(most);
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    fn goal() -> Goal {
        Goal::Classes(vec!["a".into(), "b".into()])
    }

    fn source(labels: &[usize]) -> Domain {
        let features = from_rows(&vec![vec![0.0, 1.0]; labels.len()]);
        Domain::labelled("old", features, Labels::Classes(labels.to_vec()))
    }

    fn target() -> Domain {
        Domain::unlabelled("new", from_rows(&[vec![0.0, 1.0]]), &goal())
    }

    fn problem(sources: Vec<Domain>, target: Domain) -> String {
        Task::new(sources, target, goal()).unwrap_err().to_string()
    }

    #[test]
    fn sources_are_joined_and_remembered() {
        let task = Task::new(vec![source(&[0, 1]), source(&[1, 1, 0])], target(), goal()).unwrap();
        assert_eq!(task.source.labels.classes(), [0, 1, 1, 1, 0]);
        assert_eq!(task.parts[1], ("old".to_string(), 2..5));
    }

    #[test]
    fn selected_rows_keep_their_origin_and_labels() {
        let features = from_rows(&[vec![0.0, 1.0], vec![2.0, 3.0], vec![4.0, 5.0]]);
        let labels = Labels::Classes(vec![1, 0]);
        let target = Domain { name: "new".into(), features, labelled: vec![0, 2], labels };
        let task = Task::new(vec![source(&[0, 1]), source(&[1, 1, 0])], target, goal()).unwrap();
        let some = task.select(&[1, 2, 4], &[1, 2]);
        assert_eq!(some.source.labels.classes(), [1, 1, 0]);
        assert_eq!((some.parts[0].1.clone(), some.parts[1].1.clone()), (0..1, 1..3));
        assert_eq!(task.select(&[3], &[0]).zeros.unwrap().len(), 2);
        let mut rng = crate::context::Context::default().rng("draw");
        assert_eq!(task.draw_with_labelled(2, &mut rng).target.labels.classes(), [1, 0]);
        assert_eq!((some.target.labelled, some.target.labels), (vec![1], Labels::Classes(vec![0])));
        assert_eq!(some.target.features[(1, 0)], 4.0);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        assert_eq!(problem(vec![source(&[0, 0])], target()), "`old`: its labels have one class only, `a`");
        let none = Domain::unlabelled("new", Matrix::zeros(0, 2), &goal());
        assert_eq!(problem(vec![source(&[0, 1])], none), "`new`: has no rows");
        let wide = Domain::unlabelled("new", Matrix::zeros(1, 3), &goal());
        assert_eq!(
            problem(vec![source(&[0, 1])], wide),
            "`new`: has 3 feature columns, the first source has 2"
        );
        let mut nan = target();
        nan.features[(0, 1)] = f64::NAN;
        assert_eq!(problem(vec![source(&[0, 1])], nan), "`new`: row 1, feature 2: NaN is not finite");
    }
}
