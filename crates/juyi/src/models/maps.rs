//! What is done to a row before a predictor sees it.

use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

use crate::linalg::{
    Matrix, add_product, by_row_blocks, column_means, column_scales, gaussian_kernel, hyperbolic_tangents,
    normalize_rows, normalize_rows_l2, rows_times,
};
use crate::solvers::Embedding;

/// Whether Gaussians of this width can be computed: its square must be a number that can be divided by.
pub(super) fn check_bandwidth(bandwidth: f64) -> Result<(), String> {
    let sound = bandwidth > 0.0 && bandwidth.is_finite() && (0.5 / (bandwidth * bandwidth)).is_finite();
    if sound { Ok(()) } else { Err(format!("`bandwidth` is {bandwidth}")) }
}

/// One step on the way from a row of the target to what the predictor was trained on.
///
/// Matrices are kept out of the JSON part of a model file; [`Map::tensors`] names them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "map", rename_all = "kebab-case")]
pub enum Map {
    /// Each row divided by the sum of its absolute values.
    NormalizeRowsL1,
    /// Each row divided by its Euclidean length.
    NormalizeRowsL2,
    /// `(x - shift) * scale`, column by column; a scale of 0 silences a column.
    Affine {
        /// `(1, d)`.
        #[serde(skip, default = "Matrix::new")]
        shift: Matrix,
        /// `(1, d)`.
        #[serde(skip, default = "Matrix::new")]
        scale: Matrix,
    },
    /// `x matrix`.
    Project {
        /// `(d, k)`.
        #[serde(skip, default = "Matrix::new")]
        matrix: Matrix,
    },
    /// `k(x, rows) coefficients` with the Gaussian kernel `k`.
    KernelProject {
        /// The kernel's width: `exp(-|x - y|² / (2 bandwidth²))`.
        bandwidth: f64,
        /// The rows that the kernel is taken with `(m, d)`.
        #[serde(skip, default = "Matrix::new")]
        rows: Matrix,
        /// `(m, k)`.
        #[serde(skip, default = "Matrix::new")]
        coefficients: Matrix,
    },
    /// The row, then what its last `m` columns times `matrix` plus `shift` are.
    Append {
        /// Whether the hyperbolic tangent is taken of what is appended.
        squash: bool,
        /// `(m, k)`, `m` at most the number of columns.
        #[serde(skip, default = "Matrix::new")]
        matrix: Matrix,
        /// `(1, k)`.
        #[serde(skip, default = "Matrix::new")]
        shift: Matrix,
    },
    /// The row once for each block, or zeros in its place.
    Augment {
        /// Whether a block holds the row; 1 to [`Map::MOST_BLOCKS`] of them.
        blocks: Vec<bool>,
    },
}

impl Map {
    /// The most blocks of [`Map::Augment`].
    pub const MOST_BLOCKS: usize = 1000;

    /// The map that brings the columns of `x` `(n, d)` to mean 0 and population deviation 1, and how many columns are
    /// constant, or [nearly](column_scales): these become 0.
    pub fn standardize(x: MatRef<'_, f64>) -> (Self, usize) {
        let means = column_means(x);
        let scales = column_scales(x, &means);
        let (d, constant) = (x.ncols(), scales.iter().filter(|scale| **scale == 0.0).count());
        let row = |of: Vec<f64>| Mat::from_fn(1, d, |_, j| of[j]);
        (Self::Affine { shift: row(means), scale: row(scales) }, constant)
    }

    /// Maps `(n, d)` to `(n, k)`; a row's result has the same bits whatever rows come with it.
    pub fn apply(&self, x: MatRef<'_, f64>) -> Matrix {
        match self {
            Self::Project { matrix } => rows_times(x, matrix.as_ref()),
            Self::KernelProject { bandwidth, rows, coefficients } => {
                by_row_blocks(x, coefficients.ncols(), |block| {
                    let kernel = gaussian_kernel(block, rows.as_ref(), *bandwidth);
                    let mut out = Mat::zeros(block.nrows(), coefficients.ncols());
                    add_product(out.as_mut(), kernel.as_ref(), coefficients.as_ref(), 1.0);
                    out
                })
            }
            Self::Append { squash, matrix, shift } => {
                let d = x.ncols();
                let mut added = rows_times(x.get(.., d - matrix.nrows()..), matrix.as_ref());
                for j in 0..added.ncols() {
                    let column = added.col_as_slice_mut(j);
                    for v in column.iter_mut() {
                        *v += shift[(0, j)];
                    }
                    if *squash {
                        hyperbolic_tangents(column);
                    }
                }
                let mut out = Mat::zeros(x.nrows(), d + added.ncols());
                out.get_mut(.., ..d).copy_from(x);
                out.get_mut(.., d..).copy_from(added);
                out
            }
            Self::Augment { blocks } => {
                let d = x.ncols();
                let mut out = Mat::zeros(x.nrows(), d * blocks.len());
                for (k, _) in blocks.iter().enumerate().filter(|(_, holds)| **holds) {
                    out.get_mut(.., k * d..(k + 1) * d).copy_from(x);
                }
                out
            }
            _ => self.apply_in_place(x.to_owned()),
        }
    }

    /// The same for rows that are no longer needed: no copy is made where the map keeps the number of columns.
    pub fn apply_in_place(&self, mut x: Matrix) -> Matrix {
        match self {
            Self::NormalizeRowsL1 => normalize_rows(x.as_mut(), |row| row.map(f64::abs).sum()),
            Self::NormalizeRowsL2 => normalize_rows_l2(x.as_mut()),
            Self::Affine { shift, scale } => {
                for j in 0..x.ncols() {
                    let (shift, scale) = (shift[(0, j)], scale[(0, j)]);
                    x.col_mut(j).iter_mut().for_each(|v| *v = (*v - shift) * scale);
                }
            }
            Self::Project { .. }
            | Self::KernelProject { .. }
            | Self::Append { .. }
            | Self::Augment { .. } => return self.apply(x.as_ref()),
        }
        x
    }

    /// Whether the map holds rows of the data it was fitted on.
    pub fn stores_rows(&self) -> bool {
        matches!(self, Self::KernelProject { .. })
    }

    /// The matrices that a model file stores as tensors, by name.
    pub fn tensors(&mut self) -> Vec<(&'static str, &mut Matrix)> {
        match self {
            Self::NormalizeRowsL1 | Self::NormalizeRowsL2 | Self::Augment { .. } => Vec::new(),
            Self::Affine { shift, scale } => vec![("shift", shift), ("scale", scale)],
            Self::Project { matrix } => vec![("matrix", matrix)],
            Self::KernelProject { rows, coefficients, .. } => {
                vec![("rows", rows), ("coefficients", coefficients)]
            }
            Self::Append { matrix, shift, .. } => vec![("matrix", matrix), ("shift", shift)],
        }
    }

    /// The number of columns that come out when `columns` go in.
    ///
    /// # Errors
    /// What does not fit, in words: for model files from outside.
    pub fn width(&self, columns: usize) -> Result<usize, String> {
        let expect = |what: &str, got: (usize, usize), want: (usize, usize)| {
            if got == want { Ok(()) } else { Err(format!("{what} is {got:?}, expected {want:?}")) }
        };
        match self {
            Self::NormalizeRowsL1 | Self::NormalizeRowsL2 => Ok(columns),
            Self::Affine { shift, scale } => {
                expect("`shift`", shift.shape(), (1, columns))?;
                expect("`scale`", scale.shape(), (1, columns))?;
                Ok(columns)
            }
            Self::Project { matrix } => {
                expect("`matrix`", matrix.shape(), (columns, matrix.ncols()))?;
                Ok(matrix.ncols())
            }
            Self::KernelProject { bandwidth, rows, coefficients } => {
                check_bandwidth(*bandwidth)?;
                expect("`rows`", rows.shape(), (rows.nrows(), columns))?;
                expect("`coefficients`", coefficients.shape(), (rows.nrows(), coefficients.ncols()))?;
                Ok(coefficients.ncols())
            }
            Self::Append { matrix, shift, .. } => {
                if matrix.nrows() > columns {
                    return Err(format!("`matrix` takes {} of {columns} columns", matrix.nrows()));
                }
                expect("`shift`", shift.shape(), (1, matrix.ncols()))?;
                columns.checked_add(matrix.ncols()).ok_or_else(|| "too many columns".into())
            }
            Self::Augment { blocks } => {
                let (count, most) = (blocks.len(), Self::MOST_BLOCKS);
                if !(1..=most).contains(&count) {
                    return Err(format!("it has {count} blocks, expected 1 to {most}"));
                }
                columns.checked_mul(count).ok_or_else(|| "too many columns".into())
            }
        }
    }
}

impl From<Embedding> for Map {
    fn from(embedding: Embedding) -> Self {
        match embedding {
            Embedding::Linear(matrix) => Self::Project { matrix },
            Embedding::Gaussian { rows, bandwidth, coefficients } => {
                Self::KernelProject { bandwidth, rows, coefficients }
            }
        }
    }
}

/// Applies maps one after the other.
pub fn apply_all(maps: &[Map], x: MatRef<'_, f64>) -> Matrix {
    maps.iter().fold(x.to_owned(), |x, map| map.apply_in_place(x))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    #[test]
    fn maps_by_hand() {
        let x = from_rows(&[vec![3.0, -4.0], vec![0.0, 0.0]]);
        let l1 = Map::NormalizeRowsL1.apply(x.as_ref());
        assert_eq!((l1[(0, 0)], l1[(0, 1)], l1[(1, 0)]), (3.0 / 7.0, -4.0 / 7.0, 0.0));
        let l2 = Map::NormalizeRowsL2.apply(x.as_ref());
        assert_eq!((l2[(0, 0)], l2[(0, 1)]), (0.6, -0.8));
        let affine = Map::Affine { shift: from_rows(&[vec![1.0, 0.0]]), scale: from_rows(&[vec![2.0, 0.0]]) };
        assert_eq!(affine.apply(x.as_ref()), from_rows(&[vec![4.0, 0.0], vec![-2.0, 0.0]]));
        let swap = Map::Project { matrix: from_rows(&[vec![0.0, 1.0], vec![1.0, 0.0]]) };
        assert_eq!(swap.apply(x.as_ref()), from_rows(&[vec![-4.0, 3.0], vec![0.0, 0.0]]));
        let kernel = Map::KernelProject {
            bandwidth: 1.0,
            rows: x.clone(),
            coefficients: from_rows(&[vec![2.0], vec![0.0]]),
        };
        assert!((kernel.apply(x.as_ref())[(1, 0)] - 2.0 * (-12.5f64).exp()).abs() < 1e-15);
    }

    #[test]
    fn maps_that_widen_by_hand() {
        let x = from_rows(&[vec![3.0, -4.0], vec![0.0, 0.0]]);
        let append = |squash: bool| Map::Append {
            squash,
            matrix: from_rows(&[vec![0.5, 0.0]]),
            shift: from_rows(&[vec![1.0, 2.0]]),
        };
        let plain = append(false).apply(x.as_ref());
        assert_eq!(plain, from_rows(&[vec![3.0, -4.0, -1.0, 2.0], vec![0.0, 0.0, 1.0, 2.0]]));
        let squashed = append(true).apply(x.as_ref());
        assert!((squashed[(0, 2)] + 1f64.tanh()).abs() < 1e-15 && squashed[(0, 1)] == -4.0);
        assert_eq!(append(true).width(2), Ok(4));
        assert!(append(true).width(0).is_err() && append(true).width(usize::MAX).is_err());
        let augment = Map::Augment { blocks: vec![true, false, true] };
        let row = vec![3.0, -4.0, 0.0, 0.0, 3.0, -4.0];
        assert_eq!(augment.apply(x.as_ref()), from_rows(&[row, vec![0.0; 6]]));
        assert_eq!(augment.width(2), Ok(6));
        assert!(augment.width(usize::MAX / 2).is_err());
        for count in [0, 1001] {
            assert!(Map::Augment { blocks: vec![true; count] }.width(2).is_err());
        }
    }
}
