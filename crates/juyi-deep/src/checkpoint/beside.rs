//! What lies beside a checkpoint: the configuration of a hub, which names classes and says how pictures are prepared.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use juyi::report::folder::NETWORK_KEY;
use serde_json::{Map, Value};

use super::{Checkpoint, class_names, preparation};

/// Files of configurations: of networks, and of what prepares their pictures.
const FILES: [&str; 2] = ["config.json", "preprocessor_config.json"];

/// Keys of which the configuration of a network has one at least.
const OWN: [&str; 7] = [
    "architecture",
    "architectures",
    "model_type",
    "num_classes",
    "pretrained_cfg",
    "image_mean",
    "image_processor_type",
];

/// Longest configuration that is read, in bytes.
const LONGEST: u64 = 8 << 20;

impl Checkpoint {
    /// Takes what configurations in the folder of a checkpoint say. What is none, or cannot be read, says nothing.
    pub(super) fn read_beside(&mut self, path: &Path) {
        if self.metadata.contains_key(NETWORK_KEY) {
            return;
        }
        for file in FILES {
            let Some(all) = configuration(&path.with_file_name(file)) else { continue };
            for mut own in class_names::of_configuration(&all) {
                own.key = format!("{file}, {}", own.key);
                self.classes.push(own);
            }
            let mut found = Vec::new();
            preparation::of_value(&Value::Object(all), "", &mut found);
            for mut own in found {
                own.place = format!("{file}, {}", own.place);
                self.preparations.push(own);
            }
        }
    }
}

/// A configuration of a network.
fn configuration(path: &Path) -> Option<Map<String, Value>> {
    let facts = std::fs::metadata(path).ok()?;
    if !facts.is_file() || facts.len() > LONGEST {
        return None;
    }
    let mut text = String::new();
    File::open(path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    let Ok(Value::Object(all)) = serde_json::from_str(&text) else { return None };
    OWN.iter().any(|key| all.contains_key(*key)).then_some(all)
}
