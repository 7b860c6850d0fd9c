//! Importance weights from ratios of densities: cut where they are too large, then scaled to mean 1, so that a learner's
//! penalty keeps its strength.

use crate::linalg::exponentials;

/// The ratios, none above `bound`, over their mean; `None` if all are 0.
pub fn mean_one(mut ratios: Vec<f64>, bound: Option<f64>) -> Option<Vec<f64>> {
    let most = bound.unwrap_or(f64::INFINITY);
    let mut sum = 0.0;
    for ratio in &mut ratios {
        *ratio = ratio.min(most);
        sum += *ratio;
    }
    let mean = sum / ratios.len() as f64;
    for ratio in &mut ratios {
        *ratio /= mean;
    }
    (mean > 0.0).then_some(ratios)
}

/// The same from the ratios' logarithms, without overflow: at least one weight is above 0.
pub fn mean_one_of_logarithms(mut logarithms: Vec<f64>, bound: Option<f64>) -> Vec<f64> {
    let most = bound.map_or(f64::INFINITY, f64::ln);
    let top = logarithms.iter().map(|v| v.min(most)).fold(f64::NEG_INFINITY, f64::max);
    for v in &mut logarithms {
        *v = v.min(most) - top;
    }
    exponentials(&mut logarithms, 1.0);
    let mean = logarithms.iter().sum::<f64>() / logarithms.len() as f64;
    for weight in &mut logarithms {
        *weight /= mean;
    }
    logarithms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_and_scaled_by_hand() {
        assert_eq!(mean_one(vec![1.0, 9.0, 2.0], Some(3.0)).unwrap(), [0.5, 1.5, 1.0]);
        assert_eq!(mean_one(vec![0.0, 0.0], None), None);
        let logarithms = [0.0, 2000.0, 2000.0 - 2.0f64.ln()];
        let expected = [[0.0, 2.0, 1.0], [1.0; 3]];
        for (bound, expected) in [None, Some(1.0)].into_iter().zip(expected) {
            for (ours, expected) in mean_one_of_logarithms(logarithms.to_vec(), bound).iter().zip(expected) {
                assert!((ours - expected).abs() < 1e-12, "{ours} for {expected}");
            }
        }
    }
}
