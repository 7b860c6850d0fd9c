//! Exact optimal transport: each source row is moved to the mean of the target rows that its mass is sent to, the total
//! squared distance being the least there is.
//!
//! When: a smooth distortion of the rows and equal shares of the classes. It hurts where class shares differ: mass has
//! to go somewhere, so rows of one class are moved onto another.
//!
//! Paper: N. Courty, R. Flamary, D. Tuia, A. Rakotomamonjy, "Optimal transport for domain adaptation", IEEE TPAMI 2017
//!
//! ```text
//! γ = argmin Σ_ij γ_ij |s_i - t_j|²,   Σ_j γ_ij = 1/n_s,   Σ_i γ_ij = 1/n_t        (eq. 3, solved by network simplex)
//! s_i -> n_s Σ_j γ_ij t_j                                                           (eq. 13, the barycentric map)
//! ```
//! Target rows stay where they are, so new ones need no map.
//!
//! A source row sends nothing to a labelled target row of another class, where the masses allow: such a pair costs 10
//! times the largest squared distance. Labels that are numbers bar no pair; the learner is trained on them all the
//! same.
//!
//! Where we differ: nothing; a new source row takes the displacement of the nearest fitted one, as in Ferradans et al.
//! 2014 and in POT, which has `limit_max=10` for labelled target rows too.
//!
//! Cost: `8 n_s n_t` bytes for the costs, or their rows computed anew about ten times, `O(n_s n_t d)` each; time grows
//! between `n²` and `n³`.

use std::borrow::Cow;

use faer::MatRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::Matrix;
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, make, params_of};
use crate::solvers::{PairCosts, Transported};

/// Exact optimal transport; no parameters.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExactTransport {}

impl Adapter for ExactTransport {
    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let images = images(&PairCosts::new(source, target).barring(task.known_classes()), context)?;
        Ok(Adapted { source: Cow::Owned(images), weights: None, target_map: Vec::new() })
    }
}

impl ExactTransport {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "exact-transport",
        family: Family::Transport,
        summary: "moves the source rows onto the target rows at the least total squared distance",
        when: "a smooth distortion of the rows and equal shares of the classes; harmful when class shares differ",
        paper: "N. Courty, R. Flamary, D. Tuia, A. Rakotomamonjy, \"Optimal transport for domain adaptation\", IEEE TPAMI 2017",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::NONE,
        most_rows: 10_000,
        source: include_str!("exact_transport.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl ExactTransport {
    /// Moves `source` `(n_s, d)` onto `target` `(n_t, d)`, every row with the same mass.
    ///
    /// # Errors
    /// [`crate::error::Error::Numeric`] if squared distances overflow or the method does not end.
    pub fn transport(
        &self,
        source: MatRef<'_, f64>,
        target: MatRef<'_, f64>,
        context: &mut Context,
    ) -> Result<Transported> {
        let images = images(&PairCosts::new(source, target), context)?;
        Ok(Transported { rows: source.to_owned(), images })
    }
}

/// Where an exact plan moves the source rows.
fn images(costs: &PairCosts<'_>, context: &mut Context) -> Result<Matrix> {
    let hold = costs.hold("exact-transport", context);
    Ok(costs.exact_plan(hold, None)?.images(costs.sources(), costs.target()))
}

#[cfg(test)]
mod tests {
    use faer::Mat;

    use super::*;
    use crate::linalg::from_rows;

    /// Two source rows on three target rows of a line: each sends a third to its own end and a sixth to the middle.
    #[test]
    fn a_line_by_hand() {
        let source = from_rows(&[vec![0.0], vec![10.0]]);
        let target = from_rows(&[vec![1.0], vec![5.0], vec![12.0]]);
        let moved =
            ExactTransport {}.transport(source.as_ref(), target.as_ref(), &mut Context::default()).unwrap();
        let ends = [2.0 / 3.0 * 1.0 + 1.0 / 3.0 * 5.0, 2.0 / 3.0 * 12.0 + 1.0 / 3.0 * 5.0];
        assert!(
            (moved.images[(0, 0)] - ends[0]).abs() < 1e-14 && (moved.images[(1, 0)] - ends[1]).abs() < 1e-14
        );
        let new = moved.map(from_rows(&[vec![-1.0], vec![11.0]]).as_ref());
        assert!(
            (new[(0, 0)] - (ends[0] - 1.0)).abs() < 1e-14 && (new[(1, 0)] - (ends[1] + 1.0)).abs() < 1e-14
        );
    }

    #[test]
    fn costs_computed_when_needed_give_the_same_plan() {
        let source = Mat::from_fn(40, 3, |i, j| ((i * 7 + j * 5) % 23) as f64 / 4.0);
        let target = Mat::from_fn(30, 3, |i, j| ((i * 11 + j * 3) % 19) as f64 / 3.0);
        let held =
            ExactTransport {}.transport(source.as_ref(), target.as_ref(), &mut Context::default()).unwrap();
        let small = &mut Context::new(0, 4000);
        let anew = ExactTransport {}.transport(source.as_ref(), target.as_ref(), small).unwrap();
        assert!(small.notices()[0].text.contains("computed anew"));
        assert_eq!(held.images, anew.images);
    }
}
