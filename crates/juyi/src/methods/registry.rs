//! One row a method. The command line, the README table and the law tests read the rows.

use schemars::{JsonSchema, schema_for};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map as JsonMap, Value};

use super::{Method, baseline, mapping, predictor, transport, weighting};
use crate::context::Context;
use crate::data::{Goal, Task};
use crate::error::{Error, Result};

/// What a method asks of a task. Equal columns, finite values and labelled source rows every [`Task`] has.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs {
    /// It predicts classes only.
    pub classes: bool,
    /// It cannot do without labelled target rows.
    pub target_labels: bool,
    /// It makes no use of labelled target rows.
    pub ignores_target_labels: bool,
}

impl Needs {
    /// Checks `task`; leaves a note where target labels are given in vain.
    ///
    /// # Errors
    /// [`Error::Unsuited`] naming the method and the need.
    pub fn check(&self, row: &MethodRow, task: &Task, context: &mut Context) -> Result<()> {
        let unsuited = |problem: &str, hint: &str| {
            Err(Error::Unsuited { method: row.name.into(), problem: problem.into(), hint: hint.into() })
        };
        if self.classes && task.goal == Goal::Value {
            return unsuited(
                "predicts classes, not numbers",
                "`juyi methods` says which methods serve regression",
            );
        }
        if self.target_labels && task.target.labelled.is_empty() {
            return unsuited(
                "learns from labelled target rows, and there are none",
                "give labels in the target table and `--target-labels use`",
            );
        }
        if self.ignores_target_labels && !task.target.labelled.is_empty() {
            context.note(row.name, "makes no use of the target's labels");
        }
        Ok(())
    }
}

/// One parameter as the registry shows it.
#[derive(Debug, Clone, Serialize)]
pub struct ParamInfo {
    /// Name.
    pub name: String,
    /// Default.
    pub default: Value,
    /// Meaning and range: the field's documentation.
    pub about: String,
}

/// Makes a method from given parameters; also returns all of them.
type Make = fn(&JsonMap<String, Value>) -> Result<(Box<dyn Method>, Value)>;

/// What is known of a method without running it.
pub struct MethodRow {
    /// The name that the field uses.
    pub name: &'static str,
    /// The family: also the folder.
    pub family: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// When to use it, in a line.
    pub when: &'static str,
    /// The paper.
    pub paper: &'static str,
    /// What it asks of a task.
    pub needs: Needs,
    /// Whether it adapts rows for a learner (else it is a predictor of its own).
    pub adapter: bool,
    /// The learner when none is asked for: trained by adapters, and by the baseline beside every method.
    pub learner: &'static str,
    /// The parameters that `auto` tries, each a JSON object of those that differ from their defaults.
    pub grid: &'static [&'static str],
    /// The most rows a side for which `auto` tries it: beyond, a fit takes minutes.
    pub most_rows: usize,
    /// Its parameters.
    pub params: fn() -> Vec<ParamInfo>,
    make: Make,
}

impl MethodRow {
    /// What it predicts, in words.
    pub fn tasks(&self) -> &'static str {
        if self.needs.classes { "classification" } else { "classification, regression" }
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

/// All methods, in the order in which they are listed.
pub static METHODS: &[MethodRow] = &[
    MethodRow {
        name: "none",
        family: "baseline",
        summary: "the learner trained on the source alone",
        when: "always, beside any other method: what transfer has to beat",
        paper: "no transfer; the baseline of every paper here",
        needs: Needs { classes: false, target_labels: false, ignores_target_labels: true },
        adapter: true,
        learner: "logistic",
        grid: &["{}"],
        most_rows: usize::MAX,
        params: params_of::<baseline::SourceOnly>,
        make: make::<baseline::SourceOnly>,
    },
    MethodRow {
        name: "target-only",
        family: "baseline",
        summary: "the learner trained on the labelled target rows alone",
        when: "there are target labels: whether the source adds anything to them",
        paper: "no transfer; the other baseline",
        needs: Needs { classes: false, target_labels: true, ignores_target_labels: false },
        adapter: true,
        learner: "logistic",
        grid: &["{}"],
        most_rows: usize::MAX,
        params: params_of::<baseline::TargetOnly>,
        make: make::<baseline::TargetOnly>,
    },
    MethodRow {
        name: "nearest-neighbor",
        family: "weighting",
        summary: "weighs a source row by the target rows that are nearest to it",
        when: "the same labelling rule, other shares of the same kinds of rows; few columns",
        paper: "M. Loog, \"Nearest neighbor-based importance weighting\", MLSP 2012",
        needs: Needs { classes: false, target_labels: false, ignores_target_labels: false },
        adapter: true,
        learner: "logistic",
        grid: &["{}"],
        most_rows: 200_000,
        params: params_of::<weighting::NearestNeighbor>,
        make: make::<weighting::NearestNeighbor>,
    },
    MethodRow {
        name: "kmm",
        family: "weighting",
        summary: "weighs source rows so that their kernel mean is the target's",
        when: "the same labelling rule, rows drawn differently, and target rows inside the source's range",
        paper: "J. Huang, A. Smola, A. Gretton, K. Borgwardt, B. Schölkopf, \"Correcting sample selection bias by unlabeled data\", NIPS 2006",
        needs: Needs { classes: false, target_labels: false, ignores_target_labels: false },
        adapter: true,
        learner: "logistic",
        grid: &["{}"],
        most_rows: 20_000,
        params: params_of::<weighting::Kmm>,
        make: make::<weighting::Kmm>,
    },
    MethodRow {
        name: "discriminative",
        family: "weighting",
        summary: "weighs a source row by the odds that a logistic regression gives it of being a target row",
        when: "the same labelling rule, rows drawn differently; many rows and columns",
        paper: "S. Bickel, M. Brückner, T. Scheffer, \"Discriminative learning for differing training and test distributions\", ICML 2007",
        needs: Needs { classes: false, target_labels: false, ignores_target_labels: false },
        adapter: true,
        learner: "logistic",
        params: params_of::<weighting::Discriminative>,
        make: make::<weighting::Discriminative>,
    },
    MethodRow {
        name: "coral",
        family: "mapping",
        summary: "gives the source rows the covariance of the target",
        when: "columns are rescaled or correlated differently (another sensor, another camera); any size of data",
        paper: "B. Sun, J. Feng, K. Saenko, \"Return of frustratingly easy domain adaptation\", AAAI 2016",
        needs: Needs { classes: false, target_labels: false, ignores_target_labels: false },
        adapter: true,
        learner: "logistic",
        grid: &["{}", r#"{"regularization": 0.01}"#],
        most_rows: usize::MAX,
        params: params_of::<mapping::Coral>,
        make: make::<mapping::Coral>,
    },
    MethodRow {
        name: "tca",
        family: "mapping",
        summary: "projects both domains to where their means agree and their variance is kept",
        when: "many columns, a shift of the whole cloud of rows",
        paper: "S. J. Pan, I. Tsang, J. Kwok, Q. Yang, \"Domain adaptation via transfer component analysis\", IEEE TNN 2011",
        needs: Needs { classes: false, target_labels: false, ignores_target_labels: false },
        adapter: true,
        learner: "1-nn",
        grid: &["{}", r#"{"components": 10}"#],
        most_rows: usize::MAX,
        params: params_of::<mapping::Tca>,
        make: make::<mapping::Tca>,
    },
    MethodRow {
        name: "jda",
        family: "mapping",
        summary: "projects to where the means agree class by class, with pseudo-labels for the target",
        when: "many columns, classes that shift differently, a baseline that is better than guessing",
        paper: "M. Long, J. Wang, G. Ding, J. Sun, P. Yu, \"Transfer feature learning with joint distribution adaptation\", ICCV 2013",
        needs: Needs { classes: true, target_labels: false, ignores_target_labels: false },
        adapter: true,
        learner: "1-nn",
        grid: &["{}", r#"{"components": 10}"#],
        most_rows: 100_000,
        params: params_of::<mapping::Jda>,
        make: make::<mapping::Jda>,
    },
    MethodRow {
        name: "subspace-alignment",
        family: "mapping",
        summary: "projects each domain to its principal directions and turns the source's onto the target's",
        when: "many columns of which a few directions matter, turned between the domains",
        paper: "B. Fernando, A. Habrard, M. Sebban, T. Tuytelaars, \"Unsupervised visual domain adaptation using subspace alignment\", ICCV 2013",
        needs: Needs { classes: false, target_labels: false, ignores_target_labels: false },
        adapter: true,
        learner: "1-nn",
        params: params_of::<mapping::SubspaceAlignment>,
        make: make::<mapping::SubspaceAlignment>,
    },
    MethodRow {
        name: "exact-transport",
        family: "transport",
        summary: "moves the source rows onto the target rows at the least total squared distance",
        when: "a smooth distortion of the rows and equal shares of the classes; harmful when class shares differ",
        paper: "N. Courty, R. Flamary, D. Tuia, A. Rakotomamonjy, \"Optimal transport for domain adaptation\", IEEE TPAMI 2017",
        needs: Needs { classes: false, target_labels: false, ignores_target_labels: false },
        adapter: true,
        learner: "1-nn",
        grid: &["{}"],
        most_rows: 10_000,
        params: params_of::<transport::ExactTransport>,
        make: make::<transport::ExactTransport>,
    },
    MethodRow {
        name: "sinkhorn",
        family: "transport",
        summary: "moves the source rows onto the target rows by a smooth plan of small total squared distance",
        when: "as exact-transport, where single rows are noisy; harmful when class shares differ",
        paper: "M. Cuturi, \"Sinkhorn distances: lightspeed computation of optimal transport\", NIPS 2013",
        needs: Needs { classes: false, target_labels: false, ignores_target_labels: false },
        adapter: true,
        learner: "1-nn",
        params: params_of::<transport::Sinkhorn>,
        make: make::<transport::Sinkhorn>,
    },
    MethodRow {
        name: "easytl",
        family: "predictor",
        summary: "aligns covariances, then gives each target row the nearest class mean, no class left empty",
        when: "nothing may be tuned; compact classes; a quick first answer",
        paper: "J. Wang, Y. Chen, H. Yu, M. Huang, Q. Yang, \"Easy transfer learning by exploiting intra-domain structures\", ICME 2019",
        needs: Needs { classes: true, target_labels: false, ignores_target_labels: false },
        adapter: false,
        learner: "class-means",
        grid: &["{}"],
        most_rows: usize::MAX,
        params: params_of::<predictor::EasyTl>,
        make: make::<predictor::EasyTl>,
    },
    MethodRow {
        name: "label-propagation",
        family: "predictor",
        summary: "lets labels flow along a Gaussian graph over source and target rows",
        when: "classes form clusters that reach from the source into the target; few columns",
        paper: "X. Zhu, Z. Ghahramani, \"Learning from labeled and unlabeled data with label propagation\", CMU-CALD-02-107, 2002",
        needs: Needs { classes: false, target_labels: false, ignores_target_labels: false },
        adapter: false,
        learner: "1-nn",
        grid: &["{}"],
        most_rows: 20_000,
        params: params_of::<predictor::LabelPropagation>,
        make: make::<predictor::LabelPropagation>,
    },
];

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
    let known: Vec<ParamInfo> = (row.params)();
    for given in params.keys() {
        if !known.iter().any(|param| param.name == *given) {
            return Err(Error::Unknown {
                kind: format!("parameter of `{name}`"),
                name: given.clone(),
                known: known.into_iter().map(|param| param.name).collect(),
            });
        }
    }
    let (method, params) = (row.make)(params).map_err(|error| match error {
        Error::Param { name: param, must, got, .. } => {
            Error::Param { owner: name.into(), name: param, must, got }
        }
        other => other,
    })?;
    method.check()?;
    Ok(Built { row, params, method })
}

/// Reads the parameters one by one, so that an error names the one that is at fault.
fn make<M>(given: &JsonMap<String, Value>) -> Result<(Box<dyn Method>, Value)>
where
    M: Method + Default + Serialize + DeserializeOwned + 'static,
{
    let defaults = || serde_json::to_value(M::default()).unwrap_or_default();
    let mut all = defaults();
    for (name, value) in given {
        // A string may be a number or a switch that was typed on a command line.
        let typed = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let accepts = |value: &Value| {
            let mut one = defaults();
            one[name] = value.clone();
            serde_json::from_value::<M>(one).map(|_| ())
        };
        let value = typed.filter(|typed| accepts(typed).is_ok()).unwrap_or_else(|| value.clone());
        if let Err(error) = accepts(&value) {
            let got = value.as_str().map_or_else(|| value.to_string(), str::to_string);
            let must = format!("of its type ({})", error.to_string().trim_end_matches(" at line 0 column 0"));
            return Err(Error::Param { owner: String::new(), name: name.clone(), must, got });
        }
        all[name] = value;
    }
    let method: M = serde_json::from_value(all.clone())
        .map_err(|error| Error::Numeric { what: "reading parameters".into(), why: error.to_string() })?;
    Ok((Box::new(method), all))
}

/// Names, defaults and documentation of a method's parameters, from its struct.
fn params_of<M: Default + Serialize + JsonSchema>() -> Vec<ParamInfo> {
    let defaults = serde_json::to_value(M::default()).unwrap_or_default();
    let schema = schema_for!(M);
    let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let describe = |(name, property): (String, Value)| {
        let about =
            property.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
        ParamInfo { default: defaults[&name].clone(), about, name }
    };
    properties.into_iter().map(describe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(name: &str, params: &str) -> String {
        let params: Value = serde_json::from_str(params).unwrap();
        build(name, params.as_object().unwrap()).err().unwrap().to_string()
    }

    #[test]
    fn parameters_are_checked_by_name_type_and_range() {
        assert_eq!(problem("jda", r#"{"komponents": 3}"#), "unknown parameter of `jda` `komponents`");
        assert_eq!(problem("jda", r#"{"components": 0}"#), "`jda`: `components` must be 1 or above, got 0");
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
