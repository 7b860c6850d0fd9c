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
    let said = &context.notices()[0].text;
    assert!(said.starts_with("column `c`: value `green` occurs in the target only (1 of 2 rows)"), "{said}");
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
        let reading = crate::data::Reading { label: Some("y".into()), ..Default::default() };
        crate::data::svmlight::read(name, text.as_bytes(), None, &reading, 1 << 20).unwrap()
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

#[test]
fn values_that_the_source_lacks_are_told_with_their_share_of_rows() {
    let source = format!("y,a,c\n{}", "u,1,Berlin\nv,2,Bonn\n".repeat(6));
    let (encoding, mut context) =
        decide(&source, &format!("a,c\n{}1,Bonn\n", "3,Oslo\n4,Rom\n".repeat(4)), Missing::Error).unwrap();
    assert_eq!(
        context.notices()[0].text,
        "column `c`: value `Oslo`, `Rom` occurs in the target only (8 of 9 rows); that is half of them or more, of which \
         the column says nothing"
    );
    encoding.apply(&mut table("later", "c,a\nberlin,5\nBonn,1\nBonn,2\n"), &mut context).unwrap();
    assert_eq!(
        context.notices()[1].text,
        "`later`, column `c`: value `berlin` was not there at the fit and counts as none (1 of 3 rows); `berlin` is likely \
         to be `Berlin`: spell them alike"
    );
}

/// The table with the cells of `c` as another format may have them.
fn written(name: &str, text: &str, c: &[&str]) -> Table {
    let mut table = table(name, text);
    let cells = Cells::from_text(c.iter().map(|cell| Some((*cell).to_string())));
    table.columns.iter_mut().find(|column| column.name == "c").unwrap().cells = cells;
    table
}

#[test]
fn one_value_with_blanks_or_in_other_code_points_is_one_value() {
    let text = "y,a,c\nu,1,r\nv,2,r\nu,3,r\nv,4,r\n";
    let source = written("old", text, &["Berlin ", "Bonn", "Caf\u{e9}", "Bonn"]);
    let mut target = written("new", text, &["Berlin", "\u{a0}Bonn", "Cafe\u{301}", "Bonn\u{200b}"]);
    let mut context = Context::default();
    let encoding = Encoding::decide(&[source], &target, "y", &[], &[], Missing::Error, &mut context).unwrap();
    let values = ["Berlin ", "Bonn", "Caf\u{e9}"].map(String::from).to_vec();
    assert_eq!(encoding.columns[1].kind, Kind::Text { values });
    let (x, _) = encoding.apply(&mut target, &mut context).unwrap();
    let expected = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]];
    assert_eq!(x.subcols(1, 3), from_rows(&expected.map(|row| row.to_vec())));
    assert_eq!(context.notices(), []);
}

#[test]
fn truths_are_one_column_as_words_and_as_numbers() {
    let (words, bits) = ("y,a,c\nu,1,True\nv,2,False\nu,3,true\n", "y,a,c\nu,1,1\nv,2,0\nu,3,1\n");
    for (source, target) in [(words, bits), (bits, words)] {
        let mut tables = ([table("old", source)], table("new", target));
        let mut context = Context::default();
        truths_as_numbers(&mut tables.0, &mut tables.1, "y", &mut context);
        assert_eq!(
            context.notices()[0].text,
            "column `c` is true and false in one table and 1 and 0 in another: read as 1 and 0"
        );
        let missing = Missing::Error;
        let encoding = Encoding::decide(&tables.0, &tables.1, "y", &[], &[], missing, &mut context).unwrap();
        for mut table in [tables.1, table("later", "a,c\n1,TRUE\n2,FALSE\n3,TRUE\n")] {
            let (x, _) = encoding.apply(&mut table, &mut context).unwrap();
            assert_eq!(x, from_rows(&[vec![1.0, 1.0], vec![2.0, 0.0], vec![3.0, 1.0]]));
        }
        assert!(context.notices()[1].text.contains("in `later` and a number for the model: read as 1 and 0"));
    }
    // Words at the fit, numbers later.
    let (encoding, mut context) = decide(words, words, Missing::Error).unwrap();
    let (x, _) = encoding.apply(&mut table("later", "a,c\n1,0\n2,1\n"), &mut context).unwrap();
    assert_eq!(x.subcols(1, 2), from_rows(&[vec![1.0, 0.0], vec![0.0, 1.0]]));
    assert_eq!(context.notices(), []);
    // Other numbers, and other words, are no truths.
    for (words, numbers) in [("True\nFalse", "1\n2"), ("yes\nno", "1\n0")] {
        let column = |cells: &str| format!("a,c\n{}\n", cells.replace('\n', "\n1,").replacen("", "1,", 1));
        let mut tables = ([table("old", &column(words))], table("new", &column(numbers)));
        let mut context = Context::default();
        truths_as_numbers(&mut tables.0, &mut tables.1, "y", &mut context);
        let error =
            Encoding::decide(&tables.0, &tables.1, "y", &[], &[], Missing::Error, &mut context).unwrap_err();
        assert!(error.to_string().contains("stands where the other cells are numbers"), "{error}");
        assert!(error.hint().unwrap().starts_with("write truths alike in all tables"), "{error}");
    }
}

#[test]
fn columns_that_are_empty_on_one_side_are_named() {
    let (_, context) = decide("y,a,b\nu,1,\nv,2,\n", "a,b\n1,3\n2,4\n", Missing::Mean).unwrap();
    assert_eq!(context.notices()[0].text, "`old`: column `b` is empty");
    let (_, context) = decide("y,a,b\nu,1,x\nv,2,z\n", "a,b\n1,\n2,\n", Missing::Mean).unwrap();
    assert_eq!(context.notices()[0].text, "`new`: column `b` is empty");
    let error = decide("y,a,b\nu,1,\nv,2,\n", "a,b\n1,x\n2,z\n", Missing::Mean).unwrap_err();
    assert_eq!(error.to_string(), "`old`, column `b`: is empty, and holds text in `new`");
}

#[test]
fn a_number_that_may_stand_for_a_missing_cell_is_named_and_kept() {
    let rows = |name: &str, more: &str| {
        let rows: Vec<String> = (0..20).map(|i| format!("u,{},{}\n", i % 9, i % 7)).collect();
        format!("y,{name},b\n{}{more}", rows.concat())
    };
    let target = rows("a", "v,-999,1\nv,-999,2\n");
    let (encoding, mut context) = decide(&rows("a", ""), &target, Missing::Error).unwrap();
    assert_eq!(
        context.notices()[0].text,
        "column `a`: -999 stands in 2 cells, far from all other values; if it means that they are missing, add \
         `‹missing-values -999›`"
    );
    let (x, _) = encoding.apply(&mut table("new", &target), &mut context).unwrap();
    assert_eq!(x[(20, 0)], -999.0);
}

#[test]
fn a_column_of_nearly_the_name_is_suggested() {
    let hint = |source: &str, target: &str| {
        let error = decide(source, target, Missing::Error).unwrap_err();
        (error.to_string(), error.hint().unwrap())
    };
    assert_eq!(
        hint("y,temperature,b\nu,1,2\n", "Temperature,b\n1,2\n"),
        (
            "`new`: has no column `temperature`, which `old` has".into(),
            "did you mean `Temperature` (it differs in case only)? `‹rename \"Temperature=temperature\"›` reads it under \
             the name of the others"
                .into()
        )
    );
    let (_, other) = hint("y,x1,x2\nu,1,2\n", "x1\n1\n");
    assert!(other.starts_with("columns are matched by name"), "`x1` is a column of its own: {other}");
    let (_, code_points) = hint("y,Gr\u{f6}\u{df}e\nu,1\n", "Gro\u{308}\u{df}e\n1\n");
    assert!(code_points.contains("the same letters in other code points"), "{code_points}");
}

#[test]
fn columns_counted_from_0_and_from_1_are_told_apart() {
    let sparse = |name: &str, text: &str| {
        let reading = crate::data::Reading { label: Some("y".into()), ..Default::default() };
        crate::data::svmlight::read(name, text.as_bytes(), None, &reading, 1 << 20).unwrap()
    };
    let compare = |old: &str, new: &str| {
        let (old, new) = (sparse("old.svm", old), sparse("new.svm", new));
        let mut context = Context::default();
        let made =
            Encoding::decide(std::slice::from_ref(&old), &new, "y", &[], &[], Missing::Error, &mut context);
        let said: String = context.notices().iter().map(|notice| notice.text.clone()).collect();
        (made.map_err(|error| format!("{error}; {}", error.hint().unwrap_or_default())), said)
    };
    let shifted = compare("1 1:5 3:6\n2 1:7\n", "1 0:8 2:9\n").0.unwrap_err();
    assert!(
        shifted.contains("numbers its columns from 0") && shifted.contains("`new.svm:0` and `old.svm:1`"),
        "{shifted}"
    );
    let (made, said) = compare("1 1:5 3:6\n2 1:7\n", "1 0:8 3:9\n");
    assert!(said.contains("`old.svm` has no column 0: all columns may be shifted"), "{said}");
    assert_eq!(compare("1 0:5 3:6\n2 1:7\n", "1 0:8 3:9\n").1, "");
    // The same of a table that comes later.
    let mut context = Context::default();
    made.unwrap().apply(&mut sparse("later.svm", "1:3 3:1\n"), &mut context).unwrap();
    assert!(context.notices()[0].text.starts_with("`later.svm` has no column 0, and the model has one"));
}

#[test]
fn values_of_the_sources_that_are_likely_to_be_one_are_named() {
    let said = |values: &[&str]| {
        let rows: Vec<String> = values
            .iter()
            .cycle()
            .take(24)
            .enumerate()
            .map(|(i, v)| format!("{},{},{v}\n", i % 2, i % 5))
            .collect();
        let source = format!("y,a,c\n{}", rows.concat());
        let context = decide(&source, &source, Missing::Error).unwrap().1;
        context.notices().iter().map(|notice| notice.text.clone()).collect::<String>()
    };
    let twins = |pairs: &str| format!("column `c`: {pairs}: likely to be one value; spell them alike");
    assert_eq!(said(&["red", "RED", "blue"]), twins("`RED` and `red`"));
    assert_eq!(said(&["yes", "Y", "no", "N"]), twins("`N` and `no`, `Y` and `yes`"));
    assert_eq!(said(&["yes", "y", "unknown"]), twins("`y` and `yes`"));
    for apart in [&["f", "n", "t", "p"][..], &["f", "n"], &["yes", "no"], &["A+", "A-"], &["red", "blue"]] {
        assert_eq!(said(apart), "", "{apart:?}");
    }
}
