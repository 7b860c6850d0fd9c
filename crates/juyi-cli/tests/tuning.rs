//! A network is tuned on pictures, as a user types it.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use burn::tensor::Device;
use image::{Rgb, RgbImage};
use juyi::context::Context;
use juyi_deep::checkpoint::{Checkpoint, write_safetensors};
use juyi_deep::network::Network;
use juyi_deep::zoo::network;

fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_juyi"));
    command.args(arguments.split_whitespace()).current_dir(folder);
    command
}

fn juyi(folder: &Path, arguments: &str) -> Output {
    command(folder, arguments).output().expect("the binary starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a command that must succeed.
fn done(folder: &Path, arguments: &str) -> String {
    let output = juyi(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Six pictures of each of two classes, stripes along or across; two without a class; a checkpoint drawn by chance.
fn prepare(folder: &Path, name: &str) {
    let picture = |across: bool, number: u32| {
        RgbImage::from_fn(40, 40, |x, y| {
            let place = if across { x } else { y } + number;
            Rgb([if place % 10 < 5 { 230 } else { 20 }, 40 + 5 * number as u8, 128])
        })
    };
    for (class, across) in [("across", true), ("along", false)] {
        let own = folder.join("photos").join(class);
        std::fs::create_dir_all(&own).expect("a folder");
        (0..6).for_each(|k| picture(across, k).save(own.join(format!("{k}.png"))).expect("a picture"));
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

#[test]
fn a_network_is_tuned_kept_and_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, "mobilenet-v2");
    let tune = "transfer --source net.safetensors --target photos --tune last:1 --epochs 2";
    let said = done(folder, &format!("{tune} --out one"));
    for part in ["3 candidates validated", "last:1", "weights drawn at random", "network.safetensors"] {
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

    // The same bytes on one thread; then from where a run was cut off.
    done(folder, &format!("{tune} --out two --threads 1"));
    let bytes = |name: &str| std::fs::read(folder.join(name)).expect("it was written");
    assert!(bytes("one/network.safetensors") == bytes("two/network.safetensors"));
    let long = tune.replace("--epochs 2", "--epochs 12");
    done(folder, &format!("{long} --out whole"));
    let mut child = command(folder, &format!("{long} --out cut"))
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary starts");
    while !folder.join("cut/training/last-1-aside.safetensors").exists() {
        assert!(child.try_wait().expect("it runs").is_none(), "it ended before it could be cut off");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    let refused = juyi(folder, &format!("{long} --out cut"));
    assert!(text(&refused.stderr).contains("--resume cut"), "{}", text(&refused.stderr));
    let other = juyi(folder, &format!("{long} --set rate=0.1 --resume cut"));
    assert!(text(&other.stderr).contains("other weights, pictures or settings"), "{}", text(&other.stderr));
    done(folder, &format!("{long} --resume cut"));
    assert!(bytes("whole/network.safetensors") == bytes("cut/network.safetensors"));
    assert!(bytes("whole/predictions.csv") == bytes("cut/predictions.csv"));
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
        "se",
        "eca",
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
    for regularizer in ["l2-sp", "delta", "bss", "co-tuning", "ewc", "lwf:0.5"] {
        done(folder, &format!("{tune} --tune last:1 --regularize {regularizer} --out x"));
    }
    // A head that is not one linear layer is trained by epochs.
    prepare(folder, "squeezenet1-1");
    done(folder, &format!("{tune} --tune head --out y"));
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
        (format!("{photos} --tune last:1 --set views=2"), "unless something is altered"),
        (format!("{photos} --regularize l3"), "one of l2-sp, delta"),
        (format!("{photos} --method coral"), "`--method`: is for tables"),
        (format!("{photos} --resume nowhere-yet --source net.safetensors"), "tuned by itself"),
        (
            "transfer --source net.safetensors --target few".into(),
            "fewer than 2 pictures: `one` (1), `two` (1)",
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
        (format!("{photos} --tune last:1 --memory 1MiB"), "1.0 MiB"),
    ] {
        let output = juyi(folder, &arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
        assert!(said.contains(named) && !said.contains("panicked"), "{arguments}: {said}");
        assert!(!folder.join("run/run.json").exists(), "{arguments}");
    }
}
