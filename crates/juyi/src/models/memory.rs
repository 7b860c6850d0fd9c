//! What predicting takes, known before it is begun: a block of rows on its way through maps and predictor, and the answers.

use super::{KernelVotes, Map, Model, Predictor};
use crate::linalg::BLOCK;

impl Model {
    /// Bytes that a block of rows takes on its way through maps and predictor.
    pub fn block_bytes(&self) -> u64 {
        through(&self.maps, &self.predictor, self.columns as u64).saturating_mul(8 * BLOCK as u64)
    }
}

/// Numbers that a row of `columns` takes on its way through maps and a predictor.
fn through(maps: &[Map], predictor: &Predictor, mut columns: u64) -> u64 {
    let mut most = 0;
    for map in maps {
        let (out, beside) = numbers_of_map(map, columns);
        most = columns.saturating_add(out).saturating_add(beside).max(most);
        columns = out;
    }
    most.max(columns.saturating_add(numbers(predictor, columns)))
}

/// Bytes that the answers for `rows` rows take, `classes` classes (0 for a number).
pub fn answers_bytes(rows: usize, classes: usize) -> u64 {
    (rows as u64).saturating_mul(8 * (2 + classes as u64))
}

/// Numbers that a row of `columns` becomes, and those that are needed on the way.
fn numbers_of_map(map: &Map, columns: u64) -> (u64, u64) {
    match map {
        Map::NormalizeRowsL1 | Map::NormalizeRowsL2 | Map::Affine { .. } => (columns, 0),
        Map::Project { matrix } => (matrix.ncols() as u64, 0),
        Map::KernelProject { rows, coefficients, .. } => (coefficients.ncols() as u64, rows.nrows() as u64),
        Map::Append { matrix, .. } => {
            let added = matrix.ncols() as u64;
            (columns.saturating_add(added), added)
        }
        Map::Augment { blocks } => (columns.saturating_mul(blocks.len() as u64), 0),
    }
}

/// Numbers that a predictor needs for a row of `columns`, answers included; each score is there twice at the end.
fn numbers(predictor: &Predictor, columns: u64) -> u64 {
    match predictor {
        Predictor::Linear { weights, .. } => 2 * weights.ncols() as u64,
        Predictor::ClassMeans { means, .. } => 3 * means.nrows() as u64,
        // Distances to a block of the stored rows, and the nearest row of each class or twice `k` rows.
        Predictor::Neighbors { classes, k, .. } => {
            let several = if *k > 1 { 4 * *k as u64 } else { 0 };
            1024 + 6 * *classes as u64 + several
        }
        Predictor::Propagation { rows, answers, .. } => (rows.nrows() + 2 * answers.ncols()) as u64,
        Predictor::Kernel(KernelVotes { counts, bias, .. }) => {
            let classes = counts.len() as u64;
            classes.saturating_mul(classes).saturating_add(bias.ncols() as u64 + 2 * classes)
        }
        Predictor::Trees(trees) => 3 * trees.values.ncols() as u64,
        Predictor::Vote(votes) => {
            let each = votes.members.iter().map(|member| match &member.maps[..] {
                [] => numbers(&member.predictor, columns),
                maps => through(maps, &member.predictor, columns),
            });
            // Of numbers all members' are kept.
            let kept = if votes.classes == 0 { 3 * votes.members.len() } else { 2 * votes.classes };
            each.max().unwrap_or(0).saturating_add(kept as u64)
        }
        Predictor::Stacked(stacked) => {
            let wide = columns.saturating_add(stacked.first_classes.max(1) as u64);
            numbers(&stacked.first, columns)
                .saturating_add(wide)
                .saturating_add(numbers(&stacked.second, wide))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::data::Goal;
    use crate::error::Error;
    use crate::linalg::{Matrix, from_rows};
    use crate::models::{About, Link};

    /// Two columns, copied a thousand times by each map.
    fn widening(maps: usize) -> Model {
        let about = About {
            method: "none".into(),
            params: serde_json::json!({}),
            learner: None,
            seed: 0,
            stores_rows: false,
        };
        let (weights, bias) = (Matrix::zeros(2000, 2), Matrix::zeros(1, 2)); // for one map
        Model {
            about,
            goal: Goal::Classes(vec!["a".into(), "b".into()]),
            encoding: None,
            columns: 2,
            ranges: Vec::new(),
            maps: vec![Map::Augment { blocks: vec![true; 1000] }; maps],
            predictor: Predictor::Linear { link: Link::Softmax, weights, bias },
        }
    }

    #[test]
    fn a_pass_is_counted_and_held_against_the_budget() {
        let model = widening(1);
        assert_eq!(model.block_bytes(), 8 * 128 * (2000 + 4));
        let rows = from_rows(&vec![vec![1.0, 2.0]; 1000]);
        let answers = answers_bytes(1000, 2);
        let within = |memory| model.predict_within(rows.as_ref(), &Context::new(0, memory));
        let enough = within(answers + model.block_bytes()).unwrap();
        assert_eq!(enough.scores, model.predict(rows.as_ref()).unwrap().scores);
        let short = within(answers + model.block_bytes() - 1);
        assert!(matches!(short, Err(Error::Memory { what, .. }) if what == "the predictions"));
        assert!(widening(3).block_bytes() > 1 << 40);
        assert_eq!(widening(7).block_bytes(), u64::MAX);
    }
}
