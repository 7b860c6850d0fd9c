//! Some of the features of all stages, which a head takes.

use juyi::linalg::Matrix;

/// Features that stay, and how they are brought to a common length.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selection {
    /// Which of all features, rising.
    pub(super) columns: Vec<usize>,
    /// How many features each stage has.
    pub(super) widths: Vec<usize>,
}

impl Selection {
    /// The selected features of rows of all features, each stage's part of a row with length 1.
    pub(super) fn rows(&self, all: &Matrix) -> Matrix {
        let rows: Vec<Vec<f64>> = (0..all.nrows()).map(|i| self.row(|j| all[(i, j)])).collect();
        Matrix::from_fn(all.nrows(), self.columns.len(), |i, k| rows[i][k])
    }

    /// The same of one row, whose features `of` tells.
    pub(super) fn row(&self, of: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut own: Vec<f64> = self.columns.iter().map(|&column| of(column)).collect();
        let (mut begin, mut bound) = (0, 0);
        for width in &self.widths {
            bound += width;
            let end = self.columns.partition_point(|&column| column < bound);
            let length = own[begin..end].iter().map(|v| v * v).sum::<f64>().sqrt();
            if length > 0.0 {
                own[begin..end].iter_mut().for_each(|v| *v /= length);
            }
            begin = end;
        }
        own
    }

    /// All features.
    pub(super) fn all(widths: &[usize]) -> Self {
        Self { columns: (0..widths.iter().sum()).collect(), widths: widths.to_vec() }
    }

    /// The first `share` of an order.
    pub(super) fn first(order: &[usize], share: f64, widths: &[usize]) -> Self {
        let count = ((share * order.len() as f64) as usize).clamp(1, order.len());
        let mut columns = order[..count].to_vec();
        columns.sort_unstable();
        Self { columns, widths: widths.to_vec() }
    }
}
