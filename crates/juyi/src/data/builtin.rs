//! Two real collections of handwritten digits, 8 × 8 grey values from 0 to 16: something to run at once.
//!
//! Where they come from, their licences and how they were made: `digits/NOTICE` and `digits/make.py` beside this file.

use super::csv::read_from;
use super::table::Table;
use crate::error::Result;

const MNIST: &[u8] = include_bytes!("digits/mnist.csv.gz");
const UCI: &[u8] = include_bytes!("digits/uci.csv.gz");

/// The built-in source and target tables.
pub struct Builtin {
    /// 2,000 MNIST digits.
    pub source: Table,
    /// 1,797 UCI optical digits.
    pub target: Table,
}

/// MNIST digits as the source, UCI digits as the target; the label is `digit`.
///
/// # Errors
/// None that a correct build can give.
pub fn builtin() -> Result<Builtin> {
    let read = |name: &str, bytes: &'static [u8]| {
        let open = || Ok(std::io::BufReader::new(flate2::read::GzDecoder::new(bytes)));
        let mut table = read_from(name, open, &["digit".into()], u64::MAX)?;
        table.label = Some("digit".into());
        table.image = Some((8, 8));
        Ok(table)
    };
    Ok(Builtin { source: read("MNIST digits", MNIST)?, target: read("UCI digits", UCI)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Cells;

    #[test]
    fn the_digits_are_complete() {
        let both = builtin().unwrap();
        assert_eq!((both.source.rows, both.target.rows), (2000, 1797));
        for table in [both.source, both.target] {
            assert_eq!((table.columns.len(), table.image), (65, Some((8, 8))));
            for column in table.columns.iter().filter(|c| c.name != "digit") {
                let Cells::Numbers(values) = &column.cells else { panic!("`{}` is text", column.name) };
                assert!(values.iter().all(|v| (0.0..=16.0).contains(v)));
            }
        }
    }
}
