//! What is written is read again, and nothing else.

use super::*;
use crate::linalg::from_rows;
use crate::models::{
    About, KernelVotes, Link, Map, Member, Node, Predictor, Split, Stacked, Trees, VoteRule, Votes,
};

fn model() -> Model {
    Model {
        about: About {
            method: "none".into(),
            params: serde_json::json!({}),
            learner: Some("logistic".into()),
            seed: 3,
            stores_rows: false,
        },
        goal: Goal::Classes(vec!["a".into(), "b".into()]),
        encoding: None,
        columns: 2,
        ranges: Vec::new(),
        maps: vec![
            Map::NormalizeRowsL2,
            Map::Affine { shift: from_rows(&[vec![0.1, 0.2]]), scale: from_rows(&[vec![2.0, 1.0 / 3.0]]) },
        ],
        predictor: Predictor::Linear {
            link: Link::Softmax,
            weights: from_rows(&[vec![1.0, -1.0], vec![0.5, 0.25]]),
            bias: from_rows(&[vec![0.0, 0.1]]),
        },
    }
}

fn kernel_model() -> Model {
    let votes = KernelVotes {
        bandwidth: 0.7,
        counts: vec![1, 1],
        rows: from_rows(&[vec![1.0, -1.0], vec![0.5, 0.25]]),
        coefficients: from_rows(&[vec![1.0], vec![-1.0]]),
        bias: from_rows(&[vec![0.1]]),
    };
    Model { predictor: Predictor::Kernel(votes), ..model() }
}

fn tree_model() -> Model {
    let split = Split { column: 1, threshold: 0.5, left: 1, right: 2 };
    let node = |split, share: f64| Node { split, value: vec![share, 1.0 - share] };
    let tree = vec![node(Some(split), 0.25), node(None, 1.0), node(None, 0.0)];
    Model { predictor: Predictor::Trees(Trees::new(2, &[tree.clone(), tree])), ..model() }
}

fn boosted_model() -> Model {
    let Predictor::Trees(trees) = tree_model().predictor else { unreachable!("trees") };
    let added = |mut node: Node| {
        node.value.truncate(1);
        node
    };
    let trees: Vec<Vec<Node>> =
        trees.trees().into_iter().map(|tree| tree.into_iter().map(added).collect()).collect();
    Model { predictor: Predictor::Trees(Trees::sum(2, vec![1, 0], &trees)), ..model() }
}

/// A vote of one voter, so that it nests.
fn vote(predictor: Predictor) -> Predictor {
    let member = Member { weight: 1.5, classes: vec![0, 1], maps: Vec::new(), predictor };
    Predictor::Vote(Votes { rule: VoteRule::Mean, classes: 2, members: vec![member] })
}

/// A vote of a linear predictor and of one on top of another.
fn nested_model() -> Model {
    let first = model().predictor;
    let second = Predictor::Linear {
        link: Link::Identity,
        weights: from_rows(&[vec![1.0, 0.0], vec![0.0, 1.0], vec![0.5, 0.0], vec![0.0, 0.5]]),
        bias: from_rows(&[vec![0.0, 0.1]]),
    };
    let stacked =
        Predictor::Stacked(Stacked { first: Box::new(first), first_classes: 2, second: Box::new(second) });
    let Predictor::Vote(mut votes) = vote(stacked) else { unreachable!("a vote") };
    votes.members.push(Member {
        weight: 2.0,
        classes: vec![0, 1],
        maps: Vec::new(),
        predictor: model().predictor,
    });
    Model { predictor: Predictor::Vote(votes), ..model() }
}

#[test]
fn rows_that_a_vote_stores_take_half_the_bytes() {
    let third = |i: usize, j: usize| (1 + i * 7 + j) as f64 / 3.0;
    let rows = Matrix::from_fn(400, 2, third);
    let answers = Matrix::from_fn(400, 1, |i, _| (i % 2) as f64);
    let own = Predictor::Neighbors { rows, answers, classes: 2, k: 1 };
    let mut model = Model { predictor: vote(own), ..model() };
    let whole = model.to_bytes().unwrap().len();
    model.shorten();
    let bytes = model.to_bytes().unwrap();
    assert_eq!(whole - bytes.len(), 400 * 2 * 4);
    let mut again = Model::from_bytes("short", &bytes).unwrap();
    assert_eq!(again.to_bytes().unwrap(), bytes);
    let asked = Matrix::from_fn(9, 2, |i, j| third(i * 40, j) + 0.1);
    let answer = |model: &Model| model.predict(asked.as_ref()).unwrap().answer;
    assert_eq!(answer(&model), answer(&again));
}

/// Maps that widen, and a predictor for six columns.
fn widened_model() -> Model {
    let append = Map::Append {
        squash: true,
        matrix: from_rows(&[vec![0.5], vec![-2.0]]),
        shift: from_rows(&[vec![0.25]]),
    };
    let maps = vec![append, Map::Augment { blocks: vec![true, false] }];
    let predictor = Predictor::Linear {
        link: Link::Softmax,
        weights: Mat::from_fn(6, 2, |i, j| i as f64 - j as f64),
        bias: from_rows(&[vec![0.0, 0.1]]),
    };
    Model { maps, predictor, ..model() }
}

fn reason(bytes: &[u8]) -> String {
    Model::from_bytes("m", bytes).unwrap_err().to_string()
}

#[test]
fn a_model_comes_back_as_it_was() {
    for mut model in [model(), kernel_model(), tree_model(), boosted_model(), nested_model(), widened_model()]
    {
        let bytes = model.to_bytes().unwrap();
        let mut back = Model::from_bytes("m", &bytes).unwrap();
        assert_eq!(back.to_bytes().unwrap(), bytes);
        let x = from_rows(&[vec![0.3, 0.4], vec![-1.0, 2.0]]);
        assert_eq!(back.predict(x.as_ref()).unwrap().scores, model.predict(x.as_ref()).unwrap().scores);
    }
}

#[test]
fn nesting_is_bounded() {
    let mut predictor = model().predictor;
    for depth in 1..200 {
        predictor = vote(predictor);
        let mut model = Model { predictor: predictor.clone(), ..model() };
        let read = Model::from_bytes("m", &model.to_bytes().unwrap());
        assert_eq!(read.is_ok(), depth <= 2, "{depth}");
    }
}

#[test]
fn truncated_foreign_and_newer_files_are_refused() {
    for mut model in [nested_model(), model()] {
        let bytes = model.to_bytes().unwrap();
        for length in 0..bytes.len() {
            assert!(Model::from_bytes("m", &bytes[..length]).is_err(), "{length} bytes");
        }
    }
    let bytes = model().to_bytes().unwrap();
    let foreign = serialize(Vec::<(String, TensorView<'_>)>::new(), None).unwrap();
    assert!(reason(&foreign).contains("another program wrote it"));
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let at = text.find("\\\"format\\\":1").unwrap();
    let mut newer = bytes.clone();
    newer[at + 11] = b'9';
    assert!(reason(&newer).contains("format 9"), "{}", reason(&newer));
}

#[test]
fn flipped_bytes_never_panic() {
    for mut model in [model(), kernel_model(), tree_model(), boosted_model(), nested_model(), widened_model()]
    {
        let bytes = model.to_bytes().unwrap();
        for at in 0..bytes.len() {
            for flip in [1, 16, 128, 255] {
                let mut bad = bytes.clone();
                bad[at] ^= flip;
                if let Ok(model) = Model::from_bytes("m", &bad)
                    && model.columns == 2
                {
                    model.predict(from_rows(&[vec![0.3, 0.4]]).as_ref()).unwrap();
                }
            }
        }
    }
}
