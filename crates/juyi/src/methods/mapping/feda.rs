//! Feature augmentation: every column is held once for all domains and once more for each of them, so that a learner
//! may keep what the domains share and what they do not in weights of their own.
//!
//! When: some target rows are labelled, too few to learn from alone, and the source mostly says the same as they do. It
//! hurts where the source says nothing of the target, or where the labelled target rows are many: then `target-only` is
//! as good and simpler. Without labelled target rows it would leave the target's own weights at 0, so it asks for them.
//!
//! Paper: H. Daumé III, "Frustratingly easy domain adaptation", ACL 2007
//!
//! ```text
//! source k of K:  x -> (x, 0, .., x, .., 0)        block 0, and block k of the K + 1 others      (section 3)
//! target:         x -> (x, 0, ..,    ..., x)       block 0, and the last block
//! ```
//! A linear learner with the weights `(v_0, v_1, .., v_(K + 1))` then answers `x (v_0 + v_k)` in domain `k`, and its
//! penalty `|v_0|² + Σ_k |v_k|²` draws the domains' own parts towards 0. Between rows of one domain the inner product
//! is twice what it was, between those of two domains it is what it was.
//!
//! Where we differ: any learner may follow, where the paper used sequence labellers. Unlabelled target rows are not
//! used: the extension that does so (H. Daumé III, A. Kumar, A. Saha, "Frustratingly easy semi-supervised domain
//! adaptation", 2010) asks a learner for a loss of its own on rows without a label.
//!
//! Cost: that of the learner on rows `K + 2` times as wide, in time and memory.

use std::borrow::Cow;

use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::{Error, Result};
use crate::learners::Learner;
use crate::methods::{Adapted, Adapter, Family, Grid, LabelUse, MethodRow, Needs, Sources, make, params_of};
use crate::models::Map;

/// Feature augmentation; no parameters.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feda {}

impl Feda {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "feda",
        family: Family::Mapping,
        summary: "holds every column once for all domains and once more for each of them",
        when: "some target rows are labelled, too few to learn from alone, and the source mostly agrees with them",
        paper: "H. Daumé III, \"Frustratingly easy domain adaptation\", ACL 2007",
        needs: Needs { target_labels: LabelUse::Required, sources: Sources::Apart, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::of(&["{}"]),
        most_rows: usize::MAX,
        source: include_str!("feda.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Feda {
    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (parts, d) = (task.parts.len(), task.columns());
        let blocks = parts + 2;
        if blocks > Map::MOST_BLOCKS {
            return Err(Error::Unsuited {
                method: "feda".into(),
                problem: format!(
                    "holds at most {} sources apart, and there are {parts}",
                    Map::MOST_BLOCKS - 2
                ),
                hint: "join tables of one origin".into(),
            });
        }
        // The widened source rows, and once more with the labelled target rows below them for the learner.
        let rows = task.source.rows() + task.target.labelled.len();
        let need = (16 * d as u64).saturating_mul((rows * blocks) as u64);
        context.require(&format!("rows with {blocks} blocks of columns"), need)?;
        let own = |own: usize| Map::Augment { blocks: (0..blocks).map(|k| k == 0 || k == own).collect() };
        let mut source = Mat::zeros(task.source.rows(), d * blocks);
        for (k, (_, range)) in task.parts.iter().enumerate() {
            let widened = own(k + 1).apply(task.source.features.get(range.clone(), ..));
            source.get_mut(range.clone(), ..).copy_from(widened);
        }
        Ok(Adapted { source: Cow::Owned(source), weights: None, target_map: vec![own(blocks - 1)] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::{from_rows, multiply, stack};
    use crate::models::apply_all;

    fn task(sources: usize) -> Task {
        let goal = Goal::Value;
        let source = |k: usize| {
            let labels = Labels::Values(vec![1.0]);
            Domain::labelled(format!("s{k}"), from_rows(&[vec![k as f64 + 1.0, 5.0]]), labels)
        };
        let target = Domain {
            name: "t".into(),
            features: from_rows(&[vec![7.0, 8.0], vec![9.0, 0.0]]),
            labelled: vec![1],
            labels: Labels::Values(vec![2.0]),
        };
        Task::new((0..sources).map(source).collect(), target, goal).unwrap()
    }

    #[test]
    fn two_sources_by_hand() {
        let task = task(2);
        let adapted = Feda {}.adapt(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
        let source = from_rows(&[
            vec![1.0, 5.0, 1.0, 5.0, 0.0, 0.0, 0.0, 0.0],
            vec![2.0, 5.0, 0.0, 0.0, 2.0, 5.0, 0.0, 0.0],
        ]);
        assert_eq!(*adapted.source, source);
        let target = apply_all(&adapted.target_map, task.target.features.as_ref());
        assert_eq!(target.row(0), from_rows(&[vec![7.0, 8.0, 0.0, 0.0, 0.0, 0.0, 7.0, 8.0]]).row(0));
        let all = stack(source.as_ref(), target.as_ref());
        let inner = multiply(all.as_ref(), all.transpose());
        assert_eq!((inner[(0, 0)], inner[(0, 1)], inner[(1, 3)], inner[(2, 3)]), (52.0, 27.0, 18.0, 126.0));
    }

    #[test]
    fn too_many_sources_and_too_little_memory_are_refused() {
        let refused = |task: &Task, context: &mut Context| {
            Feda {}.adapt(task, &NearestNeighbor::default(), context).err().unwrap().to_string()
        };
        assert!(refused(&task(999), &mut Context::default()).contains("at most 998 sources"));
        assert!(refused(&task(3), &mut Context::new(0, 100)).contains("5 blocks"));
    }
}
