//! Folders of pictures through a network, as a user types it.

use std::path::Path;

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
