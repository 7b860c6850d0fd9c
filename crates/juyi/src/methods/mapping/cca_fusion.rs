//! Fusion of two views: the columns are two views of one thing, and the directions of each that go best with the other
//! take their place.
//!
//! When: rows were measured in two ways (picture and text, two sensors), and what the two agree on carries over to the
//! target where what is peculiar to one does not. No labels are needed. It hurts where a view knows something that the
//! other does not, because that is given up unless `components` is large.
//!
//! Paper: Q.-S. Sun, S.-G. Zeng, Y. Liu, P.-A. Heng, D.-S. Xia, "A new method of feature fusion and its application in image recognition", Pattern Recognition 2005
//!
//! ```text
//! max aᵀ C_12 b    subject to    aᵀ (C_11 + r_1 I) a = 1,   bᵀ (C_22 + r_2 I) b = 1
//! L_1⁻¹ C_12 L_2⁻ᵀ = U S Vᵀ,   A = L_1⁻ᵀ U,   B = L_2⁻ᵀ V,   L_v L_vᵀ = C_vv + r_v I
//! concatenated:  (x, y) -> ((x - mean) A, (y - mean) B)         summed:  (x, y) -> (x - mean) A + (y - mean) B
//! ```
//! with the first `components` columns of `A` and `B` (the fusion strategies I and II of the paper), `C` the
//! covariances (divided by `n - 1`) and means of source and target rows together, and `r_v = regularization · mean
//! variance of the view`.
//!
//! Where we differ: the views are learnt on the rows of both domains, which makes it a transfer method; the penalty
//! `r_v`, without which views with more columns than rows go together perfectly whatever they hold.
//!
//! Cost: `O(n d² + d³)` time, `O(d² + n_s k)` memory.

use std::borrow::Cow;

use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::{Error, Result};
use crate::learners::Learner;
use crate::linalg::{Matrix, PAR, cholesky, column_means, covariance, thin_svd};
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, count, make, must, params_of};
use crate::models::{Map, apply_all};

/// Parameters of the fusion of two views.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CcaFusion {
    /// Columns of the first view; the others are the second. 1 to 1000000, below the number of columns; by default half
    /// of them, rounded down.
    pub first_view: Option<usize>,
    /// Pairs of directions, k. 1 to 1000000; no more than the smaller view has columns are used.
    pub components: usize,
    /// Penalty on directions, in units of the view's mean variance. Above 0.
    pub regularization: f64,
    /// concatenate or sum: what becomes of the two views of a row.
    pub output: Fused,
}

/// What becomes of the two views of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fused {
    /// One beside the other: 2 k columns.
    Concatenate,
    /// Their sum: k columns.
    Sum,
}

impl Default for CcaFusion {
    fn default() -> Self {
        Self { first_view: None, components: 50, regularization: 0.01, output: Fused::Concatenate }
    }
}

impl CcaFusion {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "cca-fusion",
        family: Family::Mapping,
        summary: "replaces two views of the rows by the directions of each that go best with the other",
        when: "the columns are two views of one thing (picture and text, two sensors)",
        paper: "Q.-S. Sun, S.-G. Zeng, Y. Liu, P.-A. Heng, D.-S. Xia, \"A new method of feature fusion and its application in image recognition\", Pattern Recognition 2005",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE, // only who knows the data can say which columns are a view
        most_rows: usize::MAX,
        source: include_str!("cca_fusion.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for CcaFusion {
    fn check(&self) -> Result<()> {
        let first = self.first_view.unwrap_or(1);
        count("cca-fusion", "first_view", first, 1..=1_000_000)?;
        count("cca-fusion", "components", self.components, 1..=1_000_000)?;
        let r = self.regularization;
        must("cca-fusion", "regularization", r > 0.0 && r.is_finite(), "above 0", r)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (n, d) = (task.source.rows() + task.target.rows(), task.columns());
        if d < 2 {
            return Err(Error::Unsuited {
                method: "cca-fusion".into(),
                problem: "fuses two views, and there is one column".into(),
                hint: "give tables with the columns of both views".into(),
            });
        }
        let first = self.first_view.unwrap_or(d / 2);
        must("cca-fusion", "first_view", first < d, &format!("below the number of columns, {d}"), first)?;
        let most = first.min(d - first);
        if self.components > most {
            let text = format!(
                "{} components asked for, the smaller view has {most} columns: {most} are used",
                self.components
            );
            context.note("cca-fusion", text);
        }
        let k = self.components.min(most);
        let need = 8 * (n * d + 6 * d * d + 2 * (task.source.rows() + d) * k);
        context.require("the covariances of `cca-fusion`", need as u64)?;
        let rows = task.pooled();
        let means = column_means(rows.as_ref());
        let (a, b) = self.directions(covariance(rows.as_ref()).as_ref(), first, k)?;
        drop(rows);
        let beside = if self.output == Fused::Concatenate { k } else { 0 };
        let mut matrix = Mat::zeros(d, beside + k);
        matrix.get_mut(..first, ..k).copy_from(a);
        matrix.get_mut(first.., beside..).copy_from(b);
        let shift = Mat::from_fn(1, d, |_, j| means[j]);
        let target_map = vec![Map::Affine { shift, scale: Mat::full(1, d, 1.0) }, Map::Project { matrix }];
        let source = Cow::Owned(apply_all(&target_map, task.source.features.as_ref()));
        Ok(Adapted { source, weights: None, target_map })
    }
}

impl CcaFusion {
    /// The first `k` columns of `A` and `B` for a covariance of which the first view has the first `first` columns.
    fn directions(&self, covariance: MatRef<'_, f64>, first: usize, k: usize) -> Result<(Matrix, Matrix)> {
        let (one, both, _, two) = covariance.split_at(first, first);
        let factor = |view: MatRef<'_, f64>| {
            let d = view.nrows();
            let mean = (0..d).map(|j| view[(j, j)]).sum::<f64>() / d as f64;
            // A view that is constant goes with nothing, whatever the penalty.
            let penalty = self.regularization * if mean > 0.0 { mean } else { 1.0 };
            let mut view = view.to_owned();
            (0..d).for_each(|j| view[(j, j)] += penalty);
            cholesky(view.as_ref())
        };
        let (l_1, l_2) = (factor(one)?, factor(two)?);
        let mut between = both.to_owned(); // l_1⁻¹ both l_2⁻ᵀ
        solve_lower_triangular_in_place(l_1.as_ref(), between.as_mut(), PAR);
        solve_lower_triangular_in_place(l_2.as_ref(), between.as_mut().transpose_mut(), PAR);
        let (u, _, v) = thin_svd(between.as_ref())?;
        let (mut a, mut b) = (u.get(.., ..k).to_owned(), v.get(.., ..k).to_owned());
        solve_upper_triangular_in_place(l_1.transpose(), a.as_mut(), PAR);
        solve_upper_triangular_in_place(l_2.transpose(), b.as_mut(), PAR);
        Ok((a, b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::from_rows;

    fn adapt(method: &CcaFusion, rows: &[Vec<f64>]) -> Result<(Matrix, Matrix)> {
        let (half, goal) = (rows.len() / 2, Goal::Value);
        let source = Domain::labelled("s", from_rows(&rows[..half]), Labels::Values(vec![0.0; half]));
        let target = Domain::unlabelled("t", from_rows(&rows[half..]), &goal);
        let task = Task::new(vec![source], target, goal).unwrap();
        let adapted = method.adapt(&task, &NearestNeighbor::default(), &mut Context::default())?;
        let target = apply_all(&adapted.target_map, task.target.features.as_ref());
        Ok((adapted.source.into_owned(), target))
    }

    /// Views of one column, (1, 3, 1, 3) and (0, 8, 0, 8) with variances 4/3 and 64/3: each is divided by its
    /// deviation.
    #[test]
    fn views_of_one_column_by_hand() {
        let rows = [vec![1.0, 0.0], vec![3.0, 8.0], vec![1.0, 0.0], vec![3.0, 8.0]];
        let method = CcaFusion { regularization: 1e-12, ..CcaFusion::default() };
        let (source, _) = adapt(&method, &rows).unwrap();
        let expected = 0.75f64.sqrt();
        let sign = source[(1, 0)].signum();
        for (i, side) in [(0, -1.0), (1, 1.0)] {
            assert!((sign * source[(i, 0)] - side * expected).abs() < 1e-9, "{source:?}");
            assert!((source[(i, 0)] - source[(i, 1)]).abs() < 1e-9);
        }
        let (_, summed) = adapt(&CcaFusion { output: Fused::Sum, ..method }, &rows).unwrap();
        assert!(summed.ncols() == 1 && (sign * summed[(1, 0)] - 2.0 * expected).abs() < 1e-9);
    }

    #[test]
    fn constant_views_and_wide_rows_serve() {
        let constant = |i: usize| vec![i as f64, (i * i % 5) as f64, 7.0];
        let constant: Vec<Vec<f64>> = (0..6).map(constant).collect();
        let (_, mapped) =
            adapt(&CcaFusion { first_view: Some(2), ..CcaFusion::default() }, &constant).unwrap();
        assert!(mapped.ncols() == 2 && mapped.is_all_finite() && mapped[(0, 1)].abs() < 1e-12);
        let wide = |i: usize| (0..30).map(|j| ((i * 7 + j * 5 + i * j) % 11) as f64).collect();
        let wide: Vec<Vec<f64>> = (0..6).map(wide).collect();
        let (_, mapped) = adapt(&CcaFusion::default(), &wide).unwrap();
        assert!(mapped.ncols() == 30 && mapped.is_all_finite());
    }

    #[test]
    fn views_that_are_not_there_are_refused() {
        let refused = |first_view, row: Vec<f64>| {
            let method = CcaFusion { first_view, ..CcaFusion::default() };
            adapt(&method, &[row.clone(), row]).err().unwrap().to_string()
        };
        assert!(refused(None, vec![1.0]).contains("one column"));
        assert!(refused(Some(2), vec![1.0, 2.0]).contains("below the number of columns, 2"));
    }
}
