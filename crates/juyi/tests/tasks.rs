//! Matrices as a way in: what tables of the same numbers lead to.

use juyi::context::Context;
use juyi::data::{Cells, Classes, Domain, Goal, Labels, Shift, ShiftKind, Table, Task};
use juyi::error::Error;
use juyi::learners::learner;
use juyi::linalg::Matrix;
use juyi::methods::Adapter;
use juyi::methods::weighting::{Kmm, Ulsif};
use juyi::models::{Preprocess, preprocess};
use juyi::transfer::{Settings, transfer, transfer_task};

/// The columns of a table but the label, and the label.
fn parts(table: &Table) -> (Matrix, Vec<String>) {
    let (label, columns) = table.columns.split_last().expect("a label");
    let numbers = |j: usize| match &columns[j].cells {
        Cells::Numbers(values) => values.clone(),
        Cells::Text { .. } => unreachable!("columns are numbers"),
    };
    let all: Vec<Vec<f64>> = (0..columns.len()).map(numbers).collect();
    let labels = (0..table.rows).map(|row| label.cells.text(row).expect("a label")).collect();
    (Matrix::from_fn(table.rows, all.len(), |i, j| all[j][i]), labels)
}

#[test]
fn matrices_lead_to_what_tables_of_the_same_numbers_lead_to() {
    let shift = Shift {
        kind: ShiftKind::Conditional,
        rows: (150, 120),
        columns: 4,
        classes: Some(3),
        strength: 1.0,
        noise: 0.1,
    };
    let drawn = shift.draw(&Context::new(3, 1 << 30)).expect("tables");
    let ((xs, ys), (xt, yt)) = (parts(&drawn.source), parts(&drawn.target));
    let names = Classes::of(ys.iter().map(String::as_str));
    let classes = |of: &[String]| -> Labels {
        Labels::Classes(of.iter().map(|name| names.position(name).expect("known")).collect())
    };
    let goal = Goal::Classes(names.names().to_vec());
    let task = || {
        let source = Domain::labelled("source", xs.clone(), classes(&ys));
        Task::new(vec![source], Domain::unlabelled("target", xt.clone(), &goal), goal.clone())
            .expect("a task")
    };
    for method in ["coral", "kmm", "jda", "auto"] {
        let settings = Settings { method: method.into(), ..Settings::default() };
        let context = &mut Context::new(5, 1 << 30);
        let by_table =
            transfer(vec![drawn.source.clone()], drawn.target.clone(), &settings, context).expect("a run");
        let context = &mut Context::new(5, 1 << 30);
        let by_matrix = transfer_task(task(), Some(&classes(&yt)), &settings, context).expect("a run");
        assert_eq!(by_table.predictions.answers.answer, by_matrix.predictions.answers.answer, "{method}");
        assert_eq!(by_table.run.transfer.chosen.scores, by_matrix.run.transfer.chosen.scores, "{method}");
        assert_eq!(by_table.run.data.distances, by_matrix.run.data.distances, "{method}");
        let verdict = |run: &juyi::report::Run| run.select.as_ref().map(|choice| choice.verdict);
        assert_eq!(verdict(&by_table.run), verdict(&by_matrix.run), "{method}");
        assert!(by_matrix.model.encoding.is_none());
        let again = by_matrix.model.predict(xt.as_ref()).expect("rows of the model's columns").answer;
        assert_eq!(again, by_matrix.predictions.answers.answer, "raw rows are predicted alike");
        let narrow = by_matrix.model.predict(xt.get(.., 0..3)).expect_err("refused").to_string();
        assert_eq!(narrow, "the rows: have 3 columns, and the model takes 4");
    }
}

/// Two sources, of which the second has rows where the target has none.
#[test]
fn the_weights_of_a_run_are_those_of_the_methods_own_solver() {
    let goal = Goal::Classes(vec!["a".into(), "b".into()]);
    let rows = |n: usize, shift: f64| {
        Matrix::from_fn(n, 2, |i, j| ((i * 37 + j * 11 + i * i * (j + 1)) % 29) as f64 / 9.0 + shift)
    };
    let labels = |n: usize| Labels::Classes((0..n).map(|i| i % 2).collect());
    let (near, far) = (rows(30, 0.0), rows(20, 2.0));
    let sources = vec![Domain::labelled("near", near, labels(30)), Domain::labelled("far", far, labels(20))];
    let task =
        Task::new(sources, Domain::unlabelled("new", rows(25, 0.3), &goal), goal.clone()).expect("a task");
    for (name, adapter) in [("kmm", &Kmm::default() as &dyn Adapter), ("ulsif", &Ulsif::default())] {
        let settings = Settings { method: name.into(), source_weights: true, ..Settings::default() };
        let context = &mut Context::new(7, 1 << 30);
        let outcome = transfer_task(task.clone(), None, &settings, context).expect("a run");
        let found = outcome.weights.expect("they are asked for");
        let context = &mut Context::new(7, 1 << 30);
        let (ready, _) = preprocess(task.clone(), &[Preprocess::Standardize], context);
        let logistic = learner("logistic").expect("it is listed");
        let direct = adapter.adapt(&ready, logistic.as_ref(), context).expect("weights").weights;
        assert_eq!(Some(&found.weights), direct.as_ref(), "{name}");
        assert_eq!(found.source.parts, [("near".to_string(), 0..30), ("far".to_string(), 30..50)]);
        assert_eq!(found.source.rows, (0..30).chain(0..20).collect::<Vec<_>>());
        let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
        assert!(mean(&found.weights[..30]) > mean(&found.weights[30..]), "{name}");
    }
    let unasked = Settings { method: "kmm".into(), ..Settings::default() };
    assert!(transfer_task(task, None, &unasked, &mut Context::default()).expect("a run").weights.is_none());
}

#[test]
fn what_matrices_do_not_have_is_refused() {
    let goal = Goal::Value;
    let rows = Matrix::from_fn(20, 2, |i, j| (i * (j + 3) % 7) as f64);
    let labels = Labels::Values((0..20).map(f64::from).collect());
    let task = || {
        let target = Domain::unlabelled("new", rows.clone(), &goal);
        Task::new(vec![Domain::labelled("old", rows.clone(), labels.clone())], target, goal.clone()).unwrap()
    };
    let refused = |settings: Settings, truth: Option<&Labels>| -> String {
        match transfer_task(task(), truth, &settings, &mut Context::default()) {
            Err(error @ Error::Input { .. }) => error.to_string(),
            _ => unreachable!("it must be refused"),
        }
    };
    let none = || Settings { method: "none".into(), ..Settings::default() };
    let drop = Settings { drop: vec!["a".into()], ..none() };
    assert!(refused(drop, None).contains("`drop`"));
    let short = Labels::Values(vec![1.0; 3]);
    assert_eq!(refused(none(), Some(&short)), "`new`: 3 labels to score with, and 20 rows");
    let other = Labels::Classes(vec![0; 20]);
    assert!(refused(none(), Some(&other)).contains("its labels are not those of a regression"));
    let outcome = transfer_task(task(), None, &none(), &mut Context::default()).unwrap();
    assert!(outcome.run.transfer.chosen.scores.is_none() && outcome.run.data.label.is_empty());
}
