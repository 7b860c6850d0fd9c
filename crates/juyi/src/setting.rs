//! Settings as messages name them: `‹missing-values›`, or `‹missing-values -999›` with a value. The libraries know no
//! command line; a front end puts its own words in their place with [`worded`].

use std::fmt;

macro_rules! settings {
    ($($(#[$about:meta])+ $setting:ident = $name:literal,)+) => {
        /// Something that a user can set and that messages name, by its [`Display`](fmt::Display), by [`Setting::to`] where
        /// a value comes from elsewhere, or by the same notation in their text. A front end rewords it with [`worded`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Setting {
            $($(#[$about])+ $setting,)+
        }

        impl Setting {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$setting,)+];

            /// Its name, in words of the field.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$setting => $name,)+
                }
            }
        }
    };
}

settings! {
    /// How the target's columns lie to the source's.
    Assume = "assume",
    /// Time that the choice may take.
    Budget = "budget",
    /// Measure to take.
    By = "by",
    /// File for the constants of the estimates.
    Calibrate = "calibrate",
    /// Side of the square that is cut from a picture.
    Crop = "crop",
    /// What is done about pictures that cannot be read.
    Damaged = "damaged",
    /// Order of day and month in dates.
    DateOrder = "date-order",
    /// Mark before decimals.
    Decimal = "decimal",
    /// Where networks run.
    Device = "device",
    /// Columns that are left out.
    Drop = "drop",
    /// Character encoding of a text file.
    Encoding = "encoding",
    /// Passes over the pictures in a training.
    Epochs = "epochs",
    /// Tables of features.
    Features = "features",
    /// Figure that labelled target rows judge by.
    Figure = "figure",
    /// Format of a file.
    Format = "format",
    /// Columns that identify rows.
    Id = "id",
    /// Marks of missing cells that are values.
    KeepValues = "keep-values",
    /// Column to predict.
    Label = "label",
    /// Learner that is trained.
    Learner = "learner",
    /// Mean of each colour.
    Mean = "mean",
    /// Memory budget.
    Memory = "memory",
    /// Method of transfer.
    Method = "method",
    /// What is done about missing cells.
    Missing = "missing",
    /// Further marks of missing cells.
    MissingValues = "missing-values",
    /// Network that turns pictures into rows.
    Network = "network",
    /// File or folder that is written.
    Out = "out",
    /// Folder for the pages of the methods.
    Pages = "pages",
    /// Preprocessing of columns.
    Preprocess = "preprocess",
    /// What keeps a training near its checkpoint.
    Regularize = "regularize",
    /// New names of columns.
    Rename = "rename",
    /// File for the page of what was judged.
    Report = "report",
    /// Side to which a picture is scaled.
    Resize = "resize",
    /// Training that goes on.
    Resume = "resume",
    /// File for the weights of the source rows.
    SaveWeights = "save-weights",
    /// Parameters of a method or of a training.
    Set = "set",
    /// A single model instead of a vote.
    Single = "single",
    /// Source of labelled rows.
    Source = "source",
    /// Standard deviation of each colour.
    Std = "std",
    /// Target of the transfer.
    Target = "target",
    /// Whether labels of the target are learnt from.
    TargetLabels = "target-labels",
    /// Classification or regression.
    Task = "task",
    /// Strategy of tuning.
    Tune = "tune",
    /// What orders single models.
    Validator = "validator",
    /// How votes are weighed.
    Vote = "vote",
    /// Set of tensors in a file.
    Weights = "weights",
}

/// Marks before and after a setting.
const MARKS: (char, char) = ('‹', '›');

impl Setting {
    /// The setting with a value, which may hold anything.
    pub fn to(self, value: impl fmt::Display) -> String {
        // A mark within the value is doubled, so that it does not end there.
        let value = value.to_string().replace(MARKS.1, "››");
        format!("{}{} {value}{}", MARKS.0, self.name(), MARKS.1)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|setting| setting.name() == name)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", MARKS.0, self.name(), MARKS.1)
    }
}

/// A message in a front end's words: `word` has the setting and its value, if there is one. Marks around anything but a
/// setting stay as they are, for data may hold them.
pub fn worded(text: &str, word: impl Fn(Setting, Option<&str>) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(MARKS.0) {
        out += before;
        rest = after;
        match first(after) {
            Some((setting, value, behind)) => {
                out += &word(setting, value.as_deref());
                rest = behind;
            }
            None => out.push(MARKS.0),
        }
    }
    out + rest
}

/// The setting that a text begins with after its mark, its value, and what comes behind.
fn first(text: &str) -> Option<(Setting, Option<String>, &str)> {
    let (name, rest) = text.split_at(text.find([' ', MARKS.1])?);
    let setting = Setting::named(name)?;
    if let Some(behind) = rest.strip_prefix(MARKS.1) {
        return Some((setting, None, behind));
    }
    let (mut value, mut rest) = (String::new(), &rest[1..]);
    loop {
        let (part, behind) = rest.split_once(MARKS.1)?;
        value += part;
        let Some(within) = behind.strip_prefix(MARKS.1) else { return Some((setting, Some(value), behind)) };
        value.push(MARKS.1);
        rest = within;
    }
}

/// Whether a text looks like a setting, or the begin of one.
pub(crate) fn is_like_one(text: &str) -> bool {
    text.strip_prefix(MARKS.0)
        .is_some_and(|text| Setting::ALL.iter().any(|setting| text.starts_with(setting.name())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(text: &str) -> String {
        worded(text, |setting, value| match value {
            Some(value) => format!("--{} {value}", setting.name()),
            None => format!("--{}", setting.name()),
        })
    }

    #[test]
    fn a_front_end_words_settings_and_nothing_else() {
        for (text, said) in [
            (
                "leave it out with `‹drop›`, or give `‹missing-values -999›`",
                "leave it out with `--drop`, or give `--missing-values -999`",
            ),
            ("`‹mean 1,2,3› ‹std 1,1,1›` takes them", "`--mean 1,2,3 --std 1,1,1` takes them"),
            ("`‹drop›`‹id›", "`--drop`--id"),
            ("‹Zitat›, ‹drops›, ‹›, ‹ drop›, ‹DROP›, ‹drop", "‹Zitat›, ‹drops›, ‹›, ‹ drop›, ‹DROP›, ‹drop"),
            ("‹‹drop›", "‹--drop"),
            ("‹missing mean, ‹x›", "--missing mean, ‹x"),
            ("a › b ‹", "a › b ‹"),
        ] {
            assert_eq!(flags(text), said);
        }
    }

    #[test]
    fn a_value_may_hold_anything() {
        for value in ["-999", "", "a b", "›", "››", "a›", "‹x›", "›‹x› ›", "é"] {
            let text = format!("add `{}`; `{}`", Setting::MissingValues.to(value), Setting::Drop);
            assert_eq!(flags(&text), format!("add `--missing-values {value}`; `--drop`"), "{text}");
        }
        assert_eq!(Setting::Missing.to("mean"), "‹missing mean›");
    }

    #[test]
    fn each_setting_has_a_name_of_its_own() {
        for setting in Setting::ALL {
            assert_eq!(Setting::named(setting.name()), Some(*setting));
        }
    }
}
