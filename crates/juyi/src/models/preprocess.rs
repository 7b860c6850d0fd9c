//! Preprocessing: what is done to the columns and rows before any method, on both sides.

use serde::{Deserialize, Serialize};

use super::Map;
use crate::context::Context;
use crate::data::Task;
use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// One step of preprocessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preprocess {
    /// Nothing.
    None,
    /// Each row divided by the sum of its absolute values.
    L1,
    /// Each row divided by its Euclidean length.
    L2,
    /// Each column to mean 0 and population deviation 1 by the *source's* statistics, on both sides. A column that is
    /// constant in the source becomes 0 on both sides: nothing can be learnt from it.
    Standardize,
    /// The same, but each domain by its own statistics. This takes something from the target, so it is adaptation.
    StandardizeEach,
}

impl Preprocess {
    /// All steps, by the names that the command line uses.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("none", Self::None),
        ("l1", Self::L1),
        ("l2", Self::L2),
        ("standardize", Self::Standardize),
        ("standardize-each", Self::StandardizeEach),
    ];

    /// The step of this name.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn from_name(name: &str) -> Result<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, step)| *step).ok_or_else(|| {
            Error::Unknown {
                kind: "preprocessing step".into(),
                name: name.into(),
                known: Self::NAMES.iter().map(|(known, _)| (*known).to_string()).collect(),
            }
        })
    }

    /// The step's name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, step)| *step == self).map_or("none", |(name, _)| name)
    }
}

/// Brings a task through the steps and returns the maps that do the same to new target rows.
pub fn preprocess(mut task: Task, steps: &[Preprocess], context: &mut Context) -> (Task, Vec<Map>) {
    let mut maps = Vec::new();
    for step in steps {
        let map = match step {
            Preprocess::None => continue,
            Preprocess::L1 | Preprocess::L2 => {
                task.zeros = task.zeros.filter(|zeros| zeros.iter().flatten().all(|v| *v == 0.0));
                if *step == Preprocess::L1 { Map::NormalizeRowsL1 } else { Map::NormalizeRowsL2 }
            }
            Preprocess::Standardize => {
                let map = Map::standardize_noting(&task.source.features, context);
                for zeros in task.zeros.iter_mut().flatten() {
                    through(&map, zeros);
                }
                map
            }
            Preprocess::StandardizeEach => {
                for (k, (_, range)) in task.parts.iter().enumerate() {
                    let mut rows = task.source.features.get_mut(range.clone(), ..);
                    let map = Map::standardize(rows.as_ref()).0;
                    let mapped = map.apply_in_place(rows.as_ref().to_owned());
                    rows.copy_from(mapped);
                    task.zeros.iter_mut().for_each(|zeros| through(&map, &mut zeros[k]));
                }
                let map = Map::standardize(task.target.features.as_ref()).0;
                task.zeros
                    .iter_mut()
                    .filter_map(|zeros| zeros.last_mut())
                    .for_each(|zeros| through(&map, zeros));
                task.target.features = map.apply_in_place(task.target.features);
                maps.push(map);
                continue;
            }
        };
        task.source.features = map.apply_in_place(task.source.features);
        task.target.features = map.apply_in_place(task.target.features);
        maps.push(map);
    }
    (task, maps)
}

impl Map {
    /// [`Map::standardize`] by a source's rows; columns that are constant there are noted.
    pub(crate) fn standardize_noting(source: &Matrix, context: &mut Context) -> Self {
        let (map, constant) = Self::standardize(source.as_ref());
        if constant > 0 {
            context.note(
                Preprocess::Standardize.name(),
                format!("{constant} columns are constant in the source and count for nothing"),
            );
        }
        map
    }
}

/// One row through a map that keeps columns.
fn through(map: &Map, row: &mut [f64]) {
    let mapped = map.apply_in_place(Matrix::from_fn(1, row.len(), |_, j| row[j]));
    row.iter_mut().enumerate().for_each(|(j, v)| *v = mapped[(0, j)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::linalg::from_rows;

    fn task() -> Task {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = from_rows(&[vec![1.0, 5.0], vec![3.0, 5.0]]);
        let target = from_rows(&[vec![4.0, 6.0], vec![8.0, 7.0]]);
        let source = Domain::labelled("s", source, Labels::Classes(vec![0, 1]));
        Task::new(vec![source], Domain::unlabelled("t", target, &goal), goal).unwrap()
    }

    #[test]
    fn the_default_takes_nothing_from_the_target() {
        let (done, maps) = preprocess(task(), &[Preprocess::Standardize], &mut Context::default());
        assert_eq!(done.source.features, from_rows(&[vec![-1.0, 0.0], vec![1.0, 0.0]]));
        assert_eq!(done.target.features, from_rows(&[vec![2.0, 0.0], vec![6.0, 0.0]]));
        assert_eq!(maps[0].apply(task().target.features.as_ref()), done.target.features);
    }

    #[test]
    fn columns_that_differ_by_rounding_only_are_constant() {
        let single = |v: f32| f64::from(v);
        let column = |j: usize, i: usize| match j {
            0 => 1e6 + 1e-5 * i as f64, // one part in 10^11
            1 => single(0.3) + f64::from(u8::from(i == 0)) * (single(0.300_000_04) - single(0.3)), // the last bit
            2 => 1e6 + i as f64,
            3 => single(0.25 + 0.125 * i as f32),
            _ => 1e-12 * i as f64, // small, and not by rounding
        };
        let (map, constant) = Map::standardize(Matrix::from_fn(4, 5, |i, j| column(j, i)).as_ref());
        assert_eq!(constant, 2);
        let far = map.apply(Matrix::from_fn(1, 5, |_, _| 1e3).as_ref());
        assert!(far[(0, 0)] == 0.0 && far[(0, 1)] == 0.0 && far[(0, 2)] != 0.0 && far[(0, 4)] > 0.0);
    }

    #[test]
    fn each_domain_by_its_own_statistics() {
        let (done, maps) = preprocess(task(), &[Preprocess::StandardizeEach], &mut Context::default());
        assert_eq!(done.source.features, from_rows(&[vec![-1.0, 0.0], vec![1.0, 0.0]]));
        assert_eq!(done.target.features, from_rows(&[vec![-1.0, -1.0], vec![1.0, 1.0]]));
        // Means 2 and 5, 6 and 6.5; a column that does not vary is left at 0.
        assert_eq!(done.zeros.unwrap(), [[-2.0, 0.0], [-3.0, -13.0]]);
        let (unit, _) =
            preprocess(task(), &[Preprocess::Standardize, Preprocess::L2], &mut Context::default());
        assert_eq!(unit.zeros, None);
        assert_eq!(maps[0].apply(task().target.features.as_ref()), done.target.features);
    }
}
