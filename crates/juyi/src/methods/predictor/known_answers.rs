//! Labels as numbers, for the methods that solve for the answers of rows.

use faer::Mat;

use crate::context::Context;
use crate::data::{Goal, Labels};
use crate::linalg::Matrix;

/// The answers to learn from, `(n_l, c)` with 1 at a row's class or `(n_l, 1)` of values, and the classes that
/// occur; `name` warns of the others.
pub(super) fn known_answers(
    name: &str,
    labels: &Labels,
    goal: &Goal,
    context: &mut Context,
) -> (Matrix, Vec<usize>) {
    match (labels, goal) {
        (Labels::Classes(of), Goal::Classes(names)) => {
            let (classes, absent): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(|c| of.contains(c));
            if !absent.is_empty() {
                let absent: Vec<_> = absent.iter().map(|&c| format!("`{}`", names[c])).collect();
                let text = format!("no labelled row for class {}: it is never predicted", absent.join(", "));
                context.warn(name, text);
            }
            let one = |i: usize, k: usize| f64::from(u8::from(of[i] == classes[k]));
            (Mat::from_fn(of.len(), classes.len(), one), classes)
        }
        (Labels::Values(values), _) => (Mat::from_fn(values.len(), 1, |i, _| values[i]), Vec::new()),
        (Labels::Classes(_), Goal::Value) => unreachable!("a task holds labels of its goal's kind"),
    }
}
