//! Validators of candidates against NumPy and SciPy.

use juyi::data::{Goal, Labels};
use juyi::context::Context;
use juyi::validators::{Evidence, More, validator};

use super::{cases, matrix};

#[test]
fn validators() {
    for case in cases("validators") {
        let p = matrix(&case["probabilities"]);
        let goal = Goal::Classes((0..p.ncols()).map(|c| c.to_string()).collect());
        let (answers, source) = (vec![0.0; p.nrows()], Labels::Classes(vec![0]));
        let support = vec![1.0; p.nrows()];
        let of = Evidence {
            goal: &goal,
            answers: &answers,
            probabilities: p.as_ref(),
            support: &support,
            source: &source,
            more: More::default(),
        };
        for (name, expected) in case["expected"].as_object().expect("validators") {
            let (ours, expected) =
                (validator(name).unwrap().score(&of, &mut Context::default()).unwrap(), expected.as_f64().expect("a number"));
            assert!((ours - expected).abs() < 1e-7, "{name}: {ours}, by the reference {expected}");
        }
    }
}
