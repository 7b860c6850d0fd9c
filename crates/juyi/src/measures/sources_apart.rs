//! Columns that lie implausibly far from each other in two sources: another unit, or another quantity under the same name.
//!
//! A source is compared with all others together, by medians and interquartile ranges. Cost: `O(n log n)` a column.

use crate::data::Cells;

/// Fewest filled cells that tell where a column lies.
const ENOUGH: usize = 5;

/// Interquartile ranges, of the wider one, from which on medians are implausibly far apart.
const FAR: f64 = 20.0;

/// How far, in powers of ten, ratios of medians and of ranges may lie from a whole power.
const NEAR: (f64, f64) = (0.2, 0.4);

/// A source in which a column lies far from the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Apart {
    /// The source's position.
    pub source: usize,
    /// Its median, and that of the others.
    pub medians: (f64, f64),
    /// The power of ten by which they differ, where nothing else does.
    pub factor: Option<f64>,
}

/// The first source in which a column lies far from the others, if there is one; `None` where it is text.
pub fn source_apart(sources: &[&Cells]) -> Option<Apart> {
    let numbers: Vec<&[f64]> = sources
        .iter()
        .map(|cells| match cells {
            Cells::Numbers(numbers) => Some(numbers.as_slice()),
            Cells::Text { .. } => None,
        })
        .collect::<Option<_>>()?;
    // Of two, the second is the odd one out.
    (0..numbers.len()).rev().filter(|_| numbers.len() > 1).find_map(|source| {
        let own = Spread::of(numbers[source])?;
        let others: Vec<f64> =
            (0..numbers.len()).filter(|&k| k != source).flat_map(|k| numbers[k]).copied().collect();
        let others = Spread::of(&others)?;
        let factor = own.power_of(&others);
        let far = (own.median - others.median).abs() > FAR * own.width.max(others.width);
        let told = own.width > 0.0 && others.width > 0.0;
        (told && (far || factor.is_some())).then_some(Apart {
            source,
            medians: (own.median, others.median),
            factor,
        })
    })
}

/// Where the filled cells of a column lie.
struct Spread {
    least: f64,
    median: f64,
    largest: f64,
    /// The interquartile range.
    width: f64,
}

impl Spread {
    fn of(numbers: &[f64]) -> Option<Self> {
        let mut values: Vec<f64> = numbers.iter().copied().filter(|v| !v.is_nan()).collect();
        values.sort_by(f64::total_cmp);
        let at = |quarters: usize| values[(values.len() - 1) * quarters / 4];
        (values.len() >= ENOUGH).then(|| Self {
            least: values[0],
            median: at(2),
            largest: values[values.len() - 1],
            width: at(3) - at(1),
        })
    }

    /// The power of ten that brings the others here, where the ranges have nothing in common.
    fn power_of(&self, others: &Self) -> Option<f64> {
        let apart = self.least > others.largest || self.largest < others.least;
        let (medians, widths) = ((self.median / others.median).log10(), (self.width / others.width).log10());
        let power = medians.round();
        let near = (medians - power).abs() <= NEAR.0 && (widths - power).abs() <= NEAR.1;
        (apart && power != 0.0 && near).then(|| 10f64.powf(power))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(sources: &[&dyn Fn(f64) -> f64]) -> Option<(usize, Option<f64>)> {
        let cells: Vec<Cells> =
            sources.iter().map(|of| Cells::Numbers((0..40).map(|i| of(f64::from(i))).collect())).collect();
        source_apart(&cells.iter().collect::<Vec<_>>()).map(|apart| (apart.source, apart.factor))
    }

    #[test]
    fn other_units_are_found_and_ordinary_differences_are_not() {
        let grams = |i: f64| 1000.0 * (5.0 + i * 7.0 % 11.0);
        let kilograms = |i: f64| 5.5 + i * 5.0 % 11.0;
        assert_eq!(apart(&[&kilograms, &grams]), Some((1, Some(1000.0))));
        assert_eq!(apart(&[&kilograms, &grams, &kilograms]), Some((1, Some(1000.0))));
        assert_eq!(apart(&[&grams, &kilograms]), Some((1, Some(0.001))));
        assert_eq!(apart(&[&kilograms, &|i| 400.0 + i % 9.0]), Some((1, None)));
        let few = [1.0, 2.0, 3.0, 4.0].map(|v| Cells::Numbers(vec![v; 3]));
        assert_eq!(source_apart(&few.iter().collect::<Vec<_>>()), None);
        for other in [
            &(|i: f64| 9.0 + i % 13.0) as &dyn Fn(f64) -> f64, // moved
            &|i| 40.0 + i % 11.0,                              // moved far
            &|i| i % 2.0,                                      // flags
            &|i| 10.0 * (5.0 + i * 7.0 % 11.0) - 40.0,         // wider, and overlapping
            &|_| 2019.0,                                       // one value
            &|_| f64::NAN,
        ] {
            assert_eq!(apart(&[&kilograms, other]), None);
        }
    }
}
