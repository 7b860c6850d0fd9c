//! Tests of the file above.

use super::*;
use crate::linalg::from_rows;

#[test]
fn the_forms_by_hand() {
    let x = from_rows(&[vec![1.0, 0.0]]);
    let linear = Predictor::Linear {
        link: Link::Softmax,
        weights: from_rows(&[vec![0.0, 3f64.ln()], vec![0.0, 0.0]]),
        bias: Mat::zeros(1, 2),
    };
    let said = linear.answer(x.as_ref());
    assert_eq!(said.answer, [1.0]);
    assert!((said.confidence[0] - 0.75).abs() < 1e-15);

    let rows = from_rows(&[vec![0.0, 0.0], vec![4.0, 0.0]]);
    let classes = from_rows(&[vec![1.0], vec![0.0]]);
    let near = Predictor::Neighbors { classes: 2, rows: rows.clone(), answers: classes };
    let said = near.answer(x.as_ref());
    assert_eq!((said.answer[0], said.confidence[0]), (1.0, 0.75));

    let means = Predictor::ClassMeans { means: rows.clone(), offsets: from_rows(&[vec![0.0, 2.5]]) };
    assert_eq!(means.answer(x.as_ref()).answer, [1.0]); // -1 against 2.5 - 3

    let answers = from_rows(&[vec![0.0], vec![1.0]]);
    let soft = Predictor::Propagation { classes: 0, bandwidth: 2f64.sqrt(), rows, answers };
    let expected = (-9.0f64 / 4.0).exp() / ((-1.0f64 / 4.0).exp() + (-9.0f64 / 4.0).exp());
    assert!((soft.answer(x.as_ref()).answer[0] - expected).abs() < 1e-15);
}

#[test]
fn a_row_far_from_everything_still_gets_the_nearest_answer() {
    let rows = from_rows(&[vec![0.0], vec![1.0]]);
    let far = Predictor::Propagation {
        classes: 0,
        bandwidth: 1e-3,
        rows,
        answers: from_rows(&[vec![5.0], vec![7.0]]),
    };
    assert_eq!(far.answer(from_rows(&[vec![1e6]]).as_ref()).answer, [7.0]);
}
