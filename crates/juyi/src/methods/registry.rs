//! What a row of the method table holds, and how a method is made from it.

mod classifications;
mod grid;
mod rows;

pub use classifications::{CLASSIFICATIONS, Carried, Classification, Group};
pub use grid::Grid;
pub use rows::METHODS;

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map as JsonMap, Value};

use super::Method;
use crate::context::Context;
use crate::data::{Domain, Goal, Task};
use crate::error::{Error, Result};
use crate::learners::learner_row;
use crate::params::{ParamInfo, check_names, of_owner, read_params};

/// The families of methods, each with a folder of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Takes nothing from the other domain.
    Baseline,
    /// Weighs source rows.
    Weighting,
    /// Weighs rows round by round.
    Boosting,
    /// Goes on from a source model.
    Prior,
    /// Maps the rows of both domains into one space.
    Mapping,
    /// Carries source rows to the target by a transport plan.
    Transport,
    /// Predicts the target rows by itself, with what it carries over.
    Predictor(Carried),
}

impl Family {
    /// The name, which is that of the folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Weighting => "weighting",
            Self::Boosting => "boosting",
            Self::Prior => "prior",
            Self::Mapping => "mapping",
            Self::Transport => "transport",
            Self::Predictor(_) => "predictor",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The goals that a method serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goals {
    /// Classes and numbers.
    Any,
    /// Classes only.
    Classes,
    /// Numbers only.
    Values,
}

/// The use that a method makes of labelled target rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelUse {
    /// None.
    Unused,
    /// It learns from them where there are some.
    Optional,
    /// It cannot do without.
    Required,
}

/// The source that a method learns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceNeed {
    /// None: it learns from the target alone.
    Nothing,
    /// Rows.
    Rows,
    /// Rows, or models alone.
    RowsOrModel,
    /// Models alone, or one that it fits to the rows; where there are rows, `auto` standardises each domain in its place.
    Model,
}

/// How a method learns from several sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sources {
    /// From their rows as one.
    Joined,
    /// From each by itself.
    Apart,
    /// From their rows as one; of models it takes one only.
    OneModel,
}

/// The learner that a method trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LearnerNeed {
    /// Any.
    Any,
    /// One that makes use of row weights.
    Weighs,
    /// One that leaves trees.
    Trees,
}

/// What a method asks of a task. Equal columns, finite values and labelled source rows every [`Task`] has.
#[derive(Debug, Clone, Copy)]
pub struct Needs {
    /// What it predicts.
    pub goals: Goals,
    /// The use that it makes of labelled target rows.
    pub target_labels: LabelUse,
    /// What it learns from.
    pub source: SourceNeed,
    /// How it learns from several sources.
    pub sources: Sources,
    /// The learner that it trains.
    pub learner: LearnerNeed,
    /// It brings rows to unit length: of fewer than two columns that vary only signs would be left.
    pub directions: bool,
}

impl Needs {
    /// What every task has.
    pub const NOTHING: Self = Self {
        goals: Goals::Any,
        target_labels: LabelUse::Optional,
        source: SourceNeed::Rows,
        sources: Sources::Joined,
        learner: LearnerNeed::Any,
        directions: false,
    };

    /// Whether it cannot do without labelled target rows.
    pub fn requires_target_labels(&self) -> bool {
        self.target_labels == LabelUse::Required
    }

    /// Whether it works where the sources are models alone.
    pub fn serves_models(&self) -> bool {
        self.source != SourceNeed::Rows
    }

    /// Checks `task`; leaves a note where target labels are given in vain.
    ///
    /// # Errors
    /// [`Error::Unsuited`] naming the method and the need.
    pub fn check(&self, row: &MethodRow, task: &Task, context: &mut Context) -> Result<()> {
        self.check_target(row, &task.target, &task.goal)?;
        if self.directions && !two_columns_vary(task) {
            let problem =
                "brings rows to unit length, and fewer than two columns vary: only signs would be left";
            let hint = "choose a method that leaves the lengths of rows alone, such as `coral`, `gfk` or `linear-transport`";
            return Err(unsuited(row, problem, hint));
        }
        if self.target_labels == LabelUse::Unused && !task.target.labelled.is_empty() {
            context.note(row.name, "makes no use of the target's labels");
        }
        Ok(())
    }

    /// Checks a target that comes with source models alone.
    ///
    /// # Errors
    /// [`Error::Unsuited`] naming the method and the need.
    pub fn check_models(&self, row: &MethodRow, target: &Domain, goal: &Goal) -> Result<()> {
        if !self.serves_models() {
            let serve: Vec<&str> =
                METHODS.iter().filter(|row| row.needs.serves_models()).map(|row| row.name).collect();
            let problem = "learns from source rows, and there is a model only";
            let hint = format!("from a model alone work {}; or give the source's table", serve.join(", "));
            return Err(unsuited(row, problem, &hint));
        }
        self.check_target(row, target, goal)
    }

    fn check_target(self, row: &MethodRow, target: &Domain, goal: &Goal) -> Result<()> {
        if self.goals == Goals::Classes && *goal == Goal::Value {
            let hint = "`juyi methods` says which methods serve regression";
            return Err(unsuited(row, "predicts classes, not numbers", hint));
        }
        if self.goals == Goals::Values && *goal != Goal::Value {
            let hint = "`juyi methods` says which methods serve classification; `‹task regression›` if the \
                        labels are numbers";
            return Err(unsuited(row, "predicts numbers, not classes", hint));
        }
        if self.requires_target_labels() && target.labelled.is_empty() {
            let hint = "give labels in the target table and `‹target-labels use›`";
            return Err(unsuited(row, "learns from labelled target rows, and there are none", hint));
        }
        Ok(())
    }
}

/// Whether at least two columns have more than one value in both domains together.
fn two_columns_vary(task: &Task) -> bool {
    let (source, target) = (&task.source.features, &task.target.features);
    let varies = |j: &usize| {
        let first = source[(0, *j)];
        source.col(*j).iter().chain(target.col(*j).iter()).any(|v| *v != first)
    };
    (0..task.columns()).filter(varies).nth(1).is_some()
}

fn unsuited(row: &MethodRow, problem: &str, hint: &str) -> Error {
    Error::Unsuited { method: row.name.into(), problem: problem.into(), hint: hint.into() }
}

/// Makes a method from given parameters; also returns all of them.
type Make = fn(&JsonMap<String, Value>) -> Result<(Box<dyn Method>, Value)>;

/// What is known of a method without running it.
pub struct MethodRow {
    /// The name that the field uses.
    pub name: &'static str,
    /// The family.
    pub family: Family,
    /// What it does, in a line.
    pub summary: &'static str,
    /// When to use it, in a line.
    pub when: &'static str,
    /// The paper.
    pub paper: &'static str,
    /// What it asks of a task.
    pub needs: Needs,
    /// Whether it trains the learner that is asked for (else it is a predictor of its own).
    pub trains_learner: bool,
    /// The learner when none is asked for, that of the method and of the baseline beside it; see
    /// [`MethodRow::learner_for`].
    pub learner: &'static str,
    /// The parameters that `auto` tries.
    pub grid: Grid,
    /// The most rows a side for which `auto` tries it: beyond, a fit takes minutes.
    pub most_rows: usize,
    /// The text of its file, of which the head is its page.
    pub source: &'static str,
    /// Its parameters.
    pub params: fn() -> Vec<ParamInfo>,
    pub(super) make: Make,
}

impl MethodRow {
    /// Whether it trains a learner where the sources are models: the others go on from what the models are.
    pub fn trains_learner_on_models(&self) -> bool {
        self.needs.source == SourceNeed::Nothing
    }

    /// Whether it leaves a weight for each source row.
    pub fn weighs_rows(&self) -> bool {
        matches!(self.family, Family::Weighting | Family::Boosting)
    }

    /// The learner when none is asked for, which must be able to predict what is asked: least squares stand in for a
    /// learner of classes.
    pub fn learner_for(&self, goal: &Goal) -> &'static str {
        let serves = *goal != Goal::Value || learner_row(self.learner).is_ok_and(|learner| learner.regresses);
        if serves { self.learner } else { "ridge" }
    }

    /// What it predicts, in words.
    pub fn tasks(&self) -> &'static str {
        match self.needs.goals {
            Goals::Any => "classification, regression",
            Goals::Classes => "classification",
            Goals::Values => "regression",
        }
    }
}

/// A method with its parameters set.
pub struct Built {
    /// Its row.
    pub row: &'static MethodRow,
    /// All parameters, defaults filled in.
    pub params: Value,
    /// The method.
    pub method: Box<dyn Method>,
}

impl Built {
    /// A method as its struct has it, with its row: `Built::of(&Coral::ROW, Coral { regularization: 0.5 })`.
    ///
    /// # Errors
    /// [`Error::Param`] for a parameter out of its range; [`Error::Input`] for the row of another method.
    pub fn of<M: Method + Serialize + 'static>(row: &'static MethodRow, method: M) -> Result<Self> {
        method.check()?;
        let params = serde_json::to_value(&method)
            .map_err(|error| Error::Numeric { what: "the parameters".into(), why: error.to_string() })?;
        let own = params.as_object().map_or(0, JsonMap::len);
        let known = (row.params)();
        if own != known.len() || !known.iter().all(|param| params.get(&param.name).is_some()) {
            let problem = "is not the row of a method with these parameters";
            return Err(Error::input(format!("`{}`", row.name), problem, "give the method's own `ROW`"));
        }
        Ok(Self { row, params, method: Box::new(method) })
    }
}

/// The row of this name.
///
/// # Errors
/// [`Error::Unknown`].
pub fn method(name: &str) -> Result<&'static MethodRow> {
    METHODS.iter().find(|row| row.name == name).ok_or_else(|| Error::Unknown {
        kind: "method".into(),
        name: name.into(),
        known: METHODS.iter().map(|row| row.name.to_string()).collect(),
    })
}

/// The method of this name with these parameters, the others at their defaults. Values that are strings are read as
/// what the parameter is: `"0.5"` serves for a number.
///
/// # Errors
/// [`Error::Unknown`] for an unknown method or parameter, [`Error::Param`] for a value of the wrong kind or out of its
/// range.
pub fn build(name: &str, params: &JsonMap<String, Value>) -> Result<Built> {
    let row = method(name)?;
    check_names(&format!("parameter of `{name}`"), &(row.params)(), params)?;
    let (method, params) = (row.make)(params).map_err(|error| of_owner(error, name))?;
    method.check()?;
    Ok(Built { row, params, method })
}

/// A method of this type with these parameters, the others at their defaults, and all of them.
pub(super) fn make<M>(given: &JsonMap<String, Value>) -> Result<(Box<dyn Method>, Value)>
where
    M: Method + Default + Serialize + DeserializeOwned + 'static,
{
    let (method, all) = read_params::<M>(given)?;
    Ok((Box::new(method), all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(name: &str, params: &str) -> String {
        let params: Value = serde_json::from_str(params).unwrap();
        build(name, params.as_object().unwrap()).err().unwrap().to_string()
    }

    #[test]
    fn a_struct_makes_what_its_name_and_parameters_make() {
        use crate::methods::mapping::{Coral, Tca};
        let typed = Built::of(&Coral::ROW, Coral { regularization: 0.5 }).unwrap();
        let named =
            build("coral", serde_json::json!({ "regularization": 0.5 }).as_object().unwrap()).unwrap();
        assert_eq!((typed.row.name, &typed.params), (named.row.name, &named.params));
        let said = |built: Result<Built>| built.err().unwrap().to_string();
        let wrong = said(Built::of(&Coral::ROW, Coral { regularization: -1.0 }));
        assert!(wrong.starts_with("`coral`: `regularization` must be above 0"), "{wrong}");
        assert!(said(Built::of(&Tca::ROW, Coral::default())).starts_with("`tca`: is not the row"));
    }

    #[test]
    fn parameters_are_checked_by_name_type_and_range() {
        assert_eq!(problem("jda", r#"{"komponents": 3}"#), "unknown parameter of `jda` `komponents`");
        assert_eq!(
            problem("jda", r#"{"components": 0}"#),
            "`jda`: `components` must be between 1 and 1000000, got 0"
        );
        assert!(
            problem("jda", r#"{"components": "many"}"#)
                .starts_with("`jda`: `components` must be of its type")
        );
        assert!(problem("jda", r#"{"kernel": "cubic"}"#).contains("got cubic"));
        assert_eq!(problem("no-such", "{}"), "unknown method `no-such`");
    }

    #[test]
    fn a_typed_string_serves_for_a_number() {
        let params = serde_json::json!({"components": "30", "kernel": "rbf", "bandwidth": "0.5"});
        let built = build("tca", params.as_object().unwrap()).unwrap();
        assert_eq!(built.params["components"], 30);
        assert_eq!(built.params["kernel"], "rbf");
    }

    #[test]
    fn every_parameter_says_what_it_is() {
        for row in METHODS {
            for param in (row.params)() {
                assert!(!param.about.is_empty(), "{}: {}", row.name, param.name);
            }
        }
    }
}
