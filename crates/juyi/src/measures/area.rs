//! Area under the curve of one class against the rest: how likely a row of the class is to be given a larger score than another,
//! a tie counting half.

/// Rows in the order of what they were given.
pub struct Ranking {
    /// Positions of rows that were given the same, the least first.
    ties: Vec<Vec<usize>>,
    /// Whether each row is of the class.
    of_class: Vec<bool>,
}

impl Ranking {
    /// Ranks rows by their scores.
    pub fn new(scores: &[f64], of_class: Vec<bool>) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
        let ties = order.chunk_by(|a, b| scores[*a] == scores[*b]).map(<[usize]>::to_vec).collect();
        Self { ties, of_class }
    }

    /// The area where each row counts so much; absent where there are none of the class, or only such.
    pub fn area(&self, weight: impl Fn(usize) -> f64) -> Option<f64> {
        let (mut below, mut all, mut sum) = (0.0, 0.0, 0.0);
        for tie in &self.ties {
            let (mut own, mut others) = (0.0, 0.0);
            for &row in tie {
                *(if self.of_class[row] { &mut own } else { &mut others }) += weight(row);
            }
            sum += own * (below + others / 2.0);
            below += others;
            all += own;
        }
        (all > 0.0 && below > 0.0).then(|| sum / (all * below))
    }
}

/// The mean of the areas of several classes; absent where there is none.
pub fn mean_area(rankings: &[Ranking], weight: impl Fn(usize) -> f64) -> Option<f64> {
    let areas: Vec<f64> = rankings.iter().filter_map(|ranking| ranking.area(&weight)).collect();
    (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_by_hand() {
        // Of the four pairs three are in order and one is a tie.
        let ranking = Ranking::new(&[0.1, 0.6, 0.6, 0.9], vec![false, false, true, true]);
        assert_eq!(ranking.area(|_| 1.0), Some(0.875));
        // The tied row of the class drawn twice: (0.9: 2 of 2) + 2 × (0.6: 1.5 of 2).
        assert_eq!(ranking.area(|row| if row == 2 { 2.0 } else { 1.0 }), Some(5.0 / 6.0));
        assert_eq!(ranking.area(|row| if row < 2 { 1.0 } else { 0.0 }), None);
        let other = Ranking::new(&[3.0, 2.0, 1.0, 0.0], vec![false, false, true, true]);
        assert_eq!(mean_area(&[ranking, other], |_| 1.0), Some(0.4375));
        assert_eq!(mean_area(&[], |_| 1.0), None);
    }
}
