//! Labels by hand.

use super::*;

fn text(labels: &[&str]) -> Cells {
    Cells::from_text(labels.iter().map(|label| Some((*label).to_string())))
}

fn said(context: &Context) -> String {
    context.notices().iter().map(|notice| notice.text.clone() + "\n").collect()
}

#[test]
fn text_beside_numbers_means_the_same_classes() {
    // A CSV file, a Parquet file of floats, one of text.
    let tables = [text(&["1", "0", "1"]), Cells::Numbers(vec![0.0, 1.0, f64::NAN]), text(&["1.0", " 0"])];
    let written: Vec<Written> = ["a.csv", "b.parquet", "c.parquet"].into_iter().zip(&tables).collect();
    let mut context = Context::default();
    let found = classes("y", &written, &mut context);
    assert_eq!(found.names(), ["0", "1"]);
    assert!(said(&context).contains("`1.0` is `1`"), "{}", said(&context));
    let goal = Goal::Classes(found.names().to_vec());
    let table = Table { name: "d".into(), ..Table::default() };
    assert_eq!(known_labels(&tables[1], &[0, 1], &goal, &table).unwrap(), Labels::Classes(vec![0, 1]));
    assert_eq!(known_labels(&tables[2], &[0, 1], &goal, &table).unwrap(), Labels::Classes(vec![1, 0]));
    let odd = known_labels(&text(&["2"]), &[0], &goal, &table).unwrap_err();
    assert_eq!(odd.to_string(), "`d`, row 1: label `2` is none of the classes");
}

fn inferred(labels: &[String]) -> (Result<TaskKind>, String) {
    let cells = Cells::from_text(labels.iter().cloned().map(Some));
    let mut context = Context::default();
    let found = classes("y", &[("t", &cells)], &mut context);
    let table = Table { name: "t".into(), ..Table::default() };
    let kind = infer_task(&found, &[table], &[("t", &cells)], "y", &mut context);
    (kind, said(&context))
}

#[test]
fn whole_numbers_are_amounts_where_they_are_many_and_each_is_rare() {
    let numbers = |different: usize, rows: usize| -> Vec<String> {
        (0..rows).map(|i| (i % different).to_string()).collect()
    };
    let kind = |labels: &[String]| inferred(labels).0.unwrap();
    assert_eq!(kind(&numbers(20, 199)), TaskKind::Regression);
    assert_eq!(kind(&numbers(20, 200)), TaskKind::Classification);
    assert_eq!(kind(&numbers(19, 40)), TaskKind::Classification);
    assert!(inferred(&numbers(101, 2000)).0.is_err());
    assert!(
        inferred(&numbers(3, 30)).1.contains("holds 3 different whole numbers, which are taken for classes")
    );
    assert_eq!(inferred(&numbers(2, 30)).1, "");
    // Written with a point, or with a fraction, or as codes.
    let written = |end: &str| numbers(26, 60).into_iter().map(|v| v + end).collect::<Vec<_>>();
    assert_eq!(kind(&written(".0")), TaskKind::Regression);
    assert_eq!(kind(&written(".30000000000000004")), TaskKind::Regression);
    let codes: Vec<String> = (0..60).map(|i| format!("{:05}", i % 30)).collect();
    assert_eq!(kind(&codes), TaskKind::Classification);
    let mut stray = numbers(26, 60);
    stray[7] = "unknown".into();
    let error = inferred(&stray).0.unwrap_err().to_string();
    assert_eq!(error, "`t`, row 8, column `y`: label `unknown` stands where nearly all others are numbers");
}

#[test]
fn many_labels_of_which_some_are_no_numbers_and_dates_are_refused() {
    let refused = |label: &dyn Fn(usize) -> String| {
        let labels: Vec<String> = (0..60).map(label).collect();
        inferred(&labels).0.map_err(|error| format!("{error}; {}", error.hint().unwrap_or_default()))
    };
    let below = |i: usize| if i % 3 == 1 { "< 2.5".into() } else { format!("{i}.5") };
    let said = refused(&below).unwrap_err();
    assert!(said.starts_with("`t`, row 2, column `y`: label `< 2.5` stands where"), "{said}");
    assert!(said.contains("write a number, `2.5` for one"), "{said}");
    let said = refused(&|i| if i % 2 == 0 { format!("{i}.5") } else { format!("{i},5") }).unwrap_err();
    assert!(said.contains("its numbers are not written alike"), "{said}");
    let said = refused(&|i| format!("2024-{:02}-{:02}", 1 + i / 28, 1 + i % 28)).unwrap_err();
    assert!(said.contains("holds dates or times such as `2024-01-01`: 60 classes"), "{said}");
    // Few of them, or words for the most part, are classes.
    assert_eq!(refused(&|i| format!("2024-01-{:02}", 1 + i % 5)), Ok(TaskKind::Classification));
    assert_eq!(
        refused(&|i| if i % 3 == 0 { format!("{i}") } else { format!("word {i}") }),
        Ok(TaskKind::Classification)
    );
}

#[test]
fn what_the_target_alone_has_is_compared_with_the_source() {
    let known = Classes::of(["a", "b"]);
    let compare = |labels: &[&str], learnt: bool| {
        let (cells, mut context) = (text(labels), Context::default());
        let rows: Vec<usize> = (0..labels.len()).collect();
        let result = compare_with_target(&known, ("t", &cells), &rows, learnt, &mut context);
        (result.map_err(|error| error.hint().unwrap_or_default()), said(&context))
    };
    assert_eq!(compare(&["a", "b "], true), (Ok(()), String::new()));
    assert_eq!(compare(&["a", "a", "c"], false), (Ok(()), String::new()));
    assert_eq!(compare(&["a", "a", "c"], true).1, "class `c` is that of `t` only\n");
    assert!(
        compare(&["a", "-1", "-1"], false)
            .1
            .starts_with("`-1` stands in `t` only, in 2 of 3 labelled rows: if")
    );
    assert_eq!(
        compare(&["A", "B"], false).0.unwrap_err(),
        "did you mean `a`? spell the labels as the source does"
    );
    assert!(compare(&["-1", "-1"], true).0.unwrap_err().contains("`‹missing-values -1›`"));
    assert!(compare(&["x", "y"], false).0.unwrap_err().starts_with("the source has `a`, `b`; spell"));
}
