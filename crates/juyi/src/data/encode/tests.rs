//! Tests of the file above.

use super::*;
use crate::data::csv::read_from;
use crate::linalg::from_rows;

fn table(name: &str, text: &str) -> Table {
    read_from(name, || Ok(text.as_bytes()), &["y".to_string()], 1 << 30).unwrap()
}

fn decide(source: &str, target: &str, missing: Missing) -> Result<(Encoding, Context)> {
    let mut context = Context::default();
    let tables = (table("old", source), table("new", target));
    let encoding = Encoding::decide(&[tables.0], &tables.1, "y", &[], &[], missing, &mut context)?;
    Ok((encoding, context))
}

fn problem(source: &str, target: &str) -> String {
    decide(source, target, Missing::Error).unwrap_err().to_string()
}

#[test]
fn columns_are_matched_by_name_and_text_becomes_one_hot_over_the_union() {
    let (encoding, mut context) =
        decide("y,a,c\nu,1,red\nv,2,blue\n", "c,a\ngreen,5\nred,6\n", Missing::Error).unwrap();
    let (x, kept) = encoding.apply(&mut table("new", "c,a\ngreen,5\nred,6\n"), &mut context).unwrap();
    assert_eq!(x, from_rows(&[vec![5.0, 0.0, 1.0, 0.0], vec![6.0, 0.0, 0.0, 1.0]]));
    assert_eq!(kept, [0, 1]);
    assert_eq!(context.notices()[0].text, "column `c`: value `green` occurs in the target only");
    encoding.apply(&mut table("later", "c,a\npink,5\n"), &mut context).unwrap();
    assert!(context.notices()[1].text.contains("`pink` was not there at the fit"));
}

#[test]
fn columns_that_do_not_fit_are_named() {
    assert_eq!(problem("y,a,b\nu,1,2\n", "a\n1\n"), "`new`: has no column `b`, which `old` has");
    assert_eq!(
        problem("y,a\nu,1\n", "a\nhigh\n"),
        "`new`, line 2, column `a`: `high` stands where the other cells are numbers"
    );
    let mostly = format!("y,a\n{}u,x7\n", "u,1\n".repeat(19));
    assert!(problem(&mostly, "a\n1\n").starts_with("`old`, line 21, column `a`: `x7` stands"));
    let (_, context) = decide("y,a\nu,1\n", "a,z\n1,2\n", Missing::Error).unwrap();
    assert!(context.notices()[0].text.contains("column `z` is ignored"));
}

#[test]
fn missing_cells_follow_the_rule_that_was_asked_for() {
    let (source, target) = ("y,a,b\nu,1,2\nv,,4\nu,3,5\n", "a,b\n7,\n1,1\n");
    let (encoding, mut context) = decide(source, target, Missing::Error).unwrap();
    let error = encoding.apply(&mut table("old", source), &mut context).unwrap_err();
    assert_eq!(error.to_string(), "`old`, line 3, column `a`: is missing");
    let (encoding, mut context) = decide(source, target, Missing::Mean).unwrap();
    let (x, _) = encoding.apply(&mut table("new", target), &mut context).unwrap();
    assert_eq!(x[(0, 1)], 11.0 / 3.0);
    let (encoding, mut context) = decide(source, target, Missing::Drop).unwrap();
    let (x, kept) = encoding.apply(&mut table("new", target), &mut context).unwrap();
    assert_eq!((x.nrows(), kept), (1, vec![1]));
}

#[test]
fn constants_and_identifiers_are_noticed() {
    let rows: String = (0..30).map(|i| format!("u,{i},k{i},5,{}", i % 3)).collect::<Vec<_>>().join("\n");
    let source = format!("y,number,name,same,a\n{rows}");
    let (encoding, context) = decide(&source, &source, Missing::Error).unwrap();
    let names: Vec<&str> = encoding.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["number", "same", "a"]);
    let said: Vec<&str> = context.notices().iter().map(|n| n.text.as_str()).collect();
    assert!(said[0].starts_with("constant everywhere: column `same`"), "{said:?}");
    assert!(said[1].starts_with("column `number` counts the rows"), "{said:?}");
    assert!(said[2].starts_with("text column `name` has hardly a value twice"), "{said:?}");
}

#[test]
fn ten_thousand_columns_are_no_trouble() {
    let names: Vec<String> = (0..10_000).map(|j| format!("c{j}")).collect();
    let cells = vec!["1"; 10_000].join(",");
    let text = format!("y,{}\nu,{cells}\nv,{cells}\n", names.join(","));
    let (encoding, mut context) = decide(&text, &text, Missing::Error).unwrap();
    let (x, _) = encoding.apply(&mut table("wide", &text), &mut context).unwrap();
    assert_eq!(x.shape(), (2, 10_000));
    assert!(context.notices()[0].text.ends_with("and 9995 more"));
}

#[test]
fn what_a_sparse_table_leaves_out_are_zeros() {
    let sparse = |name: &str, text: &str| {
        let label = Some("y");
        crate::data::svmlight::read(name, text.as_bytes(), None, label, 1 << 20).unwrap()
    };
    let (old, new) = (sparse("old", "1 1:5 3:6\n2 1:7\n"), sparse("new", "1 2:8 3:9\n"));
    let mut context = Context::default();
    let encoding =
        Encoding::decide(std::slice::from_ref(&old), &new, "y", &[], &[], Missing::Error, &mut context)
            .unwrap();
    let mut apply = |mut table: Table| encoding.apply(&mut table, &mut context).map(|(x, _)| x);
    assert_eq!(apply(old).unwrap(), from_rows(&[vec![5.0, 6.0, 0.0], vec![7.0, 0.0, 0.0]]));
    assert_eq!(apply(new).unwrap(), from_rows(&[vec![0.0, 9.0, 8.0]]));
    assert_eq!(apply(sparse("later", "7:1\n")).unwrap(), from_rows(&[vec![0.0; 3]]));
    // A table that is not sparse must have them all.
    let error = apply(table("dense", "x1,x3\n1,2\n")).unwrap_err();
    assert_eq!(error.to_string(), "`dense`: has no column `x2`, which the model needs");
}
