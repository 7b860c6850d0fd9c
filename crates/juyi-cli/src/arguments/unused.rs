//! Options that were given where they say nothing: refused by name, whatever command they stand in.

use clap::ArgMatches;
use clap::parser::ValueSource;
use juyi::error::{Error, Result};

/// What a command is to do, as far as it decides which options say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Learn from tables, measure or predict them.
    Tables,
    /// The same with the built-in digits.
    Digits,
    /// The same with the features of pictures.
    Features,
    /// Tune a network on pictures.
    Tuning,
    /// Predict pictures with a network.
    Classes,
    /// Run tasks of a user's own.
    Sweep,
}

/// Options that say nothing in some kinds of work, and why. An option may stand there with its value.
struct Unused {
    works: &'static [Work],
    options: &'static [&'static str],
    problem: &'static str,
    hint: &'static str,
}

const UNUSED: [Unused; 7] = [
    Unused {
        works: &[Work::Tuning],
        options: &[
            "method",
            "assume",
            "figure",
            "budget",
            "single",
            "validator",
            "vote",
            "learner",
            "learner-set",
            "network",
            "label",
            "drop",
            "id",
            "preprocess",
            "missing",
            "task regression",
            "target-labels",
            "labels",
            "save-weights",
            "decimal",
            "date-order",
        ],
        problem: "is for tables, and a network is tuned on pictures",
        hint: "leave it out; to use a method on a network's features give `--network` and folders of pictures",
    },
    Unused {
        works: &[Work::Features, Work::Classes],
        options: &["missing", "decimal", "date-order"],
        problem: "is for the cells of tables, and pictures have none",
        hint: "leave it out",
    },
    Unused {
        works: &[Work::Tables, Work::Digits, Work::Features],
        options: &["tune", "epochs", "regularize", "resume"],
        problem: "is for the tuning of a network, and none is tuned here",
        hint: "leave it out; to tune a network give its checkpoint as the only `--source` and pictures as `--target`",
    },
    Unused {
        works: &[Work::Tables, Work::Digits],
        options: &["damaged", "cache", "weights", "mean", "std", "resize", "crop", "device", "class-names"],
        problem: "is for pictures, and none are read here",
        hint: "leave it out; `--network` turns folders of pictures into tables",
    },
    Unused {
        works: &[Work::Tables],
        options: &["head old"],
        problem: "is for networks that were tuned on pictures",
        hint: "leave it out",
    },
    Unused {
        works: &[Work::Sweep],
        options: &[
            "method",
            "halves",
            "calibrate",
            "json",
            "labelled",
            "draws",
            "network",
            "damaged",
            "cache",
            "weights",
            "mean",
            "std",
            "resize",
            "crop",
            "device",
        ],
        problem: "is for published tables, and your own tasks are run",
        hint: "leave it out; `--methods`, `--learners`, `--seeds`, `--figure`, `--format`, `--part` and `--out` are for your own tasks",
    },
    Unused {
        works: &[Work::Digits],
        options: &["format", "encoding", "missing-values", "keep-values", "decimal", "date-order"],
        problem: "is for tables that are read, and the digits are built in",
        hint: "leave it out, or give `--source` and `--target`",
    },
];

/// Options of a command that have another value than their default, each with what was typed for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given(Vec<(String, String)>);

impl Given {
    /// Those of the command that was called.
    pub(crate) fn of(all: &clap::Command, matches: &ArgMatches) -> Self {
        let Some((name, own)) = matches.subcommand() else { return Self::default() };
        let options = all.find_subcommand(name).into_iter().flat_map(clap::Command::get_arguments);
        let given = options.filter_map(|option| {
            let (id, long) = (option.get_id().as_str(), option.get_long()?);
            let typed = own.value_source(id) == Some(ValueSource::CommandLine);
            let values: Vec<_> = own.get_raw(id).filter(|_| typed)?.collect();
            let text = values.iter().map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(",");
            let default = option.get_default_values().iter().any(|own| own.to_string_lossy() == text);
            (!default).then(|| (long.to_string(), text))
        });
        Self(given.collect())
    }

    /// Refuses the first that says nothing in this kind of work.
    pub(crate) fn refuse_unused(&self, work: Work) -> Result<()> {
        for Unused { options, problem, hint, .. } in UNUSED.iter().filter(|own| own.works.contains(&work)) {
            let is = |(long, value): &&(String, String)| {
                options.iter().any(|own| own == long || *own == format!("{long} {value}"))
            };
            if let Some((long, value)) = self.0.iter().find(is) {
                let typed = format!("{long} {value}");
                let option = if options.contains(&&*typed) { &typed } else { long };
                return Err(Error::input(format!("`--{option}`"), *problem, *hint));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::arguments::Arguments;

    fn refused(line: &str, work: Work) -> String {
        let command = Arguments::command();
        let matches = command.clone().try_get_matches_from(line.split(' ')).unwrap();
        let refused = Given::of(&command, &matches).refuse_unused(work);
        refused.map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn every_option_that_is_refused_is_one() {
        let command = Arguments::command();
        let known = |name: &str| {
            let long = name.split(' ').next();
            command.get_subcommands().flat_map(clap::Command::get_arguments).any(|own| own.get_long() == long)
        };
        let all = UNUSED.iter().flat_map(|own| own.options);
        let unknown: Vec<_> = all.filter(|name| cfg!(feature = "deep") && !known(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn what_was_typed_and_says_nothing_is_refused() {
        let tables = "juyi transfer --source a.csv --target b.csv";
        assert_eq!(refused(&format!("{tables} --preprocess l2 --task regression"), Work::Tables), "");
        let said = refused(&format!("{tables} --preprocess l2"), Work::Tuning);
        assert_eq!(said, "`--preprocess`: is for tables, and a network is tuned on pictures");
        let said = refused(&format!("{tables} --task regression"), Work::Tuning);
        assert!(said.starts_with("`--task regression`: is for tables"), "{said}");
        let said = refused(&format!("{tables} --save-weights w.csv"), Work::Tuning);
        assert!(said.starts_with("`--save-weights`: is for tables"), "{said}");
        for default in ["--task classification", "--method auto", "--preprocess standardize"] {
            assert_eq!(refused(&format!("{tables} {default}"), Work::Tuning), "", "{default}");
        }
    }
}
