//! The accuracy that a model's own confidence promises.
//!
//! Paper: S. Garg, S. Balakrishnan, Z. C. Lipton, B. Neyshabur, H. Sedghi, "Leveraging unlabeled data to predict out-of-distribution
//! performance", ICLR 2022 (ATC, average thresholded confidence)
//!
//! ```text
//! t:  the share of source rows with confidence below t is the share of source rows that are wrong
//! estimate = the share of target rows with confidence of t or more
//! ```

/// The share of target rows that are expected to be right: of the `source` rows, of which those that are `right` are known, as
/// many lie above the threshold as are right. `None` without source or target rows.
pub fn average_thresholded_confidence(source: &[f64], right: &[bool], target: &[f64]) -> Option<f64> {
    if source.is_empty() || target.is_empty() {
        return None;
    }
    let mut sorted = source.to_vec();
    sorted.sort_by(f64::total_cmp);
    let wrong = right.iter().filter(|right| !**right).count();
    let Some(threshold) = sorted.get(wrong) else { return Some(0.0) };
    Some(target.iter().filter(|sure| *sure >= threshold).count() as f64 / target.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_source_rows_lie_above_the_threshold_as_are_right() {
        let (source, right) = ([0.9, 0.6, 0.8, 0.5], [true, false, true, true]);
        // One of four is wrong, so the threshold is the second smallest.
        assert_eq!(average_thresholded_confidence(&source, &right, &[0.55, 0.6, 0.95]), Some(2.0 / 3.0));
        assert_eq!(average_thresholded_confidence(&source, &[false; 4], &[0.99]), Some(0.0));
        assert_eq!(average_thresholded_confidence(&source, &[true; 4], &[0.4, 0.5]), Some(0.5));
        assert_eq!(average_thresholded_confidence(&[], &[], &[0.5]), None);
    }
}
