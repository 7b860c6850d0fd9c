//! Answers of the nearest rows: of one, or of several together.

use faer::MatRef;

use super::Answers;
use crate::linalg::{Matrix, Nearest, nearest, nearest_several};

/// How many rows decide where a model file does not say.
pub(super) fn one() -> usize {
    1
}

/// Whether a model file need not say how many rows decide.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
pub(super) fn is_one(k: &usize) -> bool {
    *k == 1
}

/// The answers of the `k` nearest of `rows`, `classes` classes or 0 for numbers.
pub(super) fn neighbors(
    x: MatRef<'_, f64>,
    classes: usize,
    k: usize,
    rows: &Matrix,
    answers: &Matrix,
) -> Answers {
    match (classes, k) {
        (0, 1) => {
            let found = nearest(x, rows.as_ref(), &vec![0; rows.nrows()], 1);
            let answer =
                found.iter().map(|groups| groups[0].map_or(f64::NAN, |n| answers[(n.row, 0)])).collect();
            Answers { answer, confidence: Vec::new(), scores: None }
        }
        (0, _) => {
            let mean = |near: &Vec<Nearest>| {
                near.iter().map(|n| answers[(n.row, 0)]).sum::<f64>() / near.len() as f64
            };
            let answer = nearest_several(x, rows.as_ref(), k).iter().map(mean).collect();
            Answers { answer, confidence: Vec::new(), scores: None }
        }
        (_, 1) => nearest_class(x, classes, rows, answers),
        _ => {
            let near = nearest_several(x, rows.as_ref(), k);
            let (answer, confidence) = near.iter().map(|near| majority(near, classes, answers)).unzip();
            Answers { answer, confidence, scores: None }
        }
    }
}

/// The class of the nearest row, sure of it by how far the next class is.
fn nearest_class(x: MatRef<'_, f64>, classes: usize, rows: &Matrix, answers: &Matrix) -> Answers {
    let class: Vec<usize> = answers.col(0).iter().map(|a| *a as usize).collect();
    let mut out = Answers { answer: Vec::new(), confidence: Vec::new(), scores: None };
    for groups in nearest(x, rows.as_ref(), &class, classes) {
        let mut by_distance: Vec<_> = groups.into_iter().flatten().collect();
        // Equal distances are decided by the row's number, as if all rows had been searched together.
        by_distance.sort_by(|a, b| a.squared_distance.total_cmp(&b.squared_distance).then(a.row.cmp(&b.row)));
        let Some(first) = by_distance.first() else {
            // All distances overflow.
            out.answer.push(f64::NAN);
            out.confidence.push(f64::NAN);
            continue;
        };
        let a = first.squared_distance.sqrt();
        let confidence = match by_distance.get(1).map(|n| n.squared_distance.sqrt()) {
            Some(b) if a + b > 0.0 => b / (a + b),
            Some(_) => 0.5,
            None => 1.0,
        };
        out.answer.push(class[first.row] as f64);
        out.confidence.push(confidence);
    }
    out
}

/// The class that most of some rows have, and their share; among equals the class of the nearest of them. `near` is in
/// the order of distance.
fn majority(near: &[Nearest], classes: usize, answers: &Matrix) -> (f64, f64) {
    let mut votes = vec![0usize; classes];
    for n in near {
        votes[answers[(n.row, 0)] as usize] += 1;
    }
    let most = votes.iter().copied().max().unwrap_or(0);
    let class = near.iter().map(|n| answers[(n.row, 0)]).find(|class| votes[*class as usize] == most);
    // Where all distances overflow, none is near.
    class.map_or((f64::NAN, f64::NAN), |class| (class, most as f64 / near.len() as f64))
}
