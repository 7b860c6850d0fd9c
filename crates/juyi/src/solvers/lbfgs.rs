//! Minimising a smooth function of many variables: limited-memory BFGS.
//!
//! Sources: J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd edition, 2006, algorithms 7.4 and 7.5 (the last
//! ten steps stand for the inverse Hessian); A. S. Lewis and M. L. Overton, "Nonsmooth optimization via quasi-Newton
//! methods", Mathematical Programming 141, 2013, algorithm 2.6 (the line search: double or halve the bracket until both
//! weak Wolfe conditions hold); W. W. Hager and H. Zhang, "A new conjugate gradient method with guaranteed descent and
//! an efficient line search", SIAM Journal on Optimization 16, 2005, section 4 (close to the minimum, where a decrease
//! drowns in rounding errors, the slope takes the place of the value).
//!
//! Cost: about one evaluation and `O(40 n)` a step, `O(25 n)` memory. Coordinates in which the Hessian is near the
//! identity take the fewest steps; the first trial step has length `|gradient|`.

use std::collections::VecDeque;

use crate::linalg::dot;

/// Steps that are remembered.
const MEMORY: usize = 10;
/// Trials of one line search.
const TRIALS: usize = 60;
/// The share of the promised decrease that a step must bring.
const DECREASE: f64 = 1e-4;
/// The share of the slope that may be left after a step.
const SLOPE: f64 = 0.9;
/// Rounding error of a value, relative.
const NOISE: f64 = 1e-13;

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The largest gradient entry that counts as 0; in the unit of the gradient, so scale it as the objective is
    /// scaled. Above 0.
    pub tolerance: f64,
    /// The most steps.
    pub iterations: usize,
}

/// Where the search ended.
#[derive(Debug, Clone)]
pub struct Minimum {
    /// The point.
    pub point: Vec<f64>,
    /// The objective there.
    pub value: f64,
    /// The largest gradient entry there, by size.
    pub gradient_norm: f64,
    /// Steps taken.
    pub iterations: usize,
    /// Whether the gradient fell to the tolerance. If not, the steps ran out or no step decreased the value any more.
    pub converged: bool,
}

/// Minimises `objective`, which returns the value at a point and writes the gradient there into its second argument.
///
/// A point where the value is not finite is taken for one that lies too far. The same start and objective give the
/// same bits.
pub fn minimize(
    start: Vec<f64>,
    mut objective: impl FnMut(&[f64], &mut [f64]) -> f64,
    options: Options,
) -> Minimum {
    let n = start.len();
    let mut here = Point { at: start, gradient: vec![0.0; n], value: 0.0 };
    let mut next = here.clone();
    here.value = objective(&here.at, &mut here.gradient);
    let mut steps = Steps::default();
    let mut iterations = 0;
    while here.gradient_norm() > options.tolerance && iterations < options.iterations {
        let mut direction = steps.direction(&here.gradient);
        if dot(&direction, &here.gradient).is_nan() || dot(&direction, &here.gradient) >= 0.0 {
            steps = Steps::default();
            direction = steps.direction(&here.gradient);
        }
        if !line_search(&here, &direction, &mut next, &mut objective) {
            if steps.0.is_empty() {
                break;
            }
            steps = Steps::default(); // once more along the gradient itself
            continue;
        }
        steps.push(&here, &next);
        std::mem::swap(&mut here, &mut next);
        iterations += 1;
    }
    let gradient_norm = here.gradient_norm();
    let converged = gradient_norm <= options.tolerance;
    Minimum { point: here.at, value: here.value, gradient_norm, iterations, converged }
}

#[derive(Clone)]
struct Point {
    at: Vec<f64>,
    gradient: Vec<f64>,
    value: f64,
}

impl Point {
    fn gradient_norm(&self) -> f64 {
        let add = |most: f64, g: &f64| if g.abs() <= most { most } else { g.abs() };
        let nan = self.gradient.iter().any(|g| g.is_nan());
        if nan { f64::NAN } else { self.gradient.iter().fold(0.0, add) }
    }
}

/// Looks along `direction` for a point with enough decrease and slope, and leaves it in `next`; `false` if the value
/// cannot be decreased.
fn line_search(
    here: &Point,
    direction: &[f64],
    next: &mut Point,
    objective: &mut impl FnMut(&[f64], &mut [f64]) -> f64,
) -> bool {
    let slope = dot(direction, &here.gradient);
    let mut go = |step: f64, next: &mut Point| {
        for ((to, from), along) in next.at.iter_mut().zip(&here.at).zip(direction) {
            *to = from + step * along;
        }
        next.value = objective(&next.at, &mut next.gradient);
        dot(direction, &next.gradient)
    };
    let (mut short, mut long, mut step) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..TRIALS {
        let left = go(step, next);
        let falls = next.value <= here.value + DECREASE * step * slope;
        let level =
            next.value <= here.value + NOISE * here.value.abs() && left <= (2.0 * DECREASE - 1.0) * slope;
        if !(falls || level) || !next.value.is_finite() || !left.is_finite() {
            long = step;
        } else if left < SLOPE * slope {
            short = step;
        } else {
            return true;
        }
        step = if long.is_finite() { f64::midpoint(short, long) } else { 2.0 * step };
        if step <= short || step >= long {
            break;
        }
    }
    // No step has the slope that it should; the longest that decreased the value is still progress.
    short > 0.0 && go(short, next).is_finite() && next.value < here.value
}

/// The last steps with the change of the gradient over each, and the inverse of their inner product.
#[derive(Default)]
struct Steps(VecDeque<(Vec<f64>, Vec<f64>, f64)>);

impl Steps {
    fn push(&mut self, from: &Point, to: &Point) {
        let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
        let (step, change) = (minus(&to.at, &from.at), minus(&to.gradient, &from.gradient));
        let curvature = dot(&step, &change);
        // Steps without curvature (a line search cut short, rounding errors) would spoil the others.
        if curvature > f64::EPSILON * dot(&change, &change) && (1.0 / curvature).is_finite() {
            if self.0.len() == MEMORY {
                self.0.pop_front();
            }
            self.0.push_back((step, change, 1.0 / curvature));
        }
    }

    /// Minus the inverse Hessian, as far as it is known, times the gradient.
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let add =
            |q: &mut [f64], factor: f64, v: &[f64]| q.iter_mut().zip(v).for_each(|(q, v)| *q += factor * v);
        let mut shares = Vec::with_capacity(MEMORY);
        for (step, change, inverse) in self.0.iter().rev() {
            let share = inverse * dot(step, &q);
            add(&mut q, -share, change);
            shares.push(share);
        }
        if let Some((_, change, inverse)) = self.0.back() {
            let scale = 1.0 / (inverse * dot(change, change));
            q = q.iter().map(|q| q * scale).collect();
        }
        for ((step, change, inverse), share) in self.0.iter().zip(shares.iter().rev()) {
            let back = inverse * dot(change, &q);
            add(&mut q, share - back, step);
        }
        q
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIGHT: Options = Options { tolerance: 1e-9, iterations: 200 };

    /// `(x - 3)² + 100 (y + 1)² + 5`.
    fn bowl(p: &[f64], g: &mut [f64]) -> f64 {
        g.copy_from_slice(&[2.0 * (p[0] - 3.0), 200.0 * (p[1] + 1.0)]);
        (p[0] - 3.0).powi(2) + 100.0 * (p[1] + 1.0).powi(2) + 5.0
    }

    #[test]
    fn a_bowl_by_hand() {
        let found = minimize(vec![0.0, 0.0], bowl, TIGHT);
        assert!(found.converged && found.iterations < 20, "{found:?}");
        assert!(
            (found.point[0] - 3.0).abs() < 1e-9 && (found.point[1] + 1.0).abs() < 1e-9 && found.value == 5.0
        );
        let there = minimize(vec![3.0, -1.0], bowl, TIGHT);
        assert!(there.converged && there.iterations == 0);
    }

    #[test]
    fn the_bent_valley_of_rosenbrock() {
        let valley = |p: &[f64], g: &mut [f64]| {
            let (a, b) = (1.0 - p[0], p[1] - p[0] * p[0]);
            g.copy_from_slice(&[-2.0 * a - 400.0 * b * p[0], 200.0 * b]);
            a * a + 100.0 * b * b
        };
        let found = minimize(vec![-1.2, 1.0], valley, TIGHT);
        assert!(found.converged && found.iterations < 60, "{found:?}");
        assert!((found.point[0] - 1.0).abs() < 1e-8 && (found.point[1] - 1.0).abs() < 1e-8);
    }

    #[test]
    fn a_search_that_cannot_go_on_says_so() {
        let unreachable = Options { tolerance: 0.0, iterations: 200 };
        let cosh = |p: &[f64], g: &mut [f64]| {
            g[0] = (p[0] - 0.1).sinh();
            1e3 + (p[0] - 0.1).cosh()
        };
        let floor = minimize(vec![2.0], cosh, unreachable);
        assert!((floor.point[0] - 0.1).abs() < 1e-7, "{floor:?}");
        let few = minimize(vec![0.0, 0.0], bowl, Options { iterations: 1, ..TIGHT });
        assert!(!few.converged && few.iterations == 1);
        let nowhere = minimize(
            vec![1.0],
            |_, g| {
                g[0] = 1.0;
                f64::NAN
            },
            TIGHT,
        );
        assert!(!nowhere.converged && nowhere.point == [1.0]);
        let bottomless = minimize(
            vec![0.0],
            |p, g| {
                g[0] = -1.0;
                -p[0]
            },
            TIGHT,
        );
        assert!(!bottomless.converged);
    }
}
