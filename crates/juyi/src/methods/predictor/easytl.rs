//! Easy transfer learning: covariance alignment, class means, and a linear programme that leaves no class empty.
//!
//! When: nothing may be tuned, and the rows of a class lie close together; a quick first answer.
//!
//! Paper: J. Wang, Y. Chen, H. Yu, M. Huang, Q. Yang, "Easy transfer learning by exploiting intra-domain structures", ICME 2019
//!
//! With `D_cj` the distance (not squared) of target row `j` to the mean of class `c` of the aligned source rows:
//! ```text
//! A = (cov_s + r I)^(-1/2) (cov_t + r I)^(1/2)                          source rows become x A
//! min Σ_cj D_cj M_cj    Σ_c M_cj = 1 for each row,  Σ_j M_cj >= 1 for each class,  M >= 0
//! ```
//! Some answer of the programme is whole: one class a row. It is found by moving rows along the cheapest chains of
//! classes to the classes that are nearest to no row. Its dual gives each class a price `u_c >= 0`, and row `j`
//! belongs to the class with the largest `u_c - D_cj`: a rule that serves new rows as well.
//!
//! Differs from the paper: new rows are answered by the prices, where the paper answers the rows of the programme only;
//! labelled target rows, which the paper does not have, count in the class means. Where the programme asks for nothing
//! (no class is nearest to no row), prices are 0 and the rule is the nearest mean, as in the paper.
//!
//! Cost: `O((n_s + n_t) d² + d³)` for the alignment, then `O(n_t c (d + c) + c⁴)` at worst; memory `O(n_t c + d²)`: the
//! aligned source rows are never made, because their mean is the mean of the source rows times `A`.

use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::{Goal, Labels, Task};
use crate::error::{Error, Result};
use crate::learners::{Learner, Trained, weighted_class_means};
use crate::linalg::{Matrix, by_row_blocks, multiply, squared_distance_block, squared_norms};
use crate::methods::{Carried, Family, Fitted, Goals, Grid, Method, MethodRow, Needs, make, must, params_of};
use crate::models::Predictor;
use crate::solvers::whiten_and_color;

const NAME: &str = "easytl";

/// How the source rows are brought to the target before their class means are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Alignment {
    /// They get the target's covariance.
    #[default]
    Coral,
    /// They stay as they are.
    None,
}

/// Easy transfer learning.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EasyTl {
    /// What is done to the source rows first: `coral` gives them the target's covariance, `none` leaves them. Default
    /// `coral`.
    pub alignment: Alignment,
    /// Added to the variances of both domains by `coral`: the larger, the weaker the alignment, and the better it
    /// holds with fewer rows than columns. Above 0; default 1, for columns of deviation 1.
    pub regularization: f64,
}

impl Default for EasyTl {
    fn default() -> Self {
        Self { alignment: Alignment::Coral, regularization: 1.0 }
    }
}

impl EasyTl {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "easytl",
        family: Family::Predictor(Carried::Features),
        summary: "aligns covariances, then gives each target row the nearest class mean, no class left empty",
        when: "nothing may be tuned; compact classes; a quick first answer",
        paper: "J. Wang, Y. Chen, H. Yu, M. Huang, Q. Yang, \"Easy transfer learning by exploiting intra-domain structures\", ICME 2019",
        needs: Needs { goals: Goals::Classes, ..Needs::NOTHING },
        trains_learner: false,
        learner: "class-means",
        grid: Grid::of(&["{}"]),
        most_rows: usize::MAX,
        source: include_str!("easytl.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for EasyTl {
    fn check(&self) -> Result<()> {
        let holds = self.regularization > 0.0 && self.regularization.is_finite();
        must(NAME, "regularization", holds, "a number above 0", self.regularization)
    }

    fn fit(&self, task: &Task, _: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let d = task.columns() as u64;
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let map = match self.alignment {
            Alignment::None => None,
            Alignment::Coral => {
                context.require("aligning the covariances", 6 * 8 * d * d)?;
                Some(whiten_and_color(source, target, self.regularization)?)
            }
        };
        let (means, classes) = class_means(task, map.as_ref(), context);
        context.require(
            "the distances to the class means",
            8 * (target.nrows() * (classes.len() + 128)) as u64,
        )?;
        let mean_norms = squared_norms(means.as_ref());
        // The same blocks as at prediction, so that a row has the same bits here and there.
        let distances = by_row_blocks(target, classes.len(), |block| {
            let mut block = squared_distance_block(block, &squared_norms(block), means.as_ref(), &mean_norms);
            for column in block.col_iter_mut() {
                column.iter_mut().for_each(|v| *v = v.sqrt());
            }
            block
        });
        let offsets = if target.nrows() < classes.len() {
            let problem = format!("{} target rows cannot serve {} classes", target.nrows(), classes.len());
            context
                .warn(NAME, format!("{problem}: each takes the nearest mean, and some classes stay empty"));
            vec![0.0; classes.len()]
        } else {
            prices(&distances, &assign(&distances)?)
        };
        let offsets = Mat::from_fn(1, classes.len(), |_, c| offsets[c]);
        let trained = Trained { predictor: Predictor::ClassMeans { means, offsets }, classes };
        Ok(Fitted { maps: Vec::new(), trained, moved: None, weights: None })
    }
}

/// The mean of each class that has a row, of mapped source rows and labelled target rows together, and those classes.
fn class_means(task: &Task, map: Option<&Matrix>, context: &mut Context) -> (Matrix, Vec<usize>) {
    let all = task.goal.classes();
    let own = |rows: &Matrix, labels: &Labels| {
        let of = labels.classes();
        let mut counts = vec![0.0; all];
        for &c in of {
            counts[c] += 1.0;
        }
        (weighted_class_means(rows.as_ref(), of, &vec![1.0; of.len()], all), counts)
    };
    let (mut source, source_counts) = own(&task.source.features, &task.source.labels);
    if let Some(map) = map {
        source = multiply(source.as_ref(), map.as_ref());
    }
    let (target, target_counts) = own(&task.target.labelled_features(), &task.target.labels);
    let count = |c: usize| source_counts[c] + target_counts[c];
    let classes: Vec<usize> = (0..all).filter(|&c| count(c) > 0.0).collect();
    if let Goal::Classes(names) = &task.goal
        && classes.len() < all
    {
        let absent: Vec<_> =
            (0..all).filter(|&c| count(c) == 0.0).map(|c| format!("`{}`", names[c])).collect();
        context.warn(NAME, format!("no labelled row for class {}: it is never predicted", absent.join(", ")));
    }
    let means = Mat::from_fn(classes.len(), task.columns(), |k, j| {
        let c = classes[k];
        let weight = target_counts[c] / count(c);
        (1.0 - weight) * source[(c, j)] + weight * target[(c, j)]
    });
    (means, classes)
}

/// For each class, the row of class `from` that is moved there at the least extra distance, and that distance;
/// infinity if `from` has no row.
fn cheapest_moves(distances: &Matrix, members: &[usize], from: usize) -> Vec<(f64, usize)> {
    let cheapest = |to: usize| {
        let extra = members.iter().map(|&j| (distances[(j, to)] - distances[(j, from)], j));
        extra.fold((f64::INFINITY, 0), |best, one| if one.0 < best.0 { one } else { best })
    };
    (0..distances.ncols()).map(cheapest).collect()
}

/// The rows of each class.
fn members(assigned: &[usize], classes: usize) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); classes];
    assigned.iter().enumerate().for_each(|(j, &c)| members[c].push(j));
    members
}

/// The class of each row at the programme's minimum, by successive shortest paths: the nearest means are the minimum
/// for the classes that they serve; each class still empty is then served along the cheapest chain `a → b → …` of moves
/// that starts at a class with a row to spare, after which the rows are at the minimum with that class served too.
fn assign(distances: &Matrix) -> Result<Vec<usize>> {
    let (n, classes) = distances.shape();
    let largest = distances.norm_max();
    if !largest.is_finite() {
        let why = "the features are too large to be squared".into();
        return Err(Error::Numeric { what: "the distances to the class means".into(), why });
    }
    let nearest = |j| (1..classes).fold(0, |a, b| if distances[(j, b)] < distances[(j, a)] { b } else { a });
    let mut assigned: Vec<usize> = (0..n).map(nearest).collect();
    let mut members = members(&assigned, classes);
    let mut moves: Vec<_> = (0..classes).map(|c| cheapest_moves(distances, &members[c], c)).collect();
    // A cycle of moves costs nothing or more; one that gains less than this is a rounding error, not to be walked.
    let least_gain = 1e-13 * largest;
    for empty in 0..classes {
        if !members[empty].is_empty() {
            continue;
        }
        let spare = |c: usize| if members[c].len() > 1 { 0.0 } else { f64::INFINITY };
        let mut cost: Vec<f64> = (0..classes).map(spare).collect();
        let mut before = vec![None; classes];
        let mut changed = true;
        while changed {
            changed = false;
            for a in 0..classes {
                for b in 0..classes {
                    let through = cost[a] + moves[a][b].0;
                    if through < cost[b] - least_gain {
                        (cost[b], before[b], changed) = (through, Some(a), true);
                    }
                }
            }
        }
        let mut chain = vec![empty];
        let mut to = empty;
        while let Some(from) = before[to] {
            let row = moves[from][to].1;
            assigned[row] = to;
            members[from].retain(|&j| j != row);
            members[to].push(row);
            chain.push(from);
            to = from;
        }
        for c in chain {
            moves[c] = cheapest_moves(distances, &members[c], c);
        }
    }
    Ok(assigned)
}

/// Dual prices: `u >= 0`, 0 where the programme asks for nothing, and every row's largest `u_c - D_cj` at its class.
///
/// `u` are such prices if and only if `u_b - u_a <= w_ab`, the least extra distance of moving a row from `a` to `b`, and
/// `u_c = 0` for classes with rows to spare. The smallest such prices are `max(0, -d_cb)` over all `b`, with `d` the
/// lengths of shortest chains. Classes whose smallest price is 0 keep it and are one node, the ground. Then, for each
/// node `s`, `d_sc - d_s,ground` are prices (the ground's gives the largest); `u` is the mean of these over `s`: with
/// one class to be raised, half-way between its smallest and largest price.
///
/// No fitted row sits on a tie. Each term satisfies its inequality, so the mean holds `u_b - u_a = w_ab` only if all
/// terms do. That of `s = b` says `d_ba + w_ab = 0`: a closed walk of moves at no cost, so another assignment is as
/// cheap, at most leaving empty a class of price 0. If the minimum is unique in this sense, all inequalities are strict.
/// (The midpoint of the smallest and largest prices alone would not do: an inequality may be tight in both and not
/// between them.)
fn prices(distances: &Matrix, assigned: &[usize]) -> Vec<f64> {
    let classes = distances.ncols();
    let members = members(assigned, classes);
    let extra =
        |c: usize| cheapest_moves(distances, &members[c], c).into_iter().map(|(cost, _)| cost).collect();
    let mut chains: Vec<Vec<f64>> = (0..classes).map(extra).collect();
    shortest_paths(&mut chains);
    let smallest = |c: usize| chains[c].iter().map(|length| -length).fold(0.0, f64::max);
    let (raised, ground): (Vec<usize>, Vec<usize>) =
        (0..classes).partition(|&c| members[c].len() == 1 && smallest(c) > 0.0);

    let nodes: Vec<&[usize]> = std::iter::once(&ground[..]).chain(raised.chunks(1)).collect();
    let between = |a: &[usize], b: &[usize]| {
        a.iter()
            .flat_map(|&a| b.iter().map(move |&b| (a, b)))
            .map(|(a, b)| chains[a][b])
            .fold(f64::INFINITY, f64::min)
    };
    let mut lengths: Vec<Vec<f64>> =
        nodes.iter().map(|a| nodes.iter().map(|b| between(a, b)).collect()).collect();
    for node in &mut lengths {
        node[0] = node[0].min(0.0); // prices are 0 or above
    }
    shortest_paths(&mut lengths);
    let mut prices = vec![0.0; classes];
    for (k, &c) in raised.iter().enumerate() {
        let sum: f64 = lengths.iter().map(|from| from[k + 1] - from[0]).sum();
        prices[c] = sum / lengths.len() as f64;
    }
    prices
}

/// Lengths of edges to lengths of shortest paths, in place (Floyd and Warshall); 0 from a node to itself.
fn shortest_paths(lengths: &mut [Vec<f64>]) {
    let n = lengths.len();
    (0..n).for_each(|a| lengths[a][a] = 0.0);
    for via in 0..n {
        let rest = lengths[via].clone();
        for from in lengths.iter_mut() {
            let first = from[via];
            from.iter_mut().zip(&rest).for_each(|(length, rest)| *length = length.min(first + rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Domain;
    use crate::learners::NearestNeighbor;
    use crate::linalg::from_rows;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn column(values: &[f64]) -> Matrix {
        from_rows(&values.iter().map(|v| vec![*v]).collect::<Vec<_>>())
    }

    /// Two source rows a class, around 0 and 10, in three named classes of which the last has no row.
    fn fit(target: Domain, context: &mut Context) -> (Matrix, Matrix, Vec<usize>) {
        let goal = Goal::Classes(vec!["a".into(), "b".into(), "c".into()]);
        let labels = Labels::Classes(vec![0, 0, 1, 1]);
        let source = Domain::labelled("s", column(&[-1.0, 1.0, 9.0, 11.0]), labels);
        let task = Task::new(vec![source], target, goal).unwrap();
        let method = EasyTl { alignment: Alignment::None, ..EasyTl::default() };
        let trained = method.fit(&task, &NearestNeighbor::default(), context).unwrap().trained;
        let Predictor::ClassMeans { means, offsets } = trained.predictor else { panic!("class means") };
        (means, offsets, trained.classes)
    }

    fn unlabelled(values: &[f64]) -> Domain {
        let labels = Labels::Classes(Vec::new());
        Domain { name: "t".into(), features: column(values), labelled: Vec::new(), labels }
    }

    #[test]
    fn an_empty_class_gets_the_row_that_costs_least() {
        let mut context = Context::default();
        let (means, offsets, classes) = fit(unlabelled(&[1.0, 2.0, 4.0]), &mut context);
        assert_eq!((means, classes), (column(&[0.0, 10.0]), vec![0, 1]));
        // All are nearest to 0. Row 4 moves at a price of 6 - 4 = 2 or more; above 8 - 2 = 6 row 2 would go too.
        assert_eq!(offsets, from_rows(&[vec![0.0, 4.0]]));
        assert!(context.notices()[0].text.contains("class `c`"));
    }

    #[test]
    fn where_no_class_is_empty_prices_are_zero() {
        let offsets = fit(unlabelled(&[1.0, 2.0, 9.0]), &mut Context::default()).1;
        assert_eq!(offsets, from_rows(&[vec![0.0, 0.0]]));
    }

    #[test]
    fn fewer_rows_than_classes_take_the_nearest_mean_and_a_warning() {
        let mut context = Context::default();
        assert_eq!(fit(unlabelled(&[4.0]), &mut context).1, from_rows(&[vec![0.0, 0.0]]));
        let said = &context.notices()[1].text;
        assert!(said.starts_with("1 target rows cannot serve 2 classes"), "{said}");
    }

    #[test]
    fn labelled_target_rows_count_in_the_means() {
        let target =
            Domain { labelled: vec![1], labels: Labels::Classes(vec![2]), ..unlabelled(&[0.0, 5.0, 10.0]) };
        let (means, _, classes) = fit(target, &mut Context::default());
        assert_eq!((means, classes), (column(&[0.0, 10.0, 5.0]), vec![0, 1, 2]));
    }

    /// The least total over all assignments that leave no class empty.
    fn by_trying(distances: &Matrix) -> f64 {
        let (n, classes) = distances.shape();
        let total = |code: usize| {
            let of: Vec<usize> = (0..n).map(|j| code / classes.pow(j as u32) % classes).collect();
            let full = (0..classes).all(|c| of.contains(&c));
            if full { of.iter().enumerate().map(|(j, &c)| distances[(j, c)]).sum() } else { f64::INFINITY }
        };
        (0..classes.pow(n as u32)).map(total).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn the_assignment_is_the_minimum_and_the_prices_hold_it_without_ties() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for (n, classes) in [(4, 4), (6, 4), (5, 3), (7, 3), (6, 5), (5, 5)] {
            for _ in 0..20 {
                // The last classes are far from every row: most start empty, and several prices hang together.
                let distances = Mat::from_fn(n, classes, |_, c| rng.random::<f64>() + c as f64 / 2.0);
                let assigned = assign(&distances).unwrap();
                let total: f64 = assigned.iter().enumerate().map(|(j, &c)| distances[(j, c)]).sum();
                assert!((total - by_trying(&distances)).abs() < 1e-12);
                let prices = prices(&distances, &assigned);
                assert!(prices.iter().all(|u| *u >= 0.0));
                for (j, &own) in assigned.iter().enumerate() {
                    for c in (0..classes).filter(|&c| c != own) {
                        let (own, other) = (prices[own] - distances[(j, own)], prices[c] - distances[(j, c)]);
                        assert!(own > other + 1e-9, "row {j}: {own} against {other}");
                    }
                }
            }
        }
    }
}
