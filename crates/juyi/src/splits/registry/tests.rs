//! Laws of all splitters.

use std::collections::BTreeMap;

use super::*;
use crate::splits::SPLITTERS;

/// Rows of three domains, four classes and thirty groups, drawn.
struct Drawn {
    goal: Goal,
    labels: Labels,
    names: Vec<String>,
    domains: Vec<usize>,
    groups: Vec<usize>,
    leaders: Vec<usize>,
}

impl Drawn {
    /// So many rows; every seventh is a copy of an earlier one where `copies` is set, of whatever class, domain and group.
    fn new(rows: usize, copies: bool) -> Self {
        let draw = |i: usize, k: usize| (i * 7919 + k * 104_729 + i * i * (k + 3)) % 10_007;
        let names = |of: &[&str]| of.iter().map(ToString::to_string).collect::<Vec<_>>();
        let copied = |i: usize| if copies && i > 9 && i.is_multiple_of(7) { i / 2 } else { i };
        let leader = |mut i: usize| {
            while copied(i) != i {
                i = copied(i);
            }
            i
        };
        Self {
            goal: Goal::Classes(names(&["a", "b", "c", "d"])),
            labels: Labels::Classes((0..rows).map(|i| [0, 0, 0, 1, 1, 2, 2, 3][draw(i, 1) % 8]).collect()),
            names: names(&["x", "y", "z"]),
            domains: (0..rows).map(|i| [0, 0, 1, 2][draw(i, 2) % 4]).collect(),
            groups: (0..rows).map(|i| draw(i, 3) % 30).collect(),
            leaders: (0..rows).map(leader).collect(),
        }
    }

    fn rows(&self) -> Rows<'_> {
        Rows {
            goal: &self.goal,
            labels: &self.labels,
            names: &self.names,
            domains: &self.domains,
            target: Some(2),
            groups: Some(&self.groups),
            leaders: &self.leaders,
        }
    }

    fn split(&self, by: &str, seed: u64) -> Vec<Split> {
        splitter(by).unwrap().split(&self.rows(), &mut Context::default().reseeded(seed)).unwrap()
    }
}

/// How many rows there are of each kind.
fn counts<K: Ord>(rows: &[usize], kind: impl Fn(usize) -> K) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for &row in rows {
        *counts.entry(kind(row)).or_default() += 1;
    }
    counts
}

/// Whether parts have the same number of rows of each kind, but for one.
fn is_even<K: Ord + Copy>(parts: &[Vec<usize>], kind: impl Fn(usize) -> K) -> bool {
    let counted: Vec<BTreeMap<K, usize>> = parts.iter().map(|part| counts(part, &kind)).collect();
    let kinds: Vec<K> = counted.iter().flat_map(|of| of.keys().copied()).collect();
    kinds.iter().all(|kind| {
        let of = || counted.iter().map(|of| of.get(kind).copied().unwrap_or(0));
        of().max().unwrap_or(0) - of().min().unwrap_or(0) <= 1
    })
}

#[test]
fn nothing_leaks() {
    for row in SPLITTERS {
        for copies in [false, true] {
            let drawn = Drawn::new(240, copies);
            for split in drawn.split(row.name, 3) {
                assert!(split.train.is_sorted_by(|a, b| a < b) && split.test.is_sorted_by(|a, b| a < b));
                let apart = |of: &dyn Fn(usize) -> usize| {
                    let tested = counts(&split.test, of);
                    split.train.iter().all(|&row| !tested.contains_key(&of(row)))
                };
                assert!(apart(&|row| row), "{}: train and test share a row", row.name);
                assert!(apart(&|row| drawn.leaders[row]), "{}: a copy on both sides", row.name);
                let torn = match row.whole {
                    Whole::Rows => false,
                    Whole::Groups => !apart(&|row| drawn.groups[row]),
                    Whole::Domains => !apart(&|row| drawn.domains[row]),
                };
                assert!(!torn, "{}: {:?} on both sides", row.name, row.whole);
            }
        }
    }
}

#[test]
fn each_row_is_tested_as_often_as_is_said() {
    for row in SPLITTERS {
        let drawn = Drawn::new(240, false);
        let splits = drawn.split(row.name, 1);
        match row.tested {
            Tested::Once => {
                let tested: Vec<usize> = splits.iter().flat_map(|split| split.test.clone()).collect();
                let times = counts(&tested, |row| row);
                assert!(times.len() == 240 && times.values().all(|times| *times == 1), "{}", row.name);
                let whole = splits.iter().all(|split| split.train.len() + split.test.len() == 240);
                assert!(whole, "{}: a row is neither trained on nor tested", row.name);
            }
            Tested::Share => {
                let target = drawn.domains.iter().filter(|domain| **domain == 2).count() as f64;
                for Split { train, test } in &splits {
                    assert!((test.len() as f64 - 0.8 * target).abs() <= 1.0, "{}", row.name);
                    assert!((train.len() as f64 - 0.8 * (240.0 - target)).abs() <= 1.0, "{}", row.name);
                }
                assert_eq!(splits.len(), 5);
            }
        }
    }
}

#[test]
fn shares_are_even_to_a_row() {
    for row in SPLITTERS {
        let drawn = Drawn::new(243, false);
        let (splits, rows) = (drawn.split(row.name, 5), drawn.rows());
        let tests: Vec<Vec<usize>> = splits.iter().map(|split| split.test.clone()).collect();
        let trained: Vec<Vec<usize>> = splits.iter().map(|split| split.train.clone()).collect();
        let even = match row.even {
            Even::Rows => is_even(&tests, |_| 0),
            Even::Classes => is_even(&tests, |_| 0) && is_even(&tests, |i| rows.class(i)),
            Even::ClassesOfDomains => {
                let of = |i: usize| (drawn.domains[i], rows.class(i));
                is_even(&tests, |_| 0) && is_even(&tests, of) && is_even(&trained, of)
            }
            Even::Nothing => true,
        };
        assert!(even, "{}: {:?}", row.name, row.even);
    }
}

#[test]
fn the_seed_decides_and_nothing_else() {
    for row in SPLITTERS {
        let drawn = Drawn::new(120, true);
        let one = drawn.split(row.name, 7);
        assert_eq!(one, drawn.split(row.name, 7), "{}", row.name);
        let draws = row.name != "leave-one-domain-out";
        assert_eq!(one != drawn.split(row.name, 8), draws, "{}", row.name);
    }
}

#[test]
fn numbers_are_split_too() {
    for row in SPLITTERS {
        let drawn = Drawn::new(60, false);
        let values = Labels::Values((0..60).map(f64::from).collect());
        let rows = Rows { goal: &Goal::Value, labels: &values, ..drawn.rows() };
        let mut context = Context::default();
        let splits = splitter(row.name).unwrap().split(&rows, &mut context).unwrap();
        assert!(splits.len() > 1 && context.notices().is_empty(), "{}: {:?}", row.name, context.notices());
    }
}

fn refused(by: &str, rows: &Rows<'_>) -> String {
    let error = splitter(by).and_then(|by| by.split(rows, &mut Context::default())).unwrap_err();
    format!("{error}; {}", error.hint().unwrap_or_default())
}

#[test]
fn what_cannot_be_split_is_refused_by_name() {
    let drawn = Drawn::new(40, false);
    let rows = drawn.rows();
    for (by, said) in [
        ("stratified(folds=1)", "`stratified`: `folds` must be between 2 and 1000, got 1"),
        (
            "k-fold(folds=41)",
            "`k-fold`: asks for 41 folds, and there are 40 different rows; take `k-fold(folds=40)`",
        ),
        ("source-target(share=0)", "`source-target`: `share` must be above 0 and at most 1, got 0"),
        ("source-target(draws=0)", "`source-target`: `draws` must be between 1 and 1000, got 0"),
        ("stratifed", "unknown splitter `stratifed`; did you mean `stratified`?"),
    ] {
        let found = refused(by, &rows);
        assert!(found.contains(said), "{by}: {found}");
    }
    for by in ["grouped", "stratified-grouped"] {
        let found = refused(by, &Rows { groups: None, ..rows });
        assert!(found.contains(&format!("`{by}`: keeps groups together, and rows have none")), "{found}");
        let found = refused(by, &Rows { groups: Some(&[3; 40]), ..rows });
        assert!(found.contains("there are 1 groups that share no copy"), "{found}");
    }
    let found = refused("leave-one-domain-out", &Rows { domains: &[1; 40], ..rows });
    assert!(found.contains("needs two domains with rows, and there is 1"), "{found}");
    assert!(refused("source-target", &Rows { target: None, ..rows }).contains("needs a target"));
    let copies = refused("k-fold", &Rows { leaders: &[0; 40], ..rows });
    assert!(copies.contains("there are 1 different rows"), "{copies}");
    assert!(refused("k-fold", &Rows { domains: &[0; 39], ..rows }).contains("40 labels, 39 domains"));
    assert!(refused("k-fold", &Rows { names: &[], ..rows }).contains("more domains than the 0 names"));
}

#[test]
fn classes_with_few_rows_are_named() {
    let drawn = Drawn::new(40, false);
    let mut of = vec![0; 40];
    (of[3], of[20], of[21]) = (1, 2, 2);
    let labels = Labels::Classes(of);
    let told = |by: &str| {
        let mut context = Context::default();
        splitter(by).unwrap().split(&Rows { labels: &labels, ..drawn.rows() }, &mut context).unwrap();
        context.notices().iter().map(|notice| notice.text.clone()).collect::<Vec<_>>().join("; ")
    };
    let said = told("stratified(folds=4)");
    assert!(
        said.contains("of class `b` there is 1 row, fewer than the 4 folds: 3 test none of it"),
        "{said}"
    );
    assert!(said.contains("of class `c` there are 2 rows") && !said.contains("class `a`"), "{said}");
    assert!(said.contains("class `b` is tested in a split that does not train on it"), "{said}");
    assert!(told("stratified-by-domain").contains("of class `b` in `"));
}

#[test]
fn each_splitter_has_a_page_and_parameters_by_name() {
    for row in SPLITTERS {
        for part in ["When:", "Paper:", "Cost:"] {
            assert!(row.head().contains(part), "{}: {part}", row.name);
        }
        assert!(row.page().contains(&row.keeps()) && !row.summary.is_empty());
        let own = splitter(row.name).unwrap();
        assert!(own.row().name == row.name && own.row().source == row.source);
        let unknown = splitter(&format!("{}(no-such=1)", row.name)).err().expect("refused");
        assert!(unknown.to_string().contains(&format!("parameter of `{}` `no-such`", row.name)), "{unknown}");
    }
}
