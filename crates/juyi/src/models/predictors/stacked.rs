//! One predictor on top of another: the second sees the row and what the first says of it.

use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

use super::{Answers, Predictor};
use crate::linalg::Matrix;
use crate::models::predict;

/// The second predictor's columns are those of the row, then what the first says, as [`with_answers`] puts it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stacked {
    /// Sees the row.
    pub first: Box<Predictor>,
    /// How many classes the first knows; 0 for a regression.
    pub first_classes: usize,
    /// Sees the row and what the first says; its answer is the answer.
    pub second: Box<Predictor>,
}

impl Stacked {
    pub(super) fn answer(&self, x: MatRef<'_, f64>) -> Answers {
        let said = self.first.answer(x);
        self.second.answer(beside(x, &said, self.first_classes).as_ref())
    }

    /// Checks that the parts fit together; `nested` forms may still be nested in this one.
    ///
    /// # Errors
    /// What does not fit, in words: for model files from outside.
    pub(super) fn check(&self, columns: usize, classes: usize, nested: usize) -> Result<(), String> {
        const MOST_CLASSES: usize = 1 << 14; // not every form has a tensor that holds its number of classes
        let own = self.first_classes;
        if own > MOST_CLASSES {
            return Err(format!("the first knows {own} classes"));
        }
        self.first.check_within(columns, own, nested)?;
        self.second.check_within(columns + own.max(1), classes, nested)
    }
}

/// The rows with what `first` says of each appended: the scores of its `classes` classes (1 for its answer and 0 for
/// the others, where the form has no scores), or the number in a regression. What a second predictor is trained on.
pub fn with_answers(first: &Predictor, classes: usize, rows: MatRef<'_, f64>) -> Matrix {
    beside(rows, &predict(&[], first, rows), classes)
}

fn beside(rows: MatRef<'_, f64>, said: &Answers, classes: usize) -> Matrix {
    let d = rows.ncols();
    Mat::from_fn(rows.nrows(), d + classes.max(1), |i, j| match (j.checked_sub(d), &said.scores) {
        (None, _) => rows[(i, j)],
        (Some(_), None) if classes == 0 => said.answer[i],
        (Some(c), None) => f64::from(said.answer[i] == c as f64),
        (Some(c), Some(scores)) => scores[(i, c)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;
    use crate::models::Link;

    #[test]
    fn the_second_sees_what_the_first_says() {
        let line = |weights: &[f64]| Predictor::Linear {
            link: Link::Identity,
            weights: Mat::from_fn(weights.len(), 1, |j, _| weights[j]),
            bias: Mat::zeros(1, 1),
        };
        let numbers =
            Stacked { first: Box::new(line(&[2.0])), first_classes: 0, second: Box::new(line(&[1.0, 10.0])) };
        let x = from_rows(&[vec![3.0]]);
        assert_eq!(numbers.answer(x.as_ref()).answer, [63.0]);
        assert_eq!(numbers.check(1, 0, 1), Ok(()));
        assert!(numbers.check(2, 0, 1).is_err() && numbers.check(1, 2, 1).is_err());
        let near =
            Predictor::Neighbors { classes: usize::MAX, k: 1, rows: x.clone(), answers: Mat::zeros(1, 1) };
        let many = Stacked { first: Box::new(near), first_classes: usize::MAX, ..numbers };
        assert!(many.check(1, 0, 1).is_err());

        let near = Predictor::Neighbors {
            classes: 2,
            k: 1,
            rows: from_rows(&[vec![0.0], vec![4.0]]),
            answers: from_rows(&[vec![0.0], vec![1.0]]),
        };
        assert_eq!(with_answers(&near, 2, x.as_ref()), from_rows(&[vec![3.0, 0.0, 1.0]]));
        assert_eq!(with_answers(&line(&[2.0]), 0, x.as_ref()), from_rows(&[vec![3.0, 6.0]]));
    }
}
