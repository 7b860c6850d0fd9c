//! What files of several kinds say of the preparation of pictures.

use serde_json::json;

use super::super::Checkpoint;
use super::super::written::{archive, array, call, dict, float, list, pickle, storage, tensor, text, tuple};
use super::*;

fn in_pickle(more: &[(&str, Vec<u8>)]) -> Vec<Preparation> {
    let state = dict(&[("a.w", array(&[1], &[1]))]);
    let all = [&[("state_dict", state)], more].concat();
    Checkpoint::from_bytes("f", &pickle(&dict(&all)), 1 << 20).unwrap().preparations
}

fn floats(numbers: [f64; 3]) -> Vec<u8> {
    list(&numbers.map(float))
}

fn both() -> Vec<(&'static str, Vec<u8>)> {
    vec![("mean", floats([0.5, 0.25, 0.75])), ("std", floats([0.5; 3]))]
}

fn object(class: &str, state: Vec<u8>) -> Vec<u8> {
    [call("m", class, &[]), state, b"b".to_vec()].concat()
}

#[test]
fn it_is_found_wherever_a_pickle_states_it() {
    let config = object("DictConfig", dict(&[("_content", dict(&both()))]));
    let compose = object("Compose", dict(&[("transforms", list(&[object("Normalize", dict(&both()))]))]));
    let upper = dict(&[("PIXEL_MEAN", floats([127.5, 63.75, 191.25])), ("PIXEL_STD", floats([127.5; 3]))]);
    for (key, value, place) in [
        ("args", object("Namespace", dict(&both())), "args"),
        ("hyper_parameters", dict(&[("lr", float(0.1)), ("data", dict(&both()))]), "hyper_parameters.data"),
        ("pretrained_cfg", dict(&both()), "pretrained_cfg"),
        (
            "preprocess",
            dict(&[("mean", tuple(&[float(0.5), float(0.25), float(0.75)])), both()[1].clone()]),
            "preprocess",
        ),
        ("cfg", config, "cfg"),
        ("transform", compose, "transform.transforms.0"),
        ("cfg", dict(&[("MODEL", upper)]), "cfg.MODEL"),
        (
            "data_config",
            dict(&[("mean", text("0.5, 0.25 0.75")), ("std", text("(0.5, 0.5, 0.5)"))]),
            "data_config",
        ),
    ] {
        let found = in_pickle(&[(key, value)]);
        let [only] = &found[..] else { panic!("{place}: {found:?}") };
        assert_eq!(only.normalization, Some([[0.5, 0.25, 0.75], [0.5; 3]]), "{place}");
        assert!(only.place == place && !only.blue_first, "{only:?}");
    }
    // Values at the top, as they are and as arrays.
    let found = in_pickle(&both());
    assert_eq!((found.len(), found[0].place.as_str()), (1, "mean"));
    let arrays = [("img_mean", array(&[3, 1, 1], &[0, 51, 255])), ("img_std", array(&[3], &[51; 3]))];
    let found = in_pickle(&arrays);
    assert_eq!(found[0].normalization, Some([[0.0, 0.2, 1.0], [0.2; 3]]));
    let outside =
        [("optimizer", dict(&both())), ("stats", dict(&[("mean", floats([0.5; 3]))])), ("lr", float(0.1))];
    assert_eq!(in_pickle(&outside), []);
    assert_eq!(in_pickle(&[("args", dict(&[("mean", floats([-1.0, 0.0, 1.0])), both()[1].clone()]))]), []);
}

#[test]
fn tensors_beside_the_state_are_read() {
    let own = |name: &'static str, key: &str| (name, tensor(storage("FloatStorage", key, 3), 0, &[3], &[1]));
    let state = dict(&[("a.w", array(&[1], &[1]))]);
    let file = dict(&[("state_dict", state), own("mean", "0"), own("std", "1")]);
    let half: Vec<u8> = [0.5_f32; 3].iter().flat_map(|value| value.to_le_bytes()).collect();
    let bytes = archive(&[("f/data.pkl", &pickle(&file)), ("f/data/0", &half), ("f/data/1", &half)]);
    let found = Checkpoint::from_bytes("f", &bytes, 1 << 20).unwrap();
    assert_eq!(found.preparations[0].normalization, Some([[0.5; 3]; 2]));
    assert_eq!(found.tensors.len(), 1);
}

#[test]
fn sizes_and_orders_are_understood() {
    let of = |value: Value| {
        let mut found = Vec::new();
        of_value(&value, "", &mut found);
        found
    };
    let timm = json!({"pretrained_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "input_size": [3, 240, 240],
                      "crop_pct": 0.9, "interpolation": "bicubic"}});
    let [own] = &of(timm)[..] else { panic!() };
    assert_eq!((own.crop, own.share, own.filter.as_deref()), (Some(240), Some(0.9), Some("bicubic")));
    let hub = json!({"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 2,
                     "size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}});
    let [own] = &of(hub)[..] else { panic!() };
    assert_eq!((own.resize, own.crop, own.filter.as_deref()), (Some(256), Some(224), Some("bilinear")));
    let blue = |value: Value| of(value).iter().any(|own| own.blue_first);
    assert!(blue(json!({"args": {"input_space": "BGR"}})));
    assert!(blue(json!({"mean": [103.53, 116.28, 123.675], "std": [1, 1, 1]})));
    assert!(blue(json!({"mean": [110, 110, 110], "std": [57, 57, 57], "bgr_to_rgb": false})));
    assert!(!blue(
        json!({"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "to_rgb": true})
    ));
    assert_eq!(of(json!({"mean": [0, 0, 0], "std": [1, 1, 1]}))[0].normalization, Some([[0.0; 3], [1.0; 3]]));
    let bytes = of(json!({"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}));
    let [mean, deviation] = bytes[0].normalization.unwrap();
    assert!((mean[0] - 0.485).abs() < 1e-9 && (deviation[2] - 0.225).abs() < 1e-9);
}

/// Lists that are shared stand for endless trees.
#[test]
fn shared_values_are_bounded() {
    let doubling = [text("x"), b"]q\0".to_vec(), b"0](h\0h\0eq\0".repeat(30)].concat();
    let state = [text("state_dict"), dict(&[("a.w", array(&[1], &[1]))])].concat();
    let own = [b"}(".to_vec(), state, doubling, b"u".to_vec()].concat();
    assert!(Checkpoint::from_bytes("f", &pickle(&own), 1 << 20).is_ok());
}
