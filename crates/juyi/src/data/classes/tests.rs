//! Tests of the file above.

use super::*;

fn names(written: &[&str]) -> Vec<String> {
    Classes::of(written.iter().copied()).names().to_vec()
}

#[test]
fn one_value_is_one_class_in_its_first_spelling() {
    assert_eq!(names(&["1", "0", "1.0", "0.0", "1e0", "+1", " 1 "]), ["0", "1"]);
    assert_eq!(names(&["1.0", "0.0", "1", "-0"]), ["0.0", "1.0"]);
    assert_eq!(names(&["True", "false", "true", "FALSE"]), ["True", "false"]);
    assert_eq!(names(&["spam ", "\u{a0}spam", "ham"]), ["ham", "spam"]);
    assert_eq!(names(&["caf\u{e9}", "cafe\u{301}"]).len(), 1);
    assert_eq!(names(&["10", "9", "9.5"]), ["9", "9.5", "10"]);
    let classes = Classes::of(["1", "1.0", "x"]);
    assert_eq!(classes.merged().collect::<Vec<_>>(), [(&"1.0".to_string(), &"1".to_string())]);
    assert_eq!(
        (classes.position("1.00"), classes.position("x "), classes.position("X")),
        (Some(0), Some(1), None)
    );
}

#[test]
fn codes_and_numbers_too_long_for_a_double_stay_apart() {
    assert_eq!(names(&["01", "1"]).len(), 2);
    assert_eq!(names(&["007", "07", "7"]).len(), 3);
    assert_eq!(names(&["9007199254740993", "9007199254740992"]).len(), 2);
    assert_eq!(names(&["1", "-1", "inf", "nan", "1_0", "0x1"]).len(), 6);
}

#[test]
fn likely_twins_are_told_from_names_that_mean_something_else() {
    for (a, b) in [
        ("yes", "Yes"),
        ("True", "1"),
        ("no", "False"),
        ("07", "7"),
        ("New_York", "new york"),
        ("１", "1"),
        ("t-shirt", "T shirt"),
        ("\u{2212}1", "-1"),
        ("20\u{2013}30", "20-30"),
        ("<=50K", "<=50K."),
        ("no", "'no'"),
        ("no", "b'no'"),
        ("0", "'0"),
        ("red", "red*"),
        ("red", "red;"),
        ("red", "red!"),
        ("red", "r\u{ad}ed"),
        ("red", "red\u{200e}"),
        ("\u{e9}lev\u{e9}", "eleve"),
        ("\u{410}", "A"),
        ("1", "One"),
    ] {
        assert!(twins(a, b), "{a} {b}");
    }
    for (a, b) in [
        ("A", "A-"),
        ("A", "A*"),
        ("A+", "A-"),
        ("C", "C++"),
        ("1", "-1"),
        ("cat", "cap"),
        ("yes", "no"),
        ("1", "10"),
    ] {
        assert!(!twins(a, b), "{a} {b}");
    }
    assert_eq!(Classes::of(["-1", "1"]).meant("\u{2212}1").unwrap(), "-1");
    let classes = Classes::of(["good", "poor", "1", "2"]);
    assert_eq!(classes.meant("GOOD").unwrap(), "good");
    assert_eq!(classes.meant("goood").unwrap(), "good");
    assert_eq!((classes.meant("3"), classes.meant("table")), (None, None));
}

#[test]
fn two_vocabularies_are_told_from_grades_and_sizes() {
    let of = |names: &[&str]| two_vocabularies(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(of(&["F", "M", "Female", "Male"]), [(0, 2), (1, 3)]);
    assert_eq!(of(&["class 0", "class 1", "0", "1"]), [(2, 0), (3, 1)]);
    assert_eq!(of(&["neg", "negative", "pos", "positive"]), [(0, 1), (2, 3)]);
    for other in [
        &["cat", "cats", "dog"][..],
        &["A", "A+", "B", "C"],
        &["T", "TT"],
        &["I", "II", "III", "IV"],
        &["1", "10", "2", "3"],
    ] {
        assert_eq!(of(other), [], "{other:?}");
    }
}

#[test]
fn truths_in_two_vocabularies_are_told_from_letters_and_digits() {
    for (a, b, classes) in [
        ("1", "true", &["0", "1", "true", "false"][..]),
        ("F", "FALSE", &["F", "T", "FALSE", "TRUE"]),
        ("n", "0", &["n", "y", "0", "1", "unknown"]),
        ("1", "yes", &["no", "yes", "1"]),
    ] {
        assert!(mixes_truths(a, b, classes), "{a} {b}");
    }
    for (a, b, classes) in [
        ("F", "N", &["T", "F", "N"][..]), // N for "neither"
        ("f", "n", &["f", "n"]),          // far and near
        ("0", "n", &["0", "1", "2", "3", "n", "y"]),
    ] {
        assert!(!mixes_truths(a, b, classes), "{a} {b}");
    }
}
