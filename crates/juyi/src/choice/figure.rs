//! By what labelled rows judge: the figure that is asked for, or else accuracy, balanced accuracy where a class is rare, and R² of
//! numbers.
//!
//! Errors of numbers are judged as what they take off that of always saying the mean (RMSE) or the median (MAE), as a share of
//! it, so that a hundredth is as much in any unit; what is told of them is in units of the label.

use super::RARE;
use super::paired;
use super::resamples::{Resamples, Score};
use super::validation::most_frequent;
use crate::data::{Goal, Labels};
use crate::linalg::{Matrix, spread};
use crate::measures::{Estimate, Figure, Ranking, mean_area};

/// Where classes are many, a class is rare below this part of an even share.
const PART: f64 = 0.5;

/// What was said of some rows.
#[derive(Clone)]
pub(super) struct Said {
    /// The answer of each row, in each repeat.
    pub(super) answers: Vec<Vec<f64>>,
    /// The probabilities of its classes, in each repeat; empty unless they [judge](Scorer::by_probabilities).
    pub(super) probabilities: Vec<Matrix>,
}

impl Said {
    /// So many rows, of which nothing is said yet; `classes` are those whose probabilities judge.
    pub(super) fn blank(rows: usize, repeats: usize, classes: Option<usize>) -> Self {
        let probabilities = classes.map(|classes| vec![Matrix::zeros(rows, classes); repeats]);
        Self {
            answers: vec![vec![f64::NAN; rows]; repeats],
            probabilities: probabilities.unwrap_or_default(),
        }
    }
}

/// What of it judges.
pub(super) enum Merit {
    /// What each row scores, in the mean over the repeats.
    Rows(Vec<f64>),
    /// The class that is said of each row, in each repeat.
    Classes(Vec<Vec<usize>>),
    /// How each class ranks the rows, in each repeat.
    Rankings(Vec<Vec<Ranking>>),
}

/// The figure of merit on some labelled rows.
pub(super) struct Scorer<'a> {
    pub(super) figure: Figure,
    labels: &'a Labels,
    classes: usize,
    /// What a row counts for.
    weights: Vec<f64>,
    /// Of an error that of always saying the mean or the median; of R² the variance of the labels.
    unit: f64,
    /// What always saying the same scores.
    pub(super) chance: f64,
}

/// The figure that judges unasked: balanced accuracy where a class is rare among the labels of the source or those that are
/// judged by.
pub(super) fn suited(labels: &Labels, source: &Labels, goal: &Goal) -> Figure {
    let rare = RARE.min(PART / goal.classes() as f64);
    let has_rare =
        |labels: &Labels| shares(labels, goal.classes()).into_iter().any(|share| share > 0.0 && share < rare);
    if has_rare(labels) || has_rare(source) { Figure::Balanced } else { Figure::usual(goal) }
}

/// The share of each class; empty of numbers.
fn shares(labels: &Labels, classes: usize) -> Vec<f64> {
    let Labels::Classes(of) = labels else { return Vec::new() };
    let mut shares = vec![0.0; classes];
    for &class in of {
        shares[class] += 1.0 / of.len() as f64;
    }
    shares
}

impl<'a> Scorer<'a> {
    /// This figure on these labels, which it is one of.
    pub(super) fn new(figure: Figure, labels: &'a Labels, goal: &Goal) -> Self {
        let (classes, even) = (goal.classes(), vec![1.0; labels.len()]);
        let mut scorer = Self { figure, labels, classes, weights: even, unit: 1.0, chance: 0.0 };
        match labels {
            Labels::Values(of) if figure == Figure::Mae => scorer.unit = deviation(of),
            Labels::Values(of) => {
                scorer.unit = if figure == Figure::Rmse { spread(of).sqrt() } else { spread(of) };
            }
            Labels::Classes(of) => {
                let own = shares(labels, classes);
                let present = own.iter().filter(|share| **share > 0.0).count() as f64;
                if figure == Figure::Balanced {
                    scorer.weights = of.iter().map(|&class| 1.0 / (present * own[class])).collect();
                }
                scorer.chance = match figure {
                    Figure::Balanced => 1.0 / present,
                    Figure::Auc => 0.5,
                    Figure::F1 => {
                        own.iter().map(|share| 2.0 * share / (1.0 + share)).fold(0.0, f64::max) / present
                    }
                    _ => most_frequent(of.iter().copied(), classes),
                };
            }
        }
        scorer
    }

    /// The figure, where it is neither accuracy nor R².
    pub(super) fn figure_told(&self) -> Option<Figure> {
        Some(self.figure).filter(|figure| !matches!(figure, Figure::Accuracy | Figure::R2))
    }

    /// Whether probabilities judge, not answers.
    pub(super) fn by_probabilities(&self) -> bool {
        self.figure == Figure::Auc
    }

    /// Number of classes, where their probabilities judge.
    pub(super) fn classes_of_probabilities(&self) -> Option<usize> {
        self.by_probabilities().then_some(self.classes)
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.labels.len()
    }

    /// What each row scores by these answers; 0 for what is no answer.
    pub(super) fn each(&self, said: &[f64]) -> Vec<f64> {
        let one = |(i, said): (usize, &f64)| match self.labels {
            Labels::Classes(of) => f64::from(u8::from(*said == of[i] as f64)),
            Labels::Values(_) if !said.is_finite() => 0.0,
            Labels::Values(of) => match self.figure {
                Figure::Mae => 1.0 - (of[i] - said).abs() / self.unit,
                Figure::Rmse => 1.0 - ((of[i] - said) / self.unit).powi(2),
                _ => 1.0 - (of[i] - said).powi(2) / self.unit,
            },
        };
        said.iter().enumerate().map(one).collect()
    }

    /// What judges of what was said.
    pub(super) fn merit(&self, said: &Said) -> Merit {
        match (self.figure, self.labels) {
            (Figure::F1, Labels::Classes(_)) => {
                let classes = |said: &Vec<f64>| said.iter().map(|class| *class as usize).collect();
                Merit::Classes(said.answers.iter().map(classes).collect())
            }
            (Figure::Auc, Labels::Classes(of)) => {
                let ranking = |(shares, class): (&Matrix, usize)| {
                    Ranking::new(shares.col_as_slice(class), of.iter().map(|own| *own == class).collect())
                };
                let rankings =
                    |shares: &Matrix| (0..self.classes).map(|class| ranking((shares, class))).collect();
                Merit::Rankings(said.probabilities.iter().map(rankings).collect())
            }
            _ => {
                let each: Vec<Vec<f64>> = said.answers.iter().map(|said| self.each(said)).collect();
                let n = each.len() as f64;
                let mean = |i: usize| each.iter().map(|rows| rows[i]).sum::<f64>() / n;
                Merit::Rows((0..self.rows()).map(mean).collect())
            }
        }
    }

    /// The score where each row is drawn so often.
    fn drawn(&self, merit: &Merit, times: &dyn Fn(usize) -> f64) -> Option<f64> {
        let n = self.rows();
        let found: Vec<f64> = match merit {
            Merit::Rows(rows) => {
                let weight = |i: usize| self.weights[i] * times(i);
                let (sum, all) =
                    (0..n).fold((0.0, 0.0), |(sum, all), i| (sum + weight(i) * rows[i], all + weight(i)));
                (all > 0.0).then(|| self.of_mean(sum / all)).into_iter().collect()
            }
            Merit::Classes(said) => said.iter().filter_map(|said| self.f1(said, times)).collect(),
            Merit::Rankings(of) => of.iter().filter_map(|rankings| mean_area(rankings, times)).collect(),
        };
        (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
    }

    /// The score that a mean over rows comes to.
    fn of_mean(&self, mean: f64) -> f64 {
        if self.figure == Figure::Rmse { 1.0 - (1.0 - mean).max(0.0).sqrt() } else { mean }
    }

    /// The mean over the classes that are drawn or said of `2 tp / (2 tp + fp + fn)`.
    fn f1(&self, said: &[usize], times: &dyn Fn(usize) -> f64) -> Option<f64> {
        let Labels::Classes(of) = self.labels else { return None };
        let (mut both, mut right) = (vec![0.0; self.classes], vec![0.0; self.classes]);
        for (i, (&class, &said)) in of.iter().zip(said).enumerate() {
            both[class] += times(i);
            both[said] += times(i);
            right[class] += f64::from(u8::from(class == said)) * times(i);
        }
        let found: Vec<f64> =
            both.iter().zip(right).filter(|(both, _)| **both > 0.0).map(|(both, r)| 2.0 * r / both).collect();
        (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
    }

    /// The score over some rows; 0 where it cannot be told.
    pub(super) fn mean(&self, merit: &Merit, among: &[usize]) -> f64 {
        let mut times = vec![0.0; self.rows()];
        for &i in among {
            times[i] = 1.0;
        }
        self.drawn(merit, &|i| times[i]).unwrap_or(0.0)
    }

    /// The score over all rows, resampled.
    pub(super) fn score(&self, merit: &Merit, resamples: &Resamples) -> Score {
        if let Merit::Rows(rows) = merit {
            let Score { value, resampled } =
                resamples.mean(|i| Some((self.weights[i] * rows[i], self.weights[i])));
            return Score {
                value: self.of_mean(value),
                resampled: resampled.into_iter().map(|mean| self.of_mean(mean)).collect(),
            };
        }
        let value = self.drawn(merit, &|_| 1.0).unwrap_or(0.0);
        resamples.each(value, |times| self.drawn(merit, times))
    }

    /// What rows score, with the interval of 95 %, as it is told; `score` is that of all.
    pub(super) fn within(&self, merit: &Merit, score: &Score) -> Estimate {
        let exact = self.counted(merit).and_then(paired::exact_share);
        self.told(exact.unwrap_or_else(|| score.within()))
    }

    /// A score as it is told: an error in units of the label.
    pub(super) fn told(&self, Estimate { value, low, high }: Estimate) -> Estimate {
        if !self.figure.is_error() {
            return Estimate { value, low, high };
        }
        let error = |v: f64| (1.0 - v) * self.unit;
        Estimate { value: error(value), low: error(high).max(0.0), high: error(low) }
    }

    /// A gain as it is told: of an error what is taken off, in units of the label.
    pub(super) fn told_gain(&self, Estimate { value, low, high }: Estimate) -> Estimate {
        let unit = if self.figure.is_error() { self.unit } else { 1.0 };
        Estimate { value: unit * value, low: unit * low, high: unit * high }
    }

    /// What rows score, where they are right or wrong and count alike.
    fn counted<'b>(&self, merit: &'b Merit) -> Option<&'b [f64]> {
        match merit {
            Merit::Rows(rows) if self.figure == Figure::Accuracy => Some(rows),
            _ => None,
        }
    }

    /// The [exact interval](paired::exact_gain) of what `one` gains over `base`, one of `count` gains. `None` where there is
    /// none, or rows are many.
    pub(super) fn exact_gain(&self, one: &Merit, base: &Merit, count: usize) -> Option<Estimate> {
        paired::exact_gain(self.counted(one)?, self.counted(base)?, count)
    }
}

/// The mean distance of some numbers to their median; 1 if they are all the same.
fn deviation(of: &[f64]) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = f64::midpoint(sorted[(of.len() - 1) / 2], sorted[of.len() / 2]);
    let deviation = of.iter().map(|v| (v - median).abs()).sum::<f64>() / of.len() as f64;
    if deviation > 0.0 { deviation } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::linalg::from_rows;

    fn classes(count: usize) -> Goal {
        Goal::Classes((0..count).map(|c| c.to_string()).collect())
    }

    fn said(answers: &[f64]) -> Said {
        Said { answers: vec![answers.to_vec()], probabilities: Vec::new() }
    }

    /// The score of answers over all rows, and what always saying the same scores.
    fn scored(figure: Figure, labels: &Labels, goal: &Goal, said: &Said) -> (f64, f64) {
        let scorer = Scorer::new(figure, labels, goal);
        let merit = scorer.merit(said);
        let rows: Vec<usize> = (0..scorer.rows()).collect();
        let resamples = Resamples::new(&rows, &mut Context::default().rng("resamples"));
        let score = scorer.score(&merit, &resamples);
        assert!((score.value - scorer.mean(&merit, &rows)).abs() < 1e-12);
        let Estimate { value, low, high } = scorer.within(&merit, &score);
        assert!(low <= value && value <= high && score.resampled.iter().all(|v| v.is_finite()));
        (value, scorer.chance)
    }

    #[test]
    fn classes_count_alike_where_one_is_rare() {
        let labels = Labels::Classes((0..40).map(|i| usize::from(i < 2)).collect());
        assert_eq!(suited(&labels, &labels, &classes(2)), Figure::Balanced);
        let (value, chance) = scored(Figure::Balanced, &labels, &classes(2), &said(&[0.0; 40]));
        assert!((value - 0.5).abs() < 1e-12 && chance == 0.5);
        let labels = Labels::Classes((0..57).map(|i| i % 10).collect());
        assert_eq!(suited(&labels, &labels, &classes(10)), Figure::Accuracy, "ten even classes are not rare");
        let numbers = Labels::Values(vec![1.0, 2.0]);
        assert_eq!(suited(&numbers, &numbers, &Goal::Value), Figure::R2);
    }

    #[test]
    fn figures_by_hand() {
        let labels = Labels::Classes(vec![0, 0, 0, 1]);
        let (goal, close) = (classes(3), |(a, b): (f64, f64), (c, d): (f64, f64)| {
            (a - c).abs() < 1e-12 && (b - d).abs() < 1e-12
        });
        let answers = said(&[0.0, 0.0, 1.0, 1.0]);
        let of = |figure| scored(figure, &labels, &goal, &answers);
        assert!(close(of(Figure::Accuracy), (0.75, 0.75)));
        assert!(close(of(Figure::Balanced), (5.0 / 6.0, 0.5)));
        // Of class 0: 2·2 / (3 + 2), of class 1: 2·1 / (1 + 2), and class 2 neither occurs nor is said.
        assert!(close(of(Figure::F1), (0.4 + 1.0 / 3.0, 3.0 / 7.0)));
        let shares = [[0.9, 0.1, 0.0], [0.3, 0.6, 0.1], [0.6, 0.4, 0.0], [0.5, 0.5, 0.0]];
        let probabilities = vec![from_rows(&shares.map(|row| row.to_vec()))];
        let by_shares = Said { probabilities, ..answers.clone() };
        assert!(close(scored(Figure::Auc, &labels, &goal, &by_shares), (2.0 / 3.0, 0.5)));
        let labels = Labels::Values(vec![1.0, 2.0, 6.0]);
        let answers = said(&[1.0, 4.0, 5.0]);
        let of = |figure| scored(figure, &labels, &Goal::Value, &answers).0;
        assert!((of(Figure::Rmse) - (5.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!((of(Figure::Mae) - 1.0).abs() < 1e-12);
        assert!((of(Figure::R2) - (1.0 - 5.0 / 14.0)).abs() < 1e-12);
        // The median is 2, from which the numbers lie 5/3 in the mean: an error of 1 scores 2/5.
        let scorer = Scorer::new(Figure::Mae, &labels, &Goal::Value);
        assert!((scorer.mean(&scorer.merit(&answers), &[0, 1, 2]) - 0.4).abs() < 1e-12);
        let gain = scorer.told_gain(Estimate { value: 0.3, low: 0.0, high: 0.6 });
        assert!((gain.value - 0.5).abs() < 1e-12 && (gain.high - 1.0).abs() < 1e-12);
    }
}
