//! What a pretrained network and its tuning are worth, in words.

use super::run::Worth;
use super::text::thousands;
use crate::measures::Estimate;

impl Worth {
    /// What each question came to, and what it costs to use the network, a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let gain = |Estimate { value, low, high }: Estimate| {
            let [value, low, high] = [value, low, high].map(|share| 100.0 * share);
            format!("{value:+.1} points (95 %: {low:+.1} to {high:+.1})")
        };
        let mut lines = vec![format!("frozen checkpoint over {}: {}", self.rival, gain(self.checkpoint))];
        if let Some((name, of)) = &self.tuning {
            lines.push(format!("{name} over the frozen checkpoint: {}", gain(*of)));
        }
        if !self.curve.is_empty() {
            lines.push(self.labels());
        }
        lines.push(format!("one picture takes {} multiply-adds", self.products()));
        lines
    }

    /// The labels that the frozen network saves.
    pub(super) fn labels(&self) -> String {
        let least = self.curve.first().map_or(1.0, |point| point.share);
        match self.labels_saved {
            None => format!("labels saved against {}: none", self.rival),
            Some(share) => {
                let bound = if share >= 1.0 - least { "at least " } else { "" };
                format!("labels saved against {}: {bound}{:.0} %", self.rival, 100.0 * share)
            }
        }
    }

    /// Products of a picture: three digits of millions, or all of few.
    pub(super) fn products(&self) -> String {
        match self.multiply_adds {
            few @ ..1_000_000 => thousands(usize::try_from(few).unwrap_or(usize::MAX)),
            many => format!("{} million", thousands(usize::try_from(many / 1_000_000).unwrap_or(usize::MAX))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::FewerLabels;

    #[test]
    fn what_a_network_is_worth_in_words() {
        let at = |share: f64, chosen: f64| FewerLabels { share, chosen, rival: 0.5 };
        let gain = Estimate { value: 0.4, low: 0.31, high: 0.47 };
        let mut worth = Worth {
            rival: "colour histograms".into(),
            checkpoint: gain,
            tuning: Some(("last:1".into(), Estimate { value: 0.0, low: -0.02, high: 0.02 })),
            multiply_adds: 300_774_272,
            curve: vec![at(0.25, 0.7), at(0.5, 0.8), at(1.0, 0.9)],
            labels_saved: Some(0.75),
        };
        assert_eq!(
            worth.lines(),
            [
                "frozen checkpoint over colour histograms: +40.0 points (95 %: +31.0 to +47.0)",
                "last:1 over the frozen checkpoint: +0.0 points (95 %: -2.0 to +2.0)",
                "labels saved against colour histograms: at least 75 %",
                "one picture takes 300 million multiply-adds",
            ]
        );
        (worth.labels_saved, worth.multiply_adds) = (Some(0.3), 12_000);
        assert_eq!((worth.labels().ends_with(": 30 %"), worth.products().as_str()), (true, "12,000"));
        worth.labels_saved = None;
        assert!(worth.labels().ends_with(": none"));
        worth.curve.clear();
        assert_eq!(worth.lines().len(), 3);
    }
}
