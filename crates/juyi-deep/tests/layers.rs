//! Files whose layer lists were altered: read, run on a picture and, some of them, learnt on, without a panic, within the
//! budget. `JUYI_ALTERATIONS=1000000` alters as many.

#[path = "../../../fuzz/layers.rs"]
mod altered;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use altered::{Altered, Outcome};
use burn::tensor::{Device, Tensor};
use juyi::context::Context;
use juyi_deep::architecture::Architecture;
use juyi_deep::forward::{Activation, Mode};
use juyi_deep::images::generator;
use juyi_deep::network::Network;
use rand::Rng;

/// Files that are made in an ordinary run of the tests.
const FILES: u64 = 2500;
/// Of so many files that can be run, one is learnt on.
const LEARNT: u64 = 8;
/// Most bytes of a pass through a network that is learnt on.
const LEARNT_BYTES: u64 = 1 << 18;
/// Most work of one.
const LEARNT_WORK: u64 = 1_000_000_000;
/// Longest that a file may take, in seconds.
const LONGEST: f64 = 20.0;

#[test]
fn altered_layer_lists_are_refused_or_run() {
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/picture.png");
    let count = std::env::var("JUYI_ALTERATIONS").map_or(FILES, |text| text.parse().expect("a number"));
    let (mut refused, mut stopped, mut ran, mut longest) = (0_u64, 0_u64, 0_u64, 0.0_f64);
    let begin = Instant::now();
    for number in 0..count {
        let mut rng = generator(7, 0, number);
        let steps = rng.random_range(0..4);
        let recipe: Vec<u8> = (0..=4 * steps).map(|_| rng.random()).collect();
        let start = Instant::now();
        let done = std::panic::catch_unwind(|| {
            let outcome = altered::layers(&recipe, &picture);
            if outcome == Outcome::Ran && number % LEARNT == 0 {
                learn(&altered::altered(&recipe));
            }
            outcome
        });
        let seconds = start.elapsed().as_secs_f64();
        assert!(
            done.is_ok() && seconds < LONGEST,
            "file {number}, {seconds} s: {}",
            altered::altered(&recipe).about
        );
        longest = longest.max(seconds);
        match done {
            Ok(Outcome::Refused) => refused += 1,
            Ok(Outcome::Stopped) => stopped += 1,
            _ => ran += 1,
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    let peak = peak_memory().map_or_else(String::new, |kib| format!("; the process held {} MiB", kib >> 10));
    writeln!(
        std::io::stderr(),
        "{count} files in {seconds:.0} s, the longest in {longest:.2} s: {refused} refused, {stopped} stopped at the picture, {ran} run{peak}"
    )
    .expect("standard error can be written to");
    assert!(ran > count / 10 && refused > count / 10, "{refused} refused, {ran} run");
}

/// A pass backwards through all that is learnt, and the statistics of a batch.
fn learn(file: &Altered) {
    let own: Architecture = serde_json::from_value(file.about["architecture"].clone()).expect("it was read");
    // What a training holds is not held against a budget here.
    let cost = own.cost().expect("it was run");
    if own.head.is_empty() || cost.bytes() > LEARNT_BYTES || cost.work > LEARNT_WORK {
        return;
    }
    let (context, device) = (Context::new(0, altered::LIMIT), Device::flex());
    let learnt: Vec<String> =
        own.parameters().into_iter().filter(|own| !own.statistic).map(|own| own.name).collect();
    let plain = Network::from_tensors(own, &file.tensors, &context, &device).expect("it was run");
    let network = plain.tracked(learnt.iter());
    let own = &network.architecture;
    let pictures = (0..2 * own.input().count()).map(|k| (k % 11) as f32 / 8.0 - 0.6).collect();
    let (mut moved, mut rng) = (BTreeMap::new(), generator(1, 0, 0));
    let mode = &mut Mode::Training { rng: &mut rng, statistics: Some(&mut moved), running: 0.5 };
    let mut x = Activation::new(pictures, own.input(), &device);
    let mut loss: Option<Tensor<1>> = None;
    for stage in 0..own.stages.len() {
        x = network.run(stage..stage + 1, x, mode);
        for (which, _) in own.auxiliary.iter().enumerate().filter(|(_, own)| own.after == stage) {
            let more = network.auxiliary_scores(which, x.clone(), mode).sum();
            loss = Some(loss.map_or(more.clone(), |sum| sum + more));
        }
    }
    let scores = network.scores(x, mode).sum();
    let found = loss.map_or(scores.clone(), |sum| sum + scores).backward();
    for name in learnt {
        assert_eq!(network.gradient(&name, &found).len(), network.numbers(&name).len(), "{name}");
    }
}

/// Most memory that this process held so far, in KiB, where the system says it.
fn peak_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
