//! Predictors that vote: each knows some of the classes and has a weight.

use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

use super::super::maps::{Map, apply_all};
use super::{Answers, Predictor, first_largest, largest};

/// How the members' answers become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VoteRule {
    /// The weighted mean: of numbers, or of each class's share. A member's shares are its scores where these are
    /// probabilities (softmax, propagation, trees, votes); a member of another form gives its answer the share 1.
    Mean,
    /// The class of the most weight, the first among equals; its share of all weight is its confidence.
    Majority,
    /// Of numbers: the smallest that, with those below it, has at least half of all weight.
    Median,
}

/// One voter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Member {
    /// Its weight, 0 or above.
    pub weight: f64,
    /// Which of the model's classes its own classes are, rising; empty for a regression.
    pub classes: Vec<usize>,
    /// Maps of its own, applied in order to the row that the vote is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maps: Vec<Map>,
    /// The voter.
    pub predictor: Predictor,
}

/// Members and a rule. The scores are each class's share of the weight of those members that answer; a member whose
/// answer is not finite abstains, and a row for which all abstain gets no answer (NaN).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Votes {
    /// How the members' answers become one.
    pub rule: VoteRule,
    /// Number of classes; 0 for a regression.
    pub classes: usize,
    /// At least one, the sum of their weights above 0.
    pub members: Vec<Member>,
}

impl Member {
    fn answer(&self, x: MatRef<'_, f64>) -> Answers {
        if self.maps.is_empty() {
            return self.predictor.answer(x);
        }
        self.predictor.answer(apply_all(&self.maps, x).as_ref())
    }
}

impl Votes {
    pub(super) fn answer(&self, x: MatRef<'_, f64>) -> Answers {
        if self.classes == 0 { self.values(x) } else { self.shares(x) }
    }

    fn values(&self, x: MatRef<'_, f64>) -> Answers {
        let said: Vec<Vec<f64>> = self.members.iter().map(|member| member.answer(x).answer).collect();
        let value = |i: usize| {
            let mut heard: Vec<(f64, f64)> =
                self.members.iter().zip(&said).map(|(member, said)| (said[i], member.weight)).collect();
            heard.retain(|(value, _)| value.is_finite());
            if self.rule == VoteRule::Median {
                return weighted_median(&mut heard);
            }
            let total: f64 = heard.iter().map(|(_, weight)| weight).sum();
            heard.iter().map(|(value, weight)| value * (weight / total)).sum::<f64>() / f64::from(total > 0.0)
        };
        Answers { answer: (0..x.nrows()).map(value).collect(), confidence: Vec::new(), scores: None }
    }

    fn shares(&self, x: MatRef<'_, f64>) -> Answers {
        let n = x.nrows();
        let (mut sums, mut heard) = (Mat::zeros(n, self.classes), vec![0.0; n]);
        for member in &self.members {
            let Member { weight, classes, predictor, .. } = member;
            let said = member.answer(x);
            let soft = self.rule == VoteRule::Mean && predictor.scores_are_shares();
            let shares = said.scores.as_ref().filter(|_| soft);
            for i in 0..n {
                let abstains = shares.map_or(!said.answer[i].is_finite(), |shares| {
                    shares.row(i).iter().any(|share| !share.is_finite())
                });
                if abstains {
                    continue;
                }
                heard[i] += weight;
                if let Some(shares) = shares {
                    classes
                        .iter()
                        .enumerate()
                        .for_each(|(own, &c)| sums[(i, c)] += weight * shares[(i, own)]);
                } else {
                    // A member of one class has but one answer, whatever its number.
                    sums[(i, classes[(said.answer[i] as usize).min(classes.len() - 1)])] += weight;
                }
            }
        }
        let mut out = Answers { answer: Vec::new(), confidence: Vec::new(), scores: None };
        for i in 0..n {
            let row: Vec<f64> = sums.row(i).iter().map(|sum| sum / heard[i]).collect();
            let silent = row.iter().any(|share| share.is_nan());
            out.answer.push(if silent { f64::NAN } else { first_largest(&row) as f64 });
            out.confidence.push(if silent { f64::NAN } else { largest(&row).min(1.0) });
            row.iter().enumerate().for_each(|(c, share)| sums[(i, c)] = *share);
        }
        out.scores = Some(sums);
        out
    }

    /// Checks that the parts fit together; `nested` forms may still be nested in this one.
    ///
    /// # Errors
    /// What does not fit, in words: for model files from outside.
    pub(super) fn check(&self, columns: usize, classes: usize, nested: usize) -> Result<(), String> {
        let Self { rule, classes: own, members } = self;
        if *own != classes {
            return Err(format!("a vote on {own} classes, expected {classes}"));
        }
        if (*rule == VoteRule::Majority && classes == 0) || (*rule == VoteRule::Median && classes > 0) {
            return Err(format!("the rule {rule:?} on {classes} classes"));
        }
        let total: f64 = members.iter().map(|member| member.weight).sum();
        let sound = |weight: f64| weight >= 0.0 && weight.is_finite();
        if members.iter().any(|member| !sound(member.weight)) || !total.is_finite() || total <= 0.0 {
            return Err(format!("the weights of {} voters add up to {total}", members.len()));
        }
        for member in members {
            let known = &member.classes;
            let rising = known.windows(2).all(|two| two[0] < two[1]);
            if !rising || known.last().is_some_and(|&c| c >= classes) || (known.is_empty() && classes > 0) {
                return Err(format!("a voter knows the classes {known:?} of {classes}"));
            }
            let width = member.maps.iter().try_fold(columns, |columns, map| map.width(columns))?;
            member.predictor.check_within(width, known.len(), nested)?;
        }
        Ok(())
    }
}

/// The smallest value that, with those below it, has at least half of the weight; NaN of no weight. Sorts the pairs of
/// value and weight.
pub fn weighted_median(pairs: &mut [(f64, f64)]) -> f64 {
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = pairs.iter().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    for (value, weight) in pairs.iter().filter(|(_, weight)| *weight > 0.0) {
        below += weight;
        if below >= 0.5 * total {
            return *value;
        }
    }
    f64::NAN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;
    use crate::models::Link;

    /// Says `value` whatever the row of one column.
    fn constant(value: f64) -> Predictor {
        Predictor::Linear {
            link: Link::Identity,
            weights: from_rows(&[vec![0.0]]),
            bias: from_rows(&[vec![value]]),
        }
    }

    fn classes(link: Link, bias: Vec<f64>) -> Predictor {
        Predictor::Linear { link, weights: Mat::zeros(1, bias.len()), bias: from_rows(&[bias]) }
    }

    fn member(weight: f64, classes: &[usize], predictor: Predictor) -> Member {
        Member { weight, classes: classes.to_vec(), maps: Vec::new(), predictor }
    }

    fn ask(votes: &Votes) -> Answers {
        votes.answer(from_rows(&[vec![5.0]]).as_ref())
    }

    #[test]
    fn mean_and_median_of_numbers_by_hand() {
        let members = vec![
            member(1.0, &[], constant(10.0)),
            member(2.0, &[], constant(1.0)),
            member(1.0, &[], constant(4.0)),
        ];
        let mut votes = Votes { rule: VoteRule::Mean, classes: 0, members };
        assert_eq!(ask(&votes).answer, [4.0]);
        votes.rule = VoteRule::Median;
        assert_eq!(ask(&votes).answer, [1.0]); // has 2 of 4
        votes.members[1].weight = 1.9;
        assert_eq!(ask(&votes).answer, [4.0]);
        assert!(weighted_median(&mut []).is_nan());
    }

    #[test]
    fn shares_and_hard_votes_by_hand() {
        // The first knows classes 0 and 2 with shares 1/4 and 3/4, the second classes 0 and 1 by margins.
        let members = vec![
            member(2.0, &[0, 2], classes(Link::Softmax, vec![0.0, 3f64.ln()])),
            member(1.0, &[0, 1], classes(Link::Identity, vec![0.5, -0.5])),
        ];
        let mut votes = Votes { rule: VoteRule::Mean, classes: 3, members };
        let said = ask(&votes);
        let expected = from_rows(&[vec![0.5, 0.0, 0.5]]);
        assert!((said.scores.unwrap() - expected).norm_max() < 1e-15);
        votes.rule = VoteRule::Majority;
        let said = ask(&votes);
        assert_eq!((said.answer[0], said.confidence[0]), (2.0, 2.0 / 3.0));
        assert_eq!(said.scores.unwrap(), from_rows(&[vec![1.0 / 3.0, 0.0, 2.0 / 3.0]]));
    }

    #[test]
    fn who_cannot_say_abstains() {
        let members = vec![member(1.0, &[], constant(f64::NAN)), member(1.0, &[], constant(3.0))];
        let mut votes = Votes { rule: VoteRule::Mean, classes: 0, members };
        assert_eq!(ask(&votes).answer, [3.0]);
        votes.members.pop();
        assert!(ask(&votes).answer[0].is_nan());
        let silent = classes(Link::Softmax, vec![f64::NAN, 0.0]);
        let votes = Votes { rule: VoteRule::Mean, classes: 2, members: vec![member(1.0, &[0, 1], silent)] };
        assert!(ask(&votes).answer[0].is_nan() && ask(&votes).confidence[0].is_nan());
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let sound = || Votes {
            rule: VoteRule::Majority,
            classes: 3,
            members: vec![member(1.0, &[0, 2], classes(Link::Softmax, vec![0.0, 1.0]))],
        };
        assert_eq!(sound().check(1, 3, 2), Ok(()));
        assert!(sound().check(2, 3, 2).is_err() && sound().check(1, 2, 2).is_err());
        let spoilt: [fn(&mut Votes); 8] = [
            |v| v.members.clear(),
            |v| v.members[0].weight = 0.0,
            |v| v.members[0].weight = -1.0,
            |v| v.members[0].weight = f64::NAN,
            |v| v.members[0].classes = vec![2, 0],
            |v| v.members[0].classes = vec![0, 3],
            |v| v.members[0].classes = vec![],
            |v| v.rule = VoteRule::Median,
        ];
        for (number, spoil) in spoilt.iter().enumerate() {
            let mut votes = sound();
            spoil(&mut votes);
            assert!(votes.check(1, 3, 2).is_err(), "{number}");
        }
        // A voter of one class that is read as a number.
        let odd = Votes { members: vec![member(1.0, &[1], constant(7.3))], ..sound() };
        assert_eq!((odd.check(1, 3, 2), ask(&odd).answer[0]), (Ok(()), 1.0));
    }
}
