//! Measures of how far two domains are apart, as rows.

use std::fmt::Write;

use rand_chacha::ChaCha8Rng;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map as JsonMap, Value};

use super::{Distance, MEASURES};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::heads::{head, page};
use crate::linalg::Matrix;
use crate::params::{ParamInfo, check_names, markdown, of_owner, read_params};

/// A measure of two domains.
pub trait DomainMeasure: Send + Sync {
    /// Its row in the registry.
    fn row(&self) -> &'static MeasureRow;

    /// Measures `source` `(n, d)` and `target` `(m, d)`, at least [`FEWEST_ROWS`] rows each, columns of about the same
    /// scale. One number, or several that share their work, the one to be shown first.
    ///
    /// # Errors
    /// [`Error::Param`] for a parameter out of its range; what a solver reports.
    fn between(
        &self,
        source: &Matrix,
        target: &Matrix,
        rng: &mut ChaCha8Rng,
        context: &mut Context,
    ) -> Result<Vec<Distance>>;
}

/// Fewest rows of a side that are measured.
pub const FEWEST_ROWS: usize = 10;

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
        let _ = writeln!(out, "\n**In short.** A measure of two domains; {when}.");
        out += &markdown(&(self.params)());
        let _ = write!(
            out,
            "\n```sh\njuyi measure ‹source old.csv› ‹target new.csv› ‹label y› ‹by {}›\n```\n",
            self.name
        );
        out
    }
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

    #[test]
    fn each_measure_tells_far_domains_from_near_ones_and_says_how_sure_it_is() {
        for row in MEASURES {
            let of = |x: &Matrix, y: &Matrix| {
                let context = &mut Context::default();
                let mut rng = context.rng("measures");
                let measure = measure_with(row.name, &JsonMap::new()).unwrap();
                assert_eq!(measure.row().name, row.name);
                measure.between(x, y, &mut rng, context).unwrap()
            };
            let (x, near, far) = (rows(60, 0, 0.0), rows(50, 60, 0.0), rows(50, 60, 4.0));
            let all = [of(&x, &near), of(&x, &far), of(&near, &x), of(&rows(10, 0, 0.0), &rows(10, 50, 0.0))];
            for found in all.iter().flatten() {
                assert!(found.value.is_finite() && !found.name.is_empty() && !found.about.is_empty());
                assert!(found.interval.is_none_or(|(low, high)| low <= found.value && found.value <= high));
                assert!(found.p_value.is_none_or(|p| (0.0..=1.0).contains(&p)));
            }
            let [near, far, turned, _] = all;
            for k in 0..near.len() {
                assert!(far[k].value > near[k].value, "{}", row.name);
                assert!((near[k].value - turned[k].value).abs() < 0.5 * far[k].value, "{}", row.name);
            }
            assert_eq!(of(&x, &rows(50, 60, 4.0)), far, "{}: twice the same", row.name);
        }
    }

    #[test]
    fn each_measure_has_a_page_and_parameters_by_name() {
        for row in MEASURES {
            for part in ["Paper:", "Cost:"] {
                assert!(row.head().contains(part), "{}: {part}", row.name);
            }
            assert!(!(row.params)().is_empty() && !row.summary.is_empty());
            let unknown = [("no-such".to_string(), Value::from(1))].into_iter().collect();
            let error = measure_with(row.name, &unknown).err().expect("refused");
            assert!(error.to_string().contains(&format!("parameter of `{}` `no-such`", row.name)), "{error}");
        }
        assert!(measure_with("mdm", &JsonMap::new()).err().unwrap().hint().unwrap().contains("`mmd`"));
    }
}
