//! Network files that say of their layers what cannot be, or whose numbers are spoilt: refused by name, before anything is
//! run, by every command that takes a network.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use image::RgbImage;
use juyi::context::Context;
use juyi_deep::checkpoint::{Stored, write_safetensors};
use juyi_deep::network::Network;
use juyi_deep::zoo::network;
use serde_json::{Value, json};

use crate::{juyi, text};

/// A network of one stage and a linear head on the means of three channels.
fn about() -> Value {
    let recipe = json!({
        "resize": {"both_sides": 8}, "crop": 8, "filter": "bilinear", "mean": [0.5, 0.5, 0.5],
        "deviation": [0.25, 0.25, 0.25], "scale": 0.004, "blue_first": false,
    });
    let norm = json!({"BatchNorm": {"name": "bn", "channels": 3, "epsilon": 1e-5}});
    let stages = json!([{"name": "s", "layers": [norm, {"AverageTo": {"side": 2}}]}]);
    let head =
        json!([{"AverageTo": {"side": 1}}, "Flatten", {"Linear": {"name": "fc", "inputs": 3, "outputs": 2}}]);
    let architecture = json!({
        "name": "small", "layout": "none", "recipe": recipe, "stages": stages, "head": head, "auxiliary": [],
    });
    json!({"architecture": architecture, "classes": ["a", "b"], "stages_side": null})
}

/// A folder with that network, after `alter`, and pictures of two classes.
fn prepare(folder: &Path, about: &Value, alter: impl FnOnce(&mut BTreeMap<String, Stored>)) {
    for class in ["a", "b"] {
        std::fs::create_dir_all(folder.join("photos").join(class)).expect("a folder");
        for number in 0..3_u8 {
            let picture = RgbImage::from_fn(8, 8, |x, y| image::Rgb([x as u8, 20 * y as u8, number]));
            picture.save(folder.join(format!("photos/{class}/{number}.png"))).expect("a picture");
        }
    }
    let mut tensors: BTreeMap<String, Stored> = [
        ("bn.weight", vec![3], 1.0),
        ("bn.bias", vec![3], 0.0),
        ("bn.running_mean", vec![3], 0.0),
        ("bn.running_var", vec![3], 1.0),
        ("fc.weight", vec![2, 3], 0.1),
        ("fc.bias", vec![2], 0.0),
    ]
    .into_iter()
    .map(|(name, shape, value)| {
        let values = vec![value; shape.iter().product()];
        (name.to_string(), Stored { shape, values })
    })
    .collect();
    alter(&mut tensors);
    let metadata = BTreeMap::from([("juyi-network".to_string(), about.to_string())]);
    write_safetensors(&folder.join("network.safetensors"), &tensors, &metadata).expect("a network");
}

/// What `predict`, `features` and `transfer` say of the network, all of which must refuse it.
fn refused(folder: &Path, says: &[&str]) {
    for command in [
        "predict network.safetensors photos",
        "features photos --network network.safetensors --out f.csv",
        "transfer --source network.safetensors --target photos --out run",
    ] {
        let output = juyi(folder, command);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command}: {said}");
        for part in says {
            assert!(said.contains(part), "{command}: {part} is not in {said}");
        }
        assert!(output.stdout.is_empty() && !said.contains("panicked"), "{command}: {said}");
        assert!(!folder.join("f.csv").exists() && !folder.join("run/run.json").exists(), "{command}");
    }
}

/// The same for one value of the description.
fn refused_with(place: &str, value: Value, says: &[&str]) {
    let (folder, mut about) = (tempfile::tempdir().expect("a folder"), about());
    *about.pointer_mut(place).expect("a place of the description") = value;
    prepare(folder.path(), &about, |_| ());
    refused(folder.path(), &[&["`network.safetensors`"], says].concat());
}

#[test]
fn a_sound_network_is_used_with_and_without_a_number_of_its_format() {
    for format in [None, Some(1)] {
        let (folder, mut about) = (tempfile::tempdir().expect("a folder"), about());
        if let Some(format) = format {
            about["format"] = json!(format);
        }
        prepare(folder.path(), &about, |_| ());
        let output = juyi(folder.path(), "predict network.safetensors photos");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(text(&output.stdout).lines().count(), 1 + 6);
    }
}

#[test]
fn layers_that_cannot_be_are_refused_before_anything_is_run() {
    let stage = |layers: Value| json!([{"name": "s", "layers": layers}]);
    let side = |side: u64| stage(json!([{"AverageTo": {"side": side}}]));
    // 3 * side * side wraps to 3 in 64 bits.
    refused_with(
        "/architecture/stages",
        side((1 << 63) - 1),
        &["AverageTo", "its side must be between 1 and", "got 9223372036854775807"],
    );
    refused_with("/architecture/stages", side(0), &["its side must be", "got 0"]);
    refused_with("/architecture/stages", side(9), &["AverageTo", "cannot work on 3 x 8 x 8"]);
    refused_with("/architecture/stages", json!([]), &["has no stage"]);
    refused_with(
        "/architecture/stages/0/layers/0/BatchNorm/epsilon",
        json!(-1e-5),
        &["normalisation `bn`", "epsilon"],
    );
    refused_with(
        "/architecture/head/2/Linear/inputs",
        json!(5),
        &["the linear layer `fc`", "cannot work on 3"],
    );
    refused_with("/architecture/head/1", json!("Gelu"), &["Gelu", "cannot work on"]);
    refused_with("/architecture/head", json!(["Flatten"]), &["the head", "0 classes"]);
    refused_with("/architecture/recipe/crop", json!(0), &["`crop`", "between 1 and 4096"]);
    refused_with("/architecture/recipe/deviation/1", json!(0.0), &["`deviation`", "above 0"]);
    let convolution = |kernel: u64, stride: u64, padding: u64| {
        stage(json!([{"Convolution": {
            "name": "c", "inputs": 3, "outputs": 3, "kernel": kernel, "stride": stride,
            "padding": {"Each": padding}, "groups": 3, "bias": false,
        }}]))
    };
    refused_with(
        "/architecture/stages",
        convolution(3, 0, 1),
        &["the convolution `c`: its stride must be", "got 0"],
    );
    refused_with(
        "/architecture/stages",
        convolution(1, 1, 7),
        &["its padding must be smaller than the kernel of 1, got 7"],
    );
    refused_with(
        "/architecture/stages",
        convolution(9, 1, 0),
        &["the convolution `c`", "cannot work on 3 x 8 x 8"],
    );
    // A few bytes that ask for 10^13 comparisons.
    let pool = json!([{"MaxPool": {"kernel": 4095, "stride": 1, "padding": 4094, "ceil": false}}]);
    refused_with("/architecture/stages", stage(pool), &["the limit is"]);
    let mut nested = json!("Relu");
    (0..20).for_each(|_| nested = json!({"OfMeanAndLargest": [nested]}));
    refused_with("/architecture/stages", stage(json!([nested])), &["deep inside each other"]);
}

#[test]
fn classes_tensors_and_formats_that_cannot_be_are_refused() {
    refused_with("/classes", json!(["a", "a"]), &["the class `a`", "is there twice"]);
    refused_with("/classes", json!(["a", ""]), &["a class", "has no name"]);
    refused_with("/classes", json!(["a", "b", "c"]), &["another number of classes than its head"]);
    let twice = json!([{"Linear": {"name": "bn", "inputs": 3, "outputs": 2}}]);
    let head = [json!([{"AverageTo": {"side": 1}}, "Flatten"]), twice];
    let head: Vec<Value> =
        head.iter().flat_map(|part| part.as_array().cloned().unwrap_or_default()).collect();
    refused_with("/architecture/head", json!(head), &["the tensor `bn.weight`", "belongs to two layers"]);
    let (folder, mut later) = (tempfile::tempdir().expect("a folder"), about());
    later["format"] = json!(3);
    later["architecture"] = json!("of another shape");
    prepare(folder.path(), &later, |_| ());
    refused(folder.path(), &["`network.safetensors`: has format 3, this version reads up to 2"]);
}

#[test]
fn a_pass_that_does_not_fit_the_memory_is_refused_before_it_is_run() {
    let (folder, mut about) = (tempfile::tempdir().expect("a folder"), about());
    about["architecture"]["recipe"]["crop"] = json!(2000);
    prepare(folder.path(), &about, |_| ());
    let output = juyi(folder.path(), "predict network.safetensors photos --memory 64MiB");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("one picture as a network takes it needs") && said.contains("64.0 MiB"), "{said}");
}

#[test]
fn numbers_that_are_not_finite_are_refused_where_they_are_read() {
    let spoilt = |name: &'static str, value: f32, says: &[&str]| {
        let folder = tempfile::tempdir().expect("a folder");
        prepare(folder.path(), &about(), |tensors| {
            tensors.get_mut(name).expect("a tensor").values[1] = value;
        });
        refused(folder.path(), says);
    };
    spoilt(
        "fc.weight",
        f32::NAN,
        &["`network.safetensors`, tensor `fc.weight`", "holds a number that is not finite, NaN"],
    );
    spoilt("bn.bias", f32::INFINITY, &["tensor `bn.bias`", "inf"]);
    spoilt("bn.running_var", -0.5, &["tensor `bn.running_var`", "variance of -0.5"]);
    // A finite network that runs over: the picture is named.
    let folder = tempfile::tempdir().expect("a folder");
    prepare(folder.path(), &about(), |tensors| {
        for name in ["bn.weight", "fc.weight"] {
            tensors.get_mut(name).expect("a tensor").values.fill(3e38);
        }
    });
    let output = juyi(folder.path(), "predict network.safetensors photos");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("photos/a/0.png`: `small` makes numbers of it that are not finite"), "{said}");
}

#[test]
fn a_spoilt_checkpoint_of_the_zoo_is_refused_too() {
    let folder = tempfile::tempdir().expect("a folder");
    prepare(folder.path(), &about(), |_| ());
    let own = network("squeezenet1-1").expect("it is known").with_classes(2);
    let mut tensors = Network::from_chance(own, &Context::default(), &Device::flex()).tensors();
    tensors.get_mut("features.3.squeeze.weight").expect("a tensor").values[7] = f32::NAN;
    write_safetensors(&folder.path().join("network.safetensors"), &tensors, &[].into())
        .expect("a checkpoint");
    refused(
        folder.path(),
        &["`network.safetensors`, tensor `features.3.squeeze.weight`: holds a number that is not"],
    );
}

/// A checkpoint of `squeezenet1-1` with five classes by chance, after `alter`, and its metadata.
fn checkpoint(path: &Path, metadata: &[(&str, &str)], alter: impl FnOnce(&mut BTreeMap<String, Stored>)) {
    let own = network("squeezenet1-1").expect("it is known").with_classes(5);
    let mut tensors = Network::from_chance(own, &Context::default(), &Device::flex()).tensors();
    alter(&mut tensors);
    let metadata = metadata.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    write_safetensors(path, &tensors, &metadata).expect("a checkpoint");
}

/// What a command that ends well says of a network.
fn said(folder: &Path, command: &str) -> String {
    let output = juyi(folder, command);
    let said = text(&output.stderr) + &text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{command}: {said}");
    said
}

const FEATURES: &str = "features photos --network net.safetensors --out f.csv";

/// One note says what is in force where nobody states it, and one warning that a file states something else.
#[test]
fn the_preparation_that_a_file_states_is_named_where_it_is_not_in_force() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, &about(), |_| ());
    let net = folder.join("net.safetensors");
    checkpoint(&net, &[], |_| ());
    let set = "`--mean`, `--std`, `--resize` and `--crop` set it";
    let plain = said(folder, FEATURES);
    assert_eq!(plain.matches(set).count(), 1, "{plain}");
    assert!(
        plain.contains(
            "pictures are prepared as `squeezenet1-1` wants them (ShorterSide(256), the middle 224"
        )
    );
    assert!(!plain.contains("of its own for pictures"), "{plain}");
    let config = r#"{"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "input_size": [3, 224, 224]}"#;
    let warning = "of its own for pictures, which are not used: `--mean 0.500,0.500,0.500 --std 0.500,0.500,0.500` takes them";
    checkpoint(&net, &[("pretrained_cfg", config)], |_| ());
    let other = said(folder, FEATURES);
    assert!(
        other.contains(&format!("the file has, under `pretrained_cfg`, a mean and a deviation {warning}")),
        "{other}"
    );
    assert!(!other.contains(set), "{other}");
    let taken = said(folder, &format!("{FEATURES} --mean 0.5,0.5,0.5 --std 0.5,0.5,0.5"));
    assert!(!taken.contains("of its own for pictures"), "{taken}");
    let usual = r#"{"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "to_rgb": true, "crop_pct": 0.875}"#;
    checkpoint(&net, &[("args", usual)], |_| ());
    let same = said(folder, FEATURES);
    assert!(!same.contains("of its own") && !same.contains(set), "{same}");
    checkpoint(&net, &[("args", r#"{"mean": [103.53, 116.28, 123.675], "std": [1, 1, 1]}"#)], |_| ());
    assert!(said(folder, FEATURES).contains("under `args`, that its pictures have blue first and red last"));
    // Beside the file, with the names of the classes.
    checkpoint(&net, &[], |_| ());
    let names = r#""label_names": ["a", "b", "c", "d", "e"]"#;
    std::fs::write(
        folder.join("config.json"),
        format!(r#"{{"num_classes": 5, {names}, "pretrained_cfg": {config}}}"#),
    )
    .expect("a file");
    let beside = said(folder, FEATURES);
    assert!(
        beside.contains(&format!("under `config.json, pretrained_cfg`, a mean and a deviation {warning}")),
        "{beside}"
    );
    let named = said(folder, "predict net.safetensors photos");
    assert!(named.contains("names its 5 classes under `config.json, label_names`: `a`, `b`"), "{named}");
    // Another program's file of that name.
    std::fs::write(
        folder.join("config.json"),
        format!(r#"{{{names}, "mean": [0, 0, 0], "std": [1, 1, 1]}}"#),
    )
    .expect("a file");
    assert!(!said(folder, FEATURES).contains("config.json"));
}

/// A file of which a part was not fetched holds zeros there: a hole, or an end that is missing.
#[test]
fn zeros_where_weights_belong_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, &about(), |_| ());
    let net = folder.join("net.safetensors");
    checkpoint(&net, &[], |_| ());
    let doubt = "the file was likely not written whole; fetch it again";
    assert!(!said(folder, FEATURES).contains(doubt));
    let whole = std::fs::read(&net).expect("a file");
    for (from, to, name) in
        [(0.9, 1.0, "features.9.expand3x3.weight"), (0.4, 0.5, "features.12.expand3x3.weight")]
    {
        let mut bytes = whole.clone();
        let place = |share: f64| (share * bytes.len() as f64) as usize;
        let (from, to) = (place(from), place(to));
        bytes[from..to].fill(0);
        std::fs::write(&net, bytes).expect("a file");
        let said = said(folder, FEATURES);
        assert!(said.contains(doubt) && said.contains(name), "{said}");
    }
    // What an end of two pages leaves of a large tensor.
    let mut bytes = whole.clone();
    let end = bytes.len();
    bytes[end - 8000..].fill(0);
    std::fs::write(&net, bytes).expect("a file");
    assert!(said(folder, FEATURES).contains(doubt));
    checkpoint(&net, &[], |all| {
        all.get_mut("features.4.expand3x3.weight").expect("a tensor").values.fill(0.0);
        all.get_mut("features.4.expand3x3.bias").expect("a tensor").values.fill(0.0);
    });
    let said = said(folder, FEATURES);
    assert!(said.contains("in `features.4.expand3x3.weight`: the file was likely"), "{said}");
}

/// Single numbers that a network may take are named as parts of it, unlike counters.
#[test]
fn single_numbers_that_are_not_used_are_named_as_parts() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, &about(), |_| ());
    let net = folder.join("net.safetensors");
    let parts = "if they are parts of the network, its answers are others";
    for (name, is_part) in [
        ("pool.p", true),
        ("logit_scale", true),
        ("fc.scale", true),
        ("n_averaged", false),
        ("num_updates", false),
    ] {
        checkpoint(&net, &[], |all| {
            all.insert(name.into(), Stored { shape: vec![], values: vec![3.0] });
        });
        let said = said(folder, FEATURES);
        assert!(said.contains(&format!("tensors that are not used: {name}")), "{said}");
        assert_eq!(said.contains(parts), is_part, "{said}");
    }
}

/// Numbers beside the names of classes say which is which.
#[test]
fn numbers_beside_names_of_classes_are_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, &about(), |_| ());
    checkpoint(&folder.join("net.safetensors"), &[], |_| ());
    std::fs::write(folder.join("names.txt"), "b=1\na=0\nd=3\nc=2\ne=4\n").expect("a file");
    let said = said(folder, "predict net.safetensors photos --class-names names.txt");
    let note = "`names.txt` numbers its 5 classes from 0: they are taken in that order, without the numbers";
    assert!(said.contains(note), "{said}");
}
