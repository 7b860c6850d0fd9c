//! Statistics re-estimation: the means and deviations by which a source model standardises its columns are replaced by
//! those of the target rows.
//!
//! When: sensors drift, units change, a camera is brighter: columns that are shifted or rescaled one by one, and a model
//! that may come from a file, without its rows; no label is needed. It hurts where the columns' means differ because the
//! classes' shares do.
//!
//! Paper: Y. Li, N. Wang, J. Shi, X. Hou, J. Liu, "Adaptive batch normalization for practical domain adaptation", Pattern Recognition 2018
//!
//! ```text
//! x_j -> (x_j - m_j) / s_j,   m_j = (1 - share) mean_source + share mean_target,
//!                             s_j² = (1 - share) variance_source + share variance_target
//! ```
//! in each step of the model that scales and shifts columns, one after the other; the predictor stays as it is.
//!
//! Where we differ: the paper's layers are those of a network; here it is the standardisation before a predictor. `share`
//! below 1 keeps a part of the source's statistics, for few target rows.
//!
//! Cost: `O(n d)` time, a copy of the target rows.

use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::only_model;
use crate::context::Context;
use crate::data::{Domain, Goal, Task};
use crate::error::{Error, Result};
use crate::learners::{Learner, train};
use crate::linalg::{column_deviations, column_means};
use crate::methods::{
    Family, Fitted, Grid, LabelUse, Method, MethodRow, Needs, SourceModel, SourceNeed, Sources, make, must,
    params_of,
};
use crate::models::Map;

/// Parameters of the statistics' re-estimation.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StatisticsReestimation {
    /// How much the target's statistics count. Above 0, at most 1.
    pub share: f64,
}

impl Default for StatisticsReestimation {
    fn default() -> Self {
        Self { share: 1.0 }
    }
}

impl StatisticsReestimation {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "statistics-reestimation",
        family: Family::Prior,
        summary: "keeps the source model and standardises its columns by the target's statistics",
        when: "columns shifted or rescaled one by one; a source model (its rows are not needed), no labels",
        paper: "Y. Li, N. Wang, J. Shi, X. Hou, J. Liu, \"Adaptive batch normalization for practical domain adaptation\", Pattern Recognition 2018",
        needs: Needs {
            target_labels: LabelUse::Unused,
            source: SourceNeed::Model,
            sources: Sources::OneModel,
            ..Needs::NOTHING
        },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::of(&["{}"]),
        most_rows: usize::MAX,
        source: include_str!("statistics_reestimation.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for StatisticsReestimation {
    fn check(&self) -> Result<()> {
        let holds = self.share > 0.0 && self.share <= 1.0;
        must(Self::ROW.name, "share", holds, "above 0 and at most 1", self.share)
    }

    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let source = &task.source;
        context.require("the standardised rows of `statistics-reestimation`", task.bytes())?;
        let (map, _) = Map::standardize(source.features.as_ref());
        let rows = map.apply(source.features.as_ref());
        let trained = train(learner, &rows, &source.labels, None, &task.goal, context)?;
        let source = SourceModel { name: source.name.clone(), maps: vec![map], trained };
        self.refine(&[source], &task.target, &task.goal, learner, context)
    }

    fn refine(
        &self,
        sources: &[SourceModel],
        target: &Domain,
        _goal: &Goal,
        _learner: &dyn Learner,
        _context: &mut Context,
    ) -> Result<Fitted> {
        let SourceModel { name, maps, trained } = only_model(Self::ROW.name, sources)?;
        let mut rows = target.features.clone();
        let mut renewed = Vec::new();
        let mut found = false;
        for map in maps {
            let map = if let Map::Affine { shift, scale } = map {
                found = true;
                let means = column_means(rows.as_ref());
                let deviations = column_deviations(rows.as_ref(), &means);
                let blend = |source: f64, target: f64| (1.0 - self.share) * source + self.share * target;
                let shift = Mat::from_fn(1, means.len(), |_, j| blend(shift[(0, j)], means[j]));
                let scale = Mat::from_fn(1, means.len(), |_, j| {
                    let own = if scale[(0, j)] == 0.0 { 0.0 } else { scale[(0, j)].powi(-2) };
                    let variance = blend(own, deviations[j].powi(2));
                    // A column that the source model is silent about stays silent.
                    if own > 0.0 && variance > 0.0 { 1.0 / variance.sqrt() } else { 0.0 }
                });
                Map::Affine { shift, scale }
            } else {
                map.clone()
            };
            rows = map.apply_in_place(rows);
            renewed.push(map);
        }
        if !found {
            return Err(Error::Unsuited {
                method: Self::ROW.name.into(),
                problem: format!("finds no standardisation in `{name}`"),
                hint: "fit the source with `‹preprocess standardize›`".into(),
            });
        }
        Ok(Fitted { maps: renewed, trained: trained.clone(), moved: None, weights: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learners::{NearestNeighbor, Trained};
    use crate::linalg::from_rows;
    use crate::models::{Predictor, apply_all};

    /// Source means (0, 0) and deviations (1, 1); the target's are (10, 5) and (2, 0).
    #[test]
    fn statistics_by_hand() {
        let predictor = Predictor::ClassMeans { means: Mat::zeros(2, 2), offsets: Mat::zeros(1, 2) };
        let maps = vec![Map::Affine { shift: Mat::zeros(1, 2), scale: from_rows(&[vec![1.0, 1.0]]) }];
        let trained = Trained { predictor, classes: vec![0, 1] };
        let mut source = SourceModel { name: "s".into(), maps, trained };
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let target = Domain::unlabelled("t", from_rows(&[vec![8.0, 5.0], vec![12.0, 5.0]]), &goal);
        let maps = |method: StatisticsReestimation, source: &SourceModel| {
            let one = std::slice::from_ref(source);
            method.refine(one, &target, &goal, &NearestNeighbor::default(), &mut Context::default())
        };
        let all = maps(StatisticsReestimation::default(), &source).unwrap().maps;
        assert_eq!(apply_all(&all, target.features.as_ref()), from_rows(&[vec![-1.0, 0.0], vec![1.0, 0.0]]));
        let half = maps(StatisticsReestimation { share: 0.5 }, &source).unwrap().maps;
        let rows = apply_all(&half, target.features.as_ref()); // mean (5, 2.5), variance (2.5, 0.5)
        assert!((rows[(1, 0)] - 7.0 / 2.5f64.sqrt()).abs() < 1e-12, "{rows:?}");
        assert!((rows[(1, 1)] - 2.5 / 0.5f64.sqrt()).abs() < 1e-12, "{rows:?}");
        source.maps.clear();
        let refused = maps(StatisticsReestimation::default(), &source).err().unwrap().to_string();
        assert!(refused.contains("finds no standardisation in `s`"), "{refused}");
    }
}
