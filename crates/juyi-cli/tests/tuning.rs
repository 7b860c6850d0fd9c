//! A network is tuned on pictures, as a user types it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use burn::tensor::Device;
use image::{Rgb, RgbImage};
use juyi::context::Context;
use juyi_deep::checkpoint::{Checkpoint, write_safetensors};
use juyi_deep::network::Network;
use juyi_deep::zoo::network;

use crate::{command, juyi, text};

/// Runs a command that must succeed.
fn done(folder: &Path, arguments: &str) -> String {
    let output = juyi(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Six pictures of each of two classes, and what [`prepare_with`] says.
fn prepare(folder: &Path, name: &str) {
    prepare_with(folder, name, 6);
}

/// Pictures of each of two classes, stripes along or across; two without a class; a checkpoint drawn by chance.
fn prepare_with(folder: &Path, name: &str, each: u32) {
    let picture = |across: bool, number: u32| {
        RgbImage::from_fn(40, 40, |x, y| {
            let place = if across { x } else { y } + number;
            Rgb([if place % 10 < 5 { 230 } else { 20 }, 40 + 5 * number as u8, 128])
        })
    };
    for (class, across) in [("across", true), ("along", false)] {
        let own = folder.join("photos").join(class);
        std::fs::create_dir_all(&own).expect("a folder");
        (0..each).for_each(|k| picture(across, k).save(own.join(format!("{k}.png"))).expect("a picture"));
    }
    let new = folder.join("new");
    std::fs::create_dir_all(&new).expect("a folder");
    for across in [true, false] {
        picture(across, 7).save(new.join(format!("{across}.png"))).expect("a picture");
    }
    let own = network(name).expect("it is known").with_classes(4);
    let drawn = Network::from_chance(own, &Context::new(1, 1 << 30), &Device::flex());
    write_safetensors(&folder.join("net.safetensors"), &drawn.tensors(), &[].into()).expect("a checkpoint");
}

/// The record of a run.
fn record(folder: &Path, run: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.join(run).join("run.json")).expect("a record");
    serde_json::from_str(&text).expect("JSON")
}

/// What was tried: the rivals, or the others.
fn methods(folder: &Path, run: &str, rivals: bool) -> Vec<String> {
    let record = record(folder, run);
    let all = record["select"]["candidates"].as_array().expect("candidates");
    let own = all.iter().filter(|one| one["baseline"] == rivals);
    own.map(|one| one["method"].as_str().expect("a name").to_string()).collect()
}

/// Classes that colours tell apart need no checkpoint: on a no, its network is written with a head all the same.
#[test]
fn on_a_no_the_frozen_checkpoint_with_a_head_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, "mobilenet-v2");
    for (class, red) in [("dark", 60), ("light", 190)] {
        let own = folder.join("colours").join(class);
        std::fs::create_dir_all(&own).expect("a folder");
        for k in 0..6u8 {
            let picture = RgbImage::from_fn(40, 40, |x, y| Rgb([red + (x + y) as u8 % 5, 8 * k, 99]));
            picture.save(own.join(format!("{k}.png"))).expect("a picture");
        }
    }
    let read = |name: &str| Checkpoint::read(&folder.join(name), 1 << 30).expect("it is read").tensors;
    let before = read("net.safetensors");
    for (arguments, out) in [("", "auto"), ("--tune last:1 --epochs 1 --strict", "strict")] {
        let run = format!("transfer --source net.safetensors --target colours {arguments} --out {out}");
        let output = juyi(folder, &run);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(i32::from(out == "strict")), "{said}{}", text(&output.stderr));
        for part in [
            "So this checkpoint is not shown to help; the frozen checkpoint with a head is written.",
            "best baseline   ",
            "multiply-adds",
        ] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
        assert!(!said.contains("does not transfer"), "{said}");
        let record = record(folder, out);
        assert_ne!(record["select"]["verdict"], "transfer");
        assert_eq!(record["transfer"]["chosen"]["method"], "head");
        let rival = &record["transfer"]["baseline"];
        assert_eq!(rival["scores"]["accuracy"], 1.0);
        assert_eq!(record["figures"]["worth"]["rival"], rival["method"]);
        let mut rivals = methods(folder, out, true);
        rivals.sort_unstable();
        assert_eq!(rivals, ["colour histograms", "weights drawn at random"]);
        // All but the head is the checkpoint's.
        let after = read(&format!("{out}/network.safetensors"));
        assert!(before.keys().eq(after.keys()));
        for (name, own) in &after {
            let head = name.starts_with("classifier");
            assert_eq!(head, *own != before[name], "{name}");
        }
        let new = done(folder, &format!("predict {out} colours --out {out}.csv"));
        assert!(new.contains("accuracy"), "{new}");
        let page = std::fs::read_to_string(folder.join(out).join("report.html")).expect("a page");
        assert!(page.contains("What the network is worth"));
    }
    // One that is trained from scratch is written as asked.
    let scratch =
        "transfer --source net.safetensors --target colours --tune scratch --epochs 1 --out scratch";
    assert!(done(folder, scratch).contains("`scratch` is written as asked, without the checkpoint"));
    assert_eq!(record(folder, "scratch")["transfer"]["chosen"]["method"], "scratch");
    assert_ne!(read("scratch/network.safetensors")["features.0.0.weight"], before["features.0.0.weight"]);
}

#[test]
fn what_a_network_costs_and_what_it_saves_is_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare_with(folder, "mobilenet-v2", 20);
    done(folder, "transfer --source net.safetensors --target photos --tune head --out run --cache kept");
    let first = record(folder, "run");
    let worth = &first["figures"]["worth"];
    let curve = worth["curve"].as_array().expect("a curve");
    let shares: Vec<f64> = curve.iter().filter_map(|point| point["share"].as_f64()).collect();
    assert_eq!(shares, [0.25, 0.5, 1.0]);
    assert!(
        worth["multiply_adds"].as_u64().is_some_and(|count| (299_000_000..300_000_000).contains(&count)),
        "{worth}"
    );
    let all = first["select"]["candidates"].as_array().expect("candidates");
    let score = |name: &str| {
        let own = all.iter().find(|one| one["method"] == name).expect("it was tried");
        own["score"]["value"].as_f64().expect("a score")
    };
    let end = curve.last().expect("a point");
    assert_eq!(end["chosen"].as_f64(), Some(score("head")));
    assert_eq!(end["rival"].as_f64(), Some(score(worth["rival"].as_str().expect("a name"))));
    // From the cache the same comes out.
    done(folder, "transfer --source net.safetensors --target photos --tune head --out again --cache kept");
    let again = record(folder, "again");
    assert_eq!(&again["figures"]["worth"], worth);
    for file in ["network.safetensors", "predictions.csv"] {
        let bytes = |run: &str| std::fs::read(folder.join(run).join(file)).expect("it was written");
        assert!(bytes("run") == bytes("again"), "{file}");
    }
}

#[test]
fn a_network_is_tuned_kept_and_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, "mobilenet-v2");
    let tune = "transfer --source net.safetensors --target photos --tune last:1 --epochs 2";
    let said = done(folder, &format!("{tune} --out one"));
    for part in ["4 candidates validated", "last:1", "frozen checkpoint over", "network.safetensors"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    let page = std::fs::read_to_string(folder.join("one/report.html")).expect("a page");
    for part in ["Learning", "Samples", "data:image/jpeg;base64,", "kept aside"] {
        assert!(page.contains(part), "{part}");
    }
    // Pictures that were kept aside, with their classes.
    let table = std::fs::read_to_string(folder.join("one/predictions.csv")).expect("predictions");
    assert!(
        table.starts_with("row,picture,label,prediction,confidence,score:across,score:along\n"),
        "{table}"
    );
    assert_eq!(table.lines().count(), 1 + 3); // a fifth of twelve, rounded up
    assert!(!folder.join("one/training").exists());

    // The checkpoint's names, a head for the new classes, frozen stages as they were, the last one changed.
    let read = |name: &str| Checkpoint::read(&folder.join(name), 1 << 30).expect("it is read").tensors;
    let (before, after) = (read("net.safetensors"), read("one/network.safetensors"));
    assert_eq!(after["classifier.1.weight"].shape, [2, 1280]);
    assert!(before.keys().eq(after.keys()));
    assert_eq!(before["features.17.conv.0.0.weight"], after["features.17.conv.0.0.weight"]);
    assert_ne!(before["features.18.0.weight"], after["features.18.0.weight"]);
    assert_eq!(before["features.18.1.running_mean"], after["features.18.1.running_mean"]);

    // It predicts pictures, scores folders, and can be tuned again.
    let new = done(folder, "predict one new");
    assert_eq!(new.lines().count(), 3, "{new}");
    assert!(done(folder, "predict one photos --out p.csv").contains("accuracy"));
    assert!(done(folder, "predict net.safetensors new").contains("score:3"));
    done(folder, "transfer --source one --target photos --tune head --out again");
    done(folder, "report one");
}

/// With statistics that stay, and with those of the batch, which are part of what a training has come to.
#[test]
fn the_same_bytes_on_one_thread_and_after_a_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, "mobilenet-v2");
    let bytes = |name: &str| std::fs::read(folder.join(name)).expect("it was written");
    for (strategy, epochs) in [("last:1", 12), ("scratch", 4)] {
        let name = strategy.replace(':', "-");
        let tune =
            format!("transfer --source net.safetensors --target photos --tune {strategy} --epochs {epochs}");
        done(folder, &format!("{tune} --out {name}/whole"));
        done(folder, &format!("{tune} --out {name}/single --threads 1"));
        let mut child = command(folder, &format!("{tune} --out {name}/cut"))
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary starts");
        while !folder.join(format!("{name}/cut/training/{name}-aside.safetensors")).exists() {
            assert!(child.try_wait().expect("it runs").is_none(), "it ended before it could be cut off");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().expect("it runs");
        child.wait().expect("it ended");
        let refused = text(&juyi(folder, &format!("{tune} --out {name}/cut")).stderr);
        assert!(refused.contains(&format!("--resume {name}/cut")), "{refused}");
        let other = text(&juyi(folder, &format!("{tune} --set rate=0.1 --resume {name}/cut")).stderr);
        assert!(other.contains("other weights, pictures or settings"), "{other}");
        done(folder, &format!("{tune} --resume {name}/cut"));
        for file in ["network.safetensors", "predictions.csv"] {
            let whole = bytes(&format!("{name}/whole/{file}"));
            for other in ["single", "cut"] {
                assert!(whole == bytes(&format!("{name}/{other}/{file}")), "{strategy}, {other}: {file}");
            }
        }
        // Once it has ended there is nothing to do, and nothing of another training to go on with.
        let record = bytes(&format!("{name}/cut/run.json"));
        assert!(done(folder, &format!("{tune} --resume {name}/cut")).contains("network.safetensors"));
        assert!(record == bytes(&format!("{name}/cut/run.json")));
        let other = juyi(folder, &format!("{tune} --seed 9 --resume {name}/cut"));
        assert_eq!(other.status.code(), Some(2));
        assert!(
            text(&other.stderr).contains("holds no training that was cut off"),
            "{}",
            text(&other.stderr)
        );
        // Nor is the network lost to a run of tables.
        let tables = juyi(folder, &format!("transfer --method none --out {name}/cut"));
        assert_eq!(tables.status.code(), Some(2));
        assert!(text(&tables.stderr).contains("holds a tuned network"), "{}", text(&tables.stderr));
        assert!(record == bytes(&format!("{name}/cut/run.json")));
    }
}

/// Stages that are trained are cross-validated, at several rates unless one is asked for.
#[test]
fn auto_compares_rates_and_goes_on_after_a_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare_with(folder, "mobilenet-v2", 9);
    let tune = "transfer --source net.safetensors --target photos --epochs 2 --cache kept";
    let rate = |name: &str| {
        let record = record(folder, name);
        let all = record["select"]["candidates"].as_array().expect("candidates").clone();
        let own = all.into_iter().find(|one| one["method"] == "last:1").expect("it was tried");
        own["params"]["rate"].as_f64().expect("a rate")
    };
    done(folder, &format!("{tune} --out whole"));
    assert!([1e-4, 3e-4, 1e-3].contains(&rate("whole")), "{}", rate("whole"));
    done(folder, &format!("{tune} --set rate=0.005 --out asked"));
    assert_eq!(rate("asked"), 0.005);

    let mut child = command(folder, &format!("{tune} --out cut"))
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary starts");
    while !folder.join("cut/training").join(format!("last-1-aside-2-{}.safetensors", rate("whole"))).exists()
    {
        assert!(child.try_wait().expect("it runs").is_none(), "it ended before it could be cut off");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    done(folder, &format!("{tune} --resume cut"));
    for file in ["network.safetensors", "predictions.csv"] {
        let bytes = |name: &str| std::fs::read(folder.join(name).join(file)).expect("it was written");
        assert!(bytes("whole") == bytes("cut"), "{file}");
    }
}

/// One pixel is a picture; 30,000 a side are refused before they are read, or passed over.
#[test]
fn pictures_of_all_sizes() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, "mobilenet-v2");
    RgbImage::new(1, 1).save(folder.join("photos/along/one.png")).expect("a picture");
    RgbImage::new(1, 1).save(folder.join("new/one.png")).expect("a picture");
    let tune = "transfer --source net.safetensors --target photos --tune head";
    done(folder, &format!("{tune} --out run"));
    assert_eq!(done(folder, "predict run new").lines().count(), 1 + 3);

    // The header of a PNG file says how large the picture would be.
    let huge = png_that_says(30_000);
    for place in ["photos/along/huge.png", "new/huge.png"] {
        std::fs::write(folder.join(place), &huge).expect("a file");
    }
    for arguments in [format!("{tune} --out two"), "predict run new".into()] {
        let output = juyi(folder, &arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
        assert!(said.contains("huge.png") && said.contains("30000 x 30000 pixels"), "{arguments}: {said}");
        assert!(arguments.starts_with("predict") || !folder.join("two").exists());
        let output = juyi(folder, &format!("{arguments} --damaged skip"));
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments}: {said}");
        assert!(said.contains("left out") && said.contains("huge.png"), "{arguments}: {said}");
    }
}

/// A PNG file that says that it holds this many pixels a side.
fn png_that_says(side: u32) -> Vec<u8> {
    let mut small = std::io::Cursor::new(Vec::new());
    RgbImage::new(1, 1).write_to(&mut small, image::ImageFormat::Png).expect("a picture");
    let mut bytes = small.into_inner();
    bytes[16..20].copy_from_slice(&side.to_be_bytes());
    bytes[20..24].copy_from_slice(&side.to_be_bytes());
    // The checksum of a chunk (CRC-32), without which the header would be damaged before it is too large.
    let sum = bytes[12..29].iter().fold(!0u32, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
    });
    bytes[29..33].copy_from_slice(&(!sum).to_be_bytes());
    bytes
}

#[test]
fn every_strategy_and_regularizer_goes_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, "mobilenet-v2");
    let tune =
        "transfer --source net.safetensors --target photos --epochs 1 --cache kept --quiet --set refit=no";
    for strategy in [
        "auto",
        "hypercolumns",
        "head2toe",
        "stages:16-17",
        "gradual",
        "layer-wise",
        "surgical",
        "lp-ft",
        "lora:2",
        "adapters:2",
        "adapters:series",
        "adapters:parallel",
        "se",
        "eca",
        "cbam",
        "ia3",
    ] {
        let out = strategy.replace(':', "-");
        let output = juyi(folder, &format!("{tune} --tune {strategy} --out {out}"));
        assert_eq!(output.status.code(), Some(0), "{strategy}: {}", text(&output.stderr));
        let new = done(folder, &format!("predict {out} new"));
        assert_eq!(new.lines().count(), 3, "{strategy}: {new}");
    }
    done(
        folder,
        &format!("{tune} --tune all,augment --out x")
            .replace("all,augment", "all --set augment=rand-augment,blend=cutmix"),
    );
    done(
        folder,
        &format!("{tune} --tune scratch --set rule=sgd,decay=step,clip=none,label-smoothing=0.1 --out x"),
    );
    done(
        folder,
        &format!("{tune} --tune last:1 --set augment=flip,views=2,patience=1,normalization=batch --out x"),
    );
    done(folder, &format!("{tune} --tune last:1 --set normalization=stochastic --out x"));
    for regularizer in ["l2-sp", "delta", "bss", "co-tuning", "ewc", "lwf:0.5"] {
        done(folder, &format!("{tune} --tune last:1 --regularize {regularizer} --out x"));
    }
    let delta = "delta --set delta.stages=all,delta.pictures=2,delta.temperature=1";
    let said =
        done(folder, &format!("{tune} --tune last:2 --regularize {delta} --out x").replace(" --quiet", ""));
    assert!(said.contains("1600 channels of 2 stages are weighed by 2 pictures"), "{said}");
    // Parts that an earlier tuning put in stay, and others come beside them.
    done(folder, &format!("{tune} --tune adapters:2 --out more").replace("net.safetensors", "adapters-2"));
    let tensors =
        Checkpoint::read(&folder.join("more/network.safetensors"), 1 << 30).expect("it is read").tensors;
    for part in ["adapter.down", "adapter2.down"] {
        assert!(tensors.keys().any(|name| name.contains(part)), "{part}");
    }
    done(folder, &format!("{tune} --tune head --set baseline=scratch --out z"));
    let mut rivals = methods(folder, "z", true);
    rivals.sort_unstable();
    assert_eq!(rivals, ["colour histograms", "trained from scratch", "weights drawn at random"]);
    // A head that is not one linear layer is trained by epochs, and one of a network that is drawn keeps nothing.
    prepare(folder, "squeezenet1-1");
    done(folder, &format!("{tune} --tune head --out y"));
    for regularizer in ["lwf", "ewc", "co-tuning", "l2-sp"] {
        done(folder, &format!("{tune} --tune last:1 --regularize {regularizer} --out x"));
    }
    // Parts of transformers; what they have no place for is refused.
    prepare(folder, "vit-tiny");
    for strategy in ["prefix:2", "ia3"] {
        let out = strategy.replace(':', "-of-a-transformer-");
        done(folder, &format!("{tune} --tune {strategy} --out {out}"));
        done(folder, &format!("predict {out} new"));
    }
    // A prefix that is there is learnt on, whatever the count.
    let again =
        format!("{tune} --tune prefix:3 --out again").replace("net.safetensors", "prefix-of-a-transformer-2");
    done(folder, &again);
    let tensors =
        Checkpoint::read(&folder.join("again/network.safetensors"), 1 << 30).expect("it is read").tensors;
    assert_eq!(tensors["blocks.3.prefix"].shape, [2, 2, 192]);
    let refused = juyi(folder, &format!("{tune} --tune cbam --out z2"));
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("one with a place in `vit-tiny`"), "{}", text(&refused.stderr));
}

/// The head that came with the checkpoint stays: untouched weights answer as before, and what was forgotten is a figure.
#[test]
fn what_was_forgotten_can_be_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, "mobilenet-v2");
    let tune = "transfer --source net.safetensors --target photos --tune last:1 --epochs 2";
    let answers = |text: &str| -> Vec<String> {
        let column = |line: &str| line.split(',').nth(1).map(String::from);
        text.lines().skip(1).filter_map(column).collect()
    };
    let before = answers(&done(folder, "predict net.safetensors new"));
    for regularizer in ["ewc", "lwf"] {
        let still = format!("{tune} --regularize {regularizer} --set rate=1e-30 --out still-{regularizer}");
        let said = done(folder, &still);
        assert!(said.contains("own head says of 3 of the 3 pictures aside what it said before"), "{said}");
        let old = answers(&done(folder, &format!("predict still-{regularizer} new --head old")));
        assert_eq!(old, before, "{regularizer}");
        done(folder, &format!("{tune} --regularize {regularizer} --set rate=0.3,clip=none --out moved"));
        let record = std::fs::read_to_string(folder.join("moved/run.json")).expect("a record");
        let record: serde_json::Value = serde_json::from_str(&record).expect("a record");
        let candidates = record["select"]["candidates"].as_array().expect("candidates");
        let agreement = candidates.iter().find_map(|own| own["params"]["old-head-agreement"].as_f64());
        assert!(agreement.is_some_and(|share| (0.0..=1.0).contains(&share)), "{candidates:?}");
        // Both heads are in the file, and it can be tuned again, from the newest on.
        let file = Checkpoint::read(&folder.join("moved/network.safetensors"), 1 << 30).expect("it is read");
        assert_eq!(file.tensors["source.classifier.1.weight"].shape, [4, 1280]);
        assert_eq!(file.tensors["classifier.1.weight"].shape, [2, 1280]);
        let again =
            format!("{tune} --regularize {regularizer} --out again").replace("net.safetensors", "moved");
        done(folder, &again);
        let file = Checkpoint::read(&folder.join("again/network.safetensors"), 1 << 30).expect("it is read");
        assert_eq!(file.tensors["source.classifier.1.weight"].shape, [2, 1280]);
        std::fs::remove_dir_all(folder.join("moved")).expect("it is ours");
        std::fs::remove_dir_all(folder.join("again")).expect("it is ours");
    }
    done(folder, &format!("{tune} --regularize l2-sp --out none"));
    for (arguments, named) in [
        ("predict none new --head old", "keeps no head of the checkpoint"),
        ("predict net.safetensors new --head old", "keeps no head of the checkpoint"),
    ] {
        let output = juyi(folder, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert!(text(&output.stderr).contains(named), "{}", text(&output.stderr));
    }
    // A solved head is no training: what would be added to its loss is said to change nothing.
    let solved = format!("{tune} --regularize lwf --out solved").replace("last:1", "head");
    assert!(done(folder, &solved).contains("is solved: it changes nothing"));
}

#[test]
fn what_cannot_be_tuned_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, "mobilenet-v2");
    let own = folder.join("few/one");
    std::fs::create_dir_all(&own).expect("a folder");
    std::fs::copy(folder.join("new/true.png"), own.join("a.png")).expect("a copy");
    std::fs::create_dir_all(folder.join("few/two")).expect("a folder");
    std::fs::copy(folder.join("new/true.png"), folder.join("few/two/a.png")).expect("a copy");
    let trunk = Checkpoint::read(&folder.join("net.safetensors"), 1 << 30).expect("it is read").tensors;
    let trunk = trunk.into_iter().filter(|(name, _)| !name.starts_with("classifier")).collect();
    write_safetensors(&folder.join("trunk.safetensors"), &trunk, &[].into()).expect("a checkpoint");
    std::fs::write(folder.join("noise.pth"), b"no network").expect("a file");
    let photos = "transfer --source net.safetensors --target photos";
    for (arguments, named) in [
        (format!("{photos} --tune heads"), "one of auto, head"),
        (format!("{photos} --tune last:99"), "the 19 stages of `mobilenet-v2`"),
        (format!("{photos} --tune last:1 --epochs 0"), "at least 1"),
        (format!("{photos} --tune last:1 --set speed=1"), "one of batch, rate"),
        (format!("{photos} --tune last:1 --set rate=-1"), "a finite number above 0"),
        (format!("{photos} --tune scratch --set baseline=scratch"), "with itself"),
        (format!("{photos} --tune last:1 --set views=2"), "unless something is altered"),
        (format!("{photos} --regularize l3"), "one of l2-sp, delta"),
        (format!("{photos} --tune scratch --regularize lwf"), "starts from none"),
        (format!("{photos} --set delta.pictures=3"), "is for `--regularize delta`"),
        (format!("{photos} --method coral"), "`--method`: is for tables"),
        (format!("{photos} --task regression"), "`--task regression`: is for tables"),
        (format!("{photos} --preprocess l2"), "`--preprocess`: is for tables"),
        (format!("{photos} --missing mean"), "`--missing`: is for tables"),
        (format!("{photos} --target-labels score"), "`--target-labels`: is for tables"),
        (format!("{photos} --rename a=b"), "`--rename`: is for columns of tables"),
        (format!("{photos} --resume nowhere-yet --source net.safetensors"), "tuned by itself"),
        (
            "transfer --source net.safetensors --target few".into(),
            "fewer than 2 pictures of their own: `one` (1), `two` (0)",
        ),
        (
            "transfer --source net.safetensors --target new".into(),
            "give a folder with a subfolder for each class",
        ),
        (
            "transfer --source trunk.safetensors --target photos --tune last:1 --regularize lwf".into(),
            "takes the head that came with the checkpoint",
        ),
        ("predict trunk.safetensors photos".into(), "has no head that could name classes"),
        ("transfer --source noise.pth --target photos".into(), "noise.pth"),
        (format!("{photos} --tune last:1 --epochs 100001"), "at most 100000"),
        (format!("{photos} --tune last:1 --set patience=18446744073709551615"), "from 1 to 100000"),
        (format!("{photos} --tune all --memory 160MiB"), "training all, 4 pictures at a time, needs"),
        (format!("{photos} --tune last:1 --memory 1MiB"), "1.0 MiB"),
    ] {
        let output = juyi(folder, &arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
        assert!(said.contains(named) && !said.contains("panicked"), "{arguments}: {said}");
        assert!(!folder.join("run/run.json").exists(), "{arguments}");
    }
}

/// Pictures with and without a class, mixed in a table of paths: each keeps its row.
#[test]
fn rows_of_a_table_of_paths_stay_where_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, "mobilenet-v2");
    let row = |k: usize| {
        let class = ["along", "across"][k % 2];
        (format!("photos/{class}/{}.png", k / 2), if k.is_multiple_of(4) { "" } else { class })
    };
    let lines: Vec<String> = (0..12).map(row).map(|(path, class)| format!("{path},{class}\n")).collect();
    std::fs::write(folder.join("t.csv"), "path,label\n".to_string() + &lines.concat()).expect("a file");
    std::fs::write(folder.join("photos/along/2.png"), b"\x89PNG\r\n\x1a\nnothing").expect("a file");
    done(folder, "transfer --source net.safetensors --target t.csv --tune head --damaged skip --out one");
    let table = std::fs::read_to_string(folder.join("one/predictions.csv")).expect("predictions");
    let written: Vec<String> = table
        .lines()
        .skip(1)
        .map(|line| line.split(',').take(3).collect::<Vec<_>>().join(",") + "\n")
        .collect();
    let expected: Vec<String> =
        (0..12).filter(|k| *k != 4).map(|k| format!("{},{}", k + 1, lines[k])).collect();
    assert_eq!(written, expected);
}

/// Numbers in a table of paths are taken for classes, and that is said.
#[test]
fn numbers_for_classes_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, "mobilenet-v2");
    let tune = "transfer --source net.safetensors --tune head --target";
    for (label, kind) in
        [("", "3 different whole numbers"), (".5", "3 different numbers, some with a fraction")]
    {
        let row =
            |k: usize| format!("photos/{}/{}.png,{}{label}\n", ["along", "across"][k % 2], k / 2, k % 3);
        let table = "path,label\n".to_string() + &(0..12).map(row).collect::<String>();
        std::fs::write(folder.join("t.csv"), table).expect("a file");
        let said = done(folder, &format!("{tune} t.csv --out one"));
        assert!(said.contains(kind) && said.contains("taken for classes"), "{said}");
        let said = done(folder, &format!("{tune} t.csv --task classification --out one"));
        assert!(!said.contains("taken for classes"), "{said}");
    }
    assert!(!done(folder, &format!("{tune} photos --out one")).contains("taken for classes"));
}
