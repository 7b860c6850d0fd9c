//! What a source model says of a row, as scores to which a linear correction is added.

use faer::{Mat, MatRef};

use crate::error::{Error, Result};
use crate::learners::{Loss, Trained};
use crate::linalg::{Matrix, multiply};
use crate::models::{Link, Member, Predictor, Stacked, VoteRule, Votes, with_answers};

/// Scores for all classes of the goal (one column for a regression): `x weights + said shares + bias`, where `said` is
/// what `first` says of the row.
pub(super) struct StartingScores {
    loss: Loss,
    /// A source model that is not linear, as shares of its classes or a number.
    first: Option<(Predictor, usize)>,
    /// `(d, c)`; 0 where there is a `first`.
    weights: Matrix,
    /// `(k, c)`, no rows where there is no `first`.
    shares: Matrix,
    /// `(1, c)`.
    bias: Matrix,
}

impl StartingScores {
    /// For a goal of `classes` classes, 0 for a regression, and rows of `columns` columns. A linear model stays
    /// linear where its scores are of the loss's kind; of other models the share of a class is stretched from 0..1 to
    /// -1..1. A class that the model does not know has the score -1, before a softmax 0.
    ///
    /// # Errors
    /// [`Error::Unsuited`] naming `method` if the loss does not fit the goal or the model.
    pub(super) fn new(
        method: &str,
        source: &Trained,
        loss: Loss,
        classes: usize,
        columns: usize,
    ) -> Result<Self> {
        let unsuited = |problem: String, hint: &str| {
            Err(Error::Unsuited { method: method.into(), problem, hint: hint.into() })
        };
        if classes == 0 && loss != Loss::Squares {
            return unsuited("needs squares as its loss for numbers".into(), "`‹set loss=squares›`");
        }
        let softmax = matches!(source.predictor, Predictor::Linear { link: Link::Softmax, .. });
        let linear = match &source.predictor {
            Predictor::Linear { weights, bias, .. } if softmax == (loss == Loss::Logistic) => {
                Some((weights, bias))
            }
            _ => None,
        };
        if linear.is_none() && loss == Loss::Logistic {
            let hint = "`‹set loss=hinge›`, or a source model of the learner `logistic`";
            return unsuited("needs a logistic source model for its logistic loss".into(), hint);
        }
        let c = classes.max(1);
        let (k, known): (usize, Vec<usize>) = match classes {
            0 => (1, vec![0]),
            _ => (source.classes.len(), source.classes.clone()),
        };
        let mut start = Self {
            loss,
            first: None,
            weights: Mat::zeros(columns, c),
            shares: Mat::zeros(if linear.is_some() { 0 } else { k }, c),
            bias: Mat::from_fn(1, c, |_, _| if classes == 0 || loss == Loss::Logistic { 0.0 } else { -1.0 }),
        };
        if let Some((weights, bias)) = linear {
            for (own, &class) in known.iter().enumerate() {
                start.weights.col_mut(class).copy_from(weights.col(own));
                start.bias[(0, class)] = bias[(0, own)];
            }
        } else if classes == 0 {
            start.shares[(0, 0)] = 1.0;
            start.first = Some((source.predictor.clone(), 0));
        } else {
            known.iter().enumerate().for_each(|(own, &class)| start.shares[(own, class)] = 2.0);
            start.first = Some((as_shares(&source.predictor, k), k));
        }
        if classes == 2 && loss != Loss::Logistic {
            for part in [&mut start.weights, &mut start.shares, &mut start.bias] {
                opposite(part);
            }
        }
        Ok(start)
    }

    /// The scores of rows `(n, d)`: `(n, c)`.
    pub(super) fn of(&self, rows: MatRef<'_, f64>) -> Matrix {
        let d = rows.ncols();
        let mut scores = match &self.first {
            None => multiply(rows, self.weights.as_ref()),
            Some((first, classes)) => {
                let beside = with_answers(first, *classes, rows);
                multiply(beside.get(.., d..), self.shares.as_ref())
            }
        };
        for (k, column) in scores.col_iter_mut().enumerate() {
            column.iter_mut().for_each(|f| *f += self.bias[(0, k)]);
        }
        scores
    }

    /// The predictor whose scores are these plus `x weights + bias`.
    pub(super) fn corrected(self, weights: &Matrix, bias: &Matrix) -> Predictor {
        let link = if self.loss == Loss::Logistic { Link::Softmax } else { Link::Identity };
        let (own, bias) = (&self.weights + weights, &self.bias + bias);
        let Some((first, first_classes)) = self.first else {
            return Predictor::Linear { link, weights: own, bias };
        };
        let (d, k) = (own.nrows(), self.shares.nrows());
        let weights = Mat::from_fn(d + k, own.ncols(), |j, c| match j.checked_sub(d) {
            None => own[(j, c)],
            Some(share) => self.shares[(share, c)],
        });
        let second = Box::new(Predictor::Linear { link, weights, bias });
        Predictor::Stacked(Stacked { first: Box::new(first), first_classes, second })
    }
}

/// A classifier whose scores are shares: itself, or a vote of it alone.
fn as_shares(predictor: &Predictor, classes: usize) -> Predictor {
    if predictor.scores_are_shares() {
        return predictor.clone();
    }
    let members = vec![Member {
        weight: 1.0,
        classes: (0..classes).collect(),
        maps: Vec::new(),
        predictor: predictor.clone(),
    }];
    Predictor::Vote(Votes { rule: VoteRule::Mean, classes, members })
}

/// Of two columns, half of their difference, and its opposite: one score decides between two classes.
fn opposite(part: &mut Matrix) {
    for i in 0..part.nrows() {
        let half = 0.5 * (part[(i, 1)] - part[(i, 0)]);
        (part[(i, 0)], part[(i, 1)]) = (-half, half);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    fn linear(link: Link) -> Trained {
        let (weights, bias) = (from_rows(&[vec![-2.0, 2.0]]), from_rows(&[vec![0.5, -0.5]]));
        Trained { predictor: Predictor::Linear { link, weights, bias }, classes: vec![0, 2] }
    }

    #[test]
    fn linear_scores_stay_as_they_are_and_unknown_classes_get_the_least() {
        let x = from_rows(&[vec![3.0]]);
        let hinge = StartingScores::new("m", &linear(Link::Identity), Loss::Hinge, 3, 1).unwrap();
        assert_eq!(hinge.of(x.as_ref()), from_rows(&[vec![-5.5, -1.0, 5.5]]));
        let logistic = StartingScores::new("m", &linear(Link::Softmax), Loss::Logistic, 3, 1).unwrap();
        assert_eq!(logistic.of(x.as_ref()), from_rows(&[vec![-5.5, 0.0, 5.5]]));
        assert!(StartingScores::new("m", &linear(Link::Identity), Loss::Logistic, 3, 1).is_err());
        assert!(StartingScores::new("m", &linear(Link::Identity), Loss::Hinge, 0, 1).is_err());
    }

    #[test]
    fn other_models_are_corrected_on_top() {
        let near = Predictor::Neighbors {
            classes: 2,
            k: 1,
            rows: from_rows(&[vec![0.0], vec![4.0]]),
            answers: from_rows(&[vec![0.0], vec![1.0]]),
        };
        let source = Trained { predictor: near, classes: vec![0, 1] };
        let start = StartingScores::new("m", &source, Loss::Squares, 2, 1).unwrap();
        let x = from_rows(&[vec![1.0], vec![3.0]]);
        assert_eq!(start.of(x.as_ref()), from_rows(&[vec![1.0, -1.0], vec![-1.0, 1.0]]));
        let corrected = start.corrected(&from_rows(&[vec![1.0, -1.0]]), &from_rows(&[vec![0.0, 0.25]]));
        assert_eq!(corrected.check(1, 2), Ok(()));
        let scores = corrected.answer(x.as_ref()).scores.unwrap();
        assert_eq!(scores, from_rows(&[vec![2.0, -1.75], vec![2.0, -1.75]]));
    }
}
