//! Tests of the file above.

use super::*;
use crate::data::csv::read_from;

fn table(name: &str, cells: &[&str]) -> Table {
    let text =
        format!("a;y\n{}\n", cells.iter().map(|cell| format!("\"{cell}\";u")).collect::<Vec<_>>().join("\n"));
    read_from(name, || Ok(std::io::Cursor::new(text.clone())), &[], 1 << 20).unwrap()
}

/// The numbers of the column in each table, or the error.
fn read(cells: &[&[&str]]) -> std::result::Result<Vec<Vec<f64>>, String> {
    let mut tables: Vec<Table> = cells.iter().enumerate().map(|(k, c)| table(&format!("t{k}"), c)).collect();
    read_numbers(&mut tables.iter_mut().collect::<Vec<_>>(), &|name| name == "y", &mut Context::default())
        .map_err(|error| error.to_string())?;
    let numbers = |table: &Table| match &table.columns[0].cells {
        Cells::Numbers(numbers) => numbers.clone(),
        Cells::Text { .. } => Vec::new(),
    };
    Ok(tables.iter().map(numbers).collect())
}

#[test]
fn one_notation_over_all_tables() {
    for (source, target, numbers) in [
        (&["1,234.5", "2"][..], &["1,234"][..], [vec![1234.5, 2.0], vec![1234.0]]),
        (&["1.234,5", "2"], &["1,234"], [vec![1234.5, 2.0], vec![1.234]]),
        (&["48,5", "NA"], &["48.5"], [vec![48.5, f64::NAN], vec![48.5]]),
        (&["0.5", "1"], &["1,234"], [vec![0.5, 1.0], vec![1234.0]]),
        (&["1 234", "5"], &["17"], [vec![1234.0, 5.0], vec![17.0]]),
        (&["45%", "5 %"], &["0%"], [vec![0.45, 0.05], vec![0.0]]),
        (&["(5.00)", "7.00"], &["8"], [vec![-5.0, 7.0], vec![8.0]]),
        (&["$1,200.00"], &["$ 7"], [vec![1200.0], vec![7.0]]),
    ] {
        let found = read(&[source, target]).unwrap();
        let alike = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
        for (found, wanted) in found.iter().zip(&numbers) {
            assert!(
                found.len() == wanted.len() && found.iter().zip(wanted).all(alike),
                "{source:?} {found:?}"
            );
        }
    }
}

#[test]
fn what_may_be_two_numbers_is_refused_by_both() {
    for (tables, says) in [
        (&[&["1,234", "5"][..], &["6"]][..], "`t0`, line 2, column `a`: `1,234` may be 1234 or 1.234"),
        (&[&["7"], &["1,234"]], "`t1`, line 2, column `a`: `1,234` may be 1234 or 1.234"),
        (&[&["1.234"], &["48,5"]], "`t0`, line 2, column `a`: `1.234` may be 1.234 or 1234"),
        (&[&["45%", "0.45"]], "line 3, column `a`: `0.45` has no sign of percent"),
        (&[&["45%"], &["0.45"]], "`t1`, column `a`: has no signs of percent, unlike `t0`"),
        (&[&["$5", "€6"]], "`€6` is another currency"),
        (&[&["$5"], &["€6"]], "`t1`, column `a`: is in `€`, and `t0` in `$`"),
    ] {
        let problem = read(tables).unwrap_err();
        assert!(problem.contains(says), "{problem}");
    }
}

#[test]
fn points_of_one_table_that_may_separate_thousands_are_named() {
    let said = |source: &[String], target: &[String]| {
        let lent = |cells: &[String]| table("t", &cells.iter().map(String::as_str).collect::<Vec<_>>());
        let (mut source, mut target) = (lent(source), lent(target));
        let mut context = Context::default();
        read_numbers(&mut [&mut source, &mut target], &|name| name == "y", &mut context).unwrap();
        context.notices().iter().map(|notice| notice.text.clone()).collect::<Vec<String>>()
    };
    let cells = |write: &dyn Fn(i32) -> String| (0..30).map(write).collect::<Vec<String>>();
    let dotted = cells(&|i| format!("1{}.{:03}", i % 7, (i * 37 + 5) % 1000));
    let whole = cells(&|i| format!("1{}{:03}", i % 7, (i * 37 + 5) % 1000));
    for (source, target) in [(&dotted, &whole), (&whole, &dotted)] {
        let said = said(source, target);
        let expected = "column `a`: `10.005` is taken for 10.005, and `t` has whole numbers such as 13";
        assert!(
            said.len() == 1 && said[0].contains(expected) && said[0].ends_with("`‹decimal ,›`"),
            "{said:?}"
        );
    }
    // Points everywhere, small or large whole numbers elsewhere, one cell that tells.
    let small = cells(&|i| format!("1{}", i % 7));
    let large = cells(&|i| format!("{}", 1_600_000_000 + i));
    let mut clear = dotted.clone();
    clear[3] = "12.5".into();
    for (source, target) in [(&dotted, &dotted), (&dotted, &small), (&dotted, &large), (&clear, &whole)] {
        assert_eq!(said(source, target), [""; 0]);
    }
}

#[test]
fn few_points_beside_whole_numbers_of_hundreds_are_named() {
    let said = |source: &[String], target: &[String]| {
        let lent = |cells: &[String]| table("t", &cells.iter().map(String::as_str).collect::<Vec<_>>());
        let (mut source, mut target) = (lent(source), lent(target));
        let mut context = Context::default();
        thousands_among_labels("a", &[&source, &target], &Notations::new(), &mut context);
        let labels = context.notices().len();
        read_numbers(&mut [&mut source, &mut target], &|name| name == "y", &mut context).unwrap();
        (labels, context.notices().len())
    };
    let cells = |write: &dyn Fn(i32) -> String| (0..40).map(write).collect::<Vec<String>>();
    let whole = cells(&|i| format!("{}", 200 + (i * 37) % 700));
    let thousand = cells(&|i| format!("{}", 200 + (i * 137) % 3700));
    let dotted = |from: i32| cells(&|i| if i < from { whole[i as usize].clone() } else { format!("1.0{i}") });
    // As labels, which are text, and as features; one cell tells where the other table has thousands.
    assert_eq!(said(&dotted(38), &whole), (1, 1));
    assert_eq!(said(&dotted(30), &dotted(38)), (2, 2));
    assert_eq!(said(&dotted(39), &whole), (0, 0));
    assert_eq!(said(&dotted(39), &thousand), (1, 1));
    // Decimals of one, two and four digits, and small whole numbers.
    for other in ["1.5", "1.25", "1.0325"] {
        let decimals = cells(&|i| if i < 30 { whole[i as usize].clone() } else { other.into() });
        assert_eq!(said(&decimals, &whole), (0, 0), "{other}");
    }
    let small = cells(&|i| if i < 30 { format!("{}", i % 9) } else { format!("1.0{i}") });
    assert_eq!(said(&small, &whole), (0, 0));
}

#[test]
fn text_stays_text() {
    for cells in [&["1,2,3", "x"][..], &["(1)", "(2)"], &["12 kg"], &["1.5", "12,5"], &["1_000"]] {
        assert_eq!(read(&[cells]).unwrap(), [Vec::<f64>::new()], "{cells:?}");
    }
}

#[test]
fn what_a_model_has_learnt_settles_later_tables() {
    let notation = Notation { decimal: ',', group: '.', percent: false, currency: None };
    let known: Notations = [("a".to_string(), notation)].into();
    let mut later = table("later", &["1,234"]);
    read_later(&mut later, &["a"], &known, &mut Context::default()).unwrap();
    assert_eq!(later.columns[0].cells, Cells::Numbers(vec![1.234]));
    let mut plain = table("later", &["1,234"]);
    assert!(read_later(&mut plain, &["a"], &Notations::new(), &mut Context::default()).is_err());
    let mut said = Table { decimal: Some('.'), ..table("later", &["1,234"]) };
    read_later(&mut said, &["a"], &Notations::new(), &mut Context::default()).unwrap();
    assert_eq!(said.columns[0].cells, Cells::Numbers(vec![1234.0]));
}
