//! Plans, parts and tables by hand.

use serde_json::{Value, json};

use super::*;
use crate::context::Context;
use crate::data::{Cells, Column as TableColumn, Table};
use crate::measures::Figure;
use crate::transfer::{Settings, table_splits, transfer_split};

fn plan(tasks: &[&str], methods: &[&str], seeds: &[u64]) -> Plan {
    let task = |name: &&str| PlannedTask { name: (*name).into(), settings: Value::Null };
    let methods: Vec<String> = methods.iter().map(ToString::to_string).collect();
    let columns = Column::all(&methods, &[]).unwrap();
    Plan::new(tasks.iter().map(task).collect(), columns, seeds.to_vec(), None).unwrap()
}

fn record(task: &str, method: &str, seed: u64, figure: Option<f64>) -> Record {
    Record {
        task: task.into(),
        method: method.into(),
        learner: None,
        seed,
        params: json!({}),
        figure,
        of: figure.map(|_| Figure::Accuracy),
        splits: Vec::new(),
        verdicts: Vec::new(),
        rows: (10, 20, 20),
        failed: if figure.is_some() { None } else { Some("why | not".into()) },
        warnings: vec!["look".into()],
        seconds: 1.0,
    }
}

#[test]
fn columns_are_methods_with_the_learners_that_they_train() {
    let all = |methods: &[&str], learners: &[&str]| {
        let texts = |of: &[&str]| of.iter().map(ToString::to_string).collect::<Vec<_>>();
        let columns = Column::all(&texts(methods), &texts(learners));
        columns
            .map(|all| all.iter().map(Column::title).collect::<Vec<_>>())
            .map_err(|error| error.to_string())
    };
    let both = all(&["coral(regularization=2)", "easytl", "auto"], &["svm(cost=10)", "1-nn"]).unwrap();
    let expected = [
        "coral(regularization=2), svm(cost=10)",
        "coral(regularization=2), 1-nn",
        "easytl",
        "auto, svm(cost=10)",
        "auto, 1-nn",
    ];
    assert_eq!(both, expected);
    for (methods, learners, said) in [
        (&["corral"][..], &[][..], "unknown method `corral`"),
        (&["coral(x=1)"], &[], "unknown parameter of `coral` `x`"),
        (&["coral"], &["svn"], "unknown learner `svn`"),
        (&["auto(x=1)"], &[], "`auto(x=1)` sets parameters"),
        (&["coral", "coral"], &[], "name `coral` twice"),
        (&[], &[], "name none"),
    ] {
        let error = all(methods, learners).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}

/// Two tasks, three methods, two seeds; the third method fails on the second task.
fn records() -> (Plan, Vec<Record>) {
    let plan = plan(&["a_b", "c|d"], &["none", "coral", "jda"], &[4, 7]);
    let figure = |task: &str, method: &str, seed: u64| match (task, method, seed) {
        ("a_b", "coral", 4) => Some(0.6),
        ("a_b", "coral", _) => Some(0.7),
        ("a_b", ..) => Some(0.5),
        (_, "jda", 7) => None,
        _ => Some(0.8),
    };
    let mut records = Vec::new();
    for task in ["a_b", "c|d"] {
        for seed in [4, 7] {
            for method in ["none", "coral", "jda"] {
                records.push(record(task, method, seed, figure(task, method, seed)));
            }
        }
    }
    (plan, records)
}

#[test]
fn figures_are_compared_over_the_tasks_that_all_have() {
    let (plan, records) = records();
    let found = compared(&plan, &records);
    let (mean, deviation) = found.tasks[0].figures[1].unwrap();
    assert!((mean - 0.65).abs() < 1e-12 && (deviation.unwrap() - 0.005f64.sqrt()).abs() < 1e-12);
    assert_eq!(found.tasks[1].figures[2], None, "one of its seeds failed");
    assert_eq!((found.whole, found.missing, found.figure), (1, 0, Some(Figure::Accuracy)));
    assert_eq!(found.means[0], Some(0.5));
    assert_eq!(found.ranks, [Some(2.5), Some(1.0), Some(2.5)], "equal figures share their ranks");
    assert_eq!(found.p_values, [None, Some(1.0), None], "where nothing differs nothing is tested");
    assert_eq!(found.failures.len(), 1);
    assert_eq!(found.warnings, [("a_b".into(), "look".into(), 6), ("c|d".into(), "look".into(), 6)]);
    let expected = "\
accuracy in percent, mean over 2 seeds ± their standard deviation

| task      |         none |        coral |          jda |
| --------- | -----------: | -----------: | -----------: |
| a\\_b      | 50.00 ± 0.00 | 65.00 ± 7.07 | 50.00 ± 0.00 |
| c\\|d      | 80.00 ± 0.00 | 80.00 ± 0.00 |            - |
| mean      |        50.00 |        65.00 |        50.00 |
| mean rank |         2.50 |         1.00 |         2.50 |
| p-value   |            - |       1.0000 |            - |

- means and ranks are over the 1 of 2 tasks that did not fail
- p-value: signed-rank test against none over 1 task, two-sided
- c\\|d, jda, seed 7: why \\| not
";
    assert_eq!(written(&found, TableFormat::Markdown).unwrap(), expected);
    let csv = written(&found, TableFormat::Csv).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "task,figure,none,none: deviation,coral,coral: deviation,jda,jda: deviation");
    assert_eq!(lines[2], "c|d,accuracy,0.8,0,0.8,0,,");
    assert_eq!(lines.len(), 6);
    let latex = written(&found, TableFormat::Latex).unwrap();
    for part in [
        "\\begin{tabular}{lrrr}",
        "a\\_b & 50.00 $\\pm$ 0.00",
        "c\\textbar{}d",
        "% c|d, jda, seed 7: why | not",
    ] {
        assert!(latex.contains(part), "{latex}");
    }
}

#[test]
fn verdicts_and_errors_are_told_and_less_of_an_error_is_better() {
    let plan = plan(&["t"], &["none", "auto"], &[0, 1, 2]);
    let mut records = Vec::new();
    for (seed, verdict) in [(0, "transfer"), (1, "cannot tell"), (2, "transfer")] {
        for (method, figure) in [("none", 3.0), ("auto", 2.0)] {
            let verdicts = if method == "auto" { vec![verdict.to_string()] } else { Vec::new() };
            let of = Some(Figure::Rmse);
            records.push(Record { of, verdicts, ..record("t", method, seed, Some(figure)) });
        }
    }
    let found = compared(&plan, &records);
    assert_eq!(found.ranks, [Some(2.0), Some(1.0)]);
    let text = written(&found, TableFormat::Markdown).unwrap();
    assert!(
        text.contains("2.0000 ± 0.0000, transfer 2, cannot tell 1") && text.starts_with("RMSE, mean"),
        "{text}"
    );
    let csv = written(&found, TableFormat::Csv).unwrap();
    assert!(csv.contains("t,rmse,3,0,2,0,\"transfer 2, cannot tell 1\""), "{csv}");
    records.truncate(4);
    assert!(
        written(&compared(&plan, &records), TableFormat::Markdown).unwrap().contains("2 runs were not done")
    );
}

#[test]
fn parts_are_joined_in_any_order_and_nothing_else_is() {
    let (plan, records) = records();
    let part = |number: usize, of: usize| {
        let part = Part { number, of };
        let own = records.iter().enumerate().filter(|(run, _)| part.holds(*run)).map(|(_, own)| own.clone());
        let swept = Swept::new(plan.clone(), part, own.collect());
        let name = format!("part{number}.json");
        let json = serde_json::to_vec(&swept).unwrap();
        (name.clone(), Swept::read(&name, &json).unwrap())
    };
    let whole = joined((1..=5).map(|k| part(k, 5)).collect()).unwrap();
    assert_eq!(whole.records, records);
    assert_eq!(joined([4, 1, 5, 3, 2].map(|k| part(k, 5)).to_vec()).unwrap(), whole);
    let refused = |parts: Vec<(String, Swept)>| joined(parts).unwrap_err().to_string();
    let said = refused(vec![part(1, 5), part(2, 5)]);
    assert!(said.starts_with("the parts: lack 6 of 12 runs: `a_b`, jda, seed 4, "), "{said}");
    let said = refused(vec![part(1, 2), part(2, 2), part(1, 2)]);
    assert!(
        said.contains("`part1.json`: holds the run of `a_b`, none, seed 4 too, as `part1.json` does"),
        "{said}"
    );
    let mut other = part(2, 2);
    other.1.plan.seeds = vec![4, 8];
    assert!(refused(vec![part(1, 2), other]).contains("is a part of another sweep than `part1.json`"));
    let mut other = part(2, 2);
    other.1.records[0].rows.1 = 21;
    let said = refused(vec![part(1, 2), other]);
    assert!(said.contains("has 10 source and 21 target rows in `a_b`, another part 10 and 20"), "{said}");
    assert!(refused(Vec::new()).contains("are none"));
}

#[test]
fn files_that_are_no_parts_are_refused() {
    let (plan, records) = records();
    let json = |change: &dyn Fn(&mut Value)| {
        let mut json = serde_json::to_value(Swept::new(plan.clone(), Part::WHOLE, records.clone())).unwrap();
        change(&mut json);
        Swept::read("f", &serde_json::to_vec(&json).unwrap()).map_err(|error| error.to_string())
    };
    assert!(json(&|_| ()).is_ok());
    for (change, said) in [
        (&(|json: &mut Value| json["format"] = json!(9)) as &dyn Fn(&mut Value), "has format 9"),
        (&|json: &mut Value| json["format"] = Value::Null, "is no part of a sweep"),
        (
            &|json| json["records"][3]["task"] = json!("z"),
            "is damaged: `z`, none, seed 7 is no run of its plan",
        ),
        (&|json: &mut Value| json["plan"]["seeds"] = json!([]), "its plan is empty"),
        (&|json: &mut Value| json["records"] = json!(3), "is damaged"),
    ] {
        let error = json(change).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
    assert!(Swept::read("f", b"{").unwrap_err().to_string().contains("is no JSON"));
    for (text, whole) in
        [("2/4", true), ("4/4", true), ("0/4", false), ("5/4", false), ("2", false), ("a/b", false)]
    {
        assert_eq!(text.parse::<Part>().is_ok(), whole, "{text}");
    }
}

/// Rows of two columns that tell the class; labels where `labelled` says so.
fn table(name: &str, rows: usize, moved: f64, labelled: impl Fn(usize) -> bool) -> Table {
    let class = |i: usize| i % 2;
    let draw = |i: usize, j: usize| ((i * (37 + 20 * j) + 11 * j) % 101) as f64 / 50.0;
    let column = |j: usize| {
        let cells = (0..rows).map(|i| draw(i, j) + moved + if class(i) == j { 1.5 } else { 0.0 }).collect();
        TableColumn { name: format!("x{j}"), cells: Cells::Numbers(cells) }
    };
    let labels = (0..rows).map(|i| labelled(i).then(|| ["no", "yes"][class(i)].to_string()));
    let labels = TableColumn { name: "y".into(), cells: Cells::from_text(labels.collect::<Vec<_>>()) };
    let group = Cells::from_text((0..rows).map(|i| Some(format!("g{}", i % 9))).collect::<Vec<_>>());
    let group = TableColumn { name: "site".into(), cells: group };
    Table { name: name.into(), rows, columns: vec![column(0), column(1), labels, group], ..Table::default() }
}

#[test]
fn splits_of_tables_hold_out_what_they_score() {
    let sources = [table("a", 60, 0.0, |_| true), table("b", 45, 0.2, |i| i % 5 > 0)];
    let target = table("t", 50, 0.4, |i| i % 10 > 0);
    let settings = Settings {
        label: Some("y".into()),
        drop: vec!["site".into()],
        method: "none".into(),
        ..Settings::default()
    };
    let cut = |by: &str| {
        let by = crate::splits::splitter(by).unwrap();
        let groups = Some("site").filter(|_| by.row().whole == crate::splits::Whole::Groups);
        table_splits(&sources, &target, by.as_ref(), groups, &settings, &mut Context::default()).unwrap()
    };
    let unlabelled = [0, 10, 20, 30, 40];
    for by in ["k-fold", "stratified", "stratified-by-domain", "grouped", "stratified-grouped"] {
        let splits = cut(by);
        let mut scored: Vec<usize> = splits.iter().flat_map(|split| split.scored.clone()).collect();
        scored.sort_unstable();
        let labelled: Vec<usize> = (0..50).filter(|i| i % 10 > 0).collect();
        assert_eq!(scored, labelled, "{by}: each labelled target row is scored once");
        for split in &splits {
            assert!(split.scored.iter().all(|row| !split.target.contains(row)), "{by}");
            assert!(unlabelled.iter().all(|row| split.target.contains(row)), "{by}");
            assert!(split.sources[1].iter().all(|row| row % 5 > 0), "{by}: a source row without a label");
            assert!(split.sources[0].len() < 60, "{by}: source rows are split too");
        }
    }
    for split in cut("grouped") {
        let group = |row: &usize| row % 9;
        let tested: Vec<usize> = split.scored.iter().map(group).collect();
        let trained = split.sources.iter().flatten().chain(split.target.iter().filter(|i| *i % 10 > 0));
        assert!(trained.map(group).all(|group| !tested.contains(&group)));
    }
    let out = cut("leave-one-domain-out");
    assert_eq!(out.len(), 1, "only where the target is left out are its rows scored");
    assert_eq!((out[0].target.len(), out[0].sources[0].len(), out[0].sources[1].len()), (50, 60, 36));
    // Left out, the target is scored as by a run on the whole tables.
    let context = &mut Context::default();
    let (outcome, scores) = transfer_split(&sources, &target, &out[0], &settings, context).unwrap();
    let whole = crate::transfer::transfer(sources.to_vec(), target.clone(), &settings, context).unwrap();
    assert!(scores.is_some() && scores == whole.run.transfer.chosen.scores);
    assert_eq!(outcome.run.data.target.rows, 50);
    // Held out, rows are scored by the model that did not see them.
    let split = &cut("stratified")[0];
    let (outcome, scores) = transfer_split(&sources, &target, split, &settings, context).unwrap();
    assert_eq!(outcome.run.data.target.rows, split.target.len());
    let rows = target.select(&split.scored);
    let (_, again) = crate::transfer::predict_table(&outcome.model, rows, Some("y"), context).unwrap();
    assert!(scores.is_some() && scores == again);
    let learnt = Settings { target_labels: crate::transfer::TargetLabels::Use, ..settings };
    let error = transfer_split(&sources, &target, &out[0], &learnt, context).err().unwrap().to_string();
    assert!(error.contains("would be learnt from where they are to score"), "{error}");
    let (_, scores) = transfer_split(&sources, &target, split, &learnt, context).unwrap();
    assert!(scores.is_some());
}
