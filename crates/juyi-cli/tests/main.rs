//! The tests through the program, one binary.

mod bad_inputs;
mod columns;
mod commands;
mod dates;
mod figures;
mod folders;
mod judge;
mod label;
mod likely_mistakes;
#[cfg(feature = "deep")]
mod network_files;
mod odd_tables;
#[cfg(feature = "deep")]
mod pictures;
mod rank;
mod sweep;
mod text_tables;
#[cfg(feature = "deep")]
mod tuning;
mod weights;

use std::path::Path;
use std::process::{Command, Output};

/// The program with these arguments, separated by blanks, to be started in a folder.
fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_juyi"));
    command.args(arguments.split_whitespace()).current_dir(folder);
    command
}

/// What a call of the program printed, and how it ended.
fn juyi(folder: &Path, arguments: &str) -> Output {
    command(folder, arguments).output().expect("the binary starts")
}

/// Output as text, in which settings are named as flags.
fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
    assert!(!text.contains(['‹', '›']), "{text}");
    text
}
