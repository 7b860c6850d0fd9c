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
    let near = Predictor::Neighbors { classes: 2, k: 1, rows: rows.clone(), answers: classes };
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

#[test]
fn several_neighbours_by_hand() {
    let near = |k, classes, answers: &[f64]| Predictor::Neighbors {
        classes,
        k,
        rows: from_rows(&[vec![0.0], vec![1.0], vec![3.0], vec![4.0], vec![9.0]]),
        answers: from_rows(&answers.iter().map(|a| vec![*a]).collect::<Vec<_>>()),
    };
    let said = |predictor: &Predictor| {
        let said = predictor.answer(from_rows(&[vec![0.1], vec![3.2], vec![7.0]]).as_ref());
        assert!(said.scores.is_none());
        (said.answer, said.confidence)
    };
    let of = [0.0, 1.0, 1.0, 2.0, 2.0];
    // Rows 0, 1, 2; rows 2, 3, 1; rows 4, 3, 2, the nearer of which is first where votes are equal.
    assert_eq!(said(&near(3, 3, &of)), (vec![1.0, 1.0, 2.0], vec![2.0 / 3.0; 3]));
    assert_eq!(said(&near(2, 3, &of)), (vec![0.0, 1.0, 2.0], vec![0.5, 0.5, 1.0]));
    // One vote for class 0, two each for 1 and 2: the nearer of these two decides.
    assert_eq!(said(&near(5, 3, &of)), (vec![1.0, 1.0, 2.0], vec![0.4; 3]));
    let numbers = [2.0, 4.0, 9.0, 1.0, 5.0];
    assert_eq!(said(&near(3, 0, &numbers)).0, [5.0, 14.0 / 3.0, 5.0]);
    assert_eq!(said(&near(5, 0, &numbers)).0, [4.2; 3]);

    assert_eq!(near(5, 3, &of).check(1, 3), Ok(()));
    assert_eq!(near(6, 3, &of).check(1, 3), Err("6 neighbours among 5 rows".into()));
    assert_eq!(near(0, 0, &of).check(1, 0), Err("0 neighbours among 5 rows".into()));
    // One is not written down, and read where nothing is written.
    let written = |k| serde_json::to_string(&near(k, 3, &of)).unwrap();
    assert_eq!(written(1), r#"{"predictor":"neighbors","classes":3}"#);
    assert_eq!(written(2), r#"{"predictor":"neighbors","classes":3,"k":2}"#);
    let Predictor::Neighbors { k, .. } = serde_json::from_str(&written(1)).unwrap() else {
        panic!("neighbours")
    };
    assert_eq!(k, 1);
}
