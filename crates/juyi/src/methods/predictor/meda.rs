//! Manifold embedded distribution alignment: rows are compared along the geodesic flow between the domains' principal
//! directions, and a kernel classifier brings the domains' means together there, over all rows and class by class as
//! much as each of the two shifts calls for.
//!
//! When: many columns (pictures' features), classes that shift in different ways, neighbouring rows that share a class.
//! It hurts where the first guess by nearest neighbours is no better than chance, and it takes `n²` memory.
//!
//! Paper: J. Wang, W. Feng, Y. Chen, H. Yu, M. Huang, P. Yu, "Visual domain adaptation with manifold embedded distribution alignment", ACM MM 2018
//!
//! ```text
//! z = x G^(1/2) at unit length, G the geodesic flow kernel of the domains' first principal directions
//! min |E (Y - K β)|² + ridge βᵀ K β + tr βᵀ K (discrepancy M + manifold L) K β
//! β = ((E + discrepancy M + manifold L) K + ridge I)⁻¹ E Y
//! M ~ (1 - share) C e eᵀ + share Σ_c e_c e_cᵀ, |M| = 1
//! share = A_c / (A_c + A):   A = 2 (1 - 2 error) of a linear SVM that tells the domains apart,
//!                            A_c the mean of the same within each class
//! L = I - D^(-1/2) W D^(-1/2):   W_ij the cosine of two rows of which one is among the other's nearest
//! ```
//! `K` is the Gaussian kernel of width 1 of all `z`; `E` is 1 on the diagonal at labelled rows, `Y` 1 at a labelled
//! row's class; `e` and `e_c` hold 1 over the number of source rows and -1 over the number of target rows, all of them
//! and those of (pseudo-)class `c`; `C` is the number of classes. The first pseudo-classes are those of the nearest
//! source row; each round renews them, and `share` with them.
//!
//! Where we differ: labelled target rows keep their labels, and count in `E` and `Y`. Rows are multiplied by a factor
//! of `G` with as many columns as there are directions in it, twice `components`; inner products are the same. The SVM
//! (squared hinge loss, cost 1, its mistakes counted on its own rows as in the authors' code) reaches its minimum;
//! theirs stops at random. A class without target rows is left out of the mean. Edges with a cosine of 0 or below are
//! left out, and a row without edges is held to none.
//!
//! Cost: `O(n d² + d³)` for the directions, `O(n³)` once and `O(n² c)` a round for `n` pooled rows and `c` classes; `16
//! n²` bytes.

use faer::MatRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rounds::Rounds;
use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{
    Matrix, multiply, normalize_rows_l2, principal_directions, principal_directions_bytes, rows_times,
    select_rows, stack,
};
use crate::methods::{
    Carried, Family, Fitted, Goals, Grid, Method, MethodRow, Needs, count, make, must, params_of,
};
use crate::models::Map;
use crate::solvers::{Regularization, SquaredHinge, geodesic_flow};

const NAME: &str = "meda";

/// Parameters of manifold embedded distribution alignment.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Meda {
    /// Principal directions of each domain, d. 1 to 1000000; no more than the rank of either domain are used.
    pub components: usize,
    /// Weight of the distance between the domains' means, lambda. 0 or above.
    pub discrepancy: f64,
    /// Weight of the graph, rho. 0 or above.
    pub manifold: f64,
    /// Weight of the penalty on the classifier, eta. Above 0.
    pub ridge: f64,
    /// Neighbours of each row in the graph, p. 1 to 1000000; there are no more than other rows.
    pub neighbors: usize,
    /// Rounds of pseudo-classes, T. 1 to 1000.
    pub iterations: usize,
    /// How much the classes' means count beside those of all rows, mu. From 0 to 1; by default estimated in each round.
    pub share: Option<f64>,
}

impl Default for Meda {
    fn default() -> Self {
        Self {
            components: 20,
            discrepancy: 10.0,
            manifold: 1.0,
            ridge: 0.1,
            neighbors: 10,
            iterations: 10,
            share: None,
        }
    }
}

impl Meda {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: NAME,
        family: Family::Predictor(Carried::Features),
        summary: "on the geodesic flow kernel, a classifier that closes the means' distance, by class as far as needed",
        when: "many columns, classes that shift differently, neighbours that share a class",
        paper: "J. Wang, W. Feng, Y. Chen, H. Yu, M. Huang, P. Yu, \"Visual domain adaptation with manifold embedded distribution alignment\", ACM MM 2018",
        needs: Needs { goals: Goals::Classes, directions: true, ..Needs::NOTHING },
        trains_learner: false,
        learner: "1-nn",
        grid: Grid::of(&["{}"]),
        most_rows: 4000,
        source: include_str!("meda.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for Meda {
    fn check(&self) -> Result<()> {
        let from_zero = |v: f64| v >= 0.0 && v.is_finite();
        count(NAME, "components", self.components, 1..=1_000_000)?;
        must(NAME, "discrepancy", from_zero(self.discrepancy), "0 or above", self.discrepancy)?;
        must(NAME, "manifold", from_zero(self.manifold), "0 or above", self.manifold)?;
        must(NAME, "ridge", from_zero(self.ridge) && self.ridge > 0.0, "above 0", self.ridge)?;
        count(NAME, "neighbors", self.neighbors, 1..=1_000_000)?;
        count(NAME, "iterations", self.iterations, 1..=1_000)?;
        let share = self.share.unwrap_or(0.5);
        must(NAME, "share", (0.0..=1.0).contains(&share), "from 0 to 1", share)
    }

    /// The first pseudo-classes are those of `learner`.
    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let (n_s, n, d) = (source.nrows(), source.nrows() + target.nrows(), task.columns());
        let width = 2 * self.components.min(d);
        let need = principal_directions_bytes(n, d) + task.bytes() + 8 * (2 * (n + d) * width) as u64;
        context.require("the decompositions of `meda`", need)?;
        let (p_s, p_t) = (principal_directions(source)?, principal_directions(target)?);
        let rank = p_s.ncols().min(p_t.ncols());
        if self.components > rank {
            let asked = self.components;
            let text = format!("{asked} components asked for, the domains have rank {rank}: {rank} are used");
            context.note(NAME, text);
        }
        let k = self.components.min(rank);
        let matrix = geodesic_flow(p_s.get(.., ..k), p_t.get(.., ..k))?;
        let mut rows = rows_times(task.pooled().as_ref(), matrix.as_ref());
        normalize_rows_l2(rows.as_mut());
        let apart = match self.share {
            Some(_) => 0.0,
            None => distance(rows.get(..n_s, ..), rows.get(n_s.., ..))?,
        };
        let of = task.source.labels.classes();
        let share = |rows: &Matrix, pseudo: &[usize]| match self.share {
            Some(share) => Ok(share),
            None => share(rows, of, pseudo, apart),
        };
        let rounds = Rounds {
            name: NAME,
            task,
            maps: vec![Map::Project { matrix }, Map::NormalizeRowsL2],
            rows,
            bandwidth: Some(1.0),
            weights: Regularization {
                discrepancy: self.discrepancy,
                manifold: self.manifold,
                ridge: self.ridge,
                neighbors: self.neighbors,
            },
            iterations: self.iterations,
        };
        rounds.fit(learner, share, context)
    }
}

/// The classes' share, by how far apart the domains are within each class, and `apart` over all.
fn share(rows: &Matrix, of: &[usize], pseudo: &[usize], apart: f64) -> Result<f64> {
    let classes = of.iter().max().map_or(0, |last| last + 1);
    let members = |which: &[usize], class: usize, first: usize| {
        let own: Vec<usize> = (0..which.len()).filter(|&i| which[i] == class).map(|i| first + i).collect();
        select_rows(rows.as_ref(), &own)
    };
    let (mut sum, mut count) = (0.0, 0.0);
    for class in 0..classes {
        let (source, target) = (members(of, class, 0), members(pseudo, class, of.len()));
        if source.nrows() > 0 && target.nrows() > 0 {
            sum += distance(source.as_ref(), target.as_ref())?;
            count += 1.0;
        }
    }
    let within = if count > 0.0 { sum / count } else { 0.0 };
    Ok(if within + apart > 0.0 { within / (within + apart) } else { 0.5 })
}

/// `2 (1 - 2 error)` of a linear SVM on its own rows, 0 at least.
fn distance(source: MatRef<'_, f64>, target: MatRef<'_, f64>) -> Result<f64> {
    let n_s = source.nrows();
    let rows = stack(source, target);
    let n = rows.nrows();
    let sign: Vec<f64> = (0..n).map(|i| if i < n_s { -1.0 } else { 1.0 }).collect();
    let ones = vec![1.0; n];
    let (model, _) = SquaredHinge::new(rows.as_ref(), &ones, 1.0).minimize(&sign, &ones)?;
    let d = rows.ncols();
    let weights = Matrix::from_fn(d, 1, |j, _| model[j]);
    let scores = multiply(rows.as_ref(), weights.as_ref());
    let wrong = (0..n).filter(|&i| (scores[(i, 0)] + model[d] > 0.0) != (i >= n_s)).count();
    Ok((2.0 * (1.0 - 2.0 * wrong as f64 / n as f64)).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::from_rows;
    use crate::models::predict;

    fn column(values: &[f64]) -> Matrix {
        from_rows(&values.iter().map(|v| vec![*v]).collect::<Vec<_>>())
    }

    /// Class 0 is the same in both domains, class 1 can be told apart but for one row of six: `A_0 = 0`,
    /// `A_1 = 2 (1 - 2/6)`, and the third class has no target row.
    #[test]
    fn the_share_by_hand() {
        let rows = column(&[0.0, 0.0, 5.0, 6.0, 7.0, 9.0, 0.0, 0.0, -7.0, -6.0, 6.5]);
        let (of, pseudo) = ([0, 0, 1, 1, 1, 2], [0, 0, 1, 1, 1]);
        let within = 0.5 * 2.0 * (1.0 - 2.0 / 6.0);
        let found = share(&rows, &of, &pseudo, 1.0).unwrap();
        assert!((found - within / (within + 1.0)).abs() < 1e-15, "{found}");
        assert_eq!(share(&rows, &[0, 1], &[], 0.0).unwrap(), 0.5);
    }

    /// Two classes on two axes, the target turned: all rows find their class, whatever the share.
    #[test]
    fn turned_clusters_are_found() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let cluster = |turn: f64| {
            let place = |i: usize| {
                let at = turn + if i.is_multiple_of(2) { 0.0 } else { 1.5 } + 0.02 * (i % 5) as f64;
                vec![at.cos() * (1.0 + 0.1 * (i % 3) as f64), at.sin(), 0.01 * (i % 7) as f64]
            };
            from_rows(&(0..20).map(place).collect::<Vec<_>>())
        };
        let of: Vec<usize> = (0..20).map(|i| i % 2).collect();
        let source = Domain::labelled("s", cluster(0.0), Labels::Classes(of.clone()));
        let target = Domain::unlabelled("t", cluster(0.4), &goal);
        let task = Task::new(vec![source], target, goal).unwrap();
        for share in [None, Some(0.0), Some(1.0)] {
            let context = &mut Context::default();
            let fitted =
                Meda { share, ..Meda::default() }.fit(&task, &NearestNeighbor::default(), context).unwrap();
            let said = predict(&fitted.maps, &fitted.trained.predictor, task.target.features.as_ref());
            let expected: Vec<f64> = of.iter().map(|c| *c as f64).collect();
            assert_eq!(said.answer, expected, "{share:?}");
            assert!(context.notices()[0].text.starts_with("20 components asked for"));
        }
    }

    #[test]
    fn a_constant_domain_is_no_failure() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = Domain::labelled("s", column(&[1.0, -1.0, 2.0]), Labels::Classes(vec![0, 1, 0]));
        let target = Domain::unlabelled("t", column(&[3.0, 3.0]), &goal);
        let task = Task::new(vec![source], target, goal).unwrap();
        let fitted =
            Meda::default().fit(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
        let said = predict(&fitted.maps, &fitted.trained.predictor, task.target.features.as_ref());
        assert_eq!(said.answer, [0.0, 0.0]);
    }
}
