//! Names of classes in checkpoints and in files.

use super::super::Checkpoint;
use super::super::written::{array, call, dict, list, number, pickle, text, tuple};
use super::*;

#[test]
fn names_are_found_beside_the_tensors() {
    let all_of = |more: &[(&str, Vec<u8>)]| {
        let state = dict(&[("a.w", array(&[1], &[1]))]);
        let all = [&[("state_dict", state)], more].concat();
        Checkpoint::from_bytes("f", &pickle(&dict(&all)), 1 << 20).unwrap().classes
    };
    let of = |more: &(&str, Vec<u8>)| fitting(all_of(std::slice::from_ref(more)), 2).unwrap().unwrap().1;
    let names = || list(&[text("cup"), text("mug")]);
    let by_name = || dict(&[("mug", number(1)), ("cup", number(0))]);
    let numbers = |first: i64| {
        [b"}".to_vec(), number(first), text("cup"), b"s".to_vec(), number(1), text("mug"), b"s".to_vec()]
            .concat()
    };
    for more in [
        ("classes", names()),
        ("class_names", tuple(&[text("cup"), text("mug")])),
        ("class_to_idx", by_name()),
        ("id2label", numbers(0)),
        ("hyper_parameters", dict(&[("lr", number(1)), ("class_to_idx", by_name())])),
        ("meta", dict(&[("CLASSES", names())])),
        ("meta", dict(&[("dataset_meta", dict(&[("classes", names())]))])),
        ("args", [call("argparse", "Namespace", &[]), dict(&[("classes", names())]), b"b".to_vec()].concat()),
    ] {
        assert_eq!(of(&more), ["cup", "mug"], "{}", more.0);
    }
    for (more, words) in [
        (("classes", list(&[text("cup"), text("cup")])), "a name stands there twice"),
        (("classes", list(&[text("cup"), number(1)])), "not all in that list are texts"),
        (("classes", text("cup, mug")), "that is no list of names"),
        (("classes", array(&[2], &[1, 2])), "that is no list of names"),
        (("class_to_idx", dict(&[("mug", number(2)), ("cup", number(1))])), "its numbers do not run from 0"),
        (("class_to_idx", dict(&[("mug", number(0)), ("cup", number(0))])), "two names have one number"),
        (("id2label", numbers(5)), "its numbers do not run from 0"),
        (("classes", list(&[text("cup")])), "names 1 classes under `classes`, and its head has 2"),
    ] {
        let problem = fitting(all_of(&[more]), 2).unwrap_err();
        assert!(problem.contains(words), "{problem}");
    }
    // How many there are is no name, and names of something else are none of classes.
    for more in [("classes", number(2)), ("labels", list(&[text("train")])), ("epoch", names())] {
        assert_eq!(fitting(all_of(&[more]), 2), Ok(None));
    }
    // Those beside the tensors that are taken.
    let own = |names: &[&str], value: u8| {
        let names: Vec<Vec<u8>> = names.iter().map(|name| text(name)).collect();
        dict(&[("state_dict", dict(&[("a.w", array(&[1], &[value]))])), ("classes", list(&names))])
    };
    let both = [("best", own(&["a", "b"], 1)), ("teacher", own(&["b", "a"], 2)), ("classes", names())];
    let wanted = crate::checkpoint::Wanted { set: Some("teacher"), known: None };
    let found = Checkpoint::from_bytes_for("f", &pickle(&dict(&both)), wanted, 1 << 20).unwrap().classes;
    assert_eq!(fitting(found, 2).unwrap().unwrap().1, ["b", "a"]);
    let layers = ("names", tuple(&[text("conv"), text("fc")]));
    let inside = ("args", dict(&[("class_to_idx", by_name())]));
    let found = fitting(all_of(&[layers.clone(), inside.clone()]), 2).unwrap().unwrap();
    assert_eq!(found, ("args.class_to_idx".into(), vec!["cup".into(), "mug".into()]));
    assert_eq!(of(&layers), ["conv", "fc"]);
    let other = ("classes", list(&[text("mug"), text("cup")]));
    let problem = fitting(all_of(&[other, inside]), 2).unwrap_err();
    let twice = "names its classes twice, and otherwise under `args.class_to_idx` than under `classes`";
    assert_eq!(problem, twice);

    let metadata = |key: &str, value: &str| {
        let found = of_metadata(&[(key.to_string(), value.to_string())].into());
        fitting(found, 2).map(|found| found.map(|(_, names)| names.join(" ")))
    };
    assert_eq!(metadata("classes", r#"["cup", "mug"]"#), Ok(Some("cup mug".into())));
    assert_eq!(metadata("config", r#"{"id2label": {"0": "cup", "1": "mug"}}"#), Ok(Some("cup mug".into())));
    assert!(metadata("classes", "cup, mug").is_err());
    assert_eq!(metadata("format", "pt"), Ok(None));
}

#[test]
fn files_of_names_are_lines_or_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("names");
    let of = |content: &[u8]| {
        std::fs::write(&path, content).unwrap();
        read_class_names(&path).map(|(names, _)| names)
    };
    for content in [
        &b"cup\nmug\n"[..],
        b"\xef\xbb\xbfcup\r\n\r\n mug ",
        b"0,cup\n1,mug",
        b"1 mug\n0 cup",
        b"mug: 1\ncup: 0",
        b"1,cup\n2,mug",
        b"id,name\n1,mug\n0,cup\n",
        br#"["cup", "mug"]"#,
        br#"{"mug": 1, "cup": 0}"#,
        br#"{"1": "mug", "0": "cup"}"#,
        br#"{"0": ["n1", "cup"], "1": ["n2", "mug"]}"#,
        br#"{"class_to_idx": {"mug": 1, "cup": 0}}"#,
    ] {
        assert_eq!(of(content).unwrap(), ["cup", "mug"], "{}", content.escape_ascii());
    }
    for (content, words) in [
        (&b""[..], "is empty"),
        (b"cup\ncup", "names the class `cup` twice"),
        (b"1,cup\n3,mug", "numbers its 2 lines otherwise than from 0 or 1 on"),
        (
            br#"{"classes": ["cup", "mug"], "class_to_idx": {"mug": 0, "cup": 1}}"#,
            "names classes otherwise under `class_to_idx` than under `classes`",
        ),
        (b"[1, 2]", "has no list of names"),
        (b"{\"cup\": 1", "is damaged JSON"),
        (b"\xff\xfe", "is not UTF-8"),
    ] {
        let error = of(content).unwrap_err();
        assert!(error.to_string().contains(words) && error.hint().is_some(), "{error}");
    }
    assert!(read_class_names(folder.path()).unwrap_err().to_string().contains("is not a file"));
}

#[test]
fn imagenet_s_names_are_a_thousand() {
    let names = imagenet(1000).unwrap();
    let different: BTreeSet<&String> = names.iter().collect();
    assert_eq!(different.len(), 1000);
    assert_eq!(
        (names[0].as_str(), names[281].as_str(), names[504].as_str()),
        ("tench", "tabby", "coffee mug")
    );
    let more = imagenet(1001).unwrap();
    assert_eq!((more[0].as_str(), more[505].as_str()), ("background", "coffee mug"));
    assert_eq!(imagenet(10), None);
}
