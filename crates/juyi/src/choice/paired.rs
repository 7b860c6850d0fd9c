//! Exact intervals where few labelled rows judge: of a share, and of the gain of one over another on the same rows.

use statrs::distribution::{Beta, ContinuousCDF};

use crate::measures::Estimate;

/// The most rows for which intervals are exact rather than resampled.
const FEW: usize = 50;

/// The exact interval of 95 % of the share of rows that are right; each is 1 if it is right, 0 if not, between where it was
/// asked several times. `None` where there is no row, or rows are many.
pub fn exact_share(rows: &[f64]) -> Option<Estimate> {
    if rows.is_empty() || rows.len() > FEW {
        return None;
    }
    let (hits, n) = (rows.iter().sum::<f64>(), rows.len() as f64);
    let (low, high) = share_within(hits, n - hits, 0.05);
    Some(Estimate { value: hits / n, low, high })
}

/// The exact interval of what `rows` gain over `base`, one of `count` gains, rows as in [`exact_share`]: given on how many they
/// differ, that of the share on which the first is right, as the exact test of paired shares (`McNemar`'s) has it.
/// `None` where there is no row, or rows are many.
pub fn exact_gain(rows: &[f64], base: &[f64], count: usize) -> Option<Estimate> {
    if rows.is_empty() || rows.len() > FEW {
        return None;
    }
    let n = rows.len() as f64;
    let over = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).max(0.0)).sum::<f64>();
    let (ahead, behind) = (over(rows, base), over(base, rows));
    let differ = ahead + behind;
    let value = (ahead - behind) / n;
    if differ == 0.0 {
        return Some(Estimate::around(value, 0.0, rows.len()));
    }
    let (low, high) = share_within(ahead, behind, 0.05 / count as f64);
    Some(Estimate { value, low: differ / n * (2.0 * low - 1.0), high: differ / n * (2.0 * high - 1.0) })
}

/// The interval of a share that was seen in `hits` cases and not in `misses`, missed with probability `level` (Clopper and
/// Pearson).
fn share_within(hits: f64, misses: f64, level: f64) -> (f64, f64) {
    let quantile = |a: f64, b: f64, at: f64| Beta::new(a, b).map_or(f64::NAN, |beta| beta.inverse_cdf(at));
    let low = if hits > 0.0 { quantile(hits, misses + 1.0, level / 2.0) } else { 0.0 };
    let high = if misses > 0.0 { quantile(hits + 1.0, misses, 1.0 - level / 2.0) } else { 1.0 };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_the_textbook_interval() {
        let (low, high) = share_within(9.0, 1.0, 0.05);
        assert!((low - 0.554_984).abs() < 1e-5 && (high - 0.997_471).abs() < 1e-5, "{low} {high}");
        assert_eq!(share_within(0.0, 3.0, 0.05).0, 0.0);
        assert_eq!(share_within(3.0, 0.0, 0.05).1, 1.0);
        assert_eq!(exact_share(&[1.0; 3]).map(|share| share.high), Some(1.0));
        assert!(exact_share(&[]).is_none() && exact_share(&[1.0; 51]).is_none());
    }

    #[test]
    fn a_gain_on_few_rows_is_as_sure_as_mcnemar_has_it() {
        let (all, none) = (vec![1.0; 20], vec![0.0; 20]);
        let some = |count: usize| (0..20).map(|i| f64::from(u8::from(i >= count))).collect::<Vec<f64>>();
        // Five discordant rows of five are p = 1/16; six of six are p = 1/32.
        assert!(exact_gain(&all, &some(5), 1).unwrap().low < 0.0);
        let gain = exact_gain(&all, &some(6), 1).unwrap();
        assert!(gain.low > 0.0 && gain.value == 0.3, "{gain:?}");
        assert!(exact_gain(&all, &some(6), 3).unwrap().low < 0.0);
        let same = exact_gain(&none, &none, 1).unwrap();
        assert_eq!((same.low, same.high), (-0.15, 0.15));
        assert!(exact_gain(&[1.0; 51], &[0.0; 51], 1).is_none());
    }
}
